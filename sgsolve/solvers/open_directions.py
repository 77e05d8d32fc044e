"""Directions along which no equation determines the solution, found where the user declared none.

The level of a pressure and that of a potential between insulating boundaries are such. The Jacobian
is singular at a fold or a branch point too, but not elsewhere along the same vectors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import SingularMatrixError
from ..linear.null_basis import annihilates, null_basis
from .iterate import Iterate

Vector = NDArray[Any]

AWAY = 0.1  # of the unknowns: the distance of another point
NULL = 1e-9  # of the terms of an equation, that J v may be


def newton_direction(it: Iterate) -> Vector:
    """Return -J^-1 F; raises `LinearSolveError`.

    Where J has the same null vectors at every x, the direction has no component along them.
    """
    try:
        return it.newton_direction()
    except SingularMatrixError as error:
        if not _gauged(it):
            raise
        it.memory["open"] = error
        return it.newton_direction()


def _gauged(it: Iterate) -> bool:
    """Keep x along the null vectors of the Jacobian that are the same at every x; False if none.

    They are looked for once, at the first singular Jacobian. From then on the workspace solves the
    linear systems as with a declared null space: with one analysis, and without regularization.
    """
    workspace = it.workspace
    if not workspace.may_gauge or workspace.null_space is not None:
        return False
    workspace.may_gauge = False
    V = open_directions(it.J, lambda x: _jacobian(it, x), (beside(it.x, 0), beside(it.x, 1)))
    if V is None:
        return False
    workspace.gauge(V)
    it.factorized = False
    return True


def open_directions(J: Any, jacobian: Callable[[Vector], Any], points: Any) -> Vector | None:
    """Return an orthonormal basis, shape (n, k), of constant null vectors of the Jacobian.

    Parameters
    ----------
    J : csr_array
        The Jacobian at one point.
    jacobian : callable
        ``jacobian(x)`` -> that at another; None if it is not finite or x is outside the model.
    points : iterable of ndarray, shape (n,)
        Where the null vectors of J must be null vectors too.
    """
    V = null_basis(J)
    if V is None:
        return None
    for x in points:
        other = jacobian(x)
        if other is None or not annihilates(other, V, NULL):
            return None
    return V


def beside(x: Vector, number: int = 0) -> Vector:
    """Return a point a tenth of the size of the unknowns away, the same for the same number."""
    size = np.where(x == 0.0, float(np.abs(x).max()) or 1.0, np.abs(x))
    return x + AWAY * size * np.random.default_rng(number).uniform(-1.0, 1.0, len(x))


def _jacobian(it: Iterate, x: Vector) -> Any:
    found = it.counted.linearize(x)
    return found[1] if found is not None and np.isfinite(found[1].data).all() else None
