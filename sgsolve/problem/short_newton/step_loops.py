"""Newton's method with full steps, element by element: sums and decisions of one iteration.

These functions are compiled by `scalar_loops`. They repeat what `solvers` and `linear` do with
arrays, for one block of unknowns without a scale: the sizes of `solvers.scaling`, the residuals and
steps of `solvers.iterate`, the criteria of `solvers.convergence` and `solvers.limit_at_infinity`,
the equilibration and the backward error of `linear`. Wherever these would do more than continue or
end with success, the answer is `LEAVE`.
"""

from __future__ import annotations

from ...ad.kernels.scalar_loops import Doubles, Indices
from ...linear.accuracy import EPS, GROWTH, REFINE_ABOVE
from ...linear.accuracy import TINY as SMALLEST_NUMBER
from ...linear.banded import SMALL_PIVOT
from ...linear.equilibration import DRIFT
from ...linear.first_answer import LARGE_SQUARE
from ...solvers.convergence import MOVED, RUNAWAY
from ...solvers.rounding import SMALL_STEP
from .decision_loops import (
    converged,
    holds,
    is_far,
    may_vanish,
    note_closed_equations,
    passes,
    terms_moved,
)
from .loop_state import (
    BACKWARD_ERROR,
    BARE,
    CONTRACTION,
    EXAMINE,
    FLOOR,
    HELD,
    INF,
    LARGEST,
    LEAVE,
    N_STATE,
    NAN,
    PHI,
    RENEWED,
    RESCALE,
    RUN,
    SOLVED,
    STEP,
    STEP_ABSOLUTE,
    STEP_ABSOLUTE_OLD,
    STEP_SIZE,
    STEP_SIZE_OLD,
    K,
)
from .size_loops import (
    merit,
    note_residual,
    note_scaled,
    sizes_of_equations,
    sizes_of_unknowns,
    take_jacobian,
)

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


def started(
    starts: Indices, columns: Indices, x: Doubles, F: Doubles, J: Doubles, sizes: Doubles,
    magnitude: Doubles, weights: Doubles, terms: Doubles, S: Doubles, own: Doubles, step: Doubles,
    step_old: Doubles, step_older: Doubles, closing: Doubles, change: Doubles, unproven: Doubles,
    x_start: Doubles, F_start: Doubles, state: Doubles, factor: Doubles, row: Doubles, A: Doubles,
    A_sizes: Doubles, of_columns: Doubles, b: Doubles, full: Doubles,
    tolerance: float, rounding: float, n: int, nnz: int, dense: int,
) -> int:  # fmt: skip
    """Start from x with the residual F and the Jacobian J; write the first linear system."""
    for k in range(N_STATE):
        state[k] = 0.0
    state[FLOOR] = INF
    state[STEP_SIZE] = INF
    state[STEP_SIZE_OLD] = INF
    state[STEP_ABSOLUTE] = INF
    state[STEP_ABSOLUTE_OLD] = INF
    state[RUN] = -1.0
    state[BACKWARD_ERROR] = NAN
    zero, at_zero, square = 0, 1, 0.0
    for i in range(n):
        step[i] = 0.0
        step_old[i] = 0.0
        step_older[i] = 0.0
        closing[i] = 0.0
        change[i] = 0.0
        unproven[i] = 0.0
        x_start[i] = x[i]
        F_start[i] = F[i]
        square += F[i] * F[i]
        if F[i] == 0.0:
            zero = 1
        if x[i] != 0.0:
            at_zero = 0
    # An equation that holds exactly at the start may be flat there: see `note_start`.
    state[HELD] = 1.0 if zero == 1 and at_zero == 0 else 0.0
    if not square < INF:
        return LEAVE
    sizes_of_unknowns(x, magnitude, weights, terms, state, n)
    take_jacobian(J, sizes, nnz)
    if sizes_of_equations(starts, columns, sizes, terms, magnitude, S, own, state, n) == 0:
        return LEAVE
    state[PHI] = merit(F, S, n)
    note_residual(F, own, state, n)
    # Whether a start is a solution is not decided here.
    solved = holds(F, own, tolerance, n) == 1 and holds(F, own, rounding, n) == 1
    if not state[PHI] < INF or state[PHI] == 0.0 or solved:
        return LEAVE
    for i in range(n):
        b[i] = -F[i] * row[i]
    if equilibrated(starts, columns, J, factor, A, A_sizes, of_columns, n) == 0:
        return RESCALE
    if dense == 1:
        fill(starts, columns, A, full, n)
    return STEP


def stepped(
    starts: Indices, columns: Indices, A: Doubles, A_sizes: Doubles, b: Doubles, y: Doubles,
    column: Doubles, r: Doubles, scale: Doubles, x: Doubles, x_new: Doubles, state: Doubles,
    full: Doubles, n: int, dense: int,
) -> int:  # fmt: skip
    """Check the solution y of the linear system, and write the next point; see `first_answer`."""
    if dense == 1 and pivots_are_small(full, n) == 1:
        return LEAVE
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
        return LEAVE
    floor, error, square = SMALLEST_NUMBER + ERROR_FLOOR * min(largest_scale, 1.0), 0.0, 0.0
    for i in range(n):
        error = max(error, abs(r[i]) / (scale[i] + floor))
        dx = y[i] * column[i]
        square += dx * dx
        x_new[i] = x[i] + dx
    state[BACKWARD_ERROR] = error
    return STEP if error <= REFINE_ABOVE and square < INF else LEAVE


def arrived(
    starts: Indices, columns: Indices, x: Doubles, x_new: Doubles, F: Doubles, F_new: Doubles,
    J: Doubles, J_old: Doubles, sizes: Doubles, magnitude: Doubles, weights: Doubles,
    terms: Doubles, S: Doubles, own: Doubles, step: Doubles, step_old: Doubles,
    step_older: Doubles, closing: Doubles, change: Doubles, unproven: Doubles,
    x_start: Doubles, F_start: Doubles, x_run: Doubles, state: Doubles, factor: Doubles,
    row: Doubles, A: Doubles, A_sizes: Doubles, of_columns: Doubles, b: Doubles, full: Doubles,
    scaled: Doubles, tolerance: float, error: float, rounding: float, n: int, nnz: int, dense: int,
) -> int:  # fmt: skip
    """Take the next point, decide whether it ends the solve, and write the next linear system."""
    square, previous, phi_old = 0.0, state[LARGEST], state[PHI]
    for i in range(n):
        square += F_new[i] * F_new[i]
    state[PHI] = merit(F_new, S, n)
    if not square < INF or not state[PHI] < INF:
        return LEAVE
    state[CONTRACTION] = state[PHI] / phi_old if phi_old > 0.0 else 0.0
    sizes_of_unknowns(x_new, magnitude, weights, terms, state, n)
    if state[BARE] == 1.0:
        sizes_of_equations(starts, columns, sizes, terms, magnitude, S, own, state, n)
    size, absolute, moved = 0.0, 0.0, 0
    for i in range(n):
        step_older[i] = step_old[i]
        step_old[i] = step[i]
        step[i] = x_new[i] - x[i]
        size = max(size, abs(step[i]) / weights[i])
        absolute = max(absolute, abs(step[i]))
        if abs(step[i]) > MOVED * magnitude[i]:
            moved = 1
    state[K] = state[K] + 1.0
    state[STEP_SIZE_OLD] = state[STEP_SIZE]
    state[STEP_ABSOLUTE_OLD] = state[STEP_ABSOLUTE]
    state[STEP_SIZE] = size
    state[STEP_ABSOLUTE] = absolute
    state[RENEWED] = 0.0
    note_residual(F_new, own, state, n)
    solved = passes(F_new, own, state, tolerance, error, rounding, n)
    if solved == 1 and moved == 1:
        moved = terms_moved(starts, columns, sizes, step, own, n)
    if solved == 1 and moved == 1:
        take_jacobian(J, sizes, nnz)
        if sizes_of_equations(starts, columns, sizes, terms, magnitude, S, own, state, n) == 0:
            return LEAVE
        state[RENEWED] = 1.0
        state[PHI] = merit(F_new, S, n)
        solved = passes(F_new, own, state, tolerance, error, rounding, n)
    if solved == 1:
        if is_far(x_new, x_start, n) == 1:
            return LEAVE
        note_scaled(F_new, own, scaled, n)
        done = 0
        if state[RENEWED] == 1.0:
            done = converged(
                starts, columns, x_new, F_new, F, F_start, J, own, step, step_old,
                step_older, weights, closing, change, unproven, state, n,
            )  # fmt: skip
        else:
            done = converged(
                starts, columns, x_new, F_new, F, F_start, J_old, own, step, step_old,
                step_older, weights, closing, change, unproven, state, n,
            )  # fmt: skip
        return SOLVED if done == 1 else EXAMINE
    note_closed_equations(
        starts, columns, F_new, F, J_old, own, step, closing, change, unproven, state, n,
    )  # fmt: skip
    if size <= SMALL_STEP and state[CONTRACTION] > 0.5:
        return LEAVE
    if state[LARGEST] > RUNAWAY or absolute == 0.0:
        return LEAVE
    if may_vanish(x_new, x, x_run, step, weights, previous, state, n) == 1:
        return LEAVE
    if state[RENEWED] == 0.0:
        take_jacobian(J, sizes, nnz)
        if sizes_of_equations(starts, columns, sizes, terms, magnitude, S, own, state, n) == 0:
            return LEAVE
        state[PHI] = merit(F_new, S, n)
    for k in range(nnz):
        J_old[k] = J[k]
    for i in range(n):
        x[i] = x_new[i]
        F[i] = F_new[i]
        b[i] = -F_new[i] * row[i]
    if not state[PHI] < INF:
        return LEAVE
    if equilibrated(starts, columns, J, factor, A, A_sizes, of_columns, n) == 0:
        return RESCALE
    if dense == 1:
        fill(starts, columns, A, full, n)
    return STEP
