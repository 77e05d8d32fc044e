"""Simplified Newton for the algebraic equation of one time step, on a kept factorization.

The equation is ``G(x) = F(x, t) + a (Q(x, t) - q) = 0`` with the Jacobian ``M = J + a C``. M is
factorized with an earlier number ``a0`` and earlier J and C as long as it converges; the update is
then multiplied by ``2 / (1 + a / a0)``, which is right on average for slow and fast components.

The charge that a step hands on is the *linearized* one, ``Q(x_k) + (a0 / a) C d`` with d the last
solution of a linear system. Where the columns of F, and so of J, sum to zero, its sum is conserved
to rounding, whatever is left of the Newton residual and however old M is: sum(M d) = a0 sum(C d).

References: E. Hairer and G. Wanner, Solving Ordinary Differential Equations II (1996), IV.8;
A. C. Hindmarsh et al., ACM Trans. Math. Softw. 31 (2005) 363, section 2.3 (kept matrices).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import LinearSolveError
from ..solvers.workspace import Workspace
from .currents import LinearizedCurrents
from .error_weights import ErrorWeights
from .evolution import NONE, PURPOSE, Derivatives, EvolutionSystem

Vector = NDArray[Any]

RATIO = 0.7  # M is factorized anew where a0 / a leaves (RATIO, 1 / RATIO)
YOUNG = 20  # steps for which J and C are kept when an iteration fails that has another a
MAX_AGE = 50  # steps after which J and C are evaluated anew
TINY = 1e-4  # an update this small, in units of the tolerance, is accepted without a rate
FORGET = 0.2  # the most by which the estimate of the rate falls at once
DIVERGED = 0.9  # rate of convergence above which an iteration stops
EXACT = 1e-12  # an update this small, in units of the tolerance, changes no current
REFINEMENTS = 25  # at most; each takes a factor (1 - RATIO) / (1 + RATIO) or less


@dataclass
class Solved:
    """How the solution of one implicit equation ended.

    Attributes
    ----------
    x : ndarray, shape (n,), or None
        The solution; None after a failure.
    charge : ndarray, shape (n + m,)
        The linearized charge at x, and the charges of the currents that are recorded.
    iterations : int
    reason : str
        Why it failed.
    currents : ndarray, shape (m,)
        What is recorded of rates.
    """

    x: Vector | None
    charge: Vector
    iterations: int
    reason: str = ""
    currents: Vector = field(default_factory=lambda: NONE)


@dataclass
class Counters:
    """What the implicit equations cost."""

    nfev: int = 0
    njev: int = 0
    nit: int = 0


class ImplicitSolver:
    """Solve F(x, t) + a (Q(x, t) - q) = 0, with as few factorizations as converge.

    Parameters
    ----------
    system : EvolutionSystem
    workspace : Workspace
    weights : ErrorWeights
    tolerance : float
        Of the Newton iteration, in units of the error tolerance.
    max_iterations : int
    """

    def __init__(
        self,
        system: EvolutionSystem,
        workspace: Workspace,
        weights: ErrorWeights,
        tolerance: float = 0.1,
        max_iterations: int = 4,
    ) -> None:
        self.system, self.weights = system, weights
        self.tolerance, self.max_iterations = tolerance, max_iterations
        self.counters = Counters()
        self._solver: Any = workspace.solver(system.pattern, PURPOSE)
        self._derivatives: Derivatives | None = None
        self._a0 = 0.0  # with which M is factorized; 0: not at all
        self._age = 0  # steps since J and C were evaluated
        self._rate = 1.0  # of convergence, of the last solution with this M
        self._C: Any = None
        self._currents = LinearizedCurrents(system.currents)

    def renew(self) -> None:
        """Evaluate J and C anew before the next solution: the equations have jumped."""
        self._derivatives, self._a0, self._age = None, 0.0, 0

    def advance(self) -> None:
        """Note that a step was accepted."""
        self._age += 1

    def solve(self, t: float, x: Vector, a: float, q: Vector) -> Solved:
        """Solve from the guess x.

        The derivatives are evaluated anew where the iteration fails with old ones.
        """
        fresh = self._derivatives is None or self._age >= MAX_AGE
        found = self._from(t, x, a, q, fresh)
        if found.x is None and fresh:
            self.renew()  # derivatives of a state far from the solution may hide that it is far
        if found.x is not None or fresh:
            return found
        iterations = found.iterations
        if self._age < YOUNG and abs(self._a0 - a) > 0.1 * a:
            self._a0 = 0.0
            found = self._from(t, x, a, q, False)
            iterations += found.iterations
        if found.x is None:
            found = self._from(t, x, a, q, True)
            iterations += found.iterations
            if found.x is None:
                self.renew()
        found.iterations = iterations
        return found

    def correction(self, charge: Vector, a: float) -> Vector:
        """Return the change of the unknowns by an error of the charge, M^-1 a (error).

        Parameters
        ----------
        charge : ndarray, shape (n + m,)
            The error. Where the unknowns take the place of the charge, that of the unknowns.

        Raises
        ------
        LinearSolveError
            The linear system could not be solved.
        """
        lost = charge[: self.system.n]
        if not self.system.conservative:
            lost = self._C @ lost
        found: Vector = self._solver.solve_again(a * lost)
        return found

    def save(self) -> dict[str, Any]:
        """Return what a resumed run needs to compute the same."""
        known = self._derivatives
        held = {} if known is None else {"J": known.J, "C": known.C}
        numbers = np.array([self._a0, self._rate, float(self._age)])
        return {**held, **self._currents.save(), "numbers": numbers}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continue from what `save` returned; the matrix is factorized anew."""
        a0, rate, age = (float(value) for value in saved["numbers"])
        self.renew()
        self._age = int(age)
        if "J" in saved:
            self._derivatives = Derivatives(np.array(saved["J"]), np.array(saved["C"]))
            self._C = self.system.pattern.matrix(self._derivatives.C)
            self._currents.restore(saved)
            if a0:
                self._factorize(a0)
        self._rate = rate

    def undo(self, saved: Mapping[str, Any]) -> None:
        """Return to an earlier state; the matrix is factorized anew if it has changed."""
        a0, rate, age = (float(value) for value in saved["numbers"])
        known = self._derivatives
        if known is not None and saved.get("J") is known.J and a0 == self._a0:
            self._rate, self._age = rate, int(age)
        else:
            self.restore(saved)

    def _from(self, t: float, x: Vector, a: float, q: Vector, renew: bool) -> Solved:
        """Iterate from x, with new derivatives if asked for, and with M where it is near enough."""
        if renew:
            failure = self._evaluate(t, x, a, q)
            if failure:
                return Solved(None, q, 0, failure)
        if not (self._a0 and RATIO < self._a0 / a < 1.0 / RATIO):
            failure = self._factorize(a)
            if failure:
                return Solved(None, q, 0, failure)
        return self._iterate(t, x, a, q)

    def _evaluate(self, t: float, x: Vector, a: float, q: Vector) -> str:
        """Evaluate J and C; return what is wrong with them, or an empty text."""
        self.counters.njev += 1
        self.renew()
        try:
            with np.errstate(all="ignore"):
                found = self.system.derivatives(t, x, a, q[: self.system.n])
        except ArithmeticError as error:
            return f"the derivatives could not be evaluated: {error}"
        self._age = 0
        bad = np.flatnonzero(~(np.isfinite(found.J) & np.isfinite(found.C)))
        if len(bad):
            row = self.system.blocks.label(int(self.system.pattern.rows[bad[0]]))
            return f"the derivatives of equation {row} are not finite at the predicted state"
        self._derivatives, self._C = found, self.system.pattern.matrix(found.C)
        self._currents.evaluate(t, x)
        return ""

    def _factorize(self, a: float) -> str:
        """Factorize M with this number; return what is wrong with it, or an empty text."""
        assert self._derivatives is not None
        M = self.system.pattern.matrix(self._derivatives.J + a * self._derivatives.C)
        self._a0, self._rate = 0.0, 1.0
        try:
            self._solver.factorize(M)
        except LinearSolveError as error:
            return f"the matrix of the time step cannot be factorized: {error}"
        self._a0 = a
        return ""

    def _iterate(self, t: float, x: Vector, a: float, q: Vector) -> Solved:
        relaxation, before = 2.0 / (1.0 + a / self._a0), np.inf
        weights = self.weights.weights(x)
        known = q[: self.system.n]
        for k in range(1, self.max_iterations + 1):
            found = self._residual(t, x, a, known)
            if isinstance(found, str):
                return Solved(None, q, k, found)
            G, Q = found
            try:
                d: Vector = -self._solver.solve_again(G)
            except LinearSolveError as error:
                return Solved(None, q, k, f"the linear system could not be solved: {error}")
            self.counters.nit += 1
            last, x = x, x + relaxation * d
            size = relaxation * self.weights.norm(d, weights)
            if not np.isfinite(size):
                return Solved(None, q, k, "the Newton iteration diverged")
            if self._converged(size, before, k, a):
                if not self._confirmed(t, last, a, known, G):
                    x, before = last, np.inf
                    continue
                if self.system.currents is not None:
                    return self._with_currents(t, last, (G, Q, relaxation * d), (a, q), k)
                kept = Q + (self._a0 / a) * (self._C @ d) if self.system.conservative else x
                return Solved(x, kept, k)
            if k > 1 and size > DIVERGED * before:
                return Solved(None, q, k, "the Newton iteration diverged")
            before = size
        return Solved(None, q, k, f"no convergence in {self.max_iterations} iterations")

    def _with_currents(
        self,
        t: float,
        x: Vector,
        last: tuple[Vector, Vector, Vector],
        formula: tuple[float, Vector],
        iterations: int,
    ) -> Solved:
        """Return the end of an iteration with currents; `last` is G, Q and the update from x."""
        (G, Q, d), (a, q) = last, formula
        n = self.system.n
        if self.system.conservative:
            try:
                d = self._exact_update(x, G, d, a)
            except LinearSolveError as error:
                reason = f"the linear system could not be solved: {error}"
                return Solved(None, q, iterations, reason)
            kept = Q + self._C @ d
            g, h = self._currents.values(t, x, d)
        else:
            kept = x + d
            g, h = self._currents.values(t, kept)
        charge = np.concatenate([kept, h])
        return Solved(x + d, charge, iterations, currents=g + a * (h - q[n:]))

    def _exact_update(self, x: Vector, G: Vector, d: Vector, a: float) -> Vector:
        """Solve (J + a C) d = -G to rounding, from an approximation of d, with the M at hand."""
        assert self._derivatives is not None
        J, C = self._derivatives.J, self._derivatives.C
        M, weights = self.system.pattern.matrix(J + a * C), self.weights.weights(x)
        relaxation = 2.0 / (1.0 + a / self._a0)
        for _ in range(REFINEMENTS):
            change = -relaxation * self._solver.solve_again(G + M @ d)
            d = d + change
            if not self.weights.norm(change, weights) > EXACT:
                break
        return d

    def _confirmed(self, t: float, x: Vector, a: float, q: Vector, G: Vector) -> bool:
        """Whether G is what the equations give, by an evaluation of another kind.

        Systems that evaluate them in another form than the user wrote have a method ``confirm``.
        What it does not confirm it does not use again.
        """
        confirm = getattr(self.system, "confirm", None)
        return confirm is None or bool(confirm(t, x, a, q, G))

    def _converged(self, size: float, before: float, k: int, a: float) -> bool:
        """Whether the error that is left is within the tolerance; updates the rate."""
        if size <= TINY * self.tolerance:
            return True
        if k == 1 and self._age > 0:  # a matrix that no longer fits makes small updates as well
            return False
        if k > 1:
            self._rate = max(FORGET * self._rate, size / before)
        # A matrix with another number than a contracts no faster than this, whatever was measured.
        rate = max(self._rate, abs(self._a0 - a) / (self._a0 + a))
        return rate < DIVERGED and rate / (1.0 - rate) * size <= self.tolerance

    def _residual(self, t: float, x: Vector, a: float, q: Vector) -> tuple[Vector, Vector] | str:
        """Return G and Q, or what is wrong with them."""
        self.counters.nfev += 1
        try:
            with np.errstate(all="ignore"):
                G, Q = self.system.residual(t, x, a, q)
                total = float(G.sum()) + float(Q.sum())
        except ArithmeticError as error:
            return f"the residual could not be evaluated: {error}"
        if not isfinite(total):  # or a sum of finite numbers overflows
            bad = np.flatnonzero(~(np.isfinite(G) & np.isfinite(Q)))
            if len(bad):
                i = int(bad[0])
                what = "the residual" if np.isfinite(Q[i]) else "the storage"
                return f"{what} of equation {self.system.blocks.label(i)} is not finite"
        return G, Q
