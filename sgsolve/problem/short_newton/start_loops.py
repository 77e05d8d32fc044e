"""The start of a short solve, element by element; see `step_loops`."""

from __future__ import annotations

from .decision_loops import holds
from .linear_loops import next_system
from .loop_state import INF, LEAVE, NAN
from .short_iterate import ShortIterate
from .size_loops import note_residual, sizes_of_unknowns, take_jacobian


def started(it: ShortIterate) -> int:
    """Start from x with the residual F and the Jacobian J; write the first linear system."""
    begin_state(it)
    square = begin_steps(it)
    if not square < INF:
        return LEAVE
    sizes_of_unknowns(it, it.x)
    finite = take_jacobian(it, it.F)
    if finite == 0:
        return LEAVE
    note_residual(it, it.F)
    # Whether a start is a solution is not decided here.
    small = holds(it, it.F, it.tolerance)
    rounded = holds(it, it.F, it.rounding)
    if not it.phi < INF or it.phi == 0.0 or (small != 0 and rounded != 0):
        return LEAVE
    return next_system(it)


def begin_state(it: ShortIterate) -> int:
    """Write the numbers of a solve that begins, beside those that are zero."""
    for k in range(it.n_blocks):
        it.floors[k] = INF
    it.step_size = INF
    it.step_size_old = INF
    it.step_absolute = INF
    it.step_absolute_old = INF
    it.run = -1.0
    it.backward_error = NAN
    return 1


def begin_steps(it: ShortIterate) -> float:
    """Write the start, before which there are no steps; return the sum of the squares of F."""
    square = 0.0
    for i in range(it.n):
        it.step[i] = 0.0
        it.step_old[i] = 0.0
        it.step_older[i] = 0.0
        it.x_start[i] = it.x[i]
        square += it.F[i] * it.F[i]
    return square
