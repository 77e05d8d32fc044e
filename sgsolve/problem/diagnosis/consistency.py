"""Consistency: whether equations with a declared null space can hold at all.

Where J v = 0 at every x, there is a u with u^T J = 0. If u is the same at every x, such as for the
total of a conserved quantity, u^T F does not depend on x, and no x solves F = 0 unless it is zero.
Fluxes over a boundary that do not balance the sources are the usual case.

Reference: G. Strang, Introduction to Linear Algebra (2016), section 3.5 (Fredholm's alternative).
"""

from __future__ import annotations

import numpy as np

from ...arrays import Vector
from ...errors import LinearSolveError
from ...linear.gauged import Gauged
from ...results.blocks import Blocks
from ...solvers.state.workspace import OpenSearch, Workspace
from ...solvers.steps.open_directions import beside
from ..equations.null_space import not_annihilated
from ..equations.residual_system import ResidualSystem

NONZERO = 1e-9  # of the sizes of the residuals, that a total must exceed
CONSTANT = 1e-3  # relative change of a total that is the same at two points


def contradiction(system: ResidualSystem, workspace: Workspace, x: Vector, F: Vector) -> str:
    """Return why the equations cannot hold; empty if they can, or if this is not certain."""
    U = _left_null_vectors(system, workspace, x)
    if U is None:
        return ""
    other = _residual_beside(system, x)
    if other is None:
        return ""
    total, total_beside = U.T @ F, U.T @ other
    size = np.abs(U).T @ (np.abs(F) + np.abs(other))
    constant = np.abs(total - total_beside) <= CONSTANT * np.abs(total)
    bad = np.flatnonzero(constant & (np.abs(total) > NONZERO * size))
    if not len(bad):
        return ""
    return contradicting(U[:, bad[0]], float(total[bad[0]]), system.blocks)


def lost_null_space(system: ResidualSystem, workspace: Workspace, x: Vector) -> str:
    """Return why the declared null space is none at a point; empty if it may be one.

    An equation that contains the level at some values of a parameter only is the usual case.
    """
    V = workspace.null_space
    if workspace.open_search is not OpenSearch.DECLARED or V is None or len(V) != len(x):
        return ""
    try:
        with np.errstate(all="ignore"):
            found = not_annihilated(system.linearize(x)[1], V, system.blocks)
    except ArithmeticError:
        return ""
    if found is None:
        return ""
    return (
        "the declared null_space is none of the Jacobian here: along its "
        f"column {found[0]}, {found[1]}. These equations determine what "
        "the declaration leaves open: solve them without null_space="
    )


def contradicting(weights: Vector, total: float, blocks: Blocks) -> str:
    """Say that a total of the equations, with given weights, is not zero."""
    largest = np.argsort(-np.abs(weights), kind="stable")[:3]
    names = ", ".join(blocks.label(int(i)) for i in np.sort(largest))
    scale = float(weights[largest[0]])
    return (
        "the Jacobian is singular here and at all x nearby, and the equations contradict each "
        f"other: their total u^T F is {total / scale:.2e}, with u^T J = 0 and the largest weight "
        f"1; it must be 0. Largest weights: {names}. Balance the sources and the fluxes over the "
        "boundary"
    )


def _left_null_vectors(system: ResidualSystem, workspace: Workspace, x: Vector) -> Vector | None:
    """Return the left null vectors that the linear solver has; None without a null space."""
    if workspace.null_space is None:
        return None
    solver = workspace.solver(system.pattern)
    if not isinstance(solver, Gauged):
        return None
    if solver.left is None:
        try:
            with np.errstate(all="ignore"):
                solver.factorize(system.linearize(x)[1])
        except (LinearSolveError, ArithmeticError):
            return None
    return solver.left


def _residual_beside(system: ResidualSystem, x: Vector) -> Vector | None:
    """Return the residual at a second point; None if it is not finite or outside the model."""
    try:
        F = system.residual_quietly(beside(x))
    except ArithmeticError:
        return None
    return F if np.isfinite(F).all() else None
