"""The first answer of a direct back end, with its backward error, on plain vectors.

Most answers are accurate and small, and need no more than this. `accuracy.judged` continues with
the others: it refines, and looks for a singular matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.linalg.blas import ddot, idamax

from ...arrays import EPS, Vector
from ...norms import THREADED
from ...private_api import add_csr_product
from ..methods.backend import NUMERICAL
from .accuracy import GROWTH, TINY, Answer

LARGE_SQUARE = 1e200  # sums of squares below it leave room for the products with A and |A|


def first_answer(
    solve: Callable[[Vector], Vector], A: Any, magnitude: Any, b: Vector
) -> Answer | None:
    """Return x with A x = b and its backward error; None if x has to be examined from the start.

    Parameters
    ----------
    solve : callable
        The solution by a direct back end with the factors of A, whose pivots are not doubtful.
    A, magnitude : csr_array, shape (n, n)
        The equilibrated matrix and its absolute values, of double precision.
    b : ndarray, shape (n,)
        Finite.
    """
    if len(b) >= THREADED:
        return None
    try:
        x = solve(b.copy())
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
    add_csr_product(magnitude, size_of_x, scale)
    ratio = np.abs(r)
    ratio /= scale + (TINY + TINY / EPS * min(float(scale[idamax(scale)]), 1.0))
    return Answer(x, float(ratio[idamax(ratio)]), r, scale, 0)
