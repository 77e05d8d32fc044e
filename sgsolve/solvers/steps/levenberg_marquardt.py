"""Levenberg-Marquardt steps for square sparse systems.

A step minimizes |f + A p|^2 + mu |p|^2 without forming A^T A. The sparse system

    [ I    A    ] [r]   [-f]
    [ A^T -mu I ] [p] = [ 0]

has one pattern for all iterations and the condition number of A, and it is solvable where J is
singular. mu decreases with the residual, which gives quadratic convergence at regular roots.

References: Fan and Pan, Numer. Algorithms 41 (2006) 263 for mu; Bjorck, Numerical Methods for
Least Squares Problems (1996), section 2.5 for the augmented system.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...arrays import Vector
from ...errors import LinearSolveError
from ...norms import norm2
from ...pattern import Pattern
from ...results.status import Status
from ..settings import positive
from ..state.iterate import Iterate
from .trust_region import FLAT, decrease, scaled_gradient

# Of the residual, that a step of Newton's method may leave in the linear model.
SOLVED = 0.5


@dataclass(frozen=True)
class LevenbergMarquardtStep:
    """Take regularized Gauss-Newton steps.

    Parameters
    ----------
    initial : float
        First mu, relative to ``min(1, |f|^2)`` where f is the scaled residual.
    smallest, largest : float
        Limits of that factor; above the largest the step fails.

    See Also
    --------
    LevenbergMarquardt : The solver with this damping.
    Armijo, Dogleg

    Examples
    --------
    >>> from sgsolve import solvers
    >>> method = solvers.LevenbergMarquardt(damping=solvers.LevenbergMarquardtStep(initial=0.1))
    """

    initial: float = 1e-2
    smallest: float = 1e-8
    largest: float = 1e16
    needs_direction = False
    needs_factorization = True

    def __post_init__(self) -> None:
        positive(self, "initial", "smallest", "largest")

    def advance(self, it: Iterate) -> Status | None:
        """Raise mu until a step is accepted."""
        f, phi = it.F / it.S, it.phi
        system = Augmented(it)
        if norm2(scaled_gradient(it)) <= FLAT / math.sqrt(len(f)):
            return Status.LOCAL_MINIMUM
        factor = it.memory.get("marquardt", self.initial)
        finite = False
        while factor <= self.largest:
            try:
                left, p = system.solve(factor * min(1.0, phi * phi), f)
            except LinearSolveError:
                factor *= 100.0
                continue
            step = it.limited_step(it.weights * p)
            x = it.x + step
            F = it.evaluate(x)
            if F is None:
                factor *= 10.0
                continue
            finite = True
            trial = it.scaling.merit(F)
            ratio = decrease(phi, trial, norm2(left))
            if ratio > 1e-4:
                change = 4.0 if ratio < 0.25 else 0.1 if ratio > 0.75 else 1.0
                it.memory["marquardt"] = max(factor * change, self.smallest)
                solved = norm2(left) <= SOLVED * phi and factor * min(1.0, phi * phi) <= 1e-8
                it.newton, it.regularized = solved and not it.limited, True
                it.dx = step
                it.notes.append(f"mu {factor * min(1.0, phi * phi):.1e}")
                it.accept(x, F, 1.0)
                return None
            factor *= 4.0
        return Status.STALLED if finite else Status.NOT_FINITE


class Augmented:
    """The augmented system on a fixed pattern of 2n unknowns."""

    def __init__(self, it: Iterate) -> None:
        self.it, pattern = it, it.system.pattern
        plan = it.workspace.derived("augmented", pattern, lambda: _plan(pattern))
        self.pattern, self.position = plan
        self.entries = it.J.data * (1.0 / it.S)[pattern.rows] * it.weights[pattern.indices]

    def solve(self, mu: float, f: Vector) -> tuple[Vector, Vector]:
        """Return the linear residual f + A p (up to sign) and the step p."""
        n, data = len(f), np.empty(self.pattern.nnz)
        data[self.position] = np.concatenate(
            [np.ones(n), self.entries, self.entries, np.full(n, -mu)]
        )
        solver = self.it.workspace.solver(self.pattern, "augmented solver")
        solver.factorize(self.pattern.matrix(data))
        solution = solver.solve(np.concatenate([-f, np.zeros(n)]))
        if not np.isfinite(solution).all():
            raise LinearSolveError("the regularized step overflows")
        return solution[:n], solution[n:]


def _plan(pattern: Pattern) -> tuple[Pattern, NDArray[np.int64]]:
    """Return the augmented pattern and where each of [I, A, A^T, -mu I] goes in its data."""
    n = pattern.shape[0]
    k = np.arange(n)
    rows = np.concatenate([k, pattern.rows, pattern.indices + n, k + n])
    columns = np.concatenate([k, pattern.indices + n, pattern.rows, k + n])
    augmented, place = Pattern.from_coordinates(rows, columns, (2 * n, 2 * n))
    return augmented, place.astype(np.intp)
