"""The first answer of a direct back end, with its backward error, on plain vectors.

Most answers are accurate and small, and need no more than this. Every other case is left to
`accuracy.judged`, which measures the same error, refines, and looks for a singular matrix.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import ddot, idamax

from ..norms import THREADED
from ..private_api import add_csr_product
from .accuracy import EPS, GROWTH, REFINE_ABOVE, TINY
from .backend import NUMERICAL

Vector = NDArray[np.float64]

LARGE_SQUARE = 1e200  # sums of squares below it leave room for the products with A and |A|


def first_answer(backend: Any, A: Any, magnitude: Any, b: Vector) -> tuple[Vector, float] | None:
    """Return x with A x = b and its backward error, or None if x has to be examined.

    Parameters
    ----------
    backend : Backend
        Direct, with the factors of A; its pivots are not doubtful.
    A, magnitude : csr_array, shape (n, n)
        The equilibrated matrix and its absolute values, of double precision.
    b : ndarray, shape (n,)
        Finite.
    """
    if len(b) >= THREADED:
        return None
    try:
        x = backend.solve(b.copy(), False)
    except NUMERICAL:
        return None
    if not (ddot(x, x) < LARGE_SQUARE and ddot(b, b) < LARGE_SQUARE):
        return None
    size_of_x, scale = np.abs(x), np.abs(b)
    if not size_of_x[idamax(size_of_x)] <= GROWTH * scale[idamax(scale)]:
        return None
    r = np.zeros(len(b))
    add_csr_product(A, x, r)
    np.subtract(b, r, out=r)
    np.abs(r, out=r)
    add_csr_product(magnitude, size_of_x, scale)
    scale += TINY + TINY / EPS * min(float(scale[idamax(scale)]), 1.0)
    r /= scale
    error = float(r[idamax(r)])
    return (x, error) if error <= REFINE_ABOVE and math.isfinite(error) else None
