"""Steps of pseudo-arclength continuation: predict along the tangent, correct orthogonally to it.

A corrected point is accepted if the corrector converged fast, the point lies close to the
prediction, and the angle between the tangents is small. Otherwise the step is made shorter.

The chord of a curve that turns to one side lies between its tangents. It deviates from their mean
by at most half of their angle. A larger deviation shows a jump to another branch, or a step that is
too long for the curve. A curve of equations with `min` or `max` has corners, which no step is short
enough for: there the shortest step counts if its chord lies between the tangents.

References: H. B. Keller, in: Applications of Bifurcation Theory (1977) 359; E. Allgower and
K. Georg, Introduction to Numerical Continuation Methods (2003), chapters 2 to 6; pacopy and
BifurcationKit.jl for the test of the angle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...arrays import Vector
from ...errors import CheckpointError, InputError, LinearSolveError
from ...results.branch_file import part
from ...results.status import Status
from ...solvers.state.workspace import Workspace
from ..columns import Column
from ..curve_points.bordered import Bordered
from ..curve_points.corrector import SINGULAR_JACOBIAN
from ..curve_points.curve import Curve, point_at, start
from ..curve_points.metric import Metric
from ..family import Family, Linear, linearized, with_last
from ..locating.detector import Detector
from ..runs.follow import BRANCH_POINT, SINGULAR
from ..stepper import Point, Rejection, RunState, Stepper
from .arclength import GROW, SHRINK, Arclength
from .curve_ends import NEAR, TENDS, CurveEnds, approached, is_near
from .unbounded import doublings, parameter_limit, size_of

DOUBTFUL = 1e-5  # part of the longest step, below which a doubt does not reject a step
STEEP = 0.1  # smallest share of the parameter in the tangent that sets the length of the first step
FAR = 0.5  # largest distance of a corrected point from the prediction, as a part of the step
IN_PLANE = 1.0  # degrees that a chord may be out of the plane of two tangents
BESIDE = 0.7  # factor next to a singular point: two of these lead past it, two halves lead to it
NO_SOLUTION = 1e-3  # relative residual of a start above which there is no curve to follow

COLUMNS = (
    Column("s", lambda point: float(point.s)),
    Column("tangent", lambda point: float(point.tangent[-1])),
)


class StartError(InputError):
    """The start of a curve does not solve its equations."""


class ArclengthStepper(Stepper):
    """The stepper of pseudo-arclength continuation.

    Parameters
    ----------
    bounds : (float, float)
        Of the parameter; the last point lies exactly on one of them.
    origin : callable
        ``origin(state)`` -> (z, tangent): (x, p) of a solution to start from, shape (n + 1,), and
        the direction, or None for that of the sign of the first step.
    metric : Metric, optional
        Computed at the start by default.
    detectors : sequence of Detector
        Used where a special point lies on a bound.
    """

    columns: Sequence[Column] = COLUMNS
    curve: Curve
    ends_unbounded = True
    """Whether a run ends where x grows without limit, or where the parameter does not change."""

    def __init__(
        self,
        family: Family,
        workspace: Workspace,
        settings: Arclength,
        bounds: tuple[float, float],
        origin: Callable[[RunState], tuple[Vector, Vector | None]],
        metric: Metric | None = None,
        detectors: Sequence[Detector] = (),
    ) -> None:
        self.settings, self.bounds, self.detectors = settings, bounds, detectors
        self.ends = CurveEnds(bounds, detectors)
        self._origin, self._metric = origin, metric
        self.first = self.shortest = self.longest = self._next = 0.0
        self.home = self.outbound = self.direction = self.marks = np.empty(0)
        self.growth = GROW
        unit = Metric(np.ones(family.n + 1)) if metric is None else metric
        self.curve = Curve(
            family, Bordered(workspace), unit, settings.tolerance, settings.max_iterations
        )

    def start(self, state: RunState) -> Point | Rejection:
        """Return the first point; its tangent has the direction of the first step."""
        family, span = self.curve.family, self.bounds[1] - self.bounds[0]
        self.home, known = self._origin(state)
        self.first = self.settings.first_step(float(self.home[-1]), self.bounds)
        self.shortest, self.longest = self.settings.limits(self.first, self.bounds)
        try:
            at, tangent, metric = start(
                family, self.curve.bordered, self.home.copy(), self._metric, span, self.first
            )
            self.curve.measured_by(metric)
            tangent = self._factorized(at, tangent if known is None else metric.unit(known))
        except LinearSolveError as error:
            return Rejection(float(self.home[-1]), f"no tangent at the start: {error}", SINGULAR)
        self.direction = self.outbound = tangent
        state.step = min(abs(self.first) / max(abs(float(tangent[-1])), STEEP), self.longest)
        away = self.curve.corrector.scaled(at, state.step)
        if away > NO_SOLUTION:
            raise StartError(
                f"the start, at {float(self.home[-1]):.10g}, is no solution of these equations: "
                f"their relative residual is {away:.1e}; start from a point of a branch of the "
                "same problem, with the same parameters"
            )
        return point_at(at, tangent)

    def _factorized(self, at: Linear, direction: Vector) -> Vector:
        """Return the tangent along a direction; the bordered Jacobian stays factorized."""
        row = self.curve.row(direction)
        self.curve.corrector.factorize(at, row)
        return self.curve.corrector.tangent(row)

    def attempt(self, state: RunState) -> Point | Rejection:
        """Predict along the tangent or the secant, correct, and accept or reject the new point."""
        self._coarsen(state)
        curve, here = self.curve, state.here
        guess = here.z + state.step * self.direction
        corrected = curve.correct(guess, here.tangent, state.step)
        if corrected.at is None:
            cause = SINGULAR if corrected.reason == SINGULAR_JACOBIAN else "corrector"
            return Rejection(here.p, corrected.reason, cause)
        new = curve.point(corrected, here.tangent, here.s + state.step)
        if new is None:
            return Rejection(here.p, BRANCH_POINT, SINGULAR)
        angle = curve.metric.angle(here.tangent, new.tangent)
        stray = self._stray(here, new, angle, curve.metric.norm(new.z - guess) / state.step)
        if stray is not None:
            if state.step > self.shortest or not self._passes_corner(here, new, angle):
                return stray
            angle, self.growth = 0.0, GROW
        longer = self.settings.next_step(state.step, corrected.iterations, angle, self.longest)
        ended = self.ends.of_step(self, here, new)
        self._next = min(longer, self.growth * state.step)
        return ended

    def _stray(self, a: Point, b: Point, angle: float, distance: float) -> Rejection | None:
        """Return why a point does not follow smoothly; `distance` from the prediction in steps."""
        if distance > FAR:
            return Rejection(a.p, "the solution is far from the prediction", "far")
        most = self.settings.max_angle
        if angle > most:
            text = f"the tangent turned by {angle:.0f} degrees, more than {most:g}"
            return Rejection(a.p, text, "angle")
        aside = self._from_chord(a, b, a.tangent + b.tangent)
        if aside > 0.5 * most:
            text = f"the chord is {aside:.0f} degrees from the tangents, more than {0.5 * most:g}"
            return Rejection(a.p, text, "angle")
        return None

    def _passes_corner(self, a: Point, b: Point, angle: float) -> bool:
        """Whether the chord leads along the one tangent, and then along the other.

        It lies in their plane then, and divides their angle. On another branch it does not, nor
        where the curve turns back by more than 90 degrees.
        """
        parts = [self._from_chord(a, b, point.tangent) for point in (a, b)]
        return sum(parts) <= angle + IN_PLANE

    def _from_chord(self, a: Point, b: Point, direction: Vector) -> float:
        """Return the angle between the chord and a direction, in degrees."""
        metric, chord = self.curve.metric, b.z - a.z
        if metric.norm(chord) == 0.0:  # the step is lost to rounding
            return 0.0
        return metric.angle(metric.unit(chord), metric.unit(direction))

    def between(self, a: Point, b: Point, t: float) -> Point | None:
        """Return the point of the curve a fraction t of the way from a to b."""
        return self.curve.between(a, b, t)

    def linearized(self, point: Point) -> Linear:
        """Return the linearization at a point."""
        at: Linear = point.at
        return at

    def jacobian(self, x: Vector, p: float) -> Any:
        """Return J at any state; None where it is not finite."""
        at = linearized(self.curve.family, with_last(x, p))
        return None if at is None else at.J

    def accept(self, state: RunState, before: Point | None) -> None:
        """Set the next direction and step, and end the run if it only tends to a bound."""
        here = state.here
        self.curve.family.accepted(here.z)
        if before is None:
            return
        along = self.settings.predictor.direction(here, before)
        self.direction = here.tangent if along is None else self.curve.metric.unit(along)
        state.step, self.growth = self._next, GROW
        bound = self.tends_to(state)
        if bound is not None and not state.ending:
            _end_at_asymptote(state, bound)
        self.marks = self._marked(before, here)
        endless = self._endless(state) if self.ends_unbounded and not state.ending else ""
        if endless:
            state.status, state.ending = Status.ASYMPTOTE, endless

    def _marked(self, before: Point, here: Point) -> Vector:
        """Return the values of the parameter at the doublings of the size of x so far."""
        scale = self.curve.family.scale
        first = max(size_of(self.home[:-1], scale), 1.0) if len(self.home) == len(here.z) else 1.0
        ends = [(size_of(point.x, scale), point.p) for point in (before, here)]
        return np.append(self.marks, doublings(len(self.marks), first, *ends))

    def _endless(self, state: RunState) -> str:
        """Return why the branch has no end, or an empty text."""
        values = state.values_of(state.columns[0])
        span = max(values) - min(values)
        limit = parameter_limit(self.marks, self.bounds, span, self.first)
        if limit is None:
            return ""
        return f"the solution grows without limit while the parameter is, or tends to, {limit:.4g}"

    def tends_to(self, state: RunState, near: float = NEAR) -> float | None:
        """Return the bound that the last points tend to, or None; `near` as of `approached`."""
        p, s, share = (state.values_of(c) for c in (state.columns[0], *COLUMNS))
        longest = min(self.longest, self.bounds[1] - self.bounds[0])
        return approached((p, s, share), self.bounds, longest, near)

    def reject(self, state: RunState, rejection: Rejection) -> bool:
        """Halve the step, by another factor next to a singular point; end at an asymptote."""
        if rejection.cause == TENDS and is_near(state.values_of(state.columns[0]), rejection.p):
            _end_at_asymptote(state, rejection.p)
            return False
        if not state.step > self.shortest:
            return False
        shorter = BESIDE if rejection.cause == SINGULAR else SHRINK
        state.step, self.growth = max(shorter * state.step, self.shortest), 1.0
        return True

    def doubtful(self, state: RunState) -> bool:
        """Whether the step is long enough to be made shorter."""
        return state.step > DOUBTFUL * self.longest

    def _coarsen(self, state: RunState) -> None:
        """Choose a larger unit of x where x is far longer than the steps; the step is the same."""
        fine, here, curve = self.curve.metric, state.here, self.curve
        coarse = fine.coarser(here.x, self.longest)
        if coarse is None:
            return
        point = replace(here, tangent=coarse.unit(here.tangent), tests=dict(here.tests))
        curve.measured_by(coarse)
        try:
            curve.corrector.factorize(point.at, curve.row(point.tangent))
            for detector in self.detectors:
                detector.measure(self, point, point)
        except LinearSolveError:  # next to a branch point: the next point will do
            curve.measured_by(fine)
            return
        except BaseException:
            curve.measured_by(fine)
            raise
        state.point, state.step = point, state.step * coarse.norm(self.direction)
        self.direction = coarse.unit(self.direction)

    def save(self) -> dict[str, Any]:
        """Return the direction, the metric, and where the run started."""
        return {
            "direction": self.direction,
            "growth": self.growth,
            "home": self.home,
            "outbound": self.outbound,
            "first": self.first,
            "marks": self.marks,
            "weights": self.curve.metric.weights,
            **{f"family {key}": value for key, value in self.curve.family.saved().items()},
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Restore what `save` returned."""
        self.direction, self.growth = saved["direction"], float(saved["growth"])
        self.home, self.first = saved["home"], float(saved["first"])
        self.outbound = saved["outbound"]
        self.marks = saved["marks"]
        self.shortest, self.longest = self.settings.limits(self.first, self.bounds)
        self.curve.measured_by(Metric(saved["weights"]))
        self.curve.family.restore(part(saved, "family "))

    def renew(self, state: RunState) -> None:
        """Linearize again at the last point, with new solvers, as a resumed run does."""
        self.curve.bordered.workspace.forget()
        here = state.here
        here.at = linearized(self.curve.family, here.z) or here.at
        self.curve.corrector.factorize(here.at, self.curve.row(here.tangent))

    def resume(self, state: RunState) -> None:
        """Linearize at the last point, and check that it is a solution."""
        here = state.here
        at = linearized(self.curve.family, here.z)
        if at is None or self.curve.corrector.scaled(at, abs(state.step)) > 1e-6:
            raise CheckpointError(
                "the checkpoint belongs to another problem: its last point is no solution here"
            )
        here.at = at
        if not state.is_over:  # it may have ended where the matrix is singular
            self.renew(state)


def _end_at_asymptote(state: RunState, bound: float) -> None:
    state.status = Status.ASYMPTOTE
    state.ending = f"the bound {bound:.10g} is approached asymptotically"
