"""Newton's method with full steps, element by element: sums and decisions of one iteration.

These functions are compiled by `scalar_loops`. They repeat what `solvers` and `linear` do with
arrays: the sizes of `solvers.scaling`, the residuals and
steps of `solvers.iterate`, the criteria of `solvers.convergence` and `solvers.limit_at_infinity`,
the equilibration and the backward error of `linear`. They return `LEAVE` where these would do more
than continue or end with success.
"""

from __future__ import annotations

from ...ad.kernels.scalar_loops import Doubles, Indices
from ...linear.accuracy import ACCEPT, EPS
from ...solvers.convergence import MOVED, RUNAWAY
from ...solvers.determination import DETERMINED, UNITS
from ...solvers.extrapolation import ALIKE, STEPS
from ...solvers.rounding import SMALL_STEP
from .closed_loops import note_closed_equations, took_answer, write_question
from .decision_loops import (
    all_have_terms,
    estimated,
    holds,
    is_far,
    may_extrapolate,
    may_vanish,
    passes,
    steps_are_short,
    steps_keep_factors,
    terms_moved,
)
from .linear_loops import backward_error, next_system
from .loop_state import (
    ASK,
    BACKWARD_ERROR,
    BARE,
    CONTRACTION,
    DOUBTED,
    ESTIMATE,
    EXAMINE,
    FIX,
    HELD,
    INF,
    JACOBIAN,
    KNOWN,
    LARGEST,
    LARGEST_OLD,
    LEAVE,
    LINEAR_RUN,
    N_STATE,
    NAN,
    OPEN,
    PHI,
    REFINE,
    RENEWED,
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


def started(
    starts: Indices, columns: Indices, x: Doubles, F: Doubles, J: Doubles, sizes: Doubles,
    magnitude: Doubles, weights: Doubles, terms: Doubles, S: Doubles, own: Doubles, sized: Doubles,
    held_sizes: Doubles, user_scale: Doubles, block: Indices, floors: Doubles,
    largest_in: Doubles, residual_in: Doubles, step_in: Doubles, step: Doubles,
    step_old: Doubles, step_older: Doubles, closing: Doubles, change: Doubles, unproven: Doubles,
    x_start: Doubles, F_start: Doubles, state: Doubles, factor: Doubles, row: Doubles, A: Doubles,
    A_sizes: Doubles, of_columns: Doubles, b: Doubles, full: Doubles,
    tolerance: float, rounding: float, n: int, nnz: int, dense: int, n_blocks: int, has_scale: int,
    of_scale: int,
) -> int:  # fmt: skip
    """Start from x with the residual F and the Jacobian J; write the first linear system."""
    begin_state(floors, state, n_blocks)
    square = begin_steps(
        x, F, step, step_old, step_older, closing, change, unproven, x_start, F_start, state, n
    )
    if not square < INF:
        return LEAVE
    sizes_of_unknowns(
        x, magnitude, weights, terms, held_sizes, user_scale, block, floors, largest_in, state, n,
        n_blocks, has_scale, of_scale,
    )  # fmt: skip
    finite = take_jacobian(
        starts, columns, F, J, sizes, terms, magnitude, S, own, sized, state, n, nnz,
        has_scale,
    )  # fmt: skip
    if finite == 0:
        return LEAVE
    note_residual(F, sized, step, block, residual_in, step_in, state, n, n_blocks)
    # Whether a start is a solution is not decided here.
    small = holds(
        starts, columns, sizes, held_sizes, F, own, sized, tolerance, n, has_scale, of_scale
    )  # fmt: skip
    rounded = holds(
        starts, columns, sizes, held_sizes, F, own, sized, rounding, n, has_scale, of_scale
    )  # fmt: skip
    if not state[PHI] < INF or state[PHI] == 0.0 or (small != 0 and rounded != 0):
        return LEAVE
    return next_system(
        starts, columns, F, J, factor, row, A, A_sizes, of_columns, b, full, n, dense
    )


def begin_state(floors: Doubles, state: Doubles, n_blocks: int) -> int:
    """Write the numbers of a solve that begins."""
    for k in range(N_STATE):
        state[k] = 0.0
    for k in range(n_blocks):
        floors[k] = INF
    state[STEP_SIZE] = INF
    state[STEP_SIZE_OLD] = INF
    state[STEP_ABSOLUTE] = INF
    state[STEP_ABSOLUTE_OLD] = INF
    state[RUN] = -1.0
    state[BACKWARD_ERROR] = NAN
    return 1


def begin_steps(
    x: Doubles, F: Doubles, step: Doubles, step_old: Doubles, step_older: Doubles,
    closing: Doubles, change: Doubles, unproven: Doubles, x_start: Doubles, F_start: Doubles,
    state: Doubles, n: int,
) -> float:  # fmt: skip
    """Write the start, before which there are no steps; return the sum of the squares of F."""
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
    return square


def arrived(
    starts: Indices, columns: Indices, x: Doubles, x_new: Doubles, F: Doubles, F_new: Doubles,
    J: Doubles, J_old: Doubles, sizes: Doubles, magnitude: Doubles, weights: Doubles,
    terms: Doubles, S: Doubles, own: Doubles, sized: Doubles,
    held_sizes: Doubles, user_scale: Doubles, block: Indices, floors: Doubles,
    largest_in: Doubles, residual_in: Doubles, step_in: Doubles, run_in: Doubles,
    step: Doubles, step_old: Doubles, step_older: Doubles, correction: Doubles, closing: Doubles,
    change: Doubles,
    unproven: Doubles, x_start: Doubles, F_start: Doubles, x_run: Doubles, state: Doubles,
    factor: Doubles, row: Doubles, A: Doubles, A_sizes: Doubles, of_columns: Doubles, b: Doubles,
    full: Doubles, scaled: Doubles, parts: Doubles, J_known: Doubles, known: Doubles,
    asked: Doubles, small: Doubles, x_beside: Doubles, free: Doubles,
    tolerance: float, error: float, rounding: float, n: int, nnz: int, dense: int, damped: int,
    n_blocks: int, has_scale: int, of_scale: int,
) -> int:  # fmt: skip
    """Take the next point, and decide whether it ends the solve; otherwise continue from it."""
    square = 0.0
    for i in range(n):
        square += F_new[i] * F_new[i]
    moved = took_point(
        starts, columns, x, x_new, F_new, sizes, magnitude, weights, terms, S, own, sized,
        held_sizes, user_scale, block, floors, largest_in, step, step_old, step_older, state,
        n, n_blocks, has_scale, of_scale,
    )  # fmt: skip
    if not square < INF or not state[PHI] < INF:
        return LEAVE
    if state[LINEAR_RUN] >= STEPS and may_extrapolate(step, step_old, weights, n) == 1:
        return LEAVE
    state[ESTIMATE] = estimated(correction, weights, state, n, damped)
    note_residual(F_new, sized, step, block, residual_in, step_in, state, n, n_blocks)
    solved = passes(
        starts, columns, sizes, held_sizes, F_new, own, sized, state, tolerance, error, rounding, n,
        has_scale, of_scale,
    )  # fmt: skip
    if solved == -1:
        return LEAVE
    if solved == 1 and moved == 1:
        moved = terms_moved(starts, columns, sizes, held_sizes, own, step, n, of_scale)
    if solved == 1 and moved == 0:
        return ended(
            starts, columns, x_new, F_new, F, x_start, F_start, J_old, own, sized, user_scale, step,
            step_old, step_older, weights, scaled, parts, closing, change, unproven, J_known, known,
            asked, small, x_beside, row, b, free, state, n, has_scale,
        )  # fmt: skip
    state[DOUBTED] = 1.0 if solved == 1 else 0.0
    if state[KNOWN] == 0.0:
        return JACOBIAN
    return continued(
        starts, columns, x, x_new, F, F_new, J, J_old, sizes, magnitude, weights, terms, S, own,
        sized, held_sizes, user_scale, block, largest_in, run_in, step, step_old, step_older,
        closing, change, unproven, x_start, F_start, x_run, state, factor, row, A, A_sizes,
        of_columns, b, full, scaled, parts, J_known, known, asked, small, x_beside, free, tolerance,
        error, rounding, n, nnz, dense, n_blocks, has_scale, of_scale,
    )  # fmt: skip


def took_point(
    starts: Indices, columns: Indices, x: Doubles, x_new: Doubles, F_new: Doubles, sizes: Doubles,
    magnitude: Doubles, weights: Doubles, terms: Doubles, S: Doubles, own: Doubles, sized: Doubles,
    held_sizes: Doubles, user_scale: Doubles, block: Indices, floors: Doubles,
    largest_in: Doubles, step: Doubles, step_old: Doubles, step_older: Doubles, state: Doubles,
    n: int, n_blocks: int, has_scale: int, of_scale: int,
) -> int:  # fmt: skip
    """Write sizes and steps at the next point, and return whether an unknown moved far.

    See `Iterate.accept`.
    """
    phi_old, old = state[PHI], state[CONTRACTION]
    state[LARGEST_OLD] = state[LARGEST]
    state[PHI] = merit(F_new, S, n)
    now = state[PHI] / phi_old if phi_old > 0.0 else 0.0
    state[CONTRACTION] = now
    state[LINEAR_RUN] = (
        state[LINEAR_RUN] + 1.0 if abs(now - old) <= ALIKE * now and now < 1.0 else 0.0
    )
    sizes_of_unknowns(
        x_new, magnitude, weights, terms, held_sizes, user_scale, block, floors, largest_in, state,
        n, n_blocks, has_scale, of_scale,
    )  # fmt: skip
    if state[BARE] == 1.0 and left_zero(x, x_new, n) == 1:
        sizes_of_equations(
            starts, columns, sizes, terms, magnitude, S, own, sized, state, n, has_scale
        )
    size, absolute, moved = 0.0, 0.0, 0
    for i in range(n):
        step_older[i] = step_old[i]
        step_old[i] = step[i]
        step[i] = x_new[i] - x[i]
        size = max(size, abs(step[i]) / weights[i])
        absolute = max(absolute, abs(step[i]))
        if abs(step[i]) > MOVED * held_sizes[i]:
            moved = 1
    state[K] = state[K] + 1.0
    state[STEP_SIZE_OLD] = state[STEP_SIZE]
    state[STEP_ABSOLUTE_OLD] = state[STEP_ABSOLUTE]
    state[STEP_SIZE] = size
    state[STEP_ABSOLUTE] = absolute
    state[RENEWED] = 0.0
    return moved


def left_zero(x: Doubles, x_new: Doubles, n: int) -> int:
    """Whether an unknown that was zero is not zero any more."""
    found = 0
    for i in range(n):
        if x[i] == 0.0 and x_new[i] != 0.0:
            found = 1
    return found


def ended(
    starts: Indices, columns: Indices, x: Doubles, F: Doubles, F_old: Doubles, x_start: Doubles,
    F_start: Doubles, J: Doubles, own: Doubles, sized: Doubles, user_scale: Doubles, step: Doubles,
    step_old: Doubles, step_older: Doubles, weights: Doubles, scaled: Doubles, parts: Doubles,
    closing: Doubles, change: Doubles, unproven: Doubles, J_known: Doubles, known: Doubles,
    asked: Doubles, small: Doubles, x_beside: Doubles, row: Doubles, b: Doubles, free: Doubles,
    state: Doubles, n: int, has_scale: int,
) -> int:  # fmt: skip
    """Decide what is left to examine where the criterion holds; see `convergence`."""
    if is_far(x, x_start, n) == 1:
        return LEAVE
    note_scaled(F, sized, scaled, n)
    if steps_are_short(step, step_old, step_older, weights, state, n) == 0:
        return EXAMINE
    ask = write_question(
        starts, columns, x, F, F_old, F_start, J, own, weights, parts, closing, change, unproven,
        J_known, known, asked, small, x_beside, state, n,
    )  # fmt: skip
    state[OPEN] = 1.0 if ask == 1 else 0.0
    terms = all_have_terms(
        starts, columns, J, x, sized, weights, user_scale, free, n, has_scale
    )  # fmt: skip
    if terms == 1:
        return ASK if ask == 1 else SOLVED
    if state[RENEWED] == 1.0 or steps_keep_factors(step, weights, n) == 0:
        return EXAMINE
    for i in range(n):
        noise = UNITS * EPS * sized[i]
        b[i] = -(F[i] + (-noise if parts[i] < 0.0 else noise)) * row[i]
    return FIX


def fixed(
    starts: Indices, columns: Indices, A: Doubles, A_sizes: Doubles, b: Doubles, y: Doubles,
    column: Doubles, r: Doubles, scale: Doubles, weights: Doubles, free: Doubles, state: Doubles,
    n: int,
) -> int:  # fmt: skip
    """Whether rounding moves the unknowns without influence by little; see `determination`."""
    off = backward_error(starts, columns, A, A_sizes, b, y, r, scale, n)
    if not off <= ACCEPT:
        return REFINE if off < INF else EXAMINE
    little = 1
    for j in range(n):
        if free[j] == 0.0 and not abs(y[j] * column[j]) <= DETERMINED * weights[j]:
            little = 0
    if little == 0:
        return EXAMINE
    return ASK if state[OPEN] == 1.0 else SOLVED


def answered(
    starts: Indices, columns: Indices, J: Doubles, J_old: Doubles, F_new: Doubles,
    F_beside: Doubles, sized: Doubles, S: Doubles, asked: Doubles, small: Doubles, J_known: Doubles,
    known: Doubles, state: Doubles, n: int,
) -> int:  # fmt: skip
    """Decide by the residual next to the solution whether it is one."""
    if state[RENEWED] == 1.0:
        return took_answer(
            starts, columns, J, F_new, F_beside, sized, S, asked, small, J_known, known, n
        )
    return took_answer(
        starts, columns, J_old, F_new, F_beside, sized, S, asked, small, J_known, known, n
    )


def continued(
    starts: Indices, columns: Indices, x: Doubles, x_new: Doubles, F: Doubles, F_new: Doubles,
    J: Doubles, J_old: Doubles, sizes: Doubles, magnitude: Doubles, weights: Doubles,
    terms: Doubles, S: Doubles, own: Doubles, sized: Doubles, held_sizes: Doubles,
    user_scale: Doubles, block: Indices, largest_in: Doubles, run_in: Doubles,
    step: Doubles, step_old: Doubles,
    step_older: Doubles, closing: Doubles, change: Doubles, unproven: Doubles,
    x_start: Doubles, F_start: Doubles, x_run: Doubles, state: Doubles, factor: Doubles,
    row: Doubles, A: Doubles, A_sizes: Doubles, of_columns: Doubles, b: Doubles, full: Doubles,
    scaled: Doubles, parts: Doubles, J_known: Doubles, known: Doubles, asked: Doubles,
    small: Doubles, x_beside: Doubles, free: Doubles,
    tolerance: float, error: float, rounding: float, n: int, nnz: int, dense: int, n_blocks: int,
    has_scale: int, of_scale: int,
) -> int:  # fmt: skip
    """Continue with the Jacobian at the next point, and write the next linear system."""
    if state[DOUBTED] == 1.0:
        finite = take_jacobian(
            starts, columns, F_new, J, sizes, terms, magnitude, S, own, sized, state, n, nnz,
            has_scale,
        )  # fmt: skip
        if finite == 0:
            return LEAVE
        state[RENEWED] = 1.0
        solved = passes(
            starts, columns, sizes, held_sizes, F_new, own, sized, state, tolerance, error,
            rounding, n, has_scale, of_scale,
        )  # fmt: skip
        if solved == -1:
            return LEAVE
        if solved == 1:
            return ended(
                starts, columns, x_new, F_new, F, x_start, F_start, J, own, sized, user_scale, step,
                step_old, step_older, weights, scaled, parts, closing, change, unproven, J_known,
                known, asked, small, x_beside, row, b, free, state, n, has_scale,
            )  # fmt: skip
    note_closed_equations(
        starts, columns, F_new, F, J_old, own, step, closing, change, unproven, state, n,
    )  # fmt: skip
    ahead = ahead_of_step(
        x, x_new, x_run, step, weights, block, largest_in, run_in, x_beside, state, n, n_blocks
    )
    if ahead != STEP:
        return ahead
    if state[RENEWED] == 0.0:
        finite = take_jacobian(
            starts, columns, F_new, J, sizes, terms, magnitude, S, own, sized, state, n, nnz,
            has_scale,
        )  # fmt: skip
        if finite == 0:
            return LEAVE
    if not state[PHI] < INF:
        return LEAVE
    for k in range(nnz):
        J_old[k] = J[k]
    for i in range(n):
        x[i] = x_new[i]
        F[i] = F_new[i]
    return next_system(
        starts, columns, F, J, factor, row, A, A_sizes, of_columns, b, full, n, dense
    )


def ahead_of_step(
    x: Doubles, x_new: Doubles, x_run: Doubles, step: Doubles, weights: Doubles,
    block: Indices, largest_in: Doubles, run_in: Doubles, x_beside: Doubles, state: Doubles, n: int,
    n_blocks: int,
) -> int:  # fmt: skip
    """Return STEP where the solver itself would only take the next step; see `convergence`."""
    if state[STEP_SIZE] <= SMALL_STEP and state[CONTRACTION] > 0.5:
        return LEAVE
    if state[LARGEST] > RUNAWAY or state[STEP_ABSOLUTE] == 0.0:
        return LEAVE
    return may_vanish(
        x_new, x, x_run, step, weights, state[LARGEST_OLD], block, largest_in, run_in, x_beside,
        state, n, n_blocks,
    )  # fmt: skip


def vanished(
    starts: Indices, columns: Indices, x: Doubles, x_new: Doubles, F: Doubles, F_new: Doubles,
    F_beside: Doubles, sizes: Doubles, magnitude: Doubles, weights: Doubles, terms: Doubles,
    S: Doubles, own: Doubles, sized: Doubles, held_sizes: Doubles,
    user_scale: Doubles, block: Indices, floors: Doubles, largest_in: Doubles, step: Doubles,
    step_old: Doubles, step_older: Doubles, scaled: Doubles, x_beside: Doubles, state: Doubles,
    n: int, n_blocks: int, has_scale: int, of_scale: int,
) -> int:  # fmt: skip
    """Take the point at which unknowns are zero if the residual is zero there."""
    left = 0
    for i in range(n):
        if F_beside[i] != 0.0:
            left = 1
    if left == 1:
        return LEAVE
    renewed = state[RENEWED]
    for i in range(n):
        x[i] = x_new[i]
        F[i] = F_new[i]
        x_new[i] = x_beside[i]
        F_new[i] = F_beside[i]
    took_point(
        starts, columns, x, x_new, F_new, sizes, magnitude, weights, terms, S, own, sized,
        held_sizes, user_scale, block, floors, largest_in, step, step_old, step_older, state,
        n, n_blocks, has_scale, of_scale,
    )  # fmt: skip
    state[RENEWED] = renewed
    note_scaled(F_new, sized, scaled, n)
    return EXAMINE
