"""The special points of a bifurcation diagram, each once, and the directions out of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...arrays import Vector
from ...continuation.curve_points.metric import Metric
from ...norms import norm2
from ...results.branch import Branch
from ...results.special_points import SpecialPoint

SAME_PLACE = 1e-5  # of the range of the parameter, and of the largest x, within which points agree
PARALLEL = 0.98  # cosine above which two tangents may be of the same branch


@dataclass(eq=False)
class DiagramPlace:
    """A special point, and the directions in which branches leave it.

    Attributes
    ----------
    passing : list of ndarray, shape (n + 1,)
        The tangents of the branches that pass it.
    planned : list of (tangent, side)
        The branches that cross, which the search at the point told apart; side is 1 or -1.
    """

    point: SpecialPoint
    passing: list[Vector] = field(default_factory=list)
    planned: list[tuple[Vector, int]] = field(default_factory=list)

    def is_taken(self, tangent: Vector, side: int, weights: Vector) -> bool:
        """Whether a branch that passes is that of a direction, in the metric of these weights.

        It is that of the nearest direction on either side, if it is close to that at all.
        """
        metric = Metric(np.append(weights[: len(tangent) - 1], weights[-1]))

        def cosine(one: Vector, other: Vector) -> float:
            return metric.dot(one, other) / (metric.norm(one) * metric.norm(other) or 1.0)

        for other in self.passing:
            here = side * cosine(tangent, other)
            rivals = [np.sign(here) * way * cosine(one, other) for one, way in self.planned]
            if abs(here) >= PARALLEL and abs(here) >= max(rivals, default=0.0):
                return True
        return False


class DiagramPlaces:
    """The special points of all branches, each once.

    Parameters
    ----------
    span : float
        The range of the parameter.
    points : list of SpecialPoint
        New ones are appended.

    Attributes
    ----------
    units : ndarray, shape (n,)
        The unknowns are compared in these: their ratios are those of the first branch.
    size : float
        The largest x of all branches.
    """

    units: Vector

    def __init__(self, span: float, points: list[SpecialPoint]) -> None:
        self._span, self._points = span, points
        self.size = -1.0
        self._known: list[DiagramPlace] = []

    def measure(self, branch: Branch) -> None:
        """Take the units from the first branch, and the size from all."""
        n = branch.states.shape[1]
        if self.size < 0.0:
            weights = np.ones(n) if branch.weights is None else branch.weights[:n]
            self.units = np.sqrt(weights.max() / weights)
        self.size = max(self.size, 0.0, *map(self.norm, branch.states))

    def norm(self, x: Vector) -> float:
        """Return the length of x, or of a difference, in the units."""
        return norm2(x / self.units)

    def at(self, point: SpecialPoint) -> DiagramPlace:
        """Return the place of a special point; it is added if it is new."""
        for place in self._known:
            if self._agree(place.point, point):
                return place
        self._known.append(DiagramPlace(point))
        self._points.append(point)
        return self._known[-1]

    def has_itself(self, point: SpecialPoint) -> bool:
        """Whether a point is the first one that was found at its place."""
        return any(point is place.point for place in self._known)

    def _agree(self, one: SpecialPoint, other: SpecialPoint) -> bool:
        return bool(
            one.kind == other.kind
            and abs(one.parameter - other.parameter) <= SAME_PLACE * self._span
            and self.norm(one.x - other.x) <= 10.0 * SAME_PLACE * self.size
        )
