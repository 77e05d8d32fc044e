"""Values at equal steps and their backward differences: predict, append, and change the step.

The latest k + 1 values describe a polynomial of degree k. A new step size means new values of the
same polynomial. Differences are weighted sums of the values: a step writes one new row, where a
table of differences would be written anew.

References: L. F. Shampine and M. W. Reichelt, SIAM J. Sci. Comput. 18 (1997) 1, section 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import comb

import numpy as np

from ...arrays import Vector

MAX_ORDER = 5
ROWS = MAX_ORDER + 3  # of a table of differences
USED = MAX_ORDER + 2  # values that the next step, and the choice of its order, may need
CAPACITY = USED + 4  # rows of memory: so many steps until the values are moved
ALL = slice(None)
# The derivative at the end of a step is the sum of GAMMA[j] times the j-th difference, over h.
GAMMA = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, MAX_ORDER + 1))])


class PastValues:
    """Values of a vector at equal steps. They do not change: steps make others.

    What is kept are the distances from one of the values: weighted sums of them have rounding
    errors of the size of the changes, and none where nothing changes.

    Parameters
    ----------
    memory : ndarray, shape (CAPACITY + 1, n)
        The last row is the value from which the distances are.
    first : int
        The row of the latest value; those before it are free for later values.
    count : int
        How many values there are.
    """

    def __init__(self, memory: Vector, first: int, count: int) -> None:
        self.memory, self.first = memory, first
        self.distances, self.base = memory[first : first + count], memory[CAPACITY]

    @classmethod
    def of(
        cls, base: Vector, distances: Vector, memory: Vector, first: int | None = None
    ) -> PastValues:
        """Return those with these distances from a value, the latest first, in this memory.

        They stand in the last rows, or from row `first` on.
        """
        count = len(distances)
        first = CAPACITY - count if first is None else first
        memory[CAPACITY], memory[first : first + count] = base, distances
        return cls(memory, first, count)

    def latest(self, part: slice = ALL) -> Vector:
        """Return the latest value of a part of the vector."""
        value: Vector = self.base[part] + self.distances[0, part]
        return value

    def combined(self, weights: Vector, part: slice) -> Vector:
        """Return a sum of the values of a part of the vector; the weights have the sum 1."""
        value: Vector = weights.dot(self.distances[: len(weights), part])
        value += self.base[part]
        return value

    def appended(self, x: Vector, charge: Vector) -> PastValues:
        """Return those after a step to a value in two parts. A free row is needed."""
        new, n = self.memory[self.first - 1], len(x)
        np.subtract(x, self.base[:n], out=new[:n])
        np.subtract(charge, self.base[n:], out=new[n:])
        return PastValues(self.memory, self.first - 1, min(len(self.distances) + 1, USED))

    def save(self) -> dict[str, Vector]:
        """Return what `of` takes; the row, too: when values are moved, they are rounded."""
        base, distances = self.base.copy(), self.distances.copy()
        return {"base": base, "distances": distances, "first": np.array(self.first)}

    def moved(self, memory: Vector) -> PastValues:
        """Return the same in other memory, with free rows."""
        kept = self.distances[: USED - 1]
        first = CAPACITY - len(kept)
        np.subtract(kept, kept[0], out=memory[first:CAPACITY])
        np.add(self.base, kept[0], out=memory[CAPACITY])
        return PastValues(memory, first, len(kept))

    def rescaled(self, order: int, factor: float, memory: Vector) -> PastValues:
        """Return those for a step `factor` times as long, of the polynomial of this degree."""
        first = CAPACITY - 1 - order
        weights = resampling(order, factor)
        weights[:, 0] -= 1.0  # distances from the latest value
        np.dot(weights, self.distances[: order + 1], out=memory[first:CAPACITY])
        np.add(self.base, self.distances[0], out=memory[CAPACITY])
        return PastValues(memory, first, order + 1)


@dataclass(frozen=True)
class BackwardPolynomial:
    """The polynomial through values at equal steps: the solution within a step that ends at t.

    Attributes
    ----------
    t, h : float
        The latest time, and the step.
    x : ndarray, shape (n,)
        The latest value.
    distances : ndarray, shape (order, n)
        Of the values before it, the latest first.
    """

    t: float
    h: float
    x: Vector
    distances: Vector

    def __call__(self, t: float) -> Vector:
        """Return the value at a time, shape (n,)."""
        order = len(self.distances)
        weights = basis(order, (t - self.t) / self.h) @ differencing(order)
        value: Vector = self.x + weights[1:] @ self.distances
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
    matrix: Vector = differencing(order) @ _bases(order, factor)
    return matrix


def resampling(order: int, factor: float) -> Vector:
    """Return the matrix that turns values at one step into those at another, (k+1, k+1)."""
    matrix: Vector = _bases(order, factor) @ differencing(order)
    return matrix


def _bases(order: int, factor: float) -> Vector:
    """Return `basis` at the places of the values at another step, one row for each."""
    nodes, counts = _value_places(order)
    values = np.ones((order + 1, order + 1))
    np.cumprod((factor * nodes + counts) / (counts + 1.0), axis=1, out=values[:, 1:])
    return values


@lru_cache(maxsize=MAX_ORDER + 1)
def _value_places(order: int) -> tuple[Vector, Vector]:
    """Return the places of the values as a column, and 0 .. order - 1."""
    return -np.arange(order + 1.0)[:, None], np.arange(float(order))


@lru_cache(maxsize=USED)
def differencing(order: int) -> Vector:
    """Return the matrix that turns values into differences, the latest value first.

    Examples
    --------
    >>> differencing(2)[2].tolist()
    [1.0, -2.0, 1.0]
    """
    rows = range(order + 1)
    return np.array([[(-1.0) ** i * comb(m, i) for i in rows] for m in rows])
