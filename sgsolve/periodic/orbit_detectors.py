"""Detector of the stability of periodic orbits, period doublings and torus bifurcations.

A real multiplier that passes -1 is a period doubling, a complex pair that leaves the unit circle a
torus bifurcation (Neimark-Sacker). Both are closed in on along the branch, with the multipliers of
a corrected orbit at every trial.

The number of multipliers outside the unit circle changes by 1 at a fold, a branch point or a
period doubling, and by 2 at a torus bifurcation. If the special points in a step do not explain
its change, the step is made shorter.

Reference: Y. A. Kuznetsov, Elements of Applied Bifurcation Theory (2004), chapters 4, 5 and 10.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..arrays import Vector
from ..continuation.columns import Column
from ..continuation.locating.approximate_points import approximate_special_point
from ..continuation.locating.bracket import opposite
from ..continuation.locating.detector import STEP_DOUBT, Detector, Doubt, doubt
from ..continuation.locating.locate import crossing
from ..continuation.stepper import Found, Point
from ..results.floquet import UNKNOWN, distance_of_trivial, unstable_multipliers
from ..results.special_points import SpecialPoint
from .monodromy import Monodromy, monodromy
from .multiplier_tests import (
    above_minus_one,
    at_minus_one,
    below,
    outside,
    pairs_outside,
    upper_multipliers,
)
from .on_orbits import DOUBTFUL, KEY, RESOLVED, multipliers_at, packed_found
from .orbit_family import OrbitFamily

TOLERANCE = 1e-13  # of the fraction of a step
CROSSED = 1e-5  # part of the values at the ends up to which a test vanishes where it changes sign
SHOWN = 12  # multipliers that a branch keeps of each orbit
DOUBLING, TORUS = "period doubling", "torus"
KINDS = ("fold", "branch point", DOUBLING, TORUS)


class FloquetMultipliers(Detector):
    """The multipliers of every orbit, with period doublings and torus bifurcations.

    Parameters
    ----------
    detect : sequence of str
        The kinds of special points that the run looks for.
    """

    kind, marker, changes_stability = DOUBLING, "^", True

    def __init__(self, family: OrbitFamily, detect: Sequence[str] = KINDS) -> None:
        self.family, self.detect = family, detect
        self.columns = (
            Column("unstable", lambda point: unstable_multipliers(point.tests[KEY])),
            Column("accuracy", lambda point: distance_of_trivial(point.tests[KEY])),
            Column("multipliers", lambda point: point.tests[KEY][:SHOWN].astype(complex)),
        )

    def measure(self, stepper: Any, point: Point, before: Point | None) -> None:
        """Compute the multipliers."""
        point.tests[KEY] = monodromy(self.family, point.x, point.p).multipliers()

    def save(self, point: Point) -> dict[str, Any]:
        """Return the multipliers."""
        return {"values": point.tests[KEY]}

    def restore(self, point: Point, saved: Mapping[str, Any]) -> None:
        """Restore what `save` returned."""
        point.tests[KEY] = saved["values"]

    def locate(self, stepper: Any, a: Point, b: Point) -> list[Found]:
        """Return the period doublings and torus bifurcations between two orbits."""
        values, change = [point.tests[KEY] for point in (a, b)], _change(a, b)
        if any(distance_of_trivial(one) > DOUBTFUL for one in values):
            return []  # the multipliers of a canard, for one, are lost in rounding
        found = list[Found]()
        if DOUBLING in self.detect:
            for test in _doublings(values[0], values[1], change):
                found += self._crossing(stepper, a, b, test, DOUBLING)
        if TORUS in self.detect and change != 0:
            for test in _tori(values[0], values[1]):
                found += self._crossing(stepper, a, b, test, TORUS)
        return found

    def review(self, stepper: Any, a: Point, b: Point, found: Sequence[Found]) -> None:
        """Doubt a step whose special points do not explain the change of stability."""
        if doubt(b) is not None or not set(KINDS) <= set(self.detect):
            return
        if abs(b.p - a.p) <= RESOLVED * float(stepper.parameter_error):
            return  # beside a homoclinic orbit a shorter step would show no more
        change = _change(a, b)
        kinds = [one.special.kind for one in found]
        single, double = sum(kind in KINDS[:3] for kind in kinds), kinds.count(TORUS)
        if opposite(float(a.tangent[-1]), float(b.tangent[-1])) and "fold" not in kinds:
            single -= (
                "branch point" in kinds
            )  # on an arm of a pitchfork a multiplier only touches 1
        if change is None or (
            (abs(change) - single) % 2 == 0 and abs(change) <= single + 2 * double
        ):
            return
        b.tests[STEP_DOUBT] = Doubt("the stability changes without a special point")

    def _crossing(
        self, stepper: Any, a: Point, b: Point, test: Callable[[Vector], float], kind: str
    ) -> list[Found]:
        def at(point: Point) -> float:
            return test(multipliers_at(self.family, point))

        ends = at(a), at(b)
        root = crossing(stepper, a, b, at, TOLERANCE, ends)
        if root is None:
            return []
        if not root.exact:
            found = approximate_special_point(kind, root.point, root.other)
            return [packed_found(self.family, found)]
        point = root.point
        if test is not at_minus_one and not abs(root.value) <= CROSSED * max(map(abs, ends)):
            return []  # the multiplier has become complex
        special = SpecialPoint(kind, point.p, point.x.copy(), tangent=point.tangent)
        maps = monodromy(self.family, point.x, point.p)
        values = maps.multipliers()
        if kind == TORUS:
            pair = upper_multipliers(values)
            value = pair[int(np.argmin(np.abs(np.abs(pair) - 1.0)))]
            special.coefficients["angle"], special.marker = float(np.angle(value)), "v"
        else:
            special.vector = _antiperiodic(maps)
        return [packed_found(self.family, Found(point, special))]


def _change(a: Point, b: Point) -> int | None:
    """Return the change of the number of unstable multipliers; None if one is not known."""
    counts = [unstable_multipliers(point.tests[KEY]) for point in (a, b)]
    return None if UNKNOWN in counts else counts[1] - counts[0]


def _doublings(first: Vector, last: Vector, change: int | None) -> list[Callable[[Vector], float]]:
    """Return a test for each period doubling between two orbits.

    The sign of det(M + I) tells whether their number is odd. If several real multipliers pass -1
    there is a test for each. That they become complex instead does not change the stability.
    """
    counts = below(first), below(last)
    if at_minus_one(first) * at_minus_one(last) < 0.0:
        if abs(counts[1] - counts[0]) == 1 or change is None:
            return [at_minus_one]
    elif counts[0] == counts[1] or change in (-1, 0, 1):
        return []
    return [partial(above_minus_one, rank) for rank in range(min(counts), max(counts))]


def _tori(first: Vector, last: Vector) -> list[Callable[[Vector], float]]:
    """Return a test for each complex pair that leaves the unit circle between two orbits."""
    counts = pairs_outside(first), pairs_outside(last)
    known = min(max(counts), len(upper_multipliers(first)), len(upper_multipliers(last)))
    return [partial(outside, rank) for rank in range(min(counts), known)]


def _antiperiodic(maps: Monodromy) -> Vector:
    """Return the change of all states that comes back with the other sign, shape (P n,)."""
    vector = maps.along(maps.turned()).ravel()
    unit: Vector = vector / np.abs(vector).max()
    return unit
