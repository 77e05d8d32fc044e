"""The protocol of a solver, and the base of solvers that run a `NewtonMethod` in their own way.

`Problem.solve`, sweeps and `Robust` call the members of the protocol. `NewtonMethod` with its
presets, `Robust` and `sgsolve.continuation.Homotopy` have them. An object of your own with these
members works wherever a solver is accepted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol, Self, runtime_checkable

from numpy.typing import NDArray

from ..arrays import Vector
from ..errors import InputError
from ..results.blocks import Blocks
from .method import NewtonMethod
from .monitor import Monitor
from .outcome import Outcome
from .state.system import System
from .state.workspace import Workspace


@runtime_checkable
class Solver(Protocol):
    """Interface of the solvers that `Problem.solve` accepts.

    Attributes
    ----------
    name : str
        Name in results and messages.
    matrix_free : bool
        Whether it needs products J v only, and no sparse Jacobian.

    See Also
    --------
    NewtonMethod, Robust
    continuation.Homotopy : A solver that is no `NewtonMethod`.
    """

    @property
    def name(self) -> str:
        """Name in results and messages."""
        ...

    @property
    def matrix_free(self) -> bool:
        """Whether it needs products J v only, and no sparse Jacobian."""
        ...

    def with_settings(self, **settings: Any) -> Solver:
        """Return a copy with other ``limits``, ``termination`` or ``max_iterations``."""
        ...

    def check_start(self, x: Vector, blocks: Blocks) -> None:
        """Raise `InputError` if x lies outside the bounds that the solver keeps."""
        ...

    def run(
        self, system: System, workspace: Workspace, x: Vector, F: Vector, monitor: Monitor
    ) -> Outcome:
        """Solve from x, where the residual is F. Report a failure in the outcome, do not raise."""
        ...


@dataclass(frozen=True, kw_only=True)
class RunsMethod:
    """A solver that runs another one; it passes on settings and the check of the start."""

    solver: NewtonMethod

    def __post_init__(self) -> None:
        if not isinstance(self.solver, NewtonMethod):
            raise InputError(f"solver must be a NewtonMethod, not {self.solver!r}")

    @property
    def name(self) -> str:
        """Name for reports."""
        return f"{type(self).__name__} ({self.solver.name})"

    @property
    def matrix_free(self) -> bool:
        """Whether the solver needs products J v only."""
        return self.solver.matrix_free

    def with_settings(self, **settings: Any) -> Self:
        """Return a copy whose solver has other settings."""
        return replace(self, solver=self.solver.with_settings(**settings))

    def check_start(self, x: NDArray[Any], blocks: Blocks) -> None:
        """Raise `InputError` if x lies outside the bounds that the solver keeps."""
        self.solver.check_start(x, blocks)
