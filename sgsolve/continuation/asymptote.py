"""Test whether a branch tends to a bound of its parameter without reaching it.

The tangent predicts the arclength that is left to the bound. On a branch that reaches the bound, it
falls by about the length of each step. On a branch that only tends to the bound, such as p =
exp(-x) to p = 0, it stays constant or grows. The distance then falls by a factor at each step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

NEAR = 1e-10  # distance to the bound where the test begins, relative to the largest on the branch
LAST = 4  # number of points that the test uses
GONE = 0.5  # least arclength over these points, relative to the longest step
SHRINKS, GROWS = 0.02, 3.0  # allowed change of the predicted arclength, relative to the step
ROUNDING = 16.0  # units in the last place of the bound; smaller distances are rounding errors

Vector = NDArray[Any]


def approached(
    table: tuple[Sequence[float], Sequence[float], Sequence[float]],
    bounds: tuple[float, float],
    longest: float,
) -> float | None:
    """Return the bound that the last points tend to, or None.

    Parameters
    ----------
    table : (p, s, tangent)
        Three columns: parameter, arclength, and parameter component of the tangent.
    bounds : (float, float)
    longest : float
        The longest step.
    """
    if len(table[0]) < LAST:
        return None
    for bound in bounds:
        if np.isfinite(bound) and abs(table[0][-1] - bound) <= _near_distance(table[0], bound):
            p, s, share = (np.array(column[-LAST:]) for column in table)
            if _tends(np.abs(p - bound), s, np.abs(share), longest):
                return float(bound)
    return None


def _near_distance(values: Sequence[float], bound: float) -> float:
    """Return the distance to the bound where the test begins."""
    farthest = max(abs(value - bound) for value in values)
    return max(NEAR * farthest, ROUNDING * float(np.spacing(abs(bound))))


def _tends(distance: Vector, s: Vector, share: Vector, longest: float) -> bool:
    """Whether the distance falls from point to point while the predicted arclength does not.

    The predicted arclength grows by a step per step for p = 1 / x, and without limit near a fold.
    """
    gone = float(s[-1] - s[0])
    if not (np.diff(distance) <= 0.0).all() or gone < GONE * longest:
        return False
    if share[-1] == 0.0:  # smaller than any number
        return True
    left, steps = np.diff(distance / np.where(share > 0.0, share, np.inf)), np.diff(s)
    return bool(((left >= -SHRINKS * steps) & (left <= GROWS * steps)).all())
