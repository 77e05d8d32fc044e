"""The protocol of the equations of many members, as `System` is that of one."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..pattern import Pattern
from ..results.blocks import Blocks
from .system import System

Vector = NDArray[Any]


class MemberSystem(Protocol):
    """Equations of the same kind with parameters of their own for each member.

    Attributes
    ----------
    n : int
    blocks : Blocks
    scale : ndarray or None
    pattern : Pattern
        Where the Jacobian of any member may have entries; it may grow.
    """

    n: int
    blocks: Blocks
    scale: Vector | None

    @property
    def pattern(self) -> Pattern:
        """Where the Jacobian of any member may have entries."""
        ...

    def member(self, m: int) -> System:
        """Return the equations of one member."""
        ...

    def residuals(self, x: Vector, members: NDArray[np.int64]) -> Vector:
        """Return F of some members, shape (k, n); NaN outside of the model."""
        ...

    def linearize(self, x: Vector, members: NDArray[np.int64]) -> tuple[Vector, Vector]:
        """Return F and the values of the Jacobians on `pattern`, shape (k, nnz)."""
        ...
