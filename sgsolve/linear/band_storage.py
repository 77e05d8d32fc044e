"""LAPACK's factorizations of band matrices, in the storage that each needs.

Reference: LAPACK Users' Guide, section "Band Storage"; routines gbtrf, gbtrs, gttrf and gttrs.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from scipy.linalg import lapack

from ..arrays import Vector
from .band_factors import Split, SymmetricFactors, Triangles

NARROW = 16  # diagonals up to which factors are kept in a form that is faster to solve with
SHORT = 2000  # below it the calls for another form take as long as several solves
FEW = 16  # exchanged rows that factors of rows may avoid
LOWER = 0.25  # factor of the rows that follow an exchanged one
ROUNDS = 3  # of such factors: they may move an exchange to another row
SPARED = 8  # matrices that are not tried again after one that needs its exchanges
LOWEST = 1e-8  # of all of them; below it they are found anew, so that nothing underflows


class Band:
    """The LU factorization of a matrix with `lower` and `upper` diagonals beside the main one.

    LAPACK exchanges rows for the least advantage. Where the factors of equilibrated rows change by
    two, a few rows are exchanged, and all solutions take several times as long. A smaller factor
    for the rows that follow avoids it. A pivot may then be smaller than an entry below it, by the
    factor of one matrix or a few. `LinearSolver` checks the answers.

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
        self._split: Split | None = None
        self._row: Vector | None = None  # factors of the rows, powers of two
        self._as_it_is = 0 if self._narrow else sys.maxsize  # matrices that keep their exchanges
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
        exchanged = self._factorized(values)
        if exchanged is not None and 0 < len(exchanged) <= FEW:
            if self._as_it_is == 0:
                exchanged = self._without_exchanges(values, exchanged)
            else:
                self._as_it_is -= 1
        if exchanged is None:
            return False
        self._split, self.swaps, self._n_solved = None, len(exchanged), 0
        if self._row is not None:
            self.pivots = self.pivots / self._row
        return True

    def _factorized(self, values: Vector) -> Vector | None:
        """Factorize; return the rows that were exchanged for later ones, None for a zero pivot."""
        if self._row is not None:
            values = values * self._row[self._rows]
        self._fill(values)
        order, info = self._lu()
        return None if info else np.flatnonzero(order != self._in_order)

    def _without_exchanges(self, values: Vector, exchanged: Vector) -> Vector | None:
        """Factorize again with factors of rows; as before if rows are exchanged all the same."""
        left: Vector | None = exchanged
        for _ in range(ROUNDS):
            if left is None or not 0 < len(left) <= FEW:
                break
            steps = np.ones(self._n)
            steps[left + 1] = LOWER  # the last row is never exchanged
            row = np.cumprod(steps)
            if self._row is not None and self._row[-1] * row[-1] > LOWEST:
                row *= self._row
            self._row = row
            left = self._factorized(values)
        if left is None or len(left):
            self._row, self._as_it_is = None, SPARED
            left = self._factorized(values)
        return left

    @property
    def memory(self) -> tuple[Vector, Vector]:
        """A band in LAPACK's storage, column after column, and the places of the values in it."""
        return self._flat, self._places

    def take_factors(self, order: Vector) -> None:
        """Take factors as of LAPACK that were written into the memory, with exchanged rows."""
        self._take_from_memory(order)
        self._order, self._row, self._split, self._n_solved = order, None, None, 0
        self.swaps = int(np.count_nonzero(order != self._in_order))

    def _take_from_memory(self, order: Vector) -> None:
        self._factors = self._fortran
        self.pivots = self._band[:, self.lower + self.upper]

    def solve(self, b: Vector, transpose: bool) -> Vector:
        """Return the solution, in the memory of b if that is in Fortran's order."""
        row = self._row
        if row is not None and b.ndim > 1:
            row = row[:, None]
        if row is not None and not transpose:
            b *= row
        self._n_solved += 1
        if b.ndim == 1 and self._narrow and not self.swaps and self._n_solved > self.by_lapack:
            if self._split is None:
                self._split = self._without_swaps()
            b = self._split.solve(b, transpose)
        else:
            b = self._by_lapack(b, transpose)
        if row is not None and transpose:
            b *= row
        return b

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
        self._order, self.pivots = order, self._band[:, self.lower + self.upper]
        return order, info

    def _without_swaps(self) -> Split:
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

    def _without_swaps(self) -> Split:
        multipliers, pivots, above, _, _ = self._factors
        symmetric = SymmetricFactors.of(multipliers, pivots, above)
        if symmetric is not None:
            return symmetric
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
