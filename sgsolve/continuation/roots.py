"""Roots on a curve: where a test function changes sign between two spots.

A special point is bracketed before it is polished. The bracket shrinks along the curve by
safeguarded interpolation, every trial a corrected spot, so the answer lies between the two spots
that were given, on the same branch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import LinearSolveError
from .bracket import LostError, closed_in, opposite
from .curve import Curve, Spot


@dataclass
class Root:
    """Where a test function changes sign.

    Attributes
    ----------
    t : float
        The fraction of the way between the two spots that were given.
    spot : Spot
        There.
    value : float
        Of the test.
    other : Spot
        Where it has the other sign; the same spot if the bracket is as narrow as asked for.
    """

    t: float
    spot: Spot
    value: float
    other: Spot

    @property
    def exact(self) -> bool:
        """Whether the bracket is as narrow as asked for."""
        return self.other is self.spot


def crossing(
    curve: Curve,
    a: Spot,
    b: Spot,
    test: Callable[[Spot], float],
    tolerance: float,
    ends: tuple[float, float] | None = None,
) -> Root | None:
    """Return the place between two spots where a test function vanishes.

    Parameters
    ----------
    test : callable
        ``test(spot) -> float``, called while the bordered Jacobian of the spot is factorized. NaN
        and `LinearSolveError` say that it is not defined there: the search goes on elsewhere.
    tolerance : float
        Of the fraction.
    ends : (float, float), optional
        The values at a and b, if known.

    Returns
    -------
    Root or None
        Inexact if trials failed so that the bracket stays wide; None if there is no change of sign.
    """
    spots: dict[float, Any] = {0.0: a, 1.0: b}
    first, last = (test(a), test(b)) if ends is None else ends
    if not opposite(first, last):
        return None
    values = {0.0: float(first), 1.0: float(last)}

    def at(t: float) -> float:
        spot = curve.between(a, b, t)
        try:
            value = np.nan if spot is None else float(test(spot))
        except LinearSolveError:
            value = np.nan
        if np.isnan(value):
            raise LostError
        spots[t], values[t] = spot, value
        return value

    t, other = closed_in(at, dict(values), tolerance)
    return Root(t, spots[t], values[t], spots[other])
