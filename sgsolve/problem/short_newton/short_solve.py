"""The result of a short solve, with the same fields as that of the solver itself."""

from __future__ import annotations

import functools
import math
from time import perf_counter
from typing import Any

import numpy as np

from ...ad.kernels import machine
from ...ad.kernels.compiled_evaluation import FEW_UNKNOWNS
from ...results.history import History, Stats, Step
from ...results.result import Result
from ...results.status import Status
from ...solvers.damping import FullStepTest
from ...solvers.iterate import observed_order
from ...solvers.method import NewtonMethod
from ...solvers.polyalgorithm import attempt_line
from ...solvers.workspace import Workspace
from ..definition import ProblemDefinition
from ..report import message
from ..residual_system import ResidualSystem
from .evaluations import ByKernel, ByNumPy, Evaluations
from .examined import examined
from .short_newton import COMPILED, LOADED, LOOPS, Record, ShortNewton, ShortSolve, Vector


def short_result(
    problem: ProblemDefinition, system: ResidualSystem, x: Vector, solver: Any
) -> Result | None:
    """Return the result of a short solve, or None: the solver itself has to run.

    F and J come from kernels, or from NumPy where no kernels were asked for.

    Parameters
    ----------
    problem : ProblemDefinition
    system : ResidualSystem
        Of `problem`.
    x : ndarray, shape (n,)
    solver : Solver
        Without a callback, printing, or a time limit.
    """
    test = _full_step_test(problem, system, solver)
    if test is None:
        return None
    method, damped = solver.first_method, test is FullStepTest.ERROR
    kernels = system.kernels
    if kernels is None:
        with np.errstate(all="ignore"):
            result = _attempted(problem, system, x, method, damped, ByNumPy(system))
    elif kernels.stopped:
        return None
    else:
        result = _attempted(problem, system, x, method, damped, ByKernel(system))
    if result is not None and method is not solver:  # the first of several stages
        result.stages = [attempt_line(result.solver, result.status, result.stats.nit)]
    return result


def serves_members(
    problem: ProblemDefinition, system: ResidualSystem, solver: Any, count: int
) -> bool:
    """Whether so many members of a family are solved shortly, at least as soon as kernels exist."""
    if _full_step_test(problem, system, solver) is None:
        return False
    return LOOPS.pays(LOADED, COMPILED, count)


@functools.cache
def _can_compile() -> bool:
    """Whether llvmlite is installed; a search in vain takes as long as an evaluation."""
    return machine.is_available()


def _full_step_test(
    problem: ProblemDefinition, system: ResidualSystem, solver: Any
) -> FullStepTest | None:
    """Return the test of the solver before full steps, if the loops can solve the system."""
    method = getattr(solver, "first_method", None)
    if method is None:
        return None
    few = system.is_prepared and system.n <= FEW_UNKNOWNS and len(system.blocks) <= 1
    declared = system.scale is not None or problem.null_space or system.has_own_jacobian
    if not few or declared or not _can_compile():
        return None
    found: FullStepTest | None = method.full_step_test(system.n)
    return found


def _attempted(
    problem: ProblemDefinition,
    system: ResidualSystem,
    x: Vector,
    method: NewtonMethod,
    damped: bool,
    evaluations: Evaluations,
) -> Result | None:
    started = perf_counter()
    workspace = problem.workspaces.take()
    try:
        linear = workspace.solver(system.pattern)
        short = _short_newton(workspace, system, linear, damped)
        if short is None or not short.is_tried():
            return None
        at_start = evaluations.both(x)
        if at_start is None:
            return None  # as long as there is no kernel
        compiled = system.n_compiled()
        found = short.solve(evaluations, x, at_start, method.max_iterations)
        counts = _noted(linear, found, damped, system.kernels is not None)
        if found is not None:
            confirmed = _confirmed(short, found, system, workspace, counts)
            counts.n_compiled = system.n_compiled() - compiled
            found = found if confirmed else None
        short.note_success(found is not None)
    finally:
        problem.workspaces.give_back(workspace)
    if found is None:
        return None
    return _result_of_short_solve(found, counts, system, method.name, perf_counter() - started)


def _noted(linear: Any, found: ShortSolve | None, damped: bool, by_kernels: bool) -> Stats:
    """Tell the linear solver what was done with its parts, and return what it took.

    A kernel gives F and J together, which count as the solver itself would ask for them.
    """
    if found is None:
        linear.note_factors(0, 0, math.nan, sound=False)
        return Stats()
    k = len(found.records) - 1
    n_solve = 2 * k if damped else k
    linear.note_factors(k, n_solve, found.records[-1].backward_error)
    if by_kernels:
        nfev, njev = k + found.n_residuals, k + found.renewed
    else:
        nfev, njev = found.n_residuals, 1 + found.n_jacobians
    return Stats(found.nit, nfev, njev, 0, k, n_solve, found.seconds, linear.name)


def _confirmed(
    short: ShortNewton,
    found: ShortSolve,
    system: ResidualSystem,
    workspace: Workspace,
    counts: Stats,
) -> bool:
    """Whether it is a solution by the solver's examination, if need be, and by the user's code."""
    if found.unclear:
        before = workspace.counts()
        it = examined(short, found, system, workspace)
        if it is None:
            return False
        counts.add(Stats(nfev=it.counted.nfev, njev=it.counted.njev, seconds=it.counted.seconds))
        counts.add(workspace.counts().since(before))
    return system.confirm(found.x, found.F)


def _short_newton(
    workspace: Workspace, system: ResidualSystem, linear: Any, damped: bool
) -> ShortNewton | None:
    """Return the arrays of a workspace for the present factors."""
    if not hasattr(linear, "direct_parts"):
        return None
    parts = linear.direct_parts(system.pattern)
    if parts is None:
        return None
    held: dict[bool, ShortNewton] = workspace.derived("short newton", system.pattern, dict)
    known = held.get(damped)
    at_once = system.kernels is not None and system.kernels.at_once
    if known is None and not (LOOPS.pays(LOADED, COMPILED) or at_once):
        return None
    if known is None or not known.works_on(parts):
        known = held[damped] = ShortNewton(system.pattern, parts, damped)
    return known


def _result_of_short_solve(
    found: ShortSolve, counts: Stats, system: ResidualSystem, solver: str, total: float
) -> Result:
    seconds = counts.seconds
    seconds["other"] = max(0.0, total - sum(seconds.values()))
    seconds["total"] = total
    result = Result(
        x=found.x,
        status=Status.CONVERGED,
        message="",
        residual=found.F,
        scaled_residual=found.scaled,
        history=History(functools.partial(steps_of, found.records, system.blocks.names[0])),
        stats=counts,
        solver=solver,
        blocks=system.blocks,
        params=system.params,
        sizes=found.S,
        system=system,
    )
    result.message = message(result)
    return result


def steps_of(records: tuple[Record, ...], block: str) -> list[Step]:
    """Return the records of iterations as the solver itself writes them."""
    sizes = [math.inf, *(record.step for record in records)]
    return [
        Step(
            iteration=k,
            residual=record.residual,
            scaled=record.scaled,
            step=record.step if k else 0.0,
            damping=1.0 if k else math.nan,
            order=observed_order(sizes[k + 1], sizes[k], sizes[k - 1]) if k else math.nan,
            trials=1 if k else 0,
            backward_error=record.backward_error,
            fresh=True,
            seconds=record.seconds,
            residuals={block: record.residual},
            steps={block: record.absolute if k else 0.0},
        )
        for k, record in enumerate(records)
    ]
