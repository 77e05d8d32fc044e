"""Products of a constant matrix with a derivative that has many coefficients in each row.

``A @ y`` mostly makes one structure: each coefficient of y stands in it once for every entry in
its column of A. Where y depends on many unknowns (integral equations, spectral methods, layers of
a network), those are n^3 entries for a result with n^2. Here the coefficients of the result are
computed from those of y in every evaluation, by a product of full matrices (BLAS), or by one with
a sparse matrix that holds what multiplies each of them.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ...private_api import csr_of_arrays
from .structure import Structure

# Smaller products are made once, as a structure.
LARGE = 1 << 18
# So are those that have at most this many times the entries of the result.
SURPLUS = 4
# A multiplication of sparse matrices takes the time of this many of full ones.
SPARSE_COST = 30
# More multiplications than these are not held: 12 bytes each, and 40 while they are found.
MOST_HELD = 1 << 24


class LargeProduct:
    """A constant matrix times a structure without weights.

    Attributes
    ----------
    structure : Structure or None
        Of the result, with one coefficient for each entry; None: it is no large product.
    used : int
        Last evaluation that asked.
    """

    __slots__ = (
        "_columns",
        "_full",
        "_left",
        "_places",
        "_shape",
        "_sums",
        "children",
        "structure",
        "used",
    )

    def __init__(self, g: Structure, csr: Any, unknowns: int) -> None:
        self.used = g.root.clock
        self.children: dict[Hashable, Any] = {}
        self.structure: Structure | None = None
        rows, cols, _, _ = g.entries()
        count = int(np.bincount(csr.indices, minlength=csr.shape[1])[rows].sum())
        if count <= LARGE:
            return
        self._shape = (csr.shape[1], unknowns)
        self._columns = rows.astype(np.int64), cols
        right = self._matrix(np.ones(len(cols), dtype=np.float32))
        pattern = pattern_of_product(csr, right, count)
        if count <= SURPLUS * pattern.nnz:
            return
        self._full = SPARSE_COST * count > csr.shape[0] * self._shape[0] * unknowns
        row_of_entry = np.repeat(np.arange(csr.shape[0]), np.diff(pattern.indptr))
        self._places = row_of_entry * unknowns + pattern.indices
        self._left = csr.toarray() if self._full else csr
        self._sums = None if self._full or count > MOST_HELD else self._sums_of(csr)
        self.structure = g.root.placement(row_of_entry, pattern.indices, csr.shape[0])

    def values(self, coefficients: NDArray[Any]) -> NDArray[Any]:
        """Return the coefficients of the result from those of the structure."""
        if self._sums is not None:
            sums: NDArray[Any] = self._sums @ coefficients
            return sums
        right = self._matrix(coefficients)
        if self._full and np.isfinite(coefficients).all():
            product: NDArray[Any] = (self._left @ right.toarray()).ravel()
            return product if len(product) == len(self._places) else product.take(self._places)
        return values_of_product(sp.csr_array(self._left), right, self._places)

    def _sums_of(self, csr: Any) -> Any:
        """Return the matrix from coefficients to entries of the result, in the order of `csr`."""
        rows, cols = self._columns
        known = np.flatnonzero(cols >= 0)
        known = known[np.argsort(rows[known], kind="stable")]
        counts = np.bincount(rows[known], minlength=csr.shape[1])
        begin, number = (np.cumsum(counts) - counts)[csr.indices], counts[csr.indices]
        first = np.repeat(begin - np.cumsum(number) + number, number)
        source = known[first + np.arange(len(first))]
        row = np.repeat(np.repeat(np.arange(csr.shape[0]), np.diff(csr.indptr)), number)
        entry = np.searchsorted(self._places, row * self._shape[1] + cols[source])
        order = np.argsort(entry, kind="stable")
        indptr = np.cumsum(np.bincount(entry + 1, minlength=len(self._places) + 1), dtype=np.int32)
        weights = np.repeat(csr.data, number)[order]
        shape = (len(self._places), len(cols))
        return csr_of_arrays(weights, source[order].astype(np.int32), indptr, shape)

    def _matrix(self, coefficients: NDArray[Any]) -> Any:
        rows, cols = self._columns
        known = cols >= 0
        if not known.all():
            rows, cols, coefficients = rows[known], cols[known], coefficients[known]
        return sp.csr_array(sp.coo_array((coefficients, (rows, cols)), shape=self._shape))


def pattern_of_product(a: Any, b: Any, count: int) -> Any:
    """Return the pattern of a product of two matrices in CSR form, rows in order.

    `count` is the number of multiplications. Entries that cancel belong to the pattern.
    """
    ones = [
        csr_of_arrays(np.ones(len(m.indices), dtype=np.float32), m.indices, m.indptr, m.shape)
        for m in (a, b)
    ]
    if SPARSE_COST * count > a.shape[0] * a.shape[1] * b.shape[1]:
        return sp.csr_array(ones[0].toarray() @ ones[1].toarray() > 0)
    pattern = ones[0] @ ones[1]
    pattern.sort_indices()
    return pattern


def values_of_product(a: Any, b: Any, places: NDArray[np.int64]) -> NDArray[Any]:
    """Return the entries of ``a @ b`` at sorted places ``row * columns + column``."""
    product = a @ b  # without the entries that cancel
    product.sort_indices()
    rows = np.repeat(np.arange(product.shape[0]), np.diff(product.indptr))
    values = np.zeros(len(places), dtype=product.dtype)
    values[np.searchsorted(places, rows * product.shape[1] + product.indices)] = product.data
    return values
