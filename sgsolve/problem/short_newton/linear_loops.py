"""The linear systems of a short solve, element by element; see `linear`.

They are equilibrated as by `linear.equilibration`, and each solution is checked as by
`linear.first_answer`. The loops return `LEAVE` where these would do more.
"""

from __future__ import annotations

from ...ad.kernels.scalar_loops import Doubles, Indices
from ...linear.accuracy import EPS, GROWTH
from ...linear.accuracy import TINY as SMALLEST_NUMBER
from ...linear.banded import SMALL_PIVOT
from ...linear.equilibration import DRIFT
from ...linear.first_answer import LARGE_SQUARE
from .loop_state import INF, RESCALE, STEP

ERROR_FLOOR = SMALLEST_NUMBER / EPS


def equilibrated(
    starts: Indices, columns: Indices, J: Doubles, factor: Doubles, A: Doubles, A_sizes: Doubles,
    of_columns: Doubles, n: int,
) -> int:  # fmt: skip
    """Write the equilibrated matrix; 0 if its factors have to be found anew."""
    smallest, largest = INF, 0.0
    for j in range(n):
        of_columns[j] = 0.0
    for i in range(n):
        of_row = 0.0
        for k in range(starts[i], starts[i + 1]):
            entry = J[k] * factor[k]
            size = abs(entry)
            A[k] = entry
            A_sizes[k] = size
            of_row = max(of_row, size)
            of_columns[columns[k]] = max(of_columns[columns[k]], size)
        smallest = min(smallest, of_row)
        largest = max(largest, of_row)
    for j in range(n):
        smallest = min(smallest, of_columns[j])
    return 1 if smallest * DRIFT >= 1.0 and largest <= DRIFT else 0


def next_system(
    starts: Indices, columns: Indices, F: Doubles, J: Doubles, factor: Doubles, row: Doubles,
    A: Doubles, A_sizes: Doubles, of_columns: Doubles, b: Doubles, full: Doubles, n: int,
    dense: int,
) -> int:  # fmt: skip
    """Write the linear system of the next step."""
    for i in range(n):
        b[i] = -F[i] * row[i]
    if equilibrated(starts, columns, J, factor, A, A_sizes, of_columns, n) == 0:
        return RESCALE
    if dense == 1:
        fill(starts, columns, A, full, n)
    return STEP


def fill(starts: Indices, columns: Indices, A: Doubles, full: Doubles, n: int) -> int:
    """Write a matrix in CSR form as a full one, column after column."""
    for k in range(n * n):
        full[k] = 0.0
    for i in range(n):
        for k in range(starts[i], starts[i + 1]):
            full[columns[k] * n + i] = A[k]
    return 1


def pivots_are_small(full: Doubles, n: int) -> int:
    """Whether factors of a full matrix have a pivot that leaves an answer in doubt."""
    smallest, largest = INF, 0.0
    for i in range(n):
        smallest = min(smallest, abs(full[i * n + i]))
        largest = max(largest, abs(full[i * n + i]))
    return 1 if smallest < SMALL_PIVOT * largest else 0


def backward_error(
    starts: Indices, columns: Indices, A: Doubles, A_sizes: Doubles, b: Doubles, y: Doubles,
    r: Doubles, scale: Doubles, n: int,
) -> float:  # fmt: skip
    """Return the backward error of the solution y; infinite where it takes an examination."""
    square, largest, largest_b, largest_scale = 0.0, 0.0, 0.0, 0.0
    for i in range(n):
        square += y[i] * y[i] + b[i] * b[i]
        largest = max(largest, abs(y[i]))
        largest_b = max(largest_b, abs(b[i]))
        residual, size = 0.0, 0.0
        for k in range(starts[i], starts[i + 1]):
            residual += A[k] * y[columns[k]]
            size += A_sizes[k] * abs(y[columns[k]])
        r[i] = b[i] - residual
        scale[i] = size + abs(b[i])
        largest_scale = max(largest_scale, scale[i])
    if not square < LARGE_SQUARE or not largest <= GROWTH * largest_b:
        return INF
    floor, error = SMALLEST_NUMBER + ERROR_FLOOR * min(largest_scale, 1.0), 0.0
    for i in range(n):
        error = max(error, abs(r[i]) / (scale[i] + floor))
    return error
