"""Evaluations of the equations and of their Jacobian, and what they would cost, without a solve."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ... import ad
from ...linear.memory import available_memory
from ...pattern import Pattern
from ...results.cost import CostEstimate
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


def estimate_cost(problem: ProblemDefinition, x: ArrayLike) -> CostEstimate:
    """Return what a factorization of dF/dx takes; see `Problem.estimate`."""
    _, J = linearize(problem, x)
    with problem.workspaces.lend() as workspace:
        found = workspace.new_solver(Pattern.of(J)).predict(J)
    rows = np.repeat(np.arange(J.shape[0]), np.diff(J.indptr))
    offsets = J.indices - rows
    return CostEstimate(
        n=J.shape[0],
        nnz=J.nnz,
        bandwidth=int(max(offsets.max(), 0) - min(offsets.min(), 0)) if J.nnz else 0,
        backend=found.backend,
        operations=found.operations,
        factor_bytes=found.factor_bytes,
        free_bytes=available_memory(),
        remark=found.remark,
    )
