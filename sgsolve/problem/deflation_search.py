"""Search for several solutions of one system by deflation, from given starts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..continuation.deflation import Deflation
from ..continuation.metric import rms
from ..results.result import Result
from ..results.status import Status
from ..solvers.deadline import OutOfTime
from ..solvers.monitor import Monitor
from ..solvers.polyalgorithm import as_solver
from ..solvers.presets import DampedNewton
from ..solvers.workspace import Workspace
from .residual_system import ResidualSystem
from .solve import run_solver

Vector = NDArray[Any]

FAR_OFF = 100.0  # the ratio of scale and points from which on both are searched with


@dataclass
class DeflationSearch:
    """The search for solutions of one system.

    ``starts`` are all that it will start from: with the solutions they say how large unknowns are.
    """

    system: ResidualSystem
    workspace: Workspace
    deflation: Deflation
    solver: Any
    starts: Sequence[Vector]
    deadline: float = math.inf

    def along(self, before: list[Vector], most: int) -> list[Vector]:
        """Return the solutions that those of a neighboring system and all starts lead to."""
        known: list[Result] = []
        for x in before:  # undisturbed by the others
            self._attempt(DampedNewton(max_iterations=30), x, known)
        for x in self.starts:
            self.from_start(x, known, most)
        return [result.x for result in known]

    def from_start(self, x0: Vector, known: list[Result], most: int) -> None:
        """Find solutions from a start until an attempt fails; append them."""
        first = as_solver(self.solver)
        while len(known) < most:
            others = [result.x for result in known]
            if not any(
                self._attempt(self.deflation.solver(others, size, k) if others else first, x, known)
                for size in self._reaches(x0, others)
                for k, x in enumerate(self.deflation.starts(x0, others, size))
            ):
                return

    def _attempt(self, solver: Any, x: Vector, known: list[Result]) -> bool:
        """Solve; True if that gave a solution that was not known, which is then appended."""
        F = self.system.residual_quietly(x)
        if not np.isfinite(F).all():
            return False
        monitor = Monitor(deadline=self.deadline)
        result = run_solver(solver, self.system, self.workspace, x, F, monitor)
        if result.status is Status.INTERRUPTED:
            raise KeyboardInterrupt
        if result.status is Status.TIME_LIMIT:
            raise OutOfTime
        others = [other.x for other in known]
        # where all solutions are zero, to rounding, only starts tell what is near
        size = self._size(result.x, [x, *self.starts, *others])
        if not result.success or not self.deflation.new(result.x, others, size):
            return False
        known.append(result)
        return True

    def _size(self, x: Vector, others: list[Vector]) -> float:
        """Return the size of the points, by which solutions are told apart.

        The scale serves where all points are zero only: it may be far above or below them.
        """
        size = max(rms(y) for y in (x, *others))
        return size or (1.0 if self.system.scale is None else rms(self.system.scale))

    def _reaches(self, x: Vector, others: list[Vector]) -> list[float]:
        """Return the sizes of the unknowns to search with: that of the scale, and of the points.

        Where they are close to each other the first is enough, and before a solution is known.
        """
        size = self._size(x, others)
        if self.system.scale is None:
            return [size]
        scale = rms(self.system.scale)
        close = scale / FAR_OFF < size < scale * FAR_OFF
        return [scale] if close or not others else [size, scale]
