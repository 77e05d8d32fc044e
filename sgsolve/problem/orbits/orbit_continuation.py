"""Orbit continuation: a branch of periodic orbits while a parameter changes.

Reference: E. Doedel, H. B. Keller, J. P. Kernevez, Int. J. Bifurcation and Chaos 1 (1991) 745.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ...arrays import Vector
from ...continuation.curve_points.metric import Metric
from ...continuation.locating.detector import Detector, registered_detectors
from ...continuation.runs.options import RunOptions, checked_bounds
from ...continuation.runs.run import detectors_of
from ...continuation.runs.user_functions import call_with_parameters
from ...continuation.runs.view import View
from ...continuation.stepper import RunState
from ...continuation.steppers.arclength import Arclength
from ...errors import DataTypeError, InputError
from ...periodic.on_orbits import OnOrbits
from ...periodic.orbit_detectors import KINDS, FloquetMultipliers
from ...periodic.orbit_family import OrbitFamily
from ...periodic.orbit_stepper import OrbitStepper
from ...periodic.packing import orbit_of
from ...results.branch import Branch
from ...results.periodic_orbit import PeriodicOrbit
from ...results.special_points import SpecialPoint
from ...results.status import Status
from ...solvers.state.workspace import Workspace
from ..curves.chosen_point import refuse_point_alone
from ..curves.curve_run import arclength_steps, at_point, check_inside, run_stepper
from ..equations.definition import ProblemDefinition
from ..equations.residual_system import ResidualSystem
from .orbit_branch_start import orbit_branch_start
from .orbit_setup import Collocation, parameter_unit

COLUMNS = ("s", "tangent", "period", "amplitude", "unstable", "accuracy", "multipliers")
POINTS = 200
LONG = 30.0  # times the first period, where a branch ends


def orbit_continuation(
    problem: ProblemDefinition,
    start: Any,
    name: str | None,
    bounds: Any,
    special: SpecialPoint | int | None,
    *,
    degree: int,
    intervals: int | None,
    max_period: float | None,
    steps: Arclength | None,
    step: float | None,
    max_step: float | None,
    **options: Any,
) -> Branch:
    """Follow periodic orbits; see `Problem.orbit_continuation`."""
    problem.refuse_null_space("orbit_continuation")
    asked = Collocation.of(degree, intervals)
    name = _parameter(problem, start, name)
    if bounds is None and isinstance(start, Branch):
        bounds = start.bounds
    settings, limits = arclength_steps(steps, step, max_step), checked_bounds(bounds)
    given = _options(name, options)
    if max_period is not None and not isinstance(max_period, numbers.Real):
        raise DataTypeError(f"max_period must be a number, not {max_period!r}")
    with problem.workspaces.lend() as workspace:
        system, family, z, way = orbit_branch_start(
            problem, workspace, start, (name, limits), special, asked, step
        )
        p, T = float(z[-1]), float(z[-2])
        check_inside(name, p, limits)
        longest = LONG * T if max_period is None else float(max_period)
        if not longest > T:
            raise InputError(f"max_period = {longest:g} is below the period at the start, {T:g}")
        return _followed(
            family, system, workspace, name, (z, way), settings, limits, given, longest
        )


def _parameter(problem: ProblemDefinition, start: Any, name: str | None) -> str:
    """Return the parameter that moves."""
    refuse_point_alone(start, "orbit_continuation")
    if isinstance(start, Branch):
        if start.name == "t":
            raise InputError("start from an orbit: problem.periodic_orbit(run)")
        if name not in (None, start.name):
            raise InputError(
                f"the special point lies on a branch along {start.name!r}; to follow its orbit "
                f"along {name!r}, start from the orbit"
            )
        name = start.name
        problem.check_same({k: v for k, v in start.params.items() if k != name}, "the branch")
    elif not isinstance(start, PeriodicOrbit):
        raise DataTypeError(
            "start must be a PeriodicOrbit, or a Branch with a special point, not "
            f"{type(start).__name__}"
        )
    if name is None:
        raise InputError("say which parameter changes: orbit_continuation(orbit, 'name', bounds)")
    problem.signature.numeric(name)
    return name


def _options(name: str, options: Mapping[str, Any]) -> RunOptions:
    """Return the options of the run; functions of the user get an orbit."""
    options = dict(options)
    given = RunOptions.of((name,), COLUMNS, kinds=KINDS, **options)
    outputs = {key: _of_orbit(function) for key, function in given.outputs.items()}
    events = {key: _of_orbit(function) for key, function in given.events.items()}
    until = None if given.until is None else _of_orbit(given.until)
    return replace(given, outputs=outputs, events=events, until=until)


def _of_orbit(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of the packed state that calls one of the orbit."""

    def called(x: Vector, /, **params: Any) -> Any:
        orbit = PeriodicOrbit.unpacked(x, params)
        return call_with_parameters(function, orbit, params)

    return called


def _followed(
    family: OrbitFamily,
    system: ResidualSystem,
    workspace: Workspace,
    name: str,
    start: tuple[Vector, Vector | None],
    settings: Arclength,
    limits: tuple[float, float],
    options: RunOptions,
    longest: float,
) -> Branch:
    z, way = start
    unit = parameter_unit(float(z[-1]), limits)
    metric = Metric(family.weights(unit, float(z[-2])))
    view = View(
        names=(name,),
        params=system.params,
        blocks=system.blocks,
        moved=lambda x, p: {name: p},
        state=lambda x: orbit_of(family, x, {}).packed(),
        place=lambda p: f"{name} = {p:.10g}",
        kind="orbits",
    )
    detectors = _orbit_detectors(family, options, view)
    stepper = OrbitStepper(
        family, workspace, settings, limits, at_point(z, way), metric, detectors, longest, unit
    )
    return run_stepper(
        stepper, workspace, view, options, "orbits", detectors, _orbit_summary, max_points=POINTS
    )


def _orbit_detectors(family: OrbitFamily, options: RunOptions, view: View) -> list[Detector]:
    known = registered_detectors()
    found: list[Detector] = [
        OnOrbits(known[kind](), family)
        for kind in ("fold", "branch point")
        if kind in options.detect
    ]
    events = detectors_of(options, view, family.n, detect=())
    floquet = FloquetMultipliers(family, options.detect)
    return [*found, floquet, *(OnOrbits(event, family) for event in events)]


def _orbit_summary(name: str, state: RunState) -> str:
    last = f", the last at {state.point.p:.10g}" if state.n_rows and state.point else ""
    text = f"{state.n_rows} orbits along {name!r}{last}: {state.ending}"
    if state.status is not Status.STEP_TOO_SMALL or not state.rejected:
        return text
    p, why = state.rejected[-1]
    return (
        f"{text}; the last step rejected was at {p:.8g}: {why}. What to try: more intervals, or a "
        "smaller max_step"
    )
