"""The equations that remain at a branch point with m null vectors: m of them, for m + 1 unknowns.

They are what F says across the range of J, after a correction of x that does what the other
equations ask (Lyapunov-Schmidt reduction). The correction is made with J at the branch point.

Reference: M. Golubitsky, D. G. Schaeffer, Singularities and Groups in Bifurcation Theory I (1985),
chapter VII.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...arrays import Vector
from ...continuation.curve_points.bordered import Bordered
from ...continuation.family import Family, linearized
from ...norms import norm2
from ...private_api import quiet
from ...solvers.state.workspace import Workspace

CORRECTIONS = 4  # of x; each leaves a part of the error of the size of the distance
DECADES = 40  # over which the unit of x is looked for
PROBES = 5  # combinations of null vectors along which sizes are compared


@dataclass(eq=False)
class ReducedEquations:
    """The reduced equations at a branch point.

    Attributes
    ----------
    z0 : ndarray, shape (n + 1,)
        The branch point (x, p).
    V : ndarray, shape (n, m)
        The null vectors, orthonormal with the weights of x.
    weights : ndarray, shape (n + 1,)
        Those of the metric.
    """

    family: Family
    workspace: Workspace
    bordered: Bordered
    z0: Vector
    V: Vector
    weights: Vector

    @classmethod
    def at(
        cls, family: Family, workspace: Workspace, z0: Vector, V: Vector, weights: Vector
    ) -> ReducedEquations | None:
        """Return the reduced equations; None if J is not finite at the point.

        Raises
        ------
        LinearSolveError
            If there are more null vectors than those given.
        """
        at, (n, m) = linearized(family, z0), V.shape
        if at is None:
            return None
        bordered = Bordered(workspace, m, whole=True)
        below = np.concatenate([(weights[:-1, None] * V).T, np.zeros((m, m))], axis=1)
        B = np.random.default_rng(0).standard_normal((n, m)) * norm2(at.J.data)
        bordered.factorize(at.J, B, below, family.pattern)
        return cls(family, workspace, bordered, z0, V, weights)

    def along(self, way: Vector) -> Vector:
        """Return the coordinates along the null vectors of a difference of points, shape (m,)."""
        share: Vector = self.V.T @ (self.weights[:-1] * way[:-1])
        return share

    def values(self, z: Vector) -> Vector:
        """Return what remains at a point, shape (m,); infinite outside of the model."""
        return self._corrected(z)[1]

    def lifted(self, z: Vector) -> Vector:
        """Return the point with the same coordinates at which the other equations hold."""
        return self._corrected(z)[0]

    def _corrected(self, z: Vector) -> tuple[Vector, Vector]:
        n, m = self.V.shape
        rest = np.full(m, np.inf)
        for _ in range(CORRECTIONS):
            at = linearized(self.family, z)
            if at is None:
                return z, np.full(m, np.inf)
            solution = self.bordered.solve(np.append(-at.F, np.zeros(m)))
            z, rest = z + np.append(solution[:n], 0.0), solution[n:]
        return z, rest

    def _at(self, y: Vector, q: float = 0.0) -> Vector:
        with quiet():
            return self.values(self.z0 + np.append(self.V @ y, q))

    def balanced_distance(self, step: float) -> float:
        """Return the distance, in steps, at which x acts on the equations as a step of p does.

        A branch of zeros tells no unit of x. Along the null vectors the terms of second and third
        order do.
        """
        still, y = self._at(np.zeros(self.V.shape[1])), _combinations(self.V.shape[1])[0]

        def ratio(distance: float) -> float:
            here = self._at(distance * step * y)
            beside = self._at(distance * step * y, step)
            with quiet():
                return float(np.divide(norm2(here - still), norm2(beside - here)))

        distance, factor = 1.0, 10.0 if ratio(1.0) <= 1.0 else 0.1
        for _ in range(DECADES):
            now = ratio(distance)
            if np.isfinite(now) and (now > 1.0) != (factor < 1.0):
                return distance
            distance *= factor
        return 1.0

    def parameter_at(self, distance: float) -> float:
        """Return the change of the parameter that acts as x does at a distance, in the median."""
        changes, still = list[float](), self._at(np.zeros(self.V.shape[1]))
        for y in _combinations(self.V.shape[1]):
            here = self._at(distance * y)
            beside = self._at(distance * y, distance)
            with quiet():
                changes.append(float(np.divide(norm2(here - still), norm2(beside - here))))
        return distance * float(np.median(changes))


def _combinations(m: int) -> Vector:
    """Return some unit vectors of m components, shape (PROBES, m)."""
    found = np.random.default_rng(0).standard_normal((PROBES, m))
    unit: Vector = found / np.linalg.norm(found, axis=1, keepdims=True)
    return unit
