"""Banded LAPACK: the fastest factorization of a matrix with a narrow band.

The sparsity pattern alone determines the place of an entry in LAPACK's band storage. A
factorization is one scatter and one call, with partial pivoting. `narrow_order` finds a narrow band
for the blocks of a 1-D device (all potentials, all electrons, all holes), also if the equations are
in another order than the unknowns.

Reference: LAPACK Users' Guide, section "Band Storage"; routines gbtrf and gbtrs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import lapack

from ..errors import SingularMatrixError
from ..pattern import Pattern
from .backend import Vector, is_complex
from .ordering import Order, inverse, narrow_order

# A pivot this much smaller than the largest is a reason to look whether A is singular. In graded
# matrices the smallness of one singular value is shared by several pivots.
SMALL_PIVOT = 1e-6


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
    reads_values = False

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
        if order.rows is not None and order.columns is not None:
            rows, columns = inverse(order.rows)[rows], inverse(order.columns)[columns]
        self._kl, self._ku = order.lower, order.upper
        depth = 2 * self._kl + self._ku + 1
        dtype = np.complex128 if is_complex(A) else np.float64
        routines: Any = (
            (lapack.zgbtrf, lapack.zgbtrs) if is_complex(A) else (lapack.dgbtrf, lapack.dgbtrs)
        )
        self._trf, self._trs = routines
        self._band = np.zeros((n, depth), dtype=dtype)
        self._flat = self._band.ravel()
        self._fortran = self._band.T
        self._diagonal = self._band[:, self._kl + self._ku]
        self._place = columns * depth + (self._kl + self._ku + rows - columns)

    @property
    def predicted_bytes(self) -> float:
        """Bytes of the band, which the system provides when it is first written to."""
        return float(self._band.nbytes)

    @property
    def operations(self) -> float:
        """Multiplications and additions of a factorization without row interchanges."""
        return 2.0 * len(self._band) * self._kl * (self._ku + 1)

    def factorize(self, A: Any) -> None:
        """Scatter and factorize in place."""
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
        before, after = self._order.rows, self._order.columns
        if transpose:
            before, after = after, before
        if before is not None:
            b = b[before]
        x: Vector
        x, _ = self._trs(
            self._lu, self._kl, self._ku, b, self._pivots, trans=int(transpose), overwrite_b=True
        )
        if after is None:
            return x
        result = np.empty_like(x)
        result[after] = x
        return result

    def alternatives(self, inaccurate: bool) -> tuple[()]:
        """Return no other back end: the pivoting here is as good as theirs."""
        return ()

    def slogdet(self) -> tuple[Any, float]:
        """Return sign (or phase) and log|det|, from the pivots and the order."""
        size = np.abs(self._diagonal)
        swaps = np.count_nonzero(self._pivots != np.arange(len(self._pivots)))
        sign = np.prod(self._diagonal / size) * (-1 if swaps % 2 else 1) * self._order.sign()
        return sign, float(np.sum(np.log(size)))
