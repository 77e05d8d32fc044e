"""The linear systems of a short solve, element by element; see `linear`.

They are equilibrated as by `linear.equilibration`, and each solution is checked as by
`linear.checks.first_answer`. The loops return `LEAVE` where these would do more.
"""

from __future__ import annotations

from ...arrays import EPS
from ...linear.checks.accuracy import GROWTH
from ...linear.checks.accuracy import TINY as SMALLEST_NUMBER
from ...linear.checks.first_answer import LARGE_SQUARE
from ...linear.equilibration import DRIFT
from ...linear.methods.direct.banded import SMALL_PIVOT
from .loop_state import INF, RESCALE, STEP
from .short_iterate import ShortIterate

ERROR_FLOOR = SMALLEST_NUMBER / EPS


def equilibrated(it: ShortIterate) -> int:
    """Write the equilibrated matrix; 0 if its factors have to be found anew."""
    smallest, largest = INF, 0.0
    for j in range(it.n):
        it.of_columns[j] = 0.0
    for i in range(it.n):
        of_row = 0.0
        for k in range(it.starts[i], it.starts[i + 1]):
            entry = it.J[k] * it.factor[k]
            size = abs(entry)
            it.A[k] = entry
            it.A_sizes[k] = size
            of_row = max(of_row, size)
            it.of_columns[it.columns[k]] = max(it.of_columns[it.columns[k]], size)
        smallest = min(smallest, of_row)
        largest = max(largest, of_row)
    for j in range(it.n):
        smallest = min(smallest, it.of_columns[j])
    return 1 if smallest * DRIFT >= 1.0 and largest <= DRIFT else 0


def next_system(it: ShortIterate) -> int:
    """Write the linear system of the next step."""
    for i in range(it.n):
        it.b[i] = -it.F[i] * it.row[i]
    if equilibrated(it) == 0:
        return RESCALE
    if it.dense == 1:
        fill(it)
    return STEP


def fill(it: ShortIterate) -> int:
    """Write a matrix in CSR form as a full one, column after column."""
    for k in range(it.n * it.n):
        it.full[k] = 0.0
    for i in range(it.n):
        for k in range(it.starts[i], it.starts[i + 1]):
            it.full[it.columns[k] * it.n + i] = it.A[k]
    return 1


def pivots_are_small(it: ShortIterate) -> int:
    """Whether factors of a full matrix have a pivot that leaves an answer in doubt."""
    smallest, largest = INF, 0.0
    for i in range(it.n):
        smallest = min(smallest, abs(it.full[i * it.n + i]))
        largest = max(largest, abs(it.full[i * it.n + i]))
    return 1 if smallest < SMALL_PIVOT * largest else 0


def backward_error(it: ShortIterate) -> float:
    """Return the backward error of the solution y; infinite where it takes an examination."""
    square, largest, largest_b, largest_scale = 0.0, 0.0, 0.0, 0.0
    for i in range(it.n):  # equations of one unknown: see `PreparedMatrix.answer`
        if it.starts[i + 1] == it.starts[i] + 1:
            it.y[it.columns[it.starts[i]]] = it.b[i] / it.A[it.starts[i]]
    for i in range(it.n):
        square += it.y[i] * it.y[i] + it.b[i] * it.b[i]
        largest = max(largest, abs(it.y[i]))
        largest_b = max(largest_b, abs(it.b[i]))
        residual, size = 0.0, 0.0
        for k in range(it.starts[i], it.starts[i + 1]):
            residual += it.A[k] * it.y[it.columns[k]]
            size += it.A_sizes[k] * abs(it.y[it.columns[k]])
        it.r[i] = it.b[i] - residual
        it.scale[i] = size + abs(it.b[i])
        largest_scale = max(largest_scale, it.scale[i])
    if not square < LARGE_SQUARE or not largest <= GROWTH * largest_b:
        return INF
    floor, error = SMALLEST_NUMBER + ERROR_FLOOR * min(largest_scale, 1.0), 0.0
    for i in range(it.n):
        error = max(error, abs(it.r[i]) / (it.scale[i] + floor))
    return error
