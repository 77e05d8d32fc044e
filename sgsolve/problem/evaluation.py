"""Evaluations of the equations and of their Jacobian, without a solve."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike, NDArray

from .. import ad
from ..pattern import Pattern
from .definition import ProblemDefinition


def evaluate_residual(problem: ProblemDefinition, x: ArrayLike) -> NDArray[Any]:
    """Return F(x); see `Problem.residual`."""
    system, start = problem.system(x)
    return system.checked_residual(start)


def linearize(problem: ProblemDefinition, x: ArrayLike) -> tuple[NDArray[Any], Any]:
    """Return F(x) and dF/dx; see `Problem.linearize`."""
    system, start = problem.system(x)
    if not system.is_prepared:
        system.prepare(start)
    F, J = system.linearize_confirmed(start)
    system.check_finite(F)
    return F, J


def sparsity(problem: ProblemDefinition, x: ArrayLike) -> Pattern:
    """Return the pattern of dF/dx; see `Problem.sparsity`."""
    system, start = problem.system(x)
    system.prepare(start)
    return system.pattern


def compare_jacobian(problem: ProblemDefinition, x: ArrayLike) -> ad.JacobianCheck:
    """Compare the Jacobian with differences; see `Problem.check_jacobian`."""
    system, start = problem.system(x)
    system.prepare(start)
    own = system.linearize(start)[1] if system.has_own_jacobian else None
    return ad.check_jacobian(system.raw, start, jacobian=own)
