"""Directions along which no equation determines the solution, found where the user declared none.

The level of a pressure and that of a potential between insulating boundaries are such. The Jacobian
is singular at a fold or a branch point too, but not elsewhere along the same vectors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...arrays import Vector
from ...errors import SingularMatrixError
from ...linear.null_basis import annihilated, null_basis
from ...pattern import matrix_product
from ...results.blocks import Blocks
from ..state.counted_system import CountedSystem
from ..state.iterate import Iterate
from ..state.system import System
from ..state.workspace import NULL, OpenSearch, Workspace

AWAY = 0.1  # of the unknowns: the distance of another point
ROUNDING = 1e-13  # the same for levels of blocks
MOST_BLOCKS = 12
POINTS = 2  # at which null vectors of the Jacobian are confirmed


def newton_direction(it: Iterate) -> Vector:
    """Return -J^-1 F; raises `LinearSolveError`.

    Where J has the same null vectors at every x, the direction has no component along them.
    """
    workspace, linearize = it.workspace, it.counted.linearize
    if workspace.open_search is OpenSearch.LEVELS:
        workspace.open_search = OpenSearch.NULL_VECTORS
        if _gauge(workspace, open_levels(it.J, it.blocks), linearize, it.x):
            it.factorized = False
    try:
        return it.newton_direction()
    except SingularMatrixError as error:
        if workspace.open_search is OpenSearch.ENDED:
            raise
        workspace.open_search = OpenSearch.ENDED
        if not _gauge(workspace, null_basis(it.J), linearize, it.x):
            raise
        it.memory["open"], it.factorized = error, False
        return it.newton_direction()


def gauge_levels(workspace: Workspace, system: System, x: Vector) -> None:
    """Keep the levels of blocks that no equation determines, for a run with one null space."""
    if workspace.open_search is not OpenSearch.LEVELS:
        return
    workspace.open_search = OpenSearch.ENDED
    linearize = CountedSystem(system, workspace).linearize
    with np.errstate(all="ignore"):
        found = linearize(x)
        if found is not None and np.isfinite(found[1].data).all():
            _gauge(workspace, open_levels(found[1], system.blocks), linearize, x)


def gauge_at_solution(
    workspace: Workspace, system: System, x: Vector, J: Any, known: Vector | None
) -> None:
    """Keep the levels that no equation determines, for linear systems with J at a solution.

    Parameters
    ----------
    J : csr_array, shape (n, n)
    known : ndarray, shape (n, k), or None
        The null space that the solve found.
    """
    if workspace.open_search is not OpenSearch.LEVELS:
        return
    workspace.open_search = OpenSearch.ENDED
    if known is not None:
        workspace.gauge(annihilated(J, known, NULL))
        return
    with np.errstate(all="ignore"):
        linearize = CountedSystem(system, workspace).linearize
        _gauge(workspace, open_levels(J, system.blocks), linearize, x)


def _gauge(
    workspace: Workspace,
    V: Vector | None,
    linearize: Callable[[Vector], tuple[Vector, Any] | None],
    x: Vector,
) -> bool:
    """Keep the level along those null vectors of J(x) that are the same elsewhere; False if none.

    From then on the workspace solves the linear systems as with a declared null space: with one
    analysis, and without regularization.
    """
    for number in range(POINTS):
        found = None if V is None else linearize(beside(x, number))
        if V is None or found is None or not np.isfinite(found[1].data).all():
            return False
        V = annihilated(found[1], V, NULL)
    if V is None:
        return False
    workspace.gauge(V)
    return True


def open_levels(J: Any, blocks: Blocks) -> Vector | None:
    """Return an orthonormal basis of the null vectors of J that are constant on each block.

    Parameters
    ----------
    J : csr_array, shape (n, n)
    blocks : Blocks
        No more than 12 are looked at.

    Returns
    -------
    V : ndarray, shape (n, k), or None
        None if there are none.
    """
    parts = list(blocks.parts.values())
    if len(parts) > MOST_BLOCKS:
        return None
    B = np.zeros((J.shape[0], len(parts)))
    for k, where in enumerate(parts):
        B[where, k] = 1.0
    return annihilated(J, np.linalg.qr(B)[0], ROUNDING) if _may_be_open(J, B) else None


def _may_be_open(J: Any, B: Vector) -> bool:
    """Whether a block is not excluded by an equation in which no other block appears.

    Each column of B is 1 for the unknowns of one block. An equation without slopes may be flat
    there alone, and excludes all.
    """
    sums, terms = matrix_product(J, B), matrix_product(abs(J), B)
    appearing = np.count_nonzero(terms, axis=1)
    excluded = (np.abs(sums) > ROUNDING * terms)[appearing == 1].any(axis=0)
    return bool((appearing > 0).all() and not excluded.all())


def beside(x: Vector, number: int = 0) -> Vector:
    """Return a point a tenth of the size of the unknowns away, the same for the same number."""
    size = np.where(x == 0.0, float(np.abs(x).max()) or 1.0, np.abs(x))
    return x + AWAY * size * np.random.default_rng(number).uniform(-1.0, 1.0, len(x))
