"""Directions: Newton's direction and that of pseudo-transient continuation.

A direction sets ``it.dx``; the damping decides how far to follow it. If the Jacobian has the
same null vectors at every x, Newton's direction has no component along them. If it is singular
otherwise, the direction is regularized once per iteration by a diagonal of the size of the terms
of each equation, and the history notes it.

References: Deuflhard, Newton Methods for Nonlinear Problems (2011), section 2.1;
Kelley and Keyes, SIAM J. Numer. Anal. 35 (1998) 508 for pseudo-transient continuation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ...arrays import Vector
from ...errors import LinearSolveError, SingularMatrixError
from ...norms import norm2
from ...results.status import Status
from ..settings import not_negative, positive
from ..state.iterate import Iterate
from .open_directions import newton_direction

SLOW, GROWTH = 0.1, 2.0  # a pseudo time step that changes less than this is doubled
SHORTEST = 1e-30  # pseudo time step: M / dt stays finite


class Direction(Protocol):
    """Interface of the direction of a step.

    Optional attribute: ``is_newton`` (bool), whether ``it.dx`` solves J dx = -F. Other code may
    then compute it: for small systems in machine code. Default: False.

    See Also
    --------
    NewtonDirection, KrylovDirection, PseudoTransientDirection
    """

    @property
    def forms_jacobian(self) -> bool:
        """Whether `compute` needs the sparse Jacobian."""

    def compute(self, it: Iterate) -> Status | None:
        """Set ``it.dx``; return a failing status if there is no direction."""
        ...


@dataclass(frozen=True)
class NewtonDirection:
    """Solve J dx = -F by sparse factorization.

    Parameters
    ----------
    regularize : float
        When J is singular, the relative size of the diagonal that is added to it, once per
        iteration, unless it is singular at every x; 0 fails instead.

    See Also
    --------
    KrylovDirection, PseudoTransientDirection

    Examples
    --------
    >>> from sgsolve import solvers
    >>> method = solvers.NewtonMethod(direction=solvers.NewtonDirection(regularize=0.0))
    """

    regularize: float = 1e-6
    forms_jacobian = True

    def __post_init__(self) -> None:
        not_negative(self, "regularize")

    @property
    def is_newton(self) -> bool:
        """Whether it is Newton's direction; a subclass may compute another one."""
        return type(self) is NewtonDirection

    def compute(self, it: Iterate) -> Status | None:
        """Set ``it.dx``; ``it.newton`` says whether it is Newton's with a fresh Jacobian."""
        if not it.fresh and it.correction is not None:
            it.dx, it.newton = it.correction, False  # already solved for by the damping
            return None
        try:
            it.dx = newton_direction(it) if self.regularize else it.newton_direction()
        except SingularMatrixError as error:
            return self._regularized(it, error)
        except LinearSolveError as error:
            it.memory["cause"] = error
            return Status.LINEAR_SOLVE_FAILED
        it.newton, it.regularized = it.fresh, False
        return None

    def _regularized(self, it: Iterate, error: SingularMatrixError) -> Status | None:
        it.newton, it.regularized = False, True
        it.memory["cause"] = error
        if self.regularize == 0.0:
            return Status.SINGULAR_JACOBIAN
        try:
            it.dx = shifted_direction(it, self.regularize * diagonal_shift(it))
        except LinearSolveError:
            return Status.SINGULAR_JACOBIAN
        it.memory["singular"] = it.k, error
        it.notes.append("singular Jacobian, regularized")
        return None


@dataclass(frozen=True)
class PseudoTransientDirection:
    """Take one step of implicit Euler for M x' = -F(x): dx = -(M / dt + J)^-1 F.

    dt follows switched evolution relaxation: ``dt_k = dt_(k-1) |F_(k-1)| / |F_k|``. The method
    becomes Newton's near the solution. dt also grows where x changes little in a step. Without a
    mass the sign of J's diagonal is taken, which makes the diagonal dominant whatever the sign
    convention of the residual.

    Parameters
    ----------
    initial : float
        First pseudo time step, in units in which the terms of every equation have size one.
    mass : float, tuple of float, mapping of block to float, or None
        M, one number for all or one per unknown; 0 for algebraic equations, and for blocks that
        are not named. Then `initial` is a time in your units.
    largest : float
        Upper limit of dt.

    See Also
    --------
    PseudoTransient : The solver with this direction.
    NewtonDirection, KrylovDirection

    Examples
    --------
    >>> from sgsolve import solvers
    >>> direction = solvers.PseudoTransientDirection(initial=0.01)
    >>> method = solvers.PseudoTransient(direction=direction)
    """

    initial: float = 1.0
    mass: float | tuple[float, ...] | Mapping[str, float] | None = None
    largest: float = 1e12
    forms_jacobian = True

    def __post_init__(self) -> None:
        positive(self, "initial", "largest")

    def compute(self, it: Iterate) -> Status | None:
        """Set ``it.dx`` and the next pseudo time step."""
        norm = self._norm(it)
        dt, before = it.memory.get("ptc", (self.initial, norm))
        growth = before / norm if norm > 0.0 else math.inf
        if it.k > 0 and it.step_size < SLOW:
            growth = max(growth, GROWTH)
        dt = min(max(dt * growth, SHORTEST), self.largest)
        it.memory["ptc"] = (dt, norm)
        given = self.mass
        mass = diagonal_shift(it) if given is None else it.blocks.spread(given, 0.0, "mass")
        it.newton, it.regularized = dt >= 1e6, True
        try:
            it.dx = shifted_direction(it, mass / dt)
        except SingularMatrixError as error:
            it.memory["cause"] = error
            return Status.SINGULAR_JACOBIAN
        except LinearSolveError as error:
            it.memory["cause"] = error
            return Status.LINEAR_SOLVE_FAILED
        it.notes.append(f"dt {dt:.1e}")
        return None

    @staticmethod
    def _norm(it: Iterate) -> float:
        """Return the norm of F in the scales of the start, comparable between iterations."""
        start: Vector = it.memory.setdefault("ptc scale", it.S)
        return norm2(it.F / start)


def diagonal_shift(it: Iterate) -> Vector:
    """Return a diagonal of the size of each equation's terms, signed as the diagonal of J."""
    diagonal = it.J.data[it.system.pattern.diagonal]
    sign = np.where(diagonal < 0.0, -1.0, 1.0)
    shift: Vector = sign * it.S / it.weights
    return shift


def shifted_direction(it: Iterate, shift: Vector) -> Vector:
    """Return -(J + diag(shift))^-1 F; raises `LinearSolveError`."""
    pattern = it.system.pattern
    matrix = pattern.matrix(it.J.data.copy())
    matrix.data[pattern.diagonal] += shift
    original, it.J = it.J, matrix
    it.factorized = False
    try:
        dx = it.newton_direction()
    finally:
        it.J = original
        it.factorized = False
    return dx
