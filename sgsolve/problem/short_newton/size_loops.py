"""Sizes of the unknowns and of the equations, element by element; see `solvers.state.scaling`."""

from __future__ import annotations

from ...ad.kernels.loops.scalar_loops import Doubles, sqrt
from ...norms import SMALLEST_SQUARE
from ...solvers.state.scaling import TERM_FLOOR, TINY, WEIGHT_FLOOR
from .loop_state import INF
from .short_iterate import ShortIterate


def sizes_of_unknowns(it: ShortIterate, x: Doubles) -> int:
    """Write the sizes of the unknowns; see `Scaling.of_unknowns`."""
    largest, smallest = 0.0, INF
    for k in range(it.n_blocks):
        it.largest_in[k] = 0.0
    for i in range(it.n):
        size = abs(x[i])
        it.magnitude[i] = size
        largest = max(largest, size)
        smallest = min(smallest, size)
        it.largest_in[it.block[i]] = max(it.largest_in[it.block[i]], size)
    it.largest = largest
    it.smallest = smallest
    for k in range(it.n_blocks):
        now = TERM_FLOOR * it.largest_in[k]
        if now > 0.0:
            it.floors[k] = min(now, it.floors[k])
    acts = it.has_scale == 1 or smallest < max(WEIGHT_FLOOR * largest, TINY)
    for i in range(it.n):
        size = it.magnitude[i]
        weight, term = size, size
        if acts:
            floor = it.floors[it.block[i]]
            weight = max(size, WEIGHT_FLOOR * it.largest_in[it.block[i]])
            term = max(size, floor if floor < INF else 0.0)
            size = max(size, TINY) if size > 0.0 else 0.0
            it.magnitude[i] = size
        if it.has_scale == 1:
            weight = max(
                size, min(it.user_scale[i], largest) if largest > 0.0 else it.user_scale[i]
            )
            term = weight
        it.weights[i] = 1.0 if weight == 0.0 else weight
        it.terms[i] = term
        it.held_sizes[i] = max(size, it.user_scale[i]) if it.of_scale == 1 else size
    return 1


def sizes_of_equations(it: ShortIterate) -> int:
    """Write the sizes of the equations; see `Scaling.of_equations`. 0: not finite."""
    finite, bare = 1, 0.0
    for i in range(it.n):
        size, own_size, row = 0.0, 0.0, 0.0
        for k in range(it.starts[i], it.starts[i + 1]):
            size += it.sizes[k] * it.terms[it.columns[k]]
            own_size += it.sizes[k] * it.magnitude[it.columns[k]]
            row += it.sizes[k]
        if not size < INF:
            finite = 0
        if own_size == 0.0:
            bare = 1.0
        it.sized[i] = size if it.has_scale == 1 else own_size
        if size <= 0.0:
            size = 1.0 if row == 0.0 else row
        it.S[i] = size
        it.own[i] = own_size
    it.bare = bare
    return finite


def merit(it: ShortIterate, F: Doubles) -> float:
    """Return the norm of F / S; see `norms.norm2`. Infinite where that takes more care."""
    square, zero = 0.0, 1
    for i in range(it.n):
        ratio = F[i] / it.S[i]
        square += ratio * ratio
        if F[i] != 0.0:
            zero = 0
    known = square > SMALLEST_SQUARE and square < INF
    return sqrt(square) if known else (0.0 if zero == 1 else INF)


def take_jacobian(it: ShortIterate, F: Doubles) -> int:
    """Write the sizes of the equations with another Jacobian, and the norm of F. 0: not finite."""
    for k in range(it.nnz):
        it.sizes[k] = abs(it.J[k])
    finite = sizes_of_equations(it)
    it.phi = merit(it, F)
    return finite


def note_residual(it: ShortIterate, F: Doubles) -> int:
    """Write what the history tells: the largest residual and step in each block, and over terms."""
    for k in range(it.n_blocks):
        it.residual_in[k] = 0.0
        it.step_in[k] = 0.0
    scaled = 0.0
    for i in range(it.n):
        left = abs(F[i])
        it.residual_in[it.block[i]] = max(it.residual_in[it.block[i]], left)
        it.step_in[it.block[i]] = max(it.step_in[it.block[i]], abs(it.step[i]))
        if left > 0.0:
            scaled = max(scaled, left / it.sized[i] if it.sized[i] > 0.0 else INF)
    it.scaled_residual = scaled
    return 1


def note_scaled(it: ShortIterate) -> int:
    """Write the residuals over the terms of their equations."""
    for i in range(it.n):
        left = abs(it.F_new[i])
        it.scaled[i] = left / it.sized[i] if left > 0.0 else left
    return 1
