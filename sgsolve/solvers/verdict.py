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

from ..status import Status
from .iterate import Iterate
from .termination import Test

NOISE = 1e-8  # scaled residuals above this are never put down to rounding
SMALL_STEP = 1e-6  # ... nor are steps above this
JUMP = 1e-2  # after a step larger than this the old Jacobian says nothing about the new point
LINEAR_STEPS = 8
LINEAR_ERROR = 1e-13
RUNAWAY = 1e100


def verdict(test: Test, it: Iterate, linearize: Callable[[Iterate], bool]) -> Status | None:
    """Return the status that ends the solve at this iterate, or None to go on."""
    if it.k == 0:
        return Status.CONVERGED if _at_start(test, it) else None
    if test.passed(it):
        if it.fresh or it.step_size <= JUMP:
            return Status.CONVERGED
        if not linearize(it):
            return Status.NOT_FINITE
        if test.passed(it):
            return Status.CONVERGED
    if not it.fresh and it.step_size <= SMALL_STEP and _stagnates(it):
        return Status.CONVERGED_ROUNDOFF
    if _linear_to_the_end(it):
        return Status.CONVERGED_SLOWLY
    return Status.DIVERGED if float(np.abs(it.x).max()) > RUNAWAY else None


def _at_start(test: Test, it: Iterate) -> bool:
    """Whether the start is a solution: no step has been seen, so only rounding or zero will do."""
    if not it.F.any():
        return True
    return test.passed(it)


def at_rounding(it: Iterate) -> bool:
    """Whether a step that failed did so because the residual is rounding errors already."""
    if not it.J_known or float(it.scaled_residual().max()) > NOISE:
        return False
    return it.newton and float((np.abs(it.dx) / it.weights).max()) <= SMALL_STEP


def _stagnates(it: Iterate) -> bool:
    """Whether two full steps in a row failed to halve a residual at the level of rounding."""
    full = it.newton and it.damping == 1.0 and not it.limited
    count = it.memory.get("stagnation", 0)
    count = count + 1 if full and it.contraction > 0.5 else 0
    it.memory["stagnation"] = count
    return count >= 2 and float(it.scaled_residual().max()) <= NOISE


def _linear_to_the_end(it: Iterate) -> bool:
    """Whether full steps have shrunk by a constant factor until nothing is left of the start.

    That is how Newton approaches a root x = 0 with singular Jacobian, where relative tolerances
    cannot be met. Residual and error are compared with the sizes at the start of the phase.
    """
    ratio = it.step_size_absolute / it.step_size_absolute_old if it.k > 1 else math.nan
    if not (it.newton and it.damping == 1.0 and not it.limited and 0.2 < ratio < 0.95):
        it.memory.pop("linear", None)
        return False
    if "linear" not in it.memory:
        it.memory["linear"] = (it.k, it.S, it.weights)
        return False
    start, sizes, weights = it.memory["linear"]
    if it.k - start < LINEAR_STEPS:
        return False
    error = float((np.abs(it.step) / weights).max()) * ratio / (1.0 - ratio)
    return error <= LINEAR_ERROR and bool((np.abs(it.F) <= LINEAR_ERROR * sizes).all())
