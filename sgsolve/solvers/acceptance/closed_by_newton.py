"""Whether Newton's steps close what a regularized step left open.

Pseudo-transient and Levenberg-Marquardt steps never factorize the Jacobian itself. Where equations
contradict each other by little, such a step may end where large terms leave a residual that passes
a tolerance. The Jacobian is singular there, and no step decreases the residual to rounding. Near a
solution a step with its Jacobian, or a short part of it, decreases each residual as the linear
model says.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ...arrays import EPS, Vector
from ...errors import LinearSolveError
from ..state.iterate import Iterate
from ..steps.levenberg_marquardt import Augmented
from ..steps.open_directions import newton_direction
from .rounding import misses_its_linear_model

NEAR_ROUNDING = 64.0  # units of rounding, within which an equation needs no proof
STEPS = 3  # that each decrease the residual: enough to reach rounding, or slow at a multiple root
LENGTHS = (1.0, 0.25, 0.0625)  # parts of the step: a full one may be too long beside a curvature
ANSWERED = 0.5  # of the decrease that the linear model says
NEXT_TO_NOTHING = 0.02  # of the largest residual: one that curvature may raise
DAMPED = 1e-12  # of the squared size of J: the step of least length where J is singular


def left_open(it: Iterate) -> bool:
    """Whether a regularized step left a residual above rounding."""
    return it.regularized and it.J is not None and bool(_open(it, it.F).any())


def closed_by_newton(it: Iterate) -> bool:
    """Whether Newton's steps close the open residuals, or those are rounding of constants.

    The Jacobian must be that of the iterate. It is factorized once, and later steps keep its
    factors. Where no step is admitted nothing is known, and the criterion decides alone.
    """
    x, F, direction = it.x, it.F, _direction(it)
    for _ in range(STEPS):
        dx = direction(F)
        found = None if dx is None else _decreased(it, x, F, dx)
        if found is None:
            return misses_its_linear_model(it, _open(it, it.F)) or _refused(it)
        x, F = found
        if not _open(it, F).any():
            break
    return True


def _refused(it: Iterate) -> bool:
    it.notes.append("Newton's steps do not decrease the residual to rounding")
    return False


def _open(it: Iterate, F: Vector) -> NDArray[np.bool_]:
    """Return which residuals are above rounding of the terms at the iterate."""
    above: NDArray[np.bool_] = it.scaling.scaled(F) > NEAR_ROUNDING * EPS
    return above


def _direction(it: Iterate) -> Callable[[Vector], Vector | None]:
    """Return Newton's step for a residual, or one of least squares where J is singular."""
    try:
        newton_direction(it)
    except LinearSolveError:
        return lambda F: _least_squares(it, F)
    return it.simplified


def _least_squares(it: Iterate, F: Vector) -> Vector | None:
    try:
        step: Vector = it.weights * Augmented(it).solve(DAMPED, F / it.S)[1]
    except LinearSolveError:
        return None
    return step


def _decreased(it: Iterate, x: Vector, F: Vector, dx: Vector) -> tuple[Vector, Vector] | None:
    """Return a point along a step where open residuals fell as the linear model says, and F there.

    None if there is none, and the point itself where no point on the way is admitted.
    """
    rest = np.maximum(NEXT_TO_NOTHING * it.scaling.scaled(F).max(), NEAR_ROUNDING * EPS)
    allowed, admitted = rest * it.scaling.sized, False
    for length in LENGTHS:
        trial = it.evaluate(x + length * dx)
        if trial is None:
            continue
        admitted = True
        most = np.maximum((1.0 - ANSWERED * length) * np.abs(F), allowed)
        if (np.abs(trial) <= most).all():
            return x + length * dx, trial
    return None if admitted else (x, F)
