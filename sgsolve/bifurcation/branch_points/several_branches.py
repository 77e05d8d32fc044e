"""The branches that leave a branch point with several null vectors, as in models with a symmetry.

A branch leaves along a combination of the m null vectors and of the parameter, which the terms of
second and third order select. Across the range of J there remain m equations g(y, q) = 0 for the
coordinates y along the null vectors and the parameter q. They are evaluated at points around the
branch point, and polynomials are fitted to them. All zeros of the polynomials at one distance are
found, and each is corrected in the equations themselves.

References: H. Uecker, Numerical Continuation and Bifurcation in Nonlinear PDEs (2021), section 3.1
(branch points of higher multiplicity); M. Golubitsky, I. Stewart, D. G. Schaeffer, Singularities
and Groups in Bifurcation Theory II (1988), chapter XIII (the reduced equations).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...arrays import Vector
from ...continuation.curve_points.bordered import Bordered
from ...continuation.curve_points.metric import UNITS, Metric
from ...continuation.family import Family, linearized, with_last
from ...errors import LinearSolveError
from ...results.special_points import SpecialPoint
from ...solvers.state.workspace import Workspace
from .polynomial_zeros import APART, MOST, Polynomials, exponents, zeros_on_sphere
from .reduced_equations import ReducedEquations

WIDEST = 4  # null vectors that are treated
NULL = 1e-6  # largest J v at a null vector, relative to its terms here and a step away
DEGREE = 5  # of the polynomials
SAMPLES = 2.0  # points to which they are fitted, for each of their terms
WITHIN = (0.4, 1.2)  # distances of these points
FIT = 0.1  # largest error of the polynomials that describe the equations, relative to these
ITERATIONS = 15
DEGENERATE = (
    "some are degenerate or close to each other, as where a symmetry turns or shifts all solutions"
)
EXACT = 1e-10  # length of the last correction, relative to the distance
NEAR = 0.3  # ... and of all corrections of one zero
RADII = (1.0, 0.25, 0.0625)  # distances that are tried, in steps


@dataclass
class Departures:
    """The directions of the branches at a point with several null vectors.

    Attributes
    ----------
    ways : list of ndarray, shape (n + 1,)
        From the point to a solution on either side of each branch but the known one; no longer than
        the step. Empty if there is one null vector.
    weights : ndarray, shape (n + 1,)
        Those given, or with another unit of x, see `ReducedEquations.balanced_distance`.
    doubt : str
        Why there may be more branches; empty if nothing says so.
    """

    weights: Vector
    ways: list[Vector] = field(default_factory=list)
    doubt: str = ""


def departures(
    family: Family, workspace: Workspace, special: SpecialPoint, weights: Vector, step: float
) -> Departures:
    """Return the directions of the branches at a point, and whether there may be more of them."""
    z0, metric, step = np.append(special.x, special.parameter), Metric(weights), abs(step)
    assert special.tangent is not None
    none = Departures(weights)
    try:
        V = _null_vectors(family, workspace, z0, step * metric.unit(special.tangent), weights)
        if V.shape[1] < 2:
            return none
        if V.shape[1] > WIDEST:
            none.doubt = f"it has more than {WIDEST} null vectors, too many for a search"
            return none
        V = np.linalg.qr(np.sqrt(weights[:-1, None]) * V)[0] / np.sqrt(weights[:-1, None])
        equations = ReducedEquations.at(family, workspace, z0, V, weights)
        if equations is None:
            return none
        ratio = equations.balanced_distance(step)
    except LinearSolveError:
        return none
    if not 1.0 / UNITS <= ratio <= UNITS:
        V, weights = V * ratio, np.append(weights[:-1] / ratio**2, weights[-1])
        equations.V, equations.weights = V, weights
    return _in_all_directions(equations, special.tangent, step)


def _in_all_directions(equations: ReducedEquations, tangent: Vector, step: float) -> Departures:
    """Return the directions of all branches, from the distance that gives most of them."""
    best, doubt = Departures(equations.weights), "no polynomials describe the equations near it"
    for radius in RADII:
        sphere = Sphere.of(equations, radius * step)
        found = None if sphere is None else _on_sphere(sphere, tangent)
        if found is None:
            continue
        if not found.doubt:
            return found
        doubt = found.doubt
        if len(found.ways) > len(best.ways):
            best = found
    best.doubt = best.doubt or doubt
    return best


@dataclass
class Sphere:
    """The points around a branch point at one distance.

    Attributes
    ----------
    x_size, p_size : float
        What length 1 is along the null vectors, and of the parameter.
    """

    equations: ReducedEquations
    x_size: float
    p_size: float

    @classmethod
    def of(cls, equations: ReducedEquations, distance: float) -> Sphere | None:
        """Return the points at a distance, or less, on which x and p act about alike."""
        x_size, p_size = distance, equations.parameter_at(distance)
        if p_size > distance:
            x_size *= distance / p_size
            p_size = min(equations.parameter_at(x_size), distance)
        return cls(equations, x_size, p_size) if 0.0 < p_size < np.inf else None

    def coordinates(self, way: Vector) -> Vector:
        """Return (y, q) of a difference of two points."""
        return with_last(self.equations.along(way) / self.x_size, float(way[-1]) / self.p_size)

    def point(self, coordinates: Vector) -> Vector:
        """Return the point with some coordinates in the span of the null vectors."""
        y, q = coordinates[:-1] * self.x_size, coordinates[-1] * self.p_size
        z: Vector = self.equations.z0 + np.append(self.equations.V @ y, q)
        return z

    def row(self, coordinates: Vector) -> Vector:
        """Return the derivative of half the square of the length, shape (n + 1,)."""
        y, q = coordinates[:-1] / self.x_size, coordinates[-1] / self.p_size
        return np.append(self.equations.weights[:-1] * (self.equations.V @ y), q)


def _on_sphere(sphere: Sphere, tangent: Vector) -> Departures | None:
    """Return the ways out of the point at one distance; None if no polynomials fit."""
    known, equations = sphere.coordinates(tangent), sphere.equations
    known /= np.linalg.norm(known)
    polynomials = _polynomials(sphere)
    if polynomials is None:
        return None
    zeros, complete = zeros_on_sphere(polynomials, np.array([known, -known]))
    doubt = "" if complete else DEGENERATE
    if len(zeros) > MOST ** len(known):
        return Departures(equations.weights, doubt=doubt)
    ways, places, missed = list[Vector](), list[Vector](), 0
    for zero in zeros:
        z = _solution_at_zero(sphere, zero)
        if z is None:
            missed += 1
            continue
        place = sphere.coordinates(z - equations.z0)
        if any(np.linalg.norm(place - other) <= APART for other in places):
            missed += 1
            continue
        places.append(place)
        ways.append(z - equations.z0)
    for way in (known, -known):
        gaps = [float(np.linalg.norm(place - way)) for place in places]
        nearest = int(np.argmin(gaps)) if gaps else -1
        if gaps and gaps[nearest] <= NEAR:
            del ways[nearest], places[nearest]
        else:
            doubt = doubt or "the known branch was not found among them"
    doubt = f"{missed} of them could not be entered" if missed else doubt
    return Departures(equations.weights, ways, doubt)


def _polynomials(sphere: Sphere) -> Polynomials | None:
    """Return polynomials that describe the reduced equations around a point; None if none do."""
    m = sphere.equations.V.shape[1]
    powers, rng = exponents(m, DEGREE), np.random.default_rng(0)
    points = rng.standard_normal((int(SAMPLES * len(powers)), m + 1))
    points *= (rng.uniform(*WITHIN, len(points)) / np.linalg.norm(points, axis=1))[:, None]
    values = np.array([sphere.equations.values(sphere.point(point)) for point in points])
    usable = np.isfinite(values).all(axis=1)
    if usable.sum() < 1.2 * len(powers) or not np.abs(values[usable]).max(axis=0).all():
        return None
    found, error = Polynomials.fitted(points[usable], values[usable], powers)
    return found if error <= FIT else None


def _null_vectors(
    family: Family, workspace: Workspace, z: Vector, beside: Vector, weights: Vector
) -> Vector:
    """Return the null vectors of J, shape (n, m), by random borders.

    J v is compared with its terms here and beside the point: here all of them may vanish. Each
    unknown counts in its unit, and each equation relative to its terms.
    """
    at, n, rng = linearized(family, z), len(z) - 1, np.random.default_rng(0)
    near = linearized(family, z + beside)
    if at is None or near is None:
        return np.empty((n, 0))
    width = min(WIDEST + 1, n)
    B, C = rng.standard_normal((n, width)), rng.standard_normal((width, n + width))
    C[:, n:] = 0.0
    bordered = Bordered(workspace, width, whole=True)
    bordered.factorize(at.J, B, C, family.pattern)
    edges = np.zeros((n + width, width))
    edges[n:] = np.eye(width)
    units = 1.0 / np.sqrt(weights[:-1, None])
    vectors = units * np.linalg.qr(bordered.solve(edges)[:n] / units)[0]
    terms = family.pattern.matrix(np.abs(at.J.data) + np.abs(near.J.data))
    sizes = terms @ units
    sizes[sizes == 0.0] = 1.0
    vectors = vectors @ np.linalg.svd((at.J @ vectors) / sizes)[2].T
    left, whole = (at.J @ vectors) / sizes, (terms @ np.abs(vectors)) / sizes
    null = np.linalg.norm(left, axis=0) <= NULL * np.linalg.norm(whole, axis=0)
    found: Vector = vectors[:, null]
    return found


def _solution_at_zero(sphere: Sphere, zero: Vector) -> Vector | None:
    """Return the solution at a distance that belongs to a zero of the polynomials."""
    equations = sphere.equations
    family, bordered = equations.family, Bordered(equations.workspace)
    z = equations.lifted(sphere.point(zero))
    try:
        for _ in range(ITERATIONS):
            at = linearized(family, z)
            if at is None:
                return None
            here = sphere.coordinates(z - equations.z0)
            row = sphere.row(here)
            bordered.factorize(at.J, at.Fp[:, None], row[None, :], family.pattern)
            gap = 0.5 * (1.0 - float(here @ here))
            step = bordered.solve(np.append(-at.F, gap))
            z, size = z + step, np.linalg.norm(sphere.coordinates(step))
            if size <= EXACT:
                away = np.linalg.norm(sphere.coordinates(z - equations.z0) - zero)
                return z if away <= NEAR else None
            if not size <= 1.0:
                return None
    except LinearSolveError:
        pass
    return None
