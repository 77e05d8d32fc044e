"""Evaluations and linear solves of one solve, counted and timed.

All evaluations go through `CountedSystem`. Its counts appear in reports, and `CostBasedReuse` uses
its times. At a point where the model is not defined (`DomainError`, overflow, NaN) an evaluation
returns None, so that a trial point never aborts a solve.
"""

from __future__ import annotations

import math
from time import perf_counter
from typing import Any

import numpy as np

from ...arrays import Vector
from ...norms import is_finite
from .deadline import Deadline, OutOfTime, passed
from .system import System
from .workspace import Workspace


class CountedSystem:
    """A system and its linear solver, counted and timed.

    Parameters
    ----------
    deadline : float or Share
        When `OutOfTime` is raised instead of an evaluation.

    Attributes
    ----------
    nfev, njev : int
        Evaluations of the residual alone; with Jacobian, or products with it.
    seconds : dict
        Under "residual" and "jacobian"; the linear solver keeps its own.
    residual_cost, jacobian_cost, factor_cost, solve_cost : float
        Seconds of the last call of each kind.
    """

    def __init__(self, system: System, workspace: Workspace, deadline: Deadline = math.inf) -> None:
        self.system, self.workspace, self.deadline = system, workspace, deadline
        self.nfev = self.njev = 0
        self.seconds = {"residual": 0.0, "jacobian": 0.0}
        self.residual_cost = self.jacobian_cost = self.factor_cost = self.solve_cost = 0.0

    def residual(self, x: Vector) -> Vector | None:
        """Return F(x); None if it is not finite or x is outside the model."""
        start = self._now()
        self.nfev += 1
        try:
            F = self.system.residual(x)
        except ArithmeticError:  # DomainError, OverflowError, ZeroDivisionError
            return None
        finally:
            self.residual_cost = perf_counter() - start
            self.seconds["residual"] += self.residual_cost
        return F if is_finite(F) else None

    def linearize(self, x: Vector) -> tuple[Vector, Any] | None:
        """Return F(x) and J(x); None if F is not finite or x is outside the model."""
        start = self._now()
        self.njev += 1
        try:
            F, J = self.system.linearize(x)
        except ArithmeticError:
            return None
        finally:
            self.jacobian_cost = perf_counter() - start
            self.seconds["jacobian"] += self.jacobian_cost
        return (F, J) if is_finite(F) else None

    def product(self, x: Vector, v: Vector) -> Vector:
        """Return J(x) v without the matrix; NaN outside the model."""
        start = self._now()
        self.njev += 1
        try:
            return self.system.jvp(x, v)
        except ArithmeticError:
            return np.full_like(v, math.nan)
        finally:
            self.seconds["jacobian"] += perf_counter() - start

    def _now(self) -> float:
        if passed(self.deadline):
            raise OutOfTime
        return perf_counter()

    @property
    def solver(self) -> Any:
        """The linear solver of the system's pattern."""
        return self.workspace.solver(self.system.pattern)

    def factorize(self, J: Any) -> None:
        """Factorize a matrix; raises `LinearSolveError`."""
        solver = self.solver
        before = solver.stats.seconds["factor"]
        solver.factorize(J)
        self.factor_cost = solver.stats.seconds["factor"] - before

    def solve(self, b: Vector) -> Vector:
        """Solve for a step with the matrix last factorized; raises `LinearSolveError`."""
        solver = self.solver
        before = solver.stats.seconds["solve"]
        x: Vector = solver.solve_step(b)
        self.solve_cost = solver.stats.seconds["solve"] - before
        return x
