"""The results of a family that is solved in rounds, each confirmed by the user's code."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...ad.kernels.compiled_evaluation import FEW_UNKNOWNS
from ...results.history import Stats
from ...results.result import Result
from ...solvers.state.workspace import Workspace
from ..short_newton.loop_memory import narrow_band
from ..short_newton.short_solve import finished_result, short_newton_of
from .member_equations import MemberEquations
from .short_family import MEMBER_LOOPS, ShortFamily

# Unknowns of the members at work at once: the more, the less of a round's calls falls on each. Each
# unknown keeps about a kilobyte of memory.
UNKNOWNS_AT_ONCE = 30_000
# Of fewer members the calls of a round take longer than those of solves one by one.
FEWEST_IN_ROUNDS = 32
# To compile the loops for lanes takes as long as they save in so many members.
COMPILED = 1500


def family_results(
    workspace: Workspace,
    equations: MemberEquations,
    starts: NDArray[np.float64],
    solver: Any,
    deadline: float,
    rest: list[int],
) -> Iterator[tuple[int, Result]]:
    """Yield members with their results, as far as short solves find them together.

    `rest` takes the members that have to be solved one by one.
    """
    first = equations.member(0)
    linear = workspace.solver(first.pattern)
    short = short_newton_of(workspace, first, linear, solver)
    alone = len(starts) < FEWEST_IN_ROUNDS or first.n > FEW_UNKNOWNS or not equations.takes_many()
    alone = alone or short is None or narrow_band(short.parts.backend) is None
    pays = not alone and MEMBER_LOOPS.pays(FEWEST_IN_ROUNDS - 1, COMPILED, len(starts))
    if short is None or not (pays and MEMBER_LOOPS.are_made()):
        rest.extend(range(len(starts)))
        return
    count = min(len(starts), UNKNOWNS_AT_ONCE // first.n)
    if short.family is None or short.family.count < count:
        short.family = ShortFamily(short, count)
    family = short.family
    method, last = solver.first_method, perf_counter()
    found = family.solutions(equations, starts, range(len(starts)), method.max_iterations, deadline)
    for m, solution in found:
        k, system = len(solution.records) - 1, equations.member(m)
        if not system.confirm(solution.x, solution.F):
            rest.append(m)
            continue
        counts = Stats(
            k, k + solution.n_residuals, k + solution.renewed, 0, k, solution.n_solves,
            solution.seconds, linear.name,
        )  # fmt: skip
        counts.n_compiled = solution.n_compiled
        yield m, finished_result(solution, counts, system, solver, perf_counter() - last)
        last = perf_counter()
    rest.extend(family.to_examine)
