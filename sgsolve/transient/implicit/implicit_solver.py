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

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import isfinite
from time import perf_counter
from typing import Any

import numpy as np

from ...arrays import EPS, Vector
from ...errors import LinearSolveError
from ...solvers.state.workspace import Workspace
from ..error_weights import ErrorWeights
from ..evolution import PURPOSE, EvolutionSystem
from .implicit_equation import Counters, Equation, Solved
from .kept_matrix import KeptMatrix
from .stalled_equations import stalls

YOUNG = 20  # steps for which J and C are kept when an iteration fails that has another a
MAX_AGE = 50  # steps after which J and C are evaluated anew
TINY = 1e-4  # an update this small, in units of the tolerance, is accepted without a rate
FORGET = 0.2  # the most by which the estimate of the rate falls at once
LEAST = 0.05  # of the first estimate: new derivatives converge faster than later steps with them
LEFT = 0.5  # of the error after a second update, at most, since it is stretched
STRETCH = (0.5, 2.0)  # the least and the most
DIVERGED = 0.9  # rate of convergence above which an iteration stops
ROUNDING = 1e-6  # of the tolerance, where a step must end at an event
LOWEST = 30.0  # roundings of the unknowns, below which an update is not asked to fall
NOISE = 4.0  # roundings of the equations, below which no update can be asked to fall
UNMEASURED = 5  # solutions in a row that may be accepted by a rate measured before
BEFORE = (np.inf, np.inf)  # sizes of the update before the first one
LEAST_NUMBER = float(np.finfo(float).tiny)


class ImplicitSolver:
    """Solve F(x, t) + a (Q(x, t) - q) = 0, with as few factorizations as converge.

    Attributes
    ----------
    tolerance : float
        Of the Newton iteration, in units of the error tolerance.
    max_iterations : int
    rate : float
        Of convergence, of the last iteration with this M.
    unmeasured : int
        Solutions since it was measured.
    """

    def __init__(
        self, system: EvolutionSystem, workspace: Workspace, weights: ErrorWeights
    ) -> None:
        self.system, self.weights = system, weights
        self.tolerance, self.max_iterations = 0.02, 4
        self.matrix = KeptMatrix(system, workspace)
        self._open: Vector | None = workspace.gauged(PURPOSE)
        self._usual = 1  # iterations, of the last solution
        self._nfev = self._nit = 0
        self._seconds = 0.0  # of residuals
        self.rate, self.unmeasured = 1.0, 0

    @property
    def counters(self) -> Counters:
        """The evaluations and iterations so far."""
        seconds = {"residual": self._seconds, "jacobian": self.matrix.seconds}
        return Counters(self._nfev, self.matrix.evaluations, self._nit, seconds)

    @property
    def is_plain(self) -> bool:
        """Whether all unknowns count in the norms, and are determined; no currents are recorded."""
        currents, skipped = self.system.currents, self.weights.skipped
        return currents is None and skipped is None and self._open is None

    def take(self, rate: float, unmeasured: int, nfev: int, nit: int) -> None:
        """Continue behind solutions that were found elsewhere, and count them."""
        self.rate, self.unmeasured = rate, unmeasured
        self._nfev, self._nit = self._nfev + nfev, self._nit + nit

    def count_residuals(self, count: int, seconds: float) -> None:
        """Count residuals that were evaluated elsewhere."""
        self._nfev, self._seconds = self._nfev + count, self._seconds + seconds

    @property
    def _stretches(self) -> bool:
        """Whether updates are stretched: not where currents need solutions of linear equations."""
        return self.system.currents is None

    def leveled(self, guess: Vector, x: Callable[[], Vector]) -> Vector:
        """Return a guess with the level of x along the directions that no equation determines.

        A correction has no component along them, so that a guess keeps its own.
        """
        V = self._open
        return guess if V is None else guess - V @ (V.T @ (guess - x()))

    def renew(self) -> None:
        """Evaluate J and C anew before the next solution: the equations have jumped."""
        self.matrix.forget()

    def advance(self) -> None:
        """Note that a step was accepted."""
        self.matrix.age += 1

    def solve(self, equation: Equation, x: Vector) -> Solved:
        """Solve from the guess x.

        The derivatives are evaluated anew where the iteration fails with old ones.
        """
        matrix = self.matrix
        fresh = not matrix.known or matrix.age >= MAX_AGE
        found = self._from(equation, x, fresh)
        if found.x is None and fresh:
            self.renew()  # derivatives far from the solution may hide that it is far
        if found.x is not None or fresh:
            return found
        iterations = found.iterations
        if matrix.age < YOUNG and abs(matrix.a0 - equation.a) > 0.1 * equation.a:
            matrix.a0 = 0.0
            found = self._from(equation, x, False)
            iterations += found.iterations
        if found.x is None:
            found = self._from(equation, x, True)
            iterations += found.iterations
            if found.x is None:
                self.renew()
        found.iterations = iterations
        return found

    @contextmanager
    def to_rounding(self) -> Iterator[None]:
        """Iterate far below the tolerance within a block of code, as far as rounding allows it."""
        kept = self.tolerance, self.max_iterations
        least = LOWEST * EPS / self.weights.rtol
        self.tolerance = min(kept[0], max(ROUNDING * kept[0], least))
        self.max_iterations = 2 * kept[1]
        try:
            yield
        finally:
            self.tolerance, self.max_iterations = kept

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
            lost = self.matrix.stored(lost)
        return self.matrix.solve(a * lost)

    def save(self) -> dict[str, Any]:
        """Return what a resumed run needs to compute the same."""
        return {**self.matrix.save(), "rate": self.rate, "unmeasured": self.unmeasured}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continue from what `save` returned."""
        self.matrix.restore(saved)
        self.rate, self.unmeasured = float(saved["rate"]), int(saved["unmeasured"])

    def _from(self, equation: Equation, x: Vector, renew: bool) -> Solved:
        """Iterate from x, with new derivatives if asked for, and with M where it is near enough."""
        matrix, (t, a, q) = self.matrix, (equation.t, equation.a, equation.q)
        failure = matrix.evaluate(t, x, a, q[: self.system.n]) if renew else ""
        serves = matrix.serves(a) if self.weights.skipped is None else matrix.a0 == a
        if renew:
            self.rate = 1.0
        if not failure and not serves:
            failure = matrix.factorize(a)
        return Solved(None, q, 0, failure) if failure else self._iterate(equation, x)

    def _iterate(self, equation: Equation, x: Vector) -> Solved:
        matrix, a, q = self.matrix, equation.a, equation.q
        relaxation, before = 2.0 / (1.0 + a / matrix.a0), BEFORE
        last: tuple[Vector, Vector] | None = None  # G and d
        for k in range(1, self.max_iterations + 1):
            as_written = self.system.as_written is not None and k >= self._usual
            found = self._residual(equation, x, as_written)
            if isinstance(found, str):
                return Solved(None, q, k, found)
            G, Q = found
            try:
                d = matrix.solve(G)
            except LinearSolveError as error:
                return Solved(None, q, k, f"the linear system could not be solved: {error}")
            self._nit += 1
            multiple = relaxation
            if last is not None and self._stretches:
                multiple *= _broyden_factor(last[1], relaxation * d, equation.weights)
            if multiple != 1.0:
                d *= multiple
            sizes = self._sizes(d, x, equation.weights)
            rate = self._rate(sizes, before)
            if self._converged(max(sizes), rate, k, a):
                if last and stalls(matrix, equation, self.tolerance, last, (G, x)):
                    return Solved(None, q, k, self.failure(diverged=True))
                if not (as_written or self.system.confirm(equation.t, x, a, q[: len(G)], G)):
                    before, last = BEFORE, None
                    continue
                self._usual = k
                return self._ended(equation, x, (G, Q, d), multiple, k)
            hopeless = not isfinite(max(sizes)) or self._hopeless(max(sizes), rate, k)
            if (hopeless or k == self.max_iterations) and self._is_noise(equation, x, sizes):
                return self._ended(equation, x, (G, Q, d), multiple, k)
            if hopeless:
                return Solved(None, q, k, self.failure(diverged=True))
            x, before, last = x - d, sizes, (G, d)
        return Solved(None, q, k, self.failure(diverged=False))

    def _sizes(self, d: Vector, x: Vector, weights: Vector) -> tuple[float, float]:
        """Return the norm of an update, and the size of what no norm shows of it."""
        size = self.weights.norm(d, weights)
        return size, 0.0 if self.weights.skipped is None else self.weights.change_of_skipped(d, x)

    def _rate(self, sizes: tuple[float, float], before: tuple[float, float]) -> float:
        """Return the rate at which updates fall; zero for the first one.

        Unknowns that are left out of the norms must fall for themselves: beside large updates of
        the others they would seem to.
        """
        (size, unseen), (size_before, unseen_before) = sizes, before
        rate = size / (size_before or LEAST_NUMBER)
        if unseen > LOWEST * EPS / self.weights.rtol:
            rate = max(rate, unseen / (unseen_before or LEAST_NUMBER))
        return rate

    def _is_noise(self, equation: Equation, x: Vector, sizes: tuple[float, float]) -> bool:
        """Whether an update, within the tolerance, is what rounding of the equations makes."""
        if not max(sizes) <= 1.0:
            return False
        try:
            noise = self.matrix.rounding(x, equation.a)
        except LinearSolveError:
            return False
        bounds = self._sizes(noise, x, equation.weights)
        return all(size <= NOISE * bound for size, bound in zip(sizes, bounds, strict=True))

    def failure(self, diverged: bool) -> str:
        """Return why an iteration failed."""
        if diverged:
            return "the Newton iteration diverged"
        return f"no convergence in {self.max_iterations} iterations"

    def _ended(
        self,
        equation: Equation,
        x: Vector,
        last: tuple[Vector, Vector, Vector],
        multiple: float,
        iterations: int,
    ) -> Solved:
        """Return the solution x - d, for `last` G, Q and d, with its linearized charge.

        Parameters
        ----------
        multiple : float
            Of the solution of the linear system that d is.
        """
        (_, Q, d), a = last, equation.a
        if self.system.currents is not None:
            return self._with_currents(equation, x, last, iterations)
        new = x - d
        if not self.system.conservative:
            return Solved(new, new, iterations)
        part = self.matrix.a0 / (a * multiple)
        change = self.matrix.stored(d)
        return Solved(new, Q - change if part == 1.0 else Q - part * change, iterations)

    def _with_currents(
        self, equation: Equation, x: Vector, last: tuple[Vector, Vector, Vector], iterations: int
    ) -> Solved:
        """Return the same with currents: for an update that solves the linearized equations."""
        (G, Q, d), a, q, n = last, equation.a, equation.q, self.system.n
        if self.system.conservative:
            try:
                d = self.matrix.refined(G, -d, a, self.weights, equation.weights)
            except LinearSolveError as error:
                reason = f"the linear system could not be solved: {error}"
                return Solved(None, q, iterations, reason)
            new, kept = x + d, Q + self.matrix.stored(d)
            g, h = self.matrix.currents.values(equation.t, x, d)
        else:
            new = kept = x - d
            g, h = self.matrix.currents.values(equation.t, new)
        currents = np.concatenate([g + a * (h - q[n:]), h])
        return Solved(new, np.concatenate([kept, h]), iterations, currents=currents)

    def _converged(self, size: float, measured: float, k: int, a: float) -> bool:
        """Whether the error that is left is within the tolerance; updates the rate.

        Parameters
        ----------
        measured : float
            The rate of the last two updates.
        """
        tiny = TINY * self.tolerance
        if k > 1:
            self.unmeasured = 0
        if k > 1 and not size < measured * tiny:  # else updates were of rounding
            least = FORGET * self.rate if self.rate < 1.0 else LEAST
            self.rate = max(least, measured)
        # Unknowns that no norm shows: a matrix that no longer fits makes small updates as well.
        unseen = self.weights.skipped is not None and self.matrix.age > 0
        due = k == 1 and self.matrix.age > 0 and (unseen or self.unmeasured >= UNMEASURED)
        if due and size > 0.0:
            return False
        if size <= tiny and not (unseen and measured > DIVERGED):
            self.unmeasured += k == 1
            return True
        # A matrix with another number than a contracts no faster than this, whatever was measured.
        a0 = self.matrix.a0
        rate = max(self.rate, abs(a0 - a) / (a0 + a))
        left = LEFT * rate * size if k > 1 and self._stretches else rate * size
        if not (rate < DIVERGED and left <= (1.0 - rate) * self.tolerance):
            return False
        self.unmeasured += k == 1
        return True

    def _hopeless(self, size: float, rate: float, k: int) -> bool:
        """Whether the iterations that are left cannot converge at the rate of the last one."""
        if rate > DIVERGED:
            return True
        if k == 1:
            return False
        return rate ** (self.max_iterations - k + 1) * size > (1.0 - rate) * self.tolerance

    def _residual(
        self, equation: Equation, x: Vector, as_written: bool
    ) -> tuple[Vector, Vector] | str:
        """Return G and Q, or what is wrong with them.

        Parameters
        ----------
        as_written : bool
            Evaluate the code of the user, which needs no confirmation: where the update is likely
            to be the last one.
        """
        self._nfev += 1
        q = equation.q[: self.system.n]
        written = self.system.as_written if as_written else None
        evaluate = self.system.residual if written is None else written
        start = perf_counter()
        try:
            G, Q = evaluate(equation.t, x, equation.a, q)
        except ArithmeticError as error:
            return f"the residual could not be evaluated: {error}"
        finally:
            self._seconds += perf_counter() - start
        if not isfinite(G.dot(G)):  # or finite numbers overflow
            bad = np.flatnonzero(~(np.isfinite(G) & np.isfinite(Q)))
            if len(bad):
                i = int(bad[0])
                what = "the residual" if np.isfinite(Q[i]) else "the storage"
                return f"{what} of equation {self.system.blocks.label(i)} is not finite"
        return G, Q


def _broyden_factor(last: Vector, d: Vector, weights: Vector) -> float:
    """Return the factor of an update that Broyden's method gives, after the last one."""
    scaled = last * weights
    square = float(scaled.dot(scaled))
    if square == 0.0:  # it was in unknowns that are left out
        return 1.0
    along = float(scaled.dot(d * weights)) / square
    return min(max(1.0 / (1.0 - along), STRETCH[0]), STRETCH[1]) if along < 1.0 else STRETCH[1]
