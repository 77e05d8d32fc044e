"""The operations on coefficient arrays that derivatives are made of.

The chain rule calls no other function on an array. Called with a `Symbol` among its arguments, an
operation is added to a graph (see `tracing`), and a `Program` repeats it without the code that
decided to call it.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .symbols import TracedScalar

Array = NDArray[Any]


class ConstantSlope(float):
    """The slope of what is constant: zero times an infinite slope, too."""

    __slots__ = ()

    def _stays(self, *_: Any) -> ConstantSlope:
        return self

    def _vanishes(self, other: Any) -> Any:
        return other

    __mul__ = __rmul__ = __truediv__ = __neg__ = _stays
    __add__ = __radd__ = __rsub__ = _vanishes

    def __sub__(self, other: Any) -> Any:
        return -other


NO_SLOPE = ConstantSlope(0.0)
EXACT_NUMBERS = (float, ConstantSlope)
NUMBERS = (int, float, complex, np.generic, TracedScalar)


class Composite:
    """What is more than one array and applies operations to its parts, before all others."""

    __slots__ = ()


@functools.cache
def operation(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function of arrays one that can be recorded."""

    @functools.wraps(function)
    def applied(*arguments: Any) -> Any:
        for argument in arguments:
            if hasattr(argument, "record"):
                if len(arguments) > 1 and not isinstance(argument, Composite):
                    argument = next((a for a in arguments if isinstance(a, Composite)), argument)
                return argument.record(function, arguments)
        return function(*arguments)

    return applied


def unrecorded(function: Any) -> Callable[..., Any]:
    """Return the function that an operation carries out: what is recorded of it."""
    inner: Callable[..., Any] = function.__wrapped__
    return inner


# Of two arrays, or of an array and a number.
multiply = operation(operator.mul)
add = operation(operator.add)
subtract = operation(operator.sub)


@operation
def add_multiple(c: Array, d: Array, ratio: Any) -> Array:
    """Return ``c + ratio d``."""
    total: Array = d * ratio
    if total.dtype == np.result_type(total, c):
        return np.add(total, c, out=total)
    total = total + c
    return total


@operation
def ones_like(c: Array) -> Array:
    """Return ones, floating."""
    return np.ones_like(c, dtype=np.result_type(c, float))


@operation
def constant(size: int, number: Any) -> Array:
    """Return `size` times the same number."""
    return np.full(size, number)


@operation
def take(c: Array, positions: Array) -> Array:
    """Return ``c[positions]``."""
    return c.take(positions)


@operation
def cut(c: Array, start: int, stop: int | None, step: int | None) -> Array:
    """Return ``c[start:stop:step]``."""
    return c[start:stop:step]


@operation
def gather(c: Array, index: Any) -> Array:
    """Return c at the positions of an `Index`."""
    gathered: Array = index.gather(c)
    return gathered


@operation
def bits_of(mask: Array) -> Array:
    """Return all bits set where `mask` holds, none elsewhere."""
    bits: Array = -mask.astype(np.int64)
    return bits


@operation
def zero_outside(c: Array, mask: Array, bits: Array) -> Array:
    """Return ``where(mask, c, 0)``: by bits, which takes an eighth of np.where's time."""
    if c.dtype != np.float64 or not c.flags.c_contiguous:
        return np.where(mask, c, c.dtype.type(0))
    result: Array = (c.view(np.int64) & bits).view(np.float64)
    return result


# Of masks, or giving one.
differs = operation(operator.ne)
negated = operation(operator.invert)
both = operation(operator.and_)
either = operation(operator.or_)


@operation
def as_float(mask: Array) -> Array:
    """Return a mask as ones and zeros."""
    return mask.astype(float)


@operation
def partial(rule: Callable[..., Any], y: Array, x: Array) -> Any:
    """Return what a derivative rule gives for vectors: a number, a vector, or a pair of both.

    A number is one that the rule holds at every x; a vector of one element stays a vector.
    """
    slope = rule(y, x)
    if type(slope) is tuple:
        return slope[0], _vector(slope[1], y)
    return slope if type(slope) in EXACT_NUMBERS else _vector(slope, y)


def _vector(slope: Any, like: Array) -> Array:
    slope = slope if hasattr(slope, "record") else np.asarray(slope)
    if slope.dtype.kind in "biu":
        slope = slope.astype(float)
    return slope if slope.shape == like.shape else np.broadcast_to(slope, like.shape)


@operation
def conjugate(c: Any) -> Any:
    """Return the complex conjugate of a number or an array, which may be real."""
    return c if getattr(c, "dtype", None) is not None and c.dtype.kind != "c" else c.conjugate()


@operation
def real_part(c: Any) -> Any:
    """Return the real part of a number or an array, which may be real."""
    return np.ascontiguousarray(c.real) if isinstance(c, np.ndarray) else c.real


@operation
def imag_part(c: Any) -> Any:
    """Return the imaginary part of a number or an array, which may be real."""
    return np.ascontiguousarray(c.imag) if isinstance(c, np.ndarray) else c.imag


@operation
def filled(plan: Any, *coefficients: Any) -> Array:
    """Return what a plan makes of coefficients ``alpha, s, c, a``, those of one term after another.

    In double precision at least: what is narrower here may meet wider numbers later.
    """
    dtype = np.result_type(plan.layout.dtype, *(q for q in coefficients if q is not None))
    terms = list(zip(*[iter(coefficients)] * 4, strict=True))
    values: Array = plan.filled(plan.new_vector(dtype), terms, dtype)
    return values


@operation
def product(large: Any, c: Array) -> Array:
    """Return the coefficients of a `LargeProduct`."""
    values: Array = large.values(c)
    return values


def is_array(c: Any) -> bool:
    """Whether a coefficient is an array, or stands for one, and no number."""
    node = getattr(c, "node", None)
    return isinstance(c, np.ndarray) if node is None else node.kind.value == "array"


def raveled(values: Any) -> Any:
    """Return values as a vector; the method of a number takes five times as long."""
    return np.array(values, ndmin=1) if type(values) is np.float64 else values.ravel()


def flat(partial: Any, like: Any) -> Any:
    """Return a partial derivative as a number, a flat array of ``like.size``, or a pair."""
    if type(partial) in EXACT_NUMBERS:
        return partial
    if type(partial) is np.ndarray and partial.ndim == 1 and partial.dtype.kind in "fc":
        if len(partial) == like.size and partial.size != 1:
            return partial
    elif type(partial) is tuple:
        number, array = partial
        array = flat(array, like)
        return number * array if isinstance(array, NUMBERS) else (number, array)
    if type(partial) is np.float64 and like.size == 1:
        return raveled(partial)  # one element today, and another value tomorrow
    if hasattr(partial, "record") and partial.size == 1:
        if like.size == 1 and type(partial.value) is np.float64:
            return partial.reshape(1)
        return partial.item()  # another number in other evaluations
    if np.ndim(partial) == 0 or partial.size == 1:
        number = partial.item() if hasattr(partial, "item") else partial
        # Extended precision would be cut to double by a Python float.
        if getattr(partial, "dtype", None) in (np.longdouble, np.clongdouble):
            number = partial.reshape(())[()]
        return number if isinstance(number, (complex, np.generic)) else float(number)
    if partial.shape != like.shape:
        partial = np.broadcast_to(partial, like.shape)
    if partial.dtype.kind in "biu":
        partial = partial.astype(float)
    return partial if partial.ndim == 1 else partial.ravel()


@operation
def reciprocal(b: Array) -> Array:
    """Return ``1 / b``."""
    inverse: Array = 1.0 / b
    return inverse


@operation
def spread(size: int, ratios: tuple[Any, ...], *pieces: Any) -> Array:
    """Return an array of `size` elements from pieces, each times its ratio, zero elsewhere.

    `pieces` are an `Index` and its values (None: ones) in turn; no element is in two of them.
    """
    indices, values = pieces[::2], pieces[1::2]
    dtype = np.result_type(*(np.float64(1.0) if v is None else v for v in values), *ratios)
    covered = sum(map(len, indices)) == size
    full = np.empty(size, dtype=dtype) if covered else np.zeros(size, dtype=dtype)
    for index, v, ratio in zip(indices, values, ratios, strict=True):
        if v is None:
            full[index.present] = ratio
        else:
            full[index.present] = v if ratio == 1 else v * ratio
    return full


@operation
def spread_mask(size: int, *pieces: Any) -> Array:
    """Return the mask of what `spread` puts: pieces are an `Index` and its mask (None: all)."""
    full = np.zeros(size, dtype=bool)
    for index, mask in zip(pieces[::2], pieces[1::2], strict=True):
        full[index.present] = True if mask is None else mask
    return full
