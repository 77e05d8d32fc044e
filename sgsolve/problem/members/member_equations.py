"""The equations of a family: one problem at other parameters for each member.

Compiled kernels evaluate many members in one call.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from time import perf_counter
from typing import Any, TypeVar

import numpy as np

from ...ad.kernels.compiled_evaluation import CompiledResult
from ...ad.kernels.member_evaluation import MemberEvaluation
from ...arrays import IndexArray, Vector
from ...pattern import Pattern
from ...solvers.state.deadline import OutOfTime
from ..equations.definition import ProblemDefinition
from ..equations.residual_system import ResidualSystem

T = TypeVar("T")


class MemberEquations:
    """The systems of all members.

    Parameters
    ----------
    params : sequence of mapping
        The parameters of each member that differ from those of the problem.
    varying : collection of str
        Those that differ between members.
    deadline : float
        When `OutOfTime` is raised instead of an evaluation, on the clock of `perf_counter`.
    """

    def __init__(
        self,
        definition: ProblemDefinition,
        n: int,
        params: Sequence[Mapping[str, Any]],
        varying: Collection[str],
        deadline: float,
    ) -> None:
        self.n, self._unknowns, self._deadline = n, definition.unknowns, deadline
        self._systems = [
            ResidualSystem(definition.signature.call(p), definition.unknowns, n, definition.kernels)
            for p in params
        ]
        first = self._systems[0]
        self.blocks, self.scale = first.blocks, first.scale
        self._compiled: MemberEvaluation | None = None
        if definition.kernels is not None:
            arguments = [system.params for system in self._systems]
            residual = definition.kernels.residual()
            self._compiled = MemberEvaluation(residual, arguments, varying)

    @property
    def pattern(self) -> Pattern:
        """Where the Jacobian of any member may have entries."""
        pattern = self._unknowns.pattern(self.n)
        assert pattern is not None, "a member is prepared first"
        return pattern

    def _check_time(self) -> None:
        if perf_counter() > self._deadline:
            raise OutOfTime

    def member(self, m: int) -> ResidualSystem:
        """Return the equations of one member."""
        system = self._systems[m]
        system.follow_growth()
        return system

    def takes_many(self) -> bool:
        """Whether one call may compute F and J of many members."""
        return self._compiled is not None and self._compiled.takes_many()

    def n_compiled(self) -> int:
        """Return how many evaluations of members kernels have made."""
        return 0 if self._compiled is None else self._compiled.n_compiled

    def residuals(self, x: Vector, members: IndexArray) -> Vector:
        """Return F of some members by kernels, shape (k, n); NaN outside of the model."""

        def plain(j: int) -> Vector:
            self._check_time()
            return _inside(
                lambda: self.member(int(members[j])).residual_plainly(x[j]), _unknown(self.n)
            )

        assert self._compiled is not None
        return self._compiled.values(x, members, plain)

    def linearize(self, x: Vector, members: IndexArray) -> tuple[Vector, Vector]:
        """Return F and the values of the Jacobians by kernels, on `pattern`, shape (k, nnz)."""
        found = None
        while found is None:  # again where the pattern grew on the way
            found = self._linearized(x, members)
        return found

    def _linearized(self, x: Vector, members: IndexArray) -> tuple[Vector, Vector] | None:
        target = self.pattern

        def plain(j: int) -> CompiledResult:
            self._check_time()
            outside = CompiledResult(_unknown(self.n), _unknown(target.nnz), target)
            return _inside(lambda: self.member(int(members[j])).linearize_plainly(x[j]), outside)

        assert self._compiled is not None
        return self._compiled.linearized(x, members, target, plain)


def _inside(evaluate: Callable[[], T], outside: T) -> T:
    """Return what an evaluation gives, or what stands for a point outside of the model."""
    try:
        return evaluate()
    except ArithmeticError:  # DomainError, OverflowError, ZeroDivisionError
        return outside


def _unknown(size: int) -> Vector:
    return np.full(size, np.nan)
