"""Functions that keep an axis: cumulative sums, differences, gradients, clipping, order."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from ....errors import DerivativeError
from ....private_api import NOT_GIVEN
from ...array import ADArray
from ...ufuncs.ufunc_calls import EXTENDED, array_of_values, raw_value
from .reductions import refuse


def cumsum(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    """Return running sums along an axis; np.cumsum for AD arrays.

    The Jacobian is triangular, half full: n unknowns make n^2/2 entries.
    """
    v = array_of_values(raw_value(a))
    result = np.cumsum(v, axis=axis, dtype=dtype)
    lines, axis = _along(v.shape, axis)
    n = lines[axis]
    rows, cols = np.tril_indices(n)
    positions = np.moveaxis(np.arange(v.size).reshape(lines), axis, 0).reshape(
        n, v.size // max(n, 1)
    )
    root = a._derivative.root
    gathered = a._derivative.taken(root.index(positions[cols].ravel(), v.size))
    return ADArray(result, gathered.put(root.index(positions[rows].ravel(), v.size), v.size))


def _along(shape: tuple[int, ...], axis: Any) -> tuple[tuple[int, ...], int]:
    """Return the shape in which `axis` counts: a vector where axis is None or there are no axes."""
    if axis is None or not shape:
        return (int(np.prod(shape)),), 0
    return shape, int(axis)


def cumprod(a: Any, axis: Any = None, **kwargs: Any) -> Any:
    """Return running products; np.cumprod for AD arrays. Exact where factors are zero."""
    refuse(kwargs, "cumprod")
    result = np.cumprod(raw_value(a), axis=axis)
    lines, axis = _along(a.shape, axis)
    moved = np.moveaxis(np.reshape(a, lines), axis, 0)
    if not moved.shape[0]:
        return ADArray(result, a._derivative)
    running = [moved[0]]
    for k in range(1, moved.shape[0]):
        running.append(running[-1] * moved[k])
    restored: Any = np.moveaxis(np.stack(running), 0, axis)
    return ADArray(result, restored._derivative)


def cumulative(func: Any) -> Any:
    """Return the rule of np.cumulative_sum or np.cumulative_prod, from cumsum or cumprod."""

    def rule(x: Any, *, axis: Any = None, include_initial: bool = False, **kwargs: Any) -> Any:
        if axis is None and x.ndim > 1:
            raise DerivativeError(
                f"np.cumulative_{func.__name__[3:]} needs an axis for {x.ndim} axes"
            )
        result = func(x, 0 if axis is None else axis, **kwargs)
        if include_initial:
            axis = 0 if axis is None else axis
            shape = [1 if k == axis % x.ndim else n for k, n in enumerate(x.shape)]
            start = np.zeros(shape) if func is cumsum else np.ones(shape)
            result = np.concatenate([start.astype(result.dtype), result], axis)
        return result

    return rule


def diff(
    a: Any, n: int = 1, axis: int = -1, prepend: Any = NOT_GIVEN, append: Any = NOT_GIVEN
) -> Any:
    """Return differences of neighbors; np.diff for AD arrays."""
    if n <= 0 or not np.ndim(raw_value(a)):
        np.diff(raw_value(a), n, axis)  # raises NumPy's own error, but for n = 0
        return a
    parts = [a]
    for extra, place in ((prepend, 0), (append, len(parts) + 1)):
        if extra is NOT_GIVEN:
            continue
        if np.ndim(extra) == 0:
            shape = list(a.shape)
            shape[axis] = 1
            extra = np.broadcast_to(extra, tuple(shape))
        parts.insert(place, extra)
    if len(parts) > 1:
        a = np.concatenate(parts, axis)
    axis = np.lib.array_utils.normalize_axis_index(axis, a.ndim)
    upper: Any = slice(1, None)
    lower: Any = slice(None, -1)
    if a.ndim > 1:
        before = (slice(None),) * axis
        upper, lower = (*before, upper), (*before, lower)
    for _ in range(n):
        a = a[upper] - a[lower]
    return a


def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """Return differences of neighbors of the flattened array."""
    parts = [to_begin, diff(np.ravel(ary)), to_end]
    return np.concatenate([np.ravel(p) for p in parts if p is not None])


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """Return the trapezoidal rule along an axis; np.trapezoid for AD arrays."""
    moved = np.moveaxis(y, axis, -1)
    step = dx
    if x is not None:
        step = np.diff(x) if np.ndim(x) == 1 else np.moveaxis(np.diff(x, axis=axis), axis, -1)
    total: Any = np.sum(step * (moved[..., 1:] + moved[..., :-1]) / 2.0, axis=-1)
    result = np.trapezoid(raw_value(y), raw_value(x), raw_value(dx), axis)
    return ADArray(result, total._derivative)


def gradient(f: Any, *spacing: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Return central differences along axes; np.gradient for AD arrays."""
    if any(isinstance(h, ADArray) for h in spacing):
        raise DerivativeError("np.gradient on AD arrays needs constant spacing")
    v = array_of_values(raw_value(f))
    numpys: Any = np.gradient
    results = numpys(v, *spacing, axis=axis, edge_order=edge_order)
    single = not isinstance(results, (list, tuple))
    axes = range(v.ndim) if axis is None else [int(k) % v.ndim for k in np.atleast_1d(axis)]
    steps = spacing if len(spacing) == len(axes) else (spacing or (1.0,)) * len(axes)
    derived = []
    for k, step, result in zip(axes, steps, [results] if single else results, strict=True):
        one = np.longdouble(1.0) if v.dtype in EXTENDED else 1.0
        D = _difference_matrix(v.shape[k], step, edge_order, one)
        moved = np.moveaxis(f, k, 0)
        columns = np.reshape(moved, (v.shape[k], v.size // v.shape[k]))
        slopes: Any = np.moveaxis(np.reshape(D @ columns, moved.shape), 0, k)
        derived.append(ADArray(result, slopes._derivative))
    return derived[0] if single else type(results)(derived)


def _difference_matrix(n: int, step: Any, edge_order: int, one: Any) -> Any:
    """Return np.gradient along one axis as a sparse matrix, found with three probes.

    No row has more than three neighboring columns, and these differ modulo three.
    """
    rows = np.arange(n)
    window = np.clip(rows, 1, max(n - 2, 1)) - 1
    parts = []
    slopes_of: Any = np.gradient
    for color in range(3):
        probe = slopes_of((rows % 3 == color) * one, step, edge_order=edge_order)
        cols = window + (color - window) % 3
        used = (cols < n) & (probe != 0)
        parts.append((probe[used], rows[used], cols[used]))
    data, i, j = (np.concatenate(p) for p in zip(*parts, strict=True))
    return sp.csr_array((data, (i, j)), shape=(n, n))


def clip(a: Any, a_min: Any = None, a_max: Any = None, **kwargs: Any) -> Any:
    """Return a limited to an interval; np.clip for AD arrays."""
    low, high = (kwargs.pop(name, limit) for name, limit in (("min", a_min), ("max", a_max)))
    refuse(kwargs, "clip")
    if low is not None and low is not NOT_GIVEN:
        a = np.maximum(a, low)
    if high is not None and high is not NOT_GIVEN:
        a = np.minimum(a, high)
    return a


def sort(a: Any, axis: Any = -1, **kwargs: Any) -> Any:
    """Return the elements in order along an axis; np.sort for AD arrays."""
    if axis is None:
        a, axis = np.ravel(a), 0
    if a._derivative.is_sparsity:
        everything: Any = np.broadcast_to(np.sum(a, axis=axis, keepdims=True), a.shape)
        return ADArray(np.sort(raw_value(a), axis), everything._derivative)
    return np.take_along_axis(a, np.argsort(raw_value(a), axis=axis, **kwargs), axis)


TABLE: dict[Any, Any] = {
    np.cumsum: cumsum,
    np.cumprod: cumprod,
    np.diff: diff,
    np.ediff1d: ediff1d,
    np.trapezoid: trapezoid,
    np.gradient: gradient,
    np.clip: clip,
    np.sort: sort,
    **{getattr(np, name): cumulative(func)
       for name, func in (("cumulative_sum", cumsum), ("cumulative_prod", cumprod))
       if hasattr(np, name)},
}  # fmt: skip
