"""Steps of natural continuation: solve at every requested value of a parameter.

Each solve starts from the guess of a predictor. Where no step reaches the next value, the function
`blocked` looks for a way past it, such as along the branch past a fold.

References: Deuflhard, Newton Methods for Nonlinear Problems (2011), section 5.1; VoronoiFVM.jl
(a failed embedding returns the partial branch).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...arrays import Vector
from ...errors import CheckpointError, LinearSolveError
from ...results.history import Stats
from ...results.result import Result
from ...results.special_points import SpecialPoint
from ...results.status import Status
from ...solvers.state.deadline import raise_if_halted
from ..curve_points.curve import Curve
from ..curve_points.metric import Metric
from ..family import Linear
from ..runs.follow import BRANCH_POINT, SINGULAR
from ..stepper import Point, Rejection, RunState, Stepper
from .natural import Natural
from .solved_family import Solution, SolvedFamily, jump

FAILED = "the limit on the factorizations of failed solves was reached"
SOLVED = 1e-6  # part of its terms that a residual may be at the last point of a checkpoint


@dataclass
class Passage:
    """The result of an attempt to pass a value that no step can reach.

    Attributes
    ----------
    x : ndarray, shape (n,), or None
        A guess for the solution at the next requested value, if the attempt succeeded.
    special_points : list of SpecialPoint
        Those on the way.
    said : str
        The obstacle, as text for the message.
    status : Status
        Of the run, if the attempt failed.
    """

    x: Vector | None = None
    special_points: list[SpecialPoint] = field(default_factory=list)
    said: str = ""
    status: Status = Status.STEP_TOO_SMALL


class NaturalStepper(Stepper):
    """The stepper of sweeps.

    Parameters
    ----------
    x0 : ndarray, shape (n,)
        Guess for the first value.
    values : sequence of float
    blocked : callable
        ``blocked(stepper, state, target) -> Passage``: called where steps became too small.
    curve : callable, optional
        ``curve(point) -> (Curve, Point)``: called at the first point, for detectors that need one.
    """

    def __init__(
        self,
        family: SolvedFamily,
        x0: Vector,
        values: Sequence[float],
        settings: Natural,
        blocked: Callable[[NaturalStepper, RunState, float], Passage],
        curve: Callable[[Point], tuple[Curve, Point]] | None = None,
    ) -> None:
        self.family, self.x0, self.values, self.settings = family, x0, values, settings
        self._blocked, self._curve = blocked, curve
        self.curve: Curve | None = None
        self.reached = self.spent = self.solves = self._trial = 0
        self.failed = self._factors = 0  # factorizations: of failed solves, of the last attempt
        self.first: tuple[float, Vector] = (np.nan, x0)
        self.last: Result | None = None
        self.said = ""  # the obstacle to further steps
        self._beyond: Point | None = None
        self._stats = Stats()
        self._at: Solution | None = None  # of the last point
        self._weights: Vector | None = None

    def start(self, state: RunState) -> Point | Rejection:
        """Solve at the first value."""
        result = self._solve(state, self.x0, self.values[0], first=True)
        if not result.success:
            state.status, state.ending = result.status, result.message
            return Rejection(self.values[0], result.message)
        point = self._point(self.values[0], result, None)
        if self._curve is not None:
            try:
                self.curve, point = self._curve(point)
            except LinearSolveError as error:
                return Rejection(point.p, f"no tangent at the start: {error}", SINGULAR)
        self.first = point.p, point.x
        return point

    def attempt(self, state: RunState) -> Point | Rejection:
        """Predict, solve, and reject a jump to another branch."""
        if self._beyond is not None:
            return self._beyond
        self._trial = self._factors = 0
        here, target = state.here, self.values[self.reached]
        p = target if abs(state.step) >= abs(target - here.p) else here.p + state.step
        guess = self.settings.predictor.predict(self.family, here, state.before, p)
        if guess is None:
            self.solves += 1
            return Rejection(p, "the residual is not finite at the guess", "residual")
        result = self._solve(state, guess, p)
        if not result.success:
            return Rejection(p, result.status.text, "solver")
        point = self._point(p, result, here)
        ratio = jump(here, point)
        if ratio > self.settings.jump:
            text = f"the solution jumped: it changed {ratio:.0f} times more than its tangents say"
            return Rejection(p, text, "jump")
        return self._placed(point, here)

    def between(self, a: Point, b: Point, t: float) -> Point | None:
        """Solve at a value between two points, from the linear interpolation of their states."""
        p = a.p + t * (b.p - a.p)
        try:
            result = self.family.solve(a.x + t * (b.x - a.x), p, False)
        except ArithmeticError:  # the guess is outside the model
            return None
        self._stats.add(result.stats)
        self.solves += 1
        if not result.success:
            return None
        slope = b.at.behind
        at = Solution.of(result, slope, slope)
        point = Point(result.x, p, s=a.s + t * (b.s - a.s), iterations=self.spent, at=at)
        placed = self._placed(point, a)
        return placed if isinstance(placed, Point) else None

    def linearized(self, point: Point) -> Linear:
        """Return the linearization at a point, computed at the first call."""
        if point.at.linear is None:
            point.at.linear = self.family.linearize(point.x, point.p)
        if point.at.linear is None:
            raise LinearSolveError("the linearization is not finite at a solution")
        found: Linear = point.at.linear
        return found

    def jacobian(self, x: Vector, p: float) -> Any:
        """Return J at any state; None where it is not finite."""
        at = self.family.linearize(x, p)
        return None if at is None else at.J

    def accept(self, state: RunState, before: Point | None) -> None:
        """Set the step to the same or to the next requested value."""
        here = state.here
        self._at = here.at
        if here is self._beyond:
            state.before, self._beyond = None, None
        self.spent, self._trial = self.spent + self._trial, 0
        if here.p == self.values[self.reached]:
            self.reached += 1
            self.spent = self.failed = 0
            if self.reached < len(self.values):
                state.step = self.values[self.reached] - here.p
        elif before is not None and not state.ending:
            state.step *= self.settings.growth(here.at.nit)
        if not state.ending and self.reached == len(self.values):
            state.status, state.ending = Status.CONVERGED, "all values were reached"
        self._limited(state)

    def reject(self, state: RunState, rejection: Rejection) -> bool:
        """Shorten the step; if it becomes too small, call `blocked` for a way past the value."""
        here, target = state.here, self.values[self.reached]
        self.spent, self._trial = self.spent + self._trial, 0
        self.failed += self._factors
        state.step *= self.settings.shrink
        whole = abs(target - self.values[self.reached - 1])
        most = self.settings.max_failed
        costly = most is not None and self.failed >= most
        too_small = abs(state.step) < self.settings.min_step * whole
        if costly or too_small or here.p + state.step == here.p:
            passage = self._blocked(self, state, target)
            for special in passage.special_points:
                special.index = state.n_rows
                state.special_points.append(special)
            self.said = passage.said or self.said
            self._beyond = self._arrived(state, passage, target)
            if self._beyond is None:
                state.status, state.ending = passage.status, passage.status.text
                if costly and passage.status is Status.STEP_TOO_SMALL:
                    state.status, state.ending = Status.MAX_POINTS, FAILED
                return False
        self._limited(state)
        return True

    def _arrived(self, state: RunState, passage: Passage, target: float) -> Point | None:
        if passage.x is None:
            return None
        result = self.family.solve(passage.x, target, False)
        state.stats.add(result.stats)
        if not result.success:
            return None
        point = self._placed(self._point(target, result, None), state.here)
        if isinstance(point, Rejection):
            return None
        point.found = []
        return point

    def _limited(self, state: RunState) -> None:
        most = self.settings.max_solves
        if most is not None and self.solves >= most and not state.ending:
            state.status, state.ending = Status.MAX_POINTS, Status.MAX_POINTS.text

    def _solve(self, state: RunState, x: Vector, p: float, first: bool = False) -> Result:
        self._stats = state.stats
        result = self.family.solve(x, p, first)
        self.solves += 1
        state.stats.add(result.stats)
        self._trial += result.nit
        self._factors += result.stats.n_factor
        self.last = result
        raise_if_halted(result.status)
        return result

    def _point(self, p: float, result: Result, before: Point | None) -> Point:
        ahead = behind = None
        if self.settings.predictor.needs_tangent:
            ahead, behind = self.family.slopes(result.x, p)
        at = Solution.of(result, ahead, behind)
        s = 0.0 if before is None else before.s + abs(p - before.p)
        recorded = p == self.values[self.reached]
        spent = self.spent + self._trial
        return Point(result.x, p, s=s, iterations=spent, at=at, recorded=recorded)

    def _placed(self, point: Point, here: Point) -> Point | Rejection:
        """Return the point with its tangent, the bordered Jacobian factorized, for detectors."""
        if self.curve is None:
            return point
        assert here.tangent is not None
        point.s = here.s + self.curve.metric.norm(point.z - here.z)
        row = self.curve.row(here.tangent)
        try:
            self.curve.corrector.factorize(self.linearized(point), row)
            tangent = self.curve.corrector.tangent(row)
        except LinearSolveError:
            return Rejection(point.p, BRANCH_POINT, SINGULAR)
        point.tangent = tangent
        return point

    def save(self) -> dict[str, Any]:
        """Return the progress, the costs since the last value, and the last solution."""
        saved: dict[str, Any] = {
            "reached": self.reached,
            "spent": self.spent,
            "solves": self.solves,
            "failed": self.failed,
        }
        saved |= {"first p": self.first[0], "first x": self.first[1], "said": self.said}
        if self._at is not None:
            kept = {key: getattr(self._at, key) for key in ("sizes", "ahead", "behind", "residual")}
            saved |= {key: value for key, value in kept.items() if value is not None}
        if self.curve is not None:
            saved["weights"] = self.curve.metric.weights
        return saved | self.family.save()

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Restore what `save` returned."""
        self.reached, self.spent = int(saved["reached"]), int(saved["spent"])
        self.solves, self.said = int(saved["solves"]), str(saved["said"])
        self.failed = int(saved["failed"])
        self.first = float(saved["first p"]), saved["first x"]
        self._weights, self._at = saved.get("weights"), None
        self.family.restore(saved)
        if "sizes" in saved:
            self._at = Solution(saved["sizes"], saved.get("ahead"), saved.get("behind"))
            self._at.residual = float(saved["residual"])

    def resume(self, state: RunState) -> None:
        """Check that the last point is a solution, by its residual; no system is solved."""
        here = state.here
        assert self._at is not None
        F = self.family.residual_or_none(here.x, here.p)
        most = max(SOLVED, 2.0 * self._at.residual)
        if F is None or not (np.abs(F) <= most * self._at.sizes).all():
            raise CheckpointError(
                "the checkpoint belongs to another problem: its last point is no solution here"
            )
        here.at, self._stats = self._at, state.stats
        if self._curve is not None and self._weights is not None:
            self.curve = self._curve(here)[0]
            self.curve.measured_by(Metric(self._weights))
