"""What a short solve evaluates, by kernels or by NumPy."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ...ad.kernels.compiled_evaluation import FEW_UNKNOWNS, CompiledResult
from ...arrays import Vector
from ..equations.residual_system import ResidualSystem


class Evaluations(Protocol):
    """What a short solve evaluates; None where that takes the solver itself.

    Attributes
    ----------
    with_jacobian : bool
        Whether F alone takes as long as F and J.
    """

    with_jacobian: bool

    def both(self, x: Vector) -> CompiledResult | None:
        """Return F and J at x, on the pattern."""

    def residual(self, x: Vector) -> Vector | None:
        """Return F at x."""


class ByKernel:
    """Evaluations by the kernels that served last."""

    def __init__(self, system: ResidualSystem) -> None:
        self.both = system.replay
        self.with_jacobian = system.n <= FEW_UNKNOWNS
        self._system = system

    def residual(self, x: Vector) -> Vector | None:
        """Return F at x."""
        if self.with_jacobian:
            found = self.both(x)
            return None if found is None else found.F
        return self._system.residual(x)


class ByNumPy:
    """Evaluations by the user's code, which make kernels of it when these pay.

    Points outside the model are left to the solver.
    """

    with_jacobian = False

    def __init__(self, system: ResidualSystem) -> None:
        self._system, self._pattern = system, system.pattern

    def both(self, x: Vector) -> CompiledResult | None:
        """Return F and J at x; None if J leaves the pattern."""
        try:
            with np.errstate(all="ignore"):
                found = self._system.linearized(x)
        except ArithmeticError:
            return None
        return found if found.pattern is self._pattern else None

    def residual(self, x: Vector) -> Vector | None:
        """Return F at x."""
        try:
            return self._system.residual_quietly(x)
        except ArithmeticError:
            return None
