"""LAPACK's factorizations of band matrices, in the storage that each needs.

Where no rows were exchanged, the triangles serve many solutions in another form. LAPACK divides in
each row of the triangle U, and the next row waits for the quotient. With ones on the diagonals, one
division serves all rows at once. At 17 diagonals and more the gain is small.

Reference: LAPACK Users' Guide, section "Band Storage"; routines gbtrf, gbtrs, gttrf and gttrs, and
tbsv of the BLAS.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import blas, lapack

from ....arrays import Vector

NARROW = 16  # diagonals up to which factors are kept in a form that is faster to solve with
SHORT = 2000  # below it the calls for another form take as long as several solves


class Triangles:
    """The factors L, D and U of a band matrix without exchanged rows, with ones on L and U.

    Parameters
    ----------
    lower, upper : ndarray, shape (width + 1, n)
        L and D U in band storage.
    """

    def __init__(self, lower: Vector, upper: Vector) -> None:
        self._L, self._U = np.asfortranarray(lower), upper.copy(order="F")
        pivots, width = upper[-1], len(upper) - 1
        with np.errstate(all="ignore"):  # the checks of the answer see what overflows
            self._inverse = 1.0 / pivots
            for above in range(1, width + 1):
                self._U[width - above, above:] *= self._inverse[: len(pivots) - above]
        self._triangle: Any = blas.ztbsv if np.iscomplexobj(upper) else blas.dtbsv

    def solve(self, b: Vector, transpose: bool) -> Vector:
        """Return the solution, in the memory of b."""
        first, second, lower = (self._U, self._L, 0) if transpose else (self._L, self._U, 1)
        solve = self._triangle
        b = solve(len(first) - 1, first, b, 1, 0, lower, transpose, 1, 1)
        with np.errstate(all="ignore"):
            b *= self._inverse
        x: Vector = solve(len(second) - 1, second, b, 1, 0, 1 - lower, transpose, 1, 1)
        return x


class Band:
    """The LU factorization of a matrix with `lower` and `upper` diagonals beside the main one.

    Parameters
    ----------
    dtype : dtype
        float64 or complex128.

    Attributes
    ----------
    lower, upper : int
        As given.
    pivots : ndarray, shape (n,)
        The diagonal of U.
    swaps : int
        How many rows were exchanged.
    nbytes : int
        Of the band.
    operations : float
        Multiplications and additions of a factorization without exchanged rows.
    """

    nbytes: int
    operations: float
    by_lapack = 1  # solves before it pays to bring long factors into a faster form

    def __init__(self, n: int, lower: int, upper: int, dtype: Any) -> None:
        self._n, self.lower, self.upper = n, lower, upper
        self._narrow = lower + upper <= NARROW
        self.by_lapack += SHORT // n
        self.pivots: Vector = np.zeros(0)
        self.swaps = self._n_solved = 0
        self._factors: Any = None
        self._triangles: Triangles | None = None
        self._in_order = np.arange(n)
        self._allocate(dtype)

    def _allocate(self, dtype: Any) -> None:
        self._depth = 2 * self.lower + self.upper + 1
        self._band = np.zeros((self._n, self._depth), dtype=dtype)
        self._flat, self._fortran = self._band.ravel(), self._band.T
        self.nbytes = self._band.nbytes
        self.operations = 2.0 * self._n * self.lower * (self.upper + 1)
        kind = "z" if np.issubdtype(dtype, np.complexfloating) else "d"
        self._trf: Any = getattr(lapack, kind + "gbtrf")
        self._trs: Any = getattr(lapack, kind + "gbtrs")

    def place(self, rows: Vector, columns: Vector) -> None:
        """Set where the values of all matrices are."""
        self._rows, self._places = rows, self._place(rows, columns)

    def factorize(self, values: Vector) -> bool:
        """Factorize the matrix with these values; return whether no pivot is zero."""
        self._fill(values)
        order, info = self._lu()
        self._note_factors(order)
        return not info

    def _note_factors(self, order: Vector) -> None:
        """Take note of new factors, with rows exchanged in this order."""
        self._order, self._triangles, self._n_solved = order, None, 0
        self.swaps = int(np.count_nonzero(order != self._in_order))

    @property
    def memory(self) -> tuple[Vector, Vector]:
        """A band in LAPACK's storage, column after column, and the places of the values in it."""
        return self._flat, self._places

    def take_factors(self, order: Vector) -> None:
        """Take factors as of LAPACK that were written into the memory, with exchanged rows."""
        self._take_from_memory(order)
        self._note_factors(order)

    def _take_from_memory(self, order: Vector) -> None:
        self._factors = self._fortran
        self.pivots = self._band[:, self.lower + self.upper]

    def solve(self, b: Vector, transpose: bool) -> Vector:
        """Return the solution, in the memory of b if that is in Fortran's order."""
        self._n_solved += 1
        if b.ndim > 1 or not self._narrow or self.swaps or self._n_solved <= self.by_lapack:
            return self._by_lapack(b, transpose)
        if self._triangles is None:
            self._triangles = self._without_swaps()
        return self._triangles.solve(b, transpose)

    def _fill(self, values: Vector) -> None:
        """Write the values into the band, and zeros elsewhere."""
        self._flat.fill(0.0)
        self._flat[self._places] = values

    def _place(self, rows: Vector, columns: Vector) -> Vector:
        return np.asarray(columns * self._depth + (self.lower + self.upper + rows - columns))

    def _lu(self) -> tuple[Vector, int]:
        """Factorize what is in the band; return the order of the rows, and whether it failed."""
        self._factors, order, info = self._trf(
            self._fortran, self.lower, self.upper, overwrite_ab=True
        )
        self.pivots = self._band[:, self.lower + self.upper]
        return order, info

    def _without_swaps(self) -> Triangles:
        middle = self.lower + self.upper
        upper = self._factors[self.lower : middle + 1]
        return Triangles(self._factors[middle : middle + self.lower + 1], upper)

    def _by_lapack(self, b: Vector, transpose: bool) -> Vector:
        order, kind = self._order, int(transpose)
        x, _ = self._trs(
            self._factors, self.lower, self.upper, b, order, trans=kind, overwrite_b=True
        )
        return np.asarray(x)


class Tridiagonal(Band):
    """The same for one diagonal on either side, by routines that take half the time."""

    by_lapack = 2

    def __init__(self, n: int) -> None:
        super().__init__(n, 1, 1, np.float64)
        self._columns: Vector = self._in_order
        self._memory: tuple[Vector, Vector] | None = None

    def _allocate(self, dtype: Any) -> None:
        self._flat = np.zeros(3 * self._n)  # the diagonals below, on, and above the main one
        self._trf, self._trs = lapack.dgttrf, lapack.dgttrs
        self.nbytes, self.operations = self._flat.nbytes, 4.0 * self._n

    @property
    def memory(self) -> tuple[Vector, Vector]:
        """A band in LAPACK's storage, which has one more diagonal, and the places in it."""
        if self._memory is None:
            self._memory = np.zeros(4 * self._n), self._rows + 3 * self._columns + 2
        return self._memory

    def _take_from_memory(self, order: Vector) -> None:
        band = self.memory[0].reshape(self._n, 4)
        diagonals = band[:-1, 3], band[:, 2], band[1:, 1], band[2:, 0]
        self._factors = [*(d.copy() for d in diagonals), order + 1]
        self.pivots = self._factors[1]

    def place(self, rows: Vector, columns: Vector) -> None:
        """Set where the values of all matrices are."""
        super().place(rows, columns)
        self._columns, self._memory = columns, None
        self._sources: Vector | None = None
        if len(self._places) == 3 * self._n - 2:  # all, and the last of two diagonals is not read
            self._sources = np.zeros(len(self._flat), dtype=np.intp)
            self._sources[self._places] = np.arange(len(self._places))

    def _fill(self, values: Vector) -> None:
        """Write the values; to gather all of them takes a quarter of the time of scattering."""
        if self._sources is None:
            super()._fill(values)
        else:
            values.take(self._sources, out=self._flat, mode="clip")

    def _place(self, rows: Vector, columns: Vector) -> Vector:
        return self._n * (1 + columns - rows) + np.minimum(rows, columns)

    def _lu(self) -> tuple[Vector, int]:
        n = self._n
        below, on, above = (self._flat[k * n : (k + 1) * n] for k in range(3))
        *self._factors, info = self._trf(below[:-1], on, above[:-1])
        self.pivots = self._factors[1]
        return self._factors[4] - 1, info

    def _without_swaps(self) -> Triangles:
        multipliers, pivots, above, _, _ = self._factors
        below = np.array([np.ones(self._n), np.append(multipliers, 0.0)])
        return Triangles(below, np.array([np.append(0.0, above), pivots]))

    def _by_lapack(self, b: Vector, transpose: bool) -> Vector:
        x, _ = self._trs(*self._factors, b, trans="T" if transpose else "N", overwrite_b=True)
        return np.asarray(x.reshape(b.shape))


def band_of(n: int, lower: int, upper: int, dtype: Any) -> Band:
    """Return the factorization that is fastest for a real or complex band."""
    if lower <= 1 and upper <= 1 and n > 2 and np.dtype(dtype) == np.float64:
        return Tridiagonal(n)
    return Band(n, lower, upper, dtype)
