"""Operators of AD arrays, and the way from a ufunc to its rule."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy import ndarray

from ..arrays import DOUBLE
from . import dispatch
from .assignments.in_place import in_place
from .conversions import refusals
from .conversions.nested import HOLDERS, any_may_hold, array_if_needed, is_array_of_objects
from .derivatives.array_operations import flat, raveled
from .derivatives.folded import without_overflow
from .programs.element_loops.number_rows import NumberRow
from .programs.traced_arrays import TracedFloat, is_complex_number
from .rules.numpy_ufuncs import power_base
from .ufuncs import ufunc_calls
from .ufuncs.vector_arithmetic import both_carry, one_carries, vector_function

NUMBERS = (int, float, TracedFloat)


def _by_rule(ufunc: Any) -> tuple[Any, Any]:
    """Return an operator and its reflected form, by the general rule."""
    return (
        lambda self, other: call_ufunc(ufunc, self, other),
        lambda self, other: call_ufunc(ufunc, other, self),
    )


def _compared(operation: Any) -> Any:
    """Return a comparison of values: its result decides, it carries no derivative."""
    return lambda self, other: operation(self._value, ufunc_calls.raw_value(other))


class Operators:
    """Arithmetic and comparisons; the base of `ADArray`, which adds the data and the protocols."""

    __slots__ = ()

    _value: Any
    _derivative: Any

    def __init__(self, value: Any, derivative: Any) -> None:
        self._value = value
        self._derivative = derivative

    def __neg__(self) -> Any:
        return type(self)(-self._value, self._derivative.scaled_by_number(-1.0))

    def __pos__(self) -> Any:
        # A copy, as NumPy's: the layout of a view decides the last bit of what follows.
        return type(self)(+self._value, self._derivative)

    def __abs__(self) -> Any:
        result = call_ufunc(np.absolute, self)
        if is_complex_number(self._value):
            result._value = abs(self._value)  # NumPy rounds that of a scalar otherwise
        return result

    # The arithmetic of double precision vectors, which residuals are made of, is spelled out here:
    # at a few hundred elements a function call costs as much as the addition.

    def __add__(self, other: Any) -> Any:
        kind = type(other)
        value = self._value
        if kind in NUMBERS:
            return type(self)(value + other, self._derivative)
        if kind is type(self):
            d, e = self._derivative, other._derivative
            if type(d) is type(e) is NumberRow or other._value.shape == value.shape:
                return kind(value + other._value, d.plus(e))
        if kind is ndarray and _alike(value, other):
            return type(self)(value + other, self._derivative)
        return call_ufunc(np.add, self, other)

    def __radd__(self, other: Any) -> Any:
        if type(other) in NUMBERS:
            return type(self)(other + self._value, self._derivative)
        return call_ufunc(np.add, other, self)

    def __sub__(self, other: Any) -> Any:
        kind = type(other)
        value = self._value
        if kind in NUMBERS:
            return type(self)(value - other, self._derivative)
        if kind is type(self):
            d, e = self._derivative, other._derivative
            if type(d) is type(e) is NumberRow or other._value.shape == value.shape:
                return kind(value - other._value, d.plus(e, -1.0))
        if kind is ndarray and _alike(value, other):
            return type(self)(value - other, self._derivative)
        return call_ufunc(np.subtract, self, other)

    def __rsub__(self, other: Any) -> Any:
        if type(other) in NUMBERS:
            return type(self)(other - self._value, self._derivative.scaled_by_number(-1.0))
        return call_ufunc(np.subtract, other, self)

    def __mul__(self, other: Any) -> Any:
        kind = type(other)
        value = self._value
        if kind in NUMBERS and value.dtype is DOUBLE:
            return type(self)(value * other, self._derivative.scaled_by_number(_as_number(other)))
        if kind is type(self):
            others = other._value
            d, e = self._derivative, other._derivative
            if type(d) is NumberRow and type(e) is NumberRow:
                return kind(value * others, d.product(e, value, others))
            if value.dtype is DOUBLE and others.dtype is DOUBLE and value.shape == others.shape:
                a, b = (value, others) if value.ndim == 1 else (raveled(value), raveled(others))
                return kind(value * others, d.product(e, a, b))
        elif kind is ndarray and _alike(value, other):
            return type(self)(value * other, self._derivative.times(other))
        return call_ufunc(np.multiply, self, other)

    def __rmul__(self, other: Any) -> Any:
        if type(other) in NUMBERS and self._value.dtype is DOUBLE:
            number = other if type(other) is float else _as_number(other)
            return type(self)(other * self._value, self._derivative.scaled_by_number(number))
        return call_ufunc(np.multiply, other, self)

    def __truediv__(self, other: Any) -> Any:
        if type(other) is type(self):
            value, others = self._value, other._value
            if _alike(value, others):
                result = value / others
                if type(self._derivative) is NumberRow:
                    slopes = self._derivative.quotient(other._derivative, result, others)
                    return type(self)(result, slopes)
                y, b = (result, others) if value.ndim == 1 else (raveled(result), raveled(others))
                derivative = self._derivative.quotient(other._derivative, y, b)
                return type(self)(result, derivative)
        elif type(other) in NUMBERS and other and self._value.dtype is DOUBLE:
            return type(self)(self._value / other, self._derivative.scaled_by_number(1.0 / other))
        return call_ufunc(np.divide, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        value = self._value
        if type(other) in NUMBERS and value.dtype is DOUBLE:
            result = other / value
            if type(self._derivative) is NumberRow:
                return type(self)(result, self._derivative.chained(_inverse_slope, result, value))
            y, x = (result, value) if value.ndim == 1 else (raveled(result), raveled(value))
            return type(self)(result, self._derivative.chained(_inverse_slope, y, x))
        return call_ufunc(np.divide, other, self)

    __floordiv__, __rfloordiv__ = _by_rule(np.floor_divide)
    __mod__, __rmod__ = _by_rule(np.remainder)

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> Any:
        return other // self, other % self

    def __pow__(self, other: Any) -> Any:
        value = self._value
        if type(other) in NUMBERS and other == 2 and value.dtype is DOUBLE:
            if type(self._derivative) is NumberRow:
                slope = 2.0 * value.item()
                return type(self)(value**other, self._derivative.scaled_by_number(slope))
            slope = value if value.ndim == 1 else raveled(value)
            return type(self)(value**other, self._derivative.scaled_by_values(slope, 2.0))
        if type(other) in NUMBERS and value.dtype is DOUBLE and type(value) is ndarray:
            result = value**other
            slope = flat(without_overflow(power_base, result, value, other), result)
            if other > 1 and type(slope) is tuple and type(self._derivative) is not NumberRow:
                number, values = slope  # of a function without poles
                return type(self)(result, self._derivative.scaled_by_values(values, number))
            return type(self)(result, self._derivative.scaled(slope))
        return call_ufunc(operator.pow, self, other)

    __rpow__ = _by_rule(operator.pow)[1]

    def __matmul__(self, other: Any) -> Any:
        return dispatch.call(np.matmul, (self, other), {})

    def __rmatmul__(self, other: Any) -> Any:
        if type(other) in HOLDERS:
            return dispatch.call(np.matmul, (other, self), {})
        return dispatch.TABLE[np.matmul](other, self)  # a sparse matrix

    # In place: the object changes, for every name that it has.

    __iadd__ = in_place(operator.add, "+=")
    __isub__ = in_place(operator.sub, "-=")
    __imul__ = in_place(operator.mul, "*=")
    __itruediv__ = in_place(operator.truediv, "/=")
    __ifloordiv__ = in_place(operator.floordiv, "//=")
    __imod__ = in_place(operator.mod, "%=")
    __ipow__ = in_place(operator.pow, "**=")
    __imatmul__ = in_place(operator.matmul, "@=")

    __lt__, __le__ = _compared(operator.lt), _compared(operator.le)
    __gt__, __ge__ = _compared(operator.gt), _compared(operator.ge)
    __eq__, __ne__ = _compared(operator.eq), _compared(operator.ne)

    __hash__ = None  # type: ignore[assignment]  # as an ndarray: == is element by element


def _inverse_slope(y: Any, x: Any) -> Any:
    """Return the slope of y = number / x."""
    return -1.0, y / x


def _as_number(number: Any) -> Any:
    """Return a number as a float; one of a traced evaluation stays traced."""
    return number if type(number) is TracedFloat else float(number)


def _alike(value: Any, other: Any) -> bool:
    """Whether both are double precision arrays of the same shape."""
    return value.dtype is DOUBLE and other.dtype is DOUBLE and bool(value.shape == other.shape)


def call_ufunc(ufunc: Any, *inputs: Any) -> Any:
    """Return ``ufunc(*inputs)`` where some argument is an AD array."""
    if len(inputs) == 2:
        a, b = inputs
        # The commonest cases by far, without the general rule's questions.
        make = type(a)
        if make is type(b):
            result = both_carry(ufunc, a, b)
        else:
            if not issubclass(make, Operators):
                make = type(b)
            result = one_carries(ufunc, a, b)
        if result is not None:
            return make(*result)
    elif len(inputs) == 1:
        make = type(inputs[0])
        result = vector_function(ufunc, inputs[0])
        if result is not None:
            return make(*result)
    else:
        make = next(type(x) for x in inputs if isinstance(x, Operators))
    if any_may_hold(inputs):
        if ufunc in (np.logical_and, np.logical_or) and any(map(is_array_of_objects, inputs)):
            raise refusals.truth_value()  # of objects they are one of the elements
        inputs = tuple(map(array_if_needed, inputs))
    result = ufunc_calls.apply(ufunc, inputs)
    # A pair is a value and its derivative; several results come as a list.
    if type(result) is tuple:
        if ufunc is np.multiply:  # a complex scalar of NumPy calls it where the operator is meant
            value, other = map(ufunc_calls.raw_value, inputs)
            if is_complex_number(value) and is_complex_number(other):
                result = value * other, result[1]  # rounded as those of scalars are
        return make(*result)
    return tuple(result) if type(result) is list else result
