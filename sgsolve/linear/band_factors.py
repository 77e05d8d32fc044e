"""Factors of band matrices without exchanged rows, in forms that are fast to solve with.

LAPACK divides in each row of the triangle U, and the next row waits for the quotient. Here the
triangles have ones on their diagonals, and one division serves all rows at once.

Reference: LAPACK Users' Guide, section "Band Storage"; routine pttrs, and tbsv of the BLAS.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from scipy.linalg import blas, lapack

from ..arrays import Vector

# Of the factors that make a matrix symmetric, of pivots, and of the reciprocals of both: so much
# nearer to zero do products underflow.
RANGE = 1e8


class Split(Protocol):
    """Factors to solve with."""

    def solve(self, b: Vector, transpose: bool) -> Vector:
        """Return the solution for b of shape (n,), in the memory of b."""
        ...


class Triangles:
    """The factors L, D and U of a band matrix without exchanged rows, with ones on L and U.

    A division in each row of a triangle would wait for the row before. The inverse of D serves all
    rows at once.

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
        size = np.abs(self._inverse)
        self._moderate = 1.0 / RANGE < np.minimum.reduce(size) <= np.maximum.reduce(size) < RANGE
        self._triangle: Any = blas.ztbsv if np.iscomplexobj(upper) else blas.dtbsv

    def solve(self, b: Vector, transpose: bool) -> Vector:
        """Return the solution, in the memory of b."""
        first, second, lower = (self._U, self._L, 0) if transpose else (self._L, self._U, 1)
        solve = self._triangle
        b = solve(len(first) - 1, first, b, 1, 0, lower, transpose, 1, 1)
        if self._moderate:
            b *= self._inverse
        else:
            with np.errstate(all="ignore"):
                b *= self._inverse
        x: Vector = solve(len(second) - 1, second, b, 1, 0, 1 - lower, transpose, 1, 1)
        return x


class SymmetricFactors:
    """The factors of S T / S, with a symmetric tridiagonal T and a diagonal S.

    A tridiagonal matrix has this form where entries on either side of the diagonal have one sign,
    as in diffusion with drift. Half the time of triangles.

    Parameters
    ----------
    scale, pivots : ndarray, shape (n,)
        The diagonal of S, and the pivots of T.
    multipliers : ndarray, shape (n - 1,)
        Below the ones of the triangle L of T.
    """

    def __init__(self, scale: Vector, pivots: Vector, multipliers: Vector) -> None:
        self._scale, self._inverse = scale, 1.0 / scale
        self._pivots, self._multipliers = pivots, multipliers

    @classmethod
    def of(cls, multipliers: Vector, pivots: Vector, above: Vector) -> SymmetricFactors | None:
        """Return them from L and U of a tridiagonal matrix; None if it has not this form."""
        with np.errstate(all="ignore"):
            rows = above / pivots[:-1]
            product = multipliers * rows
            coupled = product > 0.0
            if not np.all(coupled | ((multipliers == 0.0) & (rows == 0.0))):
                return None
            ratios = np.sqrt(np.divide(multipliers, rows, out=np.ones_like(rows), where=coupled))
            scale = np.cumprod(np.append(1.0, ratios))
        if not 1.0 / RANGE < np.minimum.reduce(scale) <= np.maximum.reduce(scale) < RANGE:
            return None
        return cls(scale, pivots, np.copysign(np.sqrt(product), rows))

    def solve(self, b: Vector, transpose: bool) -> Vector:
        """Return the solution, in the memory of b."""
        b *= self._scale if transpose else self._inverse
        x, _ = lapack.dpttrs(self._pivots, self._multipliers, b, overwrite_b=True)
        x *= self._inverse if transpose else self._scale
        return np.asarray(x)
