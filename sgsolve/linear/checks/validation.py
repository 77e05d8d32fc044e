"""Check matrices and right-hand sides, and bring values into the order of the analyzed pattern.

The same index arrays mean the same pattern, by identity, at no cost. Others are compared with
private copies, because flags such as `has_sorted_indices` may be stale, and PARDISO returns wrong
numbers without an error where the pattern changed.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray
from scipy.linalg.blas import ddot

from ...arrays import DOUBLE
from ...errors import DataTypeError, LinearSolveError, ShapeError
from ...norms import THREADED
from ...pattern import Pattern
from ...private_api import quiet


class PatternMap:
    """Brings matrices onto one pattern, which grows if a matrix leaves it.

    Attributes
    ----------
    pattern : Pattern
        Square; replaced by the union when a matrix has entries outside.
    """

    def __init__(self, pattern: Pattern) -> None:
        self.pattern = pattern
        self._forget()

    def values(self, A: Any) -> NDArray[Any]:
        """Return the values of A on `pattern`, shape (nnz,), float64 or complex128.

        Look at `pattern` afterwards: it is another object if it had to grow.
        """
        pattern = self.pattern
        if getattr(A, "indices", None) is pattern.indices and A.indptr is pattern.indptr:
            return numeric(A.data)
        A = self._as_csr(A)
        known = self._known
        if known is None or not _same_pattern(A, *known):
            known = self._learn(A)
        target = self._place
        data = numeric(A.data)
        if target is None:
            return data
        result = np.zeros(self.pattern.nnz, dtype=data.dtype)
        np.add.at(result, target, data)
        return result

    def _forget(self) -> None:
        self._known: tuple[NDArray[Any], NDArray[Any]] | None = (
            self.pattern.indptr,
            self.pattern.indices,
        )
        self._place: NDArray[np.int64] | None = None

    def _learn(self, A: Any) -> tuple[NDArray[Any], NDArray[Any]]:
        """Find the place of every entry of a matrix with other index arrays."""
        pattern = self.pattern
        if _same_pattern(A, pattern.indptr, pattern.indices):
            self._forget()
            return pattern.indptr, pattern.indices
        rows = np.repeat(np.arange(A.shape[0]), np.diff(A.indptr))
        own, position = Pattern.from_coordinates(rows, A.indices, pattern.shape)
        self.pattern = pattern.union(own)
        self._place = self.pattern.positions(own)[position]
        self._known = (A.indptr.copy(), A.indices.copy())
        return self._known

    def _as_csr(self, matrix: object) -> Any:
        A: Any = matrix
        sparse = bool(sp.issparse(A))
        if not (sparse or isinstance(A, np.ndarray)):
            raise DataTypeError(
                f"the matrix must be a SciPy sparse array or an ndarray, not {type(A).__name__}"
            )
        if A.shape != self.pattern.shape:
            raise ShapeError(
                f"the matrix has shape {A.shape}, but the solver was made for {self.pattern.shape}"
            )
        if not sparse:
            numeric(A)  # SciPy would reject other kinds with a less helpful error
        # Storage may hold more than indptr says, and a stale one may hold less.
        csr: Any = A if sparse and A.format == "csr" else sp.csr_array(A)
        used = int(csr.indptr[-1])
        if len(csr.data) == used and len(csr.indices) == used:
            return csr
        return sp.csr_array((csr.data[:used], csr.indices[:used], csr.indptr), shape=A.shape)


def numeric(values: NDArray[Any]) -> NDArray[Any]:
    """Return values as float64 or complex128.

    Raises
    ------
    DataTypeError
        They are not numbers.
    """
    if values.dtype == np.float64 or values.dtype == np.complex128:
        return values
    if values.dtype.kind not in "biufc":
        raise DataTypeError(f"a linear system needs numbers, not values of dtype {values.dtype}")
    return values.astype(np.complex128 if values.dtype.kind == "c" else np.float64)


def right_hand_side(b: ArrayLike, n: int) -> NDArray[Any]:
    """Return b as a finite float64 or complex128 array of shape (n,) or (n, k).

    Raises
    ------
    ShapeError, DataTypeError, LinearSolveError
        It is not one.
    """
    if isinstance(b, np.ndarray) and b.dtype is DOUBLE and b.shape == (n,) and n < THREADED:
        finite = isfinite(ddot(b, b))  # without the warnings of NumPy's product
        if finite and type(b) is np.ndarray:
            return b
    result = numeric(np.asarray(b))
    if result.ndim not in (1, 2) or result.shape[0] != n:
        raise ShapeError(f"b must have shape ({n},) or ({n}, k), not {result.shape}")
    # A finite sum proves finite terms; only an overflow of the sum itself needs the second look.
    with quiet():
        total = np.add.reduce(result, axis=None)
    if not isfinite(abs(total)) and not np.isfinite(result).all():
        raise LinearSolveError(
            "the right-hand side holds NaN or infinity: the residual overflowed there"
        )
    return result


def _same_pattern(A: Any, indptr: NDArray[Any], indices: NDArray[Any]) -> bool:
    return (
        len(A.indices) == len(indices)
        and np.array_equal(A.indptr, indptr)
        and np.array_equal(A.indices, indices)
    )
