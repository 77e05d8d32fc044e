"""The result of a short solve, with the same fields as that of the solver itself."""

from __future__ import annotations

import functools
import math
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from ...ad.kernels import machine
from ...ad.kernels.compiled_evaluation import CompiledResult
from ...results.history import History, Stats, Step
from ...results.result import Result
from ...results.status import Status
from ...solvers.iterate import observed_order
from ...solvers.workspace import Workspace
from ..definition import ProblemDefinition
from ..report import message
from ..residual_system import FEW, ResidualSystem
from .examined import examined
from .short_newton import (
    LOOPS,
    WORTH,
    Evaluate,
    Record,
    ShortNewton,
    ShortSolve,
    Vector,
    takes_full_steps,
)


def short_result(
    problem: ProblemDefinition, system: ResidualSystem, x: Vector, solver: Any
) -> Result | None:
    """Return the result of a short solve with kernels, or None: the solver itself has to run.

    Parameters
    ----------
    problem : ProblemDefinition
    system : ResidualSystem
        Of `problem`.
    x : ndarray, shape (n,)
    solver : Solver
        Without a callback, printing, or a time limit.
    """
    kernels = system.kernels
    if kernels is None or kernels.stopped or not _is_short(problem, system, solver):
        return None
    started = perf_counter()
    at_start = system.replay(x)
    if at_start is None:
        return None  # as long as there is no kernel
    return _attempted(problem, system, x, solver, _Evaluations(system.replay, at_start, started))


def short_result_by_numpy(
    problem: ProblemDefinition, system: ResidualSystem, x: Vector, solver: Any
) -> Result | None:
    """Return the same where NumPy evaluates F and J; `system` was prepared at x.

    The machine code needs llvmlite.
    """
    if system.kernels is not None or system.has_own_jacobian:
        return None
    if not _is_short(problem, system, solver) or not _can_compile():
        return None
    pattern = system.pattern

    def evaluate(at: Vector) -> CompiledResult | None:
        found = system.linearize_plainly(at)
        return found if found.pattern is pattern else None

    with np.errstate(all="ignore"):
        return _attempted(problem, system, x, solver, _Evaluations(evaluate, None, perf_counter()))


@functools.cache
def _can_compile() -> bool:
    """Whether llvmlite is installed; a search in vain takes as long as an evaluation."""
    return machine.is_available()


class _Evaluations(NamedTuple):
    """How F and J are evaluated, what they are at the start if that is known, and when it began."""

    evaluate: Evaluate
    at_start: CompiledResult | None
    started: float


def _is_short(problem: ProblemDefinition, system: ResidualSystem, solver: Any) -> bool:
    """Whether a solve may be short, by what is asked."""
    few = system.is_prepared and system.n <= FEW and len(system.blocks) <= 1
    declared = system.scale is not None or problem.null_space
    return few and not declared and takes_full_steps(solver)


def _attempted(
    problem: ProblemDefinition,
    system: ResidualSystem,
    x: Vector,
    solver: Any,
    evaluations: _Evaluations,
) -> Result | None:
    workspace = problem.workspaces.take()
    try:
        linear = workspace.solver(system.pattern)
        short = _short_newton(workspace, system, linear)
        if short is None or not short.is_tried():
            return None
        found, counts = _solved(short, system, workspace, x, evaluations, solver.max_iterations)
        short.note_success(found is not None)
    finally:
        problem.workspaces.give_back(workspace)
    if found is None:
        return None
    total = perf_counter() - evaluations.started
    return _result_of_short_solve(found, counts, system, solver.name, total)


def _solved(
    short: ShortNewton,
    system: ResidualSystem,
    workspace: Workspace,
    x: Vector,
    evaluations: _Evaluations,
    max_iterations: int,
) -> tuple[ShortSolve | None, Stats]:
    """Return a confirmed solution, and what it took; None if it takes the solver itself."""
    linear = workspace.solver(system.pattern)
    compiled = system.n_compiled()
    evaluate, at_start, _ = evaluations
    at_start = at_start or evaluate(x)
    found = at_start and short.solve(evaluate, x, at_start, max_iterations)
    if found is None:
        linear.note_factors(0, math.nan, sound=False)
        return None, Stats()
    k = len(found.records) - 1
    linear.note_factors(k, found.records[-1].backward_error)
    if system.kernels is None:
        counts = Stats(k, 0, k + 1, 0, k, k, found.seconds, linear.name)
    else:
        counts = Stats(k, k, k + found.renewed, 0, k, k, found.seconds, linear.name)
    if found.unclear:
        before = workspace.counts()
        it = examined(short, found, system, workspace)
        if it is None:
            return None, counts
        counts.add(Stats(nfev=it.counted.nfev, njev=it.counted.njev, seconds=it.counted.seconds))
        counts.add(workspace.counts().since(before))
    counts.n_compiled = system.n_compiled() - compiled
    return (found if system.confirm(found.x, found.F) else None), counts


def _short_newton(workspace: Workspace, system: ResidualSystem, linear: Any) -> ShortNewton | None:
    """Return the arrays of a workspace for the present factors."""
    if not hasattr(linear, "direct_parts"):
        return None
    parts = linear.direct_parts(system.pattern)
    if parts is None:
        return None
    held: dict[str, ShortNewton] = workspace.derived("short newton", system.pattern, dict)
    known = held.get("last")
    at_once = system.kernels is not None and system.kernels.at_once
    if known is None and not (LOOPS.pays(WORTH) or at_once):
        return None
    if known is None or not known.works_on(parts):
        known = held["last"] = ShortNewton(system.pattern, parts)
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
