"""Iterate: the point where a solver stands, with everything that evolves.

One idea: the parts of a solver hold settings and are handed this object; whatever changes from
one iteration to the next is here, so that a solver can be printed, reused and shared by threads.
"""

from __future__ import annotations

import math
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import LinearSolveError
from ..history import History, Step
from .sizes import term_sizes, weights
from .system import System
from .workspace import Workspace

Vector = NDArray[Any]

EPS = float(np.finfo(float).eps)


class Iterate:
    """The current point of a solve.

    Attributes
    ----------
    x, F : ndarray, shape (n,)
        The point and its residual.
    J : csr_array or None
        The Jacobian last evaluated; ``fresh`` says whether at this x.
    S : ndarray, shape (n,)
        Term size of every equation, from the Jacobian last evaluated.
    weights : ndarray, shape (n,)
        Size of every unknown.
    dx : ndarray, shape (n,)
        The proposed full step; ``limited`` says whether a limit changed it.
    phi : float
        Euclidean norm of F / S.
    memory : dict
        What the parts remember, each under its own key.
    """

    def __init__(self, system: System, workspace: Workspace, x: Vector, F: Vector) -> None:
        self.system = system
        self.workspace = workspace
        self.blocks = system.blocks
        self.x, self.F = x, F
        self.x_old, self.F_old = x, F
        self.J: Any = None
        self.S: Vector = np.ones_like(F)
        self.S_start: Vector | None = None  # the first S: comparable over the whole solve
        self.measure = math.inf
        self.best: tuple[float, Vector, Vector] | None = None
        self.step: Vector = np.zeros_like(x)
        self.unsized: Any = None  # equations whose terms are all zero: no relative size
        self.fresh = self.factorized = False
        self.limited = False
        self.newton = False  # whether dx is Newton's direction for the fresh Jacobian
        self.dx = x
        self.phi = math.inf
        self.damping = math.nan
        self.step_size = self.step_size_old = math.inf
        self.step_size_absolute = self.step_size_absolute_old = math.inf
        self.contraction = 1.0
        self.order = math.nan
        self.correction: Vector | None = None  # simplified Newton correction at x, if known
        self.k = self.age = self.trials = self.nfev = self.njev = 0
        self.cost_residual = self.cost_jacobian = self.cost_factor = self.cost_solve = 0.0
        self.memory: dict[str, Any] = {}
        self.notes: list[str] = []
        self.history = History()
        self.started = perf_counter()
        self.seconds_residual = self.seconds_jacobian = self.seconds_linear = 0.0
        self.weights = weights(x, self.blocks, self.system.scale)

    @property
    def J_known(self) -> bool:
        """Whether the term sizes mean anything."""
        return self.S_start is not None

    # evaluation

    def evaluate(self, x: Vector) -> Vector | None:
        """Return the residual at a trial point; None if it is not finite or outside the model."""
        self.trials += 1
        self.nfev += 1
        start = perf_counter()
        try:
            with np.errstate(all="ignore"):
                F = self.system.residual(x)
        except ArithmeticError:  # DomainError, OverflowError, ZeroDivisionError: shorten the step
            return None
        finally:
            self.cost_residual = perf_counter() - start
            self.seconds_residual += self.cost_residual
        return F if math.isfinite(float(np.abs(F).max())) else None

    def linearize(self) -> bool:
        """Evaluate the Jacobian at x; False if it is not finite."""
        self.njev += 1
        start = perf_counter()
        try:
            with np.errstate(all="ignore"):
                F, self.J = self.system.linearize(self.x)
        except ArithmeticError:
            return False
        finally:
            self.cost_jacobian = perf_counter() - start
            self.seconds_jacobian += self.cost_jacobian
        if not math.isfinite(float(np.abs(F).max())):
            return False
        self.F = F
        self.fresh, self.factorized, self.age = True, False, 0
        return self._measure()

    def _measure(self) -> bool:
        """Update the sizes after a new Jacobian; False if they are not finite."""
        self.weights = weights(self.x, self.blocks, self.system.scale)
        self._magnitudes = abs(self.J)
        if not self._size_terms():
            return False
        if self.S_start is None:
            self.S_start = self.S
            self._keep_best()
        self.phi = self.merit(self.F)
        return True

    def _size_terms(self) -> bool:
        """Find S from |J| and x; False if it is not finite."""
        S = term_sizes(self._magnitudes, self.x, self.blocks, self.system.scale)
        if not math.isfinite(float(S.max())):
            return False
        self.unsized = None
        if float(S.min()) <= 0.0:
            self.unsized = S <= 0.0
            rows = self._magnitudes @ np.ones(len(S))
            rows[rows == 0.0] = 1.0
            S = np.where(self.unsized, rows, S)
        self.S = S
        return True

    def _keep_best(self) -> None:
        """Remember this point if its residual is the smallest so far."""
        scaled = self.F / self.S_start
        self.measure = math.sqrt(float(np.vdot(scaled, scaled).real))
        if self.best is None or self.measure < self.best[0]:
            self.best = (self.measure, self.x, self.F)

    # sizes

    def merit(self, F: Vector) -> float:
        """Return the Euclidean norm of the scaled residual."""
        scaled = F / self.S
        return math.sqrt(float(np.vdot(scaled, scaled).real))

    def size(self, step: Vector) -> float:
        """Return the root mean square of a step relative to the weights."""
        scaled = step / self.weights
        return math.sqrt(float(np.vdot(scaled, scaled).real) / len(step))

    def scaled_residual(self) -> Vector:
        """Return F relative to the size of the terms of each equation, shape (n,)."""
        scaled: Vector = np.abs(self.F) / self.S
        if self.unsized is not None:
            scaled[self.unsized & (self.F != 0.0)] = math.inf
        return scaled

    # linear systems

    def factorize(self) -> None:
        """Factorise the Jacobian unless that is done; raises `LinearSolveError`."""
        if not self.factorized:
            start = perf_counter()
            solver = self.workspace.solver(self.system.pattern)
            try:
                solver.factorize(self.J)
            finally:
                self.cost_factor = perf_counter() - start
                self.seconds_linear += self.cost_factor
            self.factorized = True

    def solve(self, b: Vector) -> Vector:
        """Return J^-1 b with the kept factorisation; raises `LinearSolveError`."""
        start = perf_counter()
        try:
            x: Vector = self.workspace.solver(self.system.pattern).solve(b)
        finally:
            self.cost_solve = perf_counter() - start
            self.seconds_linear += self.cost_solve
        return x

    @property
    def backward_error(self) -> float:
        """Backward error of the last linear solve."""
        if not self.factorized:
            return math.nan
        return float(self.workspace.solver(self.system.pattern).backward_error)

    def newton_direction(self) -> Vector:
        """Return -J^-1 F; raises `LinearSolveError`."""
        self.factorize()
        dx = self.solve(-self.F)
        if not math.isfinite(float(np.abs(dx).max())):
            raise LinearSolveError("the step of Newton overflows")
        return dx

    def simplified(self, F: Vector) -> Vector | None:
        """Return -J^-1 F with the kept factorisation; None if it has no answer or overflows."""
        try:
            correction = self.solve(-F)
        except LinearSolveError:
            return None
        return correction if math.isfinite(float(np.abs(correction).max())) else None

    # progress

    def accept(self, x: Vector, F: Vector, damping: float) -> None:
        """Move to a trial point."""
        phi_old = self.phi
        self.x_old, self.F_old = self.x, self.F
        self.x, self.F = x, F
        self.damping = damping
        self.phi = self.merit(F)
        if self.unsized is not None:
            self._size_terms()  # x was zero, so the terms had no size; now they may have
        self.contraction = self.phi / phi_old if phi_old > 0.0 else 0.0
        self.fresh, self.correction = False, None
        self.k += 1
        self.age += 1
        self.step = x - self.x_old
        magnitude = np.abs(self.step)
        older, self.step_size_old = self.step_size_old, self.step_size
        self.step_size_absolute_old = self.step_size_absolute
        self.step_size = float((magnitude / weights(x, self.blocks, self.system.scale)).max())
        self.step_size_absolute = float(magnitude.max())
        self.order = _order(self.step_size, self.step_size_old, older)
        self._keep_best()

    def record(self) -> None:
        """Write the history of this iteration."""
        self.history.append(
            Step(
                iteration=self.k,
                residual=float(np.abs(self.F).max()),
                scaled=float(self.scaled_residual().max()),
                step=self.step_size if self.k else 0.0,
                damping=self.damping,
                order=self.order,
                trials=self.trials,
                backward_error=self.backward_error,
                fresh=self.age <= 1,
                seconds=perf_counter() - self.started,
                residuals=self.blocks.norms(self.F),
                steps=self.blocks.norms(self.step),
                note=", ".join(self.notes),
            )
        )
        self.trials = 0
        self.notes.clear()

    def error_estimate(self) -> float:
        """Estimate the relative error of x from the last step and how the residual fell.

        A full step of Newton with contraction rho of the residual is followed by one of at most
        about sqrt(rho) times its size: rho = theta for quadratic convergence gives more, and for
        a double root rho = theta^2 gives exactly theta.
        """
        if self.correction is not None:
            return float((np.abs(self.correction) / self.weights).max())
        if self.newton and not self.limited and self.damping == 1.0:
            return self.step_size * math.sqrt(min(1.0, self.contraction))
        return self.step_size


def _order(now: float, before: float, older: float) -> float:
    """Return the observed order of convergence from three step sizes."""
    if not (0.0 < now < before < older < math.inf):
        return math.nan
    return math.log(now / before) / math.log(before / older)
