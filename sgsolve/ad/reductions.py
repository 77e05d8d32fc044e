"""Functions that reduce an axis or accumulate along it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DerivativeError
from .array import ADArray
from .elementwise import value
from .functions import where
from .indexing import Selected
from .operands import Index

_UNSET: Any = np._NoValue  # type: ignore[attr-defined]


def sum(a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = False, **kwargs: Any) -> Any:
    """Return the sum over axes; np.sum for AD arrays."""
    _refuse(kwargs, "sum")
    v = np.asarray(value(a))
    keepdims = bool(keepdims) if keepdims is not _UNSET else False
    result = np.sum(v, axis=axis, dtype=dtype, keepdims=keepdims)
    axes = tuple(range(v.ndim)) if axis is None else np.atleast_1d(axis) % max(v.ndim, 1)
    derivative = a._derivative
    name = ("sum", v.shape, tuple(int(k) for k in axes))
    root = derivative.root
    known = root.children.get(name)
    if known is None:
        kept = [1 if k in name[2] else n for k, n in enumerate(v.shape)]
        place = np.broadcast_to(np.arange(int(np.prod(kept))).reshape(kept), v.shape)
        flat = np.ascontiguousarray(place).ravel()
        known = root.children.setdefault(name, Selected(Index(flat, None, False, root.clock)))
    known.used = root.clock
    return ADArray(result, derivative.put(known.index, int(np.size(result))))


def mean(a: Any, axis: Any = None, **kwargs: Any) -> Any:
    """Return the mean over axes; np.mean for AD arrays."""
    total = sum(a, axis, **kwargs)
    count = a.size // max(1, total.size) if a.size else 0
    return ADArray(
        np.mean(value(a), axis=axis, keepdims=bool(kwargs.get("keepdims", False))),
        total._derivative.scaled(1.0 / count if count else float("nan")),
    )


def var(a: Any, axis: Any = None, ddof: Any = 0, keepdims: Any = False, **kwargs: Any) -> Any:
    """Return the variance over axes; np.var for AD arrays."""
    _refuse(kwargs, "var")
    deviation = a - mean(a, axis, keepdims=True)
    total = sum(deviation * deviation, axis, keepdims=keepdims)
    return total / (a.size // max(1, total.size) - ddof)


def std(a: Any, axis: Any = None, ddof: Any = 0, keepdims: Any = False, **kwargs: Any) -> Any:
    """Return the standard deviation over axes; np.std for AD arrays."""
    return np.sqrt(var(a, axis, ddof=ddof, keepdims=keepdims, **kwargs))


def prod(a: Any, axis: Any = None, keepdims: Any = False, **kwargs: Any) -> Any:
    """Return the product over axes; np.prod for AD arrays. Exact where factors are zero."""
    _refuse(kwargs, "prod")
    v = np.asarray(value(a))
    if axis is None:
        v, a, axis = v.ravel(), np.ravel(a), 0
        result = np.prod(value(a))
        keep_shape: Any = (1,) * np.ndim(value(a)) if keepdims else ()
    else:
        result = np.prod(v, axis=axis, keepdims=bool(keepdims))
        keep_shape = np.shape(result)
    moved = np.moveaxis(v, axis, 0)
    others = _products_of_others(moved)
    others = np.moveaxis(others, 0, axis)
    return ADArray(
        np.asarray(result).reshape(keep_shape),
        sum(ADArray(v, a._derivative.scaled(others.ravel())), axis)._derivative
        if not a._derivative.is_sparsity
        else sum(a, axis)._derivative,
    )


def _products_of_others(v: Any) -> Any:
    """Return for each element the product of the others along the first axis."""
    ones = np.ones_like(v[:1], dtype=np.result_type(v, float))
    before = np.concatenate([ones, np.cumprod(v[:-1], axis=0)])
    after = np.concatenate([np.cumprod(v[:0:-1], axis=0)[::-1], ones])
    return before * after


def _extreme(func: Any, at: Any) -> Any:
    def extreme(a: Any, axis: Any = None, keepdims: Any = False, **kwargs: Any) -> Any:
        _refuse(kwargs, func.__name__)
        v = np.asarray(value(a))
        keepdims = bool(keepdims) if keepdims is not _UNSET else False
        if axis is not None and np.ndim(axis):
            raise DerivativeError(f"np.{func.__name__} over several axes: apply it twice")
        if axis is None:
            flat = np.ravel(a)
            if a._derivative.is_sparsity:
                total = sum(flat)
                return ADArray(func(v, keepdims=keepdims), total._derivative)
            picked = flat[int(at(v))]
            return np.reshape(picked, (1,) * v.ndim) if keepdims else picked
        if a._derivative.is_sparsity:
            result = func(v, axis=axis, keepdims=keepdims)
            return ADArray(result, sum(a, axis)._derivative)
        where_ = np.expand_dims(at(v, axis=axis), axis)
        picked = np.take_along_axis(a, where_, axis)
        return picked if keepdims else np.squeeze(picked, axis)

    return extreme


def cumsum(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    """Return running sums along an axis; np.cumsum for AD arrays."""
    if axis is None:
        a, axis = np.ravel(a), 0
    v = np.asarray(value(a))
    result = np.cumsum(v, axis=axis, dtype=dtype)
    n = v.shape[axis]
    rows, cols = np.tril_indices(n)
    positions = np.moveaxis(np.arange(v.size).reshape(v.shape), axis, 0).reshape(n, -1)
    flat_source = positions[cols].ravel()
    flat_place = positions[rows].ravel()
    root = a._derivative.root
    gathered = a._derivative.taken(root.index(flat_source, v.size))
    return ADArray(result, gathered.put(root.index(flat_place, v.size), v.size))


def cumprod(a: Any, axis: Any = None, **kwargs: Any) -> Any:
    """Return running products; np.cumprod for AD arrays."""
    _refuse(kwargs, "cumprod")
    if axis is None:
        a, axis = np.ravel(a), 0
    moved = np.moveaxis(a, axis, 0)
    running = [moved[0]]
    for k in range(1, moved.shape[0]):
        running.append(running[-1] * moved[k])
    return np.moveaxis(np.stack(running), 0, axis)


def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = _UNSET, append: Any = _UNSET) -> Any:
    """Return differences of neighbours; np.diff for AD arrays."""
    parts = [np.atleast_1d(p) if p is not _UNSET else None for p in (prepend, append)]
    if any(p is not None for p in parts):
        if a.ndim != 1:
            raise DerivativeError(
                "np.diff with prepend or append needs a vector; use np.concatenate"
            )
        a = np.concatenate([p for p in (parts[0], a, parts[1]) if p is not None])
    before = (slice(None),) * (axis % a.ndim)
    for _ in range(n):
        a = a[(*before, slice(1, None))] - a[(*before, slice(None, -1))]
    return a


def ediff1d(ary: Any) -> Any:
    """Return differences of neighbours of the flattened array."""
    return diff(np.ravel(ary))


def trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1) -> Any:
    """Return the trapezoidal rule along an axis; np.trapezoid for AD arrays."""
    moved = np.moveaxis(y, axis, -1)
    step = dx if x is None else np.diff(x)
    return np.sum(step * (moved[..., 1:] + moved[..., :-1]) / 2.0, axis=-1)


def gradient(f: Any, *spacing: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Return central differences of a vector; np.gradient for AD arrays."""
    if f.ndim != 1:
        raise DerivativeError("np.gradient of an AD array with several axes; use slices")
    eye = np.gradient(np.eye(f.size), *spacing, axis=0, edge_order=edge_order)
    return eye @ f


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    """Return the 1-, 2- or maximum norm of vectors; np.linalg.norm for AD arrays."""
    if ord in (None, 2, "fro"):
        if axis is None and ord == 2 and x.ndim != 1:
            raise DerivativeError("the spectral norm has no derivative rule; use ord='fro'")
        return np.sqrt(sum(x * x, axis, keepdims=keepdims))
    if x.ndim != 1 and axis is None:
        raise DerivativeError(f"np.linalg.norm(ord={ord!r}) of a matrix is not supported")
    if ord == 1:
        return sum(abs(x), axis, keepdims=keepdims)
    if ord == np.inf:
        return TABLE[np.max](abs(x), axis=axis, keepdims=keepdims)
    return sum(abs(x) ** ord, axis, keepdims=keepdims) ** (1.0 / ord)


def clip(a: Any, a_min: Any = None, a_max: Any = None, **kwargs: Any) -> Any:
    """Return a limited to an interval; np.clip for AD arrays."""
    a_min, a_max = kwargs.pop("min", a_min), kwargs.pop("max", a_max)
    _refuse(kwargs, "clip")
    if a_min is not None and a_min is not _UNSET:
        a = np.maximum(a, a_min)
    if a_max is not None and a_max is not _UNSET:
        a = np.minimum(a, a_max)
    return a


def nan_to_num(x: Any, copy: bool = True, nan: float = 0.0, **kwargs: Any) -> Any:
    """Return x with NaN and infinities replaced by constants; np.nan_to_num for AD arrays."""
    v = value(x)
    return where(np.isfinite(v), x, np.nan_to_num(v, nan=nan, **kwargs))


def _refuse(kwargs: Any, name: str) -> None:
    given = sorted(k for k, v in kwargs.items() if v is not None and v is not _UNSET)
    if given:
        raise DerivativeError(f"np.{name} on AD arrays takes no {', '.join(given)}")


TABLE: dict[Any, Any] = {
    np.sum: sum,
    np.mean: mean,
    np.average: lambda a, axis=None, weights=None, **kwargs: (
        mean(a, axis, **kwargs)
        if weights is None
        else sum(a * weights, axis, **kwargs) / np.sum(np.broadcast_to(weights, a.shape), axis)
    ),
    np.var: var,
    np.std: std,
    np.prod: prod,
    np.max: _extreme(np.max, np.argmax),
    np.min: _extreme(np.min, np.argmin),
    np.ptp: lambda a, axis=None: np.max(a, axis=axis) - np.min(a, axis=axis),
    np.cumsum: cumsum,
    np.cumprod: cumprod,
    np.diff: diff,
    np.ediff1d: ediff1d,
    np.trapezoid: trapezoid,
    np.gradient: gradient,
    np.linalg.norm: norm,
    np.clip: clip,
    np.nan_to_num: nan_to_num,
}
