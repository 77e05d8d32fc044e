"""Transient: the equations in time, F(x, p, t) + dQ(x, p, t)/dt = 0."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ...arrays import Vector
from ...continuation.columns import Column
from ...continuation.runs.options import RunOptions, check_limit
from ...continuation.runs.progress_bar import progress_bar
from ...continuation.runs.run import Run
from ...continuation.runs.view import View
from ...continuation.stepper import RunState
from ...errors import ConvergenceError, InputError
from ...results.branch import Branch
from ...solvers.monitor import Monitor
from ...solvers.polyalgorithm import as_solver
from ...solvers.state.workspace import Workspace
from ...transient.currents import Stored
from ...transient.dense_solution import DenseSolution
from ...transient.error_weights import ErrorWeights
from ...transient.evolution import PURPOSE, without_storage
from ...transient.hidden_changes import HiddenChanges
from ...transient.implicit.implicit_solver import ImplicitSolver
from ...transient.methods.bdf import BdfStepper
from ...transient.oscillations import Oscillations
from ...transient.schedule import Schedule, checked_span, checked_step, checked_times
from ...transient.sources import breakpoints_of
from ...transient.starts.consistent_start import AlgebraicSystem
from ...transient.time_events import TimeEvent
from ...transient.transient_stepper import TransientStepper
from ..equations.allocation import Allocating
from ..equations.definition import ProblemDefinition
from ..equations.time_system import TimeSystem
from ..inputs.returned import source_value
from ..inputs.signature import TIME
from ..native_steps.native_steps import NativeSteps
from .event_functions import event_detector
from .rate_outputs import Pair, RateOutputs, split_outputs
from .transient_checks import (
    check_mode,
    checked_choice,
    checked_events,
    checked_method,
    checked_rtol,
)

Function = Callable[..., Any]

FORMAT = "{desc}: {percentage:3.0f}% [{elapsed}<{remaining}{postfix}]"
COLUMNS = ("step", "order", "error")


def transient(
    problem: ProblemDefinition,
    x0: ArrayLike,
    interval: Any,
    *,
    dense_output: bool = False,
    **options: Any,
) -> Branch:
    """Integrate in time; see `Problem.transient`."""
    checked_choice("dense_output", dense_output)
    if dense_output and options["resume"]:
        raise InputError(
            "dense_output: a run that is resumed holds the solution from there on only; leave out "
            "one of dense_output and resume"
        )
    memory = Allocating("integrate the equations", int(np.size(problem.packed(x0))))
    with memory, problem.workspaces.lend() as workspace:
        run, stepper = transient_run(problem, workspace, x0, interval, **options)
        if dense_output:
            stepper.dense = DenseSolution(stepper.schedule.t0)
        branch = run.go()
    branch.interpolant = stepper.dense
    return branch


def transient_run(
    problem: ProblemDefinition,
    workspace: Workspace,
    x0: ArrayLike,
    interval: Any,
    *,
    rtol: float,
    steps: Any = None,
    atol: Any = None,
    first_step: float | None = None,
    max_step: float | None = None,
    max_steps: int | None = None,
    times: Any = None,
    interpolate: bool = True,
    breakpoints: Any = None,
    start: str = "consistent",
    outputs: Any = None,
    events: Any = None,
    stop: Any = (),
    on_event: Any = None,
    **options: Any,
) -> tuple[Run, TransientStepper]:
    """Return a run in time, not begun, and its stepper; see `Problem.transient`."""
    span, method = checked_span(interval), checked_method(steps)
    check_mode(start)
    checked_choice("interpolate", interpolate)
    check_limit("max_steps", max_steps)
    functions, actions = checked_events(events, on_event)
    columns, pairs = split_outputs(outputs, (TIME, "nit", *COLUMNS))
    given = RunOptions.of(
        (TIME,),
        COLUMNS,
        outputs=columns,
        events={name: one.function for name, one in functions.items()},
        stop=stop,
        max_points=max_steps,
        **options,
    )
    equations, x = equations_in_time(problem, x0, span[0])
    recorded = rate_columns(pairs, equations, span[0], x)
    weights = _weights(equations, checked_rtol(rtol), atol, span[0], x)
    lengths = first_step, max_step
    schedule = schedule_of(span, times, breakpoints, lengths, equations, exact=not interpolate)
    workspace.gauge(problem.null_space.unstored(equations, span[0], x), PURPOSE)
    stepper = _stepper(equations, workspace, weights, method, schedule, x, start, recorded)
    if equations.parameters.are_constant and stepper.plan.fixed is None:
        stepper.oscillations = Oscillations(weights)
    mark = {"run": "transient", "times": span, "method": repr(method), "rtol": rtol, "x0": x}
    mark["currents"] = sorted(pairs)
    if NativeSteps.serves(stepper):
        looked_at = bool(functions) or given.callback is not None or given.until is not None
        stepper.sequences = NativeSteps(
            stepper, max_steps, looked_at or given.verbose, bool(columns) and times is None
        )
    return _assembled_run(stepper, given, equations, functions, actions, mark), stepper


def _weights(equations: TimeSystem, rtol: float, atol: Any, t: float, x: Vector) -> ErrorWeights:
    """Return the norms of errors; unknowns in no charge count apart where no sizes are given."""
    algebraic = None
    if atol is None and equations.scale is None:
        with np.errstate(all="ignore"):
            algebraic = without_storage(equations, t, x)
    return ErrorWeights(equations.blocks, rtol, atol, equations.scale, algebraic)


def _stepper(
    equations: TimeSystem,
    workspace: Workspace,
    weights: ErrorWeights,
    method: Any,
    schedule: Schedule,
    x: Vector,
    start: str,
    recorded: Sequence[Column],
) -> TransientStepper:
    """Return the stepper of a method."""
    implicit = ImplicitSolver(equations, workspace, weights)
    return TransientStepper(
        equations,
        workspace,
        implicit,
        method.make(implicit, equations.stores),
        schedule,
        x,
        solver_of(workspace),
        fixed=getattr(method, "step", None),
        mode=start,
        recorded=recorded,
        hidden=hidden_changes(equations, (schedule.t0, schedule.t1)),
    )


def _assembled_run(
    stepper: TransientStepper,
    options: RunOptions,
    equations: TimeSystem,
    events: Mapping[str, TimeEvent],
    actions: Mapping[str, Function],
    mark: Mapping[str, Any],
) -> Run:
    """Return the run of a stepper, with what is recorded and detected."""
    t0, t1 = stepper.schedule.t0, stepper.schedule.t1
    sources = equations.parameters.functions

    def moved(x: Vector, t: float) -> dict[str, Any]:
        if not sources:
            return {TIME: t}
        now = equations.parameters.at(t)
        return {**{name: now[name] for name in sources}, TIME: t}

    view = View(
        names=(TIME,),
        params={k: value for k, value in equations.parameters.at(t0).items() if k not in sources},
        moved=moved,
        place=lambda t: f"t = {t:.6g}",
        blocks=equations.blocks,
    )
    return Run(
        stepper=stepper,
        options=options,
        view=view,
        detectors=[
            event_detector(name, one, actions.get(name), view) for name, one in events.items()
        ],
        workspace=stepper.workspace,
        summary=lambda state: _transient_summary(stepper, state),
        mark=mark,
        bar=TimeBar(options.progress, (t0, t1)),
        counted=equations,
    )


def equations_in_time(
    problem: ProblemDefinition, x0: ArrayLike, t: float
) -> tuple[TimeSystem, Vector]:
    """Return the equations in time of a problem, and x0 as a vector."""
    signature, storage = problem.signature, problem.storage
    functions = signature.functions_of_time
    moved = {name: source_value(name, f, t) for name, f in functions.items()}
    if signature.takes(TIME):
        moved[TIME] = t
    if isinstance(storage, str) and signature.takes(storage):
        moved[storage] = np.zeros(np.shape(x0))
    try:
        system, x = problem.system(x0, moved)
        return TimeSystem(system, storage, x, t, functions), x
    except TypeError as error:
        raise signature.explained(error, moved, in_time=True) from error


def rate_columns(
    pairs: Mapping[str, Pair | Stored], equations: TimeSystem, t: float, x: Vector
) -> list[Column]:
    """Make outputs with a rate known to the equations, and return their columns."""
    if not pairs:
        return []
    outputs = RateOutputs(pairs, lambda t: {**equations.parameters.at(t), TIME: t}, t, x)
    equations.currents = outputs
    return outputs.columns()


def schedule_of(
    span: tuple[float, float],
    times: Any,
    breakpoints: Any,
    lengths: tuple[float | None, float | None],
    equations: TimeSystem,
    exact: bool,
) -> Schedule:
    """Return the times of a run; `lengths` are the first and the longest step."""
    first, longest = lengths
    return Schedule(
        *span,
        None if times is None else checked_times("times", times, span),
        all_breakpoints(breakpoints, equations, span),
        None if first is None else checked_step("first_step", first),
        np.inf if longest is None else checked_step("max_step", longest),
        exact=exact,
    )


def all_breakpoints(
    given: Any, equations: TimeSystem, span: tuple[float, float]
) -> tuple[float, ...]:
    """Return the breakpoints of the user and those that the sources declare."""
    times = [] if given is None else list(checked_times("breakpoints", given, span))
    for source in equations.parameters.functions.values():
        times += breakpoints_of(source, *span)
    return tuple(sorted({float(t) for t in times if span[0] < t < span[1]}))


def hidden_changes(equations: TimeSystem, span: tuple[float, float]) -> HiddenChanges | None:
    """Return what looks for changes in time that no breakpoint declares; None if there are none."""
    functions = [
        f for f in equations.parameters.functions.values() if not hasattr(f, "breakpoints")
    ]
    timed = equations if equations.parameters.timed else None
    return HiddenChanges(functions, timed, *span) if functions or timed else None


def solver_of(workspace: Workspace) -> Callable[[AlgebraicSystem, Vector], Vector]:
    """Return the function that solves the algebraic equations of a start."""

    def solve(system: AlgebraicSystem, x: Vector) -> Vector:
        with workspace.newton_with(PURPOSE):
            outcome = as_solver(None).run(system, workspace, x, system.residual(x), Monitor())
        if not outcome.status.success:
            raise ConvergenceError(f"{outcome.status.name}: {outcome.status.text}", None)
        found: Vector = outcome.x
        return found

    return solve


def _transient_summary(stepper: TransientStepper, state: RunState) -> str:
    found = stepper.plan.setbacks.remark()
    weights = stepper.implicit.weights
    ended = "" if state.point is None else weights.remark(state.point.x)
    remarks = [*dict.fromkeys(stepper.remarks), found, ended]
    if stepper.oscillations is not None and state.point is not None:
        one_step = not isinstance(stepper.steps, BdfStepper)
        remarks.append(stepper.oscillations.remark(state.point.p, one_step))
    parts = [state.ending, str(stepper.counts), *remarks]
    return "; ".join(part for part in parts if part)


class TimeBar:
    """The progress bar of a run in time: the part of the interval that is done."""

    def __init__(self, progress: bool | None, span: tuple[float, float]) -> None:
        self.span = span
        self.bar = progress_bar(progress, 1000, "transient", bar_format=FORMAT)

    def point(self, times: Sequence[float]) -> None:
        """Show the latest time."""
        if self.bar is None:
            return
        t0, t1 = self.span
        self.bar.n = round(1000 * (times[-1] - t0) / (t1 - t0))
        self.bar.set_postfix_str(f"t = {times[-1]:.6g}", refresh=False)
        self.bar.update(0)

    def close(self) -> None:
        """End the bar."""
        if self.bar is not None:
            self.bar.close()
