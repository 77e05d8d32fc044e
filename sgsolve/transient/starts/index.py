"""The index of a differential-algebraic system, measured at one state.

Reference: K. E. Brenan, S. L. Campbell and L. R. Petzold, Numerical Solution of Initial-Value
Problems in Differential-Algebraic Equations (1996), chapter 2.
"""

from __future__ import annotations

import numpy as np

from ...arrays import Vector
from ...errors import LinearSolveError, StructureError
from ...solvers.state.workspace import Workspace
from ...user_warnings import warn
from ..error_weights import ErrorWeights
from ..evolution import PURPOSE, Derivatives, EvolutionSystem
from .consistent_start import ordinary_rates

STEPS = (1e-6, 1e-9)  # parts of the run at which the inverse is measured
TRIALS = 2  # products with the inverse and its transpose


class IndexWarning(UserWarning):
    """The equations look like a differential-algebraic system of index 2."""


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


def check_index(
    system: EvolutionSystem,
    workspace: Workspace,
    weights: ErrorWeights,
    t: float,
    x: Vector,
    length: float,
) -> bool:
    """Return whether the index is at most 1; warn of index 2.

    Raises
    ------
    StructureError
        The index is above 2, or no unknown is determined in time.
    """
    at = system.derivatives(t, x, 1.0, system.residual(t, x, 0.0, x)[1])
    if ordinary_rates(system.pattern, at.C) is not None:
        return True
    try:
        growth, answer = index_growth(system, workspace, at, length)
    except LinearSolveError as error:
        raise StructureError(f"the equations in time are singular at t = {t:g}: {error}") from error
    if growth < 1.5:
        return True
    order = np.argsort(-np.abs(answer) * weights.weights(x))
    names = ", ".join(system.blocks.label(int(i)) for i in order[:3])
    text = (
        f"the equations look like index {round(growth)} at t = {t:g}, most in {names}: a loop of "
        "capacitors and voltage sources, a cutset of inductors and current sources, or a "
        "constraint that determines its unknown only after it is differentiated"
    )
    if growth > 2.5:
        raise StructureError(f"{text}. Differentiate the constraint, or add a small resistance")
    warn(
        f"{text}. Unknowns without storage are left out of the error control, and less accurate; "
        "add a small resistance, or differentiate the constraint",
        IndexWarning,
    )
    return False
