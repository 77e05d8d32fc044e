"""Ladder: the solver that serves where the user names none.

One idea: the stages of `sgsolve.solvers.Robust` look for a solution from where they stand; the last
two do not, they follow a curve on which x0 lies, through folds if need be. They come last, for a
point of a curve costs as much as several iterations, and their points are counted out, so that a
system without a solution is given up in a bounded time.
"""

from __future__ import annotations

from typing import Any

from ..errors import InputError
from ..solvers.polyalgorithm import Robust, Stage, default_stages
from ..solvers.presets import DampedNewton
from .arclength import Arclength
from .homotopy import KINDS, Homotopy

# Measured on starts that all other stages fail from (benchmarks/nonlinear.py hard): long steps and
# loose points lose nothing, for the curve is only a way to go; 200 points solve few more than 40.
POINTS = 40
ROUGH = Arclength(step=0.1, max_step=1.0, max_angle=60.0, tolerance=1e-6)


def default_ladder(**settings: Any) -> Robust:
    """Return the ladder of `Problem.solve`: that of `Robust`, and both homotopies at its end.

    Parameters
    ----------
    **settings
        ``patience, limits, termination, max_iterations`` as in `Robust`. A homotopy ends
        where a limit forbids the next step of its curve.

    Examples
    --------
    >>> for stage in default_ladder().stages[-3:]:
    ...     print(stage.solver.name)
    TrustRegion
    Homotopy (newton)
    Homotopy (fixed point)
    """
    finish = DampedNewton(max_iterations=30)
    last = [Homotopy(kind=kind, method=ROUGH, max_points=POINTS, finish=finish) for kind in KINDS]
    stages = (Stage(solver, from_best=False) for solver in last)
    return Robust(stages=(*default_stages(), *stages), **settings)


def as_solver(solver: Any) -> Any:
    """Return the solver, the ladder for None, or say why this is none."""
    if solver is None:
        return default_ladder()
    if isinstance(solver, type):
        raise InputError(f"solver is the class {solver.__name__}; call it: {solver.__name__}()")
    if not hasattr(solver, "run"):
        raise InputError(f"solver must be one of sgsolve.solvers, such as Newton(), not {solver!r}")
    return solver
