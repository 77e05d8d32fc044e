"""Full steps and their damping, element by element; see `solvers.steps.damping`.

The rule of `NaturalMonotonicity` predicts the damping from the last step, and tests it by the
simplified correction at the trial point. These loops take the same full steps. They return `LEAVE`
where the rule shortens a step.
"""

from __future__ import annotations

from ...ad.kernels.loops.scalar_loops import sqrt
from ...linear.checks.accuracy import ACCEPT
from .linear_loops import backward_error, pivots_are_small
from .loop_state import INF, LEAVE, REFINE, STEP
from .short_iterate import ShortIterate


def stepped(it: ShortIterate) -> int:
    """Check the solution y of the linear system, and write the next point."""
    if it.dense == 1 and pivots_are_small(it) == 1:
        return LEAVE
    off = backward_error(it)
    it.backward_error = off
    if not off <= ACCEPT:
        return REFINE if off < INF else LEAVE
    square, size = 0.0, 0.0
    before, corrected, gap, now = 0.0, 0.0, 0.0, 0.0
    for i in range(it.n):
        newton = it.y[i] * it.column[i]
        square += newton * newton
        size = max(size, abs(newton) / it.weights[i])
        it.x_new[i] = it.x[i] + newton
        if it.damped == 1:
            before += (it.dx[i] / it.weights[i]) * (it.dx[i] / it.weights[i])
            corrected += (it.correction[i] / it.weights[i]) * (it.correction[i] / it.weights[i])
            off = (it.correction[i] - newton) / it.weights[i]
            gap += off * off
            now += (newton / it.weights[i]) * (newton / it.weights[i])
        it.dx[i] = newton
    it.upcoming = size
    if not square < INF:
        return LEAVE
    if it.damped == 1 and it.k > 0.0:
        allowed = sqrt(before) * sqrt(corrected)
        if sqrt(gap) * sqrt(now) > allowed:
            return LEAVE
    return STEP


def accepted(it: ShortIterate) -> int:
    """Take the simplified correction from y, and decide whether the full step is accepted."""
    off = backward_error(it)
    it.backward_error = off
    if not off <= ACCEPT:
        return REFINE if off < INF else LEAVE
    natural, level = 0.0, 0.0
    for i in range(it.n):
        it.correction[i] = it.y[i] * it.column[i]
        natural += (it.correction[i] / it.weights[i]) * (it.correction[i] / it.weights[i])
        level += (it.dx[i] / it.weights[i]) * (it.dx[i] / it.weights[i])
    return STEP if natural < level else LEAVE
