"""Criteria on residuals and steps, element by element.

They are those of `termination`, `convergence` and `limit_at_infinity` in `solvers.acceptance`.
"""

from __future__ import annotations

from ...ad.kernels.loops.scalar_loops import Doubles, sqrt
from ...solvers.acceptance.convergence import LINEAR_STEPS, MOVED, REST_ERROR, SETTLED, VANISHED
from ...solvers.acceptance.determination import SHORT, UNDETERMINED
from ...solvers.acceptance.limit_at_infinity import NOTHING, SHRUNK, SIGNIFICANT
from ...solvers.acceptance.run_away import BEYOND
from ...solvers.steps.extrapolation import LEAST_RATIO, MOST_RATIO
from .loop_state import INF, LEAVE, STEP, VANISH
from .short_iterate import ShortIterate


def terms_of(it: ShortIterate, values: Doubles, i: int) -> float:
    """Return the size of the terms of equation i with some values of the unknowns."""
    terms = 0.0
    for k in range(it.starts[i], it.starts[i + 1]):
        terms += it.sizes[k] * abs(values[it.columns[k]])
    return terms


def holds(it: ShortIterate, F: Doubles, relative: float) -> int:
    """Whether every residual is this small relative to its terms; see `rounding.small`.

    -1 where it is small only beside the scale of the problem: further residuals decide then.
    """
    hidden = 1 if it.has_scale == 1 and it.of_scale == 0 else 0
    small = 1
    for i in range(it.n):
        if small == 1 or hidden == 1:
            terms = it.own[i]
            if it.of_scale == 1:
                terms = terms_of(it, it.held_sizes, i)
            if abs(F[i]) > relative * terms:
                small = 0
            if abs(F[i]) > relative * it.sized[i]:
                hidden = 0
    return -1 if small == 0 and hidden == 1 else small


def passes(it: ShortIterate) -> int:
    """Whether the termination criterion holds after a full step of Newton's; see `holds`."""
    small = holds(it, it.F_new, it.tolerance)
    if small == 1 and it.estimate > it.error:
        small = holds(it, it.F_new, it.rounding)
    return small


def terms_moved(it: ShortIterate) -> int:
    """Whether a step changed the terms of an equation; see `convergence._moved_far`."""
    moved = 0
    for i in range(it.n):
        terms = it.own[i]
        if it.of_scale == 1:
            terms = terms_of(it, it.held_sizes, i)
        if terms_of(it, it.step, i) > MOVED * terms:
            moved = 1
    return moved


def is_long(step: float, before: float, older: float, weight: float, shrank: int) -> int:
    """Whether an unknown did not converge by its last step; see `limit_at_infinity`."""
    reference = max(abs(before), abs(older)) if shrank == 1 else abs(before)
    long = abs(step) > SHORT * weight or abs(step) > SHRUNK * reference
    return 1 if long and abs(step) > SIGNIFICANT * weight else 0


def estimated(it: ShortIterate) -> float:
    """Return the estimate of the error after a full step; see `error_estimate`."""
    estimate = 0.0
    if it.damped == 1:
        for i in range(it.n):
            estimate = max(estimate, abs(it.correction[i]) / it.weights[i])
    else:
        estimate = it.step_size * sqrt(min(1.0, it.contraction))
    return estimate


def steps_are_short(it: ShortIterate) -> int:
    """Whether every unknown converged by its last step; see `limit_at_infinity._long`."""
    shrank = 1 if it.step_size <= SHRUNK * it.step_size_old else 0
    short = 1
    for i in range(it.n):
        if is_long(it.step[i], it.step_old[i], it.step_older[i], it.weights[i], shrank) == 1:
            short = 0
    return short


def all_have_terms(it: ShortIterate, J: Doubles) -> int:
    """Whether every unknown that is not zero has a term, and mark those; see `limit_at_infinity`.

    What is nothing beside its weight, or beside the scale of the problem, counts as zero.
    """
    for j in range(it.n):
        it.free[j] = 0.0
    for i in range(it.n):
        for k in range(it.starts[i], it.starts[i + 1]):
            if abs(J[k] * it.x_new[it.columns[k]]) > UNDETERMINED * it.sized[i]:
                it.free[it.columns[k]] = 1.0
    found = 1
    for j in range(it.n):
        if not abs(it.x_new[j]) > NOTHING * (
            it.user_scale[j] if it.has_scale == 1 else it.weights[j]
        ):
            it.free[j] = 1.0
        if it.free[j] == 0.0:
            found = 0
    return found


def may_extrapolate(it: ShortIterate) -> int:
    """Whether the last steps have the ratio of those to a multiple root; see `extrapolation`."""
    product, square = 0.0, 0.0
    for i in range(it.n):
        before = it.step_old[i] / it.weights[i]
        product += (it.step[i] / it.weights[i]) * before
        square += before * before
    return 1 if product > LEAST_RATIO * square and product < MOST_RATIO * square else 0


def steps_keep_factors(it: ShortIterate) -> int:
    """Whether factors from before a step serve after it; see `determination`."""
    short = 1
    for i in range(it.n):
        if abs(it.step[i]) > SHORT * it.weights[i]:
            short = 0
    return short


def is_far(it: ShortIterate) -> int:
    """Whether an unknown is far beyond the size of the start; see `run_away`."""
    size, largest = 1.0, 0.0
    for i in range(it.n):
        size = max(size, abs(it.x_start[i]))
        largest = max(largest, abs(it.x_new[i]))
    return 1 if largest > BEYOND * size else 0


def may_vanish(it: ShortIterate, previous: float) -> int:
    """Whether unknowns may converge to zero, slowly or fast; see `convergence._vanishing`.

    Where the answer is `LEAVE` or `VANISH`, these are zero in `x_beside`; otherwise it is `STEP`.
    """
    before = it.step_absolute_old
    ratio = it.step_absolute / before if before > 0.0 else INF
    fast = ratio < 0.2
    if not ratio < 0.95:
        it.run = -1.0
        return STEP
    if it.run < 0.0:
        it.run = it.k
        it.run_size = previous
        for k in range(it.n_blocks):
            it.run_in[k] = 0.0
        for i in range(it.n):
            it.x_run[i] = it.x[i]
            it.run_in[it.block[i]] = max(it.run_in[it.block[i]], abs(it.x[i]))
        return STEP
    if it.k - it.run < (1.0 if fast else LINEAR_STEPS):
        return STEP
    if it.smallest > VANISHED * max(it.run_size, it.largest):
        return STEP
    vanishing, shrunk = 1, 0
    for i in range(it.n):
        size, change = abs(it.x_new[i]), abs(it.step[i])
        limit = VANISHED * max(it.run_in[it.block[i]], it.largest_in[it.block[i]])
        zero = size <= limit and SETTLED * size <= change
        it.x_beside[i] = 0.0 if zero else it.x_new[i]
        if zero and (it.x_run[i] != 0.0 or size != 0.0):
            shrunk = 1
        if not zero and change * ratio / (1.0 - ratio) > REST_ERROR * it.weights[i]:
            vanishing = 0
    if vanishing * shrunk == 0:
        return STEP
    return VANISH if fast else LEAVE
