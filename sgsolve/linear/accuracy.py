"""Is x a solution? The componentwise backward error, refinement, and digits that are left.

One idea: the answer of a factorisation is judged, never believed. The componentwise backward error

    max_i |b - A x|_i / (|A||x| + |b|)_i

is the smallest relative change of the entries of A and b for which x is exact (Oettli and Prager).
It does not depend on row or column scaling; ||r||/||b|| says nothing on badly scaled systems.
A singular matrix can still pass it with a huge x; then the estimated forward error shows that no
digit is left.

References: M. Arioli, J. Demmel, I. Duff, SIAM J. Matrix Anal. Appl. 10 (1989) 165; N. Higham,
"Accuracy and Stability of Numerical Algorithms", 2nd ed., chapters 7 and 12; C. Kenney, A. Laub,
SIAM J. Sci. Comput. 15 (1994) 36 (error estimates from random signs).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .backend import NUMERICAL

EPS = float(np.finfo(float).eps)
TINY = float(np.finfo(float).tiny)
# Above this backward error a step of refinement is tried (LINEAR: 1-2 steps always suffice).
REFINE_ABOVE = 1e-12
MAX_REFINE = 3
# A componentwise backward error above this is not an answer.
ACCEPT = 1e-10
# |x| larger than |b| by this factor, both equilibrated: look whether x has any correct digit.
GROWTH = 1e11
# An estimated forward error above this means that it has none.
NO_DIGITS = 1e-2


class Fault(Enum):
    """Why an answer is refused."""

    INACCURATE = "the answer does not satisfy the equations"
    NO_DIGITS = "the answer has no correct digit"
    SINGULAR = "no answer can have a correct digit"
    ZERO_PIVOT = "a pivot is zero"
    BROKEN = "the back end failed"


@dataclass(frozen=True)
class System:
    """The matrix that an answer is judged by: A, |A|, and the solve of the factorisation."""

    A: Any
    magnitude: Any
    solve: Callable[[NDArray[Any]], NDArray[Any]]

    def residual(
        self, x: NDArray[Any], b: NDArray[Any], size_of_b: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """Return b - A x and |A||x| + |b|."""
        r = b - self.A @ x
        scale = self.magnitude @ np.abs(x)
        scale += size_of_b
        return r, scale


@dataclass(frozen=True)
class Answer:
    """A solution with its backward error, and what was needed to judge it."""

    x: NDArray[Any]
    error: float
    residual: NDArray[Any]
    scale: NDArray[np.float64]
    steps: int


def judged(
    system: System, b: NDArray[Any], doubt: float | None, signs: NDArray[np.float64]
) -> tuple[Answer | None, Fault | None]:
    """Solve, refine and judge.

    Parameters
    ----------
    b : ndarray, shape (n,) or (n, k)
    doubt : float or None
        If the pivots hint at a singular matrix, the relative change of A that the factors stand
        for; the digits of x are then counted in any case.
    signs : ndarray, shape (n,)
        For the estimate of the forward error.

    Returns
    -------
    answer : Answer, or None if the back end failed
    fault : Fault, or None if the answer is good
    """
    size = np.abs(b)
    try:
        answer = refined(system, b, size)
    except NUMERICAL:
        return None, Fault.BROKEN
    if not answer.error <= ACCEPT:
        return answer, Fault.INACCURATE
    grown = np.maximum.reduce(np.abs(answer.x)) > GROWTH * np.maximum.reduce(size)
    if doubt is not None or grown.any():
        noise = max(EPS, doubt or 0.0)
        if forward_error(system, answer, signs, noise) > NO_DIGITS:
            return answer, _without_digits(system, answer, signs, noise)
    return answer, None


def _without_digits(
    system: System, answer: Answer, signs: NDArray[np.float64], noise: float
) -> Fault:
    """Tell whether the matrix is to blame, so that no other factorisation can do better.

    It is if rounding of its entries alone, without the residual that this factorisation left and
    without pivots that it replaced, costs all digits.
    """
    exact = replace(answer, residual=np.zeros_like(answer.residual))
    if noise == EPS and forward_error(system, exact, signs, EPS) > NO_DIGITS:
        return Fault.SINGULAR
    return Fault.NO_DIGITS


def refined(system: System, b: NDArray[Any], size_of_b: NDArray[Any]) -> Answer:
    """Solve; if the backward error is above 1e-12, refine while it at least halves.

    Where the strict measure is above 1e-12, rows of pure rounding are set apart as in
    `relaxed_error`; one step of refinement is what brings their noise down.
    """
    x = system.solve(b.copy(order="F"))
    answer = _measured(system, x, b, size_of_b, 0)
    if answer.error <= REFINE_ABOVE:
        return answer
    before = relaxed_error(system, answer)
    answer = replace(answer, error=before)
    while answer.steps < MAX_REFINE and np.isfinite(before):
        step = system.solve(answer.residual.copy(order="F"))
        trial = _measured(system, answer.x + step, b, size_of_b, answer.steps + 1)
        if not trial.error <= REFINE_ABOVE:
            trial = replace(trial, error=relaxed_error(system, trial))
        if trial.error <= REFINE_ABOVE:
            return trial
        answer = trial if trial.error < before else replace(answer, steps=trial.steps)
        if not trial.error < 0.5 * before:
            break
        before = trial.error
    return answer


def _measured(
    system: System, x: NDArray[Any], b: NDArray[Any], size_of_b: NDArray[Any], steps: int
) -> Answer:
    r, scale = system.residual(x, b, size_of_b)
    return Answer(x, _worst(r, scale), r, scale, steps)


def relaxed_error(system: System, answer: Answer) -> float:
    """Return the backward error with rows of pure rounding judged against the largest x.

    A row all of whose terms are below 1e3 eps of the largest unknown holds no information of its
    own (Arioli, Demmel, Duff, section 2: the rows of the second category).
    """
    largest = np.max(np.abs(answer.x), axis=0)
    row_sum = system.magnitude @ np.ones(answer.x.shape[0])
    if answer.x.ndim == 2:
        row_sum = row_sum[:, None]
    noise = row_sum * largest
    scale = np.where(answer.scale < 1e3 * EPS * noise, answer.scale + noise, answer.scale)
    return _worst(answer.residual, scale)


def forward_error(
    system: System, answer: Answer, signs: NDArray[np.float64], noise: float
) -> float:
    """Estimate the relative error of x if the entries of A and b are known to relative `noise`.

    One more solve, with random signs on the componentwise bound |r| + noise (|A||x| + |b|).
    """
    bound = noise * answer.scale + np.abs(answer.residual)
    error = system.solve(np.asfortranarray((bound.T * signs).T))
    largest = np.max(np.abs(answer.x), axis=0)
    ratio = np.max(np.abs(error), axis=0) / (largest + TINY)
    return _finite_or_inf(float(np.max(np.where(largest > 0.0, ratio, 0.0))))


def _worst(r: NDArray[Any], scale: NDArray[np.float64]) -> float:
    return _finite_or_inf(float(np.max(np.abs(r) / (scale + TINY))))


def _finite_or_inf(value: float) -> float:
    return value if value == value else float("inf")
