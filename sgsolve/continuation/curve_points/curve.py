"""Points of a curve of solutions F(x, p) = 0, corrected by Newton's method, with tangents.

Steps, events, special points and bounds all compute their points by `Curve`. The bordered Jacobian
stays factorized at the point that is returned.
"""

from __future__ import annotations

import numpy as np

from ...arrays import Vector
from ...errors import LinearSolveError
from ..family import DIFFERENCE, Family, Linear, linearized, second_derivative, with_last
from ..stepper import Point
from .bordered import Bordered
from .corrector import Corrected, Corrector
from .metric import NOISE, Metric, start_metric

SHORT = 1e-2  # least length for differences, relative to the norm of z
ASIDE = 0.25  # largest distance of a point from a cubic or a tangent, relative to the step


def point_at(at: Linear, tangent: Vector, s: float = 0.0, iterations: int = 0) -> Point:
    """Return the point of a curve at a linearization."""
    return Point(at.z[:-1], float(at.z[-1]), tangent, s, iterations, at=at)


class Curve:
    """A curve F(x, p) = 0.

    Parameters
    ----------
    bordered : Bordered
        With one border.
    """

    def __init__(
        self,
        family: Family,
        bordered: Bordered,
        metric: Metric,
        tolerance: float = 1e-11,
        max_iterations: int = 8,
    ) -> None:
        self.family, self.bordered, self.metric = family, bordered, metric
        self.corrector = Corrector(family, bordered, metric, tolerance, max_iterations)

    def measured_by(self, metric: Metric) -> None:
        """Use another metric from here on."""
        self.metric = self.corrector.metric = metric

    def row(self, direction: Vector) -> Vector:
        """Return the last row of the bordered Jacobian for a plane across a direction."""
        return self.metric.weights * direction

    def correct(self, z: Vector, direction: Vector, reach: float) -> Corrected:
        """Return to the curve from z in the plane across a direction."""
        return self.corrector.correct(z, self.row(direction), reach)

    def point(self, corrected: Corrected, direction: Vector, s: float) -> Point | None:
        """Return the point of a correction, its tangent along a direction; None at a branch point.

        The bordered Jacobian at the point stays factorized.
        """
        if corrected.at is None:
            return None
        row = self.row(direction)
        try:
            if corrected.row is None or not np.array_equal(corrected.row, row):
                self.corrector.factorize(corrected.at, row)
            tangent = self.corrector.tangent(row)
        except LinearSolveError:
            return None
        return point_at(corrected.at, tangent, s, corrected.iterations)

    def between(self, a: Point, b: Point, t: float) -> Point | None:
        """Return the point a fraction t of the way from a to b; None if there is none near."""
        guess, direction = self.interpolated(a, b, t), self.metric.unit(b.z - a.z)
        reach = self.metric.norm(b.z - a.z)
        corrected = self.correct(guess, direction, reach)
        if corrected.at is not None and self.metric.norm(corrected.at.z - guess) > ASIDE * reach:
            return None
        return self.point(corrected, direction, a.s + t * (b.s - a.s))

    def interpolated(self, a: Point, b: Point, t: float) -> Vector:
        """Return the point of the cubic through a and b with their tangents."""
        h = self.metric.norm(b.z - a.z)
        u = 1.0 - t
        ends = u * u * (1.0 + 2.0 * t) * a.z + t * t * (3.0 - 2.0 * t) * b.z
        found: Vector = ends + h * t * u * (u * a.tangent - t * b.tangent)
        return found

    def bent(self, at: Linear, w: Vector, v: Vector, reach: float) -> Vector | None:
        """Return the gradient over z of w . [J Fp] v; see `second_derivative`.

        The difference is a part of a step, or of z where steps are far shorter, in the metric: the
        units of x and of the parameter do not matter.
        """
        length, size = max(reach, SHORT * self.metric.norm(at.z)), self.metric.norm(v)
        h = DIFFERENCE * length / size if size > 0.0 else 1.0
        return second_derivative(self.family, at, w, v, h)

    def hit(self, a: Point, b: Point, p: float) -> Point | None:
        """Return the point between a and b where the parameter is exactly p."""
        t = (p - a.p) / (b.p - a.p)
        guess = self.interpolated(a, b, t)
        row = np.zeros(len(guess))
        guess[-1] = row[-1] = 1.0
        guess[-1] = p
        reach = self.metric.norm(b.z - a.z)
        corrected = self.corrector.correct(guess, row, reach)
        if corrected.at is None:
            return None
        corrected.at.z[-1] = p
        corrected.row = None
        away = self.metric.norm(corrected.at.z - self.interpolated(a, b, t))
        if away > 0.5 * reach:
            return None
        return self.point(corrected, self.metric.unit(b.z - a.z), a.s + t * (b.s - a.s))


def first_tangent(family: Family, bordered: Bordered, at: Linear) -> Vector:
    """Return a tangent at a point, shape (n + 1,), of any length.

    The last row of the bordered matrix is that of the parameter. It is random where J is singular.
    """
    n = len(at.F)
    edge = np.zeros(n + 1)
    edge[-1] = 1.0
    row = edge
    try:
        bordered.factorize(at.J, at.Fp[:, None], row[None, :], family.pattern)
        return bordered.solve(edge)
    except LinearSolveError:
        row = np.random.default_rng(0).uniform(0.5, 1.5, n + 1)
        bordered.factorize(at.J, at.Fp[:, None], row[None, :], family.pattern)
        return bordered.solve(edge)


def _error(family: Family, bordered: Bordered, at: Linear, tangent: Vector) -> Vector:
    """Return the error of x, shape (n,), as the next step of Newton's method."""
    sizes = np.ones(len(at.F)) if family.scale is None else family.scale
    row = tangent / np.append(sizes**2, 1.0)
    bordered.factorize(at.J, at.Fp[:, None], (row / np.abs(row).max())[None, :], family.pattern)
    return bordered.solve(np.append(at.F, 0.0))[:-1]


def _first_change(family: Family, bordered: Bordered, at: Linear, towards: float) -> Vector | None:
    """Return a guess of the change of x over the first step, by a step of Newton's method."""
    ahead = linearized(family, with_last(at.z[:-1], float(at.z[-1]) + towards))
    if ahead is None:
        return None
    edge = with_last(np.zeros(len(at.F)), 1.0)
    try:
        bordered.factorize(at.J, at.Fp[:, None], edge[None, :], family.pattern)
        return bordered.solve(with_last(at.F - ahead.F, 0.0))[:-1]
    except LinearSolveError:  # a branch point
        return None


def _telling(
    family: Family, bordered: Bordered, at: Linear, tangent: Vector, error: Vector, towards: float
) -> Vector:
    """Return the tangent; where it tells no unit of x, the secant to a guess of the next point.

    That is so at x = 0 where x is even in the parameter, unless the user gave a scale. The guess
    also tells the sizes of blocks that are zero at the start.
    """
    x, change = at.z[:-1], tangent[:-1] * towards
    known = np.maximum(np.abs(x), np.abs(change)) > NOISE * np.abs(error)
    given = family.scale is not None and not family.lacks_sizes
    if given or (known.any() and not family.lacks_sizes):
        return tangent
    step = _first_change(family, bordered, at, towards)
    if step is None:
        return tangent
    if family.lacks_sizes:
        family.take_sizes(np.where(np.abs(step) > NOISE * np.abs(error), step, 0.0))
    return tangent if known.any() else with_last(step, towards)


def start(
    family: Family,
    bordered: Bordered,
    z: Vector,
    metric: Metric | None = None,
    span: float = np.inf,
    towards: float = 1.0,
) -> tuple[Linear, Vector, Metric]:
    """Return the linearization at a solution z, a unit tangent there, and the metric.

    The parameter changes along the tangent with the sign of `towards`, the first step.

    Raises
    ------
    LinearSolveError
        If no tangent can be found: z is a branch point.
    """
    at = linearized(family, z)
    if at is None:
        raise LinearSolveError("the Jacobian is not finite at the start")
    tangent = first_tangent(family, bordered, at)
    if metric is None:
        error = _error(family, bordered, at, tangent)
        along = _telling(family, bordered, at, tangent, error, towards)
        metric = start_metric(z, along, family.scale, span, error, towards)
    tangent = metric.unit(tangent)
    if not (np.isfinite(tangent).all() and tangent.any()):
        raise LinearSolveError("the tangent overflows at the start")
    return at, tangent * (np.sign(tangent[-1] * towards) or 1.0), metric
