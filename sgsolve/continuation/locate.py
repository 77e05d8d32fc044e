"""Roots along a run: where a test function changes sign between two points.

A special point is bracketed before it is polished. The bracket shrinks along the curve by
safeguarded interpolation, every trial a corrected point, so the answer lies between the two points
that were given, on the same branch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import LinearSolveError
from .bracket import LostError, bracketed_root, opposite
from .stepper import Point


@dataclass
class BracketedRoot:
    """Where a test function changes sign.

    Attributes
    ----------
    t : float
        The fraction of the way between the two points that were given.
    point : Point
        There.
    value : float
        Of the test.
    other : Point
        Where it has the other sign; the same point if the bracket is as narrow as asked for.
    """

    t: float
    point: Point
    value: float
    other: Point

    @property
    def exact(self) -> bool:
        """Whether the bracket is as narrow as asked for."""
        return self.other is self.point


def crossing(
    stepper: Any,
    a: Point,
    b: Point,
    test: Callable[[Point], float],
    tolerance: float,
    ends: tuple[float, float] | None = None,
) -> BracketedRoot | None:
    """Return the place between two points where a test function vanishes.

    Parameters
    ----------
    test : callable
        ``test(point) -> float``, called while the bordered Jacobian of the point is factorized. NaN
        and `LinearSolveError` say that it is not defined there: the search goes on elsewhere.
    tolerance : float
        Of the fraction.
    ends : (float, float), optional
        The values at a and b, if known.

    Returns
    -------
    BracketedRoot or None
        Inexact if trials failed so that the bracket stays wide; None if there is no change of sign.
    """
    points: dict[float, Any] = {0.0: a, 1.0: b}
    first, last = (test(a), test(b)) if ends is None else ends
    if not opposite(first, last):
        return None
    values = {0.0: float(first), 1.0: float(last)}

    def at(t: float) -> float:
        point = stepper.between(a, b, t)
        try:
            value = np.nan if point is None else float(test(point))
        except LinearSolveError:
            value = np.nan
        if np.isnan(value):
            raise LostError
        points[t], values[t] = point, value
        return value

    t, other = bracketed_root(at, dict(values), tolerance)
    return BracketedRoot(t, points[t], values[t], points[other])
