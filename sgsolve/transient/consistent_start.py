"""The first moment of a run: a consistent state, its slope, and a check of the index.

A state is consistent if the equations that store nothing hold. Whether they do is seen from one
backward Euler step of negligible length: its correction tends to zero with the step where only the
charge moves, and does not where an algebraic equation is violated. A violated one is mended at
constant charge: ``Q(x) = Q(x0) - h F(x)`` for that negligible h, by the solver that is given.

References: P. N. Brown, A. C. Hindmarsh and L. R. Petzold, SIAM J. Sci. Comput. 19 (1998) 1495;
K. E. Brenan, S. L. Campbell and L. R. Petzold, Numerical Solution of Initial-Value Problems in
Differential-Algebraic Equations (1996), chapters 2 and 5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import LinearSolveError
from ..pattern import Pattern
from ..solvers.workspace import Workspace
from .error_weights import ErrorWeights
from .evolution import PURPOSE, EvolutionSystem

Vector = NDArray[Any]

SMALL, SMALLER = 1e-8, 1e-11  # steps, as parts of the run, that move next to no charge
INCONSISTENT = 1.0  # a correction this large, in units of the tolerance, is mended
TRANSIENT = 1e-2  # a correction that falls below this part with the step is a fast transient


@dataclass
class Start:
    """A consistent state at the first moment.

    Attributes
    ----------
    x, charge : ndarray, shape (n,)
        The unknowns, and the charge, which is that of the state that was given.
    slope, rate : ndarray, shape (n,)
        dx/dt and dQ/dt.
    moved : str
        The unknown that had to move most for the algebraic equations to hold; empty if none.
    """

    x: Vector
    charge: Vector
    slope: Vector
    rate: Vector
    moved: str = ""


class AlgebraicSystem:
    """The equations F(x, t) + a (Q(x, t) - q) = 0 at one time; a `solvers.System`."""

    def __init__(self, system: EvolutionSystem, t: float, a: float, q: Vector) -> None:
        self.system, self.n, self.blocks = system, system.n, system.blocks
        self.scale: Vector | None = None
        self.t, self.a, self.q = t, a, q

    @property
    def pattern(self) -> Pattern:
        """That of J and C together."""
        return self.system.pattern

    def residual(self, x: Vector) -> Vector:
        """Return the residual."""
        return self.system.residual(self.t, x, self.a, self.q)[0]

    def linearize(self, x: Vector) -> tuple[Vector, Any]:
        """Return the residual and J + a C."""
        at = self.system.derivatives(self.t, x, self.a, self.q)
        return self.residual(x), self.pattern.matrix(at.J + self.a * at.C)

    def jvp(self, x: Vector, v: Vector) -> Vector:
        """Return the product of the Jacobian with v."""
        product: Vector = self.linearize(x)[1] @ v
        return product


Solve = Callable[[AlgebraicSystem, Vector], Vector]


def consistent_start(
    system: EvolutionSystem,
    workspace: Workspace,
    weights: ErrorWeights,
    times: tuple[float, float],
    x0: Vector,
    solve: Solve,
    charge: Vector | None = None,
) -> Start:
    """Return the state to start from.

    Parameters
    ----------
    times : (float, float)
        Of the run: the second one gives the direction and the length.
    solve : callable
        ``solve(equations, x)`` -> x, for algebraic equations that do not hold at x0; raises
        `ConvergenceError` if it cannot.
    charge : ndarray of shape (n,), optional
        The charge to keep, after a jump of the equations. That of x0 by default.

    Raises
    ------
    LinearSolveError
        If no step can be made: C + h J is singular for every h.
    """
    t = times[0]
    kept = _charge(system, t, x0) if charge is None else charge
    weights.observe(x0)
    h, correction, consistent = _judged(system, workspace, weights, times, x0, kept)
    moved, x = "", x0
    if not consistent:
        x = solve(AlgebraicSystem(system, t, 1.0 / h, kept), x0)
        moved = weights.worst(x - x0, weights.weights(x0))
        weights.observe(x)
    if not consistent or charge is not None:
        correction = euler_correction(system, workspace, t, h, x, _charge(system, t, x))
    slope = correction / h
    if not system.conservative:
        return Start(x, x.copy(), slope, slope.copy(), moved)
    at = system.derivatives(t, x, 1.0 / h, kept)
    return Start(x, kept, slope, system.pattern.matrix(at.C) @ slope, moved)


def _charge(system: EvolutionSystem, t: float, x: Vector) -> Vector:
    return system.residual(t, x, 0.0, np.zeros(system.n))[1]


def _judged(
    system: EvolutionSystem,
    workspace: Workspace,
    weights: ErrorWeights,
    times: tuple[float, float],
    x: Vector,
    charge: Vector,
) -> tuple[float, Vector, bool]:
    """Return a small step, its correction, and whether x is consistent."""
    t, length = times[0], times[1] - times[0]
    h, scale = SMALL * length, weights.weights(x)
    correction = euler_correction(system, workspace, t, h, x, charge)
    size = weights.norm(correction, scale)
    if size <= INCONSISTENT:
        return h, correction, True
    try:
        smaller = euler_correction(system, workspace, t, SMALLER * length, x, charge)
    except LinearSolveError:  # what J holds is lost beside C / h
        return h, correction, False
    if weights.norm(smaller, scale) <= max(INCONSISTENT, TRANSIENT * size):
        return SMALLER * length, smaller, True
    return h, correction, False


def euler_correction(
    system: EvolutionSystem, workspace: Workspace, t: float, h: float, x: Vector, charge: Vector
) -> Vector:
    """Return the Newton correction of a backward Euler step from (t, x), shape (n,)."""
    G, _ = system.residual(t + h, x, 1.0 / h, charge)
    at = system.derivatives(t + h, x, 1.0 / h, charge)
    solver = workspace.solver(system.pattern, PURPOSE)
    solver.factorize(system.pattern.matrix(at.J + at.C / h))
    correction: Vector = solver.solve(-G)
    return correction
