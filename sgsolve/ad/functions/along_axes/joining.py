"""Functions that join arrays."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ....errors import DerivativeError
from ...array import ADArray
from ...conversions.nested import array_of, holds_plain_numbers
from ...derivatives.derivative import joined_parts
from ...indexing import permuted, selection
from ...programs.element_loops.number_rows import joined_numbers
from ...ufuncs.ufunc_calls import raw_value
from ..element_functions.branching import where


def concatenate(arrays: Any, axis: int | None = 0, **kwargs: Any) -> Any:
    """Return arrays joined along an axis; np.concatenate for AD arrays."""
    arrays = [_array(a) for a in arrays]
    values = [raw_value(a) for a in arrays]
    result = np.concatenate(values, axis, **kwargs)
    if axis is None:
        arrays = [np.ravel(a) for a in arrays]
        values = [raw_value(a) for a in arrays]
        axis = 0
    if result.ndim == 1:
        return _joined_vectors(arrays, values, result)
    end, parts = 0, []
    for a, v in zip(arrays, values, strict=True):
        begin, end = end, end + v.shape[axis]
        if type(a) is not ADArray:
            continue
        index = selection(
            a._derivative.root,
            ("part", result.shape, axis, begin, end),
            result.shape,
            functools.partial(_part, axis=axis, begin=begin, end=end),
        )
        parts.append(a._derivative.put(index, result.size))
    return ADArray(result, joined_parts(parts)) if parts else result


def _part(positions: Any, axis: int, begin: int, end: int) -> Any:
    return positions[(slice(None),) * (axis % positions.ndim) + (slice(begin, end),)]


def _joined_vectors(arrays: list[Any], values: list[Any], result: Any) -> Any:
    parts = []
    begin = 0
    count = len(result)
    for a, v in zip(arrays, values, strict=True):
        end = begin + len(v)
        if type(a) is ADArray:
            parts.append(a._derivative.put(slice(begin, end), count))
        begin = end
    return ADArray(result, joined_parts(parts)) if parts else result


def _joined_scalars(numbers: list[Any], result: Any) -> Any:
    count, parts = len(numbers), []
    rows = {k: a._derivative for k, a in enumerate(numbers) if type(a) is ADArray}
    joined: Any = joined_numbers(rows, count)  # rows take the place of a derivative
    if joined is not None:
        return ADArray(result, joined)
    for k, a in enumerate(numbers):
        if type(a) is ADArray:
            parts.append(a._derivative.put(slice(k, k + 1), count))
    return ADArray(result, joined_parts(parts)) if parts else result


def _array(a: Any) -> Any:
    if type(a) in ARRAYS:
        return a
    if holds_plain_numbers(a):
        return np.asarray(a)
    if isinstance(a, np.ndarray) or hasattr(a, "record"):
        return a
    joined = array_of(a)
    return joined if type(joined) is ADArray else np.asarray(a)


ARRAYS = (ADArray, np.ndarray)
NUMBERS = (np.floating, float)


def join_along_new_axis(arrays: Any, axis: int = 0, **kwargs: Any) -> Any:
    """Return arrays joined along a new axis; np.stack for AD arrays."""
    arrays = list(arrays)
    values = [raw_value(a) for a in arrays]
    if not kwargs and axis in (0, -1) and all(isinstance(v, NUMBERS) for v in values):
        return _joined_scalars(arrays, np.array(values))
    return concatenate([np.expand_dims(_array(a), axis) for a in arrays], axis, **kwargs)


def join_columns(tup: Any, **kwargs: Any) -> Any:
    """Return vectors joined, or arrays joined along the second axis; np.hstack for AD arrays."""
    arrays = [_array(a) for a in tup]
    values = [a._value if type(a) is ADArray else a for a in arrays]
    if not kwargs and [v.ndim for v in values] == [1] * len(values):
        return _joined_vectors(arrays, values, np.concatenate(values))
    if not kwargs and all(isinstance(v, NUMBERS) for v in values):
        return _joined_scalars(arrays, np.array(values))
    arrays = [a if v.ndim else np.atleast_1d(a) for a, v in zip(arrays, values, strict=True)]
    axis = 0 if all(a.ndim == 1 for a in arrays) else 1
    return concatenate(arrays, axis, **kwargs)


def vstack(tup: Any, **kwargs: Any) -> Any:
    """Return arrays joined along the first axis, vectors as rows; np.vstack for AD arrays."""
    arrays = map(_array, tup)
    return concatenate([a if a.ndim > 1 else np.atleast_2d(a) for a in arrays], 0, **kwargs)


def column_stack(tup: Any) -> Any:
    """Return vectors joined as columns; np.column_stack for AD arrays."""
    columns = [_array(a) for a in tup]
    return concatenate([c if c.ndim > 1 else np.reshape(c, (-1, 1)) for c in columns], 1)


def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    """Return `values` joined to the end of `arr`; np.append for AD arrays."""
    return concatenate([arr, values], axis)


def pad(array: Any, pad_width: Any, mode: str = "constant", **kwargs: Any) -> Any:
    """Return the array with borders; np.pad for AD arrays."""
    if mode != "constant":
        if mode not in ("edge", "wrap", "reflect", "symmetric"):
            raise DerivativeError(f"np.pad with mode={mode!r} is not supported on AD arrays")
        return _pad_by_selection(array, pad_width, mode, kwargs)
    numpys: Any = np.pad
    result = numpys(raw_value(array), pad_width, mode, **kwargs)
    if isinstance(pad_width, dict):
        pad_width = [pad_width.get(k, pad_width.get(k - array.ndim, 0)) for k in range(array.ndim)]
        pad_width = [np.broadcast_to(w, 2) for w in pad_width]
    before = [int(b) for b, _ in np.broadcast_to(pad_width, (result.ndim, 2))]
    key = tuple(slice(b, b + n) for b, n in zip(before, array.shape, strict=True))
    name = ("inside", result.shape, tuple(before), array.shape)
    index = selection(array._derivative.root, name, result.shape, lambda p: p[key])
    return ADArray(result, array._derivative.put(index, result.size))


def _pad_by_selection(array: Any, pad_width: Any, mode: Any, kwargs: Any) -> Any:
    if kwargs.get("reflect_type", "even") != "even":
        raise DerivativeError(
            "np.pad with reflect_type='odd' is not supported on AD arrays: write 2 * edge minus "
            "what the even reflection gives"
        )
    value = array._value
    if type(value) is not np.ndarray or isinstance(pad_width, dict):
        positions = np.pad(np.arange(array.size).reshape(array.shape), pad_width, mode)
        return np.reshape(np.ravel(array)[positions.ravel()], positions.shape)
    name = ("pad", mode, array.shape, repr(np.asarray(pad_width).tolist()))
    derivative = permuted(
        array._derivative, name, array.shape, lambda p: np.pad(p, pad_width, mode)
    )
    return ADArray(np.pad(value, pad_width, mode), derivative)


def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """Return elements of the first choice whose condition holds; np.select for AD arrays."""
    result = array_of(default)
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = where(condition, array_of(choice), result)
    return result


def broadcast_arrays(*args: Any, subok: bool = False) -> Any:
    """Return the arrays broadcast against each other; np.broadcast_arrays for AD arrays."""
    shape = np.broadcast_shapes(*(np.shape(a) for a in args))
    return tuple(np.broadcast_to(a, shape) for a in args)


TABLE: dict[Any, Any] = {
    np.concatenate: concatenate,
    np.stack: join_along_new_axis,
    np.hstack: join_columns,
    np.vstack: vstack,
    np.column_stack: column_stack,
    np.append: append,
    np.pad: pad,
    np.select: select,
    np.broadcast_arrays: broadcast_arrays,
    np.where: where,
}
