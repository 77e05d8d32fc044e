"""Detectors of a branch of periodic orbits: stability, period doublings, torus bifurcations.

A real multiplier that passes -1 is a period doubling, a complex pair that leaves the unit circle a
torus bifurcation (Neimark-Sacker). Both are closed in on along the branch, with the multipliers of
a corrected orbit at every trial.

Reference: Y. A. Kuznetsov, Elements of Applied Bifurcation Theory (2004), chapters 4, 5 and 10.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..continuation.approximate_points import approximate_special_point
from ..continuation.columns import Column
from ..continuation.detector import Detector
from ..continuation.locate import crossing
from ..continuation.stepper import Found, Point
from ..results.special_points import SpecialPoint
from .monodromy import Monodromy, distance_of_trivial, monodromy, trivial_of
from .orbit_family import OrbitFamily
from .packing import orbit_of

Vector = NDArray[Any]

KEY = "multipliers"
REAL = 1e-9  # imaginary parts below this part of the modulus are rounding
TOLERANCE = 1e-13  # of the fraction of a step
CROSSED = 1e-5  # part of the values at the ends up to which a test vanishes where it changes sign
DOUBTFUL = 1e-3  # error of the trivial multiplier above which the others say nothing
NEAR_ONE = 0.2  # distance from 1 of a multiplier that may pass 1 in a step
RESOLVED = 3.0  # times the change of the parameter by a new mesh, beside a fold
FOLD, BRANCH_POINT = "fold", "branch point"
SHOWN = 12  # multipliers that a branch keeps of each orbit


class FloquetMultipliers(Detector):
    """The multipliers of every orbit, with period doublings and torus bifurcations.

    Parameters
    ----------
    family : OrbitFamily
    doublings, tori : bool
        What to look for.
    """

    kind, marker, changes_stability = "period doubling", "^", True

    def __init__(self, family: OrbitFamily, doublings: bool = True, tori: bool = True) -> None:
        self.family, self.doublings, self.tori = family, doublings, tori
        self.columns = (
            Column("unstable", self.unstable),
            Column("accuracy", self.accuracy),
            Column("multipliers", lambda point: point.tests[KEY][:SHOWN].astype(complex)),
        )

    def measure(self, stepper: Any, point: Point, before: Point | None) -> None:
        """Compute the multipliers."""
        point.tests[KEY] = monodromy(self.family, point.x, point.p).multipliers()

    def unstable(self, point: Point) -> int:
        """Return how many multipliers are outside the unit circle, without the trivial one."""
        values = point.tests[KEY]
        return int((np.abs(np.delete(values, trivial_of(values))) > 1.0).sum())

    def accuracy(self, point: Point) -> float:
        """Return how far the trivial multiplier is from 1."""
        return distance_of_trivial(point.tests[KEY])

    def save(self, point: Point) -> dict[str, Any]:
        """Return the multipliers."""
        return {"values": point.tests[KEY]}

    def restore(self, point: Point, saved: Mapping[str, Any]) -> None:
        """Restore what `save` returned."""
        point.tests[KEY] = saved["values"]

    def locate(self, stepper: Any, a: Point, b: Point) -> list[Found]:
        """Return the period doublings and torus bifurcations between two orbits."""
        found = self._doublings(stepper, a, b) if self.doublings else []
        return [*found, *(self._tori(stepper, a, b) if self.tori else [])]

    def _values(self, stepper: Any, point: Point) -> Vector:
        if KEY not in point.tests:
            self.measure(stepper, point, None)
        values: Vector = point.tests[KEY]
        return values

    def _doublings(self, stepper: Any, a: Point, b: Point) -> list[Found]:
        """Return one period doubling for each real multiplier that passes -1."""
        first, last = (_below(point.tests[KEY]) for point in (a, b))
        found = []
        for rank in range(min(first, last), max(first, last)):

            def test(point: Point, rank: int = rank) -> float:
                return _distance(self._values(stepper, point), rank)

            found += self._crossing(stepper, a, b, test, "period doubling")
        return found

    def _tori(self, stepper: Any, a: Point, b: Point) -> list[Found]:
        """Return one torus bifurcation for each complex pair that leaves the unit circle."""
        pairs = [_upper_multipliers(point.tests[KEY]) for point in (a, b)]
        outside = [int((np.abs(values) > 1.0).sum()) for values in pairs]
        known = min(max(outside), len(pairs[0]), len(pairs[1]))
        found = []
        for rank in range(min(outside), known):

            def test(point: Point, rank: int = rank) -> float:
                values = _upper_multipliers(self._values(stepper, point))
                return float(np.log(np.abs(values[rank]))) if rank < len(values) else np.nan

            found += self._crossing(stepper, a, b, test, "torus")
        for one in found:
            one.special.marker = "v"
        return found

    def _crossing(self, stepper: Any, a: Point, b: Point, test: Any, kind: str) -> list[Found]:
        ends = test(a), test(b)
        root = crossing(stepper, a, b, test, TOLERANCE, ends)
        if root is None:
            return []
        if not root.exact:
            return [
                packed_found(self.family, approximate_special_point(kind, root.point, root.other))
            ]
        point = root.point
        if not abs(root.value) <= CROSSED * max(abs(end) for end in ends):
            return []
        special = SpecialPoint(kind, point.p, point.x.copy(), tangent=point.tangent)
        maps = monodromy(self.family, point.x, point.p)
        values = maps.multipliers()
        if distance_of_trivial(values) > DOUBTFUL:
            return []  # the multipliers of a canard, for one, are lost in rounding
        if kind == "torus":
            pair = _upper_multipliers(values)
            value = pair[int(np.argmin(np.abs(np.abs(pair) - 1.0)))]
            special.coefficients["angle"] = float(np.angle(value))
        else:
            special.vector = _antiperiodic(maps)
        return [packed_found(self.family, Found(point, special))]


class OnOrbits(Detector):
    """Another detector, whose special points are stored as orbits with their mesh.

    A fold counts if the parameter changes there by more than a new mesh changes it. A branch point
    needs a multiplier that passes 1. Beside a homoclinic orbit or a canard the determinant alone
    may change its sign by rounding.
    """

    def __init__(self, inner: Detector, family: OrbitFamily) -> None:
        self.inner, self.family = inner, family
        self.kind, self.marker, self.priority = inner.kind, inner.marker, inner.priority
        self.changes_stability = inner.changes_stability
        self.needs_factorization, self.columns = inner.needs_factorization, inner.columns

    def measure(self, stepper: Any, point: Point, before: Point | None) -> None:
        """Store the test values of the other detector."""
        self.inner.measure(stepper, point, before)

    def locate(self, stepper: Any, a: Point, b: Point) -> list[Found]:
        """Return the special points of the other detector."""
        if self.kind == BRANCH_POINT and not self._passes_one(a, b):
            return []
        found = self.inner.locate(stepper, a, b)
        if self.kind == FOLD:
            found = [one for one in found if self._resolved(stepper, one, a, b)]
        return [packed_found(self.family, one) for one in found]

    def _passes_one(self, a: Point, b: Point) -> bool:
        """Whether a multiplier besides the trivial one may pass 1 between two orbits."""
        for point in (a, b):
            if KEY not in point.tests:
                point.tests[KEY] = monodromy(self.family, point.x, point.p).multipliers()
        values = [point.tests[KEY] for point in (a, b)]
        if any(distance_of_trivial(one) > DOUBTFUL for one in values):
            return True
        sparse = self.family.equations.n > max(len(one) for one in values)
        if sparse and any(np.abs(one).min() > 1.0 - NEAR_ONE for one in values):
            return True  # one that is not among the leading ones
        others = [_real_multipliers(np.delete(one, trivial_of(one))) for one in values]
        above = [int((one > 1.0).sum()) for one in others]
        near = any(np.abs(one - 1.0).min(initial=1.0) < NEAR_ONE for one in others)
        return near or above[0] != above[1]

    def _resolved(self, stepper: Any, found: Found, a: Point, b: Point) -> bool:
        """Whether the parameter changes beside a fold by more than the error of the mesh."""
        change = max(abs(found.point.p - point.p) for point in (a, b))
        return change > RESOLVED * float(stepper.parameter_error)

    def counts(self, found: Found, others: Any, a: Point, b: Point) -> bool:
        """Whether the other detector lists a special point."""
        return self.inner.counts(found, others, a, b)

    def save(self, point: Point) -> dict[str, Any]:
        """Return the test values."""
        return self.inner.save(point)

    def restore(self, point: Point, saved: Mapping[str, Any]) -> None:
        """Restore what `save` returned."""
        self.inner.restore(point, saved)


def packed_found(family: OrbitFamily, found: Found) -> Found:
    """Return a special point whose state is an orbit with its mesh."""
    orbit = orbit_of(family, found.special.x, {})
    return replace(found, special=replace(found.special, x=orbit.packed()))


def _below(values: Vector) -> int:
    """Return how many real multipliers are below -1."""
    return int((_real_multipliers(values) < -1.0).sum())


def _distance(values: Vector, rank: int) -> float:
    """Return how far the real multiplier of a rank, from below, is above -1, at most 1."""
    real = np.sort(_real_multipliers(values))
    if rank >= len(real):
        return 1.0
    return float((1.0 + real[rank]) / (1.0 + abs(real[rank])))


def _real_multipliers(values: Vector) -> Vector:
    real: Vector = values.real[np.abs(np.imag(values)) <= REAL * np.abs(values)]
    return real


def _upper_multipliers(values: Vector) -> Vector:
    """Return the multipliers in the upper half plane, largest modulus first."""
    if not np.iscomplexobj(values):
        return np.empty(0, dtype=complex)
    upper = values[values.imag > REAL * np.abs(values)]
    ordered: Vector = upper[np.argsort(-np.abs(upper))]
    return ordered


def _antiperiodic(maps: Monodromy) -> Vector:
    """Return the change of all states that comes back with the other sign, shape (P n,)."""
    vector = maps.along(maps.turned()).ravel()
    unit: Vector = vector / np.abs(vector).max()
    return unit
