"""Search for several solutions of one system by deflation, from given starts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...arrays import Vector
from ...continuation.curve_points.metric import rms
from ...continuation.deflation import Deflation
from ...results.result import Result
from ...solvers.monitor import Monitor
from ...solvers.polyalgorithm import as_solver
from ...solvers.presets import DampedNewton
from ...solvers.state.deadline import raise_if_halted
from ...solvers.state.workspace import Workspace
from ..equations.residual_system import ResidualSystem
from .known_solution import KnownSolution
from .solve import run_solver

STRONGEST = 4  # times the power of deflation, that a known solution repels with
FAR_OFF = 100.0  # the ratio of two sizes of an unknown from which on both are searched with


@dataclass
class DeflationSearch:
    """The search for solutions of one system.

    ``starts`` are all that it will start from: with the solutions they say how large unknowns are.
    ``known`` are the solutions found so far; they stay if the search is interrupted.
    """

    system: ResidualSystem
    workspace: Workspace
    deflation: Deflation
    solver: Any
    starts: Sequence[Vector]
    deadline: float = math.inf
    known: list[KnownSolution] = field(default_factory=list)

    @property
    def results(self) -> list[Result]:
        """The solutions found so far."""
        return [solution.result for solution in self.known]

    def along(self, before: list[Vector], most: int) -> None:
        """Find the solutions that those of a neighboring system and all starts lead to."""
        for x in before:  # undisturbed by the others
            self._attempt(DampedNewton(max_iterations=30), x)
        for x in self.starts:
            self.from_start(x, most)

    def from_start(self, x0: Vector, most: int) -> None:
        """Find solutions from a start until an attempt fails."""
        while len(self.known) < most:
            others = [solution.x for solution in self.known]
            if not any(
                self._attempt(self._solver(size, k), x, deflated=True)
                for size in self._reaches(x0, others)
                for k, x in enumerate(self.deflation.starts(x0, others, size))
            ):
                return

    def _solver(self, size: Any, attempt: int) -> Any:
        """Return the solver of an attempt."""
        if not self.known:
            return as_solver(self.solver)
        known = [one.x for one in self.known]
        errors, repulsions = zip(*((one.error, one.repulsion) for one in self.known), strict=True)
        return self.deflation.solver(known, size, attempt, errors, repulsions)

    def _attempt(self, solver: Any, x: Vector, deflated: bool = False) -> bool:
        """Solve; True if that gave a solution that was not known, which is then appended.

        One that ended at a known solution, though that was deflated, makes it repel further.
        """
        F = self.system.residual_quietly(x)
        if not np.isfinite(F).all():
            return False
        monitor = Monitor(deadline=self.deadline)
        result = run_solver(solver, self.system, self.workspace, x, F, monitor)
        raise_if_halted(result.status)
        if not result.success:
            return False
        # where all solutions are zero, to rounding, only starts tell what is near
        size = self._size(result.x, [x, *self.starts, *(one.x for one in self.known)])
        for one in self.known:
            if one.is_same(result, self.deflation.distance, size):
                if deflated:
                    one.repulsion = min(one.repulsion + 1, STRONGEST)
                return False
        self.known.append(KnownSolution(result, self.system, self.workspace, self.deadline))
        return True

    def _size(self, x: Vector, others: list[Vector]) -> float:
        """Return the size of the points, all unknowns together.

        The scale serves where all points are zero only: it may be far above or below them.
        """
        size = max(rms(y) for y in (x, *others))
        return size or (1.0 if self.system.scale is None else rms(self.system.scale))

    def _reaches(self, x: Vector, others: list[Vector]) -> list[Any]:
        """Return the sizes of the unknowns to search with.

        They are that of the points, all unknowns together; the scale; and that of each unknown in
        the points. What others give to an unknown counts up to the size of the points, and then
        without a limit. Where one is close to another the first is enough.
        """
        size = self._size(x, others)
        if not others:
            return [size]
        reaches: list[Any] = [size]
        scale = self.system.scale
        if scale is not None:
            reaches = [scale] if _close(scale, size) else [size, scale]
        for limit in (size, math.inf):
            own = self._own_sizes(x, size, limit)
            if not any(_close(own, other) for other in reaches):
                reaches.append(own)
        return reaches

    def _own_sizes(self, x: Vector, size: float, limit: float) -> Vector:
        """Return the size of each unknown in the points, or up to a limit what others give it."""
        magnitude = np.max([np.abs(x), *(np.abs(one.x) for one in self.known)], axis=0)
        given = np.array([one.given_sizes(magnitude) for one in self.known])
        told = np.isfinite(given)
        sizes: Vector = np.max(given, axis=0, where=told, initial=0.0)
        sizes = np.maximum(magnitude, np.minimum(sizes, limit))
        return np.where(told.any(axis=0) & (sizes > 0.0), sizes, size)


def _close(one: Any, other: Any) -> bool:
    """Whether two sizes agree to a factor in every unknown."""
    return bool(((other / FAR_OFF < one) & (one < other * FAR_OFF)).all())
