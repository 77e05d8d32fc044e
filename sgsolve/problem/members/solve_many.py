"""Many solutions: a family of small systems, solved in machine code where that is faster.

Every member that does not converge there is solved alone by the whole solver, from its own start. A
member has the same criterion of success either way.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ...arrays import Vector
from ...errors import InputError, LinearSolveError, NotFiniteError
from ...results.branch import PartialBranchWarning
from ...results.history import History, Stats
from ...results.member_results import MemberResults
from ...results.result import Result
from ...results.status import Status
from ...solvers.monitor import Monitor
from ...solvers.polyalgorithm import as_solver
from ...solvers.state.deadline import OutOfTime, deadline_of
from ...user_warnings import warn
from ..equations.definition import ProblemDefinition
from ..equations.prepared_start import prepared_start
from ..equations.residual_system import ResidualSystem
from ..short_newton.short_solve import serves_members, short_result
from ..solves.solve import run_solver
from .family_results import family_results
from .member_arguments import MemberArguments, member_arguments
from .member_equations import MemberEquations


class MemberSolves:
    """The members of one call, their equations, and what has been found for each.

    Parameters
    ----------
    solver : Solver
    """

    def __init__(
        self,
        definition: ProblemDefinition,
        arguments: MemberArguments,
        solver: Any,
        deadline: float,
    ) -> None:
        self._definition, self._solver, self._deadline = definition, solver, deadline
        self._starts, self._columns = arguments.starts, arguments.columns
        n = self._starts.shape[1]
        self.equations = MemberEquations(definition, n, arguments.params, self._columns, deadline)
        self._results: list[Result | None] = [None] * len(self._starts)
        self._stats = Stats()
        self._interrupted = False
        for m, start in enumerate(self._starts):
            self._check_start(m, start)

    def solve(self) -> MemberResults:
        """Solve all members."""
        begin, compiled = perf_counter(), self.equations.member(0).compiled_counts()
        method = getattr(self._solver, "first_method", None)
        steps = method is not None and method.takes_newton_steps
        if steps and len(self._starts) > 1 and self._is_prepared():
            self._shortly()
        for m, result in enumerate(self._results):
            if result is None:
                self._results[m] = self._solved_alone(m)
        if self._interrupted:
            warn("the solves were interrupted", PartialBranchWarning)
        results = tuple(result for result in self._results if result is not None)
        stats = self._stats
        stats.nit = sum(result.nit for result in results)
        seconds = self.equations.member(0).compiled_counts().since(compiled)
        stats.n_compiled, stats.not_compiled = seconds.n_compiled, seconds.not_compiled
        for phase in ("other", "total"):
            stats.seconds.pop(phase, None)
        total = perf_counter() - begin
        stats.seconds["other"] = max(0.0, total - sum(stats.seconds.values()))
        stats.seconds["total"] = total
        x = np.array([result.x for result in results])
        return MemberResults(x, results, self._columns, stats, self.equations.blocks)

    def _check_start(self, m: int, start: Vector) -> None:
        try:
            self._solver.check_start(start, self.equations.blocks)
        except InputError as error:
            raise type(error)(f"member {m}: {error}") from None

    def _is_prepared(self) -> bool:
        """Check the residual at the first start where it is finite, and find the pattern."""
        for m, start in enumerate(self._starts):
            try:
                self.equations.member(m).prepare(start)
            except NotFiniteError:
                continue
            return True
        return False

    # ---- in machine code ---------------------------------------------------------------------

    def _shortly(self) -> None:
        """Solve members in machine code: in rounds where kernels serve, otherwise one by one."""
        problem, solver, count = self._definition, self._solver, len(self._starts)
        if not serves_members(self.equations.member(0), solver, count):
            return
        ready, members = False, list(range(count))
        if problem.kernels is not None:
            ready = self._make_ready(self.equations.member(0), self._starts[0])
            members = self._in_rounds() if ready else members
        for m in members:
            start = self._starts[m]
            if self._interrupted or perf_counter() > self._deadline:
                return
            system = self.equations.member(m)
            try:
                result = short_result(problem.workspaces, system, start.copy(), solver)
                if result is None and not ready:
                    ready = self._make_ready(system, start)
                    result = short_result(problem.workspaces, system, start.copy(), solver)
                else:
                    ready = result is not None  # an attempt in vain leaves no factors
            except KeyboardInterrupt:
                self._interrupted = True
                return
            if result is not None:
                self._results[m] = result
                self._stats.add(result.stats)

    def _in_rounds(self) -> list[int]:
        """Solve members together, and return those that take a solve one by one."""
        rest: list[int] = []
        with self._definition.workspaces.lend() as workspace:
            found = family_results(
                workspace, self.equations, self._starts, self._solver, self._deadline, rest
            )
            try:
                for m, result in found:
                    self._results[m] = result
                    self._stats.add(result.stats)
            except (KeyboardInterrupt, OutOfTime) as error:
                self._interrupted = isinstance(error, KeyboardInterrupt)
        return rest

    def _make_ready(self, system: ResidualSystem, start: Vector) -> bool:
        """Make the kernel and the linear solver for short solves at one start; return whether.

        The first evaluation is made by NumPy, and the next one is compared with it.
        """
        if system.kernels is not None:
            system.kernels.residual().account.upcoming = len(self._starts)
        try:
            with np.errstate(all="ignore"):
                J = [system.linearize(start)[1] for _ in range(2)][-1]
            with self._definition.lend(system, start) as workspace:
                workspace.solver(system.pattern).factorize(J)
        except (ArithmeticError, LinearSolveError):
            return False
        finally:
            if system.kernels is not None:
                system.kernels.residual().account.upcoming = 0
        return True

    # ---- alone -------------------------------------------------------------------------------

    def _solved_alone(self, m: int) -> Result:
        """Solve one member by the whole solver."""
        if self._interrupted or perf_counter() > self._deadline:
            ended = Status.INTERRUPTED if self._interrupted else Status.TIME_LIMIT
            return self._unsolved(m, ended, ended.text)
        system, solver = self.equations.member(m), self._solver
        free = solver.matrix_free
        try:
            start, F, remark = prepared_start(system, self._starts[m].copy(), solver, not free)
            with self._definition.lend(system, start) as workspace:
                monitor = Monitor(deadline=self._deadline)
                result = run_solver(solver, system, workspace, start, F, monitor, not free, remark)
        except NotFiniteError as error:
            return self._unsolved(m, Status.NOT_FINITE, str(error))
        except KeyboardInterrupt:
            self._interrupted = True
            return self._unsolved(m, Status.INTERRUPTED, Status.INTERRUPTED.text)
        self._interrupted = result.status is Status.INTERRUPTED
        self._stats.add(result.stats)
        return result

    def _unsolved(self, m: int, status: Status, reason: str) -> Result:
        """Return the result of a member that was not solved, at its start."""
        system, x = self.equations.member(m), self._starts[m].copy()
        unknown = np.full(len(x), np.nan)
        return Result(
            x=x,
            status=status,
            message=f"{reason} ({status.name})",
            residual=unknown,
            scaled_residual=unknown,
            history=History(),
            stats=Stats(),
            solver=self._solver.name,
            blocks=system.blocks,
            params=system.params,
            system=system,
        )


def solve_many(
    definition: ProblemDefinition,
    x0s: ArrayLike | Mapping[str, Any],
    params: Mapping[str, Any] | None,
    solver: Any,
    time_limit: float | None,
) -> MemberResults:
    """Solve for many members; see `Problem.solve_many`."""
    solver, deadline = as_solver(solver), deadline_of(time_limit)
    arguments = member_arguments(definition, x0s, params)
    return MemberSolves(definition, arguments, solver, deadline).solve()
