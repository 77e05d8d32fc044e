"""Rough: special points that are certainly there, and could not be located exactly.

A change of sign proves a special point even where every attempt to stand on it fails. It is kept as
what it is: a solution near it, how far from it that may be in the parameter, and a warning; never
dropped.

The model is BifurcationKit.jl, whose special points are "converged" or a "guess" with an interval.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..results.special_points import Rough, Special
from .curve import Curve, Spot
from .detector import Found

SAFETY = 2.0  # on how far the parameter moves within the bracket
ADVICE = (
    "What to try: a smaller max_step; look there for a kink, a pole or a jump of the residual; if "
    "solutions can be shifted or rotated, fix their place"
)


class UnlocatedWarning(UserWarning):
    """A special point is certainly there, but could not be located exactly."""


def rough(curve: Curve, kind: str, spot: Spot, other: Spot) -> Found:
    """Return what is known of a special point between two spots; it is taken to be at the first."""
    low, high = (spot, other) if spot.s <= other.s else (other, spot)
    inner = [float(curve.interpolated(low, high, t)[-1]) for t in np.linspace(0.0, 1.0, 9)]
    within = SAFETY * max(abs(p - spot.p) for p in (*inner, other.p))
    within = max(within, float(np.spacing(abs(spot.p))))
    special = Rough(kind, spot.p, spot.x.copy(), tangent=spot.tangent, within=within)
    return Found(spot, special, reach=high.s - low.s)


def unlocated(special: Sequence[Special]) -> str:
    """Return which special points are known roughly only, and what to do; empty if none."""
    names = [str(one) for one in special if isinstance(one, Rough)]
    if not names:
        return ""
    return f"not located exactly: {'; '.join(names)}. {ADVICE}"
