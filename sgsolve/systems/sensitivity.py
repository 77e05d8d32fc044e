"""Sensitivity: how a solution moves with a parameter, by the implicit function theorem.

One idea: F(x(p), p) = 0 gives J dx/dp = -dF/dp: one solve with the factorisation of J at the
solution, which is made once and kept for every further parameter and functional. For a
functional g(x) of the solution the adjoint J^T y = dg/dx gives dg/dp = -y . dF/dp for any number
of parameters with one solve.

Reference: Griewank and Walther, Evaluating Derivatives (2008), section 15.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import ad
from ..errors import InputError, LinearSolveError, ShapeError
from ..solvers.workspace import Workspace
from .bound import BoundSystem

Vector = NDArray[Any]


def parameter_derivative(system: BoundSystem, x: Vector, name: str) -> Vector:
    """Return dF/dp at fixed x, shape (n,).

    By automatic differentiation; for a problem with its own Jacobian, whose residual need not
    work on AD arrays, by a central difference.
    """
    value = float(system.value_of(name))
    with np.errstate(all="ignore"):
        if system.has_own_jacobian:
            h = 6e-6 * max(abs(value), 1e-3)
            up, down = system.at(**{name: value + h}), system.at(**{name: value - h})
            slope: Vector = (up.residual(x) - down.residual(x)) / (2.0 * h)
            return slope
        y = system.at(**{name: ad.seed([value])[0]}).raw(x)
    if not isinstance(y, ad.ADArray):
        return np.zeros(len(x))
    column: Vector = y.jacobian.toarray()[:, 0]
    return column


def tangent(system: BoundSystem, workspace: Workspace, x: Vector, name: str) -> Vector | None:
    """Return dx/dp at a solution x, shape (n,); None if the Jacobian is singular there."""
    _, J = system.linearize(x)
    solver = workspace.solver(system.pattern)
    try:
        solver.factorize(J)
        slope: Vector = -solver.solve(parameter_derivative(system, x, name))
    except LinearSolveError:
        return None
    return slope if np.isfinite(slope).all() else None


def sensitivity(
    system: BoundSystem, workspace: Workspace, x: Vector, name: str, of: Any = None
) -> Any:
    """Return dx/dp, shape (n,), or with a functional its derivative, a float."""
    _, J = system.linearize(x)
    solver = workspace.factorized(system.pattern, J)
    slope = parameter_derivative(system, x, name)
    if of is None:
        return -solver.solve(slope)
    gradient = _gradient(of, x)
    return -float(solver.solve(gradient, transpose=True) @ slope)


def _gradient(of: Any, x: Vector) -> Vector:
    """Return dg/dx, shape (n,), of a functional or the array itself."""
    if callable(of):
        y = of(ad.seed(x))
        if not isinstance(y, ad.ADArray) or y.size != 1:
            raise InputError("the functional must return one number that depends on x")
        row: Vector = y.jacobian.toarray()[0]
        return row
    gradient = np.asarray(of, dtype=float)
    if gradient.shape != x.shape:
        raise ShapeError(f"the gradient must have shape {x.shape}, not {gradient.shape}")
    return gradient
