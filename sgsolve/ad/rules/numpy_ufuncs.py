"""The table of derivative rules of NumPy's ufuncs: ufunc -> partial derivatives.

A rule gets the value y that the ufunc gave and the values of its arguments, and returns for each
argument the partial derivative: a number, an array, or a pair (number, array) that stands for
their product and saves a pass over memory. What can be taken from y is not computed again.

Piecewise constant functions (floor, sign, ...) have derivative zero where they have one; where a
function has a kink, the rule takes the derivative of the side that NumPy's value comes from, and
at the kink itself the choice is stated. The rules of SciPy's special functions are in
`scipy_ufuncs`. Reference: NIST Digital Library of Mathematical Functions (dlmf.nist.gov),
chapter 4.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from ...arrays import DOUBLE
from ..derivatives.array_operations import NO_SLOPE
from . import scipy_ufuncs
from .quiet import quiet

Partial = Any
Unary = Callable[[Any, Any], Partial]
Binary = Callable[[Any, Any, Any], tuple[Partial, Partial]]

LN2, LN10 = np.log(np.longdouble(2)), np.log(np.longdouble(10))
DEGREE = np.arctan(np.longdouble(1)) / 45
_EXTENDED = (np.dtype(np.longdouble), np.dtype(np.clongdouble))


def _constant(number: Any, like: Any) -> Any:
    """Return a constant as a Python number, which adapts to any dtype, or in full precision."""
    return number if getattr(like, "dtype", None) in _EXTENDED else float(number)


@quiet
def _tanh(y: Any, x: Any) -> Any:
    # 1 - y^2 cancels where |x| is large; cosh overflows to inf there, whose inverse is right.
    return (1.0 - y) * (1.0 + y) if np.iscomplexobj(x) else np.square(1.0 / np.cosh(x))


@quiet
def _arctan(y: Any, x: Any) -> Any:
    slope = 1.0 / (1.0 + x * x)
    if np.all(slope):
        return slope
    # The square of x has overflowed where the slope is zero.
    return np.where(slope == 0, (1.0 / x) / x, slope)


UNARY: dict[np.ufunc, Unary] = {
    np.positive: lambda y, x: 1.0,
    np.negative: lambda y, x: -1.0,
    np.absolute: lambda y, x: np.sign(x),  # 0 at 0
    np.fabs: lambda y, x: np.sign(x),
    np.conjugate: lambda y, x: 1.0,
    np.square: lambda y, x: (2.0, x),
    np.sqrt: quiet(lambda y, x: (0.5, 1.0 / y)),
    np.cbrt: quiet(lambda y, x: 1.0 / (3.0 * y * y)),
    np.reciprocal: quiet(lambda y, x: (-1.0, y / x)),
    np.exp: lambda y, x: y,
    np.exp2: lambda y, x: (_constant(LN2, y), y),
    np.expm1: quiet(lambda y, x: np.exp(x)),
    np.log: quiet(lambda y, x: 1.0 / x),
    np.log2: quiet(lambda y, x: (1.0 / _constant(LN2, y), 1.0 / x)),
    np.log10: quiet(lambda y, x: (1.0 / _constant(LN10, y), 1.0 / x)),
    np.log1p: quiet(lambda y, x: 1.0 / (1.0 + x)),
    np.sin: lambda y, x: np.cos(x),
    np.cos: lambda y, x: (-1.0, np.sin(x)),
    np.tan: quiet(lambda y, x: 1.0 + y * y),
    np.arcsin: quiet(lambda y, x: 1.0 / np.sqrt((1.0 - x) * (1.0 + x))),
    np.arccos: quiet(lambda y, x: (-1.0, 1.0 / np.sqrt((1.0 - x) * (1.0 + x)))),
    np.arctan: _arctan,
    np.sinh: quiet(lambda y, x: np.cosh(x)),
    np.cosh: quiet(lambda y, x: np.sinh(x)),
    np.tanh: _tanh,
    np.arcsinh: lambda y, x: (
        1.0 / np.hypot(1.0, x) if not np.iscomplexobj(x) else 1.0 / np.sqrt(1.0 + x * x)
    ),
    np.arccosh: quiet(lambda y, x: 1.0 / (np.sqrt(x - 1.0) * np.sqrt(x + 1.0))),
    np.arctanh: quiet(lambda y, x: 1.0 / ((1.0 - x) * (1.0 + x))),
    np.deg2rad: lambda y, x: _constant(DEGREE, y),
    np.radians: lambda y, x: _constant(DEGREE, y),
    np.rad2deg: lambda y, x: _constant(1 / DEGREE, y),
    np.degrees: lambda y, x: _constant(1 / DEGREE, y),
    np.sign: lambda y, x: 0.0,  # which is 0 at its jump only
    np.floor: lambda y, x: NO_SLOPE,
    np.ceil: lambda y, x: NO_SLOPE,
    np.rint: lambda y, x: NO_SLOPE,
    np.trunc: lambda y, x: NO_SLOPE,
    np.spacing: lambda y, x: NO_SLOPE,
    **scipy_ufuncs.UNARY,
}


@quiet
def _power(y: Any, a: Any, b: Any) -> tuple[Partial, Partial]:
    return power_base(y, a, b), _power_exponent(y, a, b)


def power_base(y: Any, a: Any, b: Any) -> Partial:
    """Return the slope of ``y = a**b`` by a."""
    if np.ndim(b) == 0:
        if b == 2:
            return (2.0, a)
        if b == 0 or b == 1:
            return float(np.real(b))
    dtype = getattr(a, "dtype", None)
    if dtype is not DOUBLE and (dtype is None or dtype != np.result_type(a, 1.0)):
        a = np.asarray(a, dtype=np.result_type(a, 1.0))
    if np.ndim(b) == 0 and b == 3:
        return (3.0, a * a)
    if np.ndim(b) or y.dtype.kind != "f" or a.dtype != y.dtype:
        slope = b * np.power(a, np.subtract(b, 1))
        # 0 * inf at a = 0, b = 0 is the slope of a constant.
        return np.where(np.equal(b, 0), 0.0, slope)
    # A quotient takes a twentieth of the time of a power, and is as good wherever y is neither
    # infinite nor so small that it has lost digits.
    quotient = y / a
    size = np.abs(y)
    tiny = TINY if y.dtype == np.float64 else np.finfo(y.dtype).tiny
    lost = ~((size > SAFE * tiny) & (size < np.inf))
    if lost.any():
        if isinstance(quotient, np.ndarray):
            np.power(a, b - 1, where=lost, out=quotient)
        else:
            quotient = np.where(lost, np.power(a, b - 1), quotient)
    return (b if hasattr(b, "record") else float(b)), quotient


def _power_exponent(y: Any, a: Any, b: Any) -> Partial:
    # 0**b is 0 for every b > 0, so its slope in b is 0, not 0 * log(0); and 1 at b = 0 by
    # convention, a jump, where 0 is as good as any.
    zero = np.equal(a, 0)
    slope = y * np.log(np.where(zero, 1.0, a))
    return np.where(zero, np.where(np.less(np.real(b), 0), -np.inf, 0.0), slope)


def _inverse_of_divisor(b: Any) -> Any:
    """Return 1 / b; infinity for a zero of Python too, as NumPy's quotient is."""
    return np.divide(1.0, b) if isinstance(b, (int, float, complex)) and b == 0 else 1.0 / b


@quiet
def _divide(y: Any, a: Any, b: Any) -> tuple[Partial, Partial]:
    inverse = 1.0 / b
    return inverse, (-1.0, y * inverse)


# From the smallest normal number to one whose neighbors are relatively as close as any.
SAFE = 2.0**70
TINY = float(np.finfo(np.float64).tiny)  # looked up once, since that takes as long as a product


@quiet
def _hypot(y: Any, a: Any, b: Any) -> tuple[Partial, Partial]:
    zero = np.equal(y, 0)
    safe = np.where(zero, 1.0, y) if zero.any() else y  # the slope at the origin is taken as 0
    return a / safe, b / safe


@quiet
def _arctan2(y: Any, a: Any, b: Any) -> tuple[Partial, Partial]:
    r = np.hypot(a, b)
    return (b / r) / r, (-1.0, (a / r) / r)


@quiet
def _logaddexp(y: Any, a: Any, b: Any) -> tuple[Partial, Partial]:
    return _shares(_difference(a, b))


@quiet
def _logaddexp2(y: Any, a: Any, b: Any) -> tuple[Partial, Partial]:
    return _shares(_constant(LN2, y) * _difference(a, b))


def _difference(a: Any, b: Any) -> Any:
    """Return a - b, and zero where both are the same infinity."""
    difference = np.subtract(a, b)
    if np.isnan(difference).any():
        difference = np.where(np.equal(a, b), 0.0, difference)
    return difference


def _shares(difference: Any) -> tuple[Partial, Partial]:
    """Return how much of exp(a) + exp(b) each term is, from a - b."""
    return special.expit(difference), special.expit(-difference)


@quiet
def _divisor_slope(y: Any, a: Any, b: Any) -> Partial:
    # a / b would be rounded to the next whole number; a - y is a multiple of b.
    return -1.0, np.rint((a - y) / b)


def _first_is_kept(a: Any, b: Any, take_a: Any) -> Any:
    return np.where(np.isnan(a), False, np.where(np.isnan(b), True, take_a))


# Functions that hand on one of two arguments: where it is the first one, also at a tie.
CHOICES: dict[Any, Callable[[Any, Any], Any]] = {
    np.maximum: lambda a, b: ~np.less(a, b),
    np.minimum: lambda a, b: ~np.greater(a, b),
    np.fmax: lambda a, b: _first_is_kept(a, b, np.greater_equal(a, b)),
    np.fmin: lambda a, b: _first_is_kept(a, b, np.less_equal(a, b)),
}

BINARY: dict[Any, Binary] = {
    np.add: lambda y, a, b: (1.0, 1.0),
    np.subtract: lambda y, a, b: (1.0, -1.0),
    np.multiply: lambda y, a, b: (b, a),
    np.divide: _divide,
    np.power: _power,
    np.float_power: _power,
    operator.pow: _power,  # NumPy's x**2 and np.power(x, 2) are not bitwise equal
    np.floor_divide: lambda y, a, b: (NO_SLOPE, NO_SLOPE),
    np.remainder: lambda y, a, b: (1.0, _divisor_slope(y, a, b)),
    np.fmod: lambda y, a, b: (1.0, _divisor_slope(y, a, b)),
    np.hypot: _hypot,
    np.arctan2: _arctan2,
    np.logaddexp: _logaddexp,
    np.logaddexp2: _logaddexp2,
    np.copysign: lambda y, a, b: (np.where(np.signbit(a) == np.signbit(b), 1.0, -1.0), NO_SLOPE),
    np.heaviside: lambda y, a, b: (NO_SLOPE, np.equal(a, 0) * 1.0),
    np.nextafter: lambda y, a, b: (1.0, NO_SLOPE),
    np.ldexp: lambda y, a, b: (np.ldexp(1.0, b), NO_SLOPE),
    **scipy_ufuncs.BINARY,
}

# Their slopes are signs, zeros, ones and what is given: nothing that overflows.
EXACT = frozenset(
    {
        np.positive, np.negative, np.absolute, np.fabs, np.conjugate, np.square, np.exp, np.sign,
        np.floor, np.ceil, np.rint, np.trunc, np.add, np.subtract, np.multiply,
    }
)  # fmt: skip

# Where only one argument carries a derivative, and the other slope would cost as much again.
ONE_SIDED: dict[tuple[Any, int], Callable[[Any, Any, Any], Partial]] = {
    (np.divide, 0): quiet(lambda y, a, b: _inverse_of_divisor(b)),
    (np.divide, 1): quiet(lambda y, a, b: (-1.0, y / b)),
    (np.remainder, 0): lambda y, a, b: 1.0,
    (np.fmod, 0): lambda y, a, b: 1.0,
    (np.logaddexp, 0): quiet(lambda y, a, b: special.expit(_difference(a, b))),
    (np.logaddexp, 1): quiet(lambda y, a, b: special.expit(_difference(b, a))),
    **{(power, 0): quiet(power_base) for power in (np.power, np.float_power, operator.pow)},
    **{
        (power, 1): quiet(lambda y, a, b: _power_exponent(y, a, b))
        for power in (np.power, np.float_power, operator.pow)
    },
}
