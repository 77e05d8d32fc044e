"""Steps along a branch of periodic orbits: arclength steps on a mesh that follows the orbit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..arrays import Vector
from ..continuation.columns import Column
from ..continuation.curve_points.metric import Metric
from ..continuation.locating.detector import Detector
from ..continuation.stepper import Point, Rejection, RunState
from ..continuation.steppers.arclength import Arclength
from ..continuation.steppers.arclength_stepper import ArclengthStepper
from ..errors import LinearSolveError
from ..results.floquet import distance_of_trivial
from ..results.status import Status
from ..solvers.state.workspace import Workspace
from .on_orbits import KEY
from .orbit_family import OrbitFamily
from .packing import orbit_of

EVERY = 3  # points between two meshes
COARSE = 0.02  # error of the mesh above which an orbit is not followed
POOR = 2e-4  # ... and above which the number of intervals is doubled
TOLERANCE = 1e-13  # relative residual of an orbit
WRONG = 1e-4  # the same for the error of the trivial multiplier
FINEST, FINER = 16, 4  # times the first number of intervals, the largest one for either reason
LITTLE = 0.03  # root mean square of an orbit, from which a step may lead past its Hopf point
SMALLEST = 3e-4  # ... and at which the branch ends: multipliers still differ from 1
SPARE = 4.0  # factor between the errors at which intervals are halved and doubled
COLLAPSED = 1e-3  # of the size of the last orbit: the corrector found a steady state instead
FORGET = 0.5  # part of the last error of the parameter that counts behind another mesh
FLAT = 1e-2  # relative change of the parameter in which the period doubles near a homoclinic orbit


class OrbitStepper(ArclengthStepper):
    """The stepper of a branch of periodic orbits.

    Parameters
    ----------
    workspace, settings, bounds, origin, detectors
        See `ArclengthStepper`.
    longest_period : float
        Where the branch ends.
    unit : float
        The usual change of the parameter.

    Attributes
    ----------
    parameter_error : float
        How much rounding or the last meshes changed the parameter of an orbit.
    """

    ends_unbounded = False  # towards a homoclinic orbit the period grows at one parameter

    def __init__(
        self,
        family: OrbitFamily,
        workspace: Workspace,
        settings: Arclength,
        bounds: tuple[float, float],
        origin: Callable[[RunState], tuple[Vector, Vector | None]],
        metric: Metric,
        detectors: Sequence[Detector],
        longest_period: float,
        unit: float,
    ) -> None:
        tolerance = min(settings.tolerance, TOLERANCE)
        settings = replace(settings, tolerance=tolerance)
        super().__init__(family, workspace, settings, bounds, origin, metric, detectors)
        self.orbits, self.longest_period = family, longest_period
        self.meshed, self.first_count = 0, family.grid.N
        self.parameter_error = self.rounding = TOLERANCE * unit
        self.columns = (
            *self.columns,
            Column("period", lambda point: float(family.split(point.x)[1])),
            Column("amplitude", lambda point: orbit_of(family, point.x, {}).amplitude),
        )

    def attempt(self, state: RunState) -> Point | Rejection:
        """Adapt the mesh if it is time, then make a step."""
        self._adapt(state)
        tried = super().attempt(state)
        return self._judged(state, tried) if isinstance(tried, Point) else tried

    def accept(self, state: RunState, before: Point | None) -> None:
        """End the run where the largest number of intervals is too coarse for the orbit."""
        super().accept(state, before)
        error = self.orbits.error(state.here.x)
        last = FINEST * self.first_count < 2 * self.orbits.grid.N
        if error > COARSE and last and not state.ending:
            state.status = Status.STEP_TOO_SMALL
            state.ending = (
                f"the mesh is too coarse: the error of the orbit is about {error:.2g} with "
                f"{self.orbits.grid.N} intervals; ask for more"
            )

    def _coarse(self, state: RunState) -> bool:
        """Whether the last orbit, or its trivial multiplier, needs a better mesh."""
        count = self.orbits.grid.N
        if self.orbits.error(state.here.x) > POOR and 2 * count <= FINEST * self.first_count:
            return True
        values = state.here.tests.get(KEY)
        wrong = values is not None and distance_of_trivial(values) > WRONG
        return wrong and 2 * count <= FINER * self.first_count

    def _fine(self, state: RunState) -> bool:
        """Whether half of the intervals, but not fewer than at first, will do again."""
        if 2 * self.first_count > self.orbits.grid.N:
            return False
        halved = 2.0 ** (self.orbits.scheme.degree + 1)
        values = state.here.tests.get(KEY)
        exact = values is None or distance_of_trivial(values) <= WRONG / halved**2
        return exact and self.orbits.error(state.here.x) <= POOR / (SPARE * halved)

    def save(self) -> dict[str, Any]:
        """Return the data of the stepper, and when the mesh was adapted."""
        own = {"meshed": self.meshed, "parameter_error": self.parameter_error}
        return {**super().save(), **own}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Restore what `save` returned."""
        super().restore(saved)
        self.meshed = int(saved["meshed"])
        self.parameter_error = float(saved["parameter_error"])

    def _judged(self, state: RunState, new: Point) -> Point | Rejection:
        """Return a new orbit, as the last one if the branch does not go on as orbits."""
        here = state.here
        X, _ = self.orbits.split(here.x)
        Y, now = self.orbits.split(new.x)
        if now <= 0.0:
            return Rejection(new.p, "the period is not positive", "period")
        sizes = self.orbits.sizes
        a, b = ((states - states.mean(axis=0)) / sizes for states in (X, Y))
        product, own = float(np.sum(a * b)), float(np.sum(a * a))
        if abs(product) <= COLLAPSED * own:
            return Rejection(new.p, "the step led from an orbit to a steady state", "steady")
        if product <= 0.0:
            if own > LITTLE**2 * a.size and state.step > self.shortest:
                return Rejection(new.p, "the step led past a Hopf point", "steady")
            share, size = own / (own - product), np.sqrt(own / a.size)
            kept = min(max(SMALLEST / size, 0.02), 0.98)  # of the size of the last orbit
            last = self.curve.between(here, new, (1.0 - kept) * share)
            text = "the orbit shrinks to a steady state: the branch ends at a Hopf point"
            if last is None:
                return Rejection(new.p, text, "steady")
            last.ending, last.found = f"{text} near {last.p:.8g}", []
            for detector in self.detectors:
                if not detector.needs_factorization:
                    detector.measure(self, last, here)
            return last
        if now > self.longest_period and not new.ending:
            new.ending = f"the period grew to {now:.6g}, above max_period{self._why(here, new)}"
        return new

    def _why(self, here: Point, new: Point) -> str:
        """Return what an orbit with a long period approaches, as far as the parameter shows it."""
        (_, T), (_, now) = self.orbits.split(here.x), self.orbits.split(new.x)
        since = abs(new.p - float(self.home[-1]))
        if since <= self.rounding:
            return "; the parameter does not change: the equations may conserve a quantity"
        if abs(new.p - here.p) <= FLAT * max(abs(new.p), since) * abs(np.log(now / T)):
            return "; it approaches a homoclinic orbit or a heteroclinic cycle"
        return ""

    def _moved_metric(self, metric: Metric) -> Metric:
        """Return a metric on the new mesh: states, period and parameter count as they did."""
        weights = self.orbits.weights(1.0, 1.0)
        states, others = weights[:-2], metric.weights[-2:]
        share = float(metric.weights[:-2].sum()) / float(states.sum())
        return Metric(np.append(share * states, others), metric.capped)

    def _adapt(self, state: RunState) -> None:
        """Adapt the mesh if it is time, and double the intervals while they are too few."""
        rows = state.n_rows - self.meshed
        if rows >= EVERY or (rows > 0 and self._coarse(state)):
            count = self.orbits.grid.N
            self._remesh(state, count // 2 if self._fine(state) else count)
        while self._coarse(state) and self._remesh(state, 2 * self.orbits.grid.N):
            pass

    def _remesh(self, state: RunState, count: int) -> bool:
        """Move the last orbit to a mesh that suits it; return False if it is not found there."""
        family, curve, here = self.orbits, self.curve, state.here
        kept, metric = family.saved(), curve.metric
        z, tangent, home, outbound = family.moved(
            family.remeshed(here.x, count), [here.z, here.tangent, self.home, self.outbound]
        )
        moved = self._moved_metric(metric)
        curve.measured_by(moved)
        tangent = moved.unit(tangent)
        corrected = curve.correct(z, tangent, state.step)
        point = None if corrected.at is None else curve.point(corrected, tangent, here.s)
        if point is not None:
            point.iterations = here.iterations
            try:
                for detector in self.detectors:
                    detector.measure(self, point, None)
            except LinearSolveError:
                point = None
        if point is None:
            family.restore(kept)
            curve.measured_by(metric)
            curve.corrector.factorize(here.at, curve.row(here.tangent))
            return False
        family.accepted(point.z)
        last = max(FORGET * self.parameter_error, self.rounding)
        self.parameter_error = max(abs(point.p - here.p), last)
        # an interpolated direction may be far from the curve, where orbits change in short times
        state.point, self.direction = point, point.tangent
        self.home, self.outbound = home, outbound
        self.meshed = state.n_rows
        return True
