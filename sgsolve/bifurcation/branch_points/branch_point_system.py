"""The extended system of a simple branch point, and the tangents of the two branches there.

At a branch point [J Fp] has rank n - 1. Bordered by two rows and columns it is regular, and the two
components g of the solution below vanish. F + beta b = 0 and g = 0 is a regular system for (x, p)
and an unfolding parameter beta. Newton's method solves it. The tangents of the two branches are the
roots of the algebraic bifurcation equation, a quadratic form on the null space of [J Fp].

Reference: W. Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria (2000), section
4.4; H. B. Keller, Lectures on Numerical Methods in Bifurcation Problems (1987), chapter 5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...arrays import Vector
from ...continuation.curve_points.bordered import Bordered
from ...continuation.curve_points.curve import Curve
from ...continuation.family import Family, Linear, linearized
from ...continuation.stepper import Point
from ...errors import LinearSolveError
from ...results.special_points import SpecialPoint
from ..normal_forms.crossing_form import crossing_coefficients, nature_of_crossing

ITERATIONS = 15
KIND = "branch point"
UPRIGHT = 1e-4  # part of the other one's change of the parameter up to which a tangent has none


@dataclass
class BranchPointSolution:
    """A solution of the extended system of a branch point.

    Attributes
    ----------
    at : Linear
        The linearization at the branch point.
    V : ndarray, shape (n + 1, 2)
        Spans the null space of [J Fp].
    w : ndarray, shape (n,)
        The left null vector.
    H : ndarray, shape (2, 2)
        The quadratic form of the branches in the basis V.
    """

    at: Linear
    V: Vector
    w: Vector
    H: Vector

    @property
    def z(self) -> Vector:
        """The branch point (x, p), shape (n + 1,)."""
        return self.at.z


def branch_point_between(
    curve: Curve, a: Point, b: Point, point: Point, pair: tuple[Vector, Vector], reach: float
) -> BranchPointSolution | None:
    """Return the branch point near `point`; None if it does not lie between a and b.

    Parameters
    ----------
    pair : (ndarray, ndarray), each of shape (n + 1,)
        Approximate left and right singular vectors of K at `point`.
    reach : float
        The distance from a to b.
    """
    try:
        for _ in range(2):
            pair = quotient(curve, point, pair)[1]
    except LinearSolveError:
        return None
    left, right = pair
    found = branch_point_near(curve, point.z, point.tangent, left[:-1], right, reach)
    if found is None:
        return None
    away, along = found.z - a.z, curve.metric.unit(b.z - a.z)
    t = curve.metric.dot(away, along) / reach
    aside = curve.metric.norm(away - t * (b.z - a.z))
    return found if -0.01 <= t <= 1.01 and aside <= reach else None


def quotient(
    curve: Curve, point: Point, pair: tuple[Vector, Vector]
) -> tuple[float, tuple[Vector, Vector]]:
    """Return 1 / (v K^-1 u) at a point for the pair (u, v), and an improved pair.

    K with one more border, u and v, is regular where K is singular. The last component of its
    solution is the quotient. The other components are one step of inverse iteration.

    Raises
    ------
    LinearSolveError
        If the bordered matrix is singular: the pair is not near the smallest singular vectors.
    """
    G, (left, right) = quotients(curve, point, (pair[0][:, None], pair[1][:, None]))
    u, v = left[:, 0], right[:, 0]
    return float(G[0, 0]), (u / np.linalg.norm(u), v / np.linalg.norm(v))


def quotients(
    curve: Curve, point: Point, block: tuple[Vector, Vector]
) -> tuple[Vector, tuple[Vector, Vector]]:
    """Return (V K^-1 U)^-1, shape (m, m), and improved blocks.

    The blocks U and V have shape (n + 1, m). The bordered matrix is regular where up to m singular
    values of K vanish at the same point.
    """
    (U, V), at, n = block, point.at, len(point.x)
    m = U.shape[1]
    bordered = Bordered(curve.bordered.workspace, 1 + m, whole=True)
    below = np.zeros((1 + m, n + 1 + m))
    below[0] = np.append(curve.row(point.tangent), U[-1])
    below[1:, : n + 1] = V.T
    bordered.factorize(at.J, np.column_stack([at.Fp, U[:-1]]), below, curve.family.pattern)
    edges = np.zeros((n + 1 + m, m))
    edges[n + 1 :] = np.eye(m)
    right, left = bordered.solve(edges), bordered.solve(edges, transpose=True)
    return -right[n + 1 :], (left[: n + 1], right[: n + 1])


def branch_point_near(
    curve: Curve, z: Vector, tangent: Vector, b: Vector, other: Vector, reach: float
) -> BranchPointSolution | None:
    """Return the branch point near z by Newton's method; None if it does not converge.

    The unknowns are z and beta, the equations F + beta b = 0 and g = 0. The borders are b and the
    approximate null vectors `tangent` and `other`.
    """
    bordered = Bordered(curve.bordered.workspace, 2, whole=True)
    C = np.linalg.qr(np.column_stack([tangent, other]))[0].T
    beta, size, gradients = 0.0, np.inf, np.zeros((2, len(z)))
    try:
        for _ in range(ITERATIONS):
            at = linearized(curve.family, z)
            if at is None:
                return None
            B = np.column_stack([at.Fp, b])
            V, g, w = _rank(curve.family, at, bordered, B, C)
            if size <= 1e-8 * reach and curve.corrector.scaled(at, reach) <= 1e-8:
                # the gradients are those before the last step, which was as good as none
                return BranchPointSolution(at, V, w, (gradients @ V).T)
            columns = [curve.bent(at, w, V[:, j], reach) for j in (0, 1)]
            if columns[0] is None or columns[1] is None:
                return None
            gradients = np.array(columns)
            below = np.column_stack([-gradients, np.zeros(2)])
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
    """Return V, g and w of the bordered systems; g = 0 where [J Fp] has rank n - 1."""
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


def special_point(curve: Curve, found: BranchPointSolution, tangent: Vector) -> SpecialPoint:
    """Return the special point with the tangents of both branches."""
    V, w, z, H = found.V, found.w, found.z, found.H
    along = _nearest_tangent(curve, V, tangent)
    candidates = _directions(H)
    units = [curve.metric.unit(V @ y) for y in candidates]
    if units:
        other = min(units, key=lambda u: abs(curve.metric.dot(u, along)))
        along = max(units, key=lambda u: abs(curve.metric.dot(u, along)))
        along = along * np.sign(curve.metric.dot(along, tangent))
    else:  # no second branch to second order: return the orthogonal direction
        across = V @ np.array([-(along @ V[:, 1]), along @ V[:, 0]])
        other = curve.metric.unit(across)
    kernel = V @ np.array([V[-1, 1], -V[-1, 0]]) if np.abs(V[-1]).max() > 1e-9 else other
    vector = kernel[:-1] / np.linalg.norm(kernel[:-1])
    special = SpecialPoint(
        KIND, float(z[-1]), z[:-1].copy(), vector, tangent=along, other_tangent=other
    )
    upright = abs(float(along[-1])) <= UPRIGHT * abs(float(other[-1]))  # the arm of a pitchfork
    form = H, V, other if upright else along
    special.coefficients |= crossing_coefficients(curve, z, found.at.J, w, vector, form)
    special.nature = nature_of_crossing(special.coefficients)
    a, _, c = (special.coefficients.get(name, 0.0) for name in "abc")
    if not units and a and c and along[-1]:  # in other units there is one: p - p0 = -a y / c
        crossing = along / along[-1] - c / a * np.append(vector, 0.0)
        special.other_tangent = curve.metric.unit(crossing)
    return special


def bracketed_point(curve: Curve, point: Point, null: Vector) -> SpecialPoint:
    """Return the special point at a point of the curve, with the null vector as other tangent."""
    other = curve.metric.unit(null - curve.metric.dot(null, point.tangent) * point.tangent)
    vector = other[:-1] / np.linalg.norm(other[:-1])
    return SpecialPoint(
        KIND, point.p, point.x.copy(), vector, tangent=point.tangent, other_tangent=other
    )


def _nearest_tangent(curve: Curve, V: Vector, tangent: Vector) -> Vector:
    y = np.linalg.lstsq(V, tangent, rcond=None)[0]
    return curve.metric.unit(V @ y)


def _directions(H: Vector) -> list[Vector]:
    """Return the roots y of the quadratic form y H y, of length 1."""
    H = 0.5 * (H + H.T)
    values, vectors = np.linalg.eigh(H)
    if not values[0] * values[1] < -1e-8 * float(np.abs(values).max()) ** 2:
        return []
    share = np.sqrt(np.abs(values[::-1]))  # sqrt|l2| on the first vector, sqrt|l1| on the second
    share = share / np.linalg.norm(share)
    return [vectors @ (share * np.array([1.0, sign])) for sign in (1.0, -1.0)]
