"""The matrix of a step in time, M = J + a0 C: factors and solutions, element by element.

Equilibrated rows and a diagonal that is large beside the entries below it need no exchanges. The
first answer with new factors is checked as by `linear.checks.first_answer`.

Reference: I. S. Duff, A. M. Erisman and J. K. Reid, Direct Methods for Sparse Matrices (2017),
section 5.4 (pivots by a threshold).
"""

from __future__ import annotations

from ...arrays import EPS
from ...linear.checks.accuracy import GROWTH
from ...linear.checks.accuracy import TINY as SMALLEST_NUMBER
from ...linear.checks.first_answer import LARGE_SQUARE
from ...linear.equilibration import DRIFT
from ...linear.methods.direct.banded import SMALL_PIVOT
from ...linear.solver import TRUSTED
from ...transient.implicit.kept_matrix import RATIO
from ..short_newton.band_loops import factorized_band, solved_band
from ..short_newton.loop_state import INF, STEP
from .step_loop import CHECKED, FACTORED, LEAVE, MADE, N_FACTOR, RESCALE, StepLoop

ERROR_FLOOR = SMALLEST_NUMBER / EPS
PREFERRED = 0.1  # of the largest entry below it, from which on a pivot on the diagonal is taken


def missing_factors(it: StepLoop) -> int:
    """Factorize M where the factors are too old: MADE, RESCALE where its rows drifted, or LEAVE."""
    serves = it.a0 > RATIO * it.a and RATIO * it.a0 < it.a
    if serves and it.whole[FACTORED] == 1:
        return MADE
    a = it.a0 if serves else it.a
    it.a_wanted = a
    it.whole[FACTORED] = 0
    it.whole[CHECKED] = 0
    if scaled_matrix(it, a) == 0:
        return RESCALE
    if not serves:
        it.whole[N_FACTOR] = it.whole[N_FACTOR] + 1
    it.a0 = a
    it.exchanged = 1.0 - factorized_in_order(it)
    if it.exchanged == 0.0:
        write_rows(it)
    elif factorized_band(it.lu) != STEP:
        return LEAVE
    it.whole[FACTORED] = 1
    return MADE


def solved_system(it: StepLoop) -> int:
    """Write the solution; 0 if the first one is wrong by more than rounding with any factors."""
    if it.exchanged == 0.0:
        solved_without_exchanges(it)
    else:
        solved_band(it.lu)
    if it.whole[CHECKED] == 0 and answer_is_right(it) == 0:
        if it.exchanged == 1.0 or factorized_band(it.lu) != STEP:
            return 0
        it.exchanged = 1.0
        solved_band(it.lu)
        if answer_is_right(it) == 0:
            return 0
    it.whole[CHECKED] = 1
    return 1


def scaled_matrix(it: StepLoop, a: float) -> int:
    """Write the equilibrated matrix J + a C; 0 where other factors of the rows are due."""
    smallest, largest = INF, 0.0
    for i in range(it.n):
        it.y[i] = 0.0
    for i in range(it.n):
        of_row = 0.0
        for k in range(it.starts[i], it.starts[i + 1]):
            entry = (it.J[k] + a * it.C[k]) * it.factor[k]
            it.A[k] = entry
            of_row = max(of_row, abs(entry))
            it.y[it.columns[k]] = max(it.y[it.columns[k]], abs(entry))
        smallest = min(smallest, of_row)
        largest = max(largest, of_row)
    for i in range(it.n):
        smallest = min(smallest, it.y[i])
    return 1 if smallest * DRIFT >= 1.0 and largest <= DRIFT else 0


def factorized_in_order(it: StepLoop) -> int:
    """Factorize without exchanging rows; 0 where a pivot is small beside the entries below."""
    middle = it.lower + it.upper
    depth = middle + it.lower + 1
    fill_band(it)
    smallest, largest = INF, 0.0
    for j in range(it.n):
        at = j * depth + middle
        pivot, below = it.band[at], min(it.lower, it.n - 1 - j)
        largest = max(largest, abs(pivot))
        smallest = min(smallest, abs(pivot))
        for i in range(1, below + 1):
            if abs(it.band[at + i]) * PREFERRED > abs(pivot):
                return 0
        if pivot == 0.0:
            return 0
        inverse = 1.0 / pivot
        for i in range(1, below + 1):
            it.band[at + i] *= inverse
        for k in range(1, min(it.upper, it.n - 1 - j) + 1):
            there = at + k * (depth - 1)
            factor = it.band[there]
            for i in range(1, below + 1):
                it.band[there + i] -= it.band[at + i] * factor
    return 1 if smallest >= SMALL_PIVOT * largest else 0


def fill_band(it: StepLoop) -> int:
    """Write the matrix into the band."""
    for k in range(it.n * (2 * it.lower + it.upper + 1)):
        it.band[k] = 0.0
    for k in range(it.nnz):
        it.band[it.band_places[k]] = it.A[k]
    return 1


def write_rows(it: StepLoop) -> int:
    """Write the factors row by row; the rows of U over their pivots."""
    middle = it.lower + it.upper
    depth = middle + it.lower + 1
    for j in range(it.n):
        at = j * depth + middle
        inverse = 1.0 / it.band[at]
        it.inverse[j] = inverse
        for k in range(min(it.lower, j)):
            it.below[j * it.lower + k] = it.band[at - (k + 1) * (depth - 1)]
        for k in range(min(it.upper, it.n - 1 - j)):
            it.above[j * it.upper + k] = it.band[at + (k + 1) * (depth - 1)] * inverse
    return 1


def solved_without_exchanges(it: StepLoop) -> int:
    """Solve with the rows of the factors; each row waits for the row before in one product only."""
    lower, upper, last = it.lower, it.upper, 0.0
    for i in range(it.n):
        rest, at = it.b[it.before[i]], i * lower
        for k in range(1, min(lower, i)):
            rest -= it.below[at + k] * it.work[i - 1 - k]
        last = rest - it.below[at] * last
        it.work[i] = last
    last = 0.0
    for m in range(it.n):
        j = it.n - 1 - m
        rest, at = it.work[j] * it.inverse[j], j * upper
        for k in range(1, min(upper, m)):
            rest -= it.above[at + k] * it.work[j + 1 + k]
        last = rest - it.above[at] * last
        it.work[j] = last
    for i in range(it.n):
        it.y[i] = it.work[it.after[i]]
    return 1


def answer_is_right(it: StepLoop) -> int:
    """Whether the first answer with new factors has a backward error of rounding."""
    square, largest, largest_b, largest_scale = 0.0, 0.0, 0.0, 0.0
    for i in range(it.n):
        square += it.y[i] * it.y[i] + it.b[i] * it.b[i]
        largest = max(largest, abs(it.y[i]))
        largest_b = max(largest_b, abs(it.b[i]))
        residual, size = it.b[i], abs(it.b[i])
        for k in range(it.starts[i], it.starts[i + 1]):
            term = it.A[k] * it.y[it.columns[k]]
            residual -= term
            size += abs(term)
        it.d[i] = abs(residual)
        it.deviation[i] = size
        largest_scale = max(largest_scale, size)
    if not square < LARGE_SQUARE or not largest <= GROWTH * largest_b:
        return 0
    floor, error = SMALLEST_NUMBER + ERROR_FLOOR * min(largest_scale, 1.0), 0.0
    for i in range(it.n):
        error = max(error, it.d[i] / (it.deviation[i] + floor))
    return 1 if error < TRUSTED else 0
