"""Whether a residual is small only because unknowns, and with them the terms, grew.

Next to an unknown of 1e90 rounding hides everything that the user meant, such as the sum of two
unknowns. A point so far away is a solution only if the equations determine its unknowns. "Far" is
beside where the solve began, whichever solver brought them there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...arrays import EPS, Vector
from ..state.entries import unknowns_with
from ..state.iterate import Iterate
from ..state.origin import Origin
from .determination import determined
from .own_terms import HOLDS, all_hold

BEYOND = 1e12  # times the largest unknown of the start, or 1: only determined unknowns may be there
GROWN, KEPT = 10.0, 0.1  # ... and where unknowns grew so much, but the residual fell by no more
OUTGREW = 1e6  # times its size at the start: rounding of such terms may hide all that counted there


def ran_away(it: Iterate) -> bool:
    """Whether unknowns that grew since the start are not determined; a note says so."""
    origin = it.origin
    if origin is None or it.J is None:
        return False
    grown = _far_unknowns(origin, it) | unknowns_with(it, _equations_left(origin, it))
    grown &= it.x != 0.0
    if not grown.any():
        return not _holds_at_level_of(origin, it, straight=True)
    if determined(it, np.where(grown, it.x, 0.0)) and _holds_at_level_of(origin, it):
        return False
    it.notes.append(
        "unknowns, or terms of equations, grew far beyond the start, to where the equations do not "
        "determine the unknowns"
    )
    return True


def _far_unknowns(origin: Origin, it: Iterate) -> NDArray[np.bool_]:
    """Return which unknowns are far beyond the size of the start."""
    if it.largest <= GROWN * origin.size:
        return np.zeros(len(it.x), dtype=bool)
    kept = float(np.abs(it.F).max()) > KEPT * origin.residual
    far: NDArray[np.bool_] = np.abs(it.x) > (GROWN if kept else BEYOND) * origin.size
    return far


def _equations_left(origin: Origin, it: Iterate) -> NDArray[np.bool_]:
    """Return the equations that would not hold beside their size at the start, which they outgrew.

    An equation of exponentials may grow much though its unknowns do not. One that has neither terms
    nor a residual at the start has no size there, and tells nothing. Nor does one that is not small
    beside its own terms now: at rest the residual is rounding of constants from the start on. The
    own terms of equations that are judged by a scale may be next to nothing at the start.
    """
    if not origin.by_own_terms:
        return np.zeros(len(it.F), dtype=bool)
    F, before, own = np.abs(it.F), np.abs(origin.F), it.scaling.own
    left: NDArray[np.bool_] = (HOLDS * own >= F) & _outgrown(F, own, before)
    if left.any():
        terms = origin.terms if origin.terms is not None else it.terms_at(origin.x)
        if terms is None:
            return np.zeros(len(F), dtype=bool)
        left &= _outgrown(F, own, terms) & (np.maximum(before, terms) > 0.0)
    return left


def _outgrown(F: Vector, own: Vector, sizes: Vector) -> NDArray[np.bool_]:
    """Return which equations have terms far beyond sizes beside which they would not hold."""
    outgrown: NDArray[np.bool_] = (HOLDS * sizes < F) & (own > OUTGREW * sizes)
    return outgrown


def _holds_at_level_of(origin: Origin, it: Iterate, straight: bool = False) -> bool:
    """Whether the equations also hold at the level of the start, if no equation determines one.

    A point that only ran away along a null space holds because rounding of the level hides it. With
    `straight` that is asked only where the level changes no residual. Along a null space that
    turns with x, as by a rotation, the point at that level is none of these solutions.
    """
    V = it.workspace.null_space
    if V is None or len(V) != len(it.x):
        return True
    x = it.x - V @ (V.T @ (it.x - origin.x))
    F = it.evaluate(x)
    if straight and (F is None or (np.abs(F) > 2.0 * np.maximum(np.abs(it.F), EPS * it.S)).any()):
        return True
    return F is not None and all_hold(it, x, F)
