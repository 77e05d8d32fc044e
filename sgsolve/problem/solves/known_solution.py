"""A known solution, and whether another point is the same one.

Unknowns may differ by many powers of ten: the rounding error of one may be larger than the distance
of two solutions in another. Distances are therefore measured unknown by unknown. An unknown that is
zero to rounding takes its size from the unknowns that act on it, and where none does, from those
that it acts on. With the relative changes of all
unknowns as the right-hand side, J^-1 (|J| |x|) gives this size, and eps times it is the rounding
error (Oettli and Prager, Numer. Math. 6 (1964) 405).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ...arrays import EPS, Vector
from ...continuation.curve_points.metric import rms
from ...errors import LinearSolveError
from ...norms import is_finite
from ...results.result import Result
from ...solvers.state.counted_system import CountedSystem
from ...solvers.state.workspace import Workspace
from ..equations.residual_system import ResidualSystem

PROBES = 3  # right-hand sides with random signs
SAFETY = 10.0  # of estimated errors
BETWEEN = 0.381966  # place between two points: where roots are symmetric, it is no third one


@dataclass
class KnownSolution:
    """A solution, with the sizes and errors of its unknowns, which are estimated when needed.

    ``repulsion`` is 1, and one more for each attempt that ended here all the same: a root of
    multiplicity m attracts unless it is divided by a power of the distance of m at least.
    """

    result: Result
    system: ResidualSystem
    workspace: Workspace
    deadline: float = math.inf
    repulsion: int = field(default=1, init=False)
    _acting: Any = field(default=math.inf, init=False, repr=False)

    @property
    def x(self) -> Vector:
        """The solution."""
        return self.result.x

    @cached_property
    def _estimates(self) -> tuple[Vector, Vector]:
        """The size that the other unknowns give to each unknown, and its error."""
        unknown = np.full(len(self.x), math.inf), np.zeros(len(self.x))
        counted = CountedSystem(self.system, self.workspace, self.deadline)
        with np.errstate(all="ignore"):
            found = counted.linearize(self.x)
            if found is None:
                return unknown
            F, J = found
            terms, random = np.abs(J) @ np.abs(self.x), np.random.default_rng(0)
            try:
                counted.factorize(J)
                error = np.abs(counted.solve(-F))
                probes = [
                    np.abs(counted.solve(terms * random.choice([-1.0, 1.0], len(terms))))
                    for _ in range(PROBES)
                ]
            except LinearSolveError:
                return unknown
            sizes = np.max(probes, axis=0)
            error = SAFETY * (error + EPS * np.maximum(sizes, np.abs(self.x)))
            if not (is_finite(sizes) and is_finite(error)):
                return unknown
            self._acting = _acting_sizes(J, terms)
            return sizes, error

    def given_sizes(self, magnitude: Vector) -> Vector:
        """Return the size that the equations give to every unknown; infinite if they give none.

        That of an unknown that is zero in all points, and that no other acts on, is the one from
        which on it acts on others.
        """
        sizes = self._estimates[0]
        return np.where((sizes > 0.0) | (magnitude > 0.0), sizes, self._acting)

    @property
    def error(self) -> Vector:
        """Estimate of the error of each unknown; zero where the Jacobian is singular."""
        return self._estimates[1]

    def sizes(self, magnitude: Vector, size: float) -> Vector:
        """Return the size of every unknown.

        Parameters
        ----------
        magnitude : ndarray, shape (n,)
            The largest magnitude that each unknown has among the points in question.
        size : float
            The size of all unknowns, the limit on the size that others give to an unknown.
        """
        sizes: Vector = np.maximum(magnitude, np.minimum(self._estimates[0], size))
        return np.where(sizes > 0.0, sizes, size)

    def is_same(self, other: Result, distance: float, size: float) -> bool:
        """Whether another solution is this one.

        A level that the equations leave open tells no solutions apart. Two points that are far from
        each other in the size of all unknowns are two solutions. Two that are close in the size of
        each unknown are one. Otherwise the equations decide.
        """
        gap, magnitude = other.x - self.x, np.maximum(np.abs(other.x), np.abs(self.x))
        V = self.workspace.null_space
        if V is not None and len(V) == len(gap):
            gap = gap - V @ (V.T @ gap)
        gap = np.abs(gap)
        relative = np.divide(gap, magnitude, out=np.zeros_like(gap), where=gap > 0.0)
        if rms(relative) <= distance:
            return True
        gap = np.maximum(gap - self.error, 0.0)
        if rms(gap) > distance * size:
            return False
        if rms(gap / self.sizes(magnitude, size)) <= distance:
            return True
        return not self._is_separate(other)

    def _is_separate(self, other: Result) -> bool:
        """Whether some equation does not hold between two solutions.

        Where the residual is linear or rounding, it is no larger between two points than at them.
        """
        between = self.system.residual_quietly(self.x + BETWEEN * (other.x - self.x))
        noise = np.maximum(np.abs(self.result.residual), np.abs(other.residual))
        random = np.random.default_rng(0)
        for end in (self.result, other):
            for _ in range(PROBES):
                signs = random.choice([-1.0, 1.0], len(end.x))
                near = self.system.residual_quietly(end.x * (1.0 + EPS * signs))
                noise = np.fmax(noise, np.abs(near - end.residual))
        return bool((~(np.abs(between) <= SAFETY * noise)).any())


def _acting_sizes(J: Any, terms: Vector) -> Vector:
    """Return from which size on each unknown changes an equation by as much as its terms.

    Infinite for an unknown whose equations have no terms.
    """
    sizes, sized = np.full(J.shape[1], math.inf), np.repeat(terms, np.diff(J.indptr))
    acting = (sized > 0.0) & (J.data != 0.0)
    np.minimum.at(sizes, J.indices[acting], sized[acting] / np.abs(J.data[acting]))
    return sizes
