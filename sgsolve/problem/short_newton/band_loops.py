"""LU of a narrow band with exchanged rows, element by element.

The storage and the exchanges are those of LAPACK, so that its routines can solve with the factors
as well. For a few diagonals its calls for each column take longer than the arithmetic.

Reference: LAPACK Users' Guide, section "Band Storage"; routines gbtf2 and gbtrs.
"""

from __future__ import annotations

from ...ad.kernels.loops.scalar_loops import Choices, Doubles, Indices, LoopStruct
from ...linear.methods.direct.banded import SMALL_PIVOT
from .loop_state import INF, LEAVE, STEP


class BandSystem(LoopStruct):
    """A linear system in the order of its band, with the factors; see `direct.banded`."""

    n: int
    nnz: int
    lower: int
    upper: int
    A: Doubles
    b: Doubles
    y: Doubles
    places: Indices
    before: Indices
    after: Indices
    exchanges: Choices
    band: Doubles
    work: Doubles


def factorized_band(lu: BandSystem) -> int:
    """Write the matrix into the band, and factorize it; LEAVE where a pivot is in doubt."""
    middle = lu.lower + lu.upper
    depth = middle + lu.lower + 1
    for k in range(lu.n * depth):
        lu.band[k] = 0.0
    for k in range(lu.nnz):
        lu.band[lu.places[k]] = lu.A[k]
    reach, smallest, largest = 0, INF, 0.0
    for j in range(lu.n):
        at = j * depth + middle
        below = min(lu.lower, lu.n - 1 - j)
        off = chosen_row(lu, at, below)
        lu.exchanges[j] = j + off
        reach = max(reach, min(j + lu.upper + off, lu.n - 1))
        for i in range(1, below + 1):
            if off == i:
                exchange(lu, at, i, depth, reach - j)
        pivot = lu.band[at]
        smallest = min(smallest, abs(pivot))
        largest = max(largest, abs(pivot))
        if pivot != 0.0:
            eliminate(lu, at, 1.0 / pivot, below, depth, reach - j)
    return STEP if smallest > 0.0 and smallest >= SMALL_PIVOT * largest else LEAVE


def chosen_row(lu: BandSystem, at: int, below: int) -> int:
    """Return how far below the diagonal the largest entry of a column is."""
    off, largest = 0, abs(lu.band[at])
    for i in range(1, below + 1):
        if abs(lu.band[at + i]) > largest:
            off = i
            largest = abs(lu.band[at + i])
    return off


def exchange(lu: BandSystem, at: int, i: int, depth: int, columns: int) -> int:
    """Exchange the row of a pivot with one below it."""
    for k in range(columns + 1):
        there = at + k * (depth - 1)
        held = lu.band[there]
        lu.band[there] = lu.band[there + i]
        lu.band[there + i] = held
    return 1


def eliminate(lu: BandSystem, at: int, inverse: float, below: int, depth: int, columns: int) -> int:
    """Write the multipliers below a pivot, and subtract its row in the columns behind."""
    for i in range(1, below + 1):
        lu.band[at + i] *= inverse
    for k in range(1, columns + 1):
        there = at + k * (depth - 1)
        factor = lu.band[there]
        if factor != 0.0:
            for i in range(1, below + 1):
                lu.band[there + i] -= lu.band[at + i] * factor
    return 1


def solved_band(lu: BandSystem) -> int:
    """Write the solution y for the right-hand side b."""
    middle = lu.lower + lu.upper
    depth = middle + lu.lower + 1
    for i in range(lu.n):
        lu.work[i] = lu.b[lu.before[i]]
    for j in range(lu.n):
        at = j * depth + middle
        held = lu.work[lu.exchanges[j]]
        lu.work[lu.exchanges[j]] = lu.work[j]
        lu.work[j] = held
        for i in range(1, min(lu.lower, lu.n - 1 - j) + 1):
            lu.work[j + i] -= lu.band[at + i] * held
    for k in range(lu.n):
        j = lu.n - 1 - k
        at = j * depth + middle
        x = lu.work[j] / lu.band[at]
        lu.work[j] = x
        for i in range(1, min(middle, j) + 1):
            lu.work[j - i] -= lu.band[at - i] * x
    for i in range(lu.n):
        lu.y[i] = lu.work[lu.after[i]]
    return STEP
