"""Balance: factors of rows and columns that take the units out of a pencil.

Equations and unknowns have units of their own. Scaled by these factors the rows and the columns of
J and C together have about the same length in every unit, so that norms and lengths of differences
do not depend on the units.

Reference: D. Lemonnier, P. Van Dooren, SIAM J. Matrix Anal. Appl. 28 (2006) 253 (balancing of
pencils by the squares of all entries).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from ...arrays import Vector
from ...pattern import matrix_product, transposed_product
from ...private_api import csr_with_data

SWEEPS = 10  # the factors need not have converged: they are units
WEIGHED = 3  # sweeps before which the matrices are set to the same size: time has a unit too


@dataclass(frozen=True, eq=False)
class Balance:
    """Factors of rows and columns, powers of 2.

    Attributes
    ----------
    rows, columns : ndarray, shape (n,)
    """

    rows: Vector
    columns: Vector

    @classmethod
    def of(cls, *matrices: Any) -> Balance:
        """Return the factors that balance some square matrices together."""
        parts: list[Any] = [abs(sp.csr_array(A)) for A in matrices]
        parts = [A for A in parts if A.nnz] or parts[:1]
        rows, columns = np.ones((2, parts[0].shape[0]))
        for sweep in range(SWEEPS):
            if sweep < WEIGHED:
                for A in parts:
                    A.data /= _largest_magnitude(_times_factors(A, rows, columns)) or 1.0
            rows = _inverse(np.sum([matrix_product(A, columns) for A in parts], axis=0))
            columns = _inverse(np.sum([transposed_product(A, rows) for A in parts], axis=0))
        size = float(columns.max(initial=1.0))
        return cls(power_of_two(rows), power_of_two(columns / size))

    def scaled(self, A: Any) -> Any:
        """Return a matrix with these factors."""
        return _times_factors(A, self.rows, self.columns)

    def unscaled(self, A: Any) -> Any:
        """Return the matrix whose scaled one this is."""
        return _times_factors(A, 1.0 / self.rows, 1.0 / self.columns)


def _times_factors(A: Any, rows: Vector, columns: Vector) -> Any:
    A = A if isinstance(A, sp.csr_array) else sp.csr_array(A)
    if not A.nnz:
        return A
    return csr_with_data(A, A.data * np.repeat(rows, np.diff(A.indptr)) * columns[A.indices])


def _largest_magnitude(A: Any) -> float:
    return float(A.data.max(initial=0.0))


def _inverse(sums: Vector) -> Vector:
    """Return the inverse of positive numbers, 1 in place of others."""
    usable = (sums > 0.0) & np.isfinite(sums)
    found: Vector = 1.0 / np.where(usable, sums, 1.0)
    return found


def power_of_two(factors: Vector) -> Vector:
    """Return the nearest powers of 2: they cause no rounding."""
    found: Vector = np.exp2(np.round(np.log2(factors)))
    return found
