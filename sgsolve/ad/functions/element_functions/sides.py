"""Merge the two sides of a branch into one derivative.

Each side of a `branch` is evaluated at its elements only, and its terms have structures of these
elements. The chosen elements differ between evaluations. The merged derivative has the structures
of the whole arrays, with the coefficients of each side at its elements.
"""

from __future__ import annotations

import math
from typing import Any

from ...assembly.plan import Coefficient
from ...derivatives.coefficients import Memo, shifted
from ...derivatives.derivative import Derivative, same_evaluation, total
from ...derivatives.masked_coefficients import spread_coefficient
from ...programs.recorded import Recorded
from ...structures.operands import Index
from ...structures.structure import Structure

Piece = tuple[Index, Coefficient]


def merge_branches(sides: list[tuple[Index, Derivative]], size: int) -> Derivative:
    """Return the derivative of an array of `size` elements, each from one of the sides."""
    first, *others = (d for _, d in sides)
    for other in others:
        same_evaluation(first, other)
    if type(first) is Recorded:
        indices = tuple(index for index, _ in sides)
        return first.combined(_merge_branches, tuple(others), size, indices)
    return _merge_branches(*(d for _, d in sides), size, *(index for index, _ in sides))


def _merge_branches(*arguments: Any) -> Derivative:
    """Carry `merge_branches` out; arguments are all derivatives, the size, and all indices."""
    count = len(arguments) // 2
    size: int = arguments[count]
    derivatives = [d.carried_out() for d in arguments[:count]]
    sides = list(zip(arguments[count + 1 :], derivatives, strict=True))
    result = _merged(sides, size)
    for index, _ in sides:
        # Structures and their index refer to each other: freed now, not by the garbage collector.
        index.taken.clear()
    return result


def _merged(sides: list[tuple[Index, Derivative]], size: int) -> Derivative:
    if any(d.is_sparsity for _, d in sides):
        return total([d.put(index, size) for index, d in sides])
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
            others.append(type(d)(d.root, rest).put(index, size))
    memo = Memo()
    terms = {g: _spread_term(g, parts, size, memo) for g, parts in pieces.items()}
    return total([type(sides[0][1])(sides[0][1].root, terms), *others])


def _spread_term(g: Structure, parts: list[Piece], size: int, memo: Memo) -> Coefficient:
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
    ratios = tuple(s / common for _, s, _ in stretches)
    pieces = [part for index, _, values in stretches for part in (index, values)]
    full = memo(spread_coefficient, size, ratios, *pieces)
    return (common, 0.0, None, full) if weighted else (0.0, common, full, None)
