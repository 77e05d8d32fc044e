"""Locate the zero of a test function between two points of a run.

The two points bracket the zero. Safeguarded interpolation makes the bracket narrower. Every trial
point is a solution of the equations, so the result lies on the same branch between the two points.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import LinearSolveError
from ..stepper import Point
from .bracket import LostError, bracketed_root, opposite


@dataclass
class BracketedRoot:
    """The end of the bracket of a sign change that is nearest to zero.

    Attributes
    ----------
    t : float
        Its place as a fraction of the distance between the two points that were given.
    point : Point
        The solution there.
    value : float
        The value of the test function there.
    other : Point
        The other end of the bracket; the same point if the bracket is within the tolerance.
    """

    t: float
    point: Point
    value: float
    other: Point

    @property
    def width(self) -> float:
        """The width of the bracket, in `Point.s`."""
        return abs(self.other.s - self.point.s)

    @property
    def exact(self) -> bool:
        """Whether the bracket is within the tolerance."""
        return self.other is self.point


def crossing(
    stepper: Any,
    a: Point,
    b: Point,
    test: Callable[[Point], float],
    tolerance: float,
    ends: tuple[float, float] | None = None,
    max_lost: float = np.inf,
) -> BracketedRoot | None:
    """Return the zero of a test function between two points.

    Parameters
    ----------
    stepper : Stepper
        Its `between` computes the trial points.
    test : callable
        ``test(point) -> float``, called while the bordered Jacobian of the point is factorized. If
        it returns NaN or raises `LinearSolveError`, another trial point is used.
    tolerance : float
        Width of the bracket, as a fraction of the distance between a and b.
    ends : (float, float), optional
        The values of the test function at a and b; computed by default.
    max_lost : float
        See `bracketed_root`.

    Returns
    -------
    BracketedRoot or None
        Not exact if trial points failed and the bracket is wider than the tolerance. None if the
        test function has the same sign at a and b.
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

    t, other = bracketed_root(at, dict(values), tolerance, max_lost)
    return BracketedRoot(t, points[t], values[t], points[other])
