"""The protocol of a solver: what `Problem.solve`, sweeps and `Robust` call.

`NewtonMethod` with its presets, `Robust` and `sgsolve.continuation.Homotopy` follow it. An object
of your own with these members works wherever a solver is accepted.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from ..arrays import Vector
from ..results.blocks import Blocks
from .monitor import Monitor
from .outcome import Outcome
from .system import System
from .workspace import Workspace


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
