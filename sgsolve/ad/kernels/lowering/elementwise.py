"""Which of NumPy's functions are operations on elements, and which operations of a kernel they are.

Arithmetic, comparisons and square roots are those of IEEE 754, the same bits everywhere. All other
ufuncs are calls of their own loops.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ...derivatives import array_operations as op
from .unique_values import Values
from .values import Value

# From a function to the operation of the same arguments: on doubles, on truth values.
DOUBLES: dict[Any, str] = {
    operator.add: "add", np.add: "add", operator.sub: "sub", np.subtract: "sub",
    operator.mul: "mul", np.multiply: "mul", operator.truediv: "div", np.divide: "div",
    operator.neg: "neg", np.negative: "neg", operator.abs: "abs", np.absolute: "abs",
    np.abs: "abs", np.fabs: "abs", np.sqrt: "sqrt",
}  # fmt: skip
COMPARISONS: dict[Any, str] = {
    operator.lt: "lt", np.less: "lt", operator.le: "le", np.less_equal: "le",
    operator.gt: "gt", np.greater: "gt", operator.ge: "ge", np.greater_equal: "ge",
    operator.eq: "eq", np.equal: "eq", operator.ne: "ne", np.not_equal: "ne",
}  # fmt: skip
TRUTH: dict[Any, str] = {
    operator.and_: "and", np.logical_and: "and", np.bitwise_and: "and",
    operator.or_: "or", np.logical_or: "or", np.bitwise_or: "or",
    operator.xor: "xor", np.logical_xor: "xor", np.bitwise_xor: "xor", operator.ne: "xor",
    np.not_equal: "xor", operator.invert: "not", np.logical_not: "not", np.invert: "not",
}  # fmt: skip


def as_double(values: Values, v: Value) -> Value:
    """Return truth values as ones and zeros."""
    return v if v.dtype == "d" else values.elementwise("double", v, size=v.size)


def as_truth(values: Values, v: Value) -> Value:
    """Return whether numbers are not zero."""
    if v.dtype == "b":
        return v
    return values.elementwise("ne", v, values.number(0.0), size=v.size, dtype="b")


def arithmetic(values: Values, function: Any, args: list[Value], size: int) -> Value | None:
    """Return what a ufunc or an operator of Python's does to elements; None: no such operation.

    All arguments have `size` elements, or one.
    """
    truths = all(a.dtype == "b" for a in args)
    if truths and function in TRUTH:
        return values.elementwise(TRUTH[function], *args, size=size, dtype="b")
    if function in (np.logical_and, np.logical_or, np.logical_not, np.logical_xor):
        args = [as_truth(values, a) for a in args]
        return values.elementwise(TRUTH[function], *args, size=size, dtype="b")
    if function in COMPARISONS:
        args = [as_double(values, a) for a in args]
        return values.elementwise(COMPARISONS[function], *args, size=size, dtype="b")
    if truths:
        return None  # NumPy counts and orders truth values in ways of its own
    args = [as_double(values, a) for a in args]
    if function in DOUBLES:
        return values.elementwise(DOUBLES[function], *args, size=size)
    composed = COMPOSED.get(function)
    return None if composed is None else composed(values, size, *args)


def _square(values: Values, size: int, x: Value) -> Value:
    return values.elementwise("mul", x, x, size=size)


def _reciprocal(values: Values, size: int, x: Value) -> Value:
    return values.elementwise("div", values.number(1.0), x, size=size)


def _is_nan(values: Values, size: int, x: Value) -> Value:
    return values.elementwise("ne", x, x, size=size, dtype="b")


def _is_finite(values: Values, size: int, x: Value) -> Value:
    magnitude = values.elementwise("abs", x, size=size)
    return values.elementwise("lt", magnitude, values.number(np.inf), size=size, dtype="b")


def _add_multiple(values: Values, size: int, c: Value, d: Value, ratio: Value) -> Value:
    return values.elementwise("add", values.elementwise("mul", d, ratio, size=size), c, size=size)


COMPOSED: dict[Any, Callable[..., Value]] = {
    np.square: _square,
    np.reciprocal: _reciprocal,
    op.unrecorded(op.reciprocal): _reciprocal,
    np.isnan: _is_nan,
    np.isfinite: _is_finite,
    op.unrecorded(op.add_multiple): _add_multiple,
}


def power(values: Values, size: int, x: Value, exponent: Any) -> Value | None:
    """Return ``array**exponent`` where NumPy's operator takes another function than np.power."""
    if exponent == 2:
        return _square(values, size, x)
    if exponent == 1:
        return values.elementwise("copy", x, size=size)
    if exponent == 0.5:
        return values.elementwise("sqrt", x, size=size)
    return _reciprocal(values, size, x) if exponent == -1 else None
