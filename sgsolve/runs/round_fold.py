"""Round a fold: what a sweep does where no step in the parameter can go on.

From the last solution the curve is followed by its arclength. That tells a fold from any other
obstacle, locates it, and, if the curve comes back, reaches the value that was wanted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..continuation.arclength import Arclength
from ..continuation.bordered import Bordered
from ..continuation.curve import Curve, start
from ..continuation.folds import Folds
from ..continuation.route import Route
from ..continuation.trace import Walk, walk
from ..errors import LinearSolveError
from ..problem.gauged_family import curve_family, lifted, stripped
from ..results.history import Stats
from ..results.special_points import Special
from ..solvers.predictor import Point

Vector = NDArray[Any]

MOST = 60  # points to look for the fold
ROUND = 400  # points to come to the target


@dataclass
class Found:
    """The folds that were met, and the cost."""

    special: list[Special] = field(default_factory=list)
    stats: Stats = field(default_factory=Stats)


def round_fold(
    family: Any, here: Point, last: float, target: float, onwards: bool
) -> tuple[Vector | None, Found]:
    """Follow the curve from a point that a sweep cannot leave.

    Parameters
    ----------
    family : ParameterFamily
    last : float
        The last value that was asked for; with the target it gives the scale.
    onwards : bool
        Go on round the fold to the target; else only to the first fold.

    Returns
    -------
    x : ndarray, shape (n,), or None
        At the target, if it was reached.
    found : Found
    """
    found, line = Found(), family.path.line(min(here.value, target))
    before, started = family.workspace.counts(), perf_counter()
    system = curve_family(family.system, line, here.x, here.value, family.workspace)
    span, rising = abs(target - last), target > here.value
    method = Arclength(step=(1.0 if rising else -1.0) * 1e-3 * span, max_step=0.2 * span)
    x = None
    try:
        state, curve, route = _ready(family, system, here, target, method, onwards)
        walk(curve, state, route, lambda _: None)
        found.special = [stripped(system, special) for special in state.special]
        if state.status.success and state.spot.p == target:
            x = state.spot.x[: len(here.x)]
    except LinearSolveError:
        pass  # the last solution is a branch point: nothing to say about folds
    found.stats = family.workspace.counts().since(before)
    found.stats.nfev, found.stats.njev = system.nfev, system.njev
    found.stats.seconds |= {**system.seconds, "total": perf_counter() - started}
    return x, found


def _ready(
    family: Any,
    system: Any,
    here: Point,
    target: float,
    method: Arclength,
    onwards: bool,
) -> tuple[Walk, Curve, Route]:
    bordered = Bordered(family.workspace)
    rising = target > here.value
    bounds = (-np.inf, target) if rising else (target, np.inf)
    first = method.first_step(here.value, bounds)
    z = lifted(system, np.append(here.x, here.value))
    at, tangent, metric = start(system, bordered, z, towards=first)
    curve = Curve(system, bordered, metric)
    shortest, longest = method.limits(first, bounds)
    points, stop = (ROUND, ()) if onwards else (MOST, ("fold",))
    route = Route(method, shortest, longest, bounds, points, (Folds(),), stop)
    return Walk.starting(at, tangent, first), curve, route
