"""The point of a short solve as an `Iterate`, to examine it as the solver does."""

from __future__ import annotations

import numpy as np

from ...solvers.acceptance.limit_at_infinity import at_limit
from ...solvers.state.iterate import Iterate
from ...solvers.state.workspace import Workspace
from ..equations.residual_system import ResidualSystem
from .short_newton import ShortNewton
from .short_records import ShortSolve


def examined(
    short: ShortNewton, found: ShortSolve, system: ResidualSystem, workspace: Workspace
) -> Iterate | None:
    """Return the iterate if its residual does not only tend to zero; it counts evaluations."""
    with np.errstate(all="ignore"):
        it = as_iterate(short, found, system, workspace)
        return None if at_limit(it) else it


def as_iterate(
    short: ShortNewton, found: ShortSolve, system: ResidualSystem, workspace: Workspace
) -> Iterate:
    """Return the iterate at the solution, with what is known of the steps to it."""
    at = short.it
    it = Iterate(system, workspace, found.x, found.F)
    it.k, it.fresh = found.nit, found.renewed and not found.vanished
    it.age = int(not found.renewed) + found.vanished
    it.J = system.pattern.matrix((at.J if found.renewed else at.J_old).copy())
    it.magnitudes = system.pattern.matrix(np.abs(it.J.data))
    it.factorized, it.newton, it.damping = not found.renewed, True, 1.0
    it.phi, it.contraction = at.phi, at.contraction
    it.x_old, it.F_old = at.x.copy(), at.F.copy()
    it.correction = at.correction.copy() if at.damped and not found.vanished else None
    it.step, it.step_old, it.step_older = at.step.copy(), at.step_old.copy(), at.step_older.copy()
    it.step_size, it.step_size_old = at.step_size, at.step_size_old
    it.step_size_absolute, it.step_size_absolute_old = at.step_absolute, at.step_absolute_old
    of_equations = at.own.copy(), at.sized.copy(), at.S.copy()
    it.scaling.take(at.weights.copy(), at.magnitude.copy(), *of_equations, bool(at.bare))
    return it
