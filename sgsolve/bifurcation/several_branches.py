"""The branches that leave a branch point with several null vectors, as in models with a symmetry.

A branch leaves along a combination of the null vectors, which the terms of second and third order
select. Instead of these terms, the equations are solved at a small distance r from the point:
F(x, p) = 0 and |V (z - z0)| = r, where V projects on the null vectors. Newton's method starts from
many combinations, and each solution gives a branch.

Reference: H. Uecker, Numerical Continuation and Bifurcation in Nonlinear PDEs (2021), section 3.1
(branch points of higher multiplicity).
"""

from __future__ import annotations

import numpy as np

from ..arrays import Vector
from ..continuation.bordered import Bordered
from ..continuation.family import Family, linearized
from ..continuation.metric import UNITS, Metric
from ..errors import LinearSolveError
from ..norms import norm2
from ..private_api import quiet
from ..results.special_points import SpecialPoint
from ..solvers.state.workspace import Workspace

WIDEST = 4  # null vectors that are looked for
NULL = 1e-6  # largest J v at a null vector, relative to its terms here and a step away
STARTS = 36  # combinations of two null vectors, at equal angles
MOST, IDLE = 1000, 200  # combinations of more of them: at most, and without a new branch
ITERATIONS = 15
EXACT = 1e-10  # length of the last correction, relative to the distance
NEAR = 4.0  # largest distance of a solution, in units of that within the span of the null vectors
SAME = 0.99  # cosine above which two directions are one
DECADES = 40  # over which the unit of x is looked for
RADII = (1.0, 0.25, 0.0625)  # distances that are tried, in steps


def departures(
    family: Family, workspace: Workspace, special: SpecialPoint, weights: Vector, step: float
) -> tuple[list[Vector], Vector]:
    """Return the directions of the branches at a point with several null vectors, and weights.

    Returns
    -------
    directions : list of ndarray, shape (n + 1,)
        Of either side of each branch but the known one; empty if there is one null vector.
    weights : ndarray, shape (n + 1,)
        Those given, or with another unit of x, see `_balanced_distance`.
    """
    z0, metric = np.append(special.x, special.parameter), Metric(weights)
    assert special.tangent is not None
    try:
        V = _null_vectors(family, workspace, z0, step * metric.unit(special.tangent))
        if V.shape[1] < 2:
            return [], weights
        V = np.linalg.qr(np.sqrt(weights[:-1, None]) * V)[0] / np.sqrt(weights[:-1, None])
        ratio = _balanced_distance(family, workspace, metric, (z0, V), abs(step))
    except LinearSolveError:
        return [], weights
    if not 1.0 / UNITS <= ratio <= UNITS:
        V, weights = V * ratio, np.append(weights[:-1] / ratio**2, weights[-1])
        metric = Metric(weights)
    for radius in RADII:
        found = _all_directions(family, workspace, metric, (z0, V), radius * step)
        if found:
            return found, weights
    return [], weights


def _balanced_distance(
    family: Family, workspace: Workspace, metric: Metric, base: tuple[Vector, Vector], step: float
) -> float:
    """Return the distance, in steps, at which x acts on the equations as a step of p does.

    A branch of zeros tells no unit of x. Along the null vectors the terms of second and third order
    do. What the equations say across the range of J are compared there, after a correction of x
    that does what the other equations ask.
    """
    z0, V = base
    at, (n, m) = linearized(family, z0), V.shape
    if at is None:
        return 1.0
    bordered = Bordered(workspace, m, whole=True)
    below = np.concatenate([(metric.weights[:-1, None] * V).T, np.zeros((m, m))], axis=1)
    B = np.random.default_rng(0).standard_normal((n, m)) * norm2(at.J.data)
    bordered.factorize(at.J, B, below, family.pattern)

    def reduced(z: Vector) -> Vector:
        for _ in range(2):
            found = linearized(family, z)
            if found is None:
                return np.full(m, np.inf)
            solution = bordered.solve(np.append(-found.F, np.zeros(m)))
            z = z + np.append(solution[:n], 0.0)
        return solution[n:]

    along, still = np.append(np.zeros(n), step), reduced(z0)

    def ratio(distance: float) -> float:
        z = z0 + distance * step * np.append(V @ _combinations(m)[1], 0.0)
        with quiet():
            here = reduced(z)
            return float(np.divide(norm2(here - still), norm2(reduced(z + along) - here)))

    distance, factor = 1.0, 10.0 if ratio(1.0) <= 1.0 else 0.1
    for _ in range(DECADES):
        now = ratio(distance)
        if np.isfinite(now) and (now > 1.0) != (factor < 1.0):
            return distance
        distance *= factor
    return 1.0


def _all_directions(
    family: Family, workspace: Workspace, metric: Metric, base: tuple[Vector, Vector], radius: float
) -> list[Vector]:
    """Return the directions of all solutions at a distance that are found.

    A branch passes the point: behind each new direction the opposite one is tried.
    """
    z0, V = base
    starts, found, idle = list(_combinations(V.shape[1])[::-1]), list[Vector](), 0
    while starts and idle <= IDLE:
        z, idle = _at_distance(family, workspace, metric, base, starts.pop(), radius), idle + 1
        way = None if z is None else metric.unit(z - z0)
        if way is not None and all(metric.dot(way, other) < SAME for other in found):
            share = V.T @ (metric.weights * way)[:-1]
            starts.append(-share / np.linalg.norm(share))
            found.append(way)
            idle = 0
    return found


def _null_vectors(family: Family, workspace: Workspace, z: Vector, beside: Vector) -> Vector:
    """Return the null vectors of J, shape (n, m), by random borders.

    J v is compared with its terms here and beside the point: here all of them may vanish.
    """
    at, n, rng = linearized(family, z), len(z) - 1, np.random.default_rng(0)
    near = linearized(family, z + beside)
    if at is None or near is None:
        return np.empty((n, 0))
    width = min(WIDEST, n)
    B, C = rng.standard_normal((n, width)), rng.standard_normal((width, n + width))
    C[:, n:] = 0.0
    bordered = Bordered(workspace, width, whole=True)
    bordered.factorize(at.J, B, C, family.pattern)
    edges = np.zeros((n + width, width))
    edges[n:] = np.eye(width)
    both = bordered.solve(edges)
    vectors = both[:n] @ np.linalg.svd(both[n:])[2].T
    terms = family.pattern.matrix(np.abs(at.J.data) + np.abs(near.J.data))
    null = [norm2(at.J @ v) <= NULL * norm2(terms @ np.abs(v)) for v in vectors.T]
    found: Vector = vectors[:, null]
    return found


def _combinations(m: int) -> Vector:
    """Return unit vectors of m components, each with its opposite."""
    if m == 2:
        angles = 2.0 * np.pi * (np.arange(STARTS) + 0.37) / STARTS
        return np.column_stack([np.cos(angles), np.sin(angles)])
    half = np.random.default_rng(0).standard_normal((MOST // 2, m))
    found: Vector = np.concatenate([half, -half])
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found


def _at_distance(
    family: Family,
    workspace: Workspace,
    metric: Metric,
    base: tuple[Vector, Vector],
    start: Vector,
    radius: float,
) -> Vector | None:
    """Return a solution at a distance from a point, in the span of its null vectors."""
    z0, V = base
    bordered, weights = Bordered(workspace), metric.weights[:-1]
    z = z0 + radius * np.append(V @ start, 0.0)
    try:
        for _ in range(ITERATIONS):
            at = linearized(family, z)
            if at is None:
                return None
            share = V.T @ (weights * (z - z0)[:-1])
            row = np.append(weights * (V @ share), 0.0) / radius
            bordered.factorize(at.J, at.Fp[:, None], row[None, :], family.pattern)
            gap = 0.5 * (radius**2 - float(share @ share)) / radius
            step = bordered.solve(np.append(-at.F, gap))
            z, size = z + step, metric.norm(step)
            if size <= EXACT * radius:
                return z if metric.norm(z - z0) <= NEAR * radius else None
            if not size <= 4.0 * radius:
                return None
    except LinearSolveError:
        pass
    return None
