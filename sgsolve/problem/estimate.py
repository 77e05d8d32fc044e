"""Estimate: size, operations and memory of a problem's linear systems, without a factorization."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..linear.memory import available_memory
from ..pattern import Pattern
from ..results.cost import CostEstimate
from .definition import ProblemDefinition
from .evaluation import linearize


def estimate(problem: ProblemDefinition, x: ArrayLike) -> CostEstimate:
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
