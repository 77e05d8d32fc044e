"""Diagonally implicit Runge-Kutta methods on charges: an L-stable one of order 4, and TR-BDF2.

A stage solves ``Q(x_i) = Q_n - h sum_j a_ij F(x_j)``. The explicit first stage is the last stage of
the step before (the methods are stiffly accurate), so C = dQ/dx may be singular. Equations that
store nothing hold at every stage.

References: C. A. Kennedy and M. H. Carpenter, Appl. Numer. Math. 44 (2003) 139, the implicit part
of ARK4(3)6L[2]SA; M. E. Hosea and L. F. Shampine, Appl. Numer. Math. 20 (1996) 21 (TR-BDF2 with an
embedded formula of order 3); R. E. Bank et al., IEEE Trans. Electron Devices 32 (1985) 1992.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import LinearSolveError
from .consistent_start import Start
from .evolution import NONE
from .implicit_solver import Equation, ImplicitSolver
from .interpolation import NodePolynomial
from .time_step import RejectedStep, TimeStep

Vector = NDArray[Any]

SAFETY = 0.9
GROW, SHRINK = 5.0, 0.2
DEAD_BAND = 1.2  # a step that would grow less keeps its size, and so its factorization
NEWTON_SHRINK = 0.25
NODES = 5  # of the dense output: as accurate as the steps of order 4


@dataclass(frozen=True)
class Tableau:
    """Coefficients of a stiffly accurate method whose first stage is explicit.

    Attributes
    ----------
    A : ndarray, shape (stages, stages)
        Lower triangular; all diagonal entries but the first are equal.
    c : ndarray, shape (stages,)
    error : ndarray, shape (stages,)
        Weights of the method less those of the embedded one.
    order : int
    error_order : int
        The smaller one of the orders of both.
    """

    name: str
    A: Vector
    c: Vector
    error: Vector
    order: int
    error_order: int

    @property
    def gamma(self) -> float:
        """The diagonal entry."""
        return float(self.A[-1, -1])


def _tableau(
    name: str, rows: list[list[float]], other: list[float], orders: tuple[int, int]
) -> Tableau:
    stages = len(rows)
    A = np.zeros((stages, stages))
    for i, row in enumerate(rows):
        A[i, : len(row)] = row
    c = A.sum(axis=1)
    c[np.abs(c - 1.0) < 1e-14] = 1.0  # such stages end exactly at the end of the step
    return Tableau(name, A, c, A[-1] - np.array(other), *orders)


_ROOT = 2.0**0.5
_G = 1.0 - 0.5 * _ROOT  # TR-BDF2: gamma / 2 in the notation of the references
_W = 0.25 * _ROOT

TR_BDF2 = _tableau(
    "TR-BDF2",
    [[], [_G, _G], [_W, _W, _G]],
    [(1.0 - _W) / 3.0, (3.0 * _W + 1.0) / 3.0, _G / 3.0],
    (2, 2),
)

ESDIRK4 = _tableau(
    "ESDIRK4",
    [
        [],
        [1 / 4, 1 / 4],
        [8611 / 62500, -1743 / 31250, 1 / 4],
        [5012029 / 34652500, -654441 / 2922500, 174375 / 388108, 1 / 4],
        [
            15267082809 / 155376265600,
            -71443401 / 120774400,
            730878875 / 902184768,
            2285395 / 8070912,
            1 / 4,
        ],
        [82889 / 524892, 0.0, 15625 / 83664, 69875 / 102672, -2260 / 8211, 1 / 4],
    ],
    [
        4586570599 / 29645900160,
        0.0,
        178811875 / 945068544,
        814220225 / 1159782912,
        -3700637 / 11593932,
        61727 / 225920,
    ],
    (4, 3),
)

TRAPEZOID = _tableau("trapezoid", [[], [1 / 2, 1 / 2]], [1 / 2, 1 / 2], (2, 2))
# Two backward Euler steps of half the length, with the matrix of the trapezoidal rule: they damp
# what the rule itself would carry on for ever (R. Rannacher, Numer. Math. 43 (1984) 309).
TWO_HALVES = _tableau(
    "two backward Euler steps", [[], [0.0, 1 / 2], [0.0, 1 / 2, 1 / 2]], [0.0, 1 / 2, 1 / 2], (1, 1)
)


class RungeKuttaStepper:
    """Steps of variable size with a diagonally implicit Runge-Kutta method.

    Parameters
    ----------
    implicit : ImplicitSolver
    tableau : Tableau
    first : Tableau, optional
        For the first step after a start.
    stores : ndarray of bool, shape (n,)
        Equations with a charge. The rate of the others is zero: they hold exactly at every stage.
    fixed : bool
        Keep the step, without an estimate of the error.

    Attributes
    ----------
    t, h : float
        Where it stands, and the next step.
    """

    def __init__(
        self,
        implicit: ImplicitSolver,
        tableau: Tableau,
        stores: NDArray[np.bool_],
        *,
        first: Tableau | None = None,
        fixed: bool = False,
    ) -> None:
        self.implicit, self.weights = implicit, implicit.weights
        self.usual, self.first, self.tableau = tableau, first or tableau, tableau
        extra = 0 if implicit.system.currents is None else implicit.system.currents.size
        self.stores, self.fixed = np.append(stores, np.ones(extra, dtype=bool)), fixed
        self.t = self.h = 0.0
        self.order = tableau.order

    def start(self, t: float, start: Start, h: float) -> None:
        """Begin at a consistent state, with a first step h."""
        self.t, self.h = t, h
        self.x, self.charge, self.slope, self.rate = start.x, start.charge, start.slope, start.rate
        self.tableau, self.failed = self.first, False
        self._weights = self.weights.weights(start.x)
        self.nodes = [(t, start.x)]  # of the dense output
        self.implicit.renew()

    @property
    def change(self) -> Vector:
        """About the change of the unknowns in a step, shape (n,)."""
        return self.h * self.slope

    def resize(self, h: float) -> None:
        """Change the next step."""
        self.h = h

    def attempt(self, t: float) -> TimeStep | RejectedStep:
        """Try one step to t = self.t + self.h; nothing changes but the counts."""
        A, c, h = self.tableau.A, self.tableau.c, self.h
        a = 1.0 / (self.tableau.gamma * h)
        rates, x, charge = [self.rate], self.x, self.charge
        self._stages, iterations = [(self.t, self.x)], 0
        self._last_currents = NONE
        for i in range(1, len(c)):
            q = self.charge.copy()
            for j in range(i):
                if A[i, j]:
                    q += h * A[i, j] * rates[j]
            time = t if c[i] == 1.0 else self.t + c[i] * h
            solved = self.implicit.solve(Equation(time, a, q, self._weights), self._guess(i))
            if solved.x is None:
                return RejectedStep("newton", solved.reason, NEWTON_SHRINK)
            x, charge = solved.x, solved.charge
            rates.append(np.where(self.stores, a * (charge - q), 0.0))
            self._stages.append((time, x))
            iterations += solved.iterations
            self._last_currents = solved.currents
        return self._judged(t, x, charge, rates, a, iterations)

    def _guess(self, i: int) -> Vector:
        """Return the start of the Newton iteration of stage i: the line through known stages."""
        if i == 1:
            line: Vector = self.x + self.tableau.c[1] * self.h * self.slope
            return line
        (_, x0), (_, x1), c = self._stages[0], self._stages[i - 1], self.tableau.c
        guess: Vector = x0 + c[i] / c[i - 1] * (x1 - x0)
        return guess

    def _judged(
        self, t: float, x: Vector, charge: Vector, rates: list[Vector], a: float, iterations: int
    ) -> TimeStep | RejectedStep:
        """Accept or reject by the embedded formula, in the unknowns: M^-1 a (error of charge)."""
        self._last_rate = rates[-1]
        step = TimeStep(t, self.h, self.order, x, charge, 0.0, iterations)
        step.currents = self._last_currents
        if self.fixed:
            return step
        pairs = zip(self.tableau.error, rates, strict=True)
        lost = self.h * np.sum([weight * rate for weight, rate in pairs], axis=0)
        try:
            deviation = self.implicit.correction(lost, a)
        except LinearSolveError as failure:
            reason = f"the error could not be estimated: {failure}"
            return RejectedStep("newton", reason, NEWTON_SHRINK)
        error = self.weights.norm(deviation, self._weights)
        if not error <= 1.0:
            factor = SAFETY * error ** (-1.0 / (self.tableau.error_order + 1))
            worst = self.weights.worst(deviation, self._weights)
            reason = f"the error estimate is {error:.2g} times the tolerance, most in {worst}"
            return RejectedStep("error", reason, max(SHRINK, factor), error)
        step.error = error
        return step

    def reject(self, rejection: RejectedStep) -> None:
        """Shorten the next step after a rejected one."""
        self.failed = True
        self.resize(rejection.factor * self.h)

    def accept(self, step: TimeStep) -> None:
        """Go to the end of a step, and choose the next step."""
        (_, x), (_, y), c = *self._stages[-2:], self.tableau.c
        self.slope = (y - x) / ((c[-1] - c[-2]) * step.h)
        self.nodes = [*self.nodes[2 - NODES :], (step.t, step.x)]
        self.t, self.x, self.charge, self.rate = step.t, step.x, step.charge, self._last_rate
        self.tableau = self.usual
        self.weights.observe(step.x)
        self._weights = self.weights.weights(step.x)
        self.implicit.advance()
        if not self.fixed:
            self._choose(step)

    def _choose(self, step: TimeStep) -> None:
        """Change the step by the error; never longer right after a rejection."""
        power = -1.0 / (self.tableau.error_order + 1)
        factor = GROW if step.error == 0.0 else min(GROW, SAFETY * step.error**power)
        most = 1.0 if self.failed else GROW
        self.failed = False
        if factor < 1.0 or factor >= DEAD_BAND:
            self.resize(self.h * max(SHRINK, min(factor, most)))

    def curve(self, step: TimeStep) -> NodePolynomial:
        """Return the unknowns within a step that is not accepted yet: a polynomial of degree 4.

        It goes through the ends of the last steps. Right after a start, stages take the place of
        steps: they are less accurate.
        """
        inner = self._stages[1:-1][: NODES - 1 - len(self.nodes)]
        return NodePolynomial((*self.nodes, *inner, (step.t, step.x)))

    def save(self) -> dict[str, Any]:
        """Return the state, for `restore`."""
        return {
            "numbers": np.array([self.t, self.h]),
            "counts": np.array([self.tableau is self.first, self.failed], dtype=int),
            "vectors": np.array([self.x, self.slope]),
            "charges": np.array([self.charge, self.rate]),
            "node times": np.array([t for t, _ in self.nodes]),
            "node values": np.array([x for _, x in self.nodes]),
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continue from a saved state."""
        self.t, self.h = (float(value) for value in saved["numbers"])
        at_start, failed = (bool(n) for n in saved["counts"])
        self.tableau, self.failed = self.first if at_start else self.usual, failed
        self.x, self.slope = np.array(saved["vectors"])
        self.charge, self.rate = np.array(saved["charges"])
        self._weights = self.weights.weights(self.x)
        times = [float(t) for t in saved["node times"]]
        self.nodes = list(zip(times, np.array(saved["node values"]), strict=True))
