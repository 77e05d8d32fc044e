"""Steps of diagonally implicit Runge-Kutta methods, on charges.

A stage solves ``Q(x_i) = Q_n - h sum_j a_ij F(x_j)``. The explicit first stage is the last stage of
the step before (the methods are stiffly accurate), so C = dQ/dx may be singular. Equations that
store nothing hold at every stage.

References: E. Hairer and G. Wanner, Solving Ordinary Differential Equations II (1996), IV.6 and
IV.8; K. Gustafsson, ACM Trans. Math. Softw. 20 (1994) 496 (the next step).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arrays import EPS, Vector
from ...errors import LinearSolveError
from ..implicit.implicit_equation import Equation
from ..implicit.implicit_solver import LOWEST, ImplicitSolver
from ..interpolation import NodePolynomial
from ..starts.consistent_start import Start
from .recorded_steps import Begin, RungeKuttaStep
from .sensitivity_control import SensitivityControl
from .tableaus import Tableau
from .time_step import MARGIN, RejectedStep, TimeStep, step_factor

GROW, SHRINK = 5.0, 0.2
ACCEPTED = MARGIN**-0.5  # of the tolerance: with more, one long step would outweigh all others
DEAD_BAND = 1.2  # a step that would grow less keeps its size, and so its factorization
ITERATIONS = 7  # of Newton for a stage: the guess is poorer than that of a formula
NODES = 5  # of the dense output: as accurate as the steps of order 4


@dataclass(frozen=True)
class Stages:
    """The data of a step that its continuation needs.

    Attributes
    ----------
    stages : list of (float, ndarray)
        Times and states, the explicit first one included.
    rate : ndarray, shape (n + m,)
        Of the charge, at the end.
    """

    stages: list[tuple[float, Vector]]
    rate: Vector
    tableau: Tableau


class RungeKuttaStepper:
    """Steps of variable size with a diagonally implicit Runge-Kutta method.

    Parameters
    ----------
    first : Tableau, optional
        For the first step after a start.
    stores : ndarray of bool, shape (n,)
        Equations with a charge. The rate of the others is zero: they hold exactly at every stage.
    fixed : bool
        Keep the step, without an estimate of the error.

    Attributes
    ----------
    t, h : float
        The current time, and the next step.
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
        implicit.max_iterations = ITERATIONS
        self._tolerance = implicit.tolerance
        self.usual, self.first, self.tableau = tableau, first or tableau, tableau
        extra = 0 if implicit.system.currents is None else implicit.system.currents.size
        self.stores, self.fixed = np.append(stores, np.ones(extra, dtype=bool)), fixed
        if not fixed:
            self.weights.divide(tableau.order, tableau.error_order + 1)
        self.t = self.h = 0.0
        self.order, self.asked = tableau.order, 0.0  # the length that the last error asked for
        self.tape: list[Any] | None = None  # for sensitivities
        self.control: SensitivityControl | None = None  # of their errors

    def start(self, t: float, start: Start, h: float) -> None:
        """Begin at a consistent state, with a first step h."""
        self.t, self.h = t, h
        self.x, self.charge, self.slope, self.rate = start.x, start.charge, start.slope, start.rate
        self.tableau, self.failed, self.asked = self.first, False, 0.0
        self._weigh(self.weights.weights(start.x))
        self.nodes = [(t, start.x)]  # of the dense output
        self.implicit.renew()
        if self.tape is not None:
            self.tape.append(Begin(t, start.x.copy(), 1.0))
        if self.control is not None:
            self.control.begin(Begin(t, start.x.copy(), 1.0))

    def _weigh(self, weights: Vector) -> None:
        """Take the weights of errors, and give a stage its tolerance: not below rounding."""
        rounding = LOWEST * EPS * float(np.abs(self.x).max() * weights.max())
        least = max(self.tableau.stage_share * self._tolerance, rounding)
        self._weights, self.implicit.tolerance = weights, min(self._tolerance, least)

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
        rates, solved, iterations = [self.rate], None, 0
        stages = [(self.t, self.x)]
        for i in range(1, len(c)):
            q = self.charge.copy()
            for j in range(i):
                if A[i, j]:
                    q += h * A[i, j] * rates[j]
            time = t if c[i] == 1.0 else self.t + c[i] * h
            equation = Equation(time, a, q, self._weights)
            guess = self.implicit.leveled(self._guess(stages), lambda: self.x)
            solved = self.implicit.solve(equation, guess)
            if solved.x is None:
                return RejectedStep.unsolved(solved.reason)
            rates.append(np.where(self.stores, a * (solved.charge - q), 0.0))
            stages.append((time, solved.x))
            iterations += solved.iterations
        assert solved is not None
        step = TimeStep(t, h, self.order, stages[-1][1], solved.charge, 0.0, iterations)
        step.currents, step.equation = solved.currents, equation
        step.own = Stages(stages, rates[-1], self.tableau)
        return step if self.fixed else self._judged(step, rates, a)

    def _guess(self, stages: Sequence[tuple[float, Vector]]) -> Vector:
        """Return the start of the Newton iteration for a stage: the line through known ones."""
        i, c = len(stages), self.tableau.c
        if i == 1:
            line: Vector = self.x + c[1] * self.h * self.slope
            return line
        guess: Vector = self.x + c[i] / c[i - 1] * (stages[-1][1] - self.x)
        return guess

    def _judged(self, step: TimeStep, rates: list[Vector], a: float) -> TimeStep | RejectedStep:
        """Accept or reject by the embedded formula, in the unknowns: M^-1 a (error of charge)."""
        pairs = zip(self.tableau.error, rates, strict=True)
        lost = self.h * np.sum([weight * rate for weight, rate in pairs], axis=0)
        try:
            deviation = self.implicit.correction(lost, a)
        except LinearSolveError as failure:
            return RejectedStep.unsolved(f"the error could not be estimated: {failure}")
        step.error = error = self.weights.norm(deviation, self._weights)
        if error <= ACCEPTED:
            return step if self.control is None else self._controlled(step, self.control)
        worst = self.weights.worst(deviation, self._weights)
        where = f" (a step may have {ACCEPTED:.2g}), most in {worst}"
        return self._rejected(error, "the error estimate", where)

    def _rejected(self, error: float, what: str, where: str = "") -> RejectedStep:
        factor = max(SHRINK, step_factor(error, self.tableau.error_order))
        reason = f"{what} is {error:.2g} times the tolerance{where}"
        return RejectedStep("error", reason, factor, error)

    def _controlled(self, step: TimeStep, control: SensitivityControl) -> TimeStep | RejectedStep:
        """Return the step, or its rejection where the derivatives need a shorter one."""
        done = RungeKuttaStep(step.h, step.own.tableau.A, step.own.stages[1:])
        weights = step.own.tableau.error
        try:
            return control.judged(step, lambda: control.of_stages(done, weights), self._rejected)
        finally:
            self.implicit.matrix.release()

    def reject(self, rejection: RejectedStep) -> None:
        """Shorten the next step after a rejected one."""
        self.failed = True
        self.resize(rejection.factor * self.h)

    def accept(self, step: TimeStep) -> None:
        """Go to the end of a step, and choose the next step."""
        if self.tape is not None:
            self.tape.append(RungeKuttaStep(step.h, step.own.tableau.A, step.own.stages[1:]))
        if self.control is not None:
            self.control.accept()
        kept: Stages = step.own
        c, inner = kept.tableau.c, kept.tableau.inner
        self.slope = (step.x - kept.stages[inner][1]) / ((c[-1] - c[inner]) * step.h)
        self.nodes = [*self.nodes[2 - NODES :], (step.t, step.x)]
        self.t, self.x, self.charge, self.rate = step.t, step.x, step.charge, step.own.rate
        self.tableau = self.usual
        self._weigh(self.weights.observe(step.x))
        self.implicit.advance()
        if not self.fixed:
            self._choose(step)

    def _choose(self, step: TimeStep) -> None:
        """Change the step by the error; never longer right after a rejection.

        Where errors ask for ever shorter steps, the next one is shortened as much once more.
        """
        factor = min(GROW, step_factor(step.error, self.tableau.error_order))
        before, self.asked = self.asked, factor * step.h
        if before > self.asked:
            factor *= self.asked / before
        most = 1.0 if self.failed else GROW
        self.failed = False
        if factor < 1.0 or factor >= DEAD_BAND:
            self.resize(self.h * max(SHRINK, min(factor, most)))

    def curve(self, step: TimeStep) -> NodePolynomial:
        """Return the unknowns within a step that is not accepted yet: a polynomial of degree 4.

        It goes through the ends of the last steps. Right after a start, stages take the place of
        steps: they are less accurate.
        """
        inner = step.own.stages[1:-1][: NODES - 1 - len(self.nodes)]
        return NodePolynomial((*self.nodes, *inner, (step.t, step.x)))

    def mark(self) -> tuple[Any, ...]:
        """Return the state, for `undo` before the next mark."""
        flags = (self.tableau is self.first, self.failed, len(self.tape or ()))
        vectors = (self.x, self.slope, self.charge, self.rate)
        control = None if self.control is None else self.control.mark()
        return (self.t, self.h, self.asked, *flags, *vectors, self.nodes, control)

    def undo(self, mark: tuple[Any, ...]) -> None:
        """Go back to a state."""
        self.t, self.h, self.asked, at_start, self.failed, done, *vectors, nodes, control = mark
        self.nodes = nodes
        self.x, self.slope, self.charge, self.rate = vectors
        if self.tape is not None:
            del self.tape[done:]
        if self.control is not None:
            self.control.undo(control)
        self.tableau = self.first if at_start else self.usual
        self._weigh(self.weights.weights(self.x))

    def save(self) -> dict[str, Any]:
        """Return the state, for `restore`."""
        t, h, asked, *flags, x, slope, charge, rate, nodes, _ = self.mark()
        return {
            "numbers": np.array([t, h, asked]),
            "counts": np.array(flags, dtype=int),
            "vectors": np.array([x, slope]),
            "charges": np.array([charge, rate]),
            "node times": np.array([time for time, _ in nodes]),
            "node values": np.array([value for _, value in nodes]),
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continue from a saved state."""
        numbers = (float(value) for value in saved["numbers"])
        at_start, failed, done = (int(n) for n in saved["counts"])
        times = [float(time) for time in saved["node times"]]
        nodes = list(zip(times, np.array(saved["node values"]), strict=True))
        vectors = (*np.array(saved["vectors"]), *np.array(saved["charges"]))
        self.undo((*numbers, bool(at_start), bool(failed), done, *vectors, nodes, None))
