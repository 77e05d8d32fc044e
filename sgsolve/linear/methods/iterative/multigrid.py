"""Algebraic multigrid through pyamg, for large problems of elliptic kind in 3-D.

Its memory grows with n only, while the factors of a direct solver in 3-D grow faster. It is an
iteration, which converges for matrices of elliptic kind. On others the solver's accuracy check
calls another back end. A singular but consistent system is noticed by the solver's probe, not in
steps of Newton's method, whose residual decides.

References: P. Vanek, J. Mandel, M. Brezina, Computing 56 (1996) 179 (smoothed aggregation);
J. Ruge, K. Stueben, in: Multigrid Methods (SIAM, 1987), chapter 4 (classical coarsening).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ....arrays import Vector
from ....errors import BackendError
from ....norms import norm2
from ..backend import is_complex
from .elliptic import not_elliptic
from .hierarchy import BlockGaussSeidel, Hierarchy, block_rows
from .iterative_backend import TOLERANCE, Slowdown, by_columns
from .krylov_methods import Operator, conjugate_gradients, gmres

MAX_CYCLES = 200
RESTART = 50
SYMMETRIC = 1e-12


class Multigrid:
    """Multigrid cycles as a preconditioner of CG (symmetric matrix) or GMRES.

    A scalar problem gets smoothed aggregation. A problem with blocks gets one sweep of Gauss-Seidel
    over the blocks, with classical multigrid for each: aggregation over unknowns of different kind
    fails on drift-diffusion equations. Levels of blocks are made in the units of the user, where
    constants are smooth. The transposed cycle serves the transposed matrix. The levels are kept
    while the values of the matrix change, until the number of iterations has grown by half.

    Equations with a negative diagonal entry change their sign first. A negative definite matrix,
    such as that of u'' = f, is therefore solved like its positive definite counterpart.

    Parameters
    ----------
    blocks : sequence of ndarray of int, optional
        Unknowns that belong together, such as all values of one field. A `Problem` with blocks
        gives its own. Unknowns in none of them are one more block.
    name : str
        Shown in results.

    Attributes
    ----------
    iterations : int
        Of the last solve.
    n_setup : int
        Number of times that levels were made.

    Raises
    ------
    BackendError
        pyamg is not installed, or the matrix is complex.

    See Also
    --------
    Banded, Dense, Mumps, Pardiso, SuperLU

    Examples
    --------
    A program that runs with and without pyamg:

    >>> from importlib.util import find_spec
    >>> from sgsolve import Problem
    >>> backend = "multigrid" if find_spec("pyamg") else "auto"
    >>> Problem(lambda x: x**2 - 4.0, backend=backend).solve([1.0, 3.0]).x.round(6)
    array([2., 2.])
    """

    reads_values = False
    doubtful = False
    iterative = True

    def __init__(self, blocks: Sequence[Any] = (), name: str = "multigrid") -> None:
        try:
            import pyamg
        except ImportError as error:
            raise BackendError(
                f"pyamg cannot be loaded ({error}); `pip install 'sgsolve[pyamg]'`, or use "
                "'superlu'"
            ) from error
        self._pyamg: Any = pyamg
        self.name = name
        self.blocks = tuple(np.asarray(block) for block in blocks)
        self.iterations = self.n_setup = 0
        self._drop_levels()
        self._A: Any = None
        self._signs: NDArray[np.float64] = np.ones(0)
        self._scales: tuple[Vector, Vector] | None = None
        self._symmetric = False

    def fresh(self) -> Multigrid:
        """Return another back end with the same blocks."""
        return type(self)(self.blocks, self.name)

    def obstacle(self, A: Any) -> str:
        """Return what about a matrix keeps multigrid from converging; empty if it is not known."""
        return not_elliptic(A, self.blocks)

    def take_scaling(self, row: Vector, column: Vector) -> None:
        """Take the factors of the equilibrated matrix; levels of other factors do not serve."""
        if self._scales is None or not all(map(np.array_equal, self._scales, (row, column))):
            self._drop_levels()
            self._scales = row.copy(), column.copy()

    def analyze(self, A: Any) -> None:
        """Drop the levels; nothing else depends on the pattern alone."""
        if is_complex(A):
            raise BackendError("multigrid serves real matrices only; use 'superlu' or 'pardiso'")
        self._drop_levels()

    def factorize(self, A: Any) -> None:
        """Take the values; make the levels where those of earlier values do not serve."""
        # pyamg takes the older class; its routines write into the index arrays.
        signs = np.where(A.diagonal() < 0.0, -1.0, 1.0)
        signed = sp.csr_matrix(A, copy=True)
        signed.data *= np.repeat(signs, np.diff(signed.indptr))
        difference = abs(signed - signed.T)
        symmetric = difference.nnz == 0 or bool(difference.max() <= SYMMETRIC)
        slow = any(progress.slow for progress in self._progress.values())
        if slow or symmetric != self._symmetric or not np.array_equal(signs, self._signs):
            self._drop_levels()
        self._A, self._signs, self._symmetric = signed, signs, symmetric
        self._cycle(False)

    def converges(self, b: Vector, tolerance: float, cycles: int) -> bool:
        """Whether so many cycles reach a relative residual for b, whatever the signs of rows.

        The residual is computed anew: that of the iteration itself is none for a singular matrix.
        """
        x, _ = self._krylov(False, b, tolerance, cycles)
        return bool(norm2(b - self._A @ x) <= 2.0 * tolerance * norm2(b))

    def solve(self, b: Vector, transpose: bool) -> Vector:
        """Iterate to a relative residual of 1e-12, column by column."""
        return by_columns(b, lambda column: self._solved(column, transpose, TOLERANCE))

    def solve_to(self, b: Vector, tolerance: float) -> Vector:
        """Return x with ``|b - A x| <= tolerance |b|``, for b of shape (n,), if it is reached."""
        return self._solved(b, False, tolerance)

    def _solved(self, b: Vector, transpose: bool, tolerance: float) -> Vector:
        # (S A) x = S b, and its transpose A^T S y = b with x = S y.
        if transpose:
            return self._iterate(not self._symmetric, b, tolerance) * self._signs
        return self._iterate(False, b * self._signs, tolerance)

    def _drop_levels(self) -> None:
        self._levels: Hierarchy | BlockGaussSeidel | None = None
        self._transposed: Hierarchy | BlockGaussSeidel | None = None
        self._progress = {False: Slowdown(), True: Slowdown()}

    def _iterate(self, transposed: bool, b: Vector, tolerance: float) -> Vector:
        """Iterate; repeat with new levels where those of earlier values converge slowly."""
        x, converged = self._krylov(transposed, b, tolerance)
        if self._progress[transposed].kept and not converged:
            self._drop_levels()
            x, converged = self._krylov(transposed, b, tolerance)
        self._progress[transposed].count(self.iterations, tolerance)
        return x

    def _krylov(
        self, transposed: bool, b: Vector, tolerance: float, cycles: int = MAX_CYCLES
    ) -> tuple[Vector, bool]:
        """Run CG, and GMRES where the matrix is not symmetric or CG shows it to be indefinite."""
        A = sp.csr_matrix(self._A.T) if transposed else self._A
        precondition, used = self._cycle(transposed), 0
        if self._symmetric and len(block_rows(self.blocks, len(b))) == 1:
            x, left, used = conjugate_gradients(A.dot, b, precondition, tolerance, cycles)
            if left <= tolerance:
                self.iterations = used
                return x, True
        restart = min(RESTART, len(b))
        x, left, more = gmres(A.dot, b, precondition, tolerance, restart, cycles)
        self.iterations = used + more
        return x, left <= tolerance

    def _cycle(self, transposed: bool) -> Operator:
        """Return one cycle with the kept levels, for the matrix or its transpose."""
        if self._levels is None:
            self.n_setup += 1
            try:
                self._levels = self._new_levels()
            except (ValueError, ArithmeticError) as error:  # LAPACK raises for levels with NaN
                raise BackendError(f"pyamg cannot set up its levels: {error}") from error
        if not transposed:
            return self._levels.apply
        if self._transposed is None:
            self._transposed = self._levels.transposed()
        return self._transposed.apply

    def _new_levels(self) -> Hierarchy | BlockGaussSeidel:
        rows = block_rows(self.blocks, self._A.shape[0])
        if len(rows) > 1:
            units = np.ones(self._A.shape[0]) if self._scales is None else self._scales[1]
            return BlockGaussSeidel(self._A, rows, self._pyamg, units)
        return Hierarchy(self._A, self._pyamg, aggregation=True, symmetric=self._symmetric)
