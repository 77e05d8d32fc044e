"""Derivatives that multiply numbers into arrays at once, in the order of the code.

`Derivative` keeps numbers outside of arrays: ``(1e-250 exp(x)) w`` is the number times the array
``exp(x) w``. That array may overflow where the code does not. If NumPy's floating point flags
report overflow or underflow, the computation is repeated in this form with arrays of extended
precision, whose exponents have 15 bits where the platform has them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ...private_api import error_states, quiet
from ..assembly.plan import Coefficient
from ..structures.operands import Constant, Matrix
from ..structures.structure import Structure
from . import array_operations as op
from .coefficients import Memo, Terms, add_term, expanded_term, placed, shift
from .derivative import Derivative, Scale
from .masked_coefficients import locked_zeros


class Folded(Derivative):
    """A derivative without numbers beside arrays, and without weights beside coefficients."""

    __slots__ = ()

    def scaled(self, factor: Scale) -> Derivative:
        """Return diag(factor) times this derivative."""
        if type(factor) is tuple:
            number, array = factor
            factor = number * array if isinstance(array, op.NUMBERS) else op.multiply(array, number)
        if isinstance(factor, op.NUMBERS):
            return self.scaled_by_number(factor)
        memo = Memo()
        terms: Terms = {}
        for g, p in self.terms.items():
            if type(p[0]) is op.ConstantSlope and p[2] is None:
                add_term(terms, g, p, memo)
                continue
            h, (alpha, _, c, _) = _folded(g, p)
            d = factor if h.rows is None else placed(factor, h, memo)
            c = memo(op.multiply, d, alpha) if c is None else op.multiply(c, d)
            add_term(terms, h, (0.0, 1.0, c, None), memo)
        return type(self)(self.root, terms)

    def scaled_by_values(self, values: Any, number: float = 1.0) -> Derivative:
        """Return diag(number values) times this derivative, for values of the code, not slopes."""
        return self.scaled(values if number == 1.0 else (number, values))

    def scaled_by_number(self, number: Any) -> Derivative:
        """Return `number` times this derivative."""
        if isinstance(number, (int, float)) and (
            abs(number) == 1 or type(number) is op.ConstantSlope
        ):
            return super().scaled_by_number(number)
        memo = Memo()
        terms: Terms = {}
        for g, p in self.terms.items():
            h, (alpha, _, c, _) = _folded(g, p)
            if c is None:
                add_term(terms, h, (alpha * number, 0.0, None, None), memo)
            else:
                add_term(terms, h, (0.0, 1.0, op.multiply(c, number), None), memo)
        return type(self)(self.root, terms)

    def weighted(self, constant: Constant) -> Derivative:
        """Return diag(constant) times this derivative."""
        return self.scaled(constant.values)

    def chained(self, rule: Callable[..., Any], result: Any, value: Any) -> Derivative:
        """Return the derivative of a function with that rule, from its result and argument."""
        tolerant = in_any_precision(rule)
        return self.scaled(without_overflow(lambda y, x: op.partial(tolerant, y, x), result, value))

    def quotient(self, other: Derivative, result: Any, others: Any) -> Derivative:
        """Return the derivative of a quotient from its value and that of the denominator."""
        inverse = without_overflow(op.reciprocal, others)
        slope = without_overflow(lambda y, b: op.multiply(y, op.reciprocal(b)), result, others)
        slope = locked_zeros(slope, self.terms)
        return self.scaled(inverse).plus(other.scaled((-1.0, slope)))

    def multiplied(self, matrix: Matrix) -> Derivative:
        """Return the derivative of ``A @ y``."""
        return Derivative.multiplied(self._without_weights(), matrix)

    def final(self) -> Derivative:
        """Return the same derivative without weights beside arrays, ready to be assembled."""
        return Derivative.final(self._without_weights())

    def _without_weights(self) -> Derivative:
        memo = Memo()
        terms: Terms = {}
        for g, p in self.terms.items():
            add_term(terms, *_folded(g, p), memo)
        return type(self)(self.root, terms)


def _folded(g: Structure, p: Coefficient) -> tuple[Structure, Coefficient]:
    """Return the same term with one number, or one array, for a coefficient."""
    if g.has_weights:
        g, p = expanded_term(g, p)
    alpha, s, c, _ = p
    if c is None:
        return g, (alpha, 0.0, None, None)
    return g, (0.0, 1.0, shift(c, s, alpha), None)


@functools.lru_cache(maxsize=1000)
def in_any_precision(rule: Callable[..., Any]) -> Callable[..., Any]:
    """Return a rule that continues in double precision where it cannot in extended precision."""

    def tolerant(*values: Any) -> Any:
        try:
            return rule(*values)
        except TypeError:
            return rule(*map(narrow, values))

    return tolerant


# Overflow and underflow in double precision are not final.
STRICT: Any = {"all": "ignore", "over": "raise", "under": "raise"}
strict = error_states(**STRICT)


def without_overflow(compute: Callable[..., Any], *values: Any) -> Any:
    """Return ``compute(*values)``, in extended precision where double precision does not do."""
    try:
        with strict():
            return compute(*values)
    except FloatingPointError:
        with quiet():
            return compute(*map(wide, values))


def wide(item: Any) -> Any:
    """Return what lies on a tape in extended precision, where it is numbers."""
    if isinstance(item, (np.ndarray, np.generic)) and item.dtype.kind in "fc":
        return item.astype(np.clongdouble if item.dtype.kind == "c" else np.longdouble)
    return np.longdouble(item) if type(item) is float else item


def narrow(item: Any) -> Any:
    """Return an item in double precision, where it is of extended precision."""
    if getattr(item, "dtype", None) in (np.longdouble, np.clongdouble):
        return item.astype(complex if item.dtype.kind == "c" else float)
    return item
