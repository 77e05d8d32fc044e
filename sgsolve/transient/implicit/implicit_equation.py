"""The algebraic equation of one time step, its solution, and what solutions cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...arrays import Vector
from ..evolution import NONE


@dataclass(slots=True)
class Solved:
    """How the solution of one implicit equation ended.

    Attributes
    ----------
    x : ndarray, shape (n,), or None
        The solution; None after a failure.
    charge : ndarray, shape (n + m,)
        The linearized charge at x, and the charges of the currents that are recorded.
    reason : str
        Why it failed.
    currents : ndarray, shape (2 m,)
        What is recorded: g + dh/dt, and h.
    """

    x: Vector | None
    charge: Vector
    iterations: int
    reason: str = ""
    currents: Vector = field(default_factory=lambda: NONE)


@dataclass
class Counters:
    """Evaluations and iterations of the implicit equations, and the seconds of the evaluations."""

    nfev: int = 0
    njev: int = 0
    nit: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Equation:
    """F(x, t) + a (Q(x, t) - q) = 0, and the weights of its errors.

    Attributes
    ----------
    q : ndarray, shape (n + m,)
        With the charges of the currents that are recorded.
    weights : ndarray, shape (n,)
    """

    t: float
    a: float
    q: Vector
    weights: Vector
