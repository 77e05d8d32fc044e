"""Coefficients of terms: add, scale and move them with few passes over memory.

A coefficient is ``(alpha, s, c, a)``; `derivative` defines it. Functions here take a `Memo` of the
results of one operation. Terms that share an array (the two halves of a difference) share the
product or sum that was computed first.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
from numpy import ndarray

from ..assembly.plan import Coefficient
from ..structures import operations
from ..structures.operands import Index
from ..structures.structure import Structure
from . import array_operations as op
from .masked_coefficients import MaskedCoefficient, spread_coefficient
from .symbols import Symbol

Terms = dict[Structure, Coefficient]

# The coefficient of the unknowns themselves.
UNIT: Coefficient = (1.0, 0.0, None, None)
BY_VALUE = (int, float, complex, np.generic, type(None))


def _identity(operand: Any) -> Any:
    """Return what tells an operand from others; numbers in a tuple are told by their values."""
    if type(operand) is not tuple:
        return id(operand)
    return tuple([o if isinstance(o, BY_VALUE) else _identity(o) for o in operand])


class Memo:
    """Results of operations on arrays, each carried out once for the same operands."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[Any, Any] = {}

    def __call__(self, operation: Callable[..., Any], *operands: Any) -> Any:
        """Return ``operation(*operands)``."""
        # Arrays, which most operands are, need no question.
        key = (
            operation,
            *[
                id(o) if type(o) is ndarray else o if isinstance(o, BY_VALUE) else _identity(o)
                for o in operands
            ],
        )
        known = self._known.get(key)
        if known is None:
            # The operands stay referenced, so that their ids stay theirs.
            known = self._known[key] = (operation(*operands), operands)
        return known[0]


def finite(number: Any) -> bool:
    """Whether a number is finite, so that zeros of an array may meet it.

    One of a recorded computation counts as finite, as it does while nothing is recorded. Where it
    is not, the product with zero is an invalid operation, and the computation is folded.
    """
    return isinstance(number, Symbol) or bool(np.isfinite(number))


def moderate(number: Any) -> bool:
    """Whether a number may stand beside an array.

    An extreme one may not: the array alone could overflow, or vanish, where their product does not.
    One of a recorded computation is looked at when the computation is repeated.
    """
    if type(number) is not float and isinstance(number, Symbol):
        return True
    size = abs(number)
    return bool(LEAST < size < MOST or size == 0.0)


# Far beyond the ratios of physical units, and far from the ends of double precision.
LEAST, MOST = 1e-100, 1e100


def add_term(terms: Terms, g: Structure, q: Coefficient, memo: Memo) -> None:
    """Add a term to `terms`, where its structure may stand already."""
    p = terms.get(g)
    if p is None:
        terms[g] = q
    elif p[3] is None and q[3] is None:
        terms[g] = joined(p, q, memo)
    else:
        join_with_row_factors(terms, g, p, q, memo)


def joined(p: Coefficient, q: Coefficient, memo: Memo) -> Coefficient:
    """Return the sum of two coefficients of one structure, neither with row factors."""
    alpha, s1, c1, _ = p
    alpha = alpha + q[0]
    c2 = q[2]
    if c2 is None:
        return alpha, s1, c1, None
    s2 = q[1]
    if c1 is None:
        return alpha, s2, c2, None
    if c1 is c2:
        return alpha, s1 + s2, c1, None
    if s1 == 0:
        return alpha, s2, c2, None
    ratio = s2 / s1
    if ratio == 1:
        if isinstance(c1, Symbol) and isinstance(c2, Symbol) and c1.node is c2.node:
            return alpha, s1 + s2, c1, None  # twice the array: the same bits, by a number
        c = memo(op.add, c1, c2)
    elif ratio == -1:
        c = memo(op.subtract, c1, c2)
    elif moderate(ratio):
        c = memo(op.add_multiple, c1, c2, ratio)
    else:
        return alpha, 1.0, memo(op.add, memo(op.multiply, c1, s1), memo(op.multiply, c2, s2)), None
    return alpha, s1, c, None


def joined_terms(parts: list[Terms]) -> Terms:
    """Return the terms of an array made of parts, each with rows of its own.

    Borders beside an array (``np.hstack([u, u[-1:]])``) select unknowns as the array does. One
    structure takes the place of theirs: all that follows handles one term.
    """
    terms: Terms = {}
    memo = Memo()
    alike: dict[tuple[Hashable, int], tuple[Any, list[Structure]]] = {}
    for part in parts:
        met: dict[Hashable, int] = {}
        for g, p in part.items():
            alpha, _, c, a = p
            # A traced number, whose value differs between evaluations, is like itself alone.
            name: Hashable = (id(alpha),) if hasattr(alpha, "record") else alpha
            number = type(alpha) is float or type(name) is tuple
            if number and c is None and a is None and operations.is_plain(g):
                met[name] = k = met.get(name, 0) + 1
                alike.setdefault((name, k), (alpha, []))[1].append(g)
            else:
                add_term(terms, g, p, memo)
    for alpha, structures in alike.values():
        add_term(terms, operations.with_rows_of_all(structures), (alpha, 0.0, None, None), memo)
    return terms


def join_with_row_factors(
    terms: Terms, g: Structure, p: Coefficient, q: Coefficient, memo: Memo
) -> None:
    """Add a coefficient to that of the same structure where either has row factors."""
    if p[2] is None and q[2] is None:
        terms[g] = (1.0, 0.0, None, _row_sum(p, q, memo))
        return
    if p[3] is q[3]:
        alpha, s, c, _ = joined((*p[:3], None), (*q[:3], None), memo)
        terms[g] = (alpha, s, c, p[3])
        return
    del terms[g]
    for part in (p, q):
        h, r = expanded_term(g, part)
        add_term(terms, h, r, memo)


def _row_sum(p: Coefficient, q: Coefficient, memo: Memo) -> Any:
    """Return the sum of two products of a number and row factors, which one may not have."""
    if p[3] is None:
        p, q = q, p
    rows = memo(op.multiply, p[3], p[0])
    if q[3] is None:
        return memo(op.add, rows, q[0])
    return memo(op.add, rows, memo(op.multiply, q[3], q[0]))


def expanded_term(g: Structure, p: Coefficient) -> tuple[Structure, Coefficient]:
    """Return the same term with one coefficient for each entry and no weights."""
    alpha, s, c, a = p
    weights = g.weights.data
    if c is None:
        v = op.multiply(weights, alpha)
    else:
        v = op.multiply(weights, op.take(shift(c, s, alpha), g.weights.indices))
    if a is not None:
        v = op.multiply(v, op.take(a, g.row_of_entry()))
    return operations.expanded(g), (0.0, 1.0, v, None)


def scattered(
    parent: Structure, index: Any, p: Coefficient, memo: Memo
) -> tuple[Structure, Coefficient]:
    """Return the term on the structure that it was gathered from, zero elsewhere."""
    alpha, s, c, a = p
    count = parent.height
    one = (1.0,)
    if parent.has_weights:
        return parent, (alpha, s, c, memo(spread_coefficient, count, one, index, a))
    if c is None:
        # Not as a number beside the array: zeros elsewhere must not meet an infinite one.
        return parent, (0.0, 1.0, memo(spread_coefficient, count, (alpha,), index, None), None)
    if alpha != 0.0:
        c, s = shifted(c, s, alpha, memo)
    if not finite(s):
        c, s = memo(op.multiply, c, s), 1.0
    return parent, (0.0, s, memo(spread_coefficient, count, one, index, c), None)


def placed(factor: Any, g: Structure, memo: Memo) -> Any:
    """Return the factor of every compact row."""
    rows = g.rows
    if rows is None:
        return factor
    if isinstance(rows, slice):
        return memo(op.cut, factor, rows.start, rows.stop, rows.step)
    return memo(op.take, factor, rows)


def varying_part(p: Coefficient) -> Coefficient:
    """Return ones in place of a coefficient without row factors, zero where it is a constant's."""
    alpha, _, c, _ = p
    if isinstance(c, MaskedCoefficient) and alpha == 0.0:
        return 0.0, 1.0, MaskedCoefficient(None, c.mask, False), None
    return p if c is None and type(alpha) is op.ConstantSlope else UNIT


def without_numbers(g: Structure, p: Coefficient) -> tuple[Structure, Coefficient]:
    """Return the same term with its numbers multiplied into one array."""
    if g.has_weights:
        return expanded_term(g, p)
    alpha, s, c, _ = p
    full = op.constant(len(g.cols), alpha) if c is None else op.add(op.multiply(c, s), alpha)
    return g, (0.0, 1.0, full, None)


def shift(c: Any, s: Any, alpha: Any) -> Any:
    """Return ``alpha + s c`` as an array."""
    result = c if type(s) is float and s == 1.0 else op.multiply(c, s)
    return result if type(alpha) is float and alpha == 0.0 else op.add(result, alpha)


def shifted(c: Any, s: Any, alpha: Any, memo: Memo) -> tuple[Any, Any]:
    """Return (c', s') with s' c' = alpha + s c; opposite pairs share c'."""
    if s == 0:
        return memo(op.ones_like, c), alpha
    if not moderate(s) or not moderate(alpha / s):
        return memo(op.add, memo(op.multiply, c, s), alpha), 1.0
    return memo(op.add, c, alpha / s), s


def pulled(values: Any, pull: Any, memo: Memo) -> Any:
    """Return coefficients at the positions of a pull."""
    if isinstance(pull, Index):
        return memo(op.gather, values, pull)
    if type(pull) is slice:
        return memo(op.cut, values, pull.start, pull.stop, pull.step)
    return memo(op.take, values, pull)
