"""Whether equations hold at a trial point, by their own terms there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...arrays import Vector
from ..state.iterate import Iterate

HOLDS = 1e-11  # of its terms: the residual of an equation that holds


def all_hold(it: Iterate, x: Vector, F: Vector) -> bool:
    """Whether every equation holds at a trial point, by its own terms there."""
    left = open_equations(it, x, F)
    return left is not None and not left.any()


def open_equations(it: Iterate, x: Vector, F: Vector) -> NDArray[np.bool_] | None:
    """Return which equations do not hold at a trial point; None if slopes are not finite there."""
    if not F.any():
        return np.zeros(len(F), dtype=bool)
    terms = it.terms_at(x)
    return None if terms is None else np.abs(F) > HOLDS * terms
