"""Detectors of folds and branch points on a branch of periodic orbits.

They are those of branches of solutions. Beside a homoclinic orbit or a canard the parameter hardly
changes: then a sign of its derivative, or of the determinant, may be decided by rounding. The
multipliers do change there, and show whether there is a special point.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..continuation.locating.bracket import opposite
from ..continuation.locating.detector import Detector
from ..continuation.locating.locate import crossing
from ..continuation.stepper import Found, Point
from ..results.floquet import UNKNOWN, distance_of_trivial, trivial_of, unstable_multipliers
from ..results.special_points import SpecialPoint
from .monodromy import monodromy
from .multiplier_tests import at_one, real_multipliers
from .orbit_family import OrbitFamily
from .packing import orbit_of

KEY = "multipliers"
DOUBTFUL = 1e-3  # error of the trivial multiplier above which the others say nothing
NEAR_ONE = 0.2  # distance from 1 of a multiplier that may pass 1 in a step
RESOLVED = 3.0  # times the change of the parameter by a new mesh, beside a fold
ROUNDED = 10.0  # times the error of the trivial multiplier, up to which another one is 1 as well
TOLERANCE = 1e-6  # of the fraction of a step, for a fold by the multipliers
SPLIT = 0.02  # part of a step by which a mesh parts a pitchfork into a fold and a branch point
FOLD, BRANCH_POINT = "fold", "branch point"


def multipliers_at(family: OrbitFamily, point: Point) -> Any:
    """Return the multipliers of an orbit, computed once."""
    if KEY not in point.tests:
        point.tests[KEY] = monodromy(family, point.x, point.p).multipliers()
    return point.tests[KEY]


class OnOrbits(Detector):
    """Another detector, whose special points are stored as orbits with their mesh.

    A fold counts if the parameter changes there by more than a new mesh changes it. Else it is
    where a multiplier passes 1. A branch point needs a multiplier that passes 1.
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
            found = found or self._flat_fold(stepper, a, b)
        return [packed_found(self.family, one) for one in found]

    def _passes_one(self, a: Point, b: Point) -> bool:
        """Whether a multiplier besides the trivial one may pass 1 between two orbits."""
        values = [multipliers_at(self.family, point) for point in (a, b)]
        if any(distance_of_trivial(one) > DOUBTFUL for one in values):
            return True
        sparse = self.family.equations.n > max(len(one) for one in values)
        if sparse and any(np.abs(one).min() > 1.0 - NEAR_ONE for one in values):
            return True  # one that is not among the leading ones
        others = [real_multipliers(np.delete(one, trivial_of(one))) for one in values]
        above = [int((one > 1.0).sum()) for one in others]
        near = any(np.abs(one - 1.0).min(initial=1.0) < NEAR_ONE for one in others)
        return near or above[0] != above[1]

    def _resolved(self, stepper: Any, found: Found, a: Point, b: Point) -> bool:
        """Whether the parameter changes beside a fold by more than the error of the mesh."""
        change = max(abs(found.point.p - point.p) for point in (a, b))
        return change > RESOLVED * float(stepper.parameter_error)

    def _flat_fold(self, stepper: Any, a: Point, b: Point) -> list[Found]:
        """Return the fold where a multiplier passes 1 while the parameter hardly changes."""
        flat = abs(b.p - a.p) <= RESOLVED * float(stepper.parameter_error)
        if not (flat or opposite(float(a.tangent[-1]), float(b.tangent[-1]))):
            return []
        values = [multipliers_at(self.family, point) for point in (a, b)]
        if UNKNOWN in map(unstable_multipliers, values):
            return []
        error = max(map(distance_of_trivial, values))
        ends = at_one(values[0]), at_one(values[1])
        if (
            error > DOUBTFUL
            or not ends[0] * ends[1] < 0.0
            or max(map(abs, ends)) <= ROUNDED * error
        ):
            return []

        def test(point: Point) -> float:
            return at_one(multipliers_at(self.family, point))

        root = crossing(stepper, a, b, test, TOLERANCE, ends)
        assert root is not None  # the signs differ
        point = root.point
        vector = point.tangent[:-1] / np.linalg.norm(point.tangent[:-1])
        special = SpecialPoint(FOLD, point.p, point.x.copy(), vector, tangent=point.tangent)
        return [Found(point, special, reach=b.s - a.s)]

    def counts(self, found: Found, others: Any, a: Point, b: Point) -> bool:
        """Whether the other detector lists a special point."""
        if self.kind != FOLD:
            return self.inner.counts(found, others, a, b)
        # the mesh has no symmetry; or the multiplier that passes 1 is that of the branch point
        reach = max(found.reach, SPLIT * (b.s - a.s))
        points = [other.point for other in others if other.special.kind == BRANCH_POINT]
        return all(abs(point.s - found.point.s) > reach for point in points)

    def save(self, point: Point) -> dict[str, Any]:
        """Return the test values."""
        return self.inner.save(point)

    def restore(self, point: Point, saved: Any) -> None:
        """Restore what `save` returned."""
        self.inner.restore(point, saved)


def packed_found(family: OrbitFamily, found: Found) -> Found:
    """Return a special point whose state is an orbit with its mesh."""
    orbit = orbit_of(family, found.special.x, {})
    return replace(found, special=replace(found.special, x=orbit.packed()))
