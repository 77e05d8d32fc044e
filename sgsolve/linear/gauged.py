"""Linear systems with a matrix whose null space is known.

V is a basis of the null space of A, and U one of the null space of its transpose. The matrix
[A U; V^T 0] is regular. Its solution for (b, 0) is the solution x of A x = b with V^T x = 0, if
there is one; otherwise U carries the part of b outside the range of A. U is V where that serves,
as in discretizations in which the gradient is the transpose of the divergence. Otherwise one solve
with a random U gives U from A and V.

Reference: W. Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria (2000), section
3.2 (bordered matrices of rank defect k).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import LinearSolveError
from ..pattern import Pattern
from .frame import Frame
from .null_basis import annihilates

Vector = NDArray[Any]

ROUNDING = 1e-13  # of the terms of a column, that u^T A may be


class Gauged:
    """A linear solver for a matrix with a known null space; the interface of `LinearSolver`.

    Parameters
    ----------
    pattern : Pattern, shape (n, n)
    V : ndarray, shape (n, k)
        Orthonormal; A V = 0.
    make : callable
        ``make(pattern)`` -> the linear solver of the bordered matrix.

    Attributes
    ----------
    left : ndarray, shape (n, k)
        U, once `factorize` was called.
    """

    dense_borders = False  # a border goes by elimination: only `solve` keeps V^T x = 0

    def __init__(self, pattern: Pattern, V: Vector, make: Callable[[Pattern], Any]) -> None:
        self.pattern, self.V = pattern, V
        self._frame = Frame(pattern, V.shape[1])
        self._inner = make(self._frame.pattern)
        self._below = np.hstack([V.T, np.zeros((V.shape[1], V.shape[1]))])
        self.left: Vector | None = None

    @property
    def stats(self) -> Any:
        """Counts and seconds."""
        return self._inner.stats

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
            self.left = self.V if annihilates(A.T, self.V, ROUNDING) else self._left_null_space(A)
        self._factorize(A, self.left.conj())

    def solve(self, b: Any, *, transpose: bool = False) -> Vector:
        """Return x with A x = b and V^T x = 0; transposed, with U^T x = 0."""
        b = np.asarray(b)
        n, k = self.V.shape
        if not self.factorized:
            raise LinearSolveError("there is no factorization: call factorize(A) first")
        x = self._inner.solve(np.concatenate([b, np.zeros((k, *b.shape[1:]))]), transpose=transpose)
        found: Vector = x[:n]
        return found

    def solve_step(self, b: Vector) -> Vector:
        """Return x with A x = b and V^T x = 0, as exact as a step of Newton's method has to be."""
        found: Vector = self._inner.solve_step(np.append(b, np.zeros(self.V.shape[1])))
        return found[: len(b)]

    def solve_again(self, b: Vector) -> Vector:
        """Return x with A x = b and V^T x = 0, for iterations that judge their own results."""
        found: Vector = self._inner.solve_again(np.append(b, np.zeros(self.V.shape[1])))
        return found[: len(b)]

    def slogdet(self) -> tuple[Any, float]:
        """Return sign and log|det| of the bordered matrix."""
        sign, log = self._inner.slogdet()
        return sign, float(log)

    def _left_null_space(self, A: Any) -> Vector:
        """Return an orthonormal basis of the null space of the transpose of A."""
        n, k = self.V.shape
        self._factorize(A, np.random.default_rng(0).standard_normal((n, k)))
        edge = np.vstack([np.zeros((n, k)), np.eye(k)])
        left = self._inner.solve(edge, transpose=True)[:n]
        basis: Vector = np.linalg.qr(left / np.abs(left).max())[0]
        return basis

    def _factorize(self, A: Any, U: Vector) -> None:
        self._inner.factorize(self._frame.matrix(A, U, self._below))
