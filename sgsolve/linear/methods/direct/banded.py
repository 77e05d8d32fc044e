"""Banded LAPACK: the fastest factorization of a matrix with a narrow band.

The sparsity pattern alone determines the place of an entry in the band. A factorization is one
scatter and one call, with partial pivoting. `narrow_order` finds a narrow band for the blocks of a
1-D device (all potentials, all electrons, all holes), also if the equations are in another order
than the unknowns.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ....arrays import IndexArray, Vector
from ....errors import SingularMatrixError
from ....pattern import Pattern
from ...structure.ordering import Order, inverse, narrow_order
from ..backend import is_complex
from .band_storage import band_of

# A pivot this much smaller than the largest is a reason to look whether A is singular. In graded
# matrices the smallness of one singular value is shared by several pivots.
SMALL_PIVOT = 1e-6


class BandMemory(NamedTuple):
    """A band in the storage of LAPACK.

    Attributes
    ----------
    flat : ndarray, shape (n (2 lower + upper + 1),)
        Column after column.
    places : ndarray, shape (nnz,)
        Of the values of the matrix.
    before, after : ndarray, shape (n,), or None
        Where the right-hand side of each row, and each unknown, is; None: in order.
    """

    flat: Vector
    places: IndexArray
    lower: int
    upper: int
    before: IndexArray | None
    after: IndexArray | None


class Banded:
    """LU of a band matrix with partial pivoting.

    Parameters
    ----------
    order : Order, optional
        A reordering of the rows and columns. Default: the analysis computes one.

    See Also
    --------
    Dense, Mumps, Pardiso, Multigrid, SuperLU

    Examples
    --------
    >>> from sgsolve import Problem
    >>> result = Problem(lambda x: x**2 - 4.0, backend="banded").solve([1.0, 3.0])
    >>> result.x
    array([2., 2.])
    """

    name = "banded"
    usable_alone = True
    reads_values = False
    memory = None  # no full matrix

    def __init__(self, order: Order | None = None) -> None:
        self._given = order
        self.doubtful: bool | None = False

    def fresh(self) -> Banded:
        """Return another back end of this kind."""
        return type(self)()

    def analyze(self, A: Any) -> None:
        """Find the order and the place of every entry in the band."""
        n = A.shape[0]
        rows = np.repeat(np.arange(n), np.diff(A.indptr))
        columns = A.indices.astype(np.int64)
        order = self._given or narrow_order(Pattern(A.indptr, A.indices, A.shape))
        self._order, self._given = order, None  # the next pattern will be another one
        self._places: tuple[IndexArray | None, IndexArray | None] = None, None
        if order.rows is not None and order.columns is not None:
            self._places = inverse(order.rows), inverse(order.columns)
            rows, columns = self._places[0][rows], self._places[1][columns]
        dtype = np.complex128 if is_complex(A) else np.float64
        self._band = band_of(n, order.lower, order.upper, dtype)
        self._band.place(rows, columns)
        # of the band, which the system provides when it is first written to
        self.predicted_bytes = float(self._band.nbytes)

    @property
    def band(self) -> BandMemory:
        """A band in LAPACK's storage; whoever writes factors there calls `take_factors`."""
        order, band = self._order, self._band
        return BandMemory(*band.memory, band.lower, band.upper, order.rows, self._places[1])

    def take_factors(self, order: IndexArray) -> None:
        """Take factors that were written into the band, with rows exchanged in this order."""
        self._band.take_factors(order)
        self.doubtful = False

    @property
    def operations(self) -> float:
        """Multiplications and additions of a factorization without row interchanges."""
        return self._band.operations

    def factorize(self, A: Any) -> None:
        """Scatter and factorize."""
        if not self._band.factorize(A.data):
            raise SingularMatrixError("banded LU met a zero pivot")
        size = np.abs(self._band.pivots)
        small = np.minimum.reduce(size) < SMALL_PIVOT * np.maximum.reduce(size)
        self.doubtful = None if small else False

    def solve(self, b: Vector, transpose: bool) -> Vector:
        """Solve with the kept factors; b is overwritten."""
        before, after = self._order.rows, self._places[1]
        if transpose:
            before, after = self._order.columns, self._places[0]
        if before is None or after is None:
            return self._band.solve(b, transpose)
        x = self._band.solve(b.take(before, axis=0, mode="clip"), transpose)
        return np.asarray(x.take(after, axis=0, mode="clip"))

    def alternatives(self, inaccurate: bool) -> tuple[()]:
        """Return no other back end: the pivoting here is as good as theirs."""
        return ()

    def slogdet(self) -> tuple[Any, float]:
        """Return sign (or phase) and log|det|, from the pivots and the order."""
        pivots = self._band.pivots
        size = np.abs(pivots)
        sign = np.prod(pivots / size) * (-1 if self._band.swaps % 2 else 1) * self._order.sign()
        return sign, float(np.sum(np.log(size)))
