"""Continuation: the curve of solutions through a point, followed by its arclength.

Reference: H. B. Keller, in: Applications of Bifurcation Theory (1977) 359.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..errors import ConvergenceError, InputError, SolveInterrupted
from ..results.branch import Branch
from ..results.history import Stats
from ..results.status import Status
from ..runs.following import Run
from ..runs.request import Request
from ..solvers.monitor import Monitor
from ..solvers.polyalgorithm import as_solver
from .definition import ProblemDefinition
from .gauged_family import curve_family, lifted
from .solve import run_solver


def continuation(
    problem: ProblemDefinition,
    x0: ArrayLike,
    name: str,
    bounds: tuple[float, float] | None,
    *,
    solver: Any,
    **options: Any,
) -> Branch:
    """Follow the curve of solutions through x0; see `Problem.continuation`."""
    request = Request.of(bounds, options, (name,))
    p, first = _start_value(problem, name, request), as_solver(solver)
    system, x = problem.started(x0, {name: p}, first)
    with problem.lend(system, x) as workspace:
        family = curve_family(system, name, x, p, workspace)
        run = Run(family, name, system.params, workspace, request, {"kind": "continuation"})
        if run.saved is None:
            result = run_solver(
                first,
                system,
                workspace,
                x,
                system.residual_quietly(x),
                Monitor(deadline=request.deadline),
            )
            if result.status is Status.INTERRUPTED:
                raise SolveInterrupted(result.message, result)
            if not result.success:
                raise ConvergenceError(
                    f"the first point, {name} = {p:g}, failed: {result.message}. Start where "
                    "the problem is easy",
                    result,
                )
            x = result.x
            cost = result.stats
            run.first.add(Stats(nit=cost.nit, nfev=cost.nfev, njev=cost.njev))
        return run.go(lifted(family, np.append(x, p)))


def _start_value(problem: ProblemDefinition, name: str, request: Request) -> float:
    """Return where the parameter starts, or say that it does not say."""
    problem.signature.numeric(name)
    known = problem.signature.known
    if name not in known:
        raise InputError(f"say where to start: problem.at({name}=value), or a value in params")
    p, (low, high) = float(known[name]), request.bounds
    if not low <= p <= high:
        raise InputError(f"{name} = {p:g} at the start is outside the bounds {low:g} to {high:g}")
    first = request.method.first_step(p, request.bounds)
    if (p == low and first < 0.0) or (p == high and first > 0.0):
        raise InputError(f"step = {first:g} leads out of the bounds at once")
    return p
