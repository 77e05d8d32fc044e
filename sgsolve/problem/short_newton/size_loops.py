"""Sizes of the unknowns and of the equations, element by element; see `solvers.scaling`."""

from __future__ import annotations

from ...ad.kernels.scalar_loops import Doubles, Indices, sqrt
from ...norms import SMALLEST_SQUARE
from ...solvers.scaling import TERM_FLOOR, TINY, WEIGHT_FLOOR
from .loop_state import BARE, INF, LARGEST, PHI, SCALED, SMALLEST


def sizes_of_unknowns(
    x: Doubles, magnitude: Doubles, weights: Doubles, terms: Doubles, held_sizes: Doubles,
    user_scale: Doubles, block: Indices, floors: Doubles, largest_in: Doubles, state: Doubles,
    n: int, n_blocks: int, has_scale: int, of_scale: int,
) -> int:  # fmt: skip
    """Write the sizes of the unknowns; see `Scaling.of_unknowns`."""
    largest, smallest = 0.0, INF
    for k in range(n_blocks):
        largest_in[k] = 0.0
    for i in range(n):
        size = abs(x[i])
        magnitude[i] = size
        largest = max(largest, size)
        smallest = min(smallest, size)
        largest_in[block[i]] = max(largest_in[block[i]], size)
    state[LARGEST] = largest
    state[SMALLEST] = smallest
    for k in range(n_blocks):
        now = TERM_FLOOR * largest_in[k]
        if now > 0.0:
            floors[k] = min(now, floors[k])
    acts = has_scale == 1 or smallest < max(WEIGHT_FLOOR * largest, TINY)
    for i in range(n):
        size = magnitude[i]
        weight, term = size, size
        if acts:
            floor = floors[block[i]]
            weight = max(size, WEIGHT_FLOOR * largest_in[block[i]])
            term = max(size, floor if floor < INF else 0.0)
            size = max(size, TINY) if size > 0.0 else 0.0
            magnitude[i] = size
        if has_scale == 1:
            weight = max(size, min(user_scale[i], largest) if largest > 0.0 else user_scale[i])
            term = weight
        weights[i] = 1.0 if weight == 0.0 else weight
        terms[i] = term
        held_sizes[i] = max(size, user_scale[i]) if of_scale == 1 else size
    return 1


def sizes_of_equations(
    starts: Indices, columns: Indices, sizes: Doubles, terms: Doubles, magnitude: Doubles,
    S: Doubles, own: Doubles, sized: Doubles, state: Doubles, n: int, has_scale: int,
) -> int:  # fmt: skip
    """Write the sizes of the equations; see `Scaling.of_equations`. 0: not finite."""
    finite, bare = 1, 0.0
    for i in range(n):
        size, own_size, row = 0.0, 0.0, 0.0
        for k in range(starts[i], starts[i + 1]):
            size += sizes[k] * terms[columns[k]]
            own_size += sizes[k] * magnitude[columns[k]]
            row += sizes[k]
        if not size < INF:
            finite = 0
        if own_size == 0.0:
            bare = 1.0
        sized[i] = size if has_scale == 1 else own_size
        if size <= 0.0:
            size = 1.0 if row == 0.0 else row
        S[i] = size
        own[i] = own_size
    state[BARE] = bare
    return finite


def merit(F: Doubles, S: Doubles, n: int) -> float:
    """Return the norm of F / S; see `norms.norm2`. Infinite where that takes more care."""
    square, zero = 0.0, 1
    for i in range(n):
        ratio = F[i] / S[i]
        square += ratio * ratio
        if F[i] != 0.0:
            zero = 0
    known = square > SMALLEST_SQUARE and square < INF
    return sqrt(square) if known else (0.0 if zero == 1 else INF)


def take_jacobian(
    starts: Indices, columns: Indices, F: Doubles, J: Doubles, sizes: Doubles, terms: Doubles,
    magnitude: Doubles, S: Doubles, own: Doubles, sized: Doubles, state: Doubles, n: int, nnz: int,
    has_scale: int,
) -> int:  # fmt: skip
    """Write the sizes of the equations with another Jacobian, and the norm of F. 0: not finite."""
    for k in range(nnz):
        sizes[k] = abs(J[k])
    finite = sizes_of_equations(
        starts, columns, sizes, terms, magnitude, S, own, sized, state, n, has_scale
    )
    state[PHI] = merit(F, S, n)
    return finite


def note_residual(
    F: Doubles, sized: Doubles, step: Doubles, block: Indices, residual_in: Doubles,
    step_in: Doubles, state: Doubles, n: int, n_blocks: int,
) -> int:  # fmt: skip
    """Write what the history tells: the largest residual and step in each block, and over terms."""
    for k in range(n_blocks):
        residual_in[k] = 0.0
        step_in[k] = 0.0
    scaled = 0.0
    for i in range(n):
        left = abs(F[i])
        residual_in[block[i]] = max(residual_in[block[i]], left)
        step_in[block[i]] = max(step_in[block[i]], abs(step[i]))
        if left > 0.0:
            scaled = max(scaled, left / sized[i] if sized[i] > 0.0 else INF)
    state[SCALED] = scaled
    return 1


def note_scaled(F: Doubles, sized: Doubles, scaled: Doubles, n: int) -> int:
    """Write the residuals over the terms of their equations."""
    for i in range(n):
        left = abs(F[i])
        scaled[i] = left / sized[i] if left > 0.0 else left
    return 1
