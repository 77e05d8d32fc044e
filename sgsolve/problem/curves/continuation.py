"""Continuation: the curve of solutions through a point, followed by its arclength.

Reference: H. B. Keller, in: Applications of Bifurcation Theory (1977) 359.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ...arrays import Vector
from ...continuation.stepper import RunState
from ...errors import ConvergenceError, InputError, SolveInterrupted
from ...results.branch import Branch
from ...results.status import Status
from ...solvers.monitor import Monitor
from ...solvers.polyalgorithm import as_solver
from ..equations.definition import ProblemDefinition
from ..families.gauged_family import LEVEL_KEPT, curve_family, lifted
from ..solves.solve import run_solver
from .curve_run import Asked, asked_of, check_inside, curve_view, run_curve


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
    options["stability"] = problem.stability(options["stability"], lambda p: {name: p})
    asked = asked_of(bounds, options, (name,))
    p, first = _start_value(problem, name, asked), as_solver(solver)
    system, x, remark = problem.started(x0, {name: p}, first)
    with problem.lend(system, x) as workspace:
        family = curve_family(system, name, x, p, workspace)
        if workspace.null_space is not None and not problem.null_space:
            remark = "; ".join(text for text in (remark, LEVEL_KEPT) if text)
        monitor = Monitor(deadline=asked[2].deadline)

        def origin(state: RunState) -> tuple[Vector, None]:
            F = system.residual_quietly(x)
            result = run_solver(first, system, workspace, x, F, monitor)
            if result.status is Status.INTERRUPTED:
                raise SolveInterrupted(result.message, result)
            if not result.success:
                raise ConvergenceError(
                    f"the first point, {name} = {p:g}, failed: {result.message}. Start where "
                    "the problem is easy",
                    result,
                )
            state.stats.add(result.stats)
            return lifted(family, np.append(result.x, p)), None

        view = curve_view(name, system, family)
        return run_curve(family, workspace, view, origin, *asked, "continuation", remark=remark)


def _start_value(problem: ProblemDefinition, name: str, asked: Asked) -> float:
    """Return where the parameter starts; raise if it has no value."""
    problem.signature.numeric(name)
    known = problem.signature.known
    if name not in known:
        raise InputError(f"say where to start: problem.at({name}=value), or a value in params")
    p, (settings, (low, high), _) = float(known[name]), asked
    check_inside(name, p, (low, high))
    first = settings.first_step(p, (low, high))
    if (p == low and first < 0.0) or (p == high and first > 0.0):
        raise InputError(f"step = {first:g} leads out of the bounds at once")
    return p
