"""Branch switching: the first point of the other branch at a branch point.

The algebraic bifurcation equation gives the tangent of the other branch. One step along it and a
correction give a point of that branch. If the point is far from the direction of the tangent, the
step was too long.

Reference: H. B. Keller, Lectures on Numerical Methods in Bifurcation Problems (1987), section 5.6.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Vector
from ..continuation.bordered import Bordered
from ..continuation.corrector import Corrector
from ..continuation.family import Family
from ..continuation.metric import Metric
from ..errors import ConvergenceError
from ..results.special_points import SpecialPoint
from ..solvers.workspace import Workspace

HALVINGS = 12
CONE = 0.35  # the new point lies this near the tangent, relative to the step


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
    for _ in range(HALVINGS):
        corrected = corrector.correct(z0 + step * across, weights * normal, abs(step))
        if corrected.at is not None:
            z = corrected.at.z
            if metric.norm(z - z0 - step * across) <= CONE * abs(step):
                return z, metric.unit(z - z0)
        step *= 0.5
    raise ConvergenceError(
        f"the other branch at the {special} could not be entered with steps down to "
        f"{abs(step):.1e}. What to try: a step of the other sign; in a symmetric model more than "
        "two branches may cross here: take problem.branches_at, which looks for all, or "
        "problem.find_solutions beside the point, or disturb the symmetry a little"
    )
