"""Branch points: where another branch crosses.

One idea: there the matrix K = [J Fp; tangent] is singular, and its determinant changes sign. Only
the ratio to a bordered determinant is needed: with K factorised anyway, a few solves give
G = C K^-1 B for blocks B, C that follow the left and right singular vectors of the smallest
singular values (block inverse iteration from point to point); det G changes sign exactly where
det K does. The point itself solves a regular system (minimally augmented, with an unfolding
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

WIDTH = 3  # singular values that are followed
ITERATIONS = 15
KEY = "branch point"


@dataclass
class Watch:
    """Blocks B and C at a spot, and what changed since the spot before.

    Attributes
    ----------
    left, right : ndarray, shape (n + 1, m)
        Orthonormal, near the singular vectors of the smallest singular values, smallest first.
    test, test_before : float
        det K relative to the bordered determinant, with these blocks, and with those of the spot
        before.
    """

    left: Vector
    right: Vector
    test: float
    test_before: float = 1.0

    @property
    def flipped(self) -> bool:
        """Whether det K changed sign since the spot before."""
        return self.test_before < 0.0


class BranchPoints:
    """The detector of simple branch points; see `sgsolve.continuation.trace.Detector`."""

    needs_factorization = True

    def measure(self, curve: Curve, spot: Spot, before: Spot | None) -> None:
        """Update the blocks, and see whether the determinant changed sign."""
        size = len(spot.z)
        if before is None or KEY not in before.tests:
            m = min(WIDTH, size)
            left = np.linalg.qr(np.random.default_rng(0).standard_normal((size, m)))[0]
            for _ in range(2):  # to settle
                right = _orthonormal(curve.bordered.solve(left))
                image = curve.bordered.solve(right, transpose=True)
                left = _orthonormal(image)
            test_before = 1.0
        else:
            known: Watch = before.tests[KEY]
            image = curve.bordered.solve(known.left)
            test_before = _inverse_determinant(known.right.T @ image)
            right = _orthonormal(image)
            image = curve.bordered.solve(right, transpose=True)
            left = _orthonormal(image)
        test = _inverse_determinant(left.T @ image)
        spot.tests[KEY] = Watch(left, right, test, test_before)

    def locate(self, curve: Curve, a: Spot, b: Spot) -> list[Found]:
        """Return the branch point between two spots, if there is one."""
        if not b.tests[KEY].flipped:
            return []
        watch: Watch = a.tests[KEY]

        def test(spot: Spot) -> float:
            return _inverse_determinant(watch.right.T @ curve.bordered.solve(watch.left))

        reach, ends = curve.metric.norm(b.z - a.z), (watch.test, b.tests[KEY].test_before)
        for tolerance in (0.1, 1e-4):
            narrowed = crossing(curve, a, b, test, tolerance, ends)
            if narrowed is None:
                return []
            t, spot = narrowed
            found = _polished(curve, a, b, spot, watch, reach)
            if found is not None:
                along = curve.metric.unit(b.z - a.z)
                t = curve.metric.dot(found.z - a.z, along) / reach
                place = Spot(found.at, spot.tangent, a.s + t * (b.s - a.s))
                return [Found(place, _special(curve, found, spot.tangent))]
        return []


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
    curve: Curve, a: Spot, b: Spot, spot: Spot, watch: Watch, reach: float
) -> Crossing | None:
    """Return the branch point near a spot if it lies between the two others."""
    left, right = _singular_pair(curve, spot, watch)
    found = branch_point_near(curve, spot.z, spot.tangent, left[:-1], right, reach)
    if found is None:
        return None
    away, along = found.z - a.z, curve.metric.unit(b.z - a.z)
    t = curve.metric.dot(away, along) / reach
    aside = curve.metric.norm(away - t * (b.z - a.z))
    return found if -0.01 <= t <= 1.01 and aside <= reach else None


def _singular_pair(curve: Curve, spot: Spot, watch: Watch) -> tuple[Vector, Vector]:
    """Return the left and right singular vectors of the smallest singular value at a spot."""
    curve.corrector.factorize(spot.at, curve.row(spot.tangent))
    left = watch.left[:, 0]
    for _ in range(3):
        right = curve.bordered.solve(left)
        right /= np.linalg.norm(right)
        left = curve.bordered.solve(right, transpose=True)
        left /= np.linalg.norm(left)
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


def _orthonormal(block: Vector) -> Vector:
    """Return Q of the factorisation Q R with positive diagonal of R."""
    Q, R = np.linalg.qr(block)
    return Q * np.where(np.diag(R) < 0.0, -1.0, 1.0)


def _inverse_determinant(G: Vector) -> float:
    sign, log = np.linalg.slogdet(G)
    return float(sign * np.exp(-log / len(G)))  # the mean size, so that nothing overflows
