"""Branch points from sign changes of test functions between two points.

A test function brackets the branch point. Newton's method on an extended system then gives the
exact point. If that system is singular too, the result of the bracketing is used. The last row of K
is the chord between the points, since the tangent is not defined at a branch point.

Reference: W. Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria (2000), section
3.3 (bordered determinants).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..continuation.curve import Curve, point_at
from ..continuation.locate import crossing
from ..continuation.stepper import Found, Point
from ..errors import LinearSolveError
from .branch_point_system import (
    KIND,
    bracketed_point,
    branch_point_between,
    quotient,
    quotients,
    special_point,
)

Vector = NDArray[Any]

KEY = KIND  # in ``point.tests``
TOGETHER = 1e-4  # several tests are zero below this part of their values at the two points
ZERO = 1e-6  # ... and one test


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

    def place(self, tolerance: float) -> Point | None:
        """Return the point where the sign changes; None if it does not."""

        def test(point: Point) -> float:
            return self.test(_with_chord(self.curve, self.a, self.b, point))

        root = crossing(self.curve, self.a, self.b, test, tolerance, self.ends)
        return None if root is None else root.point


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


def by_vectors(curve: Curve, a: Point, b: Point, j: int) -> Found | None:
    """Return the branch point where the singular value j of point a vanishes."""
    triplets: SingularTriplets = a.tests[KEY]
    pair = triplets.left[:, j], triplets.right[:, j]
    ends = float(triplets.tests[j]), float(b.tests[KEY].tested_here[j])
    return _simple(Change(curve, a, b, lambda point: quotient(curve, point, pair)[0], ends), pair)


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


def _simple(change: Change, pair: tuple[Vector, Vector]) -> Found | None:
    """Return the branch point where a test function changes sign, if there is one."""
    curve, a, b = change.curve, change.a, change.b
    reach, along = curve.metric.norm(b.z - a.z), curve.metric.unit(b.z - a.z)
    for tolerance in (0.1, 1e-4):
        point = change.place(tolerance)
        if point is None:
            return None
        point = _with_chord(curve, a, b, point)
        found = branch_point_between(curve, a, b, point, pair, reach)
        if found is not None:
            t = curve.metric.dot(found.z - a.z, along) / reach
            place = point_at(found.at, point.tangent, a.s + t * (b.s - a.s))
            return Found(place, special_point(curve, found, point.tangent, reach))
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
    curve, most = change.curve, zero * max(abs(end) for end in change.ends)
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
