"""Sweep: natural continuation through given values of a parameter.

Every solution is the guess for the next one. The step is the distance to the next value that was
asked for; where that fails it is halved, through points in between, and grown again after each
success, the faster the fewer iterations it took, so that every value asked for is hit exactly.

References: Deuflhard, Newton Methods for Nonlinear Problems (2011), section 5.1; VoronoiFVM.jl's
embedding, from which the idea of returning a partial branch is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from numpy.typing import NDArray

from ..results.history import Stats
from ..results.result import Result
from ..results.status import Status
from .deadline import OutOfTime
from .predictor import Point, Predictor, jump
from .settings import fraction, made_of, positive

Vector = NDArray[Any]


class Family(Protocol):
    """A system for every value of a parameter."""

    def solve(self, value: float, x: Vector, first: bool) -> Result:
        """Solve at a value from x; the first point of a sweep has no solution to start from."""
        ...

    def residual(self, value: float, x: Vector) -> Vector | None:
        """Return F, or None where it is not finite."""
        ...

    def slopes(self, value: float, x: Vector) -> tuple[Vector | None, Vector | None]:
        """Return dx/dvalue ahead of and behind a solution that was found just now, or None."""
        ...


class Watch(Protocol):
    """What looks at a sweep from outside."""

    def passed(self, track: Track, before: Point, now: Point) -> Point | None:
        """Look at a step; return the point to end at, or None to go on."""
        ...

    def blocked(self, track: Track, target: float) -> Point | None:
        """Find a way to a value that no step can reach; None if there is none."""
        ...

    def reached(self, track: Track) -> None:
        """Take note of the last of ``track.points``."""
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
    jump : float
        A solution that changed this many times more than the tangents at both ends say is on
        another branch, and the step is rejected; needs a predictor that computes tangents.
    optimal_iterations : int
        Steps grow fully below this and not at all above twice this.
    max_solves : int or None
        Limit on the number of solves, failures included.
    """

    predictor: Predictor
    min_step: float = 1e-4
    shrink: float = 0.5
    grow: float = 2.0
    jump: float = 5.0
    optimal_iterations: int = 6
    max_solves: int | None = None

    def __post_init__(self) -> None:
        made_of(self, "predictor", "predict", "Tangent()")
        positive(self, "min_step", "grow", "jump", "optimal_iterations")
        fraction(self, "shrink")


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
    here, before : Point or None
        The furthest point solved, and the one solved before it.
    """

    points: list[Point] = field(default_factory=list)
    iterations: list[int] = field(default_factory=list)
    rejected: list[tuple[float, str]] = field(default_factory=list)
    stats: Stats = field(default_factory=Stats)
    solves: int = 0
    last: Result | None = None
    here: Point | None = None
    before: Point | None = None
    status: Status = Status.CONVERGED
    spent: int = 0  # iterations since the last point that was asked for


def run_sweep(
    family: Family,
    x0: Vector,
    values: Sequence[float],
    stepping: Stepping,
    watch: Watch,
    track: Track,
) -> Track:
    """Sweep through the values; never raises for a failure, nor for Ctrl-C.

    `track` is empty, or that of a sweep to go on with.
    """
    try:
        if not track.points and not _first(track, family, x0, values[0], stepping, watch):
            return track
        while len(track.points) < len(values):
            target = values[len(track.points)]
            if not _towards(track, family, target, stepping, watch):
                return track
            _reached(track, watch)
            if track.status is Status.MAX_POINTS and len(track.points) < len(values):
                return track
        track.status = Status.CONVERGED
    except OutOfTime:
        track.status = Status.TIME_LIMIT
    except KeyboardInterrupt:
        track.status = Status.INTERRUPTED
    return track


def _first(
    track: Track, family: Family, x0: Vector, value: float, stepping: Stepping, watch: Watch
) -> bool:
    result = _solve(track, family, value, x0, first=True)
    if not result.success:
        track.status = result.status
        return False
    track.here = _point(family, value, result, stepping)
    _reached(track, watch)
    return True


def _towards(track: Track, family: Family, target: float, stepping: Stepping, watch: Watch) -> bool:
    """Step until the target is there; False if the sweep ends before."""
    assert track.here is not None
    step, whole = target - track.here.value, abs(target - track.points[-1].value)
    while track.here.value != target:
        here = track.here
        moved = _step(track, family, here, track.before, target, step, stepping)
        if moved is None:
            step *= stepping.shrink
            too_small = abs(step) < stepping.min_step * whole
            if too_small or here.value + step == here.value:
                moved = watch.blocked(track, target)
                if moved is None:
                    track.status = Status.STEP_TOO_SMALL
                    return False
                track.before, track.here = None, moved
        else:
            end = watch.passed(track, here, moved)
            track.before, track.here = here, moved if end is None else end
            if end is not None:
                track.status = Status.CONVERGED
                _reached(track, watch)
                return False
            step *= _growth(track, stepping)
        if stepping.max_solves is not None and track.solves >= stepping.max_solves:
            track.status = Status.MAX_POINTS
            if track.here.value != target:
                return False
    return True


def _growth(track: Track, stepping: Stepping) -> float:
    """Return the factor for the next step, from the iterations of the last one."""
    assert track.last is not None
    over = track.last.nit / stepping.optimal_iterations - 1.0
    return float(stepping.grow ** min(1.0, max(0.0, 1.0 - over)))


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
    point = _point(family, value, result, stepping)
    ratio = jump(here, point)
    if ratio > stepping.jump:
        track.rejected.append(
            (value, f"the solution jumped: it changed {ratio:.0f} times more than its tangents say")
        )
        return None
    return point


def _point(family: Family, value: float, result: Result, stepping: Stepping) -> Point:
    needed = stepping.predictor.needs_slope
    ahead, behind = family.slopes(value, result.x) if needed else (None, None)
    return Point(value, result.x, result.sizes, ahead, behind)


def _solve(track: Track, family: Family, value: float, x: Vector, first: bool) -> Result:
    result = family.solve(value, x, first)
    track.solves += 1
    track.stats.add(result.stats)
    track.spent += result.nit
    track.last = result
    if result.status is Status.INTERRUPTED:
        raise KeyboardInterrupt
    if result.status is Status.TIME_LIMIT:
        raise OutOfTime
    return result


def _reached(track: Track, watch: Watch) -> None:
    assert track.here is not None
    track.points.append(track.here)
    track.iterations.append(track.spent)
    track.spent = 0
    watch.reached(track)
