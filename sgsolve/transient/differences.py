"""Backward differences of values at equal steps: predict, append, and change the step.

Differences up to order k describe the polynomial through the last k + 1 values. A new step size
means new differences of the same polynomial.

References: L. F. Shampine and M. W. Reichelt, SIAM J. Sci. Comput. 18 (1997) 1, section 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[Any]
MAX_ORDER = 5
# The derivative at the end of a step is the sum of GAMMA[j] times the j-th difference, over h.
GAMMA = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, MAX_ORDER + 1))])


class Differences:
    """Backward differences of a vector that changes in time.

    Parameters
    ----------
    value : ndarray, shape (n,)
        At the start.
    first : ndarray, shape (n,)
        Estimate of the first difference, h times the slope.

    Attributes
    ----------
    table : ndarray, shape (MAX_ORDER + 3, n)
        Row j is the j-th difference at the latest time.
    """

    def __init__(self, value: Vector, first: Vector) -> None:
        self.table = np.zeros((MAX_ORDER + 3, len(value)))
        self.table[0], self.table[1] = value, first

    @classmethod
    def of(cls, table: Vector) -> Differences:
        """Return those with a copy of this table."""
        differences = object.__new__(cls)
        differences.table = np.array(table)
        return differences

    def predicted(self, order: int) -> Vector:
        """Return the value one step ahead on the polynomial of that degree."""
        ahead: Vector = self.table[: order + 1].sum(axis=0)
        return ahead

    def append(self, deviation: Vector, order: int) -> None:
        """Take the value one step ahead: predicted(order) + deviation."""
        table = self.table
        table[order + 2] = deviation - table[order + 1]
        table[order + 1] = deviation
        for j in range(order, -1, -1):
            table[j] += table[j + 1]

    def change_step(self, order: int, factor: float) -> None:
        """Replace the differences up to `order` by those for a step `factor` times as long."""
        part = self.table[: order + 1]
        part[:] = rescaling(order, factor) @ part


@dataclass(frozen=True)
class BackwardPolynomial:
    """The polynomial of backward differences: the solution within a step that ends at t.

    Attributes
    ----------
    t, h : float
        The latest time, and the step of the differences.
    table : ndarray, shape (order + 1, n)
    """

    t: float
    h: float
    table: Vector

    def __call__(self, t: float) -> Vector:
        """Return the value at a time, shape (n,)."""
        value: Vector = basis(len(self.table) - 1, (t - self.t) / self.h) @ self.table
        return value


def basis(order: int, s: float) -> Vector:
    """Return s (s + 1) ... (s + j - 1) / j! for j = 0 .. order: Newton's backward form.

    Examples
    --------
    >>> basis(2, 1.0).tolist()  # one step ahead: all differences added
    [1.0, 1.0, 1.0]
    """
    factors = (s + np.arange(order)) / np.arange(1, order + 1)
    return np.concatenate([[1.0], np.cumprod(factors)])


def rescaling(order: int, factor: float) -> Vector:
    """Return the matrix that turns differences at one step into those at another, (k+1, k+1)."""
    values = np.array([basis(order, -i * factor) for i in range(order + 1)])
    matrix: Vector = _differencing(order) @ values
    return matrix


@lru_cache(maxsize=MAX_ORDER + 1)
def _differencing(order: int) -> Vector:
    rows = range(order + 1)
    return np.array([[(-1.0) ** i * comb(m, i) for i in rows] for m in rows])
