"""Whether the norm of the residual has a local minimum where a solver failed, or is near one.

A system without a solution ends a solver in many ways: no step along Newton's direction decreases
the residual, the steps become too short, the iteration limit is reached. Which of them comes first
depends on the start and on rounding. The cause is one, and is found from values of the residual.

Reference: More, Garbow and Hillstrom, User Guide for MINPACK-1, ANL-80-74 (1980), hybrj, info = 5:
slow progress.
"""

from __future__ import annotations

import numpy as np

from ...arrays import Vector
from ...errors import LinearSolveError
from ...norms import unit
from ...results.status import Status
from ..state.iterate import Iterate
from ..steps.trust_region import scaled_gradient

UNDECIDED = (Status.DAMPING_FAILED, Status.STALLED, Status.MAX_ITERATIONS)
LENGTHS = tuple(10.0**-k for k in range(8))  # of steps, in units of the weights or of Newton's
LONGER = (10.0, 100.0, 1000.0)
DECREASE = 0.01  # of the norm: a local minimum is so close that no step up to length 1 gains it
STRAIGHT = 0.5  # of what the slope predicts: along a longest step that gains it the norm falls on
VISIBLE = 1e-12  # part of the norm: a gain that is no rounding
# Steps in turn, and decrease of the norm in each. MINPACK takes 10 steps; Newton's method with a
# line search leaves some valleys after 10 to 15.
SLOW_STEPS, SLOW_DECREASE = 20, 5e-4


def named_cause(it: Iterate, failed: Status) -> Status:
    """Return the status of a failure: `LOCAL_MINIMUM` where the best point is close to one."""
    if failed not in UNDECIDED or it.J is None or it.limited or it.best is None:
        return failed
    _, x, F = it.best
    kept = it.x, it.F
    found = np.isfinite(F).all() and it.linearize_at(x) and _at_minimum(it)
    if not found:
        it.x, it.F = kept
    return Status.LOCAL_MINIMUM if found else failed


def decreases_slowly(it: Iterate) -> bool:
    """Whether the last steps each decreased the norm, but hardly; asked once after each step."""
    slow = 1.0 - SLOW_DECREASE < it.contraction <= 1.0 and it.k > 0 and not it.limited
    count = it.memory["slow steps"] = it.memory.get("slow steps", 0) + 1 if slow else 0
    return count >= SLOW_STEPS


def _at_minimum(it: Iterate) -> bool:
    """Whether no step along the gradient nor along Newton's direction decreases the residual.

    In a narrow valley a step along the gradient gains nothing, but one along Newton's direction.
    """
    directions = [-it.weights * unit(scaled_gradient(it))]
    try:
        directions.append(it.newton_direction())
    except LinearSolveError:
        it.notes.append("singular Jacobian")
    return not any(_falls(it, direction) for direction in directions)


def _falls(it: Iterate, direction: Vector) -> bool:
    """Whether the norm of the residual falls along a direction.

    It does if a step gains enough, or if the longest step to a finite residual gains what the slope
    says: ``log(x) + 600`` falls at each x > 0, but slowly.
    """
    known = False
    for length in LENGTHS:
        F = it.evaluate(it.x + length * direction)
        if F is None:
            continue
        if it.phi - it.scaling.merit(F) > DECREASE * it.phi:
            return True
        if not known and _falls_on(it, direction, length, F):
            return True
        known = True
    return False


def _falls_on(it: Iterate, direction: Vector, length: float, F: Vector) -> bool:
    """Whether the longest step to a finite residual gains what the slope says; F: at `length`."""
    slope = float((it.F / it.S) @ ((it.J @ direction) / it.S)) / it.phi if it.phi > 0.0 else 0.0
    longer = LONGER if length == LENGTHS[0] else ()
    for factor in (1.0, *longer):
        found = F if factor == 1.0 else it.evaluate(it.x + factor * length * direction)
        if found is None:
            return True
        gain = it.phi - it.scaling.merit(found)
        if not gain > max(-STRAIGHT * slope * factor * length, VISIBLE * it.phi):
            return False
    return True
