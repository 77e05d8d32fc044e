"""Full steps and their damping, element by element; see `solvers.damping`.

The rule of `NaturalMonotonicity` predicts the damping from the last step, and tests it by the
simplified correction at the trial point. These loops take the same full steps. They return `LEAVE`
where the rule shortens a step.
"""

from __future__ import annotations

from ...ad.kernels.scalar_loops import Doubles, Indices, sqrt
from ...linear.accuracy import ACCEPT
from .linear_loops import backward_error, pivots_are_small
from .loop_state import BACKWARD_ERROR, INF, LEAVE, REFINE, STEP, UPCOMING, K


def stepped(
    starts: Indices, columns: Indices, A: Doubles, A_sizes: Doubles, b: Doubles, y: Doubles,
    column: Doubles, r: Doubles, scale: Doubles, x: Doubles, x_new: Doubles, dx: Doubles,
    correction: Doubles, weights: Doubles, state: Doubles, full: Doubles,
    n: int, dense: int, damped: int,
) -> int:  # fmt: skip
    """Check the solution y of the linear system, and write the next point."""
    if dense == 1 and pivots_are_small(full, n) == 1:
        return LEAVE
    off = backward_error(starts, columns, A, A_sizes, b, y, r, scale, n)
    state[BACKWARD_ERROR] = off
    if not off <= ACCEPT:
        return REFINE if off < INF else LEAVE
    square, size = 0.0, 0.0
    before, corrected, gap, now = 0.0, 0.0, 0.0, 0.0
    for i in range(n):
        newton = y[i] * column[i]
        square += newton * newton
        size = max(size, abs(newton) / weights[i])
        x_new[i] = x[i] + newton
        if damped == 1:
            before += (dx[i] / weights[i]) * (dx[i] / weights[i])
            corrected += (correction[i] / weights[i]) * (correction[i] / weights[i])
            off = (correction[i] - newton) / weights[i]
            gap += off * off
            now += (newton / weights[i]) * (newton / weights[i])
        dx[i] = newton
    state[UPCOMING] = size
    if not square < INF:
        return LEAVE
    if damped == 1 and state[K] > 0.0:
        allowed = sqrt(before) * sqrt(corrected)
        if sqrt(gap) * sqrt(now) > allowed:
            return LEAVE
    return STEP


def accepted(
    starts: Indices, columns: Indices, A: Doubles, A_sizes: Doubles, b: Doubles, y: Doubles,
    column: Doubles, r: Doubles, scale: Doubles, dx: Doubles, correction: Doubles,
    weights: Doubles, state: Doubles, n: int,
) -> int:  # fmt: skip
    """Take the simplified correction from y, and decide whether the full step is accepted."""
    off = backward_error(starts, columns, A, A_sizes, b, y, r, scale, n)
    state[BACKWARD_ERROR] = off
    if not off <= ACCEPT:
        return REFINE if off < INF else LEAVE
    natural, level = 0.0, 0.0
    for i in range(n):
        correction[i] = y[i] * column[i]
        natural += (correction[i] / weights[i]) * (correction[i] / weights[i])
        level += (dx[i] / weights[i]) * (dx[i] / weights[i])
    return STEP if natural < level else LEAVE
