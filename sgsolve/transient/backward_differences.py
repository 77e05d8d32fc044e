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
ROWS = MAX_ORDER + 3  # of the largest table
# The derivative at the end of a step is the sum of GAMMA[j] times the j-th difference, over h.
GAMMA = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, MAX_ORDER + 1))])


class Differences:
    """Backward differences of a vector that changes in time. They do not change: steps make others.

    Parameters
    ----------
    table : ndarray, shape (k + 2 or more, n)
        Row j is the j-th difference at the latest time.
    memory : ndarray, shape (ROWS, n), optional
        Where the table is.
    """

    def __init__(self, table: Vector, memory: Vector | None = None) -> None:
        self.table, self.memory = table, memory

    @classmethod
    def start(cls, value: Vector, first: Vector) -> Differences:
        """Return those at a start: of the value, and of h times the slope."""
        return cls(np.stack([value, first, np.zeros_like(value)]))

    def predicted(self, order: int) -> Vector:
        """Return the value one step ahead on the polynomial of that degree."""
        ahead: Vector = np.add.reduce(self.table[: order + 1], axis=0)
        return ahead

    def appended(self, deviation: Vector, order: int, memory: Vector | None = None) -> Differences:
        """Return those after a step to the value predicted(order) + deviation, in this memory."""
        if memory is None:
            memory = np.empty((order + 3, len(deviation)))
        old, table = self.table, memory[: order + 3]
        np.subtract(deviation, old[order + 1], out=table[order + 2])
        table[order + 1] = deviation
        for j in range(order, -1, -1):
            np.add(old[j], table[j + 1], out=table[j])
        return Differences(table, memory)

    def rescaled(self, order: int, factor: float, memory: Vector | None = None) -> Differences:
        """Return those for a step `factor` times as long; the ones up to `order` follow."""
        if memory is None:
            memory = np.empty_like(self.table)
        table = memory[: len(self.table)]
        np.dot(rescaling(order, factor), self.table[: order + 1], out=table[: order + 1])
        table[order + 1 :] = self.table[order + 1 :]
        return Differences(table, memory)


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
    differencing, nodes, counts = _differencing(order)
    values = np.ones((order + 1, order + 1))
    np.cumprod((factor * nodes + counts) / (counts + 1.0), axis=1, out=values[:, 1:])
    matrix: Vector = differencing @ values
    return matrix


@lru_cache(maxsize=MAX_ORDER + 1)
def _differencing(order: int) -> tuple[Vector, Vector, Vector]:
    """Return the differences of values, the places of the values, and 0 .. order - 1."""
    rows = range(order + 1)
    matrix = np.array([[(-1.0) ** i * comb(m, i) for i in rows] for m in rows])
    return matrix, -np.arange(order + 1.0)[:, None], np.arange(float(order))
