"""Linear systems with a matrix whose null space is known.

V is a basis of the null space of A, and U one of the null space of its transpose. The system with b
has solutions if U^T b = 0, and then one with V^H x = 0. Some k unknowns and k equations are taken
out by a border of unit vectors, [A E; E'^T 0], which is regular and as sparse as A. What b has
outside the range of A is removed before the solve, and what x has in the null space after it.

U is V where that serves, as in discretizations in which the gradient is the transpose of the
divergence. Otherwise one solve with the transposed matrix gives U from A and V. The null space may
turn from matrix to matrix, as with equations that are homogeneous in x: two solves then give both.

Reference: W. Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria (2000), section
3.2 (bordered matrices of rank defect k).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from ..arrays import Vector
from ..errors import LinearSolveError
from ..pattern import Pattern
from .frame import Frame
from .null_basis import annihilates
from .statistics import Statistics

NULL = 1e-9  # of the terms of a column, that u^T A may be; U was solved for
ROUNDING = 1e-13  # the same for V in place of U
REFUSED = 1e-6  # of its terms, that U^T b may be if the system with b has solutions
WORST = 0.1  # share of the smallest singular value of the best border at which another one serves


class Gauged:
    """A linear solver for a matrix with a known null space; the interface of `LinearSolver`.

    Parameters
    ----------
    pattern : Pattern, shape (n, n)
    V : ndarray, shape (n, k)
        Orthonormal; A V = 0 for the first matrix.
    make : callable
        ``make(pattern)`` -> the linear solver of the bordered matrix.

    Attributes
    ----------
    left : ndarray, shape (n, k)
        U, orthonormal, once `factorize` was called.
    """

    dense_borders = False  # a border goes by elimination: only `solve` keeps V^T x = 0

    def __init__(self, pattern: Pattern, V: Vector, make: Callable[[Pattern], Any]) -> None:
        self.pattern, self.V, self._make = pattern, V, make
        self._retired = Statistics()
        self._columns = _pivots(V)
        self._rows = self._columns
        self._border()
        self.left: Vector | None = None

    def _border(self) -> None:
        """Make the solver of the matrix with its border."""
        n, k = self.V.shape
        edge = np.arange(n, n + k)
        self._bordered, place = Pattern.from_coordinates(
            np.concatenate([self.pattern.rows, self._rows, edge]),
            np.concatenate([self.pattern.indices, edge, self._columns]),
            (n + k, n + k),
        )
        self._entries = place[: self.pattern.nnz].astype(np.intp)
        self._inner = self._make(self._bordered)

    @property
    def stats(self) -> Statistics:
        """Counts and seconds."""
        stats: Statistics = self._inner.stats
        return stats.joined(self._retired)

    @property
    def name(self) -> str:
        """Name of the back end that serves now."""
        return str(self._inner.name)

    @property
    def operations(self) -> float:
        """Of a factorization, by the analysis; NaN before one, or if the back end counts none."""
        return float(self._inner.operations)

    @property
    def factorized(self) -> bool:
        """Whether there is a factorization to solve with."""
        return bool(self._inner.factorized)

    @property
    def backward_error(self) -> float:
        """Componentwise backward error of the last answer."""
        return float(self._inner.backward_error)

    def factorize(self, A: Any) -> None:
        """Take the values of A, a ``csr_array`` on the pattern, and factorize."""
        if self.left is None:
            self.left = self.V if annihilates(A.T, self.V, ROUNDING) else self._left_basis(A)
            best = _pivots(self.left)
            if _least(self.left[self._rows]) < WORST * _least(self.left[best]):
                self._rows, self._retired = best, self.stats
                self._border()
        self._factorize(A)
        if not annihilates(A, self.V, NULL):
            self._turn(A)

    def _turn(self, A: Any) -> None:
        """Take the null vectors of this matrix in place of those before, if it has as many."""
        n, k = self.V.shape
        edge = np.vstack([np.zeros((n, k)), np.eye(k)])
        try:
            right, left = (self._inner.solve(edge, transpose=t)[:n] for t in (False, True))
        except LinearSolveError:
            return
        V, U = (np.linalg.qr(basis / np.abs(basis).max())[0] for basis in (right, left))
        if annihilates(A, V, NULL) and annihilates(A.T, U, NULL):
            self.V, self.left = V, U

    def _left_basis(self, A: Any) -> Vector:
        """Return an orthonormal basis of the null space of the transpose of A."""
        n, k = self.V.shape
        edge = np.vstack([np.zeros((n, k)), np.eye(k)])
        try:
            self._factorize(A)
            left = self._inner.solve(edge, transpose=True)[:n]
            basis: Vector = np.linalg.qr(left / np.abs(left).max())[0]
        except LinearSolveError:
            basis = np.full((n, k), np.nan)
        if np.isfinite(basis).all() and annihilates(A.T, basis, NULL):
            return basis
        frame = Frame(self.pattern, k)  # random numbers serve whatever U is
        solver = self._make(frame.pattern)
        below = np.hstack([self.V.T, np.zeros((k, k))])
        solver.factorize(frame.matrix(A, np.random.default_rng(0).standard_normal((n, k)), below))
        left = solver.solve(edge, transpose=True)[:n]
        self._retired = self._retired.joined(solver.stats)
        found: Vector = np.linalg.qr(left / np.abs(left).max())[0]
        return found

    def solve(self, b: Any, *, transpose: bool = False) -> Vector:
        """Return x with A x = b and V^T x = 0; transposed, with U^T x = 0."""
        found = partial(self._inner.solve, transpose=transpose)
        return self._solved(np.asarray(b), transpose, found)

    def solve_step(self, b: Vector) -> Vector:
        """Return x with A x = b and V^T x = 0, as exact as a step of Newton's method has to be."""
        return self._solved(b, False, self._inner.solve_step)

    def solve_again(self, b: Vector) -> Vector:
        """Return x with A x = b and V^T x = 0, for iterations that judge their own results."""
        return self._solved(b, False, self._inner.solve_again)

    def imbalance(self, b: Any) -> NDArray[Any]:
        """Return U^T b as parts of its terms, shape (m, k) for m columns of b, dense or sparse.

        A x = b has a solution where they are zero: what rounding leaves of them is set to zero.
        """
        if self.left is None:
            raise LinearSolveError("there is no factorization: call factorize(A) first")
        terms = np.atleast_2d(abs(b).T @ np.abs(self.left))
        left = np.atleast_2d(b.T @ self.left)
        parts: NDArray[Any] = np.divide(left, terms, out=np.zeros_like(left), where=terms > 0.0)
        parts[np.abs(parts) <= REFUSED] = 0.0
        return parts

    def slogdet(self) -> tuple[Any, float]:
        """Return sign and log|det| of [A conj(U); V^T 0]."""
        if self.left is None:
            raise LinearSolveError("there is no factorization: call factorize(A) first")
        sign, log = self._inner.slogdet()
        for basis, where in ((self.left, self._rows), (self.V, self._columns)):
            phase, size = np.linalg.slogdet(basis[where])
            sign, log = sign / phase, log - size
        return sign, float(log)

    def _solved(self, b: Vector, transpose: bool, solve: Callable[[Vector], Vector]) -> Vector:
        """Return the solution of least norm, by one of the solves of the bordered matrix."""
        if not self.factorized or self.left is None:
            raise LinearSolveError("there is no factorization: call factorize(A) first")
        left, right = (self.V, self.left) if transpose else (self.left, self.V)
        b = b - left.conj() @ (left.T @ b)
        edge = np.zeros((right.shape[1], *b.shape[1:]))
        x = solve(np.concatenate([b, edge]))[: len(b)]
        found: Vector = x - right @ (right.conj().T @ x)
        return found

    def _factorize(self, A: Any) -> None:
        data = np.ones(self._bordered.nnz, A.data.dtype)
        data[self._entries] = A.data
        self._inner.factorize(self._bordered.matrix(data))


def _pivots(basis: Vector) -> NDArray[np.intp]:
    """Return k rows of a basis, shape (n, k), whose square matrix is far from singular."""
    order = scipy.linalg.qr(basis.T, mode="r", pivoting=True)[1]
    return np.asarray(order[: basis.shape[1]], dtype=np.intp)


def _least(square: Vector) -> float:
    """Return the smallest singular value."""
    return float(np.linalg.svd(square, compute_uv=False).min())
