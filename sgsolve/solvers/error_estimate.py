"""Error estimate of an iterate, from the size of its last step.

Reference: Deuflhard, Newton Methods for Nonlinear Problems (2011), section 2.1.
"""

from __future__ import annotations

import math

import numpy as np

from .iterate import Iterate


def error_estimate(it: Iterate) -> float:
    """Estimate the relative error of x from the last step and how the residual fell.

    A full step of Newton with contraction rho of the residual is followed by one of at most
    about sqrt(rho) times its size: rho = theta for quadratic convergence gives more, and for
    a double root rho = theta^2 gives exactly theta.
    """
    if it.correction is not None:
        correction = float((np.abs(it.correction) / it.weights).max())
        if it.newton:
            return correction
        # an old Jacobian sees too little of the error where the problem is nearly singular
        return max(correction, it.step_size * math.sqrt(min(1.0, it.contraction)))
    if it.newton and not it.limited and it.damping == 1.0:
        return it.step_size * math.sqrt(min(1.0, it.contraction))
    return it.step_size
