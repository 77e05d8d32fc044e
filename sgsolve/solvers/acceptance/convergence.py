"""The convergence decision: whether an iterate ends the solve.

Success is declared here only, from a residual and sizes of terms at the point in question. Five
endings that no tolerance describes are recognized: rounding hides the residual (see `rounding`),
unknowns vanish, convergence stays linear (a singular root), the iteration diverges, and the
residual only tends to zero (see `limit_at_infinity`).

Reference: Deuflhard, Newton Methods for Nonlinear Problems (2011), sections 2.1.4 and 3.1;
Decker, Keller and Kelley, SIAM J. Numer. Anal. 20 (1983) 296 for linear convergence at singular
roots.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ...errors import LinearSolveError
from ...results.status import Status
from ..state.entries import unknowns_with
from ..state.iterate import Iterate
from ..state.origin import Origin
from .closed_by_newton import closed_by_newton, left_open
from .limit_at_infinity import at_limit
from .own_terms import HOLDS, all_hold, open_equations
from .rounding import NOISE, SMALL_STEP, at_rounding
from .run_away import ran_away
from .termination import TerminationTest
from .usual_criterion import usual_criterion

MOVED = 1e-4  # if terms changed by more of their sum, the old Jacobian says nothing
LINEAR_STEPS = 8  # steps of linear convergence before it counts
VANISHED = 1e-13
SETTLED = 0.05  # steps that shrink by 0.95 change an unknown that tends to zero by more
REST_ERROR = 1e-9  # for the blocks that do not vanish
TINY_STEPS = 3  # taken without a decrease
RUNAWAY = 1e100  # times the largest unknown of the start, or 1


def termination_status(
    test: TerminationTest, it: Iterate, linearize: Callable[[Iterate], bool]
) -> Status | None:
    """Return the status that ends the solve at this iterate, or None to continue."""
    if it.k == 0:
        return _at_start(test, it)
    if test.passed(it):
        old = not it.fresh and _moved_far(it, test)
        if old and not linearize(it):
            return without_slopes(it)
        if not old or test.passed(it):
            return _unless_left_open(test, it, linearize)
    tiny = it.step_size_absolute <= NOISE * it.start_size
    if (tiny or it.step_size <= SMALL_STEP) and _stagnates(it):
        return unless_at_limit(it, Status.CONVERGED_ROUNDOFF)
    if it.largest / RUNAWAY > it.start_size:
        return Status.DIVERGED
    if it.step_size_absolute == 0.0 and it.newton:
        return unless_at_limit(it, Status.CONVERGED_ROUNDOFF) if at_rounding(it) else Status.STALLED
    vanished = _vanishing(it)
    return None if vanished is None else unless_at_limit(it, vanished)


def _at_start(test: TerminationTest, it: Iterate) -> Status | None:
    """Whether the start is a solution: no step has been seen, so only rounding or zero will do."""
    by_own_terms = test.own_terms or it.scaling.scale is None
    if it.origin is not None:
        it.origin = replace(it.origin, by_own_terms=by_own_terms)
    if not it.F.any() or test.passed(it):
        return unless_at_limit(it, Status.CONVERGED)
    if it.origin is None:
        it.origin = Origin(it.x, it.F, it.scaling.own, by_own_terms)
    return None


def without_slopes(it: Iterate) -> Status:
    """Return the status where the Jacobian is not finite: a residual of zero needs none."""
    it.J = None
    return Status.NOT_FINITE if it.F.any() else unless_at_limit(it, Status.CONVERGED)


def unless_at_limit(it: Iterate, success: Status) -> Status:
    """Return a status of success, or that of divergence if the residual only tends to zero.

    A residual may also be zero where unknowns overflow.
    """
    away = not math.isfinite(it.largest) or ran_away(it) or at_limit(it)
    return Status.DIVERGED if away else success


def _unless_left_open(
    test: TerminationTest, it: Iterate, linearize: Callable[[Iterate], bool]
) -> Status:
    """Return the status of success, or of a failure where Newton's method would not confirm it.

    Who gives a tolerance of their own, looser or in units, says what a contradiction may be.
    """
    success, usual = unless_at_limit(it, Status.CONVERGED), usual_criterion(test)
    strict = usual is not None and not usual.of_scale and usual.residual <= HOLDS
    if not (success.success and strict and left_open(it)):
        return success
    if not it.fresh and not linearize(it):
        return without_slopes(it)
    return success if closed_by_newton(it) else Status.STALLED


def _moved_far(it: Iterate, test: TerminationTest) -> bool:
    """Whether the last step was too long for the Jacobian before it to tell sizes after it.

    That is so where it changed the terms of an equation. A long step of an unknown that is next to
    nothing in all its equations changes none. Terms count as the criterion counts them: with
    unknowns of at least the scale of the problem, if it compares no residual with less.
    """
    moved, sizes = np.abs(it.step), it.scaling.magnitude
    scale = None if test.own_terms else it.scaling.scale
    if scale is not None:
        sizes = np.maximum(sizes, scale)
    if not (moved > MOVED * sizes).any():
        return False
    if it.J is None:
        return True
    terms = it.scaling.own if scale is None else it.terms(sizes)
    return bool((it.terms(moved) > MOVED * terms).any())


def _stagnates(it: Iterate) -> bool:
    """Whether two full steps in a row failed to halve a residual that rounding hides."""
    full = it.newton and it.damping == 1.0 and not it.limited
    count = it.memory.get("stagnation", 0)
    count = count + 1 if full and it.contraction > 0.5 else 0
    stagnates = count >= 2 and at_rounding(it)
    it.memory["stagnation"] = 0 if count >= 2 else count
    return stagnates


def _vanishing(it: Iterate) -> Status | None:
    """Return the status of success if unknowns converge to zero, else None.

    The terms of an equation whose unknowns all vanish are never larger than its residual, and at a
    singular root there convergence is slow. Unknowns that have shrunk to nothing of their block,
    now or at the start of an unbroken run of shrinking steps, are therefore set to zero on trial.
    The point is a solution if every equation holds there, by its own terms. Unknowns that stay at
    zero exactly, such as a grounded contact, do not shrink. Nor does a small unknown whose steps
    are less than `SETTLED` of it: it has a value, and zero may be another root.
    """
    before = it.step_size_absolute_old  # inf at the first step
    ratio = it.step_size_absolute / before if before > 0.0 else math.inf
    if it.limited or it.damping < 0.2 or ratio >= 0.95:
        it.memory.pop("run", None)
        return None
    run = it.memory.get("run")
    if run is None:
        it.memory["run"] = (it.k, it.x_old, it.blocks.norms(it.x_old))
        return None
    start, x_start, norms = run
    fast = ratio < 0.2
    if it.k - start < (1 if fast else LINEAR_STEPS):
        return None
    if it.scaling.smallest > VANISHED * max(it.largest, *norms.values()):
        return None
    sizes = np.maximum(it.blocks.spread(norms, 0.0), it.blocks.spread(it.blocks.norms(it.x), 0.0))
    zero = (np.abs(it.x) <= VANISHED * sizes) & (SETTLED * np.abs(it.x) <= np.abs(it.step))
    error = np.where(zero, 0.0, np.abs(it.step) * ratio / (1.0 - ratio))
    if not (x_start[zero].any() or it.x[zero].any()) or (error > REST_ERROR * it.weights).any():
        return None
    x = np.where(zero, 0.0, it.x)
    F = it.evaluate(x)
    if F is None or not all_hold(it, x, F):
        return None
    it.accept(x, F, 1.0)
    return Status.CONVERGED if fast else Status.CONVERGED_SLOWLY


def full_step_holds(it: Iterate) -> bool:
    """Take Newton's full step where a damping failed, if it is tiny and every equation holds there.

    Where ``min(x, y) = 0`` at x = y = 0, rounding decides which of the two counts. A residual of
    1e-18 is then all of the terms on one side of the kink, and rounding on the other side. Unknowns
    that are nothing of their block, and that the step changes, are set to zero.
    """
    if it.J is None or not it.fresh or it.memory.get("tiny steps", 0) >= TINY_STEPS:
        return False
    try:
        dx = it.newton_direction()
    except LinearSolveError:
        return False
    if not dx.any() or (np.abs(dx) > SMALL_STEP * it.peak).any() or it.limited_step(dx) is not dx:
        return False
    tiny = np.abs(it.x) <= VANISHED * it.blocks.spread(it.blocks.norms(it.x), 0.0)
    x = np.where(tiny & (np.abs(dx) >= SETTLED * np.abs(it.x)), 0.0, it.x + dx)
    F = it.evaluate(x)
    left = None if F is None else open_equations(it, x, F)
    if left is not None and left.any():  # unknowns that this step leaves alone may be nothing, too
        x = np.where(tiny & unknowns_with(it, left), 0.0, x)
        F = it.evaluate(x)
        left = None if F is None else open_equations(it, x, F)
    if F is None or left is None or left.any():
        return False
    it.memory["tiny steps"] = it.memory.get("tiny steps", 0) + 1
    it.accept(x, F, 1.0)
    return True
