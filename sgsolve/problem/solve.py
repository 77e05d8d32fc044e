"""Solve: one solution from one starting point."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import ArrayLike

from ..errors import ConvergenceError, DataTypeError, SolveInterrupted
from ..results.result import Result
from ..results.status import Status
from ..solvers.deadline import deadline_of
from ..solvers.monitor import Monitor
from ..solvers.polyalgorithm import as_solver
from ..systems.report import conclude
from ..systems.starts import prepared_start
from .definition import ProblemDefinition


def solve(
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
    matrix_free = solver.matrix_free
    start, F, remark = prepared_start(system, start, solver, not matrix_free)
    with problem.lend(system, start) as workspace:
        monitor = Monitor(callback, verbose, deadline)
        result = conclude(solver, system, workspace, start, F, monitor, not matrix_free, remark)
    if raise_on_failure and result.status is Status.INTERRUPTED:
        raise SolveInterrupted(result.message, result)
    if raise_on_failure and not result.success:
        raise ConvergenceError(result.message, result)
    return result
