"""Sweep: natural continuation through the values that the user names."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ...arrays import Vector
from ...continuation.curve_points.bordered import Bordered
from ...continuation.curve_points.curve import Curve, point_at, start
from ...continuation.runs.options import RunOptions
from ...continuation.runs.progress_bar import SweepBar
from ...continuation.runs.run import Run, detectors_of
from ...continuation.runs.view import View
from ...continuation.stepper import Point, RunState
from ...continuation.steppers.natural import Natural
from ...continuation.steppers.natural_stepper import NaturalStepper
from ...errors import DataTypeError, InputError
from ...results.branch import Branch
from ...results.status import Status
from ...solvers.kinks import AcrossKinks
from ...solvers.monitor import Monitor
from ...solvers.polyalgorithm import Robust, as_solver
from ...solvers.presets import DampedNewton
from ...solvers.stages import Stage
from ...solvers.state.workspace import OpenSearch, Workspace
from ..diagnosis.consistency import contradiction, lost_null_space
from ..equations.definition import ProblemDefinition
from ..equations.residual_system import ResidualSystem
from ..families.gauged_family import LEVEL_KEPT
from ..families.parameter_path import ParameterPath
from .pass_fold import pass_fold
from .path_family import PathFamily

FOLLOWING = Robust(
    stages=(Stage(DampedNewton(max_iterations=30)), Stage(AcrossKinks(), from_best=False))
)


def sweep(
    problem: ProblemDefinition,
    x0: ArrayLike,
    name: str | Sequence[str],
    values: Any,
    *,
    solver: Any,
    steps: Natural | None,
    at_fold: str,
    **asked: Any,
) -> Branch:
    """Solve for every value of a parameter; see `Problem.sweep`."""
    _check_settings(steps, at_fold)
    first = as_solver(solver)
    path = ParameterPath.of(name, values)
    asked["stability"] = problem.stability(asked["stability"], path.params)
    options = RunOptions.of(path.names, (), **asked)
    crossings = tuple(kind for kind in options.detect if kind != "fold")
    _check_path(problem, path, crossings)
    system, x, remark = problem.started(x0, path.params(path.values[0]), first)
    with problem.lend(system, x) as workspace:
        following = FOLLOWING if solver is None else first
        if crossings:  # they are seen by the determinant of the Jacobian itself
            workspace.open_search = OpenSearch.ENDED
        family = PathFamily(
            system, path, workspace, first, following, Monitor(deadline=options.deadline)
        )
        blocked = partial(pass_fold, family, at_fold == "arclength", "fold" in options.detect)
        curve = partial(_curve, family, workspace) if crossings else None
        stepper = NaturalStepper(family, x, path.values, steps or Natural(), blocked, curve)
        view = path_view(path, system)
        return Run(
            stepper=stepper,
            options=options,
            view=view,
            detectors=detectors_of(options, view, system.n, family.multipliers, crossings),
            workspace=workspace,
            summary=lambda state: summary(path, stepper, state),
            mark={"kind": "sweep", "values": path.table, "unknowns": system.n},
            bar=SweepBar.of(options.progress, path, len(path.values)),
            family=family,
            remark=remark,
        ).go()


def _check_settings(steps: Any, at_fold: Any) -> None:
    if at_fold not in ("stop", "arclength"):
        raise InputError(f"at_fold must be 'stop' or 'arclength', not {at_fold!r}")
    if not (steps is None or isinstance(steps, Natural)):
        raise DataTypeError(f"steps of a sweep must be a Natural(), not {steps!r}")


def _check_path(
    problem: ProblemDefinition, path: ParameterPath, crossings: tuple[str, ...]
) -> None:
    """Raise for parameters that are no numbers, and for special points that are not found there."""
    for name in path.names:
        problem.signature.numeric(name)
    if crossings and len(path.names) > 1:
        raise InputError(f"detect={crossings!r} needs a sweep over one parameter; use fewer")
    if crossings and problem.null_space:
        raise InputError(f"detect={crossings!r} with null_space= needs Problem.continuation")


def _curve(family: PathFamily, workspace: Workspace, point: Point) -> tuple[Curve, Point]:
    """Return the curve of solutions through the first point, and that point with its tangent."""
    bordered, along = Bordered(workspace), family.curve(point.x, point.p)
    values = family.path.values
    ahead = float(np.sign(values[min(1, len(values) - 1)] - point.p) or 1.0)
    at, tangent, metric = start(along, bordered, point.z, None, np.inf, ahead)
    curve = Curve(along, bordered, metric)
    curve.corrector.factorize(at, curve.row(tangent))
    placed = point_at(at, curve.corrector.tangent(curve.row(tangent)))
    placed.at, placed.iterations = point.at, point.iterations
    placed.at.linear = at
    return curve, placed


def _contradiction(stepper: NaturalStepper, state: RunState, p: float) -> str:
    """Return why the equations cannot hold at a value that was tried; empty if they can."""
    family = stepper.family
    if state.point is None or not isinstance(family, PathFamily):
        return ""
    x, system, workspace = state.point.x, family.at(p), family.workspace
    F = family.residual_or_none(x, p)
    if F is None:
        return ""
    return lost_null_space(system, workspace, x) or contradiction(system, workspace, x, F)


def _open_level(stepper: NaturalStepper) -> str:
    """Return what is to be said of directions that no equation determines; or nothing."""
    family = stepper.family
    if not isinstance(family, PathFamily) or family.open is None:
        return ""
    return f"; {LEVEL_KEPT}"


def path_view(path: ParameterPath, system: ResidualSystem) -> View:
    """Return the view of a sweep."""

    def moved(x: Vector, p: float) -> dict[str, float]:
        return path.params(p)

    return View(
        names=path.names, params=system.params, moved=moved, place=path.place, blocks=system.blocks
    )


def summary(path: ParameterPath, stepper: NaturalStepper, state: RunState) -> str:
    """Return what came of a sweep, in words."""
    name = path.names[0] if len(path.names) == 1 else path.names
    done, wanted = state.n_rows, len(path.values)
    if state.status.success:
        if state.status is Status.CONVERGED:
            return f"all {wanted} values of {name!r} solved{_open_level(stepper)}"
        return f"{done} values of {name!r} solved; {state.ending}"
    if not done and state.status is Status.INTERRUPTED:
        return f"0 of {wanted} values of {name!r} solved: {state.status.text}"
    if not done:
        result = stepper.last
        reason = state.ending if result is None or result.success else result.message
        return (
            f"the first point of the sweep over {name!r} failed: {reason}. Start the sweep at a "
            "value where the problem is easy"
        )
    last = state.table[path.names[0]][-1] if len(path.names) == 1 else float(stepper.reached - 1)
    text = f"{done} of {wanted} values of {name!r} solved, the last {path.label(last)}"
    if state.point is not None and state.point.p != last:
        text += f" (and on to {path.label(state.point.p, 10)})"
    text += f": {state.ending}"
    singular = state.status is Status.SINGULAR_JACOBIAN
    if stepper.said and not singular:
        text += f"; {stepper.said}"
    elif state.rejected:
        value, reason = state.rejected[-1]
        cause = _contradiction(stepper, state, value)
        text += f"; the last attempt was at {path.label(value)}: {cause or reason}"
        if cause:
            return text
    if singular:
        return (
            f"{text}; {stepper.said}. What to try: if these unknowns are determined up to a "
            "constant only, declare Problem(null_space=...), or prescribe one value of them"
        )
    return f"{text}. What to try: {state.status.advice}" if state.status.advice else text
