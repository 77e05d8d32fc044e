"""Putting the two sides of a branch together again, on the structure that they came from.

Each side of a `branch` was evaluated on the elements that it was chosen for, and so its terms
stand on gathered structures. Which elements these are is a decision of one evaluation; the sum of
both sides stands on the whole structures, with each side's coefficients at its elements.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .coefficients import Coefficient, shifted
from .derivative import Derivative
from .operands import Index
from .structure import Structure

Piece = tuple[Index, Coefficient]


def put_back(sides: list[tuple[Index, Derivative]], size: int) -> Derivative:
    """Return the derivative of an array of `size` elements, each from one of the sides."""
    if any(d.is_sparsity for _, d in sides):
        return _total([d.put(index, size) for index, d in sides])
    pieces: dict[Structure, list[Piece]] = {}
    others = []
    for index, d in sides:
        rest = {}
        for g, p in d.terms.items():
            origin = g.origin(index, size)
            if origin is not None and (not g.has_weights or p[2] is None):
                pieces.setdefault(origin, []).append((index, p))
            else:
                rest[g] = p
        if rest:
            others.append(Derivative(d.root, rest).put(index, size))
    memo: dict[Any, Any] = {}
    terms = {g: _spread(g, parts, size, memo) for g, parts in pieces.items()}
    return _total([Derivative(sides[0][1].root, terms), *others])


def _total(parts: list[Derivative]) -> Derivative:
    total = parts[0]
    for part in parts[1:]:
        total = total.plus(part)
    return total


def _spread(g: Structure, parts: list[Piece], size: int, memo: dict[Any, Any]) -> Coefficient:
    """Return one coefficient array from its pieces; opposite terms share it."""
    weighted = g.has_weights
    stretches: list[tuple[Index, Any, Any]] = []
    for index, (alpha, s, c, a) in parts:
        if weighted:
            stretches.append((index, alpha, a))
        elif c is None:
            stretches.append((index, alpha, None))
        else:
            if alpha != 0.0:
                c, s = shifted(c, s, alpha, memo)
            stretches.append((index, s, c))
    # An infinite slope of one element must not meet the zeros of the others.
    common = next((s for _, s, _ in stretches if 0.0 < abs(s) < math.inf), 1.0)
    key = tuple((id(index), id(values), s / common) for index, s, values in stretches)
    if key not in memo:
        memo[key] = (_filled(stretches, common, size), stretches)
    full = memo[key][0]
    return (common, 0.0, None, full) if weighted else (0.0, common, full, None)


def _filled(stretches: list[tuple[Index, Any, Any]], common: Any, size: int) -> Any:
    """Return the array with each stretch, divided by the common factor, at its elements."""
    ones = np.float64(1.0)
    dtype = np.result_type(*(ones if v is None else v for _, _, v in stretches))
    dtype = np.result_type(dtype, *(s / common for _, s, _ in stretches))
    covered = sum(len(index.values) for index, _, _ in stretches) == size
    full = np.empty(size, dtype=dtype) if covered else np.zeros(size, dtype=dtype)
    for index, s, values in stretches:
        ratio = s / common
        if values is None:
            full[index.values] = ratio
        else:
            full[index.values] = values if ratio == 1 else values * ratio
    return full
