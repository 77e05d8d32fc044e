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
from numpy.typing import NDArray

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
        Blocks whose derivatives and their slopes begin at zero may also have the errors that the
        others pass on: of derivatives that grow as t**2, the first step has an error of 0.3.
    """

    def __init__(self, make: Callable[[], ChargedLinearizer], rtol: float, blocks: Blocks) -> None:
        self.make, self.rtol = make, rtol
        self.parts = [blocks[name] for name in blocks.names]
        self._model: ChargedLinearizer | None = None
        self._charges = self._states = np.zeros(0)  # tables of differences; not changed in place
        self._sizes: list[Vector] = []
        self._young: list[NDArray[np.bool_]] = []  # whether a block began at zero, and is as small
        self._inherited: list[Vector] = []  # errors that the others passed on, by block
        self._x = np.zeros(0)  # at the end of the step that was tried last
        self._tried: tuple[Vector, Vector, list[NDArray[np.bool_]], list[Vector]] | None = None
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
            self._inherited = [np.zeros(shape[-1]) for _ in self.parts]
            self._young = [np.zeros(shape[-1], dtype=bool) for _ in self.parts]
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
        sizes, young = self._grown(S), self._young
        if self._begun is not None:
            sizes, young = self._of_first_step(sizes, self._states[1], deviation)
        inherited = self._passed_on(done, S, sizes, young)
        young = [one & (passed > 0.0) for one, passed in zip(young, inherited, strict=True)]
        self._tried = T, U, young, inherited
        return self._norm(coefficient * deviation, S, sizes, inherited)

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
        self._tried = T, U, self._young, self._inherited
        sizes = self._grown(found.end)
        return self._norm(found.last.solve(a, a * lost), found.end, sizes, self._inherited)

    def error_of(self, order: int, coefficient: float) -> float:
        """Return the error that a formula of another order has."""
        S = self._states[0]
        return self._norm(coefficient * self._states[order + 1], S, self._grown(S), self._inherited)

    def accept(self) -> None:
        """Take the step that was tried last."""
        assert self._tried is not None
        self._charges, self._states, self._young, self._inherited = self._tried
        self._begun = None
        self._observe(self._states[0])

    def mark(self) -> Any:
        """Return the state, for `undo`."""
        errors = self._young, self._inherited
        return self._charges, self._states, [*self._sizes], self._begun, *errors

    def undo(self, mark: Any) -> None:
        """Go back to a state."""
        self._charges, self._states, self._sizes, self._begun, *errors = mark
        self._young, self._inherited = errors

    def _observe(self, S: Vector) -> None:
        self._sizes = self._grown(S)

    def _grown(self, S: Vector) -> list[Vector]:
        """Return the largest magnitudes with those of further derivatives, by block."""
        largest = [np.abs(S[part]).max(axis=0) for part in self.parts]
        return [np.maximum(*pair) for pair in zip(self._sizes, largest, strict=True)]

    def _of_first_step(
        self, sizes: list[Vector], linear: Vector, rest: Vector
    ) -> tuple[list[Vector], list[NDArray[np.bool_]]]:
        """Return sizes after a first step, and which blocks began at zero with a slope of zero.

        Derivatives that grow from zero reach about the square of the linear part of the step over
        the rest, and count with this size.
        """
        found, young = [], []
        for part, size, known in zip(self.parts, sizes, self._sizes, strict=True):
            line, left = (np.abs(one[part]).max(axis=0) for one in (linear, rest))
            grown = np.divide(line**2, left, out=np.zeros_like(left), where=left > 0.0)
            found.append(np.maximum(size, grown))
            young.append((known < left) & (line < left))
        return found, young

    def _passed_on(
        self, done: RecordedStep, S: Vector, sizes: list[Vector], young: list[NDArray[np.bool_]]
    ) -> list[Vector]:
        """Return the errors that young blocks have at the end of a step by those of the others."""
        still = [
            one & ((self.rtol * size <= inherited) | (inherited == 0.0))
            for one, size, inherited in zip(young, sizes, self._inherited, strict=True)
        ]
        if not any(one.any() for one in still):
            return self._inherited
        allowed = np.zeros_like(S)
        for part, size, one in zip(self.parts, sizes, still, strict=True):
            allowed[part] = np.where(one, 0.0, self.rtol * (np.abs(S[part]) + size))
        here, a = self.model.at(done.t, done.x), done.alpha / done.h
        errors = np.abs(here.solve(a, a * (here.C @ allowed)))
        return [
            inherited + np.where(one, errors[part].max(axis=0), 0.0)
            for part, inherited, one in zip(self.parts, self._inherited, still, strict=True)
        ]

    def _norm(
        self, error: Vector, S: Vector, sizes: list[Vector], inherited: list[Vector]
    ) -> float:
        """Return the largest root mean square of a block, of all parameters.

        The error that rounding makes is allowed: in a short step no formula has less.
        """
        found, whole = 0.0, self.model.sizes
        relative = np.divide(EPS, whole, where=whole > 0.0, out=np.zeros_like(whole))
        noise = self._noise + np.abs(self._x[:, None]) * relative
        for part, size, passed in zip(self.parts, sizes, inherited, strict=True):
            allowed = self.rtol * (np.abs(S[part]) + size) + passed + noise[part]
            scaled = np.divide(
                error[part], allowed, out=np.zeros_like(allowed), where=allowed > 0.0
            )
            found = max(found, float(np.sqrt(np.mean(scaled**2, axis=0)).max()))
        return found
