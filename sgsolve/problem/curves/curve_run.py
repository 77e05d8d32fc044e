"""Runs along a curve of solutions: of a problem, of another branch, of folds in two parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...arrays import Vector
from ...continuation.curve_points.metric import Metric
from ...continuation.locating.detector import Detector
from ...continuation.runs.options import RunOptions, checked_bounds
from ...continuation.runs.progress_bar import CurveBar
from ...continuation.runs.run import Run, detectors_of
from ...continuation.runs.view import View
from ...continuation.stepper import RunState
from ...continuation.steppers.arclength import Arclength
from ...continuation.steppers.arclength_stepper import ArclengthStepper
from ...continuation.steppers.curve_ends import COARSE
from ...errors import DataTypeError, InputError
from ...results.branch import Branch
from ...results.special_points import SpecialPoint
from ...results.status import Status
from ...solvers.state.workspace import Workspace
from ..equations.definition import ProblemDefinition
from ..equations.residual_system import ResidualSystem
from ..families.gauged_family import multipliers, stripped
from ..inputs.signature import parameter_names

Origin = Callable[[RunState], tuple[Vector, Vector | None]]

POINTS = 400
ROUNDING_SHARE = 1e-9  # of the range: a special point on a bound may lie this far outside
Asked = tuple[Arclength, tuple[float, float], RunOptions]


def asked_of(
    bounds: Any,
    options: Mapping[str, Any],
    moved: Sequence[str],
    own: Sequence[str] = (),
    kinds: tuple[str, ...] | None = None,
) -> Asked:
    """Check and gather the options.

    Parameters
    ----------
    moved : sequence of str
        The parameters that change along the branch.
    own : sequence of str
        Columns that detectors of this kind of curve add.
    kinds : tuple of str, optional
        The special points that it may have; those registered by default.
    """
    options = dict(options)
    steps = arclength_steps(options.pop("steps"), options.pop("step"), options.pop("max_step"))
    return (
        steps,
        checked_bounds(bounds),
        RunOptions.of(parameter_names(moved), ("s", "tangent", *own), kinds=kinds, **options),
    )


def arclength_steps(steps: Any, step: float | None, max_step: float | None) -> Arclength:
    """Return the settings of the steps, with other lengths where these are given."""
    settings = Arclength() if steps is None else steps
    if not isinstance(settings, Arclength):
        raise DataTypeError(f"steps must be an Arclength(), not {steps!r}")
    if step is not None:
        settings = replace(settings, step=step)
    return settings if max_step is None else replace(settings, max_step=max_step)


def at_point(z: Vector, tangent: Vector | None = None) -> Origin:
    """Return the origin of a curve whose first point is known; see `ArclengthStepper`."""
    return lambda state: (z, tangent)


def start_at_special_point(
    problem: ProblemDefinition,
    branch: Branch,
    point: SpecialPoint,
    name: str,
    bounds: tuple[float, float],
    what: str,
) -> tuple[ResidualSystem, Vector, float]:
    """Return the system and x at a special point, and the value there of a second parameter.

    Parameters
    ----------
    name : str
        The second parameter.
    what : str
        What moves, for a message.
    """
    p = branch.name
    problem.check_same({k: v for k, v in branch.params.items() if k != p}, "the branch")
    problem.signature.numeric(name)
    if name == p:
        raise InputError(f"the {what} moves in {p!r}; name a second parameter")
    params = {**branch.params, p: point.parameter}
    params.setdefault(name, problem.signature.known.get(name))
    system, x, _ = problem.started(point.x, params)
    value = float(system.value_of(name))
    check_inside(name, value, bounds)
    return system, x, value


def check_inside(name: str, value: float, bounds: tuple[float, float]) -> None:
    """Raise `InputError` if a parameter starts outside its bounds, by more than rounding."""
    low, high = bounds
    slack = ROUNDING_SHARE * (high - low) if np.isfinite(high - low) else 0.0
    if not low - slack <= value <= high + slack:
        raise InputError(
            f"{name} = {value:g} at the start is outside the bounds {low:g} to {high:g}"
        )


def run_curve(
    family: Any,
    workspace: Workspace,
    view: View,
    origin: Origin,
    settings: Arclength,
    bounds: tuple[float, float],
    options: RunOptions,
    kind: str,
    weights: Vector | None = None,
    remark: str = "",
    detectors: Sequence[Detector] = (),
) -> Branch:
    """Follow a curve by its arclength.

    Parameters
    ----------
    family : Family
        With counts `nfev`, `njev` and `seconds`.
    origin : callable
        See `ArclengthStepper`.
    kind : str
        Tells runs apart in a checkpoint.
    weights : ndarray, shape (n + 1,), optional
        Of the metric; made at the start by default.
    remark : str
        See `Run`.
    detectors : sequence of Detector
        Beyond those of the options.
    """
    k = multipliers(family)
    detectors = [*detectors_of(options, view, family.n - k, k), *detectors]
    metric = None if weights is None else Metric(weights)
    stepper = ArclengthStepper(family, workspace, settings, bounds, origin, metric, detectors)
    return run_stepper(
        stepper, workspace, view, options, kind, detectors, _curve_summary, remark=remark
    )


def run_stepper(
    stepper: ArclengthStepper,
    workspace: Workspace,
    view: View,
    options: RunOptions,
    kind: str,
    detectors: Sequence[Detector],
    summary: Callable[[str, RunState], str],
    remark: str = "",
    max_points: int = POINTS,
) -> Branch:
    """Run a stepper of a curve, of states or of periodic orbits.

    Parameters
    ----------
    summary : callable
        ``summary(name, state)`` -> the sentence about the finished run.
    workspace, view, options, kind, detectors, remark
        See `run_curve`; these are all detectors.
    max_points : int
        Where the options set none.
    """
    name, family, bounds = view.names[0], stepper.curve.family, stepper.bounds

    def told(state: RunState) -> str:
        text = summary(name, state)
        bound = stepper.tends_to(state, COARSE) if state.status is Status.MAX_POINTS else None
        return text if bound is None else f"{text}. The last points tend to the bound {bound:.10g}"

    limit = max_points if options.max_points is None else options.max_points
    return Run(
        stepper=stepper,
        options=options,
        view=view,
        detectors=detectors,
        workspace=workspace,
        summary=told,
        mark={
            "kind": kind,
            "unknowns": family.n,
            "bounds": list(bounds),
            "settings": vars(stepper.settings),
        },
        bar=CurveBar.of(options.progress, name, bounds, limit),
        max_points=max_points,
        family=family,
        remark=remark,
    ).go()


def curve_view(name: str, system: ResidualSystem, family: Any) -> View:
    """Return the view of a curve of solutions over one parameter."""
    n = family.n - multipliers(family)
    return View(
        names=(name,),
        params=system.params,
        blocks=system.blocks,
        moved=lambda x, p: {name: p},
        state=lambda x: x[:n],
        special=lambda special: stripped(family, special),
        place=lambda p: f"{name} = {p:.10g}",
    )


def _curve_summary(name: str, state: RunState) -> str:
    last = f", the last at {state.point.p:.10g}" if state.n_rows and state.point else ""
    text = f"{state.n_rows} points along {name!r}{last}: {state.ending}"
    if state.status in (Status.ASYMPTOTE, Status.MAX_POINTS):
        return f"{text}. What to try: {state.status.advice}"
    if state.status is not Status.STEP_TOO_SMALL:
        return text
    if not state.n_rows:
        return (
            f"{text}. What to try: if these unknowns are determined up to a constant only, declare "
            "Problem(null_space=...), or prescribe one value of them; at a branch point start "
            "beside it, or use Problem.switch_branch"
        )
    p, why = state.rejected[-1]
    text += f"; the last step rejected was at {p:.8g}: {why}"
    return (
        f"{text}. What to try: a smaller min_step in Arclength; look there for a corner, a pole or "
        "a jump of the residual; if solutions can be shifted or rotated, fix their place"
    )
