"""The equations at many states at once, for the discretization of an orbit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..arrays import Vector
from ..pattern import Pattern


@dataclass(eq=False)
class Evaluated:
    """The equations at P states; F + dQ/dt = 0, or F(x, dx/dt) = 0 where Q is x.

    Attributes
    ----------
    F, Q : ndarray, shape (P, n)
    J, C : ndarray, shape (P, entries)
        dF/dx, and dQ/dx or dF/d(dx/dt), on the two patterns of the equations.
    Fp, Qp : ndarray, shape (P, n)
        The derivatives by the parameter.
    """

    F: Vector
    Q: Vector
    J: Vector
    C: Vector
    Fp: Vector
    Qp: Vector


class AutonomousEquations(Protocol):
    """n equations in time, and one parameter."""

    n: int
    conservative: bool
    """Whether a charge Q is differentiated by time; else dx/dt is an argument of F."""
    algebraic: int
    """How many of the n equations determine no rate: n less the rank of C."""

    @property
    def pattern_J(self) -> Pattern:
        """Where dF/dx may have entries."""
        ...

    @property
    def pattern_C(self) -> Pattern:
        """Where C may have entries."""
        ...

    def evaluate(self, x: Vector, rates: Vector | None, p: float) -> Evaluated:
        """Return the equations at states, shape (P, n), with derivatives.

        `rates` are dx/dt, shape (P, n), where the equations take them.
        """
        ...

    def values(self, x: Vector, rates: Vector | None, p: float) -> tuple[Vector, Vector]:
        """Return F and Q alone."""
        ...
