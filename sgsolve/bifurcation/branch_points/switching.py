"""Branch switching: the first point of the other branch at a branch point.

The algebraic bifurcation equation gives the tangent of the other branch. One step along it and a
correction give a point of that branch. If the point is far from the direction of the tangent, the
step was too long.

Reference: H. B. Keller, Lectures on Numerical Methods in Bifurcation Problems (1987), section 5.6.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...arrays import Vector
from ...continuation.curve_points.bordered import Bordered
from ...continuation.curve_points.corrector import Corrector
from ...continuation.curve_points.curve import ASIDE
from ...continuation.curve_points.metric import Metric
from ...continuation.family import Family
from ...errors import ConvergenceError
from ...results.special_points import SpecialPoint
from ...solvers.state.workspace import Workspace

HALVINGS = 26  # of the first step: rounding hides terms of second order in its root of eps


def departure(
    family: Family, workspace: Workspace, special: SpecialPoint, weights: Vector, step: float
) -> tuple[Vector, Vector]:
    """Return a point of the other branch and a direction along it.

    Parameters
    ----------
    step : float
        Its sign chooses the side, its size the first step; halved while that fails.

    Raises
    ------
    ConvergenceError
    """
    metric = Metric(weights)
    assert special.other_tangent is not None
    assert special.tangent is not None
    across = metric.unit(special.other_tangent)
    along = metric.unit(special.tangent)
    # a plane that the old branch meets at the branch point only
    normal = metric.unit(across - metric.dot(across, along) * along)
    corrector = Corrector(family, Bordered(workspace), metric)
    z0 = np.append(special.x, special.parameter)
    z, step = entered(corrector, z0, across, weights * normal, step)
    if z is not None:
        return z, metric.unit(z - z0)
    raise ConvergenceError(
        f"the other branch at the {special} could not be entered with steps down to "
        f"{abs(step):.1e}. What to try: a step of the other sign; in a symmetric model more than "
        "two branches may cross here: take problem.branches_at, which looks for all, or "
        "problem.find_solutions beside the point, or disturb the symmetry a little"
    )


def entered(
    corrector: Corrector,
    start: Vector,
    way: Vector,
    row: Vector,
    step: float,
    at_guess: Callable[[Vector], None] = lambda guess: None,
) -> tuple[Vector | None, float]:
    """Return the first point of a branch in a direction from a point, and the step to it.

    The step is halved while the corrector fails, or the point is not near the direction. None, and
    the shortest step, if that does not help.

    Parameters
    ----------
    way : ndarray, shape (n + 1,)
        Of length 1 in the metric of the corrector.
    row : ndarray, shape (n + 1,)
        The plane in which points are corrected is that across it.
    at_guess : callable
        Called with each guess before it is corrected.
    """
    for _ in range(HALVINGS):
        guess = start + step * way
        at_guess(guess)
        at = corrector.correct(guess, row, abs(step)).at
        if at is not None and corrector.metric.norm(at.z - guess) <= ASIDE * abs(step):
            return at.z, step
        step *= 0.5
    return None, step
