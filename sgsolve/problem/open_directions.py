"""Directions along which no equation determines the solution, found where the user declared none.

The Jacobian is singular at a fold or a branch point too, but not elsewhere along the same vectors.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..linear.null_basis import annihilates, null_basis
from .consistency import beside
from .residual_system import ResidualSystem

Vector = NDArray[Any]

SEARCHED_UP_TO = 50_000  # unknowns: larger matrices are not factorized once more for it
NULL = 1e-9  # of the terms of an equation, that J v may be


def open_directions(system: ResidualSystem, start: Vector, x: Vector) -> Vector | None:
    """Return an orthonormal basis, shape (n, k), of constant null vectors of the Jacobian.

    They are null vectors at the solution x, at the start of its solve, and at a third point.
    """
    if system.n > SEARCHED_UP_TO:
        return None
    J = _jacobian(system, x)
    V = None if J is None else null_basis(J)
    if V is None:
        return None
    for y in (start, beside(x)):
        other = _jacobian(system, y)
        if other is None or not annihilates(other, V, NULL):
            return None
    return V


def _jacobian(system: ResidualSystem, x: Vector) -> Any:
    """Return the Jacobian; None if it is not finite or x is outside the model."""
    try:
        with np.errstate(all="ignore"):
            J = system.linearize(x)[1]
    except ArithmeticError:
        return None
    return J if np.isfinite(J.data).all() else None
