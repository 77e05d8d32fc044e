"""Equilibration: row and column factors that bring every largest entry near 1, in place.

Only the stored values are multiplied: a sparse product with diagonal matrices would drop explicit
zeros and change the pattern. The factors are powers of two, so there are no rounding errors. They
are recomputed when the largest entry of some row or column is outside [1/8, 8].

Reference: D. Ruiz, "A scaling algorithm to equilibrate both rows and columns norms in matrices",
RAL-TR-2001-034.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import LinearSolveError, SingularMatrixError
from ..pattern import Pattern, counting_sort
from ..private_api import quiet

# How far a largest entry may drift from 1 before the factors are recomputed.
DRIFT = 8.0
# Rows and columns are filled up to the same length where that adds no more than this factor: a
# maximum over many short stretches takes ten times as long for each value.
FILLED = 2.0
# A sweep halves the exponent of the imbalance: 12 of them level 600 decades.
SWEEPS = 12


class Equilibration:
    """Factors r, c with r_i |A_ij| c_j near 1 in every row and column of one pattern.

    Parameters
    ----------
    pattern : Pattern
        Square, without an empty row or column.

    Attributes
    ----------
    row, column : ndarray, shape (n,)
        The factors now in use, powers of two; the arrays stay the same.
    factor : ndarray, shape (nnz,)
        Their product for every entry.
    magnitude : ndarray, shape (nnz,)
        Absolute values of the matrix scaled last.
    n_update : int
        How often the factors were computed.
    """

    def __init__(self, pattern: Pattern) -> None:
        n = pattern.shape[0]
        self.row = np.ones(n)
        self.column = np.ones(n)
        self.n_update = 0
        self._rows, self._columns = pattern.rows, pattern.indices
        self._by_column = counting_sort(pattern.indices, n).astype(np.int64)
        ends = np.cumsum(np.bincount(pattern.indices, minlength=n))
        self._starts = np.concatenate(
            [pattern.indptr[:-1], [pattern.nnz], pattern.nnz + ends[:-1]]
        ).astype(np.int64)
        self._work = np.empty(2 * pattern.nnz)
        self.magnitude: NDArray[np.float64] = self._work[: pattern.nnz]
        self._second_half = self._work[pattern.nnz :]
        places = np.concatenate([np.arange(pattern.nnz), self._by_column])
        self._rectangle = _rectangle(places, self._starts)
        if self._rectangle is not None:
            self._gathered = np.empty(self._rectangle.shape)
        self._largest = np.empty(2 * n)
        self.factor = np.ones(pattern.nnz)

    def apply(self, data: NDArray[Any], out: NDArray[Any]) -> None:
        """Write the scaled values into `out`.

        Raises
        ------
        LinearSolveError
            A value is NaN or infinite.
        SingularMatrixError
            A row or a column holds only zeros.
        """
        if self.n_update:
            np.multiply(data, self.factor, out=out)
            smallest, largest = self._extremes(out)
            # Written so that NaN, too, leads to a recomputation, which then names it.
            if smallest * DRIFT >= 1.0 and largest <= DRIFT:
                return
        self._update(data)
        np.multiply(data, self.factor, out=out)
        self._extremes(out)

    def take(self, row: NDArray[np.float64], column: NDArray[np.float64]) -> None:
        """Use these factors, powers of two, until they no longer fit."""
        self.row[...], self.column[...] = row, column
        self.factor[...] = row[self._rows] * column[self._columns]
        self.n_update += 1

    def _extremes(self, data: NDArray[Any]) -> tuple[float, float]:
        """Return the smallest and the largest of the largest entries of all rows and columns."""
        magnitude = self.magnitude
        np.abs(data, out=magnitude)
        if self._rectangle is None:
            magnitude.take(self._by_column, out=self._second_half, mode="clip")
            np.maximum.reduceat(self._work, self._starts, out=self._largest)
        else:
            magnitude.take(self._rectangle, out=self._gathered, mode="clip")
            np.maximum.reduce(self._gathered, axis=0, out=self._largest)
        return float(np.minimum.reduce(self._largest)), float(np.maximum.reduce(self._largest))

    def _update(self, data: NDArray[Any]) -> None:
        """Compute the factors afresh from the values, in place."""
        n = len(self.row)
        row, column = np.zeros(n, dtype=np.int32), np.zeros(n, dtype=np.int32)
        scaled = data
        for sweep in range(SWEEPS):
            smallest, largest = self._extremes(scaled)
            if sweep == 0:
                self._refuse(smallest, largest)
            if smallest > 0.25 and largest < 4.0:
                break
            exponent = np.frexp(self._largest)[1]
            # Halving rounds towards zero, so a sweep never overshoots and the loop ends.
            half = np.trunc(exponent / 2).astype(np.int32)
            row -= half[:n]
            column -= half[n:]
            scaled = _shift(data, row[self._rows] + column[self._columns])
        with quiet():  # a row of subnormal numbers has an infinite factor, and is refused later
            self.row[...], self.column[...] = np.ldexp(1.0, row), np.ldexp(1.0, column)
            self.factor[...] = np.ldexp(1.0, row[self._rows] + column[self._columns])
        self.n_update += 1

    def _refuse(self, smallest: float, largest: float) -> None:
        """Raise for entries that no factor can mend, naming where they are."""
        if smallest > 0.0 and largest < np.inf:
            return
        n = len(self.row)
        in_row, in_column = self._largest[:n], self._largest[n:]
        bad = np.flatnonzero(~np.isfinite(in_row))
        if bad.size:
            raise LinearSolveError(
                f"the matrix holds NaN or infinity in equations {_some(bad)}; the point at which "
                "it was evaluated is outside the model, or a derivative overflows there"
            )
        rows, columns = np.flatnonzero(in_row == 0.0), np.flatnonzero(in_column == 0.0)
        what = []
        if rows.size:
            what.append(f"only zero derivatives in equations {_some(rows)}")
        if columns.size:
            what.append(f"only zero derivatives with respect to unknowns {_some(columns)}")
        raise SingularMatrixError(
            "the matrix is singular: " + "; ".join(what), rows[:10].tolist(), columns[:10].tolist()
        )


def _rectangle(places: NDArray[np.int64], starts: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Return the places of all stretches as columns of one length; None where they differ much.

    What is added is the last place of a stretch once more.
    """
    lengths = np.diff(np.append(starts, len(places)))
    width = int(lengths.max())
    if width * len(starts) > FILLED * len(places):
        return None
    steps = np.minimum(np.arange(width)[:, None], lengths - 1)
    return np.ascontiguousarray(places[starts + steps])


def _shift(data: NDArray[Any], exponent: NDArray[np.int32]) -> NDArray[Any]:
    """Return data times two to the exponents, real or complex."""
    if np.iscomplexobj(data):
        return np.asarray(np.ldexp(np.abs(data), exponent))
    return np.asarray(np.ldexp(data, exponent))


def _some(numbers: NDArray[Any]) -> str:
    """Return the first numbers as text."""
    text = ", ".join(str(int(k)) for k in numbers[:5])
    return text + (f" and {len(numbers) - 5} more" if len(numbers) > 5 else "")
