"""Detector of folds, where the parameter has an extremum along the branch.

The parameter component of the tangent changes sign at a fold. The fold itself is a regular solution
of F = 0 and g = 0. Here g is the last component of the solution of the bordered system
[J b; c 0] [v; g] = [0; 1]; it is zero where J is singular. Newton's method for this system
converges quadratically, so the fold is exact up to rounding.

Reference: W. Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria (2000),
section 4.1 (minimally augmented systems; derivatives of g by -w J_z v).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import Vector
from ..continuation.curve_points.bordered import Bordered
from ..continuation.curve_points.curve import Curve, point_at
from ..continuation.family import Family, Linear, linearized, with_last
from ..continuation.locating.approximate_points import approximate_special_point
from ..continuation.locating.bracket import opposite
from ..continuation.locating.detector import Detector, register_detector
from ..continuation.locating.locate import crossing
from ..continuation.stepper import Found, Point
from ..errors import LinearSolveError
from ..norms import norm2
from ..results.special_points import SpecialPoint
from .branch_points.branch_point_system import KIND as BRANCH_POINT
from .branch_points.turning_arms import turns_there

ITERATIONS = 12
QUARTERS = (0.25, 0.5, 0.75)
EXACT = 1e-13  # length of a step relative to the reach, behind which the residual is rounding
STILL = 1e-10  # relative change of the parameter at which a fold has converged
WANDER = 0.02  # ... while steps of x along a shift may be this part of the reach
TRANSVERSAL = 1e-3  # least ratio of |w . Fp| to |w||Fp| at a fold
RESOLVED = 4.0  # change of the parameter in units in the last place that is no rounding error


@dataclass
class Singular:
    """The solution of the bordered systems with J and J transposed at a point.

    Attributes
    ----------
    g : float
        Zero where J is singular.
    v, w : ndarray, shape (n,)
        Right and left null vectors of J where g is zero.
    """

    g: float
    v: Vector
    w: Vector


def singularity(family: Family, at: Linear, bordered: Bordered, b: Vector, c: Vector) -> Singular:
    """Return g, v and w with [J b; c 0] [v; g] = [0; 1], and the same transposed."""
    n = len(b)
    bordered.factorize(at.J, b[:, None], np.append(c, 0.0)[None, :], family.pattern)
    edge = np.zeros(n + 1)
    edge[-1] = 1.0
    right, left = bordered.solve(edge), bordered.solve(edge, transpose=True)
    return Singular(float(right[-1]), right[:-1], left[:-1])


def borders(family: Family, at: Linear, bordered: Bordered, row: Vector) -> tuple[Vector, Vector]:
    """Return approximate unit null vectors b of J transposed and c of J, near a fold."""
    bordered.factorize(at.J, at.Fp[:, None], row[None, :], family.pattern)
    edge = np.zeros(len(row))
    edge[-1] = 1.0
    c, b = bordered.solve(edge)[:-1], bordered.solve(edge, transpose=True)[:-1]
    return b / np.linalg.norm(b), c / np.linalg.norm(c)


def fold_near(
    curve: Curve, z: Vector, row: Vector, reach: float, wander: float = 0.0
) -> tuple[Linear, Singular] | None:
    """Return the fold near z by Newton's method on (F, g); None if it does not converge.

    Parameters
    ----------
    row : ndarray, shape (n + 1,)
        Last row of the bordered Jacobian, for the first borders.
    reach : float
        Length of the step that contains the fold.
    wander : float
        If solutions can be shifted, the system of the fold is singular along the shift. The steps
        then have that direction, while F, g and the parameter do not change. An iterate is
        accepted if the shortest step was within this part of `reach`.
    """
    family = curve.family
    bordered = Bordered(curve.bordered.workspace, 1, whole=True)
    b = c = None
    size = before = shortest = np.inf
    moved, best = np.inf, None
    try:
        for _ in range(ITERATIONS):
            at = linearized(family, z)
            if at is None:
                break
            if b is None or c is None:
                b, c = borders(family, at, bordered, row)
            pair = singularity(family, at, bordered, b, c)
            good = curve.corrector.scaled(at, reach) <= 1e-9
            if (good and size <= 1e-7 * reach) or size <= EXACT * reach:
                return at, pair
            if good and moved <= STILL * max(abs(z[-1]), reach) and size < shortest:
                best, shortest = (at, pair), size
            gradient = curve.bent(at, pair.w, np.append(pair.v, 0.0), reach)
            if gradient is None:
                break
            bordered.factorize(at.J, at.Fp[:, None], -gradient[None, :], family.pattern)
            step = bordered.solve(with_last(-at.F, -pair.g))
            size, before = curve.metric.norm(step), size
            if not size <= 2.0 * reach or (best is not None and size > 0.5 * before):
                break
            z, moved = z + step, abs(float(step[-1]))
    except LinearSolveError:
        pass  # the best iterate so far decides
    return best if shortest <= wander * reach else None


def _transversal(curve: Curve, point: Point, around: tuple[Point, Point]) -> bool:
    """Whether w . Fp is not zero: it never is at a fold, and always where a pitchfork arm turns.

    Without an answer of a linear solver it counts as a fold, so that no fold is lost.
    """
    bordered, row = Bordered(curve.bordered.workspace, 1, whole=True), curve.row(point.tangent)
    try:
        b, c = borders(curve.family, point.at, bordered, row)
        w = singularity(curve.family, point.at, bordered, b, c).w
    except LinearSolveError:
        return True
    usual = norm2(w) * max(norm2(other.at.Fp) for other in around)
    return abs(float(w @ point.at.Fp)) > TRANSVERSAL * usual


class Folds(Detector):
    """The detector of folds; see `sgsolve.continuation.locating.detector.Detector`."""

    kind, marker, priority, changes_stability = "fold", "o", 20, True
    _curve: Curve

    def measure(self, stepper: Any, point: Point, before: Point | None) -> None:
        """Do nothing: the tangent is the test value."""

    def counts(self, found: Found, others: Sequence[Found], a: Point, b: Point) -> bool:
        """Whether it is a fold, and not a pitchfork on one of its arms."""
        points = [other for other in others if other.special.kind == BRANCH_POINT]
        turns = [turns_there(self._curve, one.special, a, b) for one in points]
        if True in turns:
            return False
        return None not in turns or _transversal(self._curve, found.point, (a, b))

    def locate(self, stepper: Any, a: Point, b: Point) -> list[Found]:
        """Return the fold between two points, or an empty list."""
        curve: Curve = stepper.curve
        self._curve = curve
        first, last = float(a.tangent[-1]), float(b.tangent[-1])
        if first == 0.0 or not opposite(first, last) or _still(a, b):
            return []
        found = _polished(curve, [curve.interpolated(a, b, first / (first - last))], a, b)
        if found is not None:
            return [found]
        root = crossing(curve, a, b, lambda point: float(point.tangent[-1]), 1e-9, (first, last))
        assert root is not None  # the signs differ
        starts = [root.point.z]
        if not root.exact:
            starts += [root.other.z, *(curve.interpolated(a, b, t) for t in QUARTERS)]
        found = _polished(curve, starts, a, b, WANDER)
        if found is not None:
            return [found]
        if not root.exact:
            return [approximate_special_point("fold", root.point, root.other)]
        # not quadratic, or a branch point as well: keep the result of the bracketing
        point = root.point
        vector = point.tangent[:-1] / np.linalg.norm(point.tangent[:-1])
        special = SpecialPoint("fold", point.p, point.x.copy(), vector, tangent=point.tangent)
        return [Found(point, special)]


def _still(a: Point, b: Point) -> bool:
    """Whether the parameter is constant up to rounding between two points."""
    most = max(abs(float(point.tangent[-1])) for point in (a, b)) * (b.s - a.s)
    return most <= RESOLVED * float(np.spacing(max(abs(a.p), abs(b.p))))


def _polished(
    curve: Curve, starts: Sequence[Vector], a: Point, b: Point, wander: float = 0.0
) -> Found | None:
    """Return the fold between two points by Newton's method from one of several starts."""
    reach, along = curve.metric.norm(b.z - a.z), curve.metric.unit(b.z - a.z)
    for z in starts:
        found = fold_near(curve, z, curve.row(along), reach, wander)
        if found is None:
            continue
        at, pair = found
        share = curve.metric.dot(at.z - a.z, along) / reach
        aside = curve.metric.norm(at.z - a.z - share * (b.z - a.z))
        if not (-0.01 <= share <= 1.01 and aside <= reach):
            continue
        vector = pair.v / np.linalg.norm(pair.v)
        tangent = curve.metric.unit(np.append(vector, 0.0))
        tangent *= np.sign(curve.metric.dot(tangent, along)) or 1.0
        special = SpecialPoint("fold", float(at.z[-1]), at.z[:-1].copy(), vector, tangent=tangent)
        point = point_at(at, tangent, a.s + share * (b.s - a.s))
        return Found(point, special)
    return None


register_detector("fold", Folds)
