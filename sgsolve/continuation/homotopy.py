"""Homotopy: a solver that follows a curve from a system with a known solution to the given one.

Newton's homotopy is F(x) - (1 - t) F(x0). The fixed-point homotopy is t F(x) + (1 - t) D (x - x0).
Both are solved by x0 at t = 0, and by a solution of F at t = 1. The curve is followed by its
arclength, so t may decrease along it.

Reference: E. Allgower and K. Georg, Introduction to Numerical Continuation Methods (2003), chapter
11; L. T. Watson, SIAM J. Matrix Anal. Appl. 23 (2002) 1 (why the curve comes to t = 1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..arrays import Vector
from ..errors import InputError
from ..pattern import Pattern
from ..results.blocks import Blocks
from ..results.status import Status
from ..solvers.method import NewtonMethod
from ..solvers.monitor import Monitor
from ..solvers.outcome import Outcome
from ..solvers.presets import DampedNewton
from ..solvers.stages import Stage, register_stages
from ..solvers.state.deadline import Deadline, OutOfTime, passed
from ..solvers.state.system import System
from ..solvers.state.workspace import Workspace
from .columns import Column
from .family import Family
from .runs.follow import StopRule, follow
from .stepper import Point, RunState
from .steppers.arclength import Arclength
from .steppers.arclength_stepper import ArclengthStepper, StartError

BACK = -1.0  # lower bound of t
KINDS = ("newton", "fixed point")
# Settings of the last stage of `Robust`, measured on starts from which all other stages fail
# (benchmarks/nonlinear.py hard). Long steps and loose tolerances lose nothing here, since only the
# end of the curve is of interest; 200 points solve few more systems than 40.
STAGE_POINTS = 40
STAGE_METHOD = Arclength(step=0.1, max_step=1.0, max_angle=60.0, tolerance=1e-6)


@dataclass(frozen=True, kw_only=True)
class Homotopy:
    """A solver for poor initial guesses; use it as ``problem.solve(x0, Homotopy())``.

    Parameters
    ----------
    kind : "newton" or "fixed point"
        The homotopy F(x) - (1 - t) F(x0), or t F(x) + (1 - t) (x - x0).
    method : Arclength
        Step control; t runs from 0 to 1.
    max_points : int
        Limit on the points of the curve.
    finish : NewtonMethod
        The solver that starts from the point at t = 1, or from the last point of the curve. It
        starts from x0 if t did not grow by the first step. Its step limiters also hold on the
        curve: it ends where one of them forbids the next step.

    Raises
    ------
    InputError
        If `kind` is another one.

    See Also
    --------
    solvers.Robust : Tries it last.
    solvers.PseudoTransient : Another method for poor guesses.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve import Problem
    >>> from sgsolve.continuation import Homotopy
    >>> problem = Problem(lambda x: np.arctan(x) + 0.1 * x - 1.0)
    >>> result = problem.solve([30.0], Homotopy())
    >>> result.success, result.solver
    (True, 'Homotopy (newton)')
    """

    kind: str = "newton"
    method: Arclength = field(default_factory=lambda: Arclength(step=0.02, max_step=0.3))
    max_points: int = 200
    finish: NewtonMethod = field(default_factory=DampedNewton)
    matrix_free = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"kind must be one of {', '.join(KINDS)}, not {self.kind!r}")

    @property
    def name(self) -> str:
        """Name for reports."""
        return f"{type(self).__name__} ({self.kind})"

    def with_settings(self, **settings: Any) -> Homotopy:
        """Return a copy with other ``limits``, ``termination`` or ``max_iterations``."""
        return replace(self, finish=replace(self.finish, **settings))

    def check_start(self, x: Vector, blocks: Blocks) -> None:
        """Raise `InputError` if x lies outside the bounds among the limits of `finish`."""
        self.finish.check_start(x, blocks)

    def run(
        self, system: System, workspace: Workspace, x: Vector, F: Vector, monitor: Monitor
    ) -> Outcome:
        """Follow the curve from (x, F), and solve from its end."""
        family = Deformation(system, x, F, self.kind == "newton", monitor.deadline)
        with np.errstate(all="ignore"):
            reached, note, halted = self._followed(family, workspace, x)
            F1 = system.residual(reached)
        if not np.isfinite(F1).all():
            reached, F1 = x, F
        finish = self.finish if halted is None else replace(self.finish, max_iterations=0)
        outcome = finish.run(system, workspace, reached, F1, monitor.beginning_at(x, F))
        if halted is not None and not outcome.status.success:
            outcome.status = halted
        outcome.name = self.name
        outcome.stats.njev += family.njev
        outcome.stages.append(f"{self.name}: {note}")
        return outcome

    def _followed(
        self, family: Deformation, workspace: Workspace, x: Vector
    ) -> tuple[Vector, str, Status | None]:
        """Return the last point of the curve, how it ended, and what halted it from outside."""
        stepper = ArclengthStepper(
            family, workspace, self.method, (BACK, 1.0), lambda state: (np.append(x, 0.0), None)
        )
        state = RunState((Column("t", lambda point: point.p), *stepper.columns))
        guard = LimitedCurve(self.finish.limits, family.system.blocks, x)
        try:
            follow(stepper, state, rule=StopRule(self.max_points, until=guard.forbids))
        except StartError:  # x solves the equations at the start of the curve if F is F(x)
            return x, "the residual at the start has changed", None
        halted = state.status if state.status.final else None
        if state.point is None:
            return x, state.ending, halted
        ending = "a limit forbids the next step" if guard.acted else state.ending
        # Along a null vector x can run away at a constant t: that point is no better than x0.
        reached = guard.x if state.point.p >= abs(stepper.first) else x
        return reached, f"{state.n_rows} points, t = {state.point.p:g}: {ending}", halted


class LimitedCurve:
    """Applies the step limiters of a solver to the points of a curve.

    Parameters
    ----------
    limits : tuple of Limit
    x : ndarray, shape (n,)
        The start.

    Attributes
    ----------
    x : ndarray, shape (n,)
        The last point that the step limiters allow.
    acted : bool
        Whether a step limiter forbade a point.
    """

    def __init__(self, limits: tuple[Any, ...], blocks: Blocks, x: Vector) -> None:
        self.limits, self.blocks, self.x, self.acted = limits, blocks, x, False

    def forbids(self, point: Point) -> bool:
        """Whether a step limiter changes the step to a point; if not, keep the point in `x`."""
        x, step = self.x, point.x - self.x
        self.acted = any(limit.apply(x, step, self.blocks) is not step for limit in self.limits)
        if not self.acted:
            self.x = point.x
        return self.acted


class Deformation(Family):
    """The systems of a homotopy, with parameter t.

    Parameters
    ----------
    x0, F0 : ndarray, shape (n,)
    newton : bool
        Newton's homotopy; else the fixed-point homotopy. Its D has the row sums of abs(J) at x0
        with the signs of the diagonal of J.
    deadline : float or Share
        When `OutOfTime` is raised.
    """

    def __init__(
        self, system: System, x0: Vector, F0: Vector, newton: bool, deadline: Deadline = math.inf
    ) -> None:
        self.system, self.x0, self.F0, self.newton = system, x0, F0, newton
        self.deadline = deadline
        self.n, self.njev = system.n, 0
        self._D: Vector | None = None

    @property
    def pattern(self) -> Pattern:
        """The sparsity pattern of J, with the diagonal."""
        return self.system.pattern

    @property
    def scale(self) -> Vector | None:
        """The user's sizes of the unknowns."""
        return self.system.scale

    def linearize(self, x: Vector, p: float) -> tuple[Vector, Any, Vector]:
        """Return H, its Jacobian and dH/dt."""
        if passed(self.deadline):
            raise OutOfTime
        self.njev += 1
        F, J = self.system.linearize(x)
        if self.newton:
            return F - (1.0 - p) * self.F0, J, self.F0
        places = self.pattern.diagonal
        if self._D is None:
            rows = self.pattern.matrix(np.abs(J.data)) @ np.ones(self.n)
            signs = np.where(J.data[places] < 0.0, -1.0, 1.0)
            self._D = signs * np.where(rows > 0.0, rows, 1.0)
        away = self._D * (x - self.x0)
        data = p * J.data
        data[places] += (1.0 - p) * self._D
        return p * F + (1.0 - p) * away, self.pattern.matrix(data), F - away


def last_stage() -> tuple[Stage, ...]:
    """Return the last stage of `Robust`: the fixed-point homotopy, started from x0.

    It comes last, since a point of a curve costs as much as several iterations. The number of
    points is limited, so that a system without a solution fails in a bounded time. Newton's
    homotopy is no stage: of 900 far starts it solved none that the others left.
    """
    finish = DampedNewton(max_iterations=30)
    last = Homotopy(kind="fixed point", method=STAGE_METHOD, max_points=STAGE_POINTS, finish=finish)
    return (Stage(last, from_best=False),)


register_stages(last_stage)
