"""LinearSolver: systems of one pattern and many values, analysed once, every answer checked.

One idea: the back end computes, this class vouches. It equilibrates in place, keeps the analysis
while the pattern is the same object, refines, measures the componentwise backward error, climbs
the ladder of other methods if that error is too large, and raises rather than hand out an answer
that is not one.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import BackendError, LinearSolveError, ShapeError, SingularMatrixError
from ..pattern import Pattern
from .accuracy import EPS, Answer, forward_error, refined, relaxed_error
from .intake import Intake, numeric
from .ladder import NUMERICAL, Fault, climb, reads_values
from .singular import diagnose
from .statistics import Statistics
from .system import Prepared

# A componentwise backward error above this is not an answer.
ACCEPT = 1e-10
# |x| larger than |b| by this factor, both equilibrated: look whether x has any correct digit.
GROWTH = 1e11
# An estimated forward error above this means that it has none.
NO_DIGITS = 1e-2
# Two solves in a row with more steps of refinement than this: the analysis is stale.
MANY_STEPS = 2


class LinearSolver:
    """Factorise and solve with matrices of one pattern; made by `auto` and `make`.

    Parameters
    ----------
    pattern : Pattern
        Square.
    backend : Backend

    Attributes
    ----------
    backward_error : float
        Componentwise backward error of the last answer.
    stats : Statistics

    Notes
    -----
    One solver serves one thread at a time; make one per thread.
    """

    def __init__(self, pattern: Pattern, backend: Any) -> None:
        if pattern.shape[0] != pattern.shape[1] or pattern.shape[0] == 0:
            raise ShapeError(f"a linear system needs a square matrix, not {pattern.shape}")
        self.stats = Statistics()
        self.backward_error = float("nan")
        self._intake = Intake(pattern)
        self._home = self._backend = backend
        self._prepared: Prepared | None = None
        self._ready = self._fresh = self._doubtful = False
        self._stale = True
        self._strained = 0

    @property
    def pattern(self) -> Pattern:
        """The pattern that is analysed: as given, or grown because a matrix left it."""
        return self._intake.pattern

    @property
    def name(self) -> str:
        """Name of the back end that serves now."""
        return str(getattr(self._backend, "name", type(self._backend).__name__))

    @property
    def factorized(self) -> bool:
        """Whether there is a factorisation to solve with."""
        return self._ready

    def factorize(self, A: Any) -> None:
        """Take the values of A and factorise them.

        Parameters
        ----------
        A : csr_array, shape (n, n)
            Any sparse or dense matrix is accepted; one whose index arrays are those of `pattern`
            costs no comparison. Entries outside the pattern make it grow.

        Raises
        ------
        SingularMatrixError
            No back end can factorise A; the message names equations and unknowns.
        LinearSolveError
            A holds NaN or infinity.
        ShapeError, DataTypeError
            A is not the square matrix of numbers that the solver was made for.
        """
        start, analysed = perf_counter(), self.stats.seconds["analyse"]
        self._ready = False
        prepared = self._take(A)
        self._backend = self._home
        self.stats.n_factor += 1
        try:
            self._factorize(self._backend, prepared, analyse=self._stale)
            self._stale = False
        except NUMERICAL as error:
            self._take_over(prepared, error)
        self._ready = True
        analysed = self.stats.seconds["analyse"] - analysed
        self.stats.seconds["factor"] += perf_counter() - start - analysed

    def solve(self, b: ArrayLike, *, transpose: bool = False) -> NDArray[Any]:
        """Return x with A x = b for the matrix that was factorised last.

        Parameters
        ----------
        b : array_like, shape (n,) or (n, k)
            Real or complex, in any memory order. It is not changed.
        transpose : bool
            Solve with A transposed (not conjugated) by the same factorisation.

        Returns
        -------
        x : ndarray, shape of b

        Raises
        ------
        SingularMatrixError
            The matrix is singular to working precision.
        LinearSolveError
            No answer of sufficient accuracy was found, b is not finite, or nothing was factorised.
        ShapeError
            b does not have n rows.
        """
        start = perf_counter()
        prepared = self._prepared
        if not self._ready or prepared is None:
            raise LinearSolveError("nothing to solve with: call factorize(A) first")
        b = self._right_hand_side(b)
        if b.dtype.kind == "c" and prepared.values.dtype.kind != "c":
            parts = np.column_stack([b.real, b.imag])
            x = self.solve(parts, transpose=transpose)
            half = x.shape[1] // 2
            joined: NDArray[Any] = x[:, :half] + 1j * x[:, half:]
            return joined.reshape(b.shape)
        self.stats.n_solve += 1
        if b.size == 0:
            return b.astype(prepared.values.dtype)
        scaled = prepared.scale_right_hand_side(b, transpose)
        with np.errstate(all="ignore"):
            answer, fault = self._attempt(prepared, scaled, transpose)
            if answer is None or fault is not None:
                answer = self._rescue(prepared, scaled, transpose, fault or Fault.BROKEN)
        self.backward_error = answer.error
        self._watch(answer)
        x = prepared.scale_solution(answer.x, transpose)
        self.stats.seconds["solve"] += perf_counter() - start
        return x

    def slogdet(self) -> tuple[Any, float]:
        """Return the sign (phase of a complex matrix) and log|det A| of the factorised matrix.

        Raises
        ------
        BackendError
            The back end that serves cannot tell (PARDISO, mumps, pyamg); banded, dense and
            superlu can.
        """
        prepared = self._prepared
        if not self._ready or prepared is None:
            raise LinearSolveError("no determinant yet: call factorize(A) first")
        if not hasattr(self._backend, "slogdet"):
            raise BackendError(
                f"{self.name} does not give a determinant; use 'banded', 'dense' or 'superlu'"
            )
        sign, log = self._backend.slogdet()
        return sign, float(log) - prepared.log_scale()

    def _take(self, A: Any) -> Prepared:
        """Bring the values of A, equilibrated, onto the pattern; prepare it if it is new."""
        before = self._intake.pattern
        data = self._intake.values(A)
        if self._intake.pattern is not before:
            self.stats.n_grow += 1
            self._prepared = None
        prepared = self._prepared
        if prepared is None or prepared.values.dtype != data.dtype:
            prepared = self._prepared = Prepared(self._intake.pattern, data.dtype)
            self._stale = True
        prepared.fill(data)
        return prepared

    def _factorize(self, backend: Any, prepared: Prepared, analyse: bool) -> None:
        """Drive the two verbs of a back end and see what its pivots say."""
        if analyse:
            start = perf_counter()
            backend.analyse(prepared.A)
            self.stats.n_analyse += 1
            self.stats.seconds["analyse"] += perf_counter() - start
        self._fresh = analyse
        backend.factorize(prepared.A)
        doubtful = getattr(backend, "doubtful", None)
        if doubtful is None:
            with np.errstate(all="ignore"):
                probe = prepared.system(backend, False).solve(prepared.signs.copy())
                doubtful = not np.maximum.reduce(np.abs(probe)) < GROWTH
        self._doubtful = doubtful

    def _attempt(
        self, prepared: Prepared, b: NDArray[Any], transpose: bool
    ) -> tuple[Answer | None, Fault | None]:
        """Solve with the present factorisation and judge the answer."""
        system = prepared.system(self._backend, transpose)
        size = np.abs(b)
        try:
            answer = refined(system, b, size)
        except NUMERICAL:
            return None, Fault.BROKEN
        self.stats.n_refine += answer.steps
        if not answer.error <= ACCEPT and not relaxed_error(system, answer) <= ACCEPT:
            return answer, Fault.INACCURATE
        grown = np.maximum.reduce(np.abs(answer.x)) > GROWTH * np.maximum.reduce(size)
        if self._doubtful or grown.any():
            noise = max(EPS, getattr(self._backend, "noise", 0.0))
            if forward_error(system, answer, prepared.signs, noise) > NO_DIGITS:
                return answer, Fault.NO_DIGITS
        return answer, None

    def _rescue(self, prepared: Prepared, b: NDArray[Any], transpose: bool, fault: Fault) -> Answer:
        """Climb the ladder until an answer holds; raise if none does."""
        first, last, error = fault, fault, float("inf")
        for maker in climb(self._backend, fault, len(prepared.signs), self._fresh):
            if self._climbed(maker, prepared) is not None:
                continue
            answer, now = self._attempt(prepared, b, transpose)
            if answer is not None and now is None:
                # A doubt that proved wrong says nothing against the back end of this pattern.
                if first is not Fault.NO_DIGITS:
                    self._home, self._stale = self._backend, False
                return answer
            last, error = now or Fault.BROKEN, answer.error if answer else error
        reason, solve = last.value, None
        if last is Fault.BROKEN:
            raise self._give_up(BackendError(f"{reason}: {self.name} cannot solve, nor can others"))
        if last is Fault.INACCURATE:
            reason += f": componentwise backward error {error:.1e} > {ACCEPT:.0e}"
        else:
            # These factors are of a nearly singular matrix: good enough for its null vectors.
            solve = self._backend.solve
        raise self._give_up(diagnose(prepared.A, reason, solve))

    def _take_over(self, prepared: Prepared, error: Exception) -> None:
        """Find a back end that can factorise at all; raise if there is none."""
        singular = isinstance(error, SingularMatrixError)
        fault = Fault.ZERO_PIVOT if singular else Fault.BROKEN
        failures = [error]
        for maker in climb(self._backend, fault, len(prepared.signs), self._fresh):
            failure = self._climbed(maker, prepared)
            if failure is None:
                if not singular:
                    self._home, self._stale = self._backend, False
                return
            failures.append(failure)
        if isinstance(failures[-1], SingularMatrixError):
            raise self._give_up(diagnose(prepared.A, str(failures[-1]))) from error
        reasons = "; ".join(str(failure) for failure in failures)
        raise self._give_up(BackendError(f"no back end can factorise: {reasons}")) from error

    def _climbed(self, maker: Callable[[], Any], prepared: Prepared) -> Exception | None:
        """Try to factorise with another back end, which then serves; return why it cannot."""
        try:
            backend = maker()
            self._factorize(backend, prepared, analyse=True)
        except NUMERICAL as error:
            return error
        self.stats.n_fallback += backend is not self._backend
        self._backend = backend
        return None

    def _give_up(self, error: LinearSolveError) -> LinearSolveError:
        """Be ready for other values: start again from the first choice, analysed anew."""
        self._ready, self._stale, self._backend = False, True, self._home
        return error

    def _watch(self, answer: Answer) -> None:
        """Ask for a new analysis when refinement has to work hard twice in a row."""
        self._strained = self._strained + 1 if answer.steps > MANY_STEPS else 0
        if self._strained >= 2 and reads_values(self._home) and not self._fresh:
            self._strained, self._stale = 0, True

    def _right_hand_side(self, b: ArrayLike) -> NDArray[Any]:
        n = self.pattern.shape[0]
        result = numeric(np.asarray(b))
        if result.ndim not in (1, 2) or result.shape[0] != n:
            raise ShapeError(f"b must have shape ({n},) or ({n}, k), not {result.shape}")
        if not np.isfinite(np.add.reduce(result, axis=None)) and not np.isfinite(result).all():
            raise LinearSolveError(
                "the right-hand side holds NaN or infinity: the residual overflowed there"
            )
        return result

    def __repr__(self) -> str:
        n, nnz = self.pattern.shape[0], self.pattern.nnz
        return f"LinearSolver({self.name}, {n} unknowns, {nnz} entries)"
