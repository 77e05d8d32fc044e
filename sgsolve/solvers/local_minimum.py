"""Whether the norm of the residual has a local minimum where a solver failed.

A system without a solution ends a solver in many ways: no step along Newton's direction decreases
the residual, the steps become too short, the iteration limit is reached. Which of them comes first
depends on the start and on rounding. The cause is one, and is found from values of the residual.
"""

from __future__ import annotations

import numpy as np

from ..errors import LinearSolveError
from ..norms import unit
from ..results.status import Status
from .iterate import Iterate
from .trust_region import scaled_gradient

UNDECIDED = (Status.DAMPING_FAILED, Status.STALLED, Status.MAX_ITERATIONS)
LENGTHS = tuple(
    10.0**-k for k in range(8)
)  # of the steps that are tried, in units of the weights or of Newton's
DECREASE = 0.01  # of the norm: a local minimum is so close that no such step gains it


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


def _at_minimum(it: Iterate) -> bool:
    """Whether no step along the gradient nor along Newton's direction decreases the residual.

    In a narrow valley a step along the gradient gains nothing, but one along Newton's direction.
    """
    directions = [-it.weights * unit(scaled_gradient(it))]
    try:
        directions.append(it.newton_direction())
    except LinearSolveError:
        it.notes.append("singular Jacobian")
    for direction in directions:
        for length in LENGTHS:
            F = it.evaluate(it.x + length * direction)
            if F is not None and it.scaling.merit(F) < (1.0 - DECREASE) * it.phi:
                return False
    return True
