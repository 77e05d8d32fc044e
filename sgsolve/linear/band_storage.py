"""LAPACK's factorizations of band matrices, in the storage that each wants.

Reference: LAPACK Users' Guide, section "Band Storage"; routines gbtrf, gbtrs, gttrf and gttrs, and
tbsv of the BLAS.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas, lapack

Vector = NDArray[Any]

NARROW = 16  # diagonals: a copy of both factors for tbsv, which takes half the time of gbtrs


class Band:
    """The LU factorization of a matrix with `lower` and `upper` diagonals beside the main one.

    Parameters
    ----------
    n, lower, upper : int
    dtype : dtype
        float64 or complex128.

    Attributes
    ----------
    pivots : ndarray, shape (n,)
        The diagonal of U.
    swaps : int
        How many rows were exchanged.
    nbytes : int
        Of the band.
    operations : float
        Multiplications and additions of a factorization without exchanged rows.
    """

    pivots: Vector
    swaps: int
    nbytes: int
    operations: float

    def __init__(self, n: int, lower: int, upper: int, dtype: Any) -> None:
        self._lower, self._upper, self._depth = lower, upper, 2 * lower + upper + 1
        self._band = np.zeros((n, self._depth), dtype=dtype)
        self._flat, self._fortran = self._band.ravel(), self._band.T
        self.nbytes, self.operations = self._band.nbytes, 2.0 * n * lower * (upper + 1)
        kind = "z" if np.issubdtype(dtype, np.complexfloating) else "d"
        self._trf: Any = getattr(lapack, kind + "gbtrf")
        self._trs: Any = getattr(lapack, kind + "gbtrs")
        self._triangle: Any = getattr(blas, kind + "tbsv")

    def places(self, rows: Vector, columns: Vector) -> Vector:
        """Return where entries go."""
        return np.asarray(columns * self._depth + (self._lower + self._upper + rows - columns))

    def factorize(self, places: Vector, values: Vector) -> bool:
        """Factorize the matrix with these entries; return whether no pivot is zero."""
        self._band.fill(0.0)
        self._flat[places] = values
        self._lu, order, info = self._trf(
            self._fortran, self._lower, self._upper, overwrite_ab=True
        )
        self._order = order
        self.pivots = self._band[:, self._lower + self._upper]
        self.swaps = int(np.count_nonzero(order != np.arange(len(order))))
        self._triangles = not self.swaps and self._lower + self._upper <= NARROW
        if self._triangles:
            middle = self._lower + self._upper
            self._L = np.asfortranarray(self._lu[middle:])
            self._U = np.asfortranarray(self._lu[self._lower : middle + 1])
        return bool(info == 0)

    def solve(self, b: Vector, transpose: bool) -> Vector:
        """Return the solution, in the memory of b."""
        if self._triangles and b.ndim == 1:
            return self._without_swaps(b, transpose)
        x, _ = self._trs(
            self._lu,
            self._lower,
            self._upper,
            b,
            self._order,
            trans=int(transpose),
            overwrite_b=True,
        )
        return np.asarray(x)

    def _without_swaps(self, b: Vector, transpose: bool) -> Vector:
        first = (self._lower, self._L, {"lower": 1, "diag": 1})
        second: tuple[int, Vector, dict[str, int]] = (self._upper, self._U, {})
        for width, factor, kind in (second, first) if transpose else (first, second):
            b = self._triangle(width, factor, b, trans=int(transpose), overwrite_x=True, **kind)
        return b


class Tridiagonal(Band):
    """The same for one diagonal on either side, by routines that take half the time."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._diagonals = np.zeros(3 * n)  # below, on, and above the main diagonal
        self._trf, self._trs = lapack.dgttrf, lapack.dgttrs
        self.nbytes, self.operations = self._diagonals.nbytes, 4.0 * n

    def places(self, rows: Vector, columns: Vector) -> Vector:
        """Return where entries go."""
        return self._n * (1 + columns - rows) + np.minimum(rows, columns)

    def factorize(self, places: Vector, values: Vector) -> bool:
        """Factorize the matrix with these entries; return whether no pivot is zero."""
        n, all_diagonals = self._n, self._diagonals
        all_diagonals.fill(0.0)
        all_diagonals[places] = values
        below, on, above = (all_diagonals[k * n : (k + 1) * n] for k in range(3))
        *self._lu, info = self._trf(below[:-1], on, above[:-1])
        self.pivots = self._lu[1]
        self.swaps = int(np.count_nonzero(self._lu[4] != np.arange(1, n + 1)))
        return bool(info == 0)

    def solve(self, b: Vector, transpose: bool) -> Vector:
        """Return the solution, in the memory of b if that is in Fortran's order."""
        x, _ = self._trs(*self._lu, b, trans="T" if transpose else "N", overwrite_b=True)
        return np.asarray(x.reshape(b.shape))


def band_of(n: int, lower: int, upper: int, dtype: Any) -> Band:
    """Return the factorization that is fastest for a real or complex band."""
    if lower <= 1 and upper <= 1 and n > 2 and np.dtype(dtype) == np.float64:
        return Tridiagonal(n)
    return Band(n, lower, upper, dtype)
