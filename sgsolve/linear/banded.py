"""Banded LAPACK: the fastest factorisation of a narrow matrix, in its own order or reordered.

One idea: where an entry goes in LAPACK's band storage depends on the pattern only, so a
factorisation is one scatter and one call. Reverse Cuthill-McKee turns a 1-D device whose unknowns
come block after block (all potentials, all electrons, all holes) into a narrow band. Partial
pivoting on the current values: nothing can go stale.

Reference: LAPACK Users' Guide, section "Band Storage"; routines gbtrf and gbtrs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.sparse import csr_array
from scipy.sparse.csgraph import reverse_cuthill_mckee

from ..errors import SingularMatrixError
from ..pattern import Pattern
from .backend import Vector, is_complex

# A pivot this much smaller than the largest is a reason to look whether A is singular.
SMALL_PIVOT = 1e-11


class Banded:
    """LU of a band matrix with partial pivoting.

    Parameters
    ----------
    order : ndarray of int, shape (n,), optional
        What `narrow_order` found for the pattern that is analysed first (None: as given).
    searched : bool
        Whether it was asked. By default the analysis does.
    """

    name = "banded"
    reads_values = False

    def __init__(self, order: NDArray[Any] | None = None, searched: bool = False) -> None:
        self._permutation = order
        self._searched = searched
        self.doubtful: bool | None = False

    def analyse(self, A: Any) -> None:
        """Find the order and the place of every entry in the band."""
        n = A.shape[0]
        rows = np.repeat(np.arange(n), np.diff(A.indptr))
        columns = A.indices.astype(np.int64)
        if self._searched:
            self._searched = False  # the next pattern will be another one
        else:
            self._permutation, _ = narrow_order(Pattern(A.indptr, A.indices, A.shape))
        if self._permutation is not None:
            inverse = np.empty(n, dtype=np.int64)
            inverse[self._permutation] = np.arange(n)
            rows, columns = inverse[rows], inverse[columns]
        self._kl = max(0, int(np.max(rows - columns)))
        self._ku = max(0, int(np.max(columns - rows)))
        depth = 2 * self._kl + self._ku + 1
        dtype = np.complex128 if is_complex(A) else np.float64
        self._trf, self._trs = (
            (lapack.zgbtrf, lapack.zgbtrs) if is_complex(A) else (lapack.dgbtrf, lapack.dgbtrs)
        )
        self._band = np.zeros((n, depth), dtype=dtype)
        self._flat = self._band.ravel()
        self._fortran = self._band.T
        self._diagonal = self._band[:, self._kl + self._ku]
        self._place = columns * depth + (self._kl + self._ku + rows - columns)

    def factorize(self, A: Any) -> None:
        """Scatter and factorise in place."""
        self._band.fill(0.0)
        self._flat[self._place] = A.data
        self._lu, self._pivots, info = self._trf(
            self._fortran, self._kl, self._ku, overwrite_ab=True
        )
        if info > 0:
            raise SingularMatrixError("banded LU met a zero pivot")
        pivots = np.abs(self._diagonal)
        small = np.minimum.reduce(pivots) < SMALL_PIVOT * np.maximum.reduce(pivots)
        self.doubtful = None if small else False

    def solve(self, b: Vector, transpose: bool) -> Vector:
        """Solve with the kept factors."""
        p = self._permutation
        if p is not None:
            b = b[p]
        x: Vector
        x, _ = self._trs(
            self._lu, self._kl, self._ku, b, self._pivots, trans=int(transpose), overwrite_b=True
        )
        if p is None:
            return x
        result = np.empty_like(x)
        result[p] = x
        return result

    def slogdet(self) -> tuple[Any, float]:
        """Return sign (or phase) and log|det|, from the pivots; a symmetric order has no sign."""
        size = np.abs(self._diagonal)
        swaps = np.count_nonzero(self._pivots != np.arange(len(self._pivots)))
        sign = np.prod(self._diagonal / size) * (-1 if swaps % 2 else 1)
        return sign, float(np.sum(np.log(size)))


def narrow_order(pattern: Pattern) -> tuple[NDArray[Any] | None, tuple[int, int]]:
    """Return the order with the narrower band (None: as given), and (lower, upper) bandwidth.

    Reverse Cuthill-McKee is tried once, on the symmetrised pattern, unless the given order is
    tridiagonal or better.

    Examples
    --------
    Two chains, one after the other, coupled node by node:

    >>> import scipy.sparse as sp
    >>> chain = sp.diags_array([np.ones(8), np.ones(9), np.ones(8)], offsets=[-1, 0, 1])
    >>> pattern = Pattern.of(sp.kron(np.ones((2, 2)), chain))
    >>> order, band = narrow_order(pattern)
    >>> pattern.bandwidth, band
    ((10, 10), (3, 3))
    """
    lower, upper = pattern.bandwidth
    if lower + upper <= 2:
        return None, (lower, upper)
    graph = csr_array((np.ones(pattern.nnz), pattern.indices, pattern.indptr), shape=pattern.shape)
    order = reverse_cuthill_mckee(graph, symmetric_mode=False).astype(np.int64)
    inverse = np.empty(len(order), dtype=np.int64)
    inverse[order] = np.arange(len(order))
    offset = inverse[pattern.indices] - inverse[pattern.rows]
    band = max(0, int(-offset.min())), max(0, int(offset.max()))
    if sum(band) < lower + upper:
        return order, band
    return None, (lower, upper)
