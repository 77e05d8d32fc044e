"""Verdict: whether an iterate ends the solve, apart from the user's tests.

One idea: success is declared here only, on a residual evaluated at the point in question; and
three endings that a tolerance cannot describe are recognised: rounding has the last word, the
iteration converges but never faster than linearly (a singular root), the iterates run away.

Reference: Deuflhard, Newton Methods for Nonlinear Problems (2011), sections 2.1.4 and 3.1;
Decker, Keller and Kelley, SIAM J. Numer. Anal. 20 (1983) 296 for linear convergence at singular
roots.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..result.status import Status
from .iterate import Iterate
from .termination import Test

NOISE = 1e-9  # scaled residuals above this are never put down to rounding
SMALL_STEP = 1e-6  # ... nor are steps above this
JUMP = 1e-2  # after a step larger than this the old Jacobian says nothing about the new point
LINEAR_STEPS = 8  # steps of linear convergence before it is believed
VANISHED = 1e-13
REST_RESIDUAL, REST_ERROR = 1e-11, 1e-9  # for the blocks that do not vanish
RUNAWAY = 1e100


def verdict(test: Test, it: Iterate, linearize: Callable[[Iterate], bool]) -> Status | None:
    """Return the status that ends the solve at this iterate, or None to go on."""
    if it.k == 0:
        return Status.CONVERGED if _at_start(test, it) else None
    if test.passed(it):
        if it.step_size <= JUMP:
            return Status.CONVERGED
        if not linearize(it):  # a residual of exactly zero needs no Jacobian
            return Status.NOT_FINITE if it.F.any() else Status.CONVERGED
        if test.passed(it):
            return Status.CONVERGED
    if it.step_size <= SMALL_STEP and _stagnates(it):
        return Status.CONVERGED_ROUNDOFF
    if it.largest > RUNAWAY:
        return Status.DIVERGED
    if it.step_size_absolute == 0.0 and it.newton:
        return Status.CONVERGED_ROUNDOFF if at_rounding(it) else Status.STALLED
    return _vanishing(it)


def _at_start(test: Test, it: Iterate) -> bool:
    """Whether the start is a solution: no step has been seen, so only rounding or zero will do."""
    if not it.F.any():
        return True
    return test.passed(it)


def at_rounding(it: Iterate) -> bool:
    """Whether a step that failed did so because the residual is rounding errors already."""
    if not it.newton or it.limited or float(it.sizes.scaled(it.F).max()) > NOISE:
        return False  # what a limit cut off is not known to be small
    return float((np.abs(it.dx) / it.weights).max()) <= SMALL_STEP


def _stagnates(it: Iterate) -> bool:
    """Whether two full steps in a row failed to halve a residual at the level of rounding."""
    full = it.newton and it.damping == 1.0 and not it.limited
    count = it.memory.get("stagnation", 0)
    count = count + 1 if full and it.contraction > 0.5 else 0
    it.memory["stagnation"] = count
    return count >= 2 and float(it.sizes.scaled(it.F).max()) <= NOISE


def _vanishing(it: Iterate) -> Status | None:
    """Return the status of success if whole blocks of unknowns converge to zero, else None.

    Relative tolerances cannot be met where the solution is x = 0, nor anything else at a singular
    root there. A block counts as zero when it has shrunk to nothing of what it was at the start
    of an unbroken run of shrinking steps; its equations are then measured by their terms of then.
    """
    before = it.step_size_absolute_old  # inf at the first step
    ratio = it.step_size_absolute / before if before > 0.0 else math.inf
    if it.limited or it.damping < 0.2 or ratio >= 0.95 or it.sizes.unsized is not None:
        it.memory.pop("run", None)
        return None
    run = it.memory.get("run")
    if run is None:
        it.memory["run"] = (it.k, it.S, it.blocks.norms(it.x_old))
        return None
    start, sizes, norms = run
    fast = ratio < 0.2
    if it.k - start < (1 if fast else LINEAR_STEPS):
        return None
    zero = [b for b, norm in it.blocks.norms(it.x).items() if norm <= VANISHED * norms[b]]
    if not zero:
        return None
    allowed, error = REST_RESIDUAL * it.S, np.abs(it.step) * ratio / (1.0 - ratio)
    for block in zero:
        where = it.blocks[block]
        allowed[where] = VANISHED * sizes[where]
        error[where] = 0.0
    if (np.abs(it.F) > allowed).any() or (error > REST_ERROR * it.weights).any():
        return None
    return Status.CONVERGED if fast else Status.CONVERGED_SLOWLY
