"""A solution that a user gives as numbers: whether it solves the equations at their parameters.

A row of a branch has been solved at other parameters than those of the problem. Derivatives there
would be wrong, and nothing else would say so.
"""

from __future__ import annotations

import numpy as np

from ...arrays import EPS, Vector
from ...errors import InputError, SingularMatrixError
from ...solvers.acceptance.rounding import NOISE, PERTURBED, SCATTER
from ...solvers.state.workspace import Workspace
from ..equations.residual_system import ResidualSystem

ROUGH = 1e-3  # of the size of a block: derivatives have about as many digits as the solution


def check_given_solution(system: ResidualSystem, workspace: Workspace, x: Vector) -> None:
    """Raise `InputError` if an equation does not hold and Newton's step is no rounding error.

    Residuals that `solve` may put down to rounding hold. Rounding errors of the terms, of random
    signs, tell what they do to the step. An unknown is at least of the size that `scale` gives. A
    block of zeros without it is not judged, nor is a singular Jacobian.
    """
    F, J = system.linearize_confirmed(x)
    sizes = np.abs(x) if system.scale is None else np.maximum(np.abs(x), system.scale)
    terms = abs(J) @ sizes
    if (np.abs(F) <= NOISE * terms).all():
        return
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (len(x), PERTURBED))
    try:
        solver = workspace.factorized(system.pattern, J)
        step = solver.solve(-F)
        noise = np.abs(solver.solve(EPS * terms[:, None] * signs)).max(axis=1)
    except SingularMatrixError:
        return
    moved = system.blocks.norms(np.maximum(np.abs(step) - SCATTER * noise, 0.0))
    parts = {name: moved[name] / size for name, size in system.blocks.norms(sizes).items() if size}
    worst = max(parts, key=lambda name: parts[name], default="")
    if not worst or parts[worst] <= ROUGH:
        return
    raise InputError(
        "x does not solve the equations at the parameters of this problem: a step of Newton "
        f"changes {worst!r} by {parts[worst]:.2g} of its size; give the result of solve, or for a "
        "row of a branch x, params = branch.at(k), and problem.at(**params)"
    )
