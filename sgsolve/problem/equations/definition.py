"""ProblemDefinition: the equations, the values of their parameters, and what all solves share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ...arrays import Vector
from ...bifurcation import Stability
from ...errors import InputError, ParameterError
from ...results.result import Result
from ...solvers.state.workspace import OpenSearch, Pool, Workspace
from ..inputs.fields import pack
from ..inputs.signature import Signature
from ..inputs.starting_point import refuse_other_classes, starting_point
from ..inputs.unknowns import Unknowns
from .allocation import Allocating
from .compiled_functions import CompiledFunctions
from .null_space import NullSpace
from .prepared_start import prepared_start
from .residual_system import ResidualSystem
from .storage import Storage


@dataclass(frozen=True)
class ProblemDefinition:
    """What a `Problem` consists of.

    Attributes
    ----------
    signature : Signature
        The functions of the user, and the values of the parameters.
    unknowns : Unknowns
        Blocks, scales and sparsity patterns.
    storage : callable, str or None
        As given to `Problem`.
    workspaces : Pool
        The linear solvers.
    kernels : CompiledFunctions or None
        Compiled forms of the residual; None: not asked for.
    given : dict
        The values that `Problem.at` set.
    """

    signature: Signature
    unknowns: Unknowns
    storage: Callable[..., Any] | str | None
    null_space: NullSpace
    workspaces: Pool
    kernels: CompiledFunctions | None = None
    given: dict[str, Any] = field(default_factory=dict)

    def at(self, params: Mapping[str, Any]) -> ProblemDefinition:
        """Return the definition at other values of parameters; everything else is shared."""
        other = object.__new__(ProblemDefinition)  # `replace` takes three times as long
        vars(other).update(vars(self))
        vars(other).update(signature=self.signature.at(params), given={**self.given, **params})
        return other

    def system(
        self, x: ArrayLike | Mapping[str, Any], moved: Mapping[str, Any] | None = None
    ) -> tuple[ResidualSystem, Vector]:
        """Return the system of equations for as many unknowns as x has, and x as a vector.

        x may be a mapping of block to field. `moved` are parameters with other values than those
        of the definition.
        """
        start = starting_point(x if type(x) is np.ndarray else self.packed(x))
        call = self.signature.call(moved or {})
        return ResidualSystem(call, self.unknowns, len(start), self.kernels), start

    def packed(self, x: Any, name: str = "x0") -> Any:
        """Return a mapping of block to field as a vector, and other numbers as they are."""
        refuse_other_classes(x, name)
        return pack(self.unknowns, x) if isinstance(x, Mapping) else x

    def started(
        self, x: ArrayLike, moved: Mapping[str, Any] | None = None, solver: Any = None
    ) -> tuple[ResidualSystem, Vector, str]:
        """Return the system with its pattern, x as a starting point, and what was changed in x."""
        system, start = self.system(x, moved)
        if solver is not None:
            solver.check_start(start, system.blocks)
        start, _, remark = prepared_start(system, start, solver)
        return system, start, remark

    def solution(self, at: Result | ArrayLike) -> tuple[ResidualSystem, Vector]:
        """Return the prepared system at a solution, and the solution.

        A `Result` has parameters of its own, which are used.
        """
        if isinstance(at, Result):
            if not at.success:
                raise InputError(f"the result is no solution ({at.status.name})")
            self.check_same(at.params, "the result")
            system, x = self.system(at.x, at.params)
            if system.is_prepared:
                return system, x
        else:
            system, x = self.system(at)
        system.prepare(x)
        return system, x

    def check_same(self, params: Mapping[str, Any], owner: str) -> None:
        """Raise `ParameterError` if `Problem.at` set other values than `params` has.

        `owner` is what has those, in words.
        """
        for name, value in self.given.items():
            if name in params and not np.array_equal(value, params[name]):
                raise ParameterError(
                    f"{owner} has {name} = {params[name]!r}, but this problem is at {name} = "
                    f"{value!r}; call the problem at the values of {owner}, or the one without at()"
                )

    def refuse_null_space(self, method: str) -> None:
        """Raise `InputError` if a null space is declared, which a method does not take."""
        if self.null_space:
            raise InputError(
                f"{method} takes no problem with null_space=; fix the level by an equation"
            )

    @contextmanager
    def lend(self, system: ResidualSystem, x: Vector) -> Iterator[Workspace]:
        """Lend a workspace for systems like one, with the null space that was declared at x."""
        V = self.null_space.basis(system, x)
        with Allocating("solve the equations", system.n), self.workspaces.lend() as workspace:
            workspace.gauge(V)
            workspace.open_search = OpenSearch.DECLARED if self.null_space else OpenSearch.LEVELS
            yield workspace

    def stability(self, given: Any, moved: Callable[[float], Mapping[str, Any]]) -> Any:
        """Return the settings of stability for True, anything else as it is.

        With a storage Q, F + dQ/dt = 0, and M = -dQ/dx in M dx/dt = F.

        Parameters
        ----------
        moved : callable
            ``moved(p)`` -> the parameters that differ from those of the problem, by name.
        """
        if given is not True or self.storage is None:
            return Stability.of(given)

        def mass(x: Vector, p: float) -> Any:
            system, at = self.system(x, moved(p))
            return -Storage(self.storage, system).matrix(at)

        return Stability(mass=mass)
