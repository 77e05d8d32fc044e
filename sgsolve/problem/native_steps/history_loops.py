"""Past values, weights and the choice of the next step, element by element.

See `transient.backward_differences`, `transient.error_weights` and `transient.bdf`.
"""

from __future__ import annotations

from ...ad.kernels.loops.outer_calls import libm_power
from ...ad.kernels.loops.scalar_loops import Doubles, sqrt
from ...transient.error_weights import LEAST, OWN, SHARE
from ...transient.methods.backward_differences import CAPACITY, USED
from ...transient.methods.bdf import DEAD_BAND, GROW, LONGER, RISE
from ...transient.methods.time_step import MARGIN
from ..short_newton.loop_state import INF
from .step_loop import COLUMNS, COUNT, EQUAL_STEPS, FIRST, ORDER, RISING, SIDE, StepLoop

LITTLE, MUCH = DEAD_BAND


def combined(it: StepLoop, weights: Doubles, order: int, offset: int, out: Doubles) -> int:
    """Write the sum of past values, of the unknowns (offset 0) or of the charges (offset n)."""
    width, k = 2 * it.n, order * COLUMNS
    base = (it.whole[SIDE] * (CAPACITY + 1) + CAPACITY) * width + offset
    at = (it.whole[SIDE] * (CAPACITY + 1) + it.whole[FIRST]) * width + offset
    for i in range(it.n):
        out[i] = it.past[base + i]
    return add_rows(it, weights, k, order + 1, at, out)


def add_rows(it: StepLoop, weights: Doubles, k: int, count: int, at: int, out: Doubles) -> int:
    """Add so many rows of past values, from place `at` on, with weights from place k on."""
    width = 2 * it.n
    for group in range(3):
        j = 3 * group
        if j < count:
            first, second, third = weights[k + j], weights[k + j + 1], weights[k + j + 2]
            here = at + j * width
            other = here + width if j + 1 < count else here
            last = other + width if j + 2 < count else here
            for i in range(it.n):
                part = first * it.past[here + i] + second * it.past[other + i]
                out[i] = out[i] + (part + third * it.past[last + i])
    return 1


def error_norm(it: StepLoop, error: Doubles, coefficient: float) -> float:
    """Return a multiple of the largest root mean square of a part, in units of the tolerance."""
    largest = 0.0
    for p in range(it.n_parts):
        square = sum_of_squares(it, error, it.begins[p], it.begins[p + 1], it.quarters[p])
        square = square / (it.begins[p + 1] - it.begins[p])
        if not square <= largest:
            largest = square
    return coefficient * sqrt(largest)


def sum_of_squares(it: StepLoop, error: Doubles, begin: int, end: int, quarter: int) -> float:
    """Return that of weighted errors; four sums at a time, none of which waits for another."""
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    for k in range(begin, begin + quarter):
        i, j = it.members[k], it.members[k + quarter]
        m, n = it.members[k + 2 * quarter], it.members[k + 3 * quarter]
        first, second = error[i] * it.weights[i], error[j] * it.weights[j]
        third, fourth = error[m] * it.weights[m], error[n] * it.weights[n]
        a += first * first
        b += second * second
        c += third * third
        d += fourth * fourth
    for k in range(begin + 4 * quarter, end):
        i = it.members[k]
        a += error[i] * it.weights[i] * (error[i] * it.weights[i])
    return (a + b) + (c + d)


def observe_state(it: StepLoop) -> int:
    """Write the weights at the new state."""
    for p in range(it.n_parts):
        largest = 0.0
        for k in range(it.begins[p], it.begins[p + 1]):
            i = it.members[k]
            size = abs(it.x_new[i])
            it.largest[i] = max(it.largest[i], size)
            largest = max(largest, it.largest[i])
            it.weights[i] = size * it.rtol
        known = it.apart[p] == 1 and largest > 0.0
        floor = largest if largest > 0.0 else 1.0
        for k in range(it.begins[p], it.begins[p + 1]):
            i = it.members[k]
            size = SHARE * floor
            if known:
                size = max(OWN * it.largest[i], LEAST * floor)
            least = it.fixed[i] if it.has_fixed == 1 else max(it.rtol * size, it.inherited[p])
            it.weights[i] = 1.0 / (it.weights[i] + least)
    return 1


def append_values(it: StepLoop) -> int:
    """Append the new unknowns and charges; the values move where no row is free."""
    width, n = 2 * it.n, it.n
    if it.whole[FIRST] == 0:
        move_values(it)
    base = (it.whole[SIDE] * (CAPACITY + 1) + CAPACITY) * width
    new = (it.whole[SIDE] * (CAPACITY + 1) + it.whole[FIRST] - 1) * width
    for i in range(n):
        it.past[new + i] = it.x_new[i] - it.past[base + i]
    for i in range(n):
        it.past[new + n + i] = it.charge[i] - it.past[base + n + i]
    it.whole[FIRST] = it.whole[FIRST] - 1
    it.whole[COUNT] = min(it.whole[COUNT] + 1, USED)
    return 1


def move_values(it: StepLoop) -> int:
    """Write the past values into the last rows of the other memory, from a new base."""
    width, kept = 2 * it.n, min(it.whole[COUNT], USED - 1)
    old = it.whole[SIDE] * (CAPACITY + 1)
    new = CAPACITY + 1 - old
    here, there = (old + it.whole[FIRST]) * width, (new + CAPACITY - kept) * width
    rebase(it, old, new)
    for j in range(kept):
        for i in range(width):
            it.past[there + j * width + i] = it.past[here + j * width + i] - it.past[here + i]
    it.whole[SIDE] = 1 - it.whole[SIDE]
    it.whole[FIRST] = CAPACITY - kept
    it.whole[COUNT] = kept
    return 1


def rebase(it: StepLoop, old: int, new: int) -> int:
    """Write the latest value as the base of the other memory."""
    width = 2 * it.n
    base, there = (old + CAPACITY) * width, (new + CAPACITY) * width
    latest = (old + it.whole[FIRST]) * width
    for i in range(width):
        it.past[there + i] = it.past[base + i] + it.past[latest + i]
    return 1


def resize_step(it: StepLoop, h: float) -> int:
    """Change the next step."""
    if h == it.h:
        return 0
    order, width = it.whole[ORDER], 2 * it.n
    write_mixing(it, order, h / it.h)
    old = it.whole[SIDE] * (CAPACITY + 1)
    new = CAPACITY + 1 - old
    first = CAPACITY - 1 - order
    rebase(it, old, new)
    for i in range(order + 1):
        there = (new + first + i) * width
        here = (old + it.whole[FIRST]) * width
        for k in range(width):
            it.past[there + k] = it.mixing[i * COLUMNS] * it.past[here + k]
        for j in range(1, order + 1):
            weight = it.mixing[i * COLUMNS + j]
            row = here + j * width
            for k in range(width):
                it.past[there + k] = it.past[there + k] + weight * it.past[row + k]
    it.whole[SIDE] = 1 - it.whole[SIDE]
    it.whole[FIRST] = first
    it.whole[COUNT] = order + 1
    it.whole[EQUAL_STEPS] = 0
    it.h = h
    return 1


def write_mixing(it: StepLoop, order: int, factor: float) -> int:
    """Write the matrix from values at one step to those at another; see `resampling`."""
    for i in range(order + 1):
        at, basis = i * COLUMNS, 1.0
        it.bases[0] = 1.0
        for j in range(order):
            basis = basis * ((j - factor * i) / (j + 1.0))
            it.bases[j + 1] = basis
        for m in range(order + 1):
            total = 0.0
            for j in range(order + 1):
                total += it.bases[j] * it.pascal[j * COLUMNS + m]
            it.mixing[at + m] = total
        it.mixing[at] = it.mixing[at] - 1.0
    return 1


def choose_step(it: StepLoop) -> int:
    """Choose the next step and order after an accepted one."""
    if it.whole[RISING] == 1:
        return rise(it)
    if it.whole[EQUAL_STEPS] > it.whole[ORDER]:
        return choose_order(it)
    return 1


def rise(it: StepLoop) -> int:
    """Lengthen the step as long as the error allows it."""
    it.whole[ORDER] = min(2, it.max_order)
    factor = LONGER
    if it.error > 0.0:
        factor = min(factor, RISE * libm_power(it.libm, it.error, -1.0 / (it.whole[ORDER] + 1)))
    it.whole[RISING] = 0
    if factor >= 2.0:
        it.whole[RISING] = 1
        resize_step(it, factor * it.h)
    return 1


def choose_order(it: StepLoop) -> int:
    """Take the order of k - 1, k and k + 1 that allows the longest step."""
    k = it.whole[ORDER]
    best, factor = k, factor_of(it, k, it.error)
    near = factor >= LITTLE and factor < MUCH
    turn = 0
    for _ in range(it.whole[EQUAL_STEPS] - k):
        turn = 1 - turn
    if near and turn == 0:
        return 1
    if k > 1:
        other = factor_of(it, k - 1, error_with(it, k - 1))
        if other > factor:
            best = k - 1
            factor = other
    if k < it.max_order:
        other = factor_of(it, k + 1, error_with(it, k + 1))
        if other > factor:
            best = k + 1
            factor = other
    if factor >= LITTLE and factor < MUCH:
        return 1
    it.whole[ORDER] = best
    resize_step(it, it.h * factor)
    it.whole[EQUAL_STEPS] = 0
    return 1


def factor_of(it: StepLoop, order: int, error: float) -> float:
    """Return the factor by which a step of an order changes that has an error."""
    factor = INF
    if error != 0.0:
        factor = libm_power(it.libm, MARGIN * error, -1.0 / (order + 1))
    factor = min(GROW, factor)
    if factor > it.caps[order]:
        factor = it.caps[order]
    return factor


def error_with(it: StepLoop, order: int) -> float:
    """Return the error that a formula of another order has, in units of the tolerance."""
    width, k = 2 * it.n, order * COLUMNS
    at = (it.whole[SIDE] * (CAPACITY + 1) + it.whole[FIRST]) * width
    for i in range(it.n):
        it.deviation[i] = 0.0
    add_rows(it, it.next_difference, k, order + 2, at, it.deviation)
    return error_norm(it, it.deviation, it.error_of_order[order])
