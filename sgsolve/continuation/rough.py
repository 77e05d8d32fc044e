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
from .stepper import Found, Point

SAFETY = 2.0  # on how far the parameter moves within the bracket
ADVICE = (
    "What to try: a smaller max_step; look there for a kink, a pole or a jump of the residual; if "
    "solutions can be shifted or rotated, fix their place"
)


class UnlocatedWarning(UserWarning):
    """A special point is certainly there, but could not be located exactly."""


def rough(kind: str, point: Point, other: Point) -> Found:
    """Return what is known of a special point between two points, as one at the first of them."""
    low, high = (point, other) if point.s <= other.s else (other, point)
    inner = [_between(low, high, t) for t in np.linspace(0.0, 1.0, 9)]
    within = SAFETY * max(abs(p - point.p) for p in (*inner, other.p))
    within = max(within, float(np.spacing(abs(point.p))))
    special = Rough(kind, point.p, point.x.copy(), tangent=point.tangent, within=within)
    return Found(point, special, reach=high.s - low.s)


def _between(a: Point, b: Point, t: float) -> float:
    """Return the abscissa between two points: on the cubic of their tangents, if they have any."""
    u = 1.0 - t
    ends = u * u * (1.0 + 2.0 * t) * a.p + t * t * (3.0 - 2.0 * t) * b.p
    if a.tangent is None or b.tangent is None:
        return ends
    return ends + (b.s - a.s) * t * u * float(u * a.tangent[-1] - t * b.tangent[-1])


def unlocated(special: Sequence[Special]) -> str:
    """Return which special points are known roughly only, and what to do; empty if none."""
    names = [str(one) for one in special if isinstance(one, Rough)]
    if not names:
        return ""
    return f"not located exactly: {'; '.join(names)}. {ADVICE}"
