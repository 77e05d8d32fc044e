"""Euclidean norms that neither overflow nor vanish where no component does.

The square of 1e155 is infinite, so the plain sum of squares turns a long step into an infinite
one. A step limit that is computed from it is then zero, infinite or NaN, and no loop ends by it.

Reference: J. L. Blue, ACM Trans. Math. Softw. 4 (1978) 15.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import ddot

from .arrays import DOUBLE, Vector

LONGEST = 1e300  # norms are cut here, so that products with a step fraction stay finite
SMALLEST_SQUARE = 1e-280  # smaller sums of squares have lost digits to underflow


# From this length on OpenBLAS uses several threads for a scalar product. Where other processes keep
# the cores busy that takes a thousand times as long as the sum itself, and elsewhere the threads
# wait busily for the next one.
THREADED = 10_000


def scalar_product(a: Vector, b: Vector) -> float:
    """Return the sum of a_i b_i, computed on one thread."""
    if len(a) < THREADED:
        return float(a.dot(b))  # in a third of the time that a @ b takes
    return float(np.add.reduce(a * b))


def scalar_products(rows: NDArray[Any], vector: Vector) -> Vector:
    """Return the scalar product of each row with a vector, computed on one thread."""
    if len(vector) < THREADED:
        found: Vector = rows @ vector
        return found
    return np.array([scalar_product(row, vector) for row in rows])


def linear_combination(factors: Vector, rows: NDArray[Any]) -> Vector:
    """Return the sum of the rows times their factors, computed on one thread."""
    if rows.shape[1] < THREADED:
        found: Vector = factors @ rows
        return found
    found = factors[0] * rows[0]
    for factor, row in zip(factors[1:], rows[1:], strict=True):
        found += factor * row
    return found


def norm2(vector: Vector) -> float:
    """Return the Euclidean norm, at most `LONGEST`; NaN if a component is NaN."""
    square = scalar_product(vector, vector)
    if SMALLEST_SQUARE < square < math.inf:
        return math.sqrt(square)
    largest = float(np.abs(vector).max()) if len(vector) else 0.0
    if largest == 0.0 or math.isnan(largest):
        return largest
    if largest >= LONGEST:
        return LONGEST
    scaled = vector / largest
    return min(largest * math.sqrt(scalar_product(scaled, scaled)), LONGEST)


def is_finite(vector: Vector) -> bool:
    """Whether all components are finite; a finite sum of squares proves it in one pass."""
    if vector.dtype is DOUBLE and 0 < len(vector) < THREADED:
        square = ddot(vector, vector)  # BLAS warns of no overflow
    else:
        with np.errstate(over="ignore"):
            square = scalar_product(vector, vector)
    return math.isfinite(square) or bool(np.isfinite(vector).all())


def unit(vector: Vector) -> Vector:
    """Return the vector divided by its norm; zero stays zero."""
    largest = float(np.abs(vector).max())
    if largest == 0.0:
        return vector
    scaled: Vector = vector / largest
    scaled /= norm2(scaled)
    return scaled
