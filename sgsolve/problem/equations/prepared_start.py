"""Starting points with a finite residual: the given one, one close to it, or a smaller one.

An exponential of a circuit or of a reaction overflows at a start of 50 V, and ``x * log(x)`` is NaN
at zero. Both have finite residuals at smaller values or close by. Starts outside the limits of the
solver are not used.
"""

from __future__ import annotations

import numpy as np

from ...arrays import Vector
from ...errors import InputError, NotFiniteError
from ...results.history import counted
from ...solvers.solver_protocol import Solver
from ...solvers.state.perturbation import displacements
from .residual_system import ResidualSystem

FACTORS = (*(0.5**k for k in range(1, 9)), *(10.0**-k for k in range(3, 301)), 0.0)


def prepared_start(
    system: ResidualSystem, x: Vector, solver: Solver | None, with_pattern: bool = True
) -> tuple[Vector, Vector, str]:
    """Prepare the system at x, or at a start near it where the residual is finite.

    Returns
    -------
    x, F : ndarray, shape (n,)
        The start and its residual.
    remark : str
        What was changed; empty if nothing was.

    Raises
    ------
    NotFiniteError
        If the residual is finite at none of the starts that were tried.
    """
    try:
        return x, system.prepare(x, with_pattern), ""
    except NotFiniteError as error:
        refused = error
    where = _unknowns(system, x, with_pattern)
    found = _found(system, solver, x, where)
    if found is not None:
        remark = f"the residual is not finite at the start given, which was {found[1]}"
        return found[0], system.prepare(found[0], with_pattern), remark
    raise NotFiniteError(
        f"{refused}; nor is it at smaller values. If a source or a load is too large there, "
        "start from an easy value of it: problem.sweep(x0, name, values) with values from 0"
    ) from None


def _found(
    system: ResidualSystem, solver: Solver | None, x: Vector, where: Vector
) -> tuple[Vector, str] | None:
    """Return a start with a finite residual, and how it differs from x; None if there is none.

    Smaller starts are tried as long as each reduces the residual tenfold: where an exponential is
    barely finite, Newton's method would take one iteration for each power of e.
    """
    weights = np.where(x == 0.0, float(np.abs(x).max()) or 1.0, np.abs(x))
    for step in displacements(weights, where, lambda step: step):
        if np.isfinite(_largest_residual(system, solver, x + step)):
            return x + step, "moved by 1e-8 of the size of its unknowns"
    found, smallest = None, np.inf
    for factor in FACTORS:
        start = np.where(where > 0.0, factor * x, x)
        largest = _largest_residual(system, solver, start)
        if largest < 0.1 * smallest:
            places = counted(int(np.count_nonzero(where)), "unknown")
            found, smallest = (start, f"multiplied by {factor:.3g} in {places}"), largest
        elif found is not None:
            return found
    return found


def _unknowns(system: ResidualSystem, x: Vector, with_pattern: bool) -> Vector:
    """Return 1 for the unknowns in equations that are not finite, 0 for the others."""
    where = np.ones(len(x))
    if not with_pattern:
        return where
    pattern = system.pattern if system.is_prepared else system.found_pattern(x)
    rows = ~np.isfinite(system.residual_quietly(x))
    marked = np.zeros(len(x))
    marked[pattern.indices[rows[pattern.rows]]] = 1.0
    return marked if marked.any() else where


def _largest_residual(system: ResidualSystem, solver: Solver | None, x: Vector) -> float:
    """Return the largest residual; infinite where x is no start, or outside the model."""
    try:
        if solver is not None:
            solver.check_start(x, system.blocks)
        largest = float(np.abs(system.residual_quietly(x)).max())
    except (InputError, ArithmeticError):
        return np.inf
    return largest if np.isfinite(largest) else np.inf
