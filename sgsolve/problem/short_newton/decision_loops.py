"""Criteria on residuals and steps, element by element.

They are those of `solvers.termination`, `solvers.convergence` and `solvers.limit_at_infinity`.
"""

from __future__ import annotations

from ...ad.kernels.scalar_loops import Doubles, Indices, sqrt
from ...solvers.convergence import BEYOND, LINEAR_STEPS, MOVED, REST_ERROR, SETTLED, VANISHED
from ...solvers.determination import SHORT, UNDETERMINED
from ...solvers.extrapolation import LEAST_RATIO, MOST_RATIO
from ...solvers.limit_at_infinity import NOTHING, SHRUNK, SIGNIFICANT
from .loop_state import (
    CONTRACTION,
    ESTIMATE,
    INF,
    LARGEST,
    LEAVE,
    RUN,
    RUN_SIZE,
    SMALLEST,
    STEP,
    STEP_ABSOLUTE,
    STEP_ABSOLUTE_OLD,
    STEP_SIZE,
    STEP_SIZE_OLD,
    VANISH,
    K,
)


def terms_of(
    starts: Indices, columns: Indices, sizes: Doubles, values: Doubles, i: int
) -> float:  # fmt: skip
    """Return the size of the terms of equation i with some values of the unknowns."""
    terms = 0.0
    for k in range(starts[i], starts[i + 1]):
        terms += sizes[k] * abs(values[columns[k]])
    return terms


def holds(
    starts: Indices, columns: Indices, sizes: Doubles, held_sizes: Doubles, F: Doubles,
    own: Doubles, sized: Doubles, relative: float, n: int, has_scale: int, of_scale: int,
) -> int:  # fmt: skip
    """Whether every residual is this small relative to its terms; see `rounding.small`.

    -1 where it is small only beside the scale of the problem: further residuals decide then.
    """
    hidden = 1 if has_scale == 1 and of_scale == 0 else 0
    small = 1
    for i in range(n):
        if small == 1 or hidden == 1:
            terms = own[i]
            if of_scale == 1:
                terms = terms_of(starts, columns, sizes, held_sizes, i)
            if abs(F[i]) > relative * terms:
                small = 0
            if abs(F[i]) > relative * sized[i]:
                hidden = 0
    return -1 if small == 0 and hidden == 1 else small


def passes(
    starts: Indices, columns: Indices, sizes: Doubles, held_sizes: Doubles, F: Doubles,
    own: Doubles, sized: Doubles, state: Doubles, tolerance: float, error: float, rounding: float,
    n: int, has_scale: int, of_scale: int,
) -> int:  # fmt: skip
    """Whether the termination criterion holds after a full step of Newton's; see `holds`."""
    small = holds(
        starts, columns, sizes, held_sizes, F, own, sized, tolerance, n, has_scale, of_scale
    )  # fmt: skip
    if small == 1 and state[ESTIMATE] > error:
        small = holds(
            starts, columns, sizes, held_sizes, F, own, sized, rounding, n, has_scale, of_scale
        )  # fmt: skip
    return small


def terms_moved(
    starts: Indices, columns: Indices, sizes: Doubles, held_sizes: Doubles, own: Doubles,
    step: Doubles, n: int, of_scale: int,
) -> int:  # fmt: skip
    """Whether a step changed the terms of an equation; see `convergence._moved_far`."""
    moved = 0
    for i in range(n):
        terms = own[i]
        if of_scale == 1:
            terms = terms_of(starts, columns, sizes, held_sizes, i)
        if terms_of(starts, columns, sizes, step, i) > MOVED * terms:
            moved = 1
    return moved


def is_long(step: float, before: float, older: float, weight: float, shrank: int) -> int:
    """Whether an unknown did not converge by its last step; see `limit_at_infinity`."""
    reference = max(abs(before), abs(older)) if shrank == 1 else abs(before)
    long = abs(step) > SHORT * weight or abs(step) > SHRUNK * reference
    return 1 if long and abs(step) > SIGNIFICANT * weight else 0


def estimated(
    correction: Doubles, weights: Doubles, state: Doubles, n: int, damped: int
) -> float:  # fmt: skip
    """Return the estimate of the error after a full step; see `error_estimate`."""
    estimate = 0.0
    if damped == 1:
        for i in range(n):
            estimate = max(estimate, abs(correction[i]) / weights[i])
    else:
        estimate = state[STEP_SIZE] * sqrt(min(1.0, state[CONTRACTION]))
    return estimate


def steps_are_short(
    step: Doubles, step_old: Doubles, step_older: Doubles, weights: Doubles, state: Doubles, n: int
) -> int:  # fmt: skip
    """Whether every unknown converged by its last step; see `limit_at_infinity._long`."""
    shrank = 1 if state[STEP_SIZE] <= SHRUNK * state[STEP_SIZE_OLD] else 0
    short = 1
    for i in range(n):
        if is_long(step[i], step_old[i], step_older[i], weights[i], shrank) == 1:
            short = 0
    return short


def all_have_terms(
    starts: Indices, columns: Indices, J: Doubles, x: Doubles, sized: Doubles, weights: Doubles,
    user_scale: Doubles, marks: Doubles, n: int, has_scale: int,
) -> int:  # fmt: skip
    """Whether every unknown that is not zero has a term, and mark those; see `limit_at_infinity`.

    What is nothing beside its weight, or beside the scale of the problem, counts as zero.
    """
    for j in range(n):
        marks[j] = 0.0
    for i in range(n):
        for k in range(starts[i], starts[i + 1]):
            if abs(J[k] * x[columns[k]]) > UNDETERMINED * sized[i]:
                marks[columns[k]] = 1.0
    found = 1
    for j in range(n):
        if not abs(x[j]) > NOTHING * (user_scale[j] if has_scale == 1 else weights[j]):
            marks[j] = 1.0
        if marks[j] == 0.0:
            found = 0
    return found


def may_extrapolate(step: Doubles, step_old: Doubles, weights: Doubles, n: int) -> int:
    """Whether the last steps have the ratio of those to a multiple root; see `extrapolation`."""
    product, square = 0.0, 0.0
    for i in range(n):
        before = step_old[i] / weights[i]
        product += (step[i] / weights[i]) * before
        square += before * before
    return 1 if product > LEAST_RATIO * square and product < MOST_RATIO * square else 0


def steps_keep_factors(step: Doubles, weights: Doubles, n: int) -> int:
    """Whether factors from before a step serve after it; see `determination`."""
    short = 1
    for i in range(n):
        if abs(step[i]) > SHORT * weights[i]:
            short = 0
    return short


def is_far(x: Doubles, start: Doubles, n: int) -> int:
    """Whether an unknown is far beyond the size of the start; see `convergence._ran_away`."""
    size, largest = 1.0, 0.0
    for i in range(n):
        size = max(size, abs(start[i]))
        largest = max(largest, abs(x[i]))
    return 1 if largest > BEYOND * size else 0


def may_vanish(
    x: Doubles, x_old: Doubles, x_run: Doubles, step: Doubles, weights: Doubles, previous: float,
    block: Indices, largest_in: Doubles, run_in: Doubles, x_beside: Doubles, state: Doubles, n: int,
    n_blocks: int,
) -> int:  # fmt: skip
    """Whether unknowns may converge to zero, slowly or fast; see `convergence._vanishing`.

    Where the answer is `LEAVE` or `VANISH`, these are zero in `x_beside`; otherwise it is `STEP`.
    """
    before = state[STEP_ABSOLUTE_OLD]
    ratio = state[STEP_ABSOLUTE] / before if before > 0.0 else INF
    fast = ratio < 0.2
    if not ratio < 0.95:
        state[RUN] = -1.0
        return STEP
    if state[RUN] < 0.0:
        state[RUN] = state[K]
        state[RUN_SIZE] = previous
        for k in range(n_blocks):
            run_in[k] = 0.0
        for i in range(n):
            x_run[i] = x_old[i]
            run_in[block[i]] = max(run_in[block[i]], abs(x_old[i]))
        return STEP
    if state[K] - state[RUN] < (1.0 if fast else LINEAR_STEPS):
        return STEP
    if state[SMALLEST] > VANISHED * max(state[RUN_SIZE], state[LARGEST]):
        return STEP
    vanishing, shrunk = 1, 0
    for i in range(n):
        size, change = abs(x[i]), abs(step[i])
        limit = VANISHED * max(run_in[block[i]], largest_in[block[i]])
        zero = size <= limit and SETTLED * size <= change
        x_beside[i] = 0.0 if zero else x[i]
        if zero and (x_run[i] != 0.0 or size != 0.0):
            shrunk = 1
        if not zero and change * ratio / (1.0 - ratio) > REST_ERROR * weights[i]:
            vanishing = 0
    if vanishing * shrunk == 0:
        return STEP
    return VANISH if fast else LEAVE
