"""Backward differentiation formulas of order 1 to 5 with variable step and order, on charges.

The formula differentiates the charge: ``dQ/dt ~ (alpha / h) (Q_new - Q_predicted + psi)``. What is
conserved by F is conserved by the steps to rounding, which differences of ``C dx/dt`` are not.

References: L. F. Shampine and M. W. Reichelt, SIAM J. Sci. Comput. 18 (1997) 1, section 2.2;
P. Yang, B. D. Epler and P. K. Chatterjee, IEEE J. Solid-State Circuits 18 (1983) 128 (charge
instead of capacitance times slope); A. C. Hindmarsh et al., ACM Trans. Math. Softw. 31 (2005) 363,
section 2.1 (the step grows fast at the start); E. Hairer, S. P. Norsett and G. Wanner, Solving
Ordinary Differential Equations I (1993), III.5 (order 2 is stable where steps grow).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ...arrays import Vector
from ...errors import LinearSolveError
from ..implicit.implicit_equation import Equation
from ..implicit.implicit_solver import ImplicitSolver
from ..starts.consistent_start import Start
from .backward_differences import CAPACITY, MAX_ORDER, BackwardPolynomial, PastValues
from .bdf_formulas import Formulas
from .recorded_steps import Begin, RecordedStep, Rescale
from .sensitivity_control import SensitivityControl
from .time_step import RejectedStep, TimeStep, step_factor

RISE = 0.3  # of the longest step that the error allows, where a long step follows a short one
LONGER = 2.4  # at the start; formulas of order 2 are stable up to 1 + sqrt(2)
DEAD_BAND = (0.9, 1.2)  # steps that would change by such a factor keep their size, and so M
GROW, SHRINK = 10.0, 0.2  # the most by which a step changes at once
CAP = 32.0  # bounds factor ** order: so rounding in differences of the charge is not amplified
FAILURES = 3  # rejections in a row after which the order falls to 1
STAYED = 0.5  # the least part of the error that is left in a shorter step where an unknown jumps


class BdfStepper:
    """Steps of variable size and order.

    Parameters
    ----------
    max_order : int
        At most 5. Above 2, lightly damped oscillations limit the step: 2 where circuits ring.
    fixed : bool
        Keep the step, without an estimate of the error; the order rises to `max_order`.

    Attributes
    ----------
    t, h : float
        The current time, and the next step.
    order : int
    """

    def __init__(
        self,
        implicit: ImplicitSolver,
        max_order: int = MAX_ORDER,
        ndf: bool = True,
        *,
        fixed: bool = False,
    ) -> None:
        self.implicit, self.weights = implicit, implicit.weights
        self.max_order, self.formulas, self.fixed = max_order, Formulas.of(ndf), fixed
        if not fixed:
            self.weights.divide(max_order, max_order + 1)
        self.t = self.h = 0.0
        self.order, self.equal_steps, self.failures = 1, 0, 0
        self.rising = True  # the step grows at every step, until the error or a rejection ends it
        self._last_error = np.inf  # of the last rejected step
        # Of the past values, of those that `undo` goes back to, and to write to: new memory for
        # each step would take longer than its arithmetic.
        self._memories: list[Vector] = []
        self._marked: Vector | None = None
        self.tape: list[Begin | Rescale | RecordedStep] | None = None  # for sensitivities
        self.control: SensitivityControl | None = None  # of their errors

    def start(self, t: float, start: Start, h: float) -> None:
        """Begin at a consistent state, with a first step h."""
        self.t, self.h = t, h
        self.order, self.equal_steps, self.failures, self.rising = 1, 0, 0, True
        self._split(len(start.x))
        both = np.concatenate
        step = h * both([start.slope, start.rate])
        self._set_past(both([start.x, start.charge]), np.stack([0.0 * step, -step, -2.0 * step]))
        self._weights = self.weights.weights(start.x)
        self.implicit.renew()
        if self.tape is not None:
            self.tape.append(Begin(t, start.x.copy(), h))
        if self.control is not None:
            self.control.begin(Begin(t, start.x.copy(), h), start.slope)

    def _split(self, n: int) -> None:
        """Set where the unknowns and the charges are in the past values."""
        self._n, self._unknowns, self._charges = n, slice(n), slice(n, None)

    def _set_past(self, base: Vector, distances: Vector, first: int | None = None) -> None:
        self._memories = [np.empty((CAPACITY + 1, len(base))) for _ in range(3)]
        self._past = PastValues.of(base, distances, self._memories[0], first)

    @property
    def past(self) -> PastValues:
        """The past values of the unknowns, and of the charges behind them."""
        return self._past

    @property
    def error_weights(self) -> Vector:
        """The weights of errors at the current state, shape (n,)."""
        return self._weights

    @property
    def x(self) -> Vector:
        """The unknowns at the current time, shape (n,)."""
        return self._past.latest(self._unknowns)

    @property
    def charge(self) -> Vector:
        """The charge that the formula continues from, shape (n + m,)."""
        return self._past.latest(self._charges)

    @property
    def change(self) -> Vector:
        """The latest change of the unknowns in a step, shape (n,)."""
        rows = self._past.distances[:2, : self._n]
        latest: Vector = rows[0] - rows[1]
        return latest

    def resize(self, h: float) -> None:
        """Change the next step."""
        if h == self.h:
            return
        self._past = self._past.rescaled(self.order, h / self.h, self._free_memory())
        if self.tape is not None:
            self.tape.append(Rescale(self.order, h / self.h))
        if self.control is not None:
            self.control.rescale(self.order, h / self.h)
        self.h, self.equal_steps = h, 0

    def _free_memory(self) -> Vector:
        past, marked = self._past.memory, self._marked
        return next(m for m in self._memories if m is not past and m is not marked)

    def attempt(self, t: float) -> TimeStep | RejectedStep:
        """Try one step to t = self.t + self.h; nothing changes but the counts."""
        k, formulas, past = self.order, self.formulas, self._past
        ahead = past.combined(formulas.ahead[k], self._unknowns)
        q = past.combined(formulas.known[k], self._charges)
        equation = Equation(t, float(formulas.alpha[k]) / self.h, q, self._weights)
        solved = self.implicit.solve(equation, self.implicit.leveled(ahead, lambda: self.x))
        if solved.x is None:
            return RejectedStep.unsolved(solved.reason)
        deviation = solved.x - ahead
        error = float(formulas.error[k]) * self.weights.norm(deviation, self._weights)
        step = TimeStep(t, self.h, k, solved.x, solved.charge, error, solved.iterations)
        step.currents, step.equation = solved.currents, equation
        if error <= 1.0 or self.fixed:
            return step if self.control is None else self._controlled(step, self.control)
        if self._jumps(error) and self._charge_error(step) <= 1.0:
            return replace(step, error=1.0, jump=True)
        return self.rejected_by(error, deviation)

    def rejected_by(self, error: float, deviation: Vector) -> RejectedStep:
        """Return the rejection of a step by its error, which a deviation of shape (n,) shows."""
        worst = self.weights.worst(deviation, self._weights)
        return self._rejected(error, "the error estimate", f", most in {worst}")

    def _rejected(self, error: float, what: str, where: str = "") -> RejectedStep:
        factor = max(SHRINK, step_factor(error, self.order))
        reason = f"{what} is {error:.2g} times the tolerance{where}"
        return RejectedStep("error", reason, factor, error)

    def _controlled(self, step: TimeStep, control: SensitivityControl) -> TimeStep | RejectedStep:
        """Return the step, or its rejection where the derivatives need a shorter one."""
        done = self._recorded(step)
        coefficient = float(self.formulas.error[step.order])
        try:
            return control.judged(step, lambda: control.of_step(done, coefficient), self._rejected)
        finally:
            self.implicit.matrix.release()

    def _jumps(self, error: float) -> bool:
        """Whether the error stayed as large in shorter steps, as where an unknown jumps."""
        return self.failures >= 2 and error > STAYED * self._last_error

    def _charge_error(self, step: TimeStep) -> float:
        """Return the error in units of the tolerance that comes from the charge alone.

        Unknowns that follow algebraic equations count with the error that they inherit.
        """
        k = step.order
        predicted = self._past.combined(self.formulas.ahead[k], self._charges)
        lost = self.formulas.error[k] * (step.charge - predicted)
        try:
            inherited = self.implicit.correction(lost, self.formulas.alpha[k] / step.h)
        except LinearSolveError:
            return np.inf
        return self.weights.norm(inherited, self._weights)

    def reject(self, rejection: RejectedStep) -> None:
        """Shorten the next step after a rejected one."""
        self.rising, self.failures = False, self.failures + 1
        self._last_error = rejection.error
        if self.failures >= FAILURES:
            self.order = 1
        self.resize(rejection.factor * self.h)

    def _recorded(self, step: TimeStep) -> RecordedStep:
        alpha = float(self.formulas.alpha[step.order])
        return RecordedStep(step.t, step.h, step.order, alpha, step.x.copy())

    def accept(self, step: TimeStep) -> None:
        """Go to the end of a step, and choose the next step and order."""
        k = self.order
        if self.tape is not None:
            self.tape.append(self._recorded(step))
        past = self._past if self._past.first else self._past.moved(self._free_memory())
        self._past = past.appended(step.x, step.charge)
        if self.control is not None:
            self.control.accept()
        self.t, self.failures = step.t, 0
        self._weights = self.weights.observe(step.x)
        self.implicit.advance()
        self.equal_steps += 1
        if self.fixed:
            self.order = min(k + 1, self.max_order)
        elif self.rising:
            self._rise(step)
        elif self.equal_steps > k:
            self._choose(step)

    def take(
        self,
        times: tuple[float, float],
        counts: tuple[int, int, bool],
        past: tuple[Vector, Vector, int],
        weights: Vector,
    ) -> None:
        """Go to the end of steps that were made elsewhere.

        Parameters
        ----------
        times : (t, h)
        counts : (order, equal_steps, rising)
        past : (base, distances, first)
            As for `PastValues.of`.
        """
        self.t, self.h = times
        self.order, self.equal_steps, self.rising = counts
        base, distances, first = past
        self._past = PastValues.of(base, distances, self._free_memory(), first)
        self._weights, self.failures = weights, 0

    def _rise(self, step: TimeStep) -> None:
        """Lengthen the step as long as the error allows it, at the order that is stable then."""
        self.order = min(2, self.max_order)
        factor = LONGER
        if step.error > 0.0:
            factor = min(factor, RISE * step.error ** (-1.0 / (self.order + 1)))
        self.rising = factor >= 2.0
        if self.rising:
            self.resize(factor * self.h)

    def _choose(self, step: TimeStep) -> None:
        """Take the order of k - 1, k and k + 1 that allows the longest step."""
        best, factor = self.order, _factor_of_order(self.order, step.error)
        if DEAD_BAND[0] <= factor < DEAD_BAND[1] and (self.equal_steps - self.order) % 2 == 0:
            return  # two other differences at every second step are enough
        for order in (self.order - 1, self.order + 1):
            if 1 <= order <= self.max_order:
                other = _factor_of_order(order, self._error_of(order))
                if other > factor:
                    best, factor = order, other
        if DEAD_BAND[0] <= factor < DEAD_BAND[1]:
            return
        self.order = best
        self.resize(self.h * factor)
        self.equal_steps = 0

    def _error_of(self, order: int) -> float:
        """Return the error that a formula of another order has, in units of the tolerance."""
        weights = self.formulas.next_difference[order]
        difference = weights.dot(self._past.distances[: order + 2, : self._n])
        coefficient = float(self.formulas.error[order])
        error = coefficient * self.weights.norm(difference, self._weights)
        if self.control is not None:
            error = max(error, self.control.error_of(order, coefficient))
        return error

    def curve(self, step: TimeStep) -> BackwardPolynomial:
        """Return the unknowns within a step that is not accepted yet."""
        before, n = self._past, self._n
        distances = before.distances[: self.order, :n] - (step.x - before.base[:n])
        return BackwardPolynomial(step.t, step.h, step.x, distances)

    def mark(self) -> tuple[Any, ...]:
        """Return the state, for `undo` before the next mark."""
        self._marked = self._past.memory
        numbers = (self.t, self.h, self._last_error, self._n)
        counts = (self.order, self.equal_steps, self.failures, self.rising, len(self.tape or ()))
        control = None if self.control is None else self.control.mark()
        return (*numbers, *counts, self._past, self._weights, control)

    def undo(self, mark: tuple[Any, ...]) -> None:
        """Go back to a state."""
        *numbers, self._past, self._weights, control = mark
        self.t, self.h, self._last_error, n, *counts, done = numbers
        self._split(n)
        self.order, self.equal_steps, self.failures, self.rising = counts
        if self.tape is not None:
            del self.tape[done:]
        if self.control is not None:
            self.control.undo(control)

    def save(self) -> dict[str, Any]:
        """Return the state, for `restore`."""
        *numbers, past, weights, _ = self.mark()
        return {"numbers": np.array(numbers, dtype=float), "weights": weights, **past.save()}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continue from a saved state."""
        t, h, last_error, *counts = (float(value) for value in saved["numbers"])
        n, order, equal_steps, failures, rising, done = map(int, counts)
        base, distances = np.array(saved["base"]), np.array(saved["distances"])
        self._set_past(base, distances, int(saved["first"]))
        state = (order, equal_steps, failures, bool(rising), done)
        self.undo((t, h, last_error, n, *state, self._past, np.array(saved["weights"]), None))


def _factor_of_order(order: int, error: float) -> float:
    """Return the factor by which a step of an order changes that has an error."""
    return min(GROW, float(CAP ** (1.0 / order)), step_factor(error, order))
