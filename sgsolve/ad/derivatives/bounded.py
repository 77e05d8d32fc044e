"""Derivatives in which a value that overflowed is a large number, and not infinite.

A value that overflowed, ``exp(800)``, has a slope just as large. What the code makes of it may be
finite, as ``1 / exp(800)`` is: zero times that slope has to be zero, and would be NaN if the slope
were infinite. In this form such a value is a finite number beyond the range of double precision.
The slope of a pole, ``1 / x`` at zero, stays infinite.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from . import array_operations as op
from .derivative import Derivative
from .folded import Folded, in_any_precision

# What stands for a value that overflowed: its square and cube are finite in extended precision,
# and its inverse is zero in double precision.
OVERFLOWN = np.ldexp(np.longdouble(1), 5000) if np.finfo(np.longdouble).maxexp > 15000 else np.inf


class Bounded(Folded):
    """A derivative in the folded form, of arrays of extended precision, without such infinities."""

    __slots__ = ()

    def scaled_by_values(self, values: Any, number: float = 1.0) -> Derivative:
        """Return diag(number values) times this derivative, for values of the code, not slopes."""
        return super().scaled_by_values(bounded(values), number)

    def product(self, other: Derivative, value: Any, others: Any) -> Derivative:
        """Return the derivative of the product of two arrays with these values."""
        return super().product(other, bounded(value), bounded(others))

    def chained(self, rule: Callable[..., Any], result: Any, value: Any) -> Derivative:
        """Return the derivative of a function with that rule, from its result and argument."""
        return super().chained(_of_bounded_values(rule), result, value)

    def quotient(self, other: Derivative, result: Any, others: Any) -> Derivative:
        """Return the derivative of a quotient from its value and that of the denominator."""
        return super().quotient(other, bounded(result), bounded(others))


def has_overflowed(item: Any) -> bool:
    """Whether an array has infinite elements."""
    return isinstance(item, np.ndarray) and item.dtype.kind == "f" and bool(np.isinf(item).any())


@op.operation
def bounded(values: Any) -> Any:
    """Return values of the code, beyond the range of double precision where they overflowed."""
    return values.clip(-OVERFLOWN, OVERFLOWN) if values.dtype.kind == "f" else values


@functools.lru_cache(maxsize=1000)
def _of_bounded_values(rule: Callable[..., Any]) -> Callable[..., Any]:
    """Return a rule for values of which some have overflowed; its slopes are infinite at poles."""
    tolerant = in_any_precision(rule)
    bound = op.unrecorded(bounded)

    def finite(y: Any, x: Any) -> Any:
        # The sine of infinity is NaN, and so is its slope.
        slope = tolerant(bound(y), np.where(np.isnan(y), x, bound(x)))
        if type(slope) is tuple:
            return slope[0], _bounded_slope(slope[1])
        return _bounded_slope(slope)

    return finite


def _bounded_slope(slope: Any) -> Any:
    if not isinstance(slope, np.ndarray) or slope.dtype.kind != "f":
        return slope
    return np.where(np.isinf(slope), slope, slope.clip(-OVERFLOWN, OVERFLOWN))
