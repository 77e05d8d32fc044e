"""The error of the derivatives of a run by its parameters, for the choice of its steps.

The derivatives are computed step by step beside the state, by the same formula (`recorded_steps`).
The state or the derivatives, whichever has the larger error, determine the step. With the state
alone, a run from a steady state takes a few long steps, in which the derivatives change much.

Reference: W. F. Feehery, J. E. Tolsma and P. I. Barton, Appl. Numer. Math. 25 (1997) 41.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from ...arrays import EPS, Vector
from ...errors import LinearSolveError
from ...results.blocks import Blocks
from .backward_differences import ROWS, rescaling
from .recorded_steps import (
    Begin,
    RecordedStep,
    RungeKuttaStep,
    RunLinearizer,
    append_rows,
    begin_forward,
    rescale_rows,
    stages_forward,
    step_forward,
)
from .time_step import RejectedStep, TimeStep

EULER = 0.01  # of the first step: steps that show the slope at the start
ZERO = " (take a small number for the parameter that is zero)"
ROUNDING = 1e3 * EPS  # of the derivatives of the charge, in a short step


class ChargedLinearizer(RunLinearizer, Protocol):
    """A linearizer with the derivative of the first charge, and the sizes of the parameters.

    Attributes
    ----------
    first_charge : ndarray, shape (n, m)
    sizes : ndarray, shape (m,)
    """

    first_charge: Vector
    sizes: Vector


class SensitivityControl:
    """dx/dp along a run, and its error in units of the tolerance.

    Parameters
    ----------
    make : callable
        ``make()`` -> `ChargedLinearizer`, called when the run begins.
    rtol : float
        Of the derivatives; the absolute tolerance is `rtol` times the largest magnitude so far, by
        block and parameter. It is also at least a derivative by which the whole parameter changes x
        no more than rounding does: derivatives that begin at zero would need ever shorter steps.
    """

    def __init__(self, make: Callable[[], ChargedLinearizer], rtol: float, blocks: Blocks) -> None:
        self.make, self.rtol = make, rtol
        self.parts = [blocks[name] for name in blocks.names]
        self._model: ChargedLinearizer | None = None
        self._charges = self._states = np.zeros(0)  # tables of differences; not changed in place
        self._sizes: list[Vector] = []
        self._x = np.zeros(0)  # at the end of the step that was tried last
        self._tried: tuple[Vector, Vector] | None = None
        self._begun: tuple[Begin, Vector] | None = None  # where no step has been taken since
        self._noise = np.zeros(0)  # what rounding of the charge changes, shape (n, m)

    @property
    def model(self) -> ChargedLinearizer:
        """The linearizer of the equations."""
        if self._model is None:
            self._model = self.make()
            shape = (ROWS, *self._model.first_charge.shape)
            self._charges, self._states = np.zeros(shape), np.zeros(shape)
            self._charges[0] = self._model.first_charge
            self._sizes = [np.zeros(shape[-1]) for _ in self.parts]
        return self._model

    @property
    def derivatives(self) -> Vector:
        """The derivatives at the end of the last step, shape (n, m)."""
        found: Vector = self._states[0]
        return found

    def begin(self, done: Begin, slope: Vector | None = None) -> None:
        """Start, or start anew; with dx/dt where formulas predict the derivatives."""
        model, self._x = self.model, done.x  # the model makes the tables
        T, U = self._charges.copy(), np.zeros_like(self._states)
        first = begin_forward(T, done, model)
        self._charges, self._states = T, U
        self._begun = None if slope is None else (done, slope)
        if slope is None:
            U[0] = first
        else:
            self._set_start()
        a, rounding = 1.0 / done.h, ROUNDING * np.abs(T[0])
        self._noise = np.abs(model.at(done.t, done.x).solve(a, a * rounding))
        self._observe(U[0])

    def _set_start(self) -> None:
        """Set the derivatives at a start, and h times their slope and the rate of the charge.

        Three backward Euler steps, shorter than the first step: the first one makes the derivatives
        consistent, the others show the slope.
        """
        assert self._begun is not None
        done, slope = self._begun
        step = EULER * done.h
        charge, values, a = self._charges[0], list[Vector](), 1.0 / step
        for k in range(1, 4):
            here = self.model.at(done.t + k * step, done.x + k * step * slope)
            values.append(here.solve(a, -here.Fp - a * (here.Qp - charge)))
            charge = here.C @ values[-1] + here.Qp
        second, third = values[1] - values[0], values[2] - values[1]
        S = values[0] - 2.0 * second + third
        self._states[0], self._states[1] = S, (3.0 * second - 2.0 * third) / EULER
        here, stores = self.model.at(done.t, done.x), self.model.stores[:, None]
        self._charges[1] = -done.h * np.where(stores, here.J @ S + here.Fp, 0.0)

    def rescale(self, order: int, factor: float) -> None:
        """Change the step."""
        matrix = rescaling(order, factor)
        self._charges, self._states = self._charges.copy(), self._states.copy()
        rescale_rows(self._charges, matrix)
        if self._begun is None:
            rescale_rows(self._states, matrix)
        else:
            done, slope = self._begun
            self._begun = replace(done, h=done.h * factor), slope
            self._set_start()

    def judged(
        self,
        step: TimeStep,
        measure: Callable[[], float],
        rejected: Callable[[float, str], RejectedStep],
    ) -> TimeStep | RejectedStep:
        """Return a step, or its rejection where the derivatives need a shorter one.

        Parameters
        ----------
        measure : callable
            Tries the step, by `of_step` or `of_stages`.
        rejected : callable
            ``rejected(error, what)`` -> the rejection for an error of what is named.
        """
        try:
            error = measure()
        except LinearSolveError as failure:
            return RejectedStep.unsolved(f"the derivatives could not be computed: {failure}")
        if error > 1.0:
            zero = "" if self.model.sizes.all() else ZERO
            return rejected(error, f"the error estimate of the derivatives{zero}")
        return replace(step, error=max(step.error, error))

    def of_step(self, done: RecordedStep, coefficient: float) -> float:
        """Try a step of a formula; return the error of the derivatives at its end.

        Parameters
        ----------
        coefficient : float
            Of the error: times the next difference.
        """
        T, U, k = self._charges.copy(), self._states.copy(), done.order
        S, self._x = step_forward(T, done, self.model), done.x
        deviation = S - U[: k + 1].sum(axis=0)
        append_rows(U, k, deviation)
        self._tried = T, U
        if self._begun is None:
            return self._norm(coefficient * deviation, S)
        return self._norm(coefficient * deviation, S, (self._states[1], deviation))

    def of_stages(self, done: RungeKuttaStep, embedded: Vector) -> float:
        """Try a Runge-Kutta step; return the error of the derivatives at its end.

        Parameters
        ----------
        embedded : ndarray
            The weights of the rates in the error of the charge.
        """
        T, U = self._charges.copy(), self._states.copy()
        found, self._x = stages_forward(T, done, self.model), done.stages[-1][1]
        a = 1.0 / (done.A[-1, -1] * done.h)
        lost = done.h * np.tensordot(embedded, np.array(found.rates), 1)
        U[0] = found.end
        self._tried = T, U
        return self._norm(found.last.solve(a, a * lost), found.end)

    def error_of(self, order: int, coefficient: float) -> float:
        """Return the error that a formula of another order has."""
        return self._norm(coefficient * self._states[order + 1], self._states[0])

    def accept(self) -> None:
        """Take the step that was tried last."""
        assert self._tried is not None
        self._charges, self._states = self._tried
        self._begun = None
        self._observe(self._states[0])

    def mark(self) -> Any:
        """Return the state, for `undo`."""
        return self._charges, self._states, [*self._sizes], self._begun

    def undo(self, mark: Any) -> None:
        """Go back to a state."""
        self._charges, self._states, self._sizes, self._begun = mark

    def _observe(self, S: Vector) -> None:
        largest = [np.abs(S[part]).max(axis=0) for part in self.parts]
        self._sizes = [np.maximum(*pair) for pair in zip(self._sizes, largest, strict=True)]

    def _norm(self, error: Vector, S: Vector, first: tuple[Vector, Vector] | None = None) -> float:
        """Return the largest root mean square of a block, of all parameters.

        The error that rounding makes is allowed: in a short step no formula has less.

        Parameters
        ----------
        first : (ndarray, ndarray), optional
            In the first step, its linear part and the rest. Derivatives that grow from zero reach
            about the square of the one over the other, and count with this size.
        """
        found, sizes = 0.0, self.model.sizes
        relative = np.divide(EPS, sizes, where=sizes > 0.0, out=np.zeros_like(sizes))
        noise = self._noise + np.abs(self._x[:, None]) * relative
        for part, size in zip(self.parts, self._sizes, strict=True):
            here = np.abs(S[part])
            size = np.maximum(size, here.max(axis=0))
            if first is not None:
                linear, rest = (np.abs(one[part]).max(axis=0) for one in first)
                grown = np.divide(linear**2, rest, out=np.zeros_like(rest), where=rest > 0.0)
                size = np.maximum(size, grown)
            allowed = self.rtol * (here + size) + noise[part]
            scaled = np.divide(
                error[part], allowed, out=np.zeros_like(allowed), where=allowed > 0.0
            )
            found = max(found, float(np.sqrt(np.mean(scaled**2, axis=0)).max()))
        return found
