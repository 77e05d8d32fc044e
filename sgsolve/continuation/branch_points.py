"""Branch points: where another branch crosses.

One idea: there the matrix K = [J Fp; tangent] is singular. With K factorised anyway, block inverse
iteration follows the singular vectors u and v of its smallest singular values from point to point,
and each of the bordered determinants 1 / (v K^-1 u) changes sign where its singular value passes
through zero; one by one, so that two branch points within a step do not hide each other. (A pair
of opposite sign may mix and change sign by itself: then the search between the points finds
nothing.) The point itself solves a regular system (minimally augmented, with an unfolding
parameter), and its quadratic form gives the directions of both branches.

Reference: W. Govaerts (2000), sections 3.3 and 4.4; H. B. Keller, Lectures on Numerical Methods in
Bifurcation Problems (1987), chapter 5 (the algebraic bifurcation equation).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..branch import Special
from ..errors import LinearSolveError
from .bordered import Bordered
from .curve import Curve, Spot
from .family import Family, Linear, linearized, second_derivative
from .roots import crossing
from .trace import Found

Vector = NDArray[Any]

WIDTH = 4  # singular values that are followed
FRESH = 2  # random vectors that join them at every point, for those that have no part in them yet
PURE = 0.1  # relative residual of a singular triplet that counts as converged
TURNED = 0.2  # cosine below which a change of sign is due to vectors that turned
ITERATIONS = 15
KEY = "branch point"


@dataclass
class Watch:
    """Singular triplets of K at a spot, and what became of those of the spot before.

    Attributes
    ----------
    left, right : ndarray, shape (n + 1, m)
        u and v of the smallest singular values, smallest first.
    tests : ndarray, shape (m,)
        The singular values.
    pure : int
        How many of them have converged.
    now : ndarray, shape (k,)
        The tests of the spot before, with its vectors, evaluated here; zero if they turned away.
    """

    left: Vector
    right: Vector
    tests: Vector
    pure: int
    now: Vector


class BranchPoints:
    """The detector of simple branch points; see `sgsolve.continuation.trace.Detector`."""

    needs_factorization = True

    def measure(self, curve: Curve, spot: Spot, before: Spot | None) -> None:
        """Update the blocks, and see whether the determinant changed sign."""
        known: Watch | None = None if before is None else before.tests.get(KEY)
        solve, size, now = curve.bordered.solve, len(spot.z), np.empty(0)
        width = min(WIDTH, size)
        fresh = np.random.default_rng(0).standard_normal((size, FRESH + width))
        if known is None:
            image = solve(fresh)
        else:
            image = solve(np.column_stack([known.left, fresh[:, :FRESH]]))
            inner = np.sum(known.right * image[:, :width], axis=0)
            kept = np.abs(inner) > TURNED * np.linalg.norm(image[:, :width], axis=0)
            now = np.where(kept, 1.0 / np.where(kept, inner, 1.0), 0.0)[: known.pure]
        for _ in range(1 if known is not None else 3):
            image = solve(_basis(solve(_basis(image), transpose=True)))
        right = _basis(image)
        left, inverse, turn = np.linalg.svd(solve(right, transpose=True), full_matrices=False)
        left, inverse, right = left[:, :width], inverse[:width], right @ turn[:width].T
        residual = np.linalg.norm(solve(left) / inverse - right, axis=0)
        pure = max(1, int(np.argmax(np.append(residual > PURE, True))))
        spot.tests[KEY] = Watch(left, right, 1.0 / inverse, pure, now)

    def locate(self, curve: Curve, a: Spot, b: Spot) -> list[Found]:
        """Return the branch points between two spots."""
        found: list[Found] = []
        for j in np.flatnonzero(b.tests[KEY].now < 0.0):
            one = self._one(curve, a, b, int(j))
            reach = 1e-4 * (b.s - a.s)
            if one is not None and all(abs(one.spot.s - f.spot.s) > reach for f in found):
                found.append(one)
        return found

    def _one(self, curve: Curve, a: Spot, b: Spot, j: int) -> Found | None:
        """Return the branch point where the singular value j of spot a vanishes."""
        watch: Watch = a.tests[KEY]
        u, v = watch.left[:, j], watch.right[:, j]

        def test(spot: Spot) -> float:
            try:
                inner = float(v @ curve.bordered.solve(u))
            except LinearSolveError:  # singular: this is the place
                return 0.0
            return 1.0 / inner if inner else np.inf

        reach = curve.metric.norm(b.z - a.z)
        ends = float(watch.tests[j]), float(b.tests[KEY].now[j])
        for tolerance in (0.1, 1e-4):
            narrowed = crossing(curve, a, b, test, tolerance, ends)
            if narrowed is None:
                return None
            t, spot = narrowed
            found = _polished(curve, a, b, spot, (u, v), reach)
            if found is not None:
                along = curve.metric.unit(b.z - a.z)
                t = curve.metric.dot(found.z - a.z, along) / reach
                place = Spot(found.at, spot.tangent, a.s + t * (b.s - a.s))
                return Found(place, _special(curve, found, spot.tangent))
        return None


@dataclass
class Crossing:
    """A solution of the system of a branch point.

    Attributes
    ----------
    V : ndarray, shape (n + 1, 2)
        Spans the null space of [J Fp].
    w : ndarray, shape (n,)
        The left null vector.
    """

    at: Linear
    V: Vector
    w: Vector

    @property
    def z(self) -> Vector:
        """The point."""
        return self.at.z


def _polished(
    curve: Curve, a: Spot, b: Spot, spot: Spot, pair: tuple[Vector, Vector], reach: float
) -> Crossing | None:
    """Return the branch point near a spot if it lies between the two others."""
    left, right = _singular_pair(curve, spot, pair)
    found = branch_point_near(curve, spot.z, spot.tangent, left[:-1], right, reach)
    if found is None:
        return None
    away, along = found.z - a.z, curve.metric.unit(b.z - a.z)
    t = curve.metric.dot(away, along) / reach
    aside = curve.metric.norm(away - t * (b.z - a.z))
    return found if -0.01 <= t <= 1.01 and aside <= reach else None


def _singular_pair(curve: Curve, spot: Spot, pair: tuple[Vector, Vector]) -> tuple[Vector, Vector]:
    """Return the singular vectors u and v at a spot, from those of a spot nearby."""
    left, right = pair
    try:
        curve.corrector.factorize(spot.at, curve.row(spot.tangent))
        for _ in range(3):
            right = curve.bordered.solve(left)
            right /= np.linalg.norm(right)
            left = curve.bordered.solve(right, transpose=True)
            left /= np.linalg.norm(left)
    except LinearSolveError:  # the spot is the branch point, to rounding
        return pair
    return left, right


def branch_point_near(
    curve: Curve, z: Vector, tangent: Vector, b: Vector, other: Vector, reach: float
) -> Crossing | None:
    """Return the branch point near z by Newton's method; None if it does not converge.

    The unknowns are z and beta; the equations F + beta b = 0 and g = 0, where the two numbers g
    measure the rank of [J Fp] through the borders b and the null vectors (tangent, other).
    """
    bordered = Bordered(curve.bordered.workspace, 2, whole=True)
    C = np.linalg.qr(np.column_stack([tangent, other]))[0].T
    beta, size = 0.0, np.inf
    try:
        for _ in range(ITERATIONS):
            at = linearized(curve.family, z)
            if at is None:
                return None
            B = np.column_stack([at.Fp, b])
            V, g, w = _rank(curve.family, at, bordered, B, C)
            if size <= 1e-8 * reach and curve.corrector.scaled(at, reach) <= 1e-8:
                return Crossing(at, V, w)
            gradients = [second_derivative(curve.family, at, w, V[:, j]) for j in (0, 1)]
            if gradients[0] is None or gradients[1] is None:
                return None
            below = np.zeros((2, len(z) + 1))
            below[0, :-1], below[1, :-1] = -gradients[0], -gradients[1]
            bordered.factorize(at.J, B, below, curve.family.pattern)
            step = bordered.solve(np.concatenate([-(at.F + beta * b), -g]))
            size = curve.metric.norm(step[:-1])
            if not size <= 2.0 * reach:
                return None
            z, beta = z + step[:-1], beta + float(step[-1])
    except LinearSolveError:
        return None
    return None


def _rank(
    family: Family, at: Linear, bordered: Bordered, B: Vector, C: Vector
) -> tuple[Vector, Vector, Vector]:
    """Return V, g and w of the bordered systems; g vanishes where [J Fp] loses rank."""
    n = len(at.F)
    below = np.column_stack([C, np.zeros(2)])
    bordered.factorize(at.J, B, below, family.pattern)
    edges = np.zeros((n + 2, 2))
    edges[n:, :] = np.eye(2)
    right = bordered.solve(edges)
    edge = np.zeros(n + 2)
    edge[-1] = 1.0
    left = bordered.solve(edge, transpose=True)
    return right[:-1], right[-1], left[:n]


def _special(curve: Curve, found: Crossing, tangent: Vector) -> Special:
    """Return the special point with the tangents of both branches."""
    V, w, z = found.V, found.w, found.z
    columns = [second_derivative(curve.family, found.at, w, V[:, j]) for j in (0, 1)]
    H = np.array([[float(c @ V[:, i]) for c in columns if c is not None] for i in (0, 1)])
    along = _nearest(curve, V, tangent)
    candidates = _directions(H)
    units = [curve.metric.unit(V @ y) for y in candidates]
    if units:
        other = min(units, key=lambda u: abs(curve.metric.dot(u, along)))
        along = max(units, key=lambda u: abs(curve.metric.dot(u, along)))
        along = along * np.sign(curve.metric.dot(along, tangent))
    else:  # no second branch to second order: offer the direction across
        across = V @ np.array([-(along @ V[:, 1]), along @ V[:, 0]])
        other = curve.metric.unit(across)
    kernel = V @ np.array([V[-1, 1], -V[-1, 0]]) if np.abs(V[-1]).max() > 1e-9 else other
    vector = kernel[:-1] / np.linalg.norm(kernel[:-1])
    return Special(KEY, float(z[-1]), z[:-1].copy(), vector, tangent=along, other=other)


def _nearest(curve: Curve, V: Vector, tangent: Vector) -> Vector:
    y = np.linalg.lstsq(V, tangent, rcond=None)[0]
    return curve.metric.unit(V @ y)


def _directions(H: Vector) -> list[Vector]:
    """Return the roots y of the quadratic form y H y, of length 1."""
    if H.shape != (2, 2):
        return []
    H = 0.5 * (H + H.T)
    values, vectors = np.linalg.eigh(H)
    if not values[0] * values[1] < -1e-8 * float(np.abs(values).max()) ** 2:
        return []
    share = np.sqrt(np.abs(values[::-1]))  # sqrt|l2| on the first vector, sqrt|l1| on the second
    share = share / np.linalg.norm(share)
    return [vectors @ (share * np.array([1.0, sign])) for sign in (1.0, -1.0)]


def _basis(block: Vector) -> Vector:
    """Return an orthonormal basis of what the columns span."""
    return np.linalg.qr(block)[0]
