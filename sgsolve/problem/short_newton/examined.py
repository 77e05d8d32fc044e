"""The point of a short solve as an `Iterate`, to examine it as the solver does."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...solvers.closed_equations import Closed
from ...solvers.iterate import Iterate
from ...solvers.limit_at_infinity import at_limit
from ...solvers.workspace import Workspace
from ..equations.residual_system import ResidualSystem
from .loop_state import (
    BARE,
    CLOSED,
    CONTRACTION,
    HELD,
    PHI,
    STEP_ABSOLUTE,
    STEP_ABSOLUTE_OLD,
    STEP_SIZE,
    STEP_SIZE_OLD,
)
from .short_newton import ShortNewton, ShortSolve


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

    def kept(name: str) -> Any:
        return short.arrays[name].copy()

    state = short.arrays["state"].tolist()
    it = Iterate(system, workspace, found.x, found.F)
    it.k, it.fresh = found.nit, found.renewed and not found.vanished
    it.age = int(not found.renewed) + found.vanished
    it.J = system.pattern.matrix(kept("J" if found.renewed else "J_old"))
    it.factorized, it.newton, it.damping = not found.renewed, True, 1.0
    it.phi, it.contraction = state[PHI], state[CONTRACTION]
    it.x_old, it.F_old = kept("x"), kept("F")
    it.correction = kept("correction") if short.damped and not found.vanished else None
    it.step, it.step_old, it.step_older = map(kept, ("step", "step_old", "step_older"))
    it.step_size, it.step_size_old = state[STEP_SIZE], state[STEP_SIZE_OLD]
    it.step_size_absolute = state[STEP_ABSOLUTE]
    it.step_size_absolute_old = state[STEP_ABSOLUTE_OLD]
    weights, magnitude, own, sized, S = map(kept, ("weights", "magnitude", "own", "sized", "S"))
    it.scaling.take(weights, magnitude, own, sized, S, bool(state[BARE]))
    if state[HELD]:
        it.memory["start"] = kept("x_start"), kept("F_start")
    if state[CLOSED]:
        unproven = kept("unproven") == 1.0
        it.memory["closed"] = Closed(kept("closing"), kept("change"), int(state[CLOSED]), unproven)
    return it
