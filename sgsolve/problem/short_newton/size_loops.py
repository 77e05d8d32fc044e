"""Sizes of the unknowns and of the equations, element by element; see `solvers.scaling`."""

from __future__ import annotations

from ...ad.kernels.scalar_loops import Doubles, Indices, sqrt
from ...norms import SMALLEST_SQUARE
from ...solvers.scaling import TERM_FLOOR, TINY, WEIGHT_FLOOR
from .loop_state import BARE, FLOOR, INF, LARGEST, PHI, RESIDUAL, SCALED, SMALLEST


def sizes_of_unknowns(
    x: Doubles, magnitude: Doubles, weights: Doubles, terms: Doubles, state: Doubles, n: int
) -> int:
    """Write the sizes of the unknowns; see `Scaling.of_unknowns`."""
    largest, smallest = 0.0, INF
    for i in range(n):
        size = abs(x[i])
        magnitude[i] = size
        largest = max(largest, size)
        smallest = min(smallest, size)
    state[LARGEST] = largest
    state[SMALLEST] = smallest
    now = TERM_FLOOR * largest
    if now > 0.0:
        state[FLOOR] = min(now, state[FLOOR])
    floor = state[FLOOR] if state[FLOOR] < INF else 0.0
    acts = smallest < max(WEIGHT_FLOOR * largest, TINY)
    for i in range(n):
        size = magnitude[i]
        weights[i] = size
        terms[i] = size
        if acts:
            weight = max(size, WEIGHT_FLOOR * largest)
            weights[i] = 1.0 if weight == 0.0 else weight
            terms[i] = max(size, floor)
            magnitude[i] = max(size, TINY) if size > 0.0 else 0.0
    return 1


def sizes_of_equations(
    starts: Indices, columns: Indices, sizes: Doubles, terms: Doubles, magnitude: Doubles,
    S: Doubles, own: Doubles, state: Doubles, n: int,
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
    magnitude: Doubles, S: Doubles, own: Doubles, state: Doubles, n: int, nnz: int,
) -> int:  # fmt: skip
    """Write the sizes of the equations with another Jacobian, and the norm of F. 0: not finite."""
    for k in range(nnz):
        sizes[k] = abs(J[k])
    finite = sizes_of_equations(starts, columns, sizes, terms, magnitude, S, own, state, n)
    state[PHI] = merit(F, S, n)
    return finite


def note_residual(F: Doubles, own: Doubles, state: Doubles, n: int) -> int:
    """Write the largest residual and the largest one over its terms, for the history."""
    residual, scaled = 0.0, 0.0
    for i in range(n):
        left = abs(F[i])
        residual = max(residual, left)
        if left > 0.0:
            scaled = max(scaled, left / own[i] if own[i] > 0.0 else INF)
    state[RESIDUAL] = residual
    state[SCALED] = scaled
    return 1


def note_scaled(F: Doubles, own: Doubles, scaled: Doubles, n: int) -> int:
    """Write the residuals over the terms of their equations."""
    for i in range(n):
        left = abs(F[i])
        scaled[i] = left / own[i] if left > 0.0 else left
    return 1
