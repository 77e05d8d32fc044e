"""Events of a sweep: the value between two solutions at which a functional vanishes.

Bracketed by two points, closed in on by safeguarded interpolation, every trial a solve from the
straight line between them; so an event is as exact as the solutions are. Where solves between the
points fail, it is known as far as the bracket could be closed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..continuation.bracket import LostError, closed_in
from ..results.special_points import Rough, Special
from ..solvers.predictor import Point
from ..solvers.sweep import Track

Vector = NDArray[Any]

TOLERANCE = 1e-13  # of the value, relative to the distance of the two points


def located(
    name: str,
    family: Any,
    track: Track,
    functional: Callable[[float, Vector], float],
    between: tuple[Point, Point],
    ends: tuple[float, float],
) -> tuple[Special, Point]:
    """Return the event between two points, and the point there.

    Parameters
    ----------
    name : str
        Of the event.
    family : solvers.sweep.Family
    track : Track
        Where costs are noted.
    functional : callable
        ``functional(value, x)`` -> float.
    between : (Point, Point)
    ends : (float, float)
        The functional there, of different signs.
    """
    a, b = between
    points = {a.value: a, b.value: b}

    def at(value: float) -> float:
        share = (value - a.value) / (b.value - a.value)
        try:
            result = family.solve(value, a.x + share * (b.x - a.x), False)
        except ArithmeticError as error:  # the guess is outside the model
            raise LostError from error
        track.stats.add(result.stats)
        track.solves += 1
        found = functional(value, result.x) if result.success else np.nan
        if np.isnan(found):
            raise LostError
        points[value] = Point(value, result.x, result.sizes, b.behind, b.behind)
        return found

    tolerance = TOLERANCE * abs(b.value - a.value)
    place, other = closed_in(at, dict(zip(points, ends, strict=True)), tolerance)
    point, index = points[place], len(track.points)
    if place == other:
        return Special(name, place, point.x, index=index), point
    return Rough(name, place, point.x, index=index, within=abs(other - place)), point
