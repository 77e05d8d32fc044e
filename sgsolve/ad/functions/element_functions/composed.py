"""Functions of NumPy written in terms of simpler ones; NumPy computes the value."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp

from ....errors import DerivativeError
from ...array import ADArray
from ...conversions.nested import array_of
from ...ufuncs import complex_values
from ...ufuncs.ufunc_calls import raw_value
from .branching import where
from .user import from_partials


def with_numpys_value(func: Callable[..., Any], ours: Callable[..., Any]) -> Callable[..., Any]:
    """Return `ours` with the value that NumPy's `func` computes, bitwise equal.

    Arguments that `ours` understands in another way are refused.
    """

    def composed(*args: Any, **kwargs: Any) -> Any:
        y = ours(*args, **kwargs)
        numpys = func(*map(plain, args), **{k: plain(v) for k, v in kwargs.items()})
        if not isinstance(y, ADArray):
            return y
        if numpys.shape != y.shape or numpys.dtype.kind not in "fc":
            raise DerivativeError(
                f"np.{func.__name__} on AD arrays does not take these arguments, or its result "
                f"of type {numpys.dtype} holds no derivative; write it by indexing, np.stack "
                "and np.concatenate"
            )
        return ADArray(numpys, y._derivative)

    return composed


def plain(x: Any) -> Any:
    """Return the numbers of AD arrays, in nested lists too."""
    return type(x)(map(plain, x)) if isinstance(x, (list, tuple)) else raw_value(x)


def dstack(tup: Any) -> Any:
    """Return arrays joined along a third axis."""
    return np.concatenate([np.atleast_3d(array_of(a)) for a in tup], axis=2)


def block(arrays: Any) -> Any:
    """Return an array put together from nested lists of blocks."""
    shape = np.block(plain(arrays)).shape
    return _block(arrays, len(shape), 1, _depth(arrays)).reshape(shape)


def _depth(arrays: Any) -> int:
    return 1 + max(map(_depth, arrays)) if isinstance(arrays, list) else 0


def _block(arrays: Any, ndim: int, level: int, depth: int) -> Any:
    if not isinstance(arrays, list):
        shape = np.shape(arrays)
        return np.reshape(arrays, (1,) * (ndim - len(shape)) + shape)
    parts = [_block(a, ndim, level + 1, depth) for a in arrays]
    return np.concatenate(parts, axis=ndim - 1 - (depth - level))


def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """Return the array with values inserted before positions."""
    # NumPy inserts the positions of the new elements among those of the old ones.
    old = np.arange(np.size(arr)).reshape(np.shape(arr))
    new = np.size(arr) + np.arange(np.size(values)).reshape(np.shape(values))
    order: Any = np.insert(old, obj, new, axis)
    return np.concatenate([np.ravel(arr), np.ravel(values)])[order]


def median(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the middle element in order, or the mean of the middle two."""
    axes = tuple(range(np.ndim(a))) if axis is None else tuple(np.ravel(axis).tolist())
    first = np.moveaxis(a, axes, range(len(axes)))
    ordered = np.sort(np.reshape(first, (-1, *first.shape[len(axes) :])), axis=0)
    n = ordered.shape[0]
    middle = np.mean(ordered[(n - 1) // 2 : n // 2 + 1], axis=0)
    return np.expand_dims(middle, axes) if keepdims else middle


def sinc(x: Any) -> Any:
    """Return sin(pi x) / (pi x); its slope near zero is that of the Taylor series."""
    v = np.asarray(raw_value(x), dtype=np.result_type(raw_value(x), np.float32))
    t = np.pi * v
    small = np.abs(t) < 0.3
    safe = np.where(small, 1.0, t)
    series: Any = 0.0
    for k in range(8, 0, -1):
        series = (-1) ** k * 2.0 * k / math.factorial(2 * k + 1) + t * t * series
    slope = np.pi * np.where(small, t * series, (np.cos(safe) - np.sin(safe) / safe) / safe)
    return from_partials(np.sinc(v), [(x, slope)])


def angle(z: Any, deg: bool = False) -> Any:
    """Return the angles of complex numbers by real unknowns; np.angle for AD arrays."""
    result = np.angle(raw_value(z), deg)
    if z.dtype.kind != "c":
        return ADArray(result, z._derivative.scaled(0.0))
    derivative = complex_values.derivative_of_angle(z._derivative, raw_value(z))
    return ADArray(result, derivative.scaled(180.0 / math.pi) if deg else derivative)


def real_if_close(a: Any, tol: Any = 100) -> Any:
    """Return the real part where all imaginary parts are rounding errors; np.real_if_close."""
    return a if np.iscomplexobj(np.real_if_close(raw_value(a), tol)) else a.real


def bessel_i0(x: Any) -> Any:
    """Return the modified Bessel function of order zero; for others see scipy.special."""
    from scipy import special

    return from_partials(np.i0(raw_value(x)), [(x, special.i1(raw_value(x)))])


def fix(x: Any) -> Any:
    """Return x rounded towards zero; its slope is zero. No ``out``, as np.trunc has."""
    return np.trunc(x)


def meshgrid(*xi: Any, indexing: str = "xy", copy: bool = True, sparse: bool = False) -> Any:
    """Return coordinate matrices from coordinate vectors."""
    if indexing not in ("xy", "ij"):
        raise ValueError("indexing must be 'xy' or 'ij'")
    swap = indexing == "xy" and len(xi) > 1
    axes = [1, 0, *range(2, len(xi))] if swap else list(range(len(xi)))
    vectors = [np.ravel(x) for x in xi]
    shape = [0] * len(xi)
    for axis, x in zip(axes, vectors, strict=True):
        shape[axis] = x.shape[0]
    grids = []
    for axis, x in zip(axes, vectors, strict=True):
        grid = np.reshape(x, [-1 if k == axis else 1 for k in range(len(xi))])
        grid = grid if sparse else np.broadcast_to(grid, tuple(shape))
        grids.append(np.copy(grid) if copy else grid)
    return tuple(grids)


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """Return the powers of x as columns."""
    powers = list(range(len(x) if N is None else N))
    return np.stack([x**p for p in (powers if increasing else powers[::-1])], axis=1)


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Return evenly spaced points between start and stop."""
    if retstep or (dtype is not None and np.dtype(dtype).kind not in "fc"):
        raise DerivativeError("np.linspace on AD arrays takes no retstep, and no integer dtype")
    steps = num - 1 if endpoint else num
    weight = np.arange(num) / max(steps, 1)
    ndim = max(np.ndim(start), np.ndim(stop))
    weight = np.reshape(weight, (-1,) + (1,) * ndim)
    return np.moveaxis(start * (1.0 - weight) + stop * weight, 0, axis)


MODES = {"f": "full", "2": "full", "s": "same", "1": "same", "v": "valid", "0": "valid"}


def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """Return the discrete convolution of two vectors; one constant makes it a sparse product."""
    n, m = np.size(a), np.size(v)
    if isinstance(a, ADArray) and isinstance(v, ADArray):
        table = a[:, np.newaxis] * v[np.newaxis, :]
        place = np.add.outer(np.arange(n), np.arange(m)).ravel()
        total = sp.csr_array((np.ones(n * m), (place, np.arange(n * m)))) @ np.ravel(table)
    else:
        moving, fixed = (a, v) if isinstance(a, ADArray) else (v, a)
        count, width = np.size(moving), np.size(fixed)
        place = np.add.outer(np.arange(count), np.arange(width))
        column = np.broadcast_to(np.arange(count)[:, np.newaxis], place.shape)
        weight = np.broadcast_to(fixed, place.shape)
        total = sp.csr_array((weight.ravel(), (place.ravel(), column.ravel()))) @ moving
    way = MODES.get(str(mode).lower()[:1])  # NumPy looks at the first letter, or takes a number
    if way == "full":
        return total
    length = max(n, m) if way == "same" else abs(n - m) + 1
    begin = (n + m - 1 - length) // 2
    return total[begin : begin + length]


def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """Return the cross-correlation of two vectors; np.correlate for AD arrays."""
    if np.size(v) > np.size(a):
        return np.conjugate(correlate(v, a, mode))[::-1]
    return convolve(a, np.conjugate(v)[::-1], mode)


def choose(a: Any, choices: Any, mode: Any = "raise") -> Any:
    """Return elements of several arrays by their numbers a; np.choose for AD arrays."""
    of_each = list(choices)
    shape = np.broadcast_shapes(np.shape(a), *map(np.shape, of_each))
    which = np.choose(a, [np.full(shape, k) for k in range(len(of_each))], mode=mode)
    result = np.broadcast_to(of_each[-1], shape)
    for k, choice in enumerate(of_each[:-1]):
        result = where(which == k, choice, result)
    return result


def nanmean(a: Any, axis: Any = None, **kwargs: Any) -> Any:
    """Return the mean of all elements that are no NaN; np.nanmean for AD arrays."""
    known = ~np.isnan(raw_value(a))
    return np.sum(where(known, a, 0.0), axis, **kwargs) / np.sum(known, axis, **kwargs)


def _without_nan(func: Any, filling: Any) -> Any:
    def skipping(a: Any, axis: Any = None, **kwargs: Any) -> Any:
        known = ~np.isnan(raw_value(a))
        return func(where(known, a, filling), axis=axis, **kwargs)

    return skipping


def vector_norm(x: Any, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """Return vector norms over one axis, or over all."""
    if axis is None and not keepdims:
        return np.linalg.norm(np.ravel(x), ord)
    if axis is None or np.ndim(axis):
        raise DerivativeError("np.linalg.vector_norm on AD arrays needs one axis; use np.sum")
    return np.linalg.norm(x, ord, axis, keepdims)


def matrix_norm(x: Any, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """Return matrix norms over the last two axes."""
    return np.linalg.norm(x, ord, (-2, -1), keepdims)


def vecdot_along_axis(x1: Any, x2: Any, axis: int = -1) -> Any:
    """Return the scalar products of vectors along an axis."""
    return np.sum(np.conjugate(x1) * x2, axis=axis)


_OURS: dict[str, Any] = {
    "dstack": dstack, "block": block, "insert": insert, "median": median, "sinc": sinc,
    "i0": bessel_i0, "fix": fix, "vander": vander, "linspace": linspace, "convolve": convolve,
    "correlate": correlate, "choose": choose,
    "nansum": _without_nan(np.sum, 0.0), "nanmean": nanmean,
    "nanprod": _without_nan(np.prod, 1.0), "nancumsum": _without_nan(np.cumsum, 0.0),
    "nancumprod": _without_nan(np.cumprod, 1.0),
    "nanmax": _without_nan(np.max, -np.inf), "nanmin": _without_nan(np.min, np.inf),
}  # fmt: skip
TABLE: dict[Any, Any] = {
    **{f: with_numpys_value(f, ours) for n, ours in _OURS.items() if (f := getattr(np, n))},
    np.meshgrid: meshgrid,
    np.real: lambda val: val.real,
    np.imag: lambda val: val.imag,
    np.angle: angle,
    np.real_if_close: real_if_close,
    np.linalg.vector_norm: with_numpys_value(np.linalg.vector_norm, vector_norm),
    np.linalg.matrix_norm: with_numpys_value(np.linalg.matrix_norm, matrix_norm),
    np.linalg.vecdot: with_numpys_value(np.linalg.vecdot, vecdot_along_axis),
}
if hasattr(np, "astype"):  # NumPy 2.1
    TABLE[np.astype] = lambda y, dtype, **kwargs: y.astype(dtype)
