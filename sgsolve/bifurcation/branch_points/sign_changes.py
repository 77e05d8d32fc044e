"""Branch points from sign changes of test functions between two points.

Newton's method on an extended system gives the exact point. It starts where the secant of the test
function is zero. If it does not find a branch point near there, the test function brackets it
first. If the extended system is singular too, the result of the bracketing is used. The last row of
K is the chord between the points, since the tangent is not defined at a branch point.

Reference: W. Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria (2000), section
3.3 (bordered determinants).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ...arrays import Vector
from ...continuation.curve_points.curve import Curve, point_at
from ...continuation.family import linearized
from ...continuation.locating.bracket import WIDE
from ...continuation.locating.locate import crossing
from ...continuation.stepper import Found, Point
from ...errors import LinearSolveError
from .branch_point_system import (
    KIND,
    BranchPointSolution,
    bracketed_point,
    branch_point_between,
    quotient,
    quotients,
    special_point,
)

KEY = KIND  # in ``point.tests``
TOGETHER = 1e-4  # several tests are zero below this part of their values at the two points
ZERO = 1e-6  # ... and one test
POLE = 0.01  # ... above which it does not vanish where its sign changes within a short bracket
LOST = 3  # trial points without a solution that show a jump, in a wide bracket
BESIDE = 0.25  # largest distance of a branch point from the zero of the secant, in steps


@dataclass
class SingularTriplets:
    """Singular triplets of K at a point, and the test values of those of the point before.

    Attributes
    ----------
    left, right : ndarray, shape (n + 1, m)
        u and v of the smallest singular values, smallest first.
    tests : ndarray, shape (m,)
        The singular values.
    n_converged : int
        How many of them have converged.
    tested_here : ndarray, shape (k,)
        The test values with the vectors of the point before, evaluated at this point; zero if the
        vectors changed too much.
    sign : float
        Sign of det K; 0 if the back end has no determinant.
    """

    left: Vector
    right: Vector
    tests: Vector
    n_converged: int
    tested_here: Vector
    sign: float = 0.0


@dataclass
class Change:
    """A change of sign of a test function between two points."""

    curve: Curve
    a: Point
    b: Point
    test: Callable[[Point], float]
    ends: tuple[float, float]

    @property
    def reach(self) -> float:
        """The length of the chord."""
        return self.curve.metric.norm(self.b.z - self.a.z)

    def share(self, z: Vector) -> float:
        """Return where z is along the chord, from 0 to 1."""
        along = self.curve.metric.unit(self.b.z - self.a.z)
        return self.curve.metric.dot(z - self.a.z, along) / self.reach

    def near_secant(self, pair: tuple[Vector, Vector]) -> BranchPointSolution | None:
        """Return the branch point near the zero of the secant, if Newton's method finds one."""
        curve, (first, last) = self.curve, self.ends
        t = first / (first - last) if first != last else 0.5
        at = linearized(curve.family, curve.interpolated(self.a, self.b, t))
        if at is None:
            return None
        point = _with_chord(curve, self.a, self.b, point_at(at, self.a.tangent))
        found = branch_point_between(curve, self.a, self.b, point, pair, self.reach)
        if found is None:
            return None
        place = self.share(found.z)
        away = found.z - curve.interpolated(self.a, self.b, place)
        near = abs(place - t) <= BESIDE and curve.metric.norm(away) <= BESIDE * self.reach
        return found if near else None

    def place(self, tolerance: float) -> Point | None:
        """Return the point where the sign changes; None if it does not, or at a pole.

        None also if no points lie on the curve in a wide part of the step: it may be a jump.
        """

        def test(point: Point) -> float:
            return self.test(_with_chord(self.curve, self.a, self.b, point))

        root = crossing(self.curve, self.a, self.b, test, tolerance, self.ends, LOST)
        if root is None or root.width > max(WIDE, tolerance) * (self.b.s - self.a.s):
            return None
        return None if tolerance < POLE < abs(root.value) / self.largest else root.point

    @property
    def largest(self) -> float:
        """The larger of the test values at the two points."""
        return max(abs(end) for end in self.ends)


def by_determinant(curve: Curve, a: Point, b: Point) -> Found | None:
    """Return the branch point where det K changes sign."""
    triplets: SingularTriplets = a.tests[KEY]
    scale: list[float] = []

    def test(point: Point) -> float:
        found = curve.bordered.determinant()
        if found is None or found[0] == 0.0:
            return 0.0
        scale.append(found[1])
        return found[0] * float(np.exp(np.clip(found[1] - scale[0], -300.0, 300.0)))

    change = Change(curve, a, b, test, (triplets.sign, b.tests[KEY].sign))
    return _simple(change, (triplets.left[:, 0], triplets.right[:, 0]))


def by_vectors(curve: Curve, a: Point, b: Point, j: int, quick: bool = True) -> Found | None:
    """Return the branch point where the singular value j of point a vanishes.

    If not `quick`, it is bracketed first.
    """
    triplets: SingularTriplets = a.tests[KEY]
    pair = triplets.left[:, j], triplets.right[:, j]
    ends = float(triplets.tests[j]), float(b.tests[KEY].tested_here[j])
    change = Change(curve, a, b, lambda point: quotient(curve, point, pair)[0], ends)
    return _simple(change, pair, quick)


def multiple(curve: Curve, a: Point, b: Point, crossed: Vector) -> Found | None:
    """Return the point where several singular values vanish together."""
    triplets: SingularTriplets = a.tests[KEY]
    block = triplets.left[:, crossed], triplets.right[:, crossed]

    def test(point: Point) -> float:
        return float(np.trace(quotients(curve, point, block)[0]))

    ends = float(triplets.tests[crossed].sum()), float(b.tests[KEY].tested_here[crossed].sum())
    return _bracketed(Change(curve, a, b, test, ends), block, TOGETHER)


def _with_chord(curve: Curve, a: Point, b: Point, point: Point) -> Point:
    """Return a point with the chord as its tangent: K gives none next to a branch point."""
    return replace(point, tangent=curve.metric.unit(b.z - a.z))


def together(curve: Curve, a: Point, b: Point, point: Point, two: list[int]) -> bool:
    """Whether two singular values of point a vanish together at a branch point."""
    triplets: SingularTriplets = a.tests[KEY]
    point = _with_chord(curve, a, b, point)
    try:
        G = quotients(curve, point, (triplets.left[:, two], triplets.right[:, two]))[0]
    except LinearSolveError:
        return False
    return bool(np.abs(G).max() <= TOGETHER * float(triplets.tests[two].max()))


def _simple(change: Change, pair: tuple[Vector, Vector], quick: bool = True) -> Found | None:
    """Return the branch point where a test function changes sign, if there is one."""
    curve, a, b, reach = change.curve, change.a, change.b, change.reach
    found = change.near_secant(pair) if quick else None
    for tolerance in (1e-4,) if quick else (0.1, 1e-4):
        if found is not None:
            break
        point = change.place(tolerance)
        if point is None:
            return None
        found = branch_point_between(curve, a, b, _with_chord(curve, a, b, point), pair, reach)
    if found is not None:
        chord = curve.metric.unit(b.z - a.z)
        place = point_at(found.at, chord, a.s + change.share(found.z) * (b.s - a.s))
        return Found(place, special_point(curve, found, chord))
    return _bracketed(change, (pair[0][:, None], pair[1][:, None]), ZERO)


def _bracketed(change: Change, block: tuple[Vector, Vector], zero: float) -> Found | None:
    """Return a branch point at the zero of its test function.

    For branch points at which the extended system is singular: three branches cross there, or a
    symmetry shifts all solutions.

    Parameters
    ----------
    block : (ndarray, ndarray), each of shape (n + 1, m)
        Approximate left and right singular vectors.
    zero : float
        Test values below this part of those at the two points are zero.
    """
    own = change.place(1e-12)
    if own is None:
        return None
    curve, most = change.curve, zero * change.largest
    point = _with_chord(curve, change.a, change.b, own)
    # [J Fp] has rank n - 1 if K is singular with another last row as well
    tilted = replace(point, tangent=curve.metric.unit(point.tangent + own.tangent))
    try:
        for _ in range(2):
            G, (left, right) = quotients(curve, point, block)
            block = orthonormal(left), orthonormal(right)
        G = np.append(G, quotients(curve, tilted, block)[0])
    except LinearSolveError:
        return None
    if not np.abs(G).max() <= most:
        return None  # a pole, or another vector
    return Found(point, bracketed_point(curve, point, block[1][:, 0]))


def orthonormal(block: Vector) -> Vector:
    """Return an orthonormal basis of what the columns span."""
    return np.linalg.qr(block)[0]
