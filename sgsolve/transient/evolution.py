"""The protocol of the equations F(x, t) + d/dt Q(x, t) = 0 for a time integrator.

Every method here replaces dQ/dt by ``a (Q(x, t) - q)`` at the new time: a is a positive number
over the step size, and q is known from earlier times. The system gives the residual of that
algebraic equation and its two derivatives, both on one sparsity pattern.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..arrays import Vector
from ..pattern import Pattern
from ..results.blocks import Blocks

PURPOSE = "transient"  # of the linear solver: one analysis serves a whole run
NONE: Vector = np.zeros(0)


@dataclass(frozen=True)
class Derivatives:
    """J = dF/dx and C = dQ/dx at one point, values on the pattern of the system.

    Attributes
    ----------
    J, C : ndarray, shape (pattern.nnz,)
    """

    J: Vector
    C: Vector


class Currents(Protocol):
    """Functions ``g(x, t) + d/dt h(x, t)`` to record: a current and the rate of a charge.

    The charges h are differenced by the formula of the method, like Q, so that sums that vanish by
    the equations vanish to rounding.

    Attributes
    ----------
    size : int
        How many numbers they are, m.
    """

    size: int

    def values(self, t: float, x: Vector) -> tuple[Vector, Vector]:
        """Return g and h at (x, t), each of shape (m,)."""
        ...

    def derivatives(self, t: float, x: Vector) -> tuple[Any, Any]:
        """Return dg/dx and dh/dx at (x, t), sparse, each of shape (m, n)."""
        ...


class EvolutionSystem(Protocol):
    """n equations in time for n unknowns.

    Attributes
    ----------
    conservative : bool
        Whether Q is a charge. If not, the equations are F(x, x', t) = 0: Q is x itself, and C the
        derivative of F by x'.
    stores : ndarray of bool, shape (n,)
        Components of Q whose rate of change is not zero for certain.
    currents : Currents or None
        What is recorded of rates. Its charges h stand behind Q in all vectors of charges.
    """

    n: int
    blocks: Blocks
    conservative: bool
    stores: NDArray[np.bool_]
    currents: Currents | None

    @property
    def pattern(self) -> Pattern:
        """Where J and C may have entries: one pattern for both, with the diagonal."""
        ...

    def residual(self, t: float, x: Vector, a: float, q: Vector) -> tuple[Vector, Vector]:
        """Return G = F(x, t) + a (Q(x, t) - q) and Q(x, t), each of shape (n,)."""
        ...

    def derivatives(self, t: float, x: Vector, a: float, q: Vector) -> Derivatives:
        """Return J and C at (x, t)."""
        ...

    def capacity(self, t: float, x: Vector) -> Vector:
        """Return C at (x, t)."""
        ...

    @property
    def as_written(self) -> Callable[[float, Vector, float, Vector], tuple[Vector, Vector]] | None:
        """`residual` in the form that the user wrote; None if it is evaluated in that form."""
        ...

    def confirm(self, t: float, x: Vector, a: float, q: Vector, G: Vector) -> bool:
        """Whether the form that the user wrote gives this residual.

        A system that evaluates it in another form does not use that form again if not.
        """
        ...


def without_storage(system: EvolutionSystem, t: float, x: Vector) -> NDArray[np.bool_]:
    """Return which unknowns are in no charge, shape (n,)."""
    C = system.capacity(t, x)
    result = np.ones(system.n, dtype=bool)
    result[system.pattern.indices[C != 0.0]] = False
    return result
