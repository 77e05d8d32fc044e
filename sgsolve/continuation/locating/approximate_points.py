"""Approximate special points: detected by a sign change, but not located exactly.

A sign change proves that a special point exists, even if the iteration for it fails. The branch
then lists a solution near it, with a bound on the error of the parameter, and a warning is issued.

The model is BifurcationKit.jl, whose special points are "converged" or a "guess" with an interval.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...results.special_points import ApproximateSpecialPoint, SpecialPoint
from ..stepper import Found, Point

SAFETY = 2.0  # factor on the change of the parameter within the bracket
ADVICE = (
    "What to try: a smaller max_step; look there for a kink, a pole or a jump of the residual; if "
    "solutions can be shifted or rotated, fix their place"
)


class UnlocatedWarning(UserWarning):
    """A special point was detected, but could not be located exactly."""


def approximate_special_point(kind: str, point: Point, other: Point) -> Found:
    """Return an approximate special point at `point`; the exact one lies between the two."""
    low, high = (point, other) if point.s <= other.s else (other, point)
    inner = [_abscissa_between(low, high, t) for t in np.linspace(0.0, 1.0, 9)]
    uncertainty = SAFETY * max(abs(p - point.p) for p in (*inner, other.p))
    uncertainty = max(uncertainty, float(np.spacing(abs(point.p))))
    special = ApproximateSpecialPoint(
        kind, point.p, point.x.copy(), tangent=point.tangent, uncertainty=uncertainty
    )
    return Found(point, special, reach=high.s - low.s)


def _abscissa_between(a: Point, b: Point, t: float) -> float:
    """Return the abscissa between two points: on the cubic of their tangents, if they have any."""
    u = 1.0 - t
    ends = u * u * (1.0 + 2.0 * t) * a.p + t * t * (3.0 - 2.0 * t) * b.p
    if a.tangent is None or b.tangent is None:
        return ends
    return ends + (b.s - a.s) * t * u * float(u * a.tangent[-1] - t * b.tangent[-1])


def unlocated(special: Sequence[SpecialPoint]) -> str:
    """Return which special points are approximate, and what to do; empty if none is."""
    names = [str(one) for one in special if isinstance(one, ApproximateSpecialPoint)]
    if not names:
        return ""
    return f"not located exactly: {'; '.join(names)}. {ADVICE}"
