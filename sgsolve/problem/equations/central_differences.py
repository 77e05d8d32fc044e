"""Central differences over a parameter whose unit is not known.

The length of a difference is relative to the parameter, or to the sizes that it had where it is far
smaller. A parameter that is zero and had no other value has a size only by what it does: the length
is then one over which the residual changes linearly.

Reference: W. H. Press et al., Numerical Recipes (2007), section 5.7.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...arrays import Vector

LENGTH = 6e-6  # relative: balances the error of a central difference (h^2) and rounding (eps / h)
FLOOR = 1e-3  # a parameter below this part of the sizes that it had counts as this
SIZES = tuple(10.0**k for k in range(-18, 19, 3))
LONGER = (
    np.e
)  # no ratio of small integers, so that multiples of rounding are not taken for straight


def difference_length(p: float, size: float) -> float:
    """Return the length of a difference at p, for a parameter that had this size."""
    return LENGTH * max(abs(p), FLOOR * size)


def central_difference(F: Callable[[float], Vector], p: float, size: float) -> Vector:
    """Return dF/dp by a central difference.

    Parameters
    ----------
    F : callable
        ``F(p)``, an array.
    size : float
        The largest magnitude that p had, positive.
    """
    with np.errstate(all="ignore"):
        slope = _slope(F, p, difference_length(p, size))
        if not np.isfinite(slope).all() and p != 0.0:  # a logarithm has no values behind zero
            slope = _slope(F, p, LENGTH * abs(p))
    return slope


def size_near_zero(F: Callable[[float], Vector]) -> float:
    """Return the size of a parameter that is zero, from how F changes with it."""
    with np.errstate(all="ignore"):
        found = [_departure(F, LENGTH * FLOOR * size) for size in SIZES]
    departures = np.stack(np.broadcast_arrays(*found))
    changing = np.isfinite(departures).any(axis=0)
    if not changing.any():
        return 1.0
    return SIZES[int(departures[:, changing].max(axis=1).argmin())]


def _slope(F: Callable[[float], Vector], p: float, h: float) -> Vector:
    up, down = p + h, p - h
    slope: Vector = (F(up) - F(down)) / (up - down)
    return slope


def _departure(F: Callable[[float], Vector], h: float) -> Vector:
    """Return how far each change over a longer length is from linear; infinite without a change."""
    try:
        near, far = F(h) - F(-h), F(LONGER * h) - F(-LONGER * h)
    except ArithmeticError:  # outside the model
        return np.array([np.inf])
    departure: Vector = np.abs(far - LONGER * near) / np.abs(far)
    return np.where(np.isfinite(departure), departure, np.inf)
