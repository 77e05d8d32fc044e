"""Perturbation of an iterate at which a derivative is not finite.

``abs(q)**0.852 * q`` and ``sqrt(gx**2 + gy**2)`` are differentiable or continuous at zero, but the
chain rule gives infinity times zero there. At a distance of 1e-8 of the unknowns the derivatives
are finite, and no Newton step depends on so small a change of a starting point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ...arrays import Vector
from .iterate import Iterate

DISTANCE = 1e-8  # relative to the weights: the square root of the rounding errors


def linearized_beside(it: Iterate) -> bool:
    """Evaluate the Jacobian at x, or next to it; False if it is finite at neither."""
    return it.linearize_at(it.x) or moved_beside(it, it.linearize_at)


def probed_beside(it: Iterate) -> bool:
    """Find the sizes at x from products with J alone, or next to x; False if not finite."""
    return it.probe_at(it.x) or moved_beside(it, it.probe_at)


def moved_beside(it: Iterate, evaluate: Callable[[Vector], bool]) -> bool:
    """Move the iterate to a point next to it with finite slopes; False if there is none.

    The change is random, with a fixed seed, so that no difference of two unknowns stays zero. It
    is made in the unknowns whose slopes are not finite, or else in all.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(x)`` makes x the point of the iterate; False if its slopes are not finite.
    """
    x, F, columns = it.x, it.F, np.ones(len(it.x))
    if not F.any():  # a residual of exactly zero needs no slopes
        return False
    if it.J is not None:
        bad = ~np.isfinite(it.J.data)
        if not bad.any():
            return False
        columns[:] = 0.0
        columns[it.J.indices[bad]] = 1.0

    def limited(step: Vector) -> Vector:
        for limit in it.limits:
            step = limit.apply(x, step, it.blocks)
        return step

    for step in displacements(it.weights, columns, limited):
        if evaluate(x + step):
            it.notes.append("moved, the slopes were not finite")
            if it.k == 0:
                it.moved = it.x, it.F
            return True
    it.x, it.F = x, F
    return False


def displacements(
    weights: Vector, columns: Vector, limited: Callable[[Vector], Vector]
) -> Iterator[Vector]:
    """Yield changes to try: both ways, upwards, downwards; in some unknowns, then in all."""
    random = np.random.default_rng(0)
    size = DISTANCE * weights * random.uniform(0.5, 1.0, len(weights))
    signs = random.choice([-1.0, 1.0], len(weights))
    for part in (columns, np.ones_like(columns)):
        for sign in (signs, 1.0, -1.0):
            step = limited(part * sign * size)
            if step.any():
                yield step
