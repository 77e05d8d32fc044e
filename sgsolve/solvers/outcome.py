"""The outcome of one solver, from which the caller makes a `Result`.

It holds the best point, its residual and the reasons of a failure. `Robust` joins the outcomes of
its stages.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..arrays import Vector
from ..errors import SingularMatrixError
from ..results.history import History, Stats
from ..results.status import Status
from .acceptance.determination import golden_parts, mixed_signs
from .state.iterate import Iterate
from .state.system import System

FAR = 1e6  # times the largest unknown of its block at the start: a point this far away diverged
CLOSE = 1e-6  # ... unless every residual is smaller than this part of its terms
NEAR = 1e-3  # of the unknowns: an equation that stays exactly zero so far away determines none
LOST = 1e-3  # of its first term size: an equation that has more has not lost its slopes


@dataclass
class Outcome:
    """How a solver ended.

    Attributes
    ----------
    x, F, scaled : ndarray, shape (n,)
        The solution or the best iterate, its residual, and that relative to the term sizes.
    S, S_start : ndarray or None
        The term sizes at the end and at the start.
    cause : Exception or None
        The error of the linear solver.
    notes : tuple of str
        What was unusual in the attempt that failed, such as a limit that acted.
    singular : SingularMatrixError or None
        Why the Jacobian from which the last step came was singular, or is at every x.
    idle : ndarray of bool, or None
        Equations that hold because their terms cancel in rounding, and that have lost their slopes.
    moved : (x, F) or None
        Where it really started, if the Jacobian was not finite at the start.
    """

    x: Vector
    F: Vector
    scaled: Vector
    status: Status
    name: str
    history: History
    stats: Stats
    S: Vector
    S_start: Vector | None
    cause: Exception | None = None
    notes: tuple[str, ...] = ()
    singular: SingularMatrixError | None = None
    idle: NDArray[np.bool_] | None = None
    moved: tuple[Vector, Vector] | None = None
    stages: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, it: Iterate, status: Status, name: str) -> Outcome:
        """Make the outcome of an iterate at the end."""
        x, F, scaled = it.x, it.F, it.scaling.scaled(it.F)
        if not status.success and it.best is not None and it.best[0] < it.measure:
            _, x, F = it.best
            scaled = it.scaling.scaled(F)
        idle = _idle(it) if status.success else None
        counted = it.counted
        stats = Stats(nit=it.k, nfev=counted.nfev, njev=counted.njev, seconds=counted.seconds)
        linear = (Status.SINGULAR_JACOBIAN, Status.LINEAR_SOLVE_FAILED)
        cause = it.memory.get("cause") if status in linear else None
        k, singular = it.memory.get("singular", (-1, None))
        return cls(
            *(x, F, scaled, status, name, it.history, stats, it.S, it.S_start),
            cause=cause,
            notes=tuple(it.notes),
            singular=singular if k >= it.k - 1 else it.memory.get("open"),
            idle=idle,
            moved=it.moved,
        )

    def diverged(self, start: Vector, system: System) -> bool:
        """Whether x is no place to start from.

        The solver diverged, or x is far outside the scale of the start and not close to a solution.
        """
        if self.status is Status.DIVERGED:
            return True
        if self.status.success or float(self.scaled.max()) <= CLOSE:
            return False
        norms = {block: norm or 1.0 for block, norm in system.blocks.norms(start).items()}
        size = system.blocks.spread(norms, 1.0)
        if system.scale is not None:
            size = np.maximum(size, system.scale)
        return bool((np.abs(self.x) / FAR > size).any())  # the product may overflow


def _idle(it: Iterate) -> NDArray[np.bool_] | None:
    """Return the equations that are exactly zero next to the solution as well; None if none is.

    Only those are asked whose slopes are next to nothing: their terms would be for unknowns of the
    size that any in the block had. A term is zero as well where its unknown is.
    """
    idle: NDArray[np.bool_] = it.F == 0.0
    if it.S_start is None or it.J is None or not idle.any():
        return None
    reach = np.maximum(it.peak, it.blocks.spread(it.blocks.norms(it.peak), 0.0))
    reach[reach == 0.0] = 1.0
    idle &= LOST * it.S_start >= it.terms(reach)
    away = NEAR * mixed_signs(len(reach)) * golden_parts(len(reach)) * reach  # keeps no ratio
    for sign in (1.0, -1.0):
        if not idle.any():
            return None
        F = it.evaluate(it.x + sign * away)
        idle &= False if F is None else F == 0.0
    return idle if idle.any() else None
