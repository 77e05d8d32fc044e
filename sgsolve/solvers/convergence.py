"""The convergence decision: whether an iterate ends the solve.

Success is declared here only, from a residual and sizes of terms at the point in question. Four
endings that no tolerance describes are recognized: rounding hides the residual (see `rounding`),
unknowns vanish, convergence stays linear (a singular root), the iteration diverges.

Reference: Deuflhard, Newton Methods for Nonlinear Problems (2011), sections 2.1.4 and 3.1;
Decker, Keller and Kelley, SIAM J. Numer. Anal. 20 (1983) 296 for linear convergence at singular
roots.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..results.status import Status
from .iterate import Iterate, Vector
from .rounding import SMALL_STEP, at_rounding
from .termination import TerminationTest

MOVED = 1e-4  # if an unknown moved by more, relative to itself, the old Jacobian is not believed
LINEAR_STEPS = 8  # steps of linear convergence before it is believed
VANISHED = 1e-13
REST_RESIDUAL, REST_ERROR = 1e-11, 1e-9  # for the blocks that do not vanish
RUNAWAY = 1e100
STEADY = 0.9  # steps that shrink less do not converge; at an m-fold root the factor is 1 - 1/m
FAR, FAR_FROM_ZERO = 100.0, 1e6  # a step longer than this, relative to x before it, is giant
# Points beyond x, in steps, where the residual is evaluated. Past a simple root it is large at the
# near points, past an m-fold one (m < 16) at the far ones. It may be noise at one of two points.
NEAR, FAR_ON = (0.5, 1.0), (17.0, 61.0)
OPEN = 1e-9  # of its terms: an equation with a larger residual was open before the step
HIDDEN = 1e-2  # of the residual before the step: what must come back there


def termination_status(
    test: TerminationTest, it: Iterate, linearize: Callable[[Iterate], bool]
) -> Status | None:
    """Return the status that ends the solve at this iterate, or None to continue."""
    if it.k == 0:
        return Status.CONVERGED if _at_start(test, it) else None
    if test.passed(it):
        if not it.fresh and _moved(it) and not linearize(it):
            # a residual of exactly zero needs no Jacobian
            return Status.NOT_FINITE if it.F.any() else Status.CONVERGED
        if test.passed(it):
            return Status.DIVERGED if _root_at_infinity(it) else Status.CONVERGED
    if bool(((it.F == 0.0) & (it.F_old != 0.0)).any()):
        _root_at_infinity(it)  # other equations may take longer, and the steps be others then
    if it.step_size <= SMALL_STEP and _stagnates(it):
        return Status.CONVERGED_ROUNDOFF
    if it.largest > RUNAWAY:
        return Status.DIVERGED
    if it.step_size_absolute == 0.0 and it.newton:
        return Status.CONVERGED_ROUNDOFF if at_rounding(it) else Status.STALLED
    return _vanishing(it)


def _at_start(test: TerminationTest, it: Iterate) -> bool:
    """Whether the start is a solution: no step has been seen, so only rounding or zero will do."""
    if not it.F.any():
        return True
    return test.passed(it)


def _moved(it: Iterate) -> bool:
    """Whether the last step was too long for the Jacobian before it to tell sizes after it."""
    return bool((np.abs(it.step) > MOVED * it.scaling.magnitude).any())


def _root_at_infinity(it: Iterate) -> bool:
    """Whether a residual is small only because the iterates ran to where rounding hides it.

        tanh(x) = 1 and exp(-x) = 0 have no solution, but are met in this arithmetic at a finite x.
        Such iterates move in one direction by steps that do not shrink, or leave by one giant step;
    and, which no root allows, an equation that the step closed stays closed further on. Rounding
    can hide a multiple root in an interval of many steps, so that far away counts as well.
    """
    if it.memory.get("hidden"):
        return True
    step, before = np.abs(it.step), np.abs(it.step_old)
    steady = (step >= STEADY * before) & (it.step * it.step_old > 0.0)
    giant = step >= np.where(it.x_old == 0.0, FAR_FROM_ZERO, FAR * np.abs(it.x_old))
    if it.k == 1:  # earlier steps, by another stage, are not known here
        steady = step > 0.0
    if not ((steady | giant) & (step > 1e-8 * it.scaling.magnitude)).any():
        return False
    closed = np.abs(it.F_old)
    closed[(closed <= 100.0 * np.abs(it.F)) | (closed <= OPEN * it.own_old)] = 0.0
    if not closed.any() or not all(_closed_at(it, shares, closed) for shares in (NEAR, FAR_ON)):
        return False
    it.notes.append("rounding hides the residual further on: it only tends to zero")
    it.memory["hidden"] = True
    return True


def _closed_at(it: Iterate, shares: tuple[float, ...], closed: Vector) -> bool:
    """Whether an equation that the last step closed is closed at one of the points further on."""
    for share in shares:
        F = it.evaluate(it.x + share * it.step)
        if F is None:
            return False
        if ((np.abs(F) <= HIDDEN * closed) & (closed > 0.0)).any():
            return True
    return False


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
    singular root there convergence is slow. Unknowns that have shrunk to nothing of what their
    block was at the start of an unbroken run of shrinking steps are therefore set to zero on
    trial. The point is a solution if every equation holds there, by its own terms.
    """
    before = it.step_size_absolute_old  # inf at the first step
    ratio = it.step_size_absolute / before if before > 0.0 else math.inf
    if it.limited or it.damping < 0.2 or ratio >= 0.95:
        it.memory.pop("run", None)
        return None
    run = it.memory.get("run")
    if run is None:
        it.memory["run"] = (it.k, it.blocks.norms(it.x_old))
        return None
    start, norms = run
    fast = ratio < 0.2
    if it.k - start < (1 if fast else LINEAR_STEPS):
        return None
    zero = np.abs(it.x) <= VANISHED * it.blocks.spread(norms, 0.0)
    error = np.where(zero, 0.0, np.abs(it.step) * ratio / (1.0 - ratio))
    if not zero.any() or (error > REST_ERROR * it.weights).any():
        return None
    x = np.where(zero, 0.0, it.x)
    F = it.evaluate(x)
    if F is None or not _holds(it, x, F):
        return None
    it.accept(x, F, 1.0)
    return Status.CONVERGED if fast else Status.CONVERGED_SLOWLY


def _holds(it: Iterate, x: Vector, F: Vector) -> bool:
    """Whether every equation holds at a trial point, by its own terms there."""
    if not F.any():
        return True
    terms = it.terms_at(x)
    return terms is not None and bool((np.abs(F) <= REST_RESIDUAL * terms).all())
