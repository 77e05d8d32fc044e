"""`LinearSolver`: systems of one pattern and many values, analyzed once, every solution checked.

`LinearSolver` equilibrates in place, keeps the analysis while the pattern is the same object,
refines, and measures the componentwise backward error. If that error is too large, it tries other
back ends, and raises if none gives an accurate solution.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arrays import DOUBLE
from ..errors import BackendError, LinearSolveError, OutOfMemoryError, ShapeError
from ..pattern import Pattern
from ..user_warnings import warn
from .checks.validation import right_hand_side
from .fallback_driver import FallbackDriver
from .large_factors import (
    LargeFactorsWarning,
    Prediction,
    out_of_memory,
    prediction,
    substitute,
    taking_less,
)
from .methods.backend import NUMERICAL, name_of
from .methods.choose import created, suited
from .prepared_matrix import Novelty, PreparedMatrix, PreparedValues
from .statistics import Statistics, Timed

STEP_TOLERANCE = 1e-4  # relative residual of a Newton step by an iterative back end
TRUSTED = 1e-13  # backward error of an answer after which others are not checked


class DirectParts(NamedTuple):
    """The equilibrated matrix of a `LinearSolver`, and its back end that is usable alone."""

    prepared: PreparedMatrix
    backend: Any


class LinearSolver:
    """Factorize and solve with matrices of one pattern.

    Parameters
    ----------
    pattern : Pattern, or matrix
        Square. Of a matrix, sparse or dense, the pattern is taken; its values go to `factorize`.
    backend : str or Backend
        One of `backends()`, an object with the methods of `Backend`, such as
        ``Pardiso(threads=2)``, or a class or function that makes one. Default ``"auto"``: dense
        for up to 40 unknowns; banded where the band is narrow, in the given order or after reverse
        Cuthill-McKee; dense for up to 200; else PARDISO, or SuperLU where PARDISO is not installed.
        A matrix of elliptic kind goes to multigrid, with a `LargeFactorsWarning`, where its factors
        would not fit into the memory, and where they would take far more operations and multigrid
        converges quickly.
    blocks : sequence of ndarray of int, or mapping of name to ndarray of int, optional
        Unknowns that belong together, for back ends that treat blocks apart (`Multigrid`).

    Attributes
    ----------
    backward_error : float
        Componentwise backward error of the last answer.
    stats : Statistics
        Counts and seconds.

    Raises
    ------
    ShapeError
        The pattern is not square, or empty.
    DataTypeError
        `pattern` is neither a pattern nor a matrix.
    BackendError
        The back end is unknown, or not installed.

    See Also
    --------
    backends : Names of the back ends.
    Problem : Takes ``backend=`` as well.

    Notes
    -----
    One solver serves one thread at a time; make one per thread.

    Examples
    --------
    >>> import numpy as np
    >>> import scipy.sparse as sp
    >>> from sgsolve.linear import LinearSolver
    >>> A = sp.diags_array([np.ones(99), np.full(100, -3.0), np.ones(99)], offsets=[-1, 0, 1])
    >>> A = sp.csr_array(A)
    >>> solver = LinearSolver(A)
    >>> solver.factorize(A)
    >>> x = solver.solve(np.ones(100))
    >>> solver.name, bool(solver.backward_error < 1e-15)
    ('banded', True)
    """

    def __init__(
        self, pattern: Any, backend: Any = "auto", blocks: Sequence[Any] | Mapping[str, Any] = ()
    ) -> None:
        pattern = Pattern.of(pattern)
        if pattern.shape[0] != pattern.shape[1] or pattern.shape[0] == 0:
            raise ShapeError(f"a linear system needs a square matrix, not {pattern.shape}")
        self.stats = Statistics()
        self.backward_error = float("nan")
        self._values = PreparedValues(pattern)
        self._blocks = tuple(blocks.values() if isinstance(blocks, Mapping) else blocks)
        free = backend == "auto"
        self._driver = FallbackDriver(
            created(backend, pattern, blocks),
            self.stats,
            partial(taking_less, blocks=self._blocks) if free else None,
        )
        # A pattern that grew has another size of band; only the automatic choice follows it.
        self._choose = suited if free else None
        self._trusted = False  # the last answer was accurate without a correction

    @property
    def pattern(self) -> Pattern:
        """The pattern: as given, or grown because a matrix left it."""
        return self._values.pattern

    @property
    def name(self) -> str:
        """Name of the back end that serves now."""
        return name_of(self._driver.active)

    @property
    def dense_borders(self) -> bool:
        """Whether a few dense rows and columns cost the back end nothing."""
        return bool(getattr(self._driver.active, "dense_borders", False))

    @property
    def operations(self) -> float:
        """Of a factorization, by the analysis; NaN before one, or if the back end counts none."""
        counted = (
            getattr(self._driver.active, "operations", math.nan) if self.stats.n_analyze else 0.0
        )
        return float(counted or math.nan)

    @property
    def factorized(self) -> bool:
        """Whether there is a factorization to solve with."""
        return self._driver.ready

    def factorize(self, A: Any) -> None:
        """Take the values of A and factorize them.

        Parameters
        ----------
        A : csr_array, shape (n, n)
            Any sparse or dense matrix is accepted; one whose index arrays are those of `pattern`
            costs no comparison. Entries outside the pattern make it grow.

        Raises
        ------
        SingularMatrixError
            No back end can factorize A; the message names equations and unknowns.
        LinearSolveError
            A holds NaN or infinity.
        OutOfMemoryError
            The factors do not fit into the memory.
        ShapeError, DataTypeError
            A is not the square matrix of numbers that the solver was made for.
        """
        with Timed(self.stats, "factor", self.out_of_memory):
            self._driver.ready = self._trusted = False
            prepared = self._take(A)
            self.stats.n_factor += 1
            try:
                self._driver.factorize(prepared)
            except OutOfMemoryError as error:
                self._factorize_otherwise(prepared, error)

    def solve(self, b: ArrayLike, *, transpose: bool = False) -> NDArray[Any]:
        """Return x with A x = b for the matrix that was factorized last.

        Parameters
        ----------
        b : array_like, shape (n,) or (n, k)
            Real or complex, in any memory order. It is not changed.
        transpose : bool
            Solve with A transposed (not conjugated) by the same factorization.

        Returns
        -------
        x : ndarray, shape of b

        Raises
        ------
        SingularMatrixError
            The matrix is singular to working precision.
        LinearSolveError
            No answer of sufficient accuracy was found, b is not finite, or nothing was factorized.
        ShapeError
            b does not have n rows.
        """
        return self._solved(b, transpose, step=False)

    def _solved(self, b: ArrayLike, transpose: bool, step: bool) -> NDArray[Any]:
        """Return the solution; as a step, also one along a nearly singular direction."""
        prepared = self._values.matrix
        if not self._driver.ready or prepared is None:
            raise LinearSolveError("there is no factorization: call factorize(A) first")
        b = right_hand_side(b, self.pattern.shape[0])
        if b.dtype.kind == "c" and prepared.values.dtype.kind != "c":
            x = self._solved(np.column_stack([b.real, b.imag]), transpose, step)
            half = x.shape[1] // 2
            joined: NDArray[Any] = x[:, :half] + 1j * x[:, half:]
            return joined.reshape(b.shape)
        with Timed(self.stats, "solve", self.out_of_memory):
            self.stats.n_solve += 1
            if b.size == 0:
                return b.astype(prepared.values.dtype)
            scaled = prepared.scale_right_hand_side(b, transpose)
            answer = self._driver.solve(prepared, scaled, transpose, step)
            self.backward_error = answer.error
            self._trusted = answer.steps == 0 and answer.error < TRUSTED
            return prepared.scale_solution(answer.x, transpose)

    def solve_again(self, b: NDArray[Any]) -> NDArray[Any]:
        """Return x with A x = b, without a check where the last answer needed no correction.

        For iterations that judge their own results, as Newton's method with a kept matrix does. The
        first answer with each factorization is checked as by `solve`.

        Parameters
        ----------
        b : ndarray of float, shape (n,)

        Returns
        -------
        x : ndarray, shape (n,)

        Raises
        ------
        LinearSolveError
            As in `solve`.
        """
        prepared = self._values.matrix
        if not self._trusted or prepared is None:
            return self.solve(b)
        self.stats.n_solve += 1
        start = perf_counter()
        scaled_b = prepared.scale_right_hand_side(b, False)
        x = prepared.answer(self._driver.active, scaled_b, False)
        scaled = prepared.scale_solution(x, False)
        self.stats.seconds["solve"] += perf_counter() - start
        return scaled

    def solve_step(self, b: NDArray[Any]) -> NDArray[Any]:
        """Return x with A x = b, as exact as a step of Newton's method has to be.

        An iterative back end stops at a relative residual of 1e-4: the iteration decides by
        residuals of its own, and repeats the step where that was not enough. Factors give the
        answer of `solve`, and one also where the matrix is so close to a singular one that no digit
        is known along one direction. The residual after the step decides then.

        Parameters
        ----------
        b : ndarray of float, shape (n,) or (n, k)

        Returns
        -------
        x : ndarray, shape of b

        Raises
        ------
        LinearSolveError
            As in `solve`.
        """
        prepared, backend = self._values.matrix, self._driver.active
        if not getattr(backend, "iterative", False) or prepared is None or not self.factorized:
            return self._solved(b, transpose=False, step=True)
        if b.ndim == 2:  # an iteration is one of a single right-hand side
            return np.column_stack([self.solve_step(column) for column in b.T])
        scaled = prepared.scale_right_hand_side(right_hand_side(b, self.pattern.shape[0]), False)
        left = math.inf
        with Timed(self.stats, "solve", self.out_of_memory), suppress(*NUMERICAL):
            y = backend.solve_to(scaled.copy(), STEP_TOLERANCE)
            left = float(np.linalg.norm(scaled - prepared.A @ y))
        if not left <= 2.0 * STEP_TOLERANCE * float(np.linalg.norm(scaled)):
            return self.solve(b)
        self.stats.n_solve += 1
        self.backward_error = float("nan")  # a rough answer has none that means anything
        return prepared.scale_solution(y, False)

    def direct_parts(self, pattern: Pattern) -> DirectParts | None:
        """Return what solves with LAPACK without this class; None where it takes more.

        Whoever factorizes and solves with the parts calls `note_factors` afterwards.
        """
        prepared, backend = self._values.matrix, self._driver.direct
        whole = self.pattern is pattern and self._values.analyzed is pattern
        if backend is None or prepared is None or not whole or prepared.values.dtype != DOUBLE:
            return None
        return DirectParts(prepared, backend)

    def note_factors(
        self,
        n_factor: int,
        n_solve: int,
        backward_error: float,
        seconds: Mapping[str, float],
        sound: bool = True,
    ) -> None:
        """Count factorizations and solves by the parts; not `sound`: the last one failed."""
        self.stats.n_factor += n_factor
        self.stats.n_solve += n_solve
        for phase in ("factor", "solve"):
            self.stats.seconds[phase] += seconds[phase]
        self.backward_error, self._trusted = backward_error, False
        self._driver.take_factors(sound)

    def slogdet(self) -> tuple[Any, float]:
        """Return the sign (phase of a complex matrix) and log|det A| of the factorized matrix.

        Raises
        ------
        BackendError
            The back end that serves cannot tell (PARDISO, mumps, multigrid); banded, dense and
            superlu can.
        """
        prepared = self._values.matrix
        if not self._driver.ready or prepared is None:
            raise LinearSolveError("there is no factorization: call factorize(A) first")
        if not hasattr(self._driver.active, "slogdet"):
            raise BackendError(
                f"{self.name} does not give a determinant; use 'banded', 'dense' or 'superlu'"
            )
        sign, log = self._driver.active.slogdet()
        return sign, float(log) - prepared.log_scale()

    def predict(self, A: Any) -> Prediction:
        """Return what a factorization of A would take; nothing is factorized.

        Parameters
        ----------
        A : as in `factorize`

        Returns
        -------
        Prediction
        """
        prepared, backend = self._take(A), self._driver.active
        backend.analyze(prepared.A)
        self._driver.renew()
        return prediction(backend, prepared, self._choose, self._blocks)

    def _factorize_otherwise(self, prepared: PreparedMatrix, error: OutOfMemoryError) -> None:
        """Let multigrid serve in place of factors that do not fit, or raise why it cannot."""
        active, blocks = self._driver.active, self._blocks
        other, text = substitute(error, active, prepared.A, self._choose, blocks)
        if other is None:
            raise OutOfMemoryError(text) from error
        warn(text, LargeFactorsWarning)
        self._driver.renew(other)
        self._driver.factorize(prepared)

    def out_of_memory(self, phase: str) -> OutOfMemoryError:
        """Return the error that the memory does not suffice for a phase."""
        return out_of_memory(phase, self._driver.active, self.pattern)

    def _take(self, A: Any) -> PreparedMatrix:
        """Take the values of A; choose and analyze anew where more than the values is new."""
        prepared, change = self._values.take(A)
        if change is not Novelty.VALUES:
            self.stats.n_grow += change is Novelty.GROWN
            choose = self._choose if change >= Novelty.PATTERN else None
            self._driver.renew(None if choose is None else choose(self._values.analyzed))
        return prepared

    def __repr__(self) -> str:
        n, nnz = self.pattern.shape[0], self.pattern.nnz
        return f"LinearSolver({self.name}, {n} unknowns, {nnz} entries)"
