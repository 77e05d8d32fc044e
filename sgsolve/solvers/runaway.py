"""Whether unknowns ran so far that the equations no longer determine them.

Next to an unknown of 1e90 rounding hides everything that the user meant, such as the sum of two
unknowns. A point far beyond the size of the start is a solution only if the equations there
determine the unknowns that are so large.
"""

from __future__ import annotations

import numpy as np

from .determination import determined
from .iterate import Iterate

BEYOND = 1e12  # times the largest unknown of the start, or 1


def note_home(it: Iterate) -> None:
    """Take note of the size of the start."""
    it.memory["home"] = max(1.0, float(np.abs(it.x).max(initial=0.0)))


def ran_away(it: Iterate) -> bool:
    """Whether unknowns far beyond the size of the start are not determined; a note says so."""
    home = it.memory.get("home")
    if home is None or it.J is None:
        return False
    far = np.abs(it.x) > BEYOND * home
    if not far.any() or determined(it, np.where(far, it.x, 0.0)):
        return False
    it.notes.append(
        "unknowns ran far beyond the size of the start, to where the equations do not determine "
        "them"
    )
    return True
