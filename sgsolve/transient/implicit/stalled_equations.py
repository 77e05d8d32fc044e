"""Equations whose residual stays where an update of Newton's iteration should have removed it.

A matrix of the other side of a kink may hold the slope of a diode that conducts, 1e11 times that of
the diode that blocks. The updates of its voltage are then 1e11 times too small. They fall below the
tolerance with those of the other unknowns, so that no norm of them shows the error.
"""

from __future__ import annotations

import numpy as np

from ...arrays import EPS, Vector
from .implicit_equation import Equation
from .kept_matrix import KeptMatrix

STALLED = 0.98  # part of its residual that an equation keeps: the error is above 50 updates
SHARE = 0.5  # of the terms of an update: a residual of less is left where they cancel
ROUNDINGS = 1000.0  # of the terms of an equation; F may lose more digits than its derivative shows


def stalls(
    matrix: KeptMatrix,
    equation: Equation,
    tolerance: float,
    before: tuple[Vector, Vector],
    now: tuple[Vector, Vector],
) -> bool:
    """Whether the last update left the residual of an equation that matters.

    An equation that stores a charge does not matter where its residual, put into the charge,
    changes the unknown by less than the tolerance of Newton's iteration.

    Parameters
    ----------
    matrix : KeptMatrix
        That the update was computed with.
    tolerance : float
        Of Newton's iteration, in units of the error tolerance.
    before : (G, d)
        The residual, and the update that followed.
    now : (G, x)
        The residual after the update, and the state.
    """
    (G_before, d), (G, x) = before, now
    kept = G * G_before > STALLED * (G_before * G_before)
    kept &= np.abs(G) * equation.weights > tolerance * equation.a * matrix.capacities
    if not kept.any():
        return False
    terms = matrix.terms(matrix.a0)
    kept &= np.abs(G_before) > SHARE * (terms @ np.abs(d))
    kept &= np.abs(G) > ROUNDINGS * EPS * (terms @ np.abs(x))
    return bool(kept.any())
