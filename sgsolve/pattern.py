"""`Pattern`: the sparsity pattern of a matrix, apart from its values.

Two matrices with the same `Pattern` object have the same structure, and no comparison is needed. An
analysis, an assembly plan or a scaling made for one therefore serves the other. `ad` fills the
values of a Jacobian on a pattern; `linear` analyzes a pattern once and factorizes many values.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from .arrays import DOUBLE
from .errors import DataTypeError, InputError, ShapeError
from .private_api import (
    add_csr_product,
    add_csr_products,
    add_transposed_product,
    add_transposed_products,
    csr_of_arrays,
    csr_with_data,
)

Indices = NDArray[np.int32]
# Up to here NumPy's sort takes less time than SciPy's checks of its arguments.
FEW_ENTRIES = 3000


class Pattern:
    """A fixed structure in compressed sparse row form, indices sorted within each row.

    Parameters
    ----------
    indptr : array_like of int, shape (m + 1,)
        Row i owns the entries ``indptr[i]:indptr[i + 1]``.
    indices : array_like of int, shape (nnz,)
        Column of each entry; strictly increasing within a row.
    shape : (int, int)
        Numbers of rows and columns.

    Raises
    ------
    ShapeError, InputError
        If the arrays do not describe a CSR structure with sorted, unique, valid columns.

    See Also
    --------
    ad.sparsity_pattern : The pattern of a derivative.
    Problem.sparsity : The pattern of a problem.
    linear.LinearSolver : Solves with matrices of one pattern.

    Examples
    --------
    >>> from sgsolve import Pattern
    >>> pattern = Pattern([0, 1, 3], [0, 0, 1], (2, 2))
    >>> pattern.matrix([1.0, 2.0, 3.0]).toarray()
    array([[1., 0.],
           [2., 3.]])
    """

    def __init__(self, indptr: ArrayLike, indices: ArrayLike, shape: tuple[int, int]) -> None:
        self.shape = (int(shape[0]), int(shape[1]))
        self.indptr: Indices = _frozen_copy(indptr)
        self.indices: Indices = _frozen_copy(indices)
        self.nnz = len(self.indices)
        self._check()
        ones = np.ones(self.nnz, dtype=np.int8)
        self._prototype = csr_of_arrays(ones, self.indices, self.indptr, self.shape)
        self._prototype.has_sorted_indices = self._prototype.has_canonical_format = True

    @classmethod
    def of(cls, matrix: Any) -> Pattern:
        """Return the pattern of a matrix; explicit zeros of a sparse one are entries.

        Parameters
        ----------
        matrix : SciPy sparse matrix or array, array_like of shape (m, n), or Pattern
            A pattern is returned as it is.

        Raises
        ------
        DataTypeError
            It is no matrix of numbers.
        """
        if isinstance(matrix, Pattern):
            return matrix
        csr: Any = None
        with suppress(TypeError, ValueError):
            csr = sp.csr_array(matrix, copy=True)
        if csr is None or csr.ndim != 2 or csr.dtype.kind not in "biufc":
            raise DataTypeError(
                "a pattern is taken from a matrix of numbers, sparse or dense, not from "
                f"{type(matrix).__name__} {matrix!r:.60}"
            )
        csr.data = np.ones(len(csr.data))
        csr.sum_duplicates()
        return cls(csr.indptr, csr.indices, csr.shape)

    @classmethod
    def from_coordinates(
        cls, rows: NDArray[Any], columns: NDArray[Any], shape: tuple[int, int]
    ) -> tuple[Pattern, Indices]:
        """Build a pattern from coordinates, duplicates allowed.

        Returns
        -------
        pattern : Pattern
        position : ndarray of int32, shape (len(rows),)
            The place in ``data`` of each coordinate that was given.
        """
        m = shape[0]
        count = len(rows)
        if count == 0:
            return cls(np.zeros(m + 1), [], shape), np.empty(0, dtype=np.int32)
        begin = np.zeros(m + 1, dtype=np.int32)
        np.cumsum(np.bincount(rows, minlength=m), out=begin[1:])
        order, c = _sorted_entries(rows, columns, begin, shape)
        first = np.ones(count, dtype=bool)
        np.not_equal(c[1:], c[:-1], out=first[1:])
        first[begin[:-1][np.diff(begin) > 0]] = True
        place = np.empty(count + 1, dtype=np.int32)
        place[0] = 0
        np.cumsum(first, out=place[1:])
        position = np.empty(count, dtype=np.int32)
        position[order] = place[1:]
        position -= 1
        return cls(place[begin], c[first], shape), position

    def matrix(self, data: ArrayLike) -> Any:
        """Return the ``csr_array`` with these values; index arrays are shared, nothing is checked.

        Parameters
        ----------
        data : array_like, shape (nnz,)
        """
        values = data if type(data) is np.ndarray else np.asarray(data)
        return csr_with_data(self._prototype, values)

    @cached_property
    def rows(self) -> Indices:
        """Row of every entry, shape (nnz,)."""
        counts = np.diff(self.indptr)
        return _frozen_copy(np.repeat(np.arange(self.shape[0], dtype=np.int32), counts))

    @cached_property
    def diagonal(self) -> Indices:
        """Places of the diagonal entries in the data, in the order of the rows."""
        return _frozen_copy(np.flatnonzero(self.indices == self.rows))

    @cached_property
    def empty_rows(self) -> NDArray[np.int64]:
        """Rows (equations) without an entry."""
        return np.flatnonzero(np.diff(self.indptr) == 0)

    @cached_property
    def empty_columns(self) -> NDArray[np.int64]:
        """Columns (unknowns) without an entry."""
        return np.flatnonzero(np.bincount(self.indices, minlength=self.shape[1]) == 0)

    @cached_property
    def bandwidth(self) -> tuple[int, int]:
        """Number of sub- and superdiagonals in use, ``(lower, upper)``."""
        if self.nnz == 0:
            return 0, 0
        offset = self.indices.astype(np.int64) - self.rows
        return max(0, int(-offset.min())), max(0, int(offset.max()))

    def equals(self, other: Pattern) -> bool:
        """Whether both describe the same structure; immediate for the same object."""
        return self is other or (
            self.shape == other.shape
            and self.nnz == other.nnz
            and np.array_equal(self.indptr, other.indptr)
            and np.array_equal(self.indices, other.indices)
        )

    def union(self, other: Pattern) -> Pattern:
        """Return the pattern that holds the entries of both; self if it holds them already."""
        if self.shape != other.shape:
            raise ShapeError(f"patterns of shape {self.shape} and {other.shape} have no union")
        holds_diagonal = len(self.diagonal) == min(self.shape)
        if self.equals(other) or (holds_diagonal and len(other.diagonal) == other.nnz):
            return self
        both = self._filled_with_ones() + other._filled_with_ones()
        return self if both.nnz == self.nnz else Pattern(both.indptr, both.indices, self.shape)

    def with_diagonal(self) -> Pattern:
        """Return the pattern with every diagonal entry added; self if they are there already."""
        if len(self.diagonal) == min(self.shape):
            return self
        k = np.arange(min(self.shape), dtype=np.int32)
        diagonal, _ = Pattern.from_coordinates(k, k, self.shape)
        return self.union(diagonal)

    def positions(self, other: Pattern) -> NDArray[np.int64]:
        """Place in this pattern's data of every entry of `other`; -1 where there is none."""
        if self.equals(other):
            return np.arange(self.nnz)
        # Where all entries are here too, their numbers are the products of one pass over both.
        numbered = self.matrix(np.arange(1, self.nnz + 1, dtype=np.int32))
        common = numbered.multiply(other._filled_with_ones())
        if common.nnz == other.nnz:
            numbers: NDArray[np.int64] = common.data.astype(np.int64)
            return numbers - 1
        rows = np.concatenate([self.rows, other.rows])
        columns = np.concatenate([self.indices, other.indices])
        joined, position = Pattern.from_coordinates(rows, columns, self.shape)
        place = np.full(joined.nnz, -1)
        place[position[: self.nnz]] = np.arange(self.nnz)
        return place[position[self.nnz :]]

    def _filled_with_ones(self) -> Any:
        return self.matrix(np.ones(self.nnz, dtype=np.int8))

    def _check(self) -> None:
        m, n = self.shape
        if len(self.indptr) != m + 1 or self.indptr[0] != 0 or self.indptr[-1] != self.nnz:
            raise ShapeError(
                f"indptr must have {m + 1} entries from 0 to {self.nnz} for {m} rows and "
                f"{self.nnz} indices"
            )
        if np.any(np.diff(self.indptr) < 0):
            raise InputError("indptr decreases: it is not a CSR structure")
        if self.nnz == 0:
            return
        if self.indices.min() < 0 or self.indices.max() >= n:
            raise InputError(f"indices must lie in 0..{n - 1}, the columns of shape {self.shape}")
        step = np.diff(self.indices) > 0
        starts = self.indptr[1:-1]
        step[starts[(starts > 0) & (starts < self.nnz)] - 1] = True
        if not step.all():
            raise InputError("indices must increase within each row; use Pattern.of(matrix)")

    def __repr__(self) -> str:
        return f"Pattern({self.shape[0]} x {self.shape[1]}, {self.nnz} entries)"


def _frozen_copy(values: ArrayLike) -> Indices:
    """Return a private, read-only int32 copy."""
    given = np.asarray(values)
    if given.dtype.kind not in "iu" and not (
        given.dtype.kind == "f" and np.isfinite(given).all() and (given == np.rint(given)).all()
    ):
        raise InputError("indptr and indices of a Pattern must be integers")
    result = np.array(given, dtype=np.int32)
    result.flags.writeable = False
    return result


def _sorted_entries(
    rows: NDArray[Any], columns: NDArray[Any], begin: Indices, shape: tuple[int, int]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the order of entries by row and column, and their columns in this order."""
    if len(rows) <= FEW_ENTRIES:
        few = np.argsort(rows.astype(np.int64) * shape[1] + columns, kind="stable")
        return few, columns[few]
    order: NDArray[Any] = counting_sort(rows, shape[0])
    # Each entry carries its number while SciPy sorts the short rows by column.
    entries = sp.csr_array(
        (order, columns.astype(np.int32, copy=False)[order], begin), shape=shape, copy=False
    )
    entries.sort_indices()
    return entries.data, entries.indices


def matrix_product(matrix: Any, x: NDArray[Any]) -> Any:
    """Return ``matrix @ x`` for x of shape (n,) or (n, k).

    For a small matrix of double precision in CSR or CSC format it takes a fifth of the time.
    """
    in_rows = isinstance(matrix, sp.csr_array)
    if not (in_rows or isinstance(matrix, sp.csc_array)) or _left_to_scipy(matrix, x, 1):
        return matrix @ x
    y = np.zeros((matrix.shape[0], *x.shape[1:]))
    _ADD_PRODUCT[in_rows, x.ndim](matrix, x, y)
    return y


def transposed_product(matrix: Any, x: NDArray[Any]) -> Any:
    """Return ``matrix.T @ x`` for x of shape (n,) or (n, k).

    For a small CSR matrix of double precision it takes a tenth of the time.
    """
    if not isinstance(matrix, sp.csr_array) or _left_to_scipy(matrix, x, 0):
        return matrix.T @ x
    y = np.zeros((matrix.shape[1], *x.shape[1:]))
    _ADD_PRODUCT[False, x.ndim](matrix, x, y)
    return y


# By whether the rows are stored one after the other, and the number of dimensions of x.
_ADD_PRODUCT = {
    (True, 1): add_csr_product,
    (True, 2): add_csr_products,
    (False, 1): add_transposed_product,
    (False, 2): add_transposed_products,
}


def _left_to_scipy(matrix: Any, x: NDArray[Any], axis: int) -> bool:
    """Whether the types or the shapes are not those of the fast products along an axis."""
    return (
        x.dtype is not DOUBLE
        or matrix.data.dtype is not DOUBLE
        or not 1 <= x.ndim <= 2
        or x.shape[0] != matrix.shape[axis]
    )


def counting_sort(key: NDArray[Any], size: int) -> Indices:
    """Return the stable permutation that sorts integers in ``0..size - 1``, in linear time.

    SciPy's CSR to CSC conversion is such a sort, compiled; with one entry a row, its row indices
    are the permutation.
    """
    count = len(key)
    order: Indices
    if count <= FEW_ENTRIES:
        order = np.argsort(key, kind="stable").astype(np.int32)
        return order
    one_each = sp.csr_array(
        (
            np.ones(count, dtype=np.int8),
            key.astype(np.int32, copy=False),
            np.arange(count + 1, dtype=np.int32),
        ),
        shape=(count, size),
    )
    order = one_each.tocsc().indices
    return order
