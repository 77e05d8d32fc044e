"""Functions that select, repeat or reorder elements.

NumPy applies each function to the array of positions, once for each shape and set of arguments.
The derivative takes the rows at the resulting positions.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from ....errors import DerivativeError, InputError
from ...array import ADArray
from ...derivatives.array_operations import NUMBERS
from ...indexing import permuted
from ...ufuncs.ufunc_calls import array_of_values, raw_value
from ..element_functions.branching import where

NUMPY_ONLY = (
    np.transpose, np.swapaxes, np.moveaxis, np.rollaxis, np.roll, np.flip, np.fliplr, np.flipud,
    np.rot90, np.repeat, np.tile, np.broadcast_to, np.diagonal, np.take, np.compress,
    np.take_along_axis, np.delete, np.extract, np.matrix_transpose, np.linalg.diagonal,
    np.linalg.matrix_transpose, np.lib.stride_tricks.sliding_window_view,
)  # fmt: skip
# These keep the C order of the elements: only the value changes shape.
SEVERAL = (np.atleast_1d, np.atleast_2d)  # of any number of arrays
SAME_ORDER = (np.squeeze, np.expand_dims, np.atleast_1d, np.atleast_2d)


def _selecting(func: Callable[..., Any]) -> Callable[..., Any]:
    def selected(y: Any, *args: Any, **kwargs: Any) -> Any:
        if func is np.compress or func is np.extract:
            condition, y, args = raw_value(y), args[0], args[1:]
            if not hasattr(y, "_derivative"):
                return func(condition, y, *args, **kwargs)
            return selected_by(y, lambda p: func(condition, p, *args, **kwargs), None)
        if not hasattr(y, "_derivative"):
            raise DerivativeError(
                f"np.{func.__name__}: an AD array cannot be an index, a count or an axis; take it "
                "from constants"
            )
        name = _name(func, y.shape, args, kwargs)
        return selected_by(y, lambda p: func(p, *args, **kwargs), name)

    return selected


def selected_by(y: ADArray, choose: Callable[[Any], Any], name: Any) -> ADArray:
    """Return ``choose(y)`` for a function that only moves elements; see `permuted` for `name`."""
    result = choose(y._value)  # of a number NumPy may return a number, which cannot change
    derivative = y._derivative
    if name is not None:
        return ADArray(result, permuted(derivative, name, y.shape, choose))
    positions = np.asarray(choose(np.arange(y.size).reshape(y.shape)))
    index = derivative.root.index(positions.ravel(), y.size)
    return ADArray(result, derivative.taken(index))


def _name(func: Any, shape: Any, args: Any, kwargs: Any) -> Any:
    """Return a hashable name of the selection, or None where arguments are arrays."""
    # The function itself: np.diagonal and np.linalg.diagonal have the same name.
    name = (func, shape, *args, *kwargs.items())
    try:
        hash(name)
        return name
    except TypeError:
        given = (*args, *itertools.chain.from_iterable(kwargs.items()))
        name = (func, shape, *(tuple(a) if isinstance(a, list) else a for a in given))
    try:
        hash(name)
        return name
    except TypeError:
        return None


def _reshaping(func: Callable[..., Any]) -> Callable[..., Any]:
    def reshaped(y: Any, *args: Any, **kwargs: Any) -> Any:
        if args and func in SEVERAL:
            return tuple(map(func, (y, *args)))
        return _with_value(y, func(y._value, *args, **kwargs))

    return reshaped


def reshape(y: Any, /, shape: Any = None, order: Any = "C", **kwargs: Any) -> Any:
    """Return y in another shape; np.reshape for AD arrays."""
    value_ = y._value  # of a number NumPy returns a number, if the shape is ()
    if type(value_) is np.ndarray and not kwargs:
        result = value_.reshape(shape, order=order)  # in half the time of np.reshape
    else:
        shape = kwargs.pop("newshape", shape)
        result = np.reshape(value_, shape, order=order, **kwargs)
    if order in ("A", "a"):
        order = "F" if value_.flags.fnc else "C"
    if order in ("C", "c", None):
        return ADArray(result, y._derivative)
    name = ("reshape", y.shape, result.shape)
    chosen = permuted(
        y._derivative, name, y.shape, lambda p: np.reshape(p, result.shape, order="F")
    )
    return ADArray(result, chosen)


def reshape_method(y: Any, *shape: Any, order: str = "C") -> Any:
    """Return y in another shape, given as one tuple or as separate lengths."""
    return reshape(y, shape[0] if len(shape) == 1 else shape, order)


def ravel(y: Any, order: Any = "C") -> Any:
    """Return y as a vector; np.ravel for AD arrays."""
    if order == "C" and type(y._value) is np.ndarray:
        return ADArray(y._value.ravel(), y._derivative)  # in half the time of np.ravel
    return _raveled(y, order, np.ravel)


def flatten(y: Any, order: Any = "C") -> Any:
    """Return a copy of y as a vector."""
    return _raveled(y, order, lambda v, order: v.flatten(order))


def _raveled(y: Any, order: Any, func: Any) -> Any:
    value_ = array_of_values(y._value)
    result = func(value_, order)
    if order in ("C", "c", None) or value_.ndim == 0 or not value_.size:
        return ADArray(result, y._derivative)
    strides = tuple(s * POSITION_BYTES // value_.itemsize for s in value_.strides)

    def choose(positions: Any) -> Any:
        return _laid_out(positions, strides).ravel(order)

    name = ("ravel", order, y.shape, strides)
    return ADArray(result, permuted(y._derivative, name, y.shape, choose))


POSITION_BYTES = 8


def _laid_out(positions: Any, strides: tuple[int, ...]) -> Any:
    """Return positions in an array whose elements lie in memory at these distances.

    Elements that share memory, as those of a broadcast array do, are equal: one of their
    positions stands for all.
    """
    spans = [(n - 1) * s for n, s in zip(positions.shape, strides, strict=True)]
    begin = -sum(s for s in spans if s < 0)
    buffer = np.empty(begin + sum(s for s in spans if s > 0) + POSITION_BYTES, dtype=np.uint8)
    laid: Any = np.ndarray(positions.shape, np.int64, buffer, begin, strides)
    laid[...] = positions
    return laid


def astype(y: Any, dtype: Any, **kwargs: Any) -> Any:
    """Return y with values of another inexact type."""
    if np.dtype(dtype).kind not in "fc":
        raise DerivativeError(
            f"astype({np.dtype(dtype)}) would lose the derivative; use np.floor(y) or np.rint(y), "
            "whose derivative is zero, or ad.value(y) for an index"
        )
    if np.dtype(dtype).kind == "f" and y.dtype.kind == "c":
        raise DerivativeError("astype from complex to real drops the imaginary part; use y.real")
    return _with_value(y, y._value.astype(dtype, **kwargs))


def _with_value(y: ADArray, result: Any) -> ADArray:
    """Return y with another value; y itself where NumPy returns its argument."""
    return y if result is y._value else ADArray(result, y._derivative)


def transpose_method(y: Any, *axes: Any) -> Any:
    """Return y with its axes reordered, given as one tuple or as separate numbers."""
    order = axes[0] if len(axes) == 1 and not isinstance(axes[0], (int, np.integer)) else axes
    return TABLE[np.transpose](y, tuple(order) if order else None)


def item(y: Any, *args: Any) -> Any:
    """Return one element as an AD array without axes: a Python number has no derivative."""
    if not args and y.size != 1:
        raise InputError(f"item: give the position, the array has {y.size} elements")
    if len(args) == 1 and not isinstance(args[0], tuple):
        return +np.ravel(y)[args[0]]  # a copy: NumPy's is a number of its own
    return +(y[args[0] if len(args) == 1 else args] if args else np.reshape(y, ()))


def tolist(y: Any) -> Any:
    """Return nested lists of the elements, each an AD array without axes."""
    return [tolist(part) for part in y] if y.ndim else +y


def refuse_ratio(y: Any) -> Any:
    """Refuse what Python's module ``statistics`` asks of a number."""
    raise DerivativeError(
        "the functions of statistics make fractions of numbers, which would lose the derivative: "
        "use np.mean(y), np.var(y), np.std(y), np.median(y)"
    )


def refuse_writing(y: Any, *args: Any, **kwargs: Any) -> Any:
    """Raise: elements of an AD array are assigned to by index only."""
    raise DerivativeError("this method would write into an AD array; use y[key] = v, or np.where")


def _split(y: Any, parts: Any, axis: int = 0) -> list[Any]:
    if isinstance(parts, (int, np.integer)):
        if y.shape[axis] % parts:
            raise InputError(f"an axis of length {y.shape[axis]} has no {parts} equal parts")
        parts = np.arange(1, parts) * (y.shape[axis] // parts)
    edges = [0, *(int(p) for p in parts), y.shape[axis]]
    before = (slice(None),) * (axis % y.ndim)
    return [y[(*before, slice(a, b))] for a, b in itertools.pairwise(edges)]


def _array_split(y: Any, parts: Any, axis: int = 0) -> list[Any]:
    if isinstance(parts, (int, np.integer)):
        pieces = np.array_split(np.arange(y.shape[axis]), parts)
        parts = np.cumsum([len(p) for p in pieces])[:-1]
    return _split(y, parts, axis)


def _atleast_3d(y: Any, *others: Any) -> Any:
    if others:
        return tuple(map(np.atleast_3d, (y, *others)))
    return np.reshape(y, np.atleast_3d(np.empty(y.shape)).shape)


def _diag(y: Any, k: int = 0) -> Any:
    if y.ndim != 1:
        return np.diagonal(y, k)
    n = y.size + abs(k)
    i = np.arange(y.size)
    flat = (i + max(0, -k)) * n + i + max(0, k)
    value_ = np.diag(array_of_values(y._value), k)
    index = y._derivative.root.index(flat, n * n)
    return ADArray(value_, y._derivative.put(index, n * n))


def _triangle(func: Any) -> Any:
    def triangle(y: Any, k: int = 0) -> Any:
        inside = func(np.ones(y.shape[-2:], dtype=bool), k)
        return where(inside, y, np.zeros(1, dtype=y.dtype))

    return triangle


def _resize(y: Any, new_shape: Any) -> Any:
    if not y.size:
        return np.resize(raw_value(y), new_shape)
    return _selecting(np.resize)(y, new_shape)


def _copy(y: Any, order: Any = "K", subok: bool = False) -> Any:
    return ADArray(np.copy(y._value, order=order), y._derivative)


def copy_method(y: Any, order: Any = "C") -> Any:
    """Return a copy; that of a number is a number, where np.copy makes an array of it."""
    return +y if isinstance(y._value, NUMBERS) else np.copy(y, order)


def _around(y: Any, decimals: int = 0) -> Any:
    return y * 0.0 + np.round(raw_value(y), decimals)


TABLE: dict[Any, Any] = {
    **{func: _selecting(func) for func in NUMPY_ONLY},
    **{func: _reshaping(func) for func in SAME_ORDER},
    np.reshape: reshape,
    np.ravel: ravel,
    np.permute_dims: _selecting(np.transpose),
    np.atleast_3d: _atleast_3d,
    np.split: _split,
    np.hsplit: lambda y, parts: _split(y, parts, 0 if y.ndim == 1 else 1),
    np.vsplit: lambda y, parts: _split(y, parts, 0),
    np.array_split: _array_split,
    np.dsplit: lambda y, parts: _split(y, parts, 2),
    np.diag: _diag,
    np.diagflat: lambda y, k=0: _diag(np.ravel(y), k),
    np.resize: _resize,
    np.tril: _triangle(np.tril),
    np.triu: _triangle(np.triu),
    np.copy: _copy,
    np.round: _around,
    np.around: _around,
}
if hasattr(np, "unstack"):  # NumPy 2.1
    TABLE[np.unstack] = lambda y, axis=0: tuple(np.moveaxis(y, axis, 0))
