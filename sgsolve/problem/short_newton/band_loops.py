"""LU of a narrow band with exchanged rows, element by element.

The storage and the exchanges are those of LAPACK, so that its routines can solve with the factors
as well. For a few diagonals its calls for each column take longer than the arithmetic.

Reference: LAPACK Users' Guide, section "Band Storage"; routines gbtf2 and gbtrs.
"""

from __future__ import annotations

from ...ad.kernels.scalar_loops import Doubles, Indices
from ...linear.banded import SMALL_PIVOT
from .loop_state import INF, LEAVE, STEP


def factorized_band(
    A: Doubles, places: Indices, band: Doubles, exchanges: Indices, n: int, nnz: int, lower: int,
    upper: int,
) -> int:  # fmt: skip
    """Write the matrix into the band, and factorize it; LEAVE where a pivot is in doubt."""
    middle = lower + upper
    depth = middle + lower + 1
    for k in range(n * depth):
        band[k] = 0.0
    for k in range(nnz):
        band[places[k]] = A[k]
    reach, smallest, largest = 0, INF, 0.0
    for j in range(n):
        at = j * depth + middle
        below = min(lower, n - 1 - j)
        off = chosen_row(band, at, below)
        exchanges[j] = j + off
        reach = max(reach, min(j + upper + off, n - 1))
        pivot = band[at + off]
        smallest = min(smallest, abs(pivot))
        largest = max(largest, abs(pivot))
        if off > 0:
            for k in range(j, reach + 1):
                there = k * depth + middle + j - k
                held = band[there]
                band[there] = band[there + off]
                band[there + off] = held
        if pivot != 0.0:
            eliminate(band, at, 1.0 / pivot, below, depth, reach - j)
    return STEP if smallest > 0.0 and smallest >= SMALL_PIVOT * largest else LEAVE


def chosen_row(band: Doubles, at: int, below: int) -> int:
    """Return how far below the diagonal the largest entry of a column is."""
    off, largest = 0, abs(band[at])
    for i in range(1, below + 1):
        if abs(band[at + i]) > largest:
            off = i
            largest = abs(band[at + i])
    return off


def eliminate(
    band: Doubles, at: int, inverse: float, below: int, depth: int, columns: int
) -> int:  # fmt: skip
    """Write the multipliers below a pivot, and subtract its row in the columns behind."""
    for i in range(1, below + 1):
        band[at + i] *= inverse
    for k in range(1, columns + 1):
        there = at + k * (depth - 1)
        factor = band[there]
        if factor != 0.0:
            for i in range(1, below + 1):
                band[there + i] -= band[at + i] * factor
    return 1


def solved_band(
    band: Doubles, exchanges: Indices, before: Indices, after: Indices, b: Doubles, work: Doubles,
    y: Doubles, n: int, lower: int, upper: int,
) -> int:  # fmt: skip
    """Write the solution y for the right-hand side b."""
    middle = lower + upper
    depth = middle + lower + 1
    for i in range(n):
        work[i] = b[before[i]]
    for j in range(n):
        at = j * depth + middle
        held = work[exchanges[j]]
        work[exchanges[j]] = work[j]
        work[j] = held
        for i in range(1, min(lower, n - 1 - j) + 1):
            work[j + i] -= band[at + i] * held
    for k in range(n):
        j = n - 1 - k
        at = j * depth + middle
        x = work[j] / band[at]
        work[j] = x
        for i in range(1, min(middle, j) + 1):
            work[j - i] -= band[at - i] * x
    for i in range(n):
        y[i] = work[after[i]]
    return STEP
