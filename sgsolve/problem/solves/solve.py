"""Solve: one solution from one starting point."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ...errors import ConvergenceError, DataTypeError, SolveInterrupted
from ...norms import is_finite
from ...results.result import Result
from ...results.status import Status
from ...solvers.monitor import Monitor
from ...solvers.outcome import Outcome
from ...solvers.polyalgorithm import as_solver
from ...solvers.presets import Newton
from ...solvers.state.deadline import deadline_of
from ...solvers.state.workspace import OpenSearch, Workspace
from ..diagnosis.consistency import contradiction, lost_null_space
from ..diagnosis.diagnosis import diagnosis
from ..diagnosis.report import message, remarks
from ..equations.definition import ProblemDefinition
from ..equations.prepared_start import prepared_start
from ..equations.residual_system import ResidualSystem
from ..short_newton.short_solve import short_result


def run_solver(
    solver: Any,
    system: ResidualSystem,
    workspace: Workspace,
    x: Any,
    F: Any,
    monitor: Monitor,
    diagnose: bool = False,
    remark: str = "",
) -> Result:
    """Run a solver from (x, F) and make the result of what it returns.

    With `diagnose`, the Jacobian is examined after a failure whose cause the solver did not find.
    `remark` is a note on a change of the start.
    """
    started = perf_counter()
    before = workspace.counts()
    compiled = system.compiled_counts()
    declared = workspace.open_search is OpenSearch.DECLARED
    found = contradiction(system, workspace, x, F) if declared else ""
    if found:
        outcome = _unsolved(solver, system, workspace, x, F, monitor)
    else:
        outcome = _outcome(solver, system, workspace, x, F, monitor)
    status = outcome.status
    failed = not (found or status.success or status.final)
    if failed and not declared:
        found = contradiction(system, workspace, x, F)
    if found or failed:
        found = lost_null_space(system, workspace, outcome.x) or found
    if failed and not found and diagnose and outcome.cause is None:
        with np.errstate(all="ignore"):  # the Jacobian may overflow where it ended
            found = diagnosis(system, workspace, x, outcome.x)
    outcome.stats.add(workspace.counts().since(before))
    outcome.stats.add(system.compiled_counts().since(compiled))
    _complete(outcome.stats.seconds, perf_counter() - started)
    result = _result_of(outcome, system)
    if status.success and not declared:
        result.null_space = workspace.null_space
    said = remarks(system, outcome, result.null_space)
    result.remark = "; ".join(text for text in (remark, *said) if text)
    result.message = message(result, outcome.cause, outcome.notes, found)
    return result


def _outcome(
    solver: Any, system: ResidualSystem, workspace: Workspace, x: Any, F: Any, monitor: Monitor
) -> Outcome:
    """Run a solver, and once more without kernels if they have misled it.

    Residuals by a kernel of what the user's code was lead nowhere beside those by what it is now.
    """
    impure = system.is_impure
    outcome: Outcome = solver.run(system, workspace, x, F, monitor)
    if impure or outcome.status.success or outcome.status.final:
        return outcome
    if not system.is_impure and is_finite(outcome.F):
        system.verify_kernels(outcome.x)
    if not system.is_impure:
        return outcome
    again: Outcome = solver.run(system, workspace, x, system.residual(x), monitor)
    again.stats.add(outcome.stats)
    return again


def _result_of(outcome: Outcome, system: ResidualSystem) -> Result:
    """Return the result of a solver, without words."""
    return Result(
        x=outcome.x,
        status=outcome.status,
        message="",
        residual=outcome.F,
        scaled_residual=outcome.scaled,
        history=outcome.history,
        stats=outcome.stats,
        solver=outcome.name,
        blocks=system.blocks,
        stages=outcome.stages,
        params=system.params,
        sizes=outcome.S,
        system=system,
    )


def _complete(seconds: dict[str, float], total: float) -> None:
    """Add the total time, and what no phase accounts for."""
    seconds["other"] = max(0.0, total - sum(seconds.values()))
    seconds["total"] = total


def _unsolved(
    solver: Any, system: ResidualSystem, workspace: Workspace, x: Any, F: Any, monitor: Monitor
) -> Outcome:
    """Return the outcome at the start of a system that has no solution."""
    outcome = Newton(max_iterations=0).run(system, workspace, x, F, monitor)
    outcome.name = solver.name
    if not outcome.status.success:
        outcome.status = Status.SINGULAR_JACOBIAN
    return outcome


def solve_problem(
    problem: ProblemDefinition,
    x0: ArrayLike,
    solver: Any,
    raise_on_failure: bool,
    callback: Callable[[Any], Any] | None,
    verbose: bool,
    time_limit: float | None,
) -> Result:
    """Find x with F(x) = 0; see `Problem.solve`."""
    solver, deadline = as_solver(solver), deadline_of(time_limit)
    if not (callback is None or callable(callback)):
        raise DataTypeError(f"callback must be a function of the iterate, not {callback!r}")
    system, start = problem.system(x0)
    solver.check_start(start, system.blocks)
    monitor = Monitor(callback, verbose, deadline)
    if monitor.is_quiet:
        try:
            result = short_result(problem.workspaces, system, start, solver)
        except KeyboardInterrupt:
            result, monitor = None, Monitor.interrupting()
        if result is not None:
            return result
    matrix_free = solver.matrix_free
    start, F, remark = prepared_start(system, start, solver, not matrix_free)
    with problem.lend(system, start) as workspace:
        result = run_solver(solver, system, workspace, start, F, monitor, not matrix_free, remark)
    if raise_on_failure and result.status is Status.INTERRUPTED:
        raise SolveInterrupted(result.message, result)
    if raise_on_failure and not result.success:
        raise ConvergenceError(result.message, result)
    return result
