"""Diagnosis: what the Jacobian shows where a solve failed.

An equation that is missing or repeated makes the Jacobian singular at every x. Outside the model
the Jacobian is not finite. Both are reported by the names of equations and unknowns, at the cost
of two factorizations after a solve that failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...arrays import Vector
from ...errors import LinearSolveError, SingularMatrixError
from ...results.blocks import suspects
from ...solvers.state.workspace import Workspace
from ..equations.residual_system import ResidualSystem


def diagnosis(system: ResidualSystem, workspace: Workspace, start: Vector, x: Vector) -> str:
    """Return what is wrong with the Jacobian at x, where a solve from `start` ended, or nothing."""
    where = "at the start" if np.array_equal(start, x) else "where it ended"
    found = _not_finite(system, x)
    if found:
        return f"the Jacobian is not finite {where}: {found}"
    error = _why_singular(system, workspace, x)
    if error is None:
        return ""
    everywhere = where == "at the start" or _why_singular(system, workspace, start) is not None
    if not everywhere:  # so it is in every local minimum; nothing is missing
        return ""
    return (
        "the Jacobian is singular from the start on, as it is where equations are missing or "
        f"repeated; {suspects(system.blocks, error)}"
    )


def singular_along(points: Sequence[tuple[ResidualSystem, Vector]], workspace: Workspace) -> str:
    """Return why the Jacobian is singular at all of several solutions; empty if it is not.

    It is singular at a fold too, but not at another solution besides.
    """
    errors = [_why_singular(system, workspace, x) for system, x in points]
    if not errors or errors[-1] is None or None in errors:
        return ""
    return (
        "the Jacobian is singular at the solutions found, so no fold is needed to explain it; "
        f"{suspects(points[-1][0].blocks, errors[-1])}"
    )


def _linearized(system: ResidualSystem, x: Vector) -> Any:
    """Return the Jacobian, or None where it cannot be had."""
    try:
        with np.errstate(all="ignore"):
            return system.linearize(x)[1]
    except ArithmeticError:  # x is outside the model
        return None


def _not_finite(system: ResidualSystem, x: Vector) -> str:
    J = _linearized(system, x)
    if J is None or np.isfinite(J.data).all():
        return ""
    first, count = int(np.argmin(np.isfinite(J.data))), int((~np.isfinite(J.data)).sum())
    row = int(np.searchsorted(J.indptr, first, side="right")) - 1
    equation, unknown = system.blocks.label(row), system.blocks.label(int(J.indices[first]))
    more = f", and {count - 1} more entries" if count > 1 else ""
    return f"equation {equation} by unknown {unknown} gives {J.data[first]}{more}"


def _why_singular(
    system: ResidualSystem, workspace: Workspace, x: Vector
) -> SingularMatrixError | None:
    """Return why no system with the Jacobian can be solved, None if one can."""
    J = _linearized(system, x)
    if J is None or not np.isfinite(J.data).all():
        return None
    solver = workspace.solver(system.pattern)
    try:
        solver.factorize(J)
        solver.solve(np.random.default_rng(0).normal(size=len(x)) * np.abs(J).max(axis=1).toarray())
    except SingularMatrixError as error:
        return error
    except LinearSolveError:  # too inaccurate, which is another matter
        return None
    return None
