"""Floquet multipliers: the trivial one, and how many are outside the unit circle."""

from __future__ import annotations

import numpy as np

from ..arrays import Vector

UNKNOWN = -1  # the number of unstable multipliers where their errors do not allow to count them
LOST = 0.5  # relative error above which a multiplier has no digit


def trivial_of(values: Vector) -> int:
    """Return the place of the multiplier nearest to 1."""
    return int(np.argmin(np.abs(values - 1.0)))


def distance_of_trivial(values: Vector) -> float:
    """Return how far the trivial multiplier is from 1."""
    return float(np.abs(values[trivial_of(values)] - 1.0))


def unstable_multipliers(values: Vector) -> int:
    """Return how many multipliers besides the trivial one are outside the unit circle.

    The distance of the trivial one from 1 is the error of the others: relative of those outside,
    absolute of those inside. The second multiplier of a planar orbit is a product of numbers, and
    has a relative error only.

    Returns
    -------
    int
        `UNKNOWN` if one of them is nearer to the circle than this error.
    """
    sizes = np.abs(np.delete(values, trivial_of(values)))
    error = distance_of_trivial(values)
    if len(sizes) == 1:
        known = np.abs(np.log(np.maximum(sizes, np.finfo(float).tiny))) > np.log1p(error)
    else:
        known = np.where(sizes > 1.0, sizes * (1.0 - error), 2.0 - sizes - error) > 1.0
        known &= error < LOST
    return int((sizes > 1.0).sum()) if known.all() else UNKNOWN
