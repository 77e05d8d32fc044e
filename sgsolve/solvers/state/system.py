"""The protocol of nonlinear systems, as solvers use them.

Solvers see plain arrays and a sparse matrix on a fixed pattern, and no AD arrays. Every object with
these members can be solved. `sgsolve.Problem` makes such systems.
"""

from __future__ import annotations

from typing import Any, Protocol

from ...arrays import Vector
from ...pattern import Pattern
from ...results.blocks import Blocks


class System(Protocol):
    """Interface of n equations in n unknowns.

    Attributes
    ----------
    n : int
        Number of equations and unknowns.
    pattern : Pattern
        Where the Jacobian may have entries; the diagonal is part of it.
    blocks : Blocks
        Names of the unknowns and of the equations.
    scale : ndarray of shape (n,) or None
        Typical size of each unknown; None means: take it from the iterates.

    See Also
    --------
    Problem : Makes one for each solve.
    """

    @property
    def n(self) -> int:
        """Number of unknowns."""
        ...

    @property
    def pattern(self) -> Pattern:
        """Where the Jacobian may have entries."""
        ...

    @property
    def blocks(self) -> Blocks:
        """Names of unknowns and equations."""
        ...

    @property
    def scale(self) -> Vector | None:
        """Typical size of each unknown."""
        ...

    def residual(self, x: Vector) -> Vector:
        """Return F(x), shape (n,), a new array; may raise `DomainError`."""
        ...

    def linearize(self, x: Vector) -> tuple[Vector, Any]:
        """Return F(x) and the Jacobian, a ``csr_array`` on the index arrays of `pattern`."""
        ...

    def jvp(self, x: Vector, v: Vector) -> Vector:
        """Return J(x) v, shape (n,), without the matrix; only Newton-Krylov asks for it."""
        ...
