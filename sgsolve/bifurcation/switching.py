"""Branch switching: the first points and the directions of the other branches at a branch point.

The algebraic bifurcation equation gives the tangent of the other branch. One step along it and a
correction give a point of that branch. If the point is far from the direction of the tangent, the
step was too long.

Where several branches cross, as in models with a symmetry, the Jacobian has several null vectors. A
branch leaves along one of their combinations, which the terms of second and third order select.
Instead of these terms, the equations are solved at a small distance r from the point: F(x, p) = 0
and |V (z - z0)| = r, where V projects on the null vectors. Newton's method starts from many
combinations, and each solution gives a branch.

References: H. B. Keller, Lectures on Numerical Methods in Bifurcation Problems (1987), section 5.6;
H. Uecker, Numerical Continuation and Bifurcation in Nonlinear PDEs (2021), section 3.1 (branch
points of higher multiplicity).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..arrays import Vector
from ..continuation.bordered import Bordered
from ..continuation.corrector import Corrector
from ..continuation.curve import ASIDE
from ..continuation.family import Family, linearized
from ..continuation.metric import Metric
from ..errors import ConvergenceError, LinearSolveError
from ..norms import norm2
from ..results.special_points import SpecialPoint
from ..solvers.state.workspace import Workspace

HALVINGS = 26  # of the first step: rounding hides terms of second order in its root of eps
WIDEST = 4  # null vectors that are looked for
NULL = 1e-6  # largest J v at a null vector, relative to its terms here and a step away
STARTS = 36  # combinations of two null vectors, at equal angles
MOST, IDLE = 1000, 200  # combinations of more of them: at most, and without a new branch
ITERATIONS = 15
EXACT = 1e-10  # length of the last correction, relative to the distance
NEAR = 4.0  # largest distance of a solution, in units of that within the span of the null vectors
SAME = 0.99  # cosine above which two directions are one
RADII = (1.0, 0.25, 0.0625)  # distances that are tried, in steps


def departure(
    family: Family, workspace: Workspace, special: SpecialPoint, weights: Vector, step: float
) -> tuple[Vector, Vector]:
    """Return a point of the other branch and a direction along it.

    Parameters
    ----------
    step : float
        Its sign chooses the side, its size the first step; halved while that fails.

    Raises
    ------
    ConvergenceError
    """
    metric = Metric(weights)
    assert special.other_tangent is not None
    assert special.tangent is not None
    across = metric.unit(special.other_tangent)
    along = metric.unit(special.tangent)
    # a plane that the old branch meets at the branch point only
    normal = metric.unit(across - metric.dot(across, along) * along)
    corrector = Corrector(family, Bordered(workspace), metric)
    z0 = np.append(special.x, special.parameter)
    z, step = entered(corrector, z0, across, weights * normal, step)
    if z is not None:
        return z, metric.unit(z - z0)
    raise ConvergenceError(
        f"the other branch at the {special} could not be entered with steps down to "
        f"{abs(step):.1e}. What to try: a step of the other sign; in a symmetric model more than "
        "two branches may cross here: take problem.branches_at, which looks for all, or "
        "problem.find_solutions beside the point, or disturb the symmetry a little"
    )


def entered(
    corrector: Corrector,
    start: Vector,
    way: Vector,
    row: Vector,
    step: float,
    at_guess: Callable[[Vector], None] = lambda guess: None,
) -> tuple[Vector | None, float]:
    """Return the first point of a branch in a direction from a point, and the step to it.

    The step is halved while the corrector fails, or the point is not near the direction. None, and
    the shortest step, if that does not help.

    Parameters
    ----------
    way : ndarray, shape (n + 1,)
        Of length 1 in the metric of the corrector.
    row : ndarray, shape (n + 1,)
        The plane in which points are corrected is that across it.
    at_guess : callable
        Called with each guess before it is corrected.
    """
    for _ in range(HALVINGS):
        guess = start + step * way
        at_guess(guess)
        at = corrector.correct(guess, row, abs(step)).at
        if at is not None and corrector.metric.norm(at.z - guess) <= ASIDE * abs(step):
            return at.z, step
        step *= 0.5
    return None, step


def departures(
    family: Family, workspace: Workspace, special: SpecialPoint, weights: Vector, step: float
) -> list[Vector]:
    """Return the directions of the branches at a point with several null vectors.

    Returns
    -------
    directions : list of ndarray, shape (n + 1,)
        Of either side of each branch but the known one; empty if there is one null vector.
    """
    z0, metric = np.append(special.x, special.parameter), Metric(weights)
    assert special.tangent is not None
    try:
        V = _null_vectors(family, workspace, z0, step * metric.unit(special.tangent))
    except LinearSolveError:
        return []
    if V.shape[1] < 2:
        return []
    V = np.linalg.qr(np.sqrt(weights[:-1, None]) * V)[0] / np.sqrt(weights[:-1, None])
    for radius in RADII:
        found = _all_directions(family, workspace, metric, (z0, V), radius * step)
        if found:
            return found
    return []


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
