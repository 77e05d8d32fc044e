"""The result of a short solve, with the same fields as that of the solver itself."""

from __future__ import annotations

import functools
import math
from time import perf_counter
from typing import Any

from ...ad.kernels import machine
from ...ad.kernels.compiled_evaluation import FEW_UNKNOWNS, CompiledResult
from ...arrays import Vector
from ...results.history import History, Stats, Step
from ...results.result import Result
from ...results.status import Status
from ...solvers.acceptance.answered_rows import answered_rows
from ...solvers.polyalgorithm import attempt_line
from ...solvers.state.iterate import observed_order
from ...solvers.state.workspace import Pool, Workspace
from ...solvers.steps.damping import FullStepTest
from ..diagnosis.report import message
from ..equations.residual_system import ResidualSystem
from .evaluations import ByKernel, ByNumPy, Evaluations
from .examined import examined
from .short_newton import COMPILED, LOADED, LOOPS, ShortNewton
from .short_records import Record, Settings, ShortSolve

# With kernels; the arrays of the loops take 500 bytes for each. Without kernels NumPy's evaluations
# of more than `FEW_UNKNOWNS` take most of the time.
MOST_UNKNOWNS = 100_000


class HeldLoops:
    """The loops of a workspace by what they are made for, and those of the latest solver."""

    def __init__(self) -> None:
        self.loops: dict[Settings, ShortNewton] = {}
        self.solver: Any = None
        self.latest: ShortNewton | None = None


def short_result(
    pool: Pool | Workspace, system: ResidualSystem, x: Vector, solver: Any
) -> Result | None:
    """Return the result of a short solve, or None: the solver itself has to run.

    F and J come from kernels, or from NumPy as long as there are none.

    Parameters
    ----------
    pool : Pool or Workspace
        Of linear solvers.
    x : ndarray, shape (n,)
    solver : Solver
        Without a callback, printing, or a time limit.
    """
    kernels = system.kernels
    if not (system.is_prepared and _is_small(system)) or (kernels is not None and kernels.stopped):
        return None
    workspace = pool.take() if isinstance(pool, Pool) else pool
    try:
        return _attempted(workspace, system, x, solver)
    finally:
        if isinstance(pool, Pool):
            pool.give_back(workspace)


def serves_members(system: ResidualSystem, solver: Any, count: int) -> bool:
    """Whether so many members of a family are solved shortly, at least as soon as kernels exist."""
    if not system.is_prepared or _settings(system, solver, math.nan) is None:
        return False
    return LOOPS.pays(LOADED, COMPILED, count)


@functools.cache
def _can_compile() -> bool:
    """Whether llvmlite is installed; a search in vain takes as long as an evaluation."""
    return machine.is_available()


def _is_small(system: ResidualSystem) -> bool:
    """Whether loops in machine code save anything beside the evaluations."""
    return system.n <= (FEW_UNKNOWNS if system.kernels is None else MOST_UNKNOWNS)


def _settings(system: ResidualSystem, solver: Any, cost: float) -> Settings | None:
    """Return what loops have to be made for; None if they cannot solve the system.

    `cost` is that of a factorization, see `Reuse`.
    """
    method = getattr(solver, "first_method", None)
    if method is None or system.has_own_jacobian or not (_is_small(system) and _can_compile()):
        return None
    test = method.full_step_test(system.n, cost)
    if test is None or method.criterion is None:
        return None
    return Settings(test is FullStepTest.ERROR, method.criterion, system.scale is not None)


def _attempted(
    workspace: Workspace, system: ResidualSystem, x: Vector, solver: Any
) -> Result | None:
    started = perf_counter()
    linear = workspace.solver(system.pattern)
    short = short_newton_of(workspace, system, linear, solver)
    if short is None or not short.is_tried():
        return None
    method = solver.first_method
    evaluations, at_start = _first_evaluated(system, x)
    if at_start is None:
        return None
    by_kernels = isinstance(evaluations, ByKernel)
    compiled, others = system.n_compiled(), None if by_kernels else system.compiled_counts()
    try:
        found = short.solve(evaluations, x, at_start, method.max_iterations, system.scale)
    except BaseException:  # also Ctrl-C: the factors are half written
        _noted(linear, None, short, by_kernels)
        raise
    counts = _noted(linear, found, short, by_kernels)
    if found is not None:
        confirmed = _confirmed(short, found, system, workspace, counts)
        counts.n_compiled = system.n_compiled() - compiled
        if others is not None:
            counts.not_compiled = system.compiled_counts().since(others).not_compiled
        found = found if confirmed else None
    if short.stepped:
        short.note_attempt(found is not None)
    if found is None:
        return None
    return finished_result(found, counts, system, solver, perf_counter() - started)


def _first_evaluated(
    system: ResidualSystem, x: Vector
) -> tuple[Evaluations, CompiledResult | None]:
    """Return how to evaluate, and F and J at x; None if that takes the solver itself."""
    if system.kernels is not None:
        by_kernel = ByKernel(system)
        found = by_kernel.both(x)
        if found is not None or system.n > FEW_UNKNOWNS:
            return by_kernel, found
    by_numpy = ByNumPy(system)
    return by_numpy, by_numpy.both(x)


def _noted(linear: Any, found: ShortSolve | None, short: ShortNewton, by_kernels: bool) -> Stats:
    """Tell the linear solver what was done with its parts, and return what it took.

    A kernel gives F and J together, which count as the solver itself would ask for them.
    """
    if found is None:
        if short.stepped:
            linear.note_factors(0, 0, math.nan, short.seconds, sound=False)
        return Stats()
    k = len(found.records) - 1
    n_solve = found.n_solves
    linear.note_factors(k, n_solve, found.records[-1].number("backward_error"), found.seconds)
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


def short_newton_of(
    workspace: Workspace, system: ResidualSystem, linear: Any, solver: Any
) -> ShortNewton | None:
    """Return the arrays of a workspace for the present factors."""
    if not hasattr(linear, "direct_parts"):
        return None
    parts = linear.direct_parts(system.pattern)
    if parts is None:
        return None
    held: HeldLoops = workspace.derived("short newton", system.pattern, HeldLoops)
    if held.latest is not None and held.solver is solver and held.latest.works_on(parts):
        return held.latest
    settings = _settings(system, solver, linear.operations / system.pattern.nnz)
    if settings is None:
        return None
    known = held.loops.get(settings)
    at_once = system.kernels is not None and system.kernels.at_once
    weight = 1 + system.n // FEW_UNKNOWNS  # what a solve saves grows with the unknowns
    pays = known is not None or at_once or LOOPS.pays(LOADED, COMPILED, weight)
    if not (pays and LOOPS.are_made()):
        return None
    if known is None or not known.works_on(parts):
        rows = answered_rows(workspace, system.pattern)
        known = ShortNewton(system.pattern, parts, settings, system.blocks, rows)
    held.loops[settings] = held.latest = known
    held.solver = solver
    return known


def finished_result(
    found: ShortSolve, counts: Stats, system: ResidualSystem, solver: Any, total: float
) -> Result:
    """Return the result of a solution that is confirmed."""
    seconds = counts.seconds
    seconds["other"] = max(0.0, total - sum(seconds.values()))
    seconds["total"] = total
    result = Result(
        x=found.x,
        status=Status.CONVERGED,
        message="",
        residual=found.F,
        scaled_residual=found.scaled,
        history=History(functools.partial(steps_of, found.records, system.blocks.names)),
        stats=counts,
        solver=solver.first_method.name,
        blocks=system.blocks,
        params=system.params,
        sizes=found.S,
        system=system,
    )
    result.message = message(result)
    if solver.first_method is not solver:  # the first of several stages
        result.stages = [attempt_line(result.solver, result.status, result.stats.nit)]
    return result


def steps_of(records: tuple[Record, ...], blocks: tuple[str, ...]) -> list[Step]:
    """Return the records of iterations as the solver itself writes them."""
    sizes = [math.inf, *(record.number("step_size") for record in records)]
    steps = []
    for k, record in enumerate(records):
        residuals, moved = record.told
        steps.append(
            Step(
                iteration=k,
                residual=max(residuals),
                scaled=record.number("scaled_residual"),
                step=sizes[k + 1] if k else 0.0,
                damping=1.0 if k else math.nan,
                order=observed_order(sizes[k + 1], sizes[k], sizes[k - 1]) if k else math.nan,
                trials=1 if k else 0,
                backward_error=record.number("backward_error"),
                fresh=True,
                seconds=record.seconds,
                residuals=dict(zip(blocks, residuals, strict=True)),
                steps=dict(zip(blocks, moved, strict=True)),
            )
        )
    return steps
