"""The steps of a run in time as they were made, and its derivatives.

With the steps held fixed, a run is a sequence of linear operations on charges, their differences or
rates, and of implicit equations. `forward` differentiates it from the first step to the last, one
column per parameter; `adjoint` from the last to the first, one row per number of the functional.
Both are derivatives of the same discrete equations, and agree to rounding.

References: T. Maly and L. R. Petzold, Appl. Numer. Math. 20 (1996) 57 (forward); Y. Cao, S. Li,
L. R. Petzold and R. Serban, SIAM J. Sci. Comput. 24 (2003) 1076 (adjoint of such equations).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...arrays import Vector
from .backward_differences import GAMMA, ROWS, rescaling


@dataclass(frozen=True)
class Begin:
    """A start or restart at (t, x), with a first step h."""

    t: float
    x: Vector
    h: float


@dataclass(frozen=True)
class Rescale:
    """A change of the step by a factor; differences up to `order` follow."""

    order: int
    factor: float


@dataclass(frozen=True)
class RungeKuttaStep:
    """A step of length h of a Runge-Kutta method, with the times and states of its stages.

    The tables of such a run hold the charge and its rate in their first two rows.
    """

    h: float
    A: Vector
    stages: Sequence[tuple[float, Vector]]  # without the first one, which is explicit


@dataclass(frozen=True)
class RecordedStep:
    """A step of length h to (t, x), with the formula of an order.

    The formula differentiates charges by alpha / h times the new one, and differences before it.
    """

    t: float
    h: float
    order: int
    alpha: float
    x: Vector


class Linearization(Protocol):
    """The equations linearized at one point of a run."""

    @property
    def J(self) -> Any:
        """The derivative of F by x, shape (n, n)."""
        ...

    @property
    def C(self) -> Any:
        """The derivative of Q by x, shape (n, n)."""
        ...

    @property
    def Fp(self) -> Vector:
        """The derivative of F by the parameters, shape (n, m)."""
        ...

    @property
    def Qp(self) -> Vector:
        """The derivative of Q by the parameters, shape (n, m)."""
        ...

    def solve(self, a: float, b: Vector, transpose: bool = False) -> Vector:
        """Return (J + a C)^-1 b, or with the transposed matrix."""
        ...


class RunLinearizer(Protocol):
    """A linearizer of the equations.

    Attributes
    ----------
    a0 : float
        Of the negligible step at a start.
    stores : ndarray of bool, shape (n,)
    """

    a0: float
    stores: NDArray[np.bool_]

    def at(self, t: float, x: Vector) -> Linearization:
        """Return the linearization at a point."""
        ...


Operation = Begin | Rescale | RecordedStep | RungeKuttaStep


def forward(tape: Sequence[Operation], model: RunLinearizer, charge: Vector) -> Vector:
    """Return dx/dp at the end, shape (n, m); parameters as those of `along`."""
    last = deque(along(tape, model, charge), maxlen=1)
    return last[0][1] if last else charge


def along(
    tape: Sequence[Operation], model: RunLinearizer, charge: Vector
) -> Iterator[tuple[float, Vector]]:
    """Yield the time and dx/dp, shape (n, m), after each start and each step.

    Parameters
    ----------
    charge : ndarray, shape (n, m)
        The derivative of the first charge by the parameters.
    """
    T = np.zeros((ROWS, *charge.shape))
    T[0] = charge
    for done in tape:
        if isinstance(done, Rescale):
            rescale_rows(T, rescaling(done.order, done.factor))
        elif isinstance(done, Begin):
            yield done.t, begin_forward(T, done, model)
        elif isinstance(done, RungeKuttaStep):
            yield done.stages[-1][0], stages_forward(T, done, model).end
        else:
            yield done.t, step_forward(T, done, model)


def begin_forward(T: Vector, done: Begin, model: RunLinearizer) -> Vector:
    """Return dx/dp at a start, and change the table of charges to it."""
    here = model.at(done.t, done.x)
    S = here.solve(model.a0, -here.Fp - model.a0 * (here.Qp - T[0]))
    T[1:] = 0.0
    T[1] = -done.h * np.where(model.stores[:, None], here.J @ S + here.Fp, 0.0)
    return S


def step_forward(T: Vector, done: RecordedStep, model: RunLinearizer) -> Vector:
    """Return dx/dp at the end of a step of a formula, and change the table of charges to it."""
    k, a = done.order, done.alpha / done.h
    here = model.at(done.t, done.x)
    predicted = T[: k + 1].sum(axis=0)
    psi = np.tensordot(GAMMA[1 : k + 1], T[1 : k + 1], 1) / done.alpha
    S = here.solve(a, -here.Fp - a * (here.Qp - predicted + psi))
    append_rows(T, k, here.C @ S + here.Qp - predicted)
    return S


def append_rows(T: Vector, order: int, deviation: Vector) -> None:
    """Append a value to a table of differences, by its deviation from the predicted one."""
    T[order + 2] = deviation - T[order + 1]
    T[order + 1] = deviation
    for j in range(order, -1, -1):
        T[j] += T[j + 1]


def adjoint(
    tape: Sequence[Operation], model: RunLinearizer, gradient: Vector
) -> tuple[Vector, Vector]:
    """Return the derivative of a functional of the last state by the parameters.

    Parameters
    ----------
    gradient : ndarray, shape (n, r)
        Of the functional by x, one column per number.

    Returns
    -------
    derivative : ndarray, shape (m, r)
        Without the part by the first charge.
    charge : ndarray, shape (n, r)
        The derivative by the first charge.
    """
    L, last = np.zeros((ROWS, *gradient.shape)), gradient
    total: Any = 0.0
    for done in reversed(tape):
        if isinstance(done, Rescale):
            rescale_rows(L, rescaling(done.order, done.factor).T)
            continue
        if isinstance(done, Begin):
            here = model.at(done.t, done.x)
            rate = -done.h * np.where(model.stores[:, None], L[1], 0.0)
            mu = here.solve(model.a0, here.J.T @ rate + last, transpose=True)
            total = total + here.Fp.T @ (rate - mu) - model.a0 * (here.Qp.T @ mu)
            L[0] += model.a0 * mu
            L[1:] = 0.0
        elif isinstance(done, RungeKuttaStep):
            total = total + stages_back(L, done, model, last)
        else:
            total = total + _step_back(L, done, model, last)
        last = np.zeros_like(gradient)
    return np.asarray(total), L[0]


def _step_back(L: Vector, done: RecordedStep, model: RunLinearizer, last: Vector) -> Vector:
    """Turn derivatives by the differences after a step into those before it."""
    k, a = done.order, done.alpha / done.h
    here = model.at(done.t, done.x)
    deviation = L[: k + 3].sum(axis=0)
    mu = here.solve(a, here.C.T @ deviation + last, transpose=True)
    found: Vector = here.Qp.T @ deviation - (here.Fp + a * here.Qp).T @ mu
    L[: k + 1] = np.cumsum(L[: k + 1], axis=0) - deviation + a * mu
    L[1 : k + 1] -= np.multiply.outer(GAMMA[1 : k + 1] / done.alpha, a * mu)
    L[k + 1] = -L[k + 2]
    L[k + 2] = 0.0
    return found


@dataclass(frozen=True)
class StagesForward:
    """Derivatives by the parameters in a Runge-Kutta step.

    Attributes
    ----------
    end : ndarray, shape (n, m)
        dx/dp at its end.
    rates : list of ndarray, shape (n, m)
        Of the charge, at the stages.
    last : Linearization
        At its end.
    """

    end: Vector
    rates: list[Vector]
    last: Linearization


def stages_forward(T: Vector, done: RungeKuttaStep, model: RunLinearizer) -> StagesForward:
    """Differentiate a Runge-Kutta step, and change the table of charges to its end."""
    A, stores = done.A, model.stores[:, None]
    a = 1.0 / (A[-1, -1] * done.h)
    rates: list[Vector] = [T[1].copy()]
    for i, (t, x) in enumerate(done.stages, start=1):
        here = model.at(t, x)
        q = T[0] + done.h * np.tensordot(A[i, :i], np.array(rates), 1)
        S = here.solve(a, -here.Fp - a * (here.Qp - q))
        charge = here.C @ S + here.Qp
        rates.append(np.where(stores, a * (charge - q), 0.0))
    T[0], T[1] = charge, rates[-1]
    return StagesForward(S, rates, here)


def stages_back(L: Vector, done: RungeKuttaStep, model: RunLinearizer, last: Vector) -> Vector:
    """Turn derivatives by the charge and rate after a Runge-Kutta step into those before it."""
    A, stores, n_stages = done.A, model.stores[:, None], len(done.A)
    a = 1.0 / (A[-1, -1] * done.h)
    by_rate = [np.zeros_like(last) for _ in range(n_stages)]
    by_rate[-1] += L[1]
    by_charge, by_state, before = L[0].copy(), last, np.zeros_like(last)
    total: Any = 0.0
    for i in range(n_stages - 1, 0, -1):
        t, x = done.stages[i - 1]
        here = model.at(t, x)
        through = a * np.where(stores, by_rate[i], 0.0)
        by_charge = by_charge + through
        mu = here.solve(a, here.C.T @ by_charge + by_state, transpose=True)
        total = total + here.Qp.T @ by_charge - (here.Fp + a * here.Qp).T @ mu
        by_q = a * mu - through
        before += by_q
        for j in range(i):
            by_rate[j] += done.h * A[i, j] * by_q
        by_charge, by_state = np.zeros_like(last), np.zeros_like(last)
    L[0], L[1] = before, by_rate[0]
    return np.asarray(total)


def rescale_rows(T: Vector, matrix: Vector) -> None:
    """Multiply the first rows of a table by a matrix."""
    rows = T[: len(matrix)]
    rows[:] = np.tensordot(matrix, rows, 1)
