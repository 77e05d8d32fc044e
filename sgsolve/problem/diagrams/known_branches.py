"""Known branches: whether a branch runs along one that was followed already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...arrays import Vector
from ...errors import SgsolveError
from ...results.branch import Branch
from ..equations.definition import ProblemDefinition
from .diagram_places import SAME_PLACE, DiagramPlaces

NEAR = 0.05  # relative distance of an interpolated state that is worth a correction
SAME_STATE = 1e-6  # ... and of the corrected one that is the same
CHECKS = (0.2, 0.35, 0.5, 0.65, 0.8)  # rows of a branch that are compared with the others
ENOUGH = 3  # of them on another branch; one may lie at a fold, between two points of it
ITERATIONS = 20
CONVERGED = 1e-12  # relative length of the last correction
DENSE = 50  # unknowns up to which a singular Jacobian is solved by least squares


class KnownBranches:
    """The branches so far, with the equations to compare others with them.

    Parameters
    ----------
    name : str
        The parameter.
    places : DiagramPlaces
        They know how large x is.
    branches : sequence of Branch
        It may grow.
    """

    def __init__(
        self,
        problem: ProblemDefinition,
        name: str,
        places: DiagramPlaces,
        branches: Sequence[Branch],
    ) -> None:
        self._problem, self._name, self._places = problem, name, places
        self._branches = branches

    def include(self, branch: Branch) -> bool:
        """Whether a branch runs along one of them."""
        rows = sorted({int(share * (len(branch) - 1)) for share in CHECKS})
        for other in self._branches:
            same = [self._passes(other, float(branch.parameter[r]), branch.states[r]) for r in rows]
            if sum(same) >= min(ENOUGH, len(rows)):
                return True
        return False

    def passes(self, p: float, x: Vector) -> bool:
        """Whether one of them passes a solution."""
        return any(self._passes(other, p, x) for other in self._branches)

    def _passes(self, other: Branch, p: float, x: Vector) -> bool:
        """Whether a branch passes a solution."""
        q, norm = other.parameter, self._places.norm
        size = norm(x) + SAME_PLACE * self._places.size
        for k in np.flatnonzero((q[:-1] - p) * (q[1:] - p) <= 0.0):
            gap = q[k + 1] - q[k]
            share = 0.5 if gap == 0.0 else (p - q[k]) / gap
            guess = (1.0 - share) * other.states[k] + share * other.states[k + 1]
            away = norm(other.states[k + 1] - other.states[k])
            if norm(guess - x) > NEAR * size + away:
                continue
            found = self._corrected(guess, {**other.params, self._name: p})
            if found is not None and norm(found - x) <= SAME_STATE * size:
                return True
        return False

    def _corrected(self, x: Vector, params: dict[str, Any]) -> Vector | None:
        """Return the solution near a guess; None if Newton's method does not find one."""
        system, start = self._problem.system(x, params)
        norm = self._places.norm
        for _ in range(ITERATIONS):
            F, J = system.linearize(start)
            try:
                step = self._shortest_step(J.toarray(), F) if system.n <= DENSE else None
                if step is None:
                    with self._problem.lend(system, start) as workspace:
                        step = workspace.factorized(system.pattern, J).solve(-F)
            except SgsolveError:
                return None
            start = start + step
            if norm(step) <= CONVERGED * (self._places.size + norm(start)):
                return start
        return None

    def _shortest_step(self, J: Vector, F: Vector) -> Vector:
        """Return Newton's step, the shortest in the units where J is singular."""
        scaled = J * self._places.units
        rows = np.abs(scaled).max(axis=1, keepdims=True)
        rows[rows == 0.0] = 1.0
        step: Vector = np.linalg.lstsq(scaled / rows, -F / rows[:, 0])[0]
        return step * self._places.units
