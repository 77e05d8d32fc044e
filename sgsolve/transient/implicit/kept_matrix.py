"""The matrix of a time step, M = J + a C, kept as long as Newton's iteration converges with it.

J and C are evaluated, and M is factorized, at an earlier step: with an earlier number a0 instead
of a. Both are renewed apart: a new a needs no new derivatives.

Reference: A. C. Hindmarsh et al., ACM Trans. Math. Softw. 31 (2005) 363, section 2.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Any

import numpy as np

from ...arrays import EPS, Vector
from ...errors import LinearSolveError
from ...linear.solver import DirectParts
from ...pattern import Pattern
from ...solvers.state.workspace import Workspace
from ..currents import LinearizedCurrents
from ..error_weights import ErrorWeights
from ..evolution import PURPOSE, Derivatives, EvolutionSystem

RATIO = 0.7  # M is factorized anew where a0 / a leaves (RATIO, 1 / RATIO)
EXACT = 1e-12  # an update this small, in units of the tolerance, changes no current
REFINEMENTS = 25  # at most; each takes a factor (1 - RATIO) / (1 + RATIO) or less


class KeptMatrix:
    """J, C and the factors of J + a0 C.

    Attributes
    ----------
    a0 : float
        With which M is factorized; 0: not at all.
    age : int
        Steps since J and C were evaluated.
    evaluations : int
        Of J and C.
    seconds : float
        That these took.
    derivatives : Derivatives or None
        J and C; None: they are not known.
    currents : LinearizedCurrents
        With derivatives at the same state as J and C.
    capacities : ndarray, shape (n,)
        Magnitudes of the diagonal of C.
    scales : ndarray of shape (2, n), or None
        By which loops that factorize M multiply its rows and columns; None: not known.
    """

    def __init__(self, system: EvolutionSystem, workspace: Workspace) -> None:
        self.system = system
        self.a0, self.age, self.evaluations = 0.0, 0, 0
        self.seconds = 0.0
        self.currents = LinearizedCurrents(system.currents)
        self.scales: Vector | None = None
        self._solver: Any = workspace.solver(system.pattern, PURPOSE)
        self.derivatives: Derivatives | None = None
        self._C: Any = None
        self.capacities: Vector = np.zeros(system.n)
        self._diagonal: Vector | None = None  # of C, where C has nothing else
        self._is_behind = False  # M was factorized elsewhere: the factors here are older

    @property
    def known(self) -> bool:
        """Whether J and C have been evaluated."""
        return self.derivatives is not None

    def forget(self) -> None:
        """Evaluate J and C anew before the next solution: the equations have jumped."""
        self.derivatives, self.a0, self.age = None, 0.0, 0

    def release(self) -> None:
        """Factorize M anew before the next solution: its factors made room for another matrix."""
        self.a0 = 0.0

    def serves(self, a: float) -> bool:
        """Whether the factors are near enough for this number."""
        return bool(self.a0) and RATIO < self.a0 / a < 1.0 / RATIO

    def evaluate(self, t: float, x: Vector, a: float, q: Vector) -> str:
        """Evaluate J and C; return what is wrong with them, or an empty text."""
        self.evaluations += 1
        self.forget()
        start = perf_counter()
        try:
            found = self.system.derivatives(t, x, a, q)
        except ArithmeticError as error:
            return f"the derivatives could not be evaluated: {error}"
        finally:
            self.seconds += perf_counter() - start
        bad = np.flatnonzero(~(np.isfinite(found.J) & np.isfinite(found.C)))
        if len(bad):
            row = self.system.blocks.label(int(self.system.pattern.rows[bad[0]]))
            return f"the derivatives of equation {row} are not finite at the predicted state"
        self._take(found)
        self.currents.evaluate(t, x)
        return ""

    def _take(self, found: Derivatives) -> None:
        pattern = self.system.pattern
        self.derivatives, self._C = found, pattern.matrix(found.C)
        on_diagonal = pattern.rows == pattern.indices
        only = np.count_nonzero(found.C) == np.count_nonzero(found.C[on_diagonal])
        diagonal = found.C[on_diagonal]
        self.capacities, self._diagonal = np.abs(diagonal), diagonal if only else None

    def factorize(self, a: float) -> str:
        """Factorize M with this number; return what is wrong with it, or an empty text."""
        assert self.derivatives is not None
        M = self.system.pattern.matrix(self.derivatives.J + a * self.derivatives.C)
        self.a0, self._is_behind = 0.0, False
        try:
            self._solver.factorize(M)
        except LinearSolveError as error:
            return f"the matrix of the time step cannot be factorized: {error}"
        self.a0 = a
        return ""

    def solve(self, b: Vector) -> Vector:
        """Return M^-1 b with the factors at hand; raises `LinearSolveError`."""
        if self._is_behind:
            failure = self.factorize(self.a0)
            if failure:
                raise LinearSolveError(failure)
        found: Vector = self._solver.solve_again(b)
        return found

    @property
    def analyzed(self) -> Pattern:
        """The pattern that the linear solver keeps: an equal one of an earlier run, perhaps."""
        pattern: Pattern = self._solver.pattern
        return pattern

    def direct_parts(self) -> DirectParts | None:
        """Return what solves with LAPACK alone; None where it takes more."""
        own, kept = self.system.pattern, self.analyzed
        if own is not kept and not own.equals(kept):
            return None
        found: DirectParts | None = self._solver.direct_parts(kept)
        return found

    def take(self, a0: float, age: int, n_factor: int, n_solve: int) -> None:
        """Continue behind steps that were made elsewhere, with factors of M for a0."""
        self._is_behind = self._is_behind or a0 != self.a0
        self.a0, self.age = a0, age
        self._solver.stats.n_factor += n_factor
        self._solver.stats.n_solve += n_solve

    def stored(self, d: Vector) -> Vector:
        """Return C d."""
        return self._C @ d if self._diagonal is None else self._diagonal * d

    def rounding(self, x: Vector, a: float) -> Vector:
        """Return about the change of the unknowns by rounding of F and Q, where terms cancel.

        Raises
        ------
        LinearSolveError
            The linear system could not be solved.
        """
        return self.solve(EPS * (self.terms(a) @ np.abs(x)))

    def terms(self, a: float) -> Any:
        """Return the sparse matrix ``|J| + a |C|``, of the magnitudes of terms."""
        assert self.derivatives is not None
        terms = np.abs(self.derivatives.J) + a * np.abs(self.derivatives.C)
        return self.system.pattern.matrix(terms)

    def refined(
        self, G: Vector, d: Vector, a: float, error_weights: ErrorWeights, weights: Vector
    ) -> Vector:
        """Solve (J + a C) d = -G to rounding, from an approximation of d, with the factors at hand.

        Raises
        ------
        LinearSolveError
            A linear system could not be solved.
        """
        assert self.derivatives is not None
        M = self.system.pattern.matrix(self.derivatives.J + a * self.derivatives.C)
        relaxation = 2.0 / (1.0 + a / self.a0)
        for _ in range(REFINEMENTS):
            change = -relaxation * self.solve(G + M @ d)
            d = d + change
            if not error_weights.norm(change, weights) > EXACT:
                break
        return d

    def save(self) -> dict[str, Any]:
        """Return what a resumed run needs to compute the same."""
        known = self.derivatives
        held: dict[str, Any] = {} if known is None else {"J": known.J, "C": known.C}
        if self.scales is not None:
            held["scales"] = self.scales
        return {**held, **self.currents.save(), "a0": self.a0, "age": self.age}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continue from what `save` returned; M is factorized anew if it has changed."""
        a0, known = float(saved["a0"]), self.derivatives
        same = known is not None and saved.get("J") is known.J and a0 == self.a0
        if not same:
            self.forget()
            if "J" in saved:
                self._take(Derivatives(np.array(saved["J"]), np.array(saved["C"])))
                self.currents.restore(saved)
                if a0:
                    self.factorize(a0)
        self.age, self.scales = int(saved["age"]), saved.get("scales")
