"""Events of a sweep: the value between two solutions at which a functional vanishes.

One idea: bracketed by two points, closed in on by safeguarded interpolation, every trial a solve
from the straight line between them; so an event is as exact as the solutions are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray
from scipy.optimize import brentq

from ..solvers.predictor import Point
from ..solvers.sweep import Track

Vector = NDArray[Any]

TOLERANCE = 1e-13  # of the value, relative to the distance of the two points


def located(
    family: Any,
    track: Track,
    functional: Callable[[float, Vector], float],
    between: tuple[Point, Point],
    ends: tuple[float, float],
) -> Point | None:
    """Return the point between two others where a functional is zero; None if a solve fails.

    Parameters
    ----------
    family : solvers.sweep.Family
    track : Track
        Where costs and a failure are noted.
    functional : callable
        ``functional(value, x)`` -> float.
    between : (Point, Point)
    ends : (float, float)
        The functional there, of different signs.
    """
    a, b = between
    points = {a.value: (a, ends[0]), b.value: (b, ends[1])}

    def at(value: float) -> float:
        if value not in points:
            share = (value - a.value) / (b.value - a.value)
            result = family.solve(value, a.x + share * (b.x - a.x), False)
            track.stats.add(result.stats)
            track.solves += 1
            if not result.success:
                raise ArithmeticError(result.message)
            point = Point(value, result.x, result.sizes, b.behind, b.behind)
            points[value] = point, functional(value, result.x)
        return points[value][1]

    span = abs(b.value - a.value)
    try:
        root = float(brentq(at, a.value, b.value, xtol=TOLERANCE * span, rtol=1e-15, disp=False))
        at(root)
    except ArithmeticError as error:
        track.rejected.append((b.value, f"an event could not be located: {error}"))
        return None
    return points[root][0]
