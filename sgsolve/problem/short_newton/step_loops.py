"""Newton's method with full steps, element by element: sums and decisions of one iteration.

These functions are compiled by `scalar_loops`. They repeat what `solvers` and `linear` do with
arrays: the sizes of `solvers.state.scaling`, the residuals and steps of `solvers.state.iterate`,
the criteria of `convergence` and `limit_at_infinity` in `solvers.acceptance`, the equilibration and
the backward error of `linear`. They return `LEAVE` where these would do more than continue or end
with success.
"""

from __future__ import annotations

from ...ad.kernels.loops.scalar_loops import Doubles
from ...arrays import EPS
from ...linear.checks.accuracy import ACCEPT
from ...solvers.acceptance.convergence import MOVED, RUNAWAY
from ...solvers.acceptance.determination import DETERMINED, UNITS
from ...solvers.acceptance.rounding import SMALL_STEP
from ...solvers.steps.extrapolation import ALIKE, STEPS
from .decision_loops import (
    all_have_terms,
    estimated,
    is_far,
    may_extrapolate,
    may_vanish,
    passes,
    steps_are_short,
    steps_keep_factors,
    terms_moved,
)
from .exact_loops import took_answer, write_question
from .linear_loops import backward_error, next_system
from .loop_state import ASK, EXAMINE, FIX, INF, JACOBIAN, LEAVE, REFINE, SOLVED, STEP
from .short_iterate import ShortIterate
from .size_loops import (
    merit,
    note_residual,
    note_scaled,
    sizes_of_equations,
    sizes_of_unknowns,
    take_jacobian,
)


def arrived(it: ShortIterate) -> int:
    """Take the next point, and decide whether it ends the solve; otherwise continue from it."""
    square = 0.0
    for i in range(it.n):
        square += it.F_new[i] * it.F_new[i]
    moved = took_point(it)
    if not square < INF or not it.phi < INF:
        return LEAVE
    if it.linear_run >= STEPS and may_extrapolate(it) == 1:
        return LEAVE
    it.estimate = estimated(it)
    note_residual(it, it.F_new)
    solved = passes(it)
    if solved == -1:
        return LEAVE
    if solved == 1 and moved == 1:
        moved = terms_moved(it)
    if solved == 1 and moved == 0:
        return ended(it, it.J_old)
    it.doubted = 1.0 if solved == 1 else 0.0
    if it.has_jacobian == 0.0:
        return JACOBIAN
    return continued(it)


def took_point(it: ShortIterate) -> int:
    """Write sizes and steps at the next point, and return whether an unknown moved far.

    See `Iterate.accept`.
    """
    phi_old, old = it.phi, it.contraction
    it.largest_old = it.largest
    it.phi = merit(it, it.F_new)
    now = it.phi / phi_old if phi_old > 0.0 else 0.0
    it.contraction = now
    it.linear_run = it.linear_run + 1.0 if abs(now - old) <= ALIKE * now and now < 1.0 else 0.0
    sizes_of_unknowns(it, it.x_new)
    if it.bare == 1.0 and left_zero(it) == 1:
        sizes_of_equations(it)
    size, absolute, moved = 0.0, 0.0, 0
    for i in range(it.n):
        it.step_older[i] = it.step_old[i]
        it.step_old[i] = it.step[i]
        it.step[i] = it.x_new[i] - it.x[i]
        size = max(size, abs(it.step[i]) / it.weights[i])
        absolute = max(absolute, abs(it.step[i]))
        if abs(it.step[i]) > MOVED * it.held_sizes[i]:
            moved = 1
    it.k = it.k + 1.0
    it.step_size_old = it.step_size
    it.step_absolute_old = it.step_absolute
    it.step_size = size
    it.step_absolute = absolute
    it.renewed = 0.0
    return moved


def left_zero(it: ShortIterate) -> int:
    """Whether an unknown that was zero is not zero any more."""
    found = 0
    for i in range(it.n):
        if it.x[i] == 0.0 and it.x_new[i] != 0.0:
            found = 1
    return found


def ended(it: ShortIterate, J: Doubles) -> int:
    """Decide what is left to examine where the criterion holds; see `convergence`."""
    if is_far(it) == 1:
        return LEAVE
    note_scaled(it)
    if steps_are_short(it) == 0:
        return EXAMINE
    ask = write_question(it, J)
    it.open = 1.0 if ask == 1 else 0.0
    terms = all_have_terms(it, J)
    if terms == 1:
        return ASK if ask == 1 else SOLVED
    if it.renewed == 1.0 or steps_keep_factors(it) == 0:
        return EXAMINE
    for i in range(it.n):
        noise = UNITS * EPS * it.sized[i]
        it.b[i] = -(it.F_new[i] + (-noise if it.parts[i] < 0.0 else noise)) * it.row[i]
    return FIX


def fixed(it: ShortIterate) -> int:
    """Whether rounding moves the unknowns without influence by little; see `determination`."""
    off = backward_error(it)
    if not off <= ACCEPT:
        return REFINE if off < INF else EXAMINE
    little = 1
    for j in range(it.n):
        if it.free[j] == 0.0 and not abs(it.y[j] * it.column[j]) <= DETERMINED * it.weights[j]:
            little = 0
    if little == 0:
        return EXAMINE
    return ASK if it.open == 1.0 else SOLVED


def answered(it: ShortIterate) -> int:
    """Decide by the residual next to the solution whether it is one."""
    if it.renewed == 1.0:
        return took_answer(it, it.J)
    return took_answer(it, it.J_old)


def continued(it: ShortIterate) -> int:
    """Continue with the Jacobian at the next point, and write the next linear system."""
    if it.doubted == 1.0:
        finite = take_jacobian(it, it.F_new)
        if finite == 0:
            return LEAVE
        it.renewed = 1.0
        solved = passes(it)
        if solved == -1:
            return LEAVE
        if solved == 1:
            return ended(it, it.J)
    ahead = ahead_of_step(it)
    if ahead != STEP:
        return ahead
    if it.renewed == 0.0:
        finite = take_jacobian(it, it.F_new)
        if finite == 0:
            return LEAVE
    if not it.phi < INF:
        return LEAVE
    for k in range(it.nnz):
        it.J_old[k] = it.J[k]
    for i in range(it.n):
        it.x[i] = it.x_new[i]
        it.F[i] = it.F_new[i]
    return next_system(it)


def ahead_of_step(it: ShortIterate) -> int:
    """Return STEP where the solver itself would only take the next step; see `convergence`."""
    if it.step_size <= SMALL_STEP and it.contraction > 0.5:
        return LEAVE
    if it.largest > RUNAWAY or it.step_absolute == 0.0:
        return LEAVE
    return may_vanish(it, it.largest_old)


def vanished(it: ShortIterate) -> int:
    """Take the point at which unknowns are zero if the residual is zero there."""
    left = 0
    for i in range(it.n):
        if it.F_beside[i] != 0.0:
            left = 1
    if left == 1:
        return LEAVE
    renewed = it.renewed
    for i in range(it.n):
        it.x[i] = it.x_new[i]
        it.F[i] = it.F_new[i]
        it.x_new[i] = it.x_beside[i]
        it.F_new[i] = it.F_beside[i]
    took_point(it)
    it.renewed = renewed
    note_scaled(it)
    return EXAMINE
