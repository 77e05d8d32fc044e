"""The first moment of a run: a consistent state, its slope, and a check of the index.

A state is consistent if the equations without storage hold. One backward Euler step of negligible
length tests this. Its correction tends to zero with the step if all of them hold, and does not if
one is violated. The state is then corrected at constant charge: the given solver solves
``Q(x) = Q(x0) - h F(x)`` for that negligible h.

References: P. N. Brown, A. C. Hindmarsh and L. R. Petzold, SIAM J. Sci. Comput. 19 (1998) 1495;
K. E. Brenan, S. L. Campbell and L. R. Petzold, Numerical Solution of Initial-Value Problems in
Differential-Algebraic Equations (1996), chapters 2 and 5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...arrays import Vector
from ...errors import LinearSolveError
from ...pattern import Pattern
from ...solvers.state.workspace import Workspace
from ..currents import LinearizedCurrents
from ..error_weights import ErrorWeights
from ..evolution import NONE, PURPOSE, EvolutionSystem

SMALL = 1e-8  # a step, as a part of the run, that moves next to no charge in most problems
NEGLIGIBLE = (SMALL, 1e-11, 1e-14, 1e-17)  # shorter ones for runs much longer than what moves
EVEN_LESS = (1e-20, 1e-23, 1e-26)  # where the corrections of those differ
RESOLVED = 100.0  # units in the last place of the time, of the shortest of these steps
SHORTEST = 1e-26  # step, as a part of the run, that a run can begin with
INCONSISTENT = 1.0  # a correction this large, in units of the tolerance, is mended
TRANSIENT = 1e-2  # a correction that falls below this part with the step is a fast transient


@dataclass
class Start:
    """A consistent state at the first moment.

    Attributes
    ----------
    x : ndarray, shape (n,)
        The unknowns.
    charge : ndarray, shape (n + m,)
        The charge, which is that of the state that was given; and the charges of the currents that
        are recorded.
    slope : ndarray, shape (n,)
        dx/dt.
    rate : ndarray, shape (n + m,)
        The rate of change of `charge`.
    moved : str
        The unknown that had to move most for the algebraic equations to hold; empty if none.
    currents : ndarray, shape (2 m,)
        What is recorded: g + dh/dt, and h.
    ordinary : bool
        Whether the equations give all rates, so that their index needs no check.
    """

    x: Vector
    charge: Vector
    slope: Vector
    rate: Vector
    moved: str = ""
    currents: Vector = field(default_factory=lambda: NONE)
    ordinary: bool = False


class AlgebraicSystem:
    """The equations F(x, t) + a (Q(x, t) - q) = 0 at one time; a `solvers.System`."""

    def __init__(self, system: EvolutionSystem, t: float, a: float, q: Vector) -> None:
        self.system, self.n, self.blocks = system, system.n, system.blocks
        self.scale: Vector | None = None
        self.t, self.a, self.q = t, a, q

    @property
    def pattern(self) -> Pattern:
        """The sparsity pattern of J and C together."""
        return self.system.pattern

    def residual(self, x: Vector) -> Vector:
        """Return the residual."""
        return self.system.residual(self.t, x, self.a, self.q)[0]

    def linearize(self, x: Vector) -> tuple[Vector, Any]:
        """Return the residual and J + a C."""
        at = self.system.derivatives(self.t, x, self.a, self.q)
        return self.residual(x), self.pattern.matrix(at.J + self.a * at.C)

    def confirm(self, x: Vector, F: Vector) -> bool:
        """Whether the system confirms F."""
        return self.system.confirm(self.t, x, self.a, self.q, F)

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
    doubted: bool = False,
) -> Start:
    """Return the state to start from.

    Parameters
    ----------
    times : (float, float)
        Of the run: the second one gives the direction and the length.
    solve : callable
        ``solve(equations, x)`` -> x, for algebraic equations that do not hold at x0; raises
        `ConvergenceError` if it cannot.
    charge : ndarray of shape (n + m,), optional
        The charge to keep, after a jump of the equations. That of x0 by default.
    doubted : bool
        Solve the algebraic equations even if one correction is small: no step succeeds from x0.

    Raises
    ------
    LinearSolveError
        If no step can be made: C + h J is singular for every h.
    """
    t = times[0]
    weights.observe(x0)
    if charge is None and not doubted:
        ordinary = _ordinary_start(system, weights, times, x0)
        if ordinary is not None:
            return ordinary
    kept = _charge(system, t, x0) if charge is None else charge[: system.n]
    h, consistent = _judged(system, workspace, weights, times, x0, kept)
    moved, x = "", x0
    if doubted or not consistent:
        x = solve(AlgebraicSystem(system, t, 1.0 / h, kept), x0)
        moved = weights.worst(x - x0, weights.weights(x0))
    beginning = _Beginning(system, workspace, t, h, x, kept)
    start = beginning.start()
    start.moved = moved
    if moved and system.conservative:  # x is the end of the step of length h
        start.x = beginning.before_step()
    if moved:  # what is no larger than its change in the step may be zero
        known = np.abs(start.x) > h * np.abs(start.slope)
        weights.observe(np.where(known, start.x, 0.0))
    weights.inherit(beginning.passed_on(weights.allowed(x)))
    return start


def _ordinary_start(
    system: EvolutionSystem, weights: ErrorWeights, times: tuple[float, float], x: Vector
) -> Start | None:
    """Return the start of equations that give all rates, which any state meets; None for others.

    So it is where C is a diagonal matrix without a zero, and its unknowns are not so fast that the
    shortest step would move them.
    """
    if not system.conservative or system.currents is not None:
        return None
    t, h = times[0], SMALL * (times[1] - times[0])
    C = ordinary_rates(system.pattern, system.capacity(t, x))
    if C is None:
        return None
    F, Q = _flow_and_charge(system, t, x)
    slope = -(F + (_charge(system, t + h, x) - Q) / h) / C
    moved = max(SHORTEST * (times[1] - t), 4.0 * float(np.spacing(abs(t)))) * slope
    if not weights.norm(moved, weights.weights(x)) <= INCONSISTENT:
        return None
    return Start(x, Q, slope, -F, ordinary=True)


def ordinary_rates(pattern: Pattern, C: Vector) -> Vector | None:
    """Return the diagonal of C where it has no zero and C has nothing else; None otherwise."""
    diagonal = C[pattern.rows == pattern.indices]
    return diagonal if np.all(diagonal) and np.count_nonzero(C) == len(diagonal) else None


class _Beginning:
    """Rates at a state that is consistent to the tolerance, by two steps of negligible length.

    Parameters
    ----------
    h : float
        Their length.
    x, charge : ndarray, shape (n,)
        The state, and the charge to start with.
    """

    def __init__(
        self,
        system: EvolutionSystem,
        workspace: Workspace,
        t: float,
        h: float,
        x: Vector,
        charge: Vector,
    ) -> None:
        self.system, self.t, self.h, self.x, self.kept = system, t, h, x, charge
        self.F, self.Q = _flow_and_charge(system, t, x)
        self.F_next, Q_next = _flow_and_charge(system, t + h, x)
        self.Q_rate = (Q_next - self.Q) / h  # at fixed x: zero for most problems
        at = system.derivatives(t + h, x, 1.0 / h, self.Q)
        self.J, self.C = system.pattern.matrix(at.J), system.pattern.matrix(at.C)
        self.solver = workspace.solver(system.pattern, PURPOSE)
        self.solver.factorize(system.pattern.matrix(at.J + at.C / h))

    def start(self) -> Start:
        """Return the state with its rates.

        The first step starts where algebraic equations hold to a tolerance only, which changes
        their unknowns; the second one does not.
        """
        first = self.solver.solve(-self.F_next - self.Q_rate) / self.h
        slope = self.solver.solve(self.C @ first - (self.F_next - self.F)) / self.h
        # C dx/dt + dQ/dt at fixed x is the same, but for rounding of the latter.
        rate = self.F - 2.0 * self.F_next - self.J @ (self.h * (first + slope))
        if not self.system.conservative:
            start = Start(self.x, self.x.copy(), slope, slope.copy())
        else:
            start = Start(self.x, self.kept, slope, rate)
        if self.system.currents is not None:
            self._add_currents(start, first, rate)
        return start

    def before_step(self) -> Vector:
        """Return the state of the charge to start with, where x is the end of a step from it.

        The equations without storage hold for both states at the same time.
        """
        found: Vector = self.x + self.solver.solve((self.kept - self.Q) / self.h)
        return found

    def passed_on(self, errors: Vector) -> Vector:
        """Return the errors of all unknowns where those with storage have these, of either sign."""
        signs = np.where(np.sin(np.arange(1.0, len(errors) + 1.0) ** 2) > 0.0, 1.0, -1.0)
        found: Vector = np.abs(self.solver.solve(self.C @ (signs * errors))) / self.h
        return found

    def _add_currents(self, start: Start, first: Vector, rate: Vector) -> None:
        """Add the currents, their charges and rates: of the linearized equations, to rounding."""
        t, h, x = self.t, self.h, self.x
        currents = LinearizedCurrents(self.system.currents)
        currents.evaluate(t + h, x)
        g, charge = currents.values(t, x)
        g_next, charge_next = currents.values(t + h, x)
        moved = (charge_next - charge) / h  # at fixed x
        if self.system.conservative:
            offset = self.solver.solve((self.kept - self.Q) / h - (self.F + rate))
            start.charge = self.Q + self.C @ offset
            charge = charge + currents.along(offset)[1]
        displacement = currents.along(start.slope)[1] + moved
        drift = currents.along(h * (first + start.slope))[0]
        start.currents = np.concatenate([2.0 * g_next - g + drift + displacement, charge])
        start.charge = np.concatenate([start.charge, charge])
        start.rate = np.concatenate([start.rate, displacement])


def _flow_and_charge(system: EvolutionSystem, t: float, x: Vector) -> tuple[Vector, Vector]:
    return system.residual(t, x, 0.0, np.zeros(system.n))


def _charge(system: EvolutionSystem, t: float, x: Vector) -> Vector:
    return _flow_and_charge(system, t, x)[1]


def _judged(
    system: EvolutionSystem,
    workspace: Workspace,
    weights: ErrorWeights,
    times: tuple[float, float],
    x: Vector,
    charge: Vector,
) -> tuple[float, bool]:
    """Return a small step, and whether x is consistent."""
    t, length = times[0], times[1] - times[0]
    scale, tried = weights.weights(x), list[tuple[float, Vector]]()
    for part in (*NEGLIGIBLE, *EVEN_LESS):
        h = part * length
        if tried and h < RESOLVED * float(np.spacing(abs(t))):
            break
        if part in EVEN_LESS and weights.norm(tried[-1][1] - tried[-2][1], scale) <= INCONSISTENT:
            break
        try:
            correction = euler_correction(system, workspace, t, h, x, charge)
        except LinearSolveError:
            if not tried:
                raise
            break  # what J holds is lost beside C / h
        before = weights.norm(tried[-1][1], scale) if tried else 0.0
        if weights.norm(correction, scale) <= max(INCONSISTENT, TRANSIENT * before):
            return h, True
        tried.append((h, correction))
    # The longest step whose correction is that of the shortest: no charge moves in it.
    last = tried[-1][1]
    return next(h for h, one in tried if weights.norm(one - last, scale) <= INCONSISTENT), False


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
