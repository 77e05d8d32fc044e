"""The index of a differential-algebraic system, measured at one state.

Reference: K. E. Brenan, S. L. Campbell and L. R. Petzold, Numerical Solution of Initial-Value
Problems in Differential-Algebraic Equations (1996), chapter 2.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..solvers.workspace import Workspace
from .evolution import PURPOSE, Derivatives, EvolutionSystem

Vector = NDArray[Any]

STEPS = (1e-6, 1e-9)  # parts of the run at which the inverse is measured
TRIALS = 2  # products with the inverse and its transpose


def index_growth(
    system: EvolutionSystem, workspace: Workspace, at: Derivatives, length: float
) -> tuple[float, Vector]:
    """Return the power with which ||(C + h J)^-1|| grows as h falls, and what grows most.

    Returns
    -------
    growth : float
        About 0 for ordinary differential equations, 1 for index 1, 2 for index 2.
    answer : ndarray, shape (n,)
        The combination of unknowns that answers most to a change of the equations.

    Raises
    ------
    LinearSolveError
        C + h J is singular.
    """
    norms = []
    v: Vector = np.random.default_rng(0).standard_normal(system.n)
    answer = v
    for part in STEPS:
        h = part * length
        solver = workspace.solver(system.pattern, PURPOSE)
        solver.factorize(system.pattern.matrix(at.C + h * at.J))
        for _ in range(TRIALS):
            answer = solver.solve(v / np.linalg.norm(v))
            v = solver.solve(answer, transpose=True)
        norms.append(np.sqrt(np.linalg.norm(v)))
    growth = np.log10(norms[1] / norms[0]) / np.log10(STEPS[0] / STEPS[1])
    return float(growth), answer / np.linalg.norm(answer)
