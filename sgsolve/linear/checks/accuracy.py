"""Backward error of a solution, iterative refinement, and the decision to accept it.

The componentwise backward error

    max_i |b - A x|_i / (|A||x| + |b|)_i

is the smallest relative change of the entries of A and b for which x is exact (Oettli and Prager).
It does not depend on row or column scaling; ||r||/||b|| says nothing on badly scaled systems.
A singular matrix can still pass it with a huge x. Where x or the pivots hint at one, the distance
of the matrix from a singular one decides (`distance`).

References: M. Arioli, J. Demmel, I. Duff, SIAM J. Matrix Anal. Appl. 10 (1989) 165; N. Higham,
"Accuracy and Stability of Numerical Algorithms", 2nd ed., chapters 7 and 12.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arrays import EPS
from ...pattern import matrix_product
from ..methods.backend import NUMERICAL

TINY = float(np.finfo(float).tiny)
# Above this backward error a step of refinement is tried (LINEAR: 1-2 steps always suffice).
REFINE_ABOVE = 1e-12
MAX_REFINE = 3
# A componentwise backward error above this is not an answer. A step of Newton's method needs no
# better one: the next step corrects it, and the residual decides.
ACCEPT = 1e-10
# |x| larger than |b| by this factor, both equilibrated: look whether the matrix is singular.
GROWTH = 1e11
# The same for a right-hand side that excites every equation, solved once for each factorization.
PROBE_GROWTH = 1e10
# The same for an iteration to few digits.
ITERATED_GROWTH = 1e7
# Distances from singularity below this are rounding. In 4500 random tests of up to 60 unknowns
# singular matrices came to 0.9 eps at most, matrices of condition 1e14 to 11 eps at least.
SINGULAR_BELOW = 3.0 * EPS
# Relative error of x that a backward error may cause in an ill-conditioned system.
DIGITS = 1e-2
# No refinement in double precision is sure to bring the backward error below this.
ROUNDING = 1e-14


class Fault(Enum):
    """Why an answer is rejected."""

    INACCURATE = "the answer does not satisfy the equations"
    NO_DIGITS = "the answer has no correct digit"
    SINGULAR = "its distance from a singular matrix is less than rounding"
    UNDECIDED = "its factors do not tell how far it is from a singular matrix"
    ZERO_PIVOT = "a pivot is zero"
    BROKEN = "the back end failed"


@dataclass(slots=True)
class LinearSystem:
    """The matrix that an answer is judged by: A, |A|, and the solve of the factorization."""

    A: Any
    magnitude: Any
    solve: Callable[[NDArray[Any]], NDArray[Any]]

    def residual(
        self, x: NDArray[Any], b: NDArray[Any], size_of_b: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[np.float64]]:
        """Return b - A x and |A||x| + |b|."""
        r = b - matrix_product(self.A, x)
        scale: NDArray[np.float64] = matrix_product(self.magnitude, np.abs(x))
        scale += size_of_b
        return r, scale


@dataclass(frozen=True)
class Singularity:
    """How far a matrix is from a singular one.

    Attributes
    ----------
    distance : float
        Smallest relative change of single entries that makes it singular.
    equations, unknowns : ndarray of bool, shape (n,)
        Those that would then depend on each other, or not be determined.
    known : bool
        Whether the factors served to find out.
    """

    distance: float
    equations: NDArray[np.bool_]
    unknowns: NDArray[np.bool_]
    known: bool = True


@dataclass(slots=True)
class Answer:
    """A solution with its backward error, and what was needed to judge it."""

    x: NDArray[Any]
    error: float
    residual: NDArray[Any]
    scale: NDArray[np.float64]
    steps: int


def judged(
    system: LinearSystem,
    b: NDArray[Any],
    doubtful: bool,
    nearest: Callable[[], Singularity],
    first: Answer | None = None,
    target: float = REFINE_ABOVE,
) -> tuple[Answer | None, Fault | None]:
    """Solve, refine and judge.

    Parameters
    ----------
    b : ndarray, shape (n,) or (n, k)
    doubtful : bool
        The pivots hint at a singular matrix: its distance from one is looked at in any case.
    nearest : callable
        Returns how far the matrix is from a singular one; its `equations` are those of `system`.
    first : Answer, optional
        The answer before any refinement, if it is known.
    target : float
        The backward error above which it is refined.

    Returns
    -------
    answer : Answer, or None if the back end failed
    fault : Fault, or None if the answer is good
    """
    size = np.abs(b)
    try:
        answer = refined(system, b, size, target, first)
        if not answer.error <= ACCEPT:
            return answer, Fault.INACCURATE
        if not doubtful:
            grown = np.maximum.reduce(np.abs(answer.x)) > GROWTH * np.maximum.reduce(size)
            if not grown.any():
                return answer, None
        found = nearest()
        if found.distance <= SINGULAR_BELOW:
            # Where all terms of the dependent equations are zero, they say 0 = 0: x is exact.
            fault = Fault.SINGULAR if found.known else Fault.UNDECIDED
            return answer, fault if answer.scale[found.equations].any() else None
        # The relative error of x is about answer.error / distance.
        enough = max(DIGITS * found.distance, ROUNDING)
        if answer.error > enough:
            answer = refined(system, b, size, enough)
    except NUMERICAL:
        return None, Fault.BROKEN
    return answer, None if answer.error <= enough else Fault.NO_DIGITS


def refined(
    system: LinearSystem,
    b: NDArray[Any],
    size_of_b: NDArray[Any],
    target: float = REFINE_ABOVE,
    first: Answer | None = None,
) -> Answer:
    """Solve; if the backward error is above the target, refine while it at least halves.

    An equation whose terms all vanish in the exact solution has a backward error of about one until
    the very end. An answer that is not accurate enough is refined also while the largest residual
    falls tenfold, for twice as many steps. Where the strict measure is above the target, rows of
    pure rounding are set apart as in `relaxed_error`; one step of refinement is what brings their
    noise down.
    """
    answer = first or _measured(system, system.solve(b.copy(order="F")), b, size_of_b, 0)
    if answer.error <= target:
        return answer
    before, falling = relaxed_error(system, answer), True
    answer = replace(answer, error=before)
    largest = float(np.abs(answer.residual).max())
    while answer.steps < (2 if falling else 1) * MAX_REFINE and np.isfinite(before):
        step = system.solve(answer.residual.copy(order="F"))
        trial = _measured(system, answer.x + step, b, size_of_b, answer.steps + 1)
        if not trial.error <= target:
            trial = replace(trial, error=relaxed_error(system, trial))
        if trial.error <= target:
            return trial
        now = float(np.abs(trial.residual).max())
        falling = before > ACCEPT and now <= 0.1 * largest
        answer = trial if trial.error < before or falling else replace(answer, steps=trial.steps)
        if not (trial.error < 0.5 * before or falling):
            break
        before, largest = trial.error, now
    return answer


def _measured(
    system: LinearSystem, x: NDArray[Any], b: NDArray[Any], size_of_b: NDArray[Any], steps: int
) -> Answer:
    r, scale = system.residual(x, b, size_of_b)
    return Answer(x, largest_ratio(r, scale), r, scale, steps)


def relaxed_error(system: LinearSystem, answer: Answer) -> float:
    """Return the backward error with rows of pure rounding judged against the largest x.

    A row all of whose terms are below 1e3 eps of the largest unknown holds no information of its
    own (Arioli, Demmel, Duff, section 2: the rows of the second category).
    """
    largest = np.max(np.abs(answer.x), axis=0)
    row_sum = matrix_product(system.magnitude, np.ones(answer.x.shape[0]))
    if answer.x.ndim == 2:
        row_sum = row_sum[:, None]
    noise = row_sum * largest
    scale = np.where(answer.scale < 1e3 * EPS * noise, answer.scale + noise, answer.scale)
    return largest_ratio(answer.residual, scale)


def largest_ratio(r: NDArray[Any], scale: NDArray[np.float64]) -> float:
    """Return max |r| / scale; infinity where it is not defined.

    Rows whose terms are near underflow, far below the others, have no relative accuracy to lose.
    """
    ratio = np.abs(r)
    ratio /= scale + (TINY + TINY / EPS * np.minimum(np.maximum.reduce(scale), 1.0))
    value = float(np.maximum.reduce(ratio, axis=None))
    return value if value == value else math.inf
