"""Functions and arithmetic of double precision vectors, which residuals are made of.

The rule is that of `ufunc_calls`, without its questions. None is returned for all other cases.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from ...arrays import DOUBLE
from ..derivatives.array_operations import raveled
from ..indexing import broadcast
from ..programs.element_loops.number_rows import NumberRow
from ..rules.numpy_ufuncs import UNARY

# The bare rules: vectors of doubles are real, which needs no test, and derivatives are
# carried out without warnings as it is.
VECTOR_RULES = {ufunc: inspect.unwrap(rule) for ufunc, rule in UNARY.items()}


def vector_function(ufunc: np.ufunc, x: Any) -> Any:
    """Return value and derivative of a function of an AD vector, or None for other cases."""
    v = x._value
    rule = VECTOR_RULES.get(ufunc)
    if rule is None or v.dtype is not DOUBLE:
        return None
    y = ufunc(v)
    if v.ndim == 1 or type(x._derivative) is NumberRow:
        return y, x._derivative.chained(rule, y, v)
    return y, x._derivative.chained(rule, raveled(y), raveled(v))


def both_carry(ufunc: np.ufunc, a: Any, b: Any) -> Any:
    """Return value and derivative of the arithmetic of two AD vectors, or None for other cases."""
    va, vb = a._value, b._value
    if va.dtype is not DOUBLE or vb.dtype is not DOUBLE:
        return None
    if va.shape != vb.shape:
        if ufunc is not np.multiply:
            return None
        y = va * vb
        d, e = (broadcast(x._derivative, x._value.shape, y.shape) for x in (a, b))
        return y, d.product(e, _broadcast_values(va, y.shape), _broadcast_values(vb, y.shape))
    if ufunc is np.multiply:
        return va * vb, a._derivative.product(b._derivative, raveled(va), raveled(vb))
    if ufunc is np.divide:
        y = va / vb
        return y, a._derivative.quotient(b._derivative, raveled(y), raveled(vb))
    return None


def _broadcast_values(v: Any, shape: tuple[int, ...]) -> Any:
    """Return values broadcast to a shape, as a vector."""
    if v.shape == shape:
        return raveled(v)
    if hasattr(v, "record"):  # of a traced evaluation
        return raveled(np.broadcast_to(v, shape))
    full = np.empty(shape)
    full[...] = v
    return full.ravel()


def one_carries(ufunc: np.ufunc, a: Any, b: Any) -> Any:
    """Return value and derivative of the arithmetic of an AD vector and an ndarray, or None."""
    x, k = (b, a) if type(a) is np.ndarray else (a, b)
    if type(k) is not np.ndarray or k.dtype is not DOUBLE:
        return None
    v = x._value
    if v.dtype is not DOUBLE:
        return None
    if v.shape != k.shape:
        if ufunc is not np.multiply or k.size == 1:
            return None
        y = v * k
        return y, broadcast(x._derivative, v.shape, y.shape).times(k, y.shape)
    if ufunc is np.add:
        return v + k, x._derivative
    if ufunc is np.subtract:
        return (v - k, x._derivative) if x is a else (k - v, x._derivative.scaled_by_number(-1.0))
    if ufunc is np.multiply:
        return v * k, x._derivative.times(k)
    if ufunc is np.divide and x is a:
        return v / k, x._derivative.over(k)
    return None
