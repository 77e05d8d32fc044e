"""Sweep: natural continuation through given values of a parameter.

One idea: every solution is the guess for the next one. The step is the distance to the next
value that was asked for; where that fails it is halved, through points in between, and doubled
again after each success, so that every value asked for is hit exactly.

References: Deuflhard, Newton Methods for Nonlinear Problems (2011), section 5.1; VoronoiFVM.jl's
embedding, from which the idea to hand back the partial branch is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..history import Stats
from ..result import Result
from ..status import Status
from .predictor import Point, Predictor

Vector = NDArray[Any]


class Family(Protocol):
    """A system for every value of a parameter."""

    def solve(self, value: float, x: Vector, first: bool) -> Result:
        """Solve at a value from x; the first point of a sweep has no solution to start from."""
        ...

    def residual(self, value: float, x: Vector) -> Vector | None:
        """Return F, or None where it is not finite."""
        ...


@dataclass(frozen=True)
class Stepping:
    """How a sweep steps.

    Parameters
    ----------
    predictor : Predictor
    min_step : float
        Smallest step, as a fraction of the distance between two values that were asked for.
    shrink, grow : float
        Factors after a failure and after a success.
    max_solves : int or None
        Limit on the number of solves, failures included.
    """

    predictor: Predictor
    min_step: float = 1e-4
    shrink: float = 0.5
    grow: float = 2.0
    max_solves: int | None = None


@dataclass
class Track:
    """What a sweep has gathered.

    Attributes
    ----------
    points : list of Point
        At the values that were asked for.
    rejected : list of (parameter, reason)
    stats : Stats
    solves : int
    last : Result or None
        Of the last solve, successful or not.
    here : Point or None
        The furthest point solved.
    """

    points: list[Point] = field(default_factory=list)
    iterations: list[int] = field(default_factory=list)
    rejected: list[tuple[float, str]] = field(default_factory=list)
    stats: Stats = field(default_factory=Stats)
    solves: int = 0
    last: Result | None = None
    here: Point | None = None
    status: Status = Status.CONVERGED
    spent: int = 0  # iterations since the last point that was asked for


def run_sweep(
    family: Family,
    x0: Vector,
    values: Sequence[float],
    stepping: Stepping,
    after: Callable[[Track], None],
) -> Track:
    """Sweep through the values; never raises for a failure, nor for Ctrl-C.

    Parameters
    ----------
    after : callable
        Told of every point that was asked for, when it is there.
    """
    track = Track()
    try:
        result = _solve(track, family, values[0], x0, first=True)
        if not result.success:
            track.status = result.status
            return track
        here = Point(values[0], result.x, result.sizes)
        track.here = here
        _reached(track, here, after)
        before: Point | None = None
        for target in values[1:]:
            step = target - here.value
            while here.value != target:
                moved = _step(track, family, here, before, target, step, stepping)
                if moved is None:
                    step *= stepping.shrink
                    if abs(step) < stepping.min_step * abs(target - track.points[-1].value):
                        track.status = Status.STEP_TOO_SMALL
                        return track
                else:
                    before, here = here, moved
                    track.here = here
                    step *= stepping.grow
                if stepping.max_solves is not None and track.solves >= stepping.max_solves:
                    track.status = Status.MAX_POINTS
                    if here.value != target:
                        return track
            _reached(track, here, after)
            if track.status is Status.MAX_POINTS and target != values[-1]:
                return track
        track.status = Status.CONVERGED
    except KeyboardInterrupt:
        track.status = Status.INTERRUPTED
    return track


def _step(
    track: Track,
    family: Family,
    here: Point,
    before: Point | None,
    target: float,
    step: float,
    stepping: Stepping,
) -> Point | None:
    """Try one step; return the point it led to, or None."""
    value = target if abs(step) >= abs(target - here.value) else here.value + step
    guess = stepping.predictor.predict(family, here, before, value)
    if guess is None:
        track.rejected.append((value, "the residual is not finite at the guess"))
        track.solves += 1
        return None
    result = _solve(track, family, value, guess, first=False)
    if not result.success:
        track.rejected.append((value, result.status.text))
        return None
    return Point(value, result.x, result.sizes)


def _solve(track: Track, family: Family, value: float, x: Vector, first: bool) -> Result:
    result = family.solve(value, x, first)
    track.solves += 1
    track.stats.add(result.stats)
    track.spent += result.nit
    track.last = result
    return result


def _reached(track: Track, point: Point, after: Callable[[Track], None]) -> None:
    track.points.append(point)
    track.iterations.append(track.spent)
    track.spent = 0
    after(track)


def checked_values(values: Any) -> list[float]:
    """Return the values of a sweep as floats, or say what is wrong with them."""
    from ..errors import DataTypeError, NotFiniteError, ShapeError

    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise DataTypeError(f"values must be real numbers, not dtype {array.dtype}")
    if array.ndim != 1 or array.size == 0:
        raise ShapeError(f"values must be a list of numbers, not shape {array.shape}")
    if not np.isfinite(array).all():
        raise NotFiniteError("values are not all finite")
    return [float(value) for value in array]
