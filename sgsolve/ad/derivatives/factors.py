"""Products of terms with factors: arrays, numbers, and masks.

A term whose factor is a number keeps it outside of its arrays, unless it is extreme: the array
alone could then overflow, or vanish, where their product does not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..assembly.plan import Coefficient
from . import array_operations as op
from .coefficients import (
    Memo,
    Terms,
    add_term,
    expanded_term,
    finite,
    moderate,
    placed,
    shift,
    shifted,
    without_numbers,
)
from .masked_coefficients import mask_of, masked_coefficient


def scaled_terms(old: Terms, number: Any, factor: Any, multiply: Callable[..., Any]) -> Terms:
    """Return terms times a number and an array with one value for each element."""
    memo = Memo()
    if not moderate(number):
        factor, number = op.multiply(factor, number), 1.0
    terms: Terms = {}
    for g, (alpha, s, c, a) in old.items():
        if type(alpha) is op.ConstantSlope and c is None:
            terms[g] = (alpha, s, c, a)
            continue
        d = factor if g.rows is None else placed(factor, g, memo)
        if g.has_weights:
            a = d if a is None else memo(multiply, a, d)
            terms[g] = (alpha * number, s * number, c, a)
        elif c is None:
            s = alpha * number
            terms[g] = with_number(s, d) if moderate(s) else with_number(1.0, op.multiply(d, s))
        else:
            if alpha != 0.0:
                c, s = shifted(c, s, alpha, memo)
            if not moderate(s * number):
                c, s = memo(op.multiply, c, s), 1.0
            terms[g] = with_number(s * number, memo(multiply, c, d))
    return terms


def terms_times_number(old: Terms, number: Any) -> Terms:
    """Return terms times a number."""
    if type(number) is op.ConstantSlope:
        return dict.fromkeys(old, (number, 0.0, None, None))
    terms: Terms = {}
    for g, p in old.items():
        alpha, s = p[0] * number, p[1] * number
        if p[2] is None and not g.has_weights:
            terms[g] = (alpha, 0.0, None, p[3])
        elif moderate(s) and (moderate(alpha) or not g.has_weights):
            terms[g] = (alpha, s, p[2], p[3])
        else:
            h, q = expanded_term(g, p) if g.has_weights else (g, p)
            c = op.multiply(shift(q[2], q[1], q[0]), number)
            add_term(terms, h, with_number(1.0, c), Memo())
    return terms


def masked_terms(old: Terms, mask: Any, holds: bool) -> Terms:
    """Return terms where a mask holds (or does not), and those of a constant elsewhere."""
    memo = Memo()
    terms: Terms = {}
    chosen = mask_of(mask, holds)
    for g, p in old.items():
        if p[2] is None and type(p[0]) is op.ConstantSlope:
            terms[g] = p
            continue
        if g.has_weights and p[2] is not None:
            # A row factor of zero would not take a NaN out of its coefficients.
            g, p = expanded_term(g, p)
        m, rows = chosen, g.rows
        if isinstance(rows, slice):
            m = memo(chosen.pulled, op.cut, rows.start, rows.stop, rows.step)
        elif rows is not None:
            m = memo(chosen.pulled, op.take, rows)
        if not (finite(p[0]) and finite(p[1])):
            # Zero times an infinite number would be NaN: the number goes into the array.
            g, p = without_numbers(g, p)
            m = chosen.pulled(op.take, g.place(np.arange(len(g.cols))))
        alpha, s, c, a = p
        if g.has_weights:
            terms[g] = (alpha, s, c, memo(masked_coefficient, a, m))
        elif c is None:
            terms[g] = (0.0, alpha, memo(masked_coefficient, None, m), None)
        else:
            if alpha != 0.0:
                c, s = shifted(c, s, alpha, memo)
            add_term(terms, g, (0.0, s, memo(masked_coefficient, c, m), None), memo)
    return terms


def with_number(s: Any, c: Any) -> Coefficient:
    """Return the coefficient of a number and an array."""
    return 0.0, s, c, None
