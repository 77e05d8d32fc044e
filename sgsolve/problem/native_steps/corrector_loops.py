"""One step in time, element by element: prediction, simplified Newton iteration, error estimate.

See `transient.bdf`, `transient.implicit_solver` and `transient.kept_matrix`.
"""

from __future__ import annotations

from ...ad.kernels.loops.outer_calls import run_kernel
from ...arrays import EPS
from ...transient.implicit.implicit_solver import DIVERGED as SLOWEST
from ...transient.implicit.implicit_solver import (
    FORGET,
    LEAST,
    LEFT,
    MAX_AGE,
    NOISE,
    STRETCH,
    TINY,
    YOUNG,
)
from ...transient.implicit.implicit_solver import UNMEASURED as MOST_UNMEASURED
from ...transient.implicit.stalled_equations import ROUNDINGS as MOST_ROUNDINGS
from ...transient.implicit.stalled_equations import SHARE, STALLED
from ...transient.step_plan import ROUNDED, ROUNDINGS
from ..short_newton.band_loops import solved_band
from ..short_newton.loop_state import INF
from .history_loops import (
    append_values,
    choose_step,
    combined,
    error_norm,
    observe_state,
    resize_step,
)
from .matrix_loops import missing_factors, solved_system, solved_without_exchanges
from .step_loop import (
    AGE,
    CALLS,
    DIVERGED,
    DONE,
    EQUAL_STEPS,
    FACTORED,
    LEAVE,
    MADE,
    MOST,
    N_FACTOR,
    NFEV,
    NIT,
    NUMBERS,
    ORDER,
    RENEW,
    TOO_LONG,
    UNMEASURED,
    UNSOLVED,
    StepLoop,
)

SHORTEST, LONGEST = STRETCH


def several_steps(it: StepLoop) -> int:
    """Make steps until their number, the stop or a row is reached; or return why one was not made.

    With a step planned and J just evaluated for it, `fresh` is 1. The next step is planned here
    even where it is the first of another call: how many steps a call makes changes no bit of them.
    """
    going, result = 1, MADE
    for _ in range(MOST):
        if going == 1 and it.whole[DONE] < it.most:
            result = tried(it)
            going = 1 if result == MADE else 0
            if going == 1:
                accept_step(it)
                going = 1 if it.t < it.stop else 0
            if going == 1:
                going = planned(it)
    return result


def tried(it: StepLoop) -> int:
    """Try one step; behind others, leave the iteration as it was if the step fails."""
    rate, unmeasured, a0, fresh = it.rate, it.whole[UNMEASURED], it.a0, it.fresh
    nfev, nit, n_factor = it.whole[NFEV], it.whole[NIT], it.whole[N_FACTOR]
    result = attempted(it)
    if it.whole[DONE] > 0 and result != MADE and result != RENEW:
        it.rate = rate
        it.whole[UNMEASURED] = unmeasured
        it.whole[NFEV] = nfev
        it.whole[NIT] = nit
        if fresh == 0.0 and it.a0 != a0:
            it.a0 = a0
            it.whole[FACTORED] = 0
            it.whole[N_FACTOR] = n_factor
    return result


def planned(it: StepLoop) -> int:
    """Fix where the next step ends; 0 if a row is within it. See `StepPlan`."""
    h, target = min(it.h, it.max_step), it.stop
    if it.t + h * (1.0 + ROUNDED) >= it.stop:
        h = it.stop - it.t
    elif it.t + 2.0 * h * (1.0 - ROUNDED) > it.stop:
        h = 0.5 * (it.stop - it.t)
        target = it.t + h
    else:
        target = it.t + h
    if target >= it.next_row:
        return 0
    it.target = target
    if abs(h - it.h) > ROUNDINGS * abs(target):
        resize_step(it, h)
    return 1


def attempted(it: StepLoop) -> int:
    """Try one step, and return what became of it."""
    order, fresh = it.whole[ORDER], it.fresh
    it.a = it.alpha[order] / it.h
    if fresh == 0.0:
        combined(it, it.ahead, order, 0, it.predicted)
        combined(it, it.known, order, it.n, it.q)
    it.fresh = 0.0
    if it.whole[AGE] >= MAX_AGE and fresh == 0.0:
        return RENEW
    missing = missing_factors(it)
    if missing != MADE:
        it.fresh = fresh
        return missing
    found = solved_equation(it)
    if found != MADE and found != LEAVE and fresh == 0.0 and may_factorize(it) == 1:
        it.whole[FACTORED] = 0
        it.a0 = 0.0
        missing = missing_factors(it)
        if missing != MADE:
            return missing
        found = solved_equation(it)
    if found != MADE:
        return RENEW if fresh == 0.0 and found != LEAVE else found
    for i in range(it.n):
        it.deviation[i] = it.x_new[i] - it.predicted[i]
    it.error = error_norm(it, it.deviation, it.error_of_order[order])
    return MADE if it.error <= 1.0 else TOO_LONG


def may_factorize(it: StepLoop) -> int:
    """Whether an iteration that failed may do so by the number a0 of its matrix alone."""
    return 1 if it.whole[AGE] < YOUNG and abs(it.a0 - it.a) > 0.1 * it.a else 0


def accept_step(it: StepLoop) -> int:
    """Go to the end of the step, and choose the next step and order."""
    k = it.whole[DONE]
    append_values(it)
    observe_state(it)
    it.t = it.target
    it.told[NUMBERS * k] = it.t
    it.told[NUMBERS * k + 1] = it.h
    it.told[NUMBERS * k + 2] = it.whole[ORDER] + 0.0
    it.told[NUMBERS * k + 3] = it.error
    it.told[NUMBERS * k + 4] = it.iterations
    it.told_a = it.a
    at = k * it.n
    for i in range(it.n):
        it.ends[at + i] = it.x_new[i]
        it.told_q[i] = it.q[i]
    it.whole[DONE] = k + 1
    it.whole[AGE] = it.whole[AGE] + 1
    it.whole[EQUAL_STEPS] = it.whole[EQUAL_STEPS] + 1
    return choose_step(it)


def solved_equation(it: StepLoop) -> int:
    """Iterate from the prediction; the solution is written to `x_new`, its charge to `charge`."""
    relaxation, before, state = 2.0 / (1.0 + it.a / it.a0), INF, UNSOLVED
    for i in range(it.n):
        it.x[i] = it.predicted[i]
    for k in range(1, it.max_iterations + 1):
        if state == UNSOLVED:
            it.iterations = k + 0.0
            state = iterated(it, k, relaxation, before)
            before = it.error
    return state


def iterated(it: StepLoop, k: int, relaxation: float, before: float) -> int:
    """Make one iteration; UNSOLVED if it continues."""
    if evaluated(it) == 0:
        return LEAVE
    if solved_system(it) == 0:
        return LEAVE
    it.whole[NIT] = it.whole[NIT] + 1
    for i in range(it.n):
        it.d[i] = it.y[i] * it.column[i]
    multiple = relaxation
    if k > 1:
        multiple = relaxation * broyden_factor(it, relaxation)
    if multiple != 1.0:
        for i in range(it.n):
            it.d[i] = it.d[i] * multiple
    size = error_norm(it, it.d, 1.0)
    it.error = size
    if converged(it, size, before, k) == 1:
        if k > 1 and a_row_stalls(it) == 1:
            return DIVERGED
        return write_solution(it, multiple)
    if not size < INF:
        return DIVERGED
    lost = 0
    if k > 1:
        lost = hopeless(it, size, before, k)
    if (lost == 1 or k == it.max_iterations) and size <= 1.0 and is_noise(it, size) == 1:
        return LEAVE
    if lost == 1:
        return DIVERGED
    for i in range(it.n):
        it.x[i] = it.x[i] - it.d[i]
        it.last[i] = it.d[i]
        it.residual[i] = it.F[i] + it.a * (it.Q[i] - it.q[i])
    return UNSOLVED


def evaluated(it: StepLoop) -> int:
    """Write F, Q and the right-hand side; 0 where one of them is not finite."""
    run_kernel(it.flow)
    run_kernel(it.storage)
    it.t_evaluated = it.target
    it.whole[NFEV] = it.whole[NFEV] + 1
    it.whole[CALLS] = it.whole[CALLS] + 1
    square = 0.0
    for i in range(it.n):
        G = it.F[i] + it.a * (it.Q[i] - it.q[i])
        square += G * G
        it.b[i] = G * it.row[i]
    return 1 if square < INF else 0


def broyden_factor(it: StepLoop, relaxation: float) -> float:
    """Return the factor of an update that Broyden's method gives, after the last one."""
    along, square = 0.0, 0.0
    for i in range(it.n):
        scaled = it.last[i] * it.weights[i]
        along += scaled * (relaxation * it.d[i] * it.weights[i])
        square += scaled * scaled
    along = along / square
    return min(max(1.0 / (1.0 - along), SHORTEST), LONGEST) if along < 1.0 else LONGEST


def converged(it: StepLoop, size: float, before: float, k: int) -> int:
    """Whether the error that is left is within the tolerance; updates the rate."""
    tiny = TINY * it.tolerance
    if k > 1:
        it.whole[UNMEASURED] = 0
        if not size < size / before * tiny:
            least = FORGET * it.rate if it.rate < 1.0 else LEAST
            it.rate = max(least, size / before)
    elif it.whole[AGE] > 0 and it.whole[UNMEASURED] >= MOST_UNMEASURED and size > 0.0:
        return 0
    if size <= tiny:
        if k == 1:
            it.whole[UNMEASURED] = it.whole[UNMEASURED] + 1
        return 1
    rate = max(it.rate, abs(it.a0 - it.a) / (it.a0 + it.a))
    left = LEFT * rate * size if k > 1 else rate * size
    if not (rate < SLOWEST and left <= (1.0 - rate) * it.tolerance):
        return 0
    if k == 1:
        it.whole[UNMEASURED] = it.whole[UNMEASURED] + 1
    return 1


def a_row_stalls(it: StepLoop) -> int:
    """Whether the last update left the residual of an equation; see `stalled_equations`."""
    found = 0
    for i in range(it.n):
        G, before = it.F[i] + it.a * (it.Q[i] - it.q[i]), it.residual[i]
        if G * before > STALLED * (before * before) and row_stalls(it, i, abs(G), abs(before)) == 1:
            found = 1
    return found


def row_stalls(it: StepLoop, i: int, now: float, before: float) -> int:
    """Whether a residual is more than a small change of the charge, cancellation, or rounding."""
    capacity, moved, size = 0.0, 0.0, 0.0
    for k in range(it.starts[i], it.starts[i + 1]):
        j, term = it.columns[k], abs(it.J[k]) + it.a0 * abs(it.C[k])
        moved += term * abs(it.last[j])
        size += term * abs(it.x[j])
        if j == i:
            capacity = abs(it.C[k])
    if not now * it.weights[i] > it.tolerance * it.a * capacity:
        return 0
    rounding = MOST_ROUNDINGS * EPS * size
    return 1 if before > SHARE * moved and now > rounding else 0


def hopeless(it: StepLoop, size: float, before: float, k: int) -> int:
    """Whether the iterations that are left cannot converge at the rate of the last one."""
    rate, left = size / before, size
    for _ in range(it.max_iterations - k + 1):
        left = left * rate
    return 1 if rate > SLOWEST or left > (1.0 - rate) * it.tolerance else 0


def is_noise(it: StepLoop, size: float) -> int:
    """Whether an update is what rounding of the equations makes; see `KeptMatrix.rounding`."""
    for i in range(it.n):
        noise = 0.0
        for k in range(it.starts[i], it.starts[i + 1]):
            noise += (abs(it.J[k]) + it.a * abs(it.C[k])) * abs(it.x[it.columns[k]])
        it.b[i] = EPS * noise * it.row[i]
    if it.exchanged == 0.0:
        solved_without_exchanges(it)
    else:
        solved_band(it.lu)
    for i in range(it.n):
        it.deviation[i] = it.y[i] * it.column[i]
    return 1 if size <= NOISE * error_norm(it, it.deviation, 1.0) else 0


def write_solution(it: StepLoop, multiple: float) -> int:
    """Write the solution and its linearized charge."""
    part = it.a0 / (it.a * multiple)
    for i in range(it.n):
        stored = 0.0
        for k in range(it.starts[i], it.starts[i + 1]):
            stored += it.C[k] * it.d[it.columns[k]]
        it.charge[i] = it.Q[i] - part * stored
    for i in range(it.n):
        it.x_new[i] = it.x[i] - it.d[i]
    return MADE
