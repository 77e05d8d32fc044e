"""Trace: the walk along a curve, one loop.

Predict along the tangent, correct across it, and accept only what is certainly the next piece of
the same curve: the corrector contracted, the point lies near the prediction, and the tangent turned
little. Everything else is a rejection with a reason, and half the step.

References: H. B. Keller (1977); E. Allgower and K. Georg (2003), chapters 2 to 6; pacopy and
BifurcationKit.jl for the test of the angle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

from numpy.typing import NDArray

from ..errors import LinearSolveError
from ..results.special_points import Rough, Special
from ..results.status import Status
from .arclength import GROW, SHRINK
from .asymptote import approached
from .bracket import opposite
from .corrector import SINGULAR_JACOBIAN
from .crossings import KIND
from .curve import Curve, Spot
from .detector import DOUBT, ORIENTATION, Found, located
from .family import Linear
from .rough import rough
from .route import Route

Vector = NDArray[Any]

DOUBTFUL = 1e-5  # a step shorter than this part of the longest is taken all the same
ON = 1e-6  # a special point this near to a bound, as a part of the step across, lies on it
STEEP = 0.1  # the least part of the first step that counts as going along the parameter
FAR = 0.5  # a corrected point further from the prediction than this part of the step is rejected
BRANCH_POINT = "the new point is a branch point"
SINGULAR = (BRANCH_POINT, SINGULAR_JACOBIAN)  # reasons for which another length of step will do
BESIDE = 0.7  # ... and the length: two such steps lead well past the place, two halves lead to it


@dataclass
class Walk:
    """What a trace has gathered.

    Attributes
    ----------
    spot : Spot
        Where it stands.
    step : float
        The next step.
    rows : list of (p, s, iterations, parameter's share of the tangent)
    special : list of Special
    rejected : list of (parameter, reason)
    """

    spot: Spot
    step: float
    direction: Vector
    rows: list[tuple[float, float, int, float]] = field(default_factory=list)
    special: list[Special] = field(default_factory=list)
    rejected: list[tuple[float, str]] = field(default_factory=list)
    status: Status = Status.MAX_POINTS
    ending: str = ""
    growth: float = GROW  # what the step may be multiplied with; 1 after a rejection

    @classmethod
    def starting(cls, at: Linear, tangent: Vector, first: float) -> Walk:
        """Return a walk that stands at a start; `first` is how far the parameter is to move."""
        share = abs(float(tangent[-1]))
        return cls(Spot(at, tangent), abs(first) / max(share, STEEP), tangent)

    def note(self) -> None:
        """Write the row of the present spot."""
        spot = self.spot
        self.rows.append((spot.p, spot.s, spot.iterations, float(spot.tangent[-1])))


def walk(curve: Curve, state: Walk, route: Route, after: Callable[[Walk], None]) -> None:
    """Go on along the curve until the route ends; never raises for a failure, nor for Ctrl-C."""
    try:
        state.step = min(state.step, route.longest)
        if not state.rows:
            _measure(curve, state.spot, None, route)
            _arrive(curve, state, after)
        while not state.ending:
            if len(state.rows) >= route.max_points:
                state.status = Status.MAX_POINTS
                state.ending = f"{route.max_points} points, the limit, were computed"
                return
            if perf_counter() > route.deadline:
                state.status, state.ending = Status.TIME_LIMIT, Status.TIME_LIMIT.text
                return
            reason = _advance(curve, state, route, after)
            bound = approached(state.rows, route) if reason is None else None
            if bound is not None and not state.ending:
                state.status = Status.ASYMPTOTE
                state.ending = f"the bound {bound:.10g} is approached asymptotically"
            if reason is not None:
                state.rejected.append((state.spot.p, reason))
                if not state.step > route.shortest:
                    state.status = Status.STEP_TOO_SMALL
                    state.ending = f"no step could be made: {reason}"
                    return
                shorter = BESIDE if reason in SINGULAR else SHRINK
                state.step, state.growth = max(shorter * state.step, route.shortest), 1.0
    except KeyboardInterrupt:
        state.status, state.ending = Status.INTERRUPTED, Status.INTERRUPTED.text


def _advance(curve: Curve, state: Walk, route: Route, after: Callable[[Walk], None]) -> str | None:
    """Try one step; return the reason if it is rejected."""
    here, old = state.spot, replace(state, special=[*state.special])
    guess = here.z + state.step * state.direction
    corrected = curve.correct(guess, here.tangent, state.step)
    if corrected.at is None:
        return corrected.reason
    new = curve.spot(corrected, here.tangent, here.s + state.step)
    if new is None:
        return BRANCH_POINT
    if curve.metric.norm(new.z - guess) > FAR * state.step:
        return "the solution is far from the prediction"
    angle, most = curve.metric.angle(here.tangent, new.tangent), route.settings.max_angle
    if angle > most:
        return f"the tangent turned by {angle:.0f} degrees, more than {most:g}"
    new, ending, special = _ended(curve, here, new, route)
    if new is None:
        return ending
    if not special:
        try:
            _measure(curve, new, here, route)
        except LinearSolveError:
            return BRANCH_POINT
        special = located(curve, here, new, route.detectors)
    doubt: str = new.tests.get(DOUBT, "")
    if doubt and state.step > DOUBTFUL * route.longest:
        return doubt
    if doubt == ORIENTATION:
        special.append(rough(curve, KIND, new, here))
    metric = curve.metric
    try:
        state.ending = ending
        _taken(curve, state, route, new, special)
        longer = route.settings.next_step(state.step, corrected.iterations, angle, route.longest)
        state.step, state.growth = min(longer, state.growth * state.step), GROW
        _settled(curve, state, route, new)
        _arrive(curve, state, after)
    except BaseException:
        vars(state).update(vars(old))  # the point is not recorded: as if it had not been made
        curve.measured_by(metric)
        raise
    return None


def _settled(curve: Curve, state: Walk, route: Route, new: Spot) -> None:
    """Decide whether it ends at a new spot; if not, see to the unit of x."""
    if route.until is not None and not state.ending and route.until(new):
        state.ending = "the condition to stop is met"
    if state.ending:
        state.status = Status.CONVERGED
    else:
        _coarsened(curve, state, route)


def _taken(curve: Curve, state: Walk, route: Route, new: Spot, special: list[Found]) -> None:
    """Go to a new spot, noting the special points on the way; to one of those if it is to end."""
    here = state.spot
    for found in special:
        found.special.index = len(state.rows)
        state.special.append(found.special)
        if found.special.kind in route.stop:
            new, state.ending = found.spot, f"it ends at {found.special}, as asked"
            _measure_last(curve, new, here, route)
            break
    along = new.tangent
    if route.settings.predictor == "secant":
        along = curve.metric.unit(new.z - here.z)
    state.direction, state.spot = along, new


def _coarsened(curve: Curve, state: Walk, route: Route) -> None:
    """Measure x in a larger unit where it has outgrown the steps; the next step stays the same."""
    fine, coarse = curve.metric, curve.metric.coarser(state.spot.x, route.longest)
    if coarse is None:
        return
    spot = replace(
        state.spot, tangent=coarse.unit(state.spot.tangent), tests=dict(state.spot.tests)
    )
    curve.measured_by(coarse)
    try:
        curve.corrector.factorize(spot.at, curve.row(spot.tangent))
        _measure(curve, spot, spot, route)
    except LinearSolveError:  # next to a branch point: the next spot will do
        curve.measured_by(fine)
        return
    state.spot, state.step = spot, state.step * coarse.norm(state.direction)
    state.direction = coarse.unit(state.direction)


def _ended(curve: Curve, a: Spot, b: Spot, route: Route) -> tuple[Spot | None, str, list[Found]]:
    """Return the spot to go on from, or the last one and why it ends; None rejects the step.

    Where it ends at a special point, that point comes last, behind those on the way to it.
    """
    for bound in route.bounds:
        inside, now = a.p - bound, b.p - bound
        if inside != 0.0 and opposite(inside, now):
            text = f"the bound {bound:.10g} of the parameter is reached"
            last = curve.hit(a, b, bound)
            if last is not None:
                return last, text, []
            special = _at_bound(curve, a, b, bound, route)
            if special:
                return special[-1].spot, text, special
            return None, f"the bound {bound:.10g} could not be hit", []
    if route.home is not None and a.s > 0.0:
        length = curve.metric.norm(b.z - a.z)
        t = curve.metric.dot(route.home - a.z, a.tangent) / length
        if 0.0 < t <= 1.0:
            gap = curve.metric.norm(curve.interpolated(a, b, t) - route.home)
            if gap < 0.05 * length:
                return b, "the curve is closed: it is back where it started", []
    return b, "", []


def _at_bound(curve: Curve, a: Spot, b: Spot, bound: float, route: Route) -> list[Found]:
    """Return the special points up to one that lies on the bound; empty if there is none.

    The equations with the parameter held at the bound are singular there: no corrector converges.
    """
    try:
        curve.corrector.factorize(b.at, curve.row(b.tangent))
        _measure(curve, b, a, route)
        found = located(curve, a, b, route.detectors)
    except LinearSolveError:
        return []
    for k, one in enumerate(found):
        if abs(one.spot.p - bound) <= ON * abs(b.p - a.p) and not isinstance(one.special, Rough):
            one.spot.at.z[-1] = bound
            _measure_last(curve, one.spot, a, route)
            return found[: k + 1]
    return []


def _measure(curve: Curve, spot: Spot, before: Spot | None, route: Route) -> None:
    for detector in route.detectors:
        detector.measure(curve, spot, before)


def _measure_last(curve: Curve, spot: Spot, before: Spot, route: Route) -> None:
    """Measure at a special point, where the bordered Jacobian may be singular."""
    for detector in route.detectors:
        if not detector.needs_factorization:
            detector.measure(curve, spot, before)


def _arrive(curve: Curve, state: Walk, after: Callable[[Walk], None]) -> None:
    """Record the new spot, or, if that is interrupted, nothing of it."""
    curve.family.accepted(state.spot.z)
    state.note()
    try:
        after(state)
    except BaseException:
        state.rows.pop()
        raise
