"""Conjugates, real and imaginary parts of terms, for complex values between real unknowns.

The product E . diag(a) . W . diag(c) . G has real factors E and G. Its parts are products of parts
where one factor is real; otherwise the term is expanded first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..assembly.plan import Coefficient
from ..structures import operations
from ..structures.structure import Structure
from . import array_operations as op
from .coefficients import Memo, expanded_term, shift

Part = Callable[..., Any]
Term = tuple[Structure, Coefficient]
REAL_NUMBERS = (float, int, np.floating, np.integer)


def conjugated(g: Structure, p: Coefficient, memo: Memo) -> Term:
    """Return the complex conjugate of a term."""
    alpha, s, c, a = p
    c, a = (None if v is None else memo(op.conjugate, v) for v in (c, a))
    alpha, s = (n if isinstance(n, REAL_NUMBERS) else op.conjugate(n) for n in (alpha, s))
    if _has_complex_weights(g):
        g = operations.with_part_of_weights(g, np.conjugate)
    return g, (alpha, s, c, a)


def parts(g: Structure, p: Coefficient, part: Part, memo: Memo) -> Iterator[Term]:
    """Return the real or the imaginary part of a term, one or two terms."""
    complex_weights = _has_complex_weights(g)
    if p[3] is not None:
        if p[2] is None and not complex_weights:
            yield g, (1.0, 0.0, None, memo(part, shift(p[3], p[0], 0.0)))
            return
        g, p = expanded_term(g, p)
        complex_weights = False
    if not complex_weights:
        yield g, _part_of_term(p, part, memo)
        return
    # Re(W v) = Re W Re v - Im W Im v and Im(W v) = Re W Im v + Im W Re v.
    alpha, s, c, a = _part_of_term(p, op.imag_part if part is op.real_part else op.real_part, memo)
    if part is op.real_part:
        alpha, s = -alpha, -s
    yield operations.with_part_of_weights(g, np.real), _part_of_term(p, part, memo)
    yield operations.with_part_of_weights(g, np.imag), (alpha, s, c, a)


def _part_of_term(p: Coefficient, part: Part, memo: Memo) -> Coefficient:
    """Return the part of coefficients without row factors."""
    alpha, s, c, _ = p
    if c is None:
        return part(alpha), 0.0, None, None
    if isinstance(alpha, REAL_NUMBERS) and isinstance(s, REAL_NUMBERS):
        return part(alpha), s, memo(part, c), None
    return 0.0, 1.0, memo(part, shift(c, s, alpha)), None


def _has_complex_weights(g: Structure) -> bool:
    return g.has_weights and g.weights.data.dtype.kind == "c"
