"""Functions that reduce axes to one value: sums, means, products, extremes, norms.

NumPy computes the value. The derivative is a sum over the axes of weights times the derivative of
the elements. The weights are defined here.
"""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from ....errors import DerivativeError
from ....private_api import NOT_GIVEN
from ...array import ADArray
from ...derivatives.derivative import Derivative
from ...indexing import constant_index, kept, positions_of
from ...structures.operands import Index
from ...ufuncs import complex_values
from ...ufuncs.ufunc_calls import EXTENDED, array_of_values, raw_value
from ..element_functions.branching import where


def sum_of_elements(
    a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = False, **kwargs: Any
) -> Any:
    """Return the sum over axes; np.sum for AD arrays."""
    v = array_of_values(raw_value(a))
    if type(v) is np.ndarray and not kwargs:
        result = v.sum(axis, dtype, keepdims=flag(keepdims))  # in half the time of np.sum
    else:
        limits = options_of_selection(kwargs, "sum")
        result = np.sum(v, axis=axis, dtype=dtype, keepdims=flag(keepdims), **limits)
        a = _chosen(a, limits, 0.0)
    return ADArray(result, _summed(a._derivative, a.shape, axis, int(np.size(result))))


def options_of_selection(kwargs: Any, name: str) -> dict[str, Any]:
    """Return what is given of `where` and `initial`; raise for anything else, and AD arrays."""
    limits = {k: kwargs.pop(k) for k in ("where", "initial") if k in kwargs}
    refuse(kwargs, name)
    limits = {
        k: v for k, v in limits.items() if v is not NOT_GIVEN and (k == "initial" or v is not True)
    }
    if isinstance(limits.get("initial"), ADArray):
        raise DerivativeError(f"np.{name}: initial must be constant; join it to the array instead")
    return limits


def _chosen(a: Any, limits: dict[str, Any], neutral: Any) -> Any:
    """Return a with a neutral element where `where` does not hold."""
    if "where" not in limits:
        return a
    return where(np.broadcast_to(raw_value(limits["where"]), a.shape), a, neutral)


def _summed(derivative: Derivative, shape: tuple[int, ...], axis: Any, size: int) -> Derivative:
    """Return the derivative of a sum over axes of an array of this shape."""
    axes, root = normalized(axis, len(shape)), derivative.root

    def place() -> Index:
        lengths = tuple(1 if k in axes else n for k, n in enumerate(shape))
        return constant_index(root, np.broadcast_to(positions_of(lengths), shape))

    return derivative.put(kept(root, ("sum", shape, axes), place), size)


def _weighted_sum(a: ADArray, weights: Any, axis: Any, result: Any) -> ADArray:
    """Return `result` with the derivative of ``sum(weights * a, axis)``, weights held fixed."""
    derivative = a._derivative
    if not derivative.is_sparsity:
        full = np.broadcast_to(array_of_values(weights), a.shape)
        if full.dtype.kind not in "fc":
            full = full.astype(float)
        if full.size == 1:
            full = np.ravel(full)[0]  # one element has a number for a coefficient
        derivative = derivative.scaled(full if np.ndim(full) == 0 else full.ravel())
    return ADArray(result, _summed(derivative, a.shape, axis, int(np.size(result))))


def mean(a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = False, **kwargs: Any) -> Any:
    """Return the mean over axes; np.mean for AD arrays."""
    limits = options_of_selection(kwargs, "mean")
    result = np.mean(raw_value(a), axis=axis, dtype=dtype, keepdims=flag(keepdims), **limits)
    if limits:
        used = np.broadcast_to(limits["where"], a.shape)
        with np.errstate(all="ignore"):
            weights = used / np.sum(used, axis=axis, keepdims=True)
        return _weighted_sum(a, weights, axis, result)
    total = _summed(a._derivative, a.shape, axis, int(np.size(result)))
    return ADArray(result, total.scaled(_one(a.dtype) / _count(a, result)))


def _one(dtype: Any) -> Any:
    """Return 1 in the precision of a dtype, in double precision at least."""
    return np.longdouble(1.0) if dtype in EXTENDED else 1.0


def average(a: Any, axis: Any = None, weights: Any = None, **kwargs: Any) -> Any:
    """Return the weighted average over axes; np.average for AD arrays."""
    if kwargs.pop("returned", False):
        raise DerivativeError("np.average on AD arrays takes no returned; use np.sum(weights)")
    if weights is None:
        return mean(a, axis, **kwargs)
    if np.ndim(weights) == 1 and np.ndim(a) > 1 and axis is not None:
        shape = [1] * np.ndim(a)
        shape[axis] = -1
        weights = np.reshape(weights, shape)
    if isinstance(a, ADArray) and not isinstance(weights, ADArray):
        weights = np.asarray(weights) * _one(a.dtype)
    weights = np.broadcast_to(weights, np.shape(a))
    return np.sum(a * weights, axis, **kwargs) / np.sum(weights, axis, **kwargs)


def var(a: Any, axis: Any = None, ddof: Any = 0, **kwargs: Any) -> Any:
    """Return the variance over axes; np.var for AD arrays."""
    result, deviation, freedom = _spread(np.var, a, axis, ddof, **kwargs)
    with np.errstate(all="ignore"):
        weights = 2.0 / freedom * deviation
    return _weighted_real(a, weights, axis, result)


def std(a: Any, axis: Any = None, ddof: Any = 0, **kwargs: Any) -> Any:
    """Return the standard deviation over axes; np.std. Where it is zero its slope is taken as 0."""
    result, deviation, freedom = _spread(np.std, a, axis, ddof, **kwargs)
    size = np.std(raw_value(a), axis=axis, ddof=ddof, keepdims=True)
    with np.errstate(all="ignore"):
        slope = deviation / (np.where(size == 0, 1.0, size) * freedom)
    return _weighted_real(a, np.where(size == 0, 0.0, slope), axis, result)


def _weighted_real(a: ADArray, weights: Any, axis: Any, result: Any) -> ADArray:
    """Return `result` with the derivative of ``sum(Re(conj(weights) a), axis)``."""
    if a.dtype.kind != "c":
        return _weighted_sum(a, weights, axis, result)
    total = _weighted_sum(a, np.conj(weights), axis, result)
    return ADArray(result, complex_values.derivative_of_real(total._derivative))


def _spread(
    func: Any, a: Any, axis: Any, ddof: Any, dtype: Any = None, keepdims: Any = False, **kwargs: Any
) -> tuple[Any, Any, Any]:
    refuse(kwargs, func.__name__)
    v = raw_value(a)
    result = func(v, axis=axis, dtype=dtype, ddof=ddof, keepdims=flag(keepdims))
    return result, v - np.mean(v, axis=axis, keepdims=True), np.float64(_count(a, result) - ddof)


def prod(a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = False, **kwargs: Any) -> Any:
    """Return the product over axes; np.prod for AD arrays. Exact where factors are zero."""
    limits = options_of_selection(kwargs, "prod")
    result = np.prod(raw_value(a), axis=axis, dtype=dtype, keepdims=flag(keepdims), **limits)
    lines = _lines(_chosen(a, limits, 1.0), axis)
    others = _products_of_others(raw_value(lines)) * limits.get("initial", 1.0)
    return _weighted_sum(lines, others, 0, result)


def _products_of_others(v: Any) -> Any:
    """Return for each element the product of the others along the first axis."""
    ones = np.ones_like(
        v[:1], dtype=np.result_type(v, np.float32) if v.dtype.kind in "fc" else float
    )
    before = np.concatenate([ones, np.cumprod(v[:-1], axis=0)])
    after = np.concatenate([np.cumprod(v[:0:-1], axis=0)[::-1], ones])
    return (before * after)[: len(v)]


def extreme(func: Any, at: Any) -> Any:
    """Return the rule of np.max or np.min; at a tie the first element is taken."""

    def extreme_of(a: Any, axis: Any = None, keepdims: Any = False, **kwargs: Any) -> Any:
        limits = options_of_selection(kwargs, func.__name__)
        if "initial" in limits:
            return _bounded(a, axis, flag(keepdims), limits)
        result = func(raw_value(a), axis=axis, keepdims=flag(keepdims))
        lines = _lines(a, axis)
        if a._derivative.is_sparsity:
            return _weighted_sum(lines, 1.0, 0, result)
        count = lines.shape[1]
        place = at(raw_value(lines), axis=0) * count + np.arange(count)
        index = a._derivative.root.index(place, lines.size)
        return ADArray(result, lines._derivative.taken(index))

    def _bounded(a: Any, axis: Any, keepdims: bool, limits: Any) -> Any:
        result = func(raw_value(a), axis=axis, keepdims=keepdims, **limits)
        inside = extreme_of(_chosen(a, limits, limits["initial"]), axis, keepdims)
        bounded = (np.maximum if func is np.max else np.minimum)(inside, limits["initial"])
        return ADArray(result, bounded._derivative)

    return extreme_of


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    """Return vector norms, or Frobenius norms; np.linalg.norm for AD arrays.

    Where the norm is zero its slope is taken as zero.
    """
    if x.dtype.kind == "c":
        sizes = norm(abs(x), ord, axis, keepdims)
        return ADArray(np.linalg.norm(raw_value(x), ord, axis, flag(keepdims)), sizes._derivative)
    matrices = np.ndim(x) > 1 if axis is None else np.ndim(axis) > 0 and len(axis) > 1
    if matrices and ord in (1, -1, np.inf, -np.inf):
        line = _largest_line(x, ord, axis, flag(keepdims))
        return ADArray(np.linalg.norm(raw_value(x), ord, axis, flag(keepdims)), line._derivative)
    if matrices and ord not in (None, "fro"):
        raise DerivativeError(
            f"np.linalg.norm(ord={ord!r}) of a matrix is not supported on AD arrays; use "
            "ord='fro', or np.sum and np.max over the axes you mean"
        )
    v = array_of_values(raw_value(x))
    result = np.linalg.norm(v, ord, axis, flag(keepdims))
    if ord in (np.inf, -np.inf):
        largest = TABLE[np.max if ord > 0 else np.min](abs(x), axis=axis, keepdims=keepdims)
        return ADArray(result, largest._derivative)
    if ord == 0:
        return _weighted_sum(x, 0.0, axis, result)
    p = 2 if ord in (None, "fro") else ord
    size = array_of_values(np.linalg.norm(v, ord, axis, True))
    with np.errstate(all="ignore"):
        relative = v / np.where(size == 0, 1.0, size)
        slope = np.sign(v) if p == 1 else relative * np.abs(relative) ** (p - 2)
    return _weighted_sum(x, slope if p == 2 else np.where(v == 0, 0.0, slope), axis, result)


def _largest_line(x: Any, ord: Any, axis: Any, keepdims: bool) -> Any:
    """Return the largest (or smallest) absolute column sum (ord 1) or row sum (ord inf)."""
    row, column = normalized(axis, np.ndim(x))
    along, across = (row, column) if abs(ord) == 1 else (column, row)
    sums = np.sum(abs(x), axis=along, keepdims=True)
    if not sums.size:
        return np.sum(x, axis=(row, column), keepdims=flag(keepdims))  # the norm of nothing is zero
    result = (np.max if ord > 0 else np.min)(sums, axis=across, keepdims=True)
    return result if keepdims else np.squeeze(result, axis=(row, column))


def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, **kwargs: Any) -> Any:
    """Return x with NaN and infinities replaced by constants; np.nan_to_num for AD arrays."""
    v = raw_value(x)
    result = np.nan_to_num(v, nan=nan, **kwargs)
    cleaned = ADArray(result, where(np.isfinite(v), x, result)._derivative)
    if copy or not cleaned.ndim:
        return cleaned
    x[...] = cleaned
    return x


def _lines(a: ADArray, axis: Any) -> Any:
    """Return a as a matrix whose columns are the lines along the reduced axes."""
    axes = normalized(axis, a.ndim)
    rest = tuple(k for k in range(a.ndim) if k not in axes)
    length = int(np.prod([a.shape[k] for k in axes]))
    count = int(np.prod([a.shape[k] for k in rest]))
    return np.reshape(np.transpose(a, axes + rest), (length, count))


def normalized(axis: Any, ndim: int) -> tuple[int, ...]:
    """Return the axes as a tuple of non-negative numbers, all of them for None."""
    if axis is None or not ndim:
        return tuple(range(ndim))
    return tuple(builtins.sum(((int(k) % ndim,) for k in np.atleast_1d(axis)), ()))


def _count(a: ADArray, result: Any) -> Any:
    """Return how many elements went into each result; NaN for none, as NumPy's mean is."""
    return a.size / np.size(result) if np.size(result) and a.size else float("nan")


def flag(keepdims: Any) -> Any:
    """Return keepdims as NumPy reads it, absent or given: a bool."""
    return bool(keepdims) if keepdims is not NOT_GIVEN else False


def refuse(kwargs: Any, name: str) -> None:
    """Raise for arguments that the AD function does not have."""
    given = sorted(k for k, v in kwargs.items() if v is not None and v is not NOT_GIVEN)
    if given:
        raise DerivativeError(
            f"np.{name} on AD arrays takes no {', '.join(given)}; choose elements before, with an "
            "index or np.where"
        )


TABLE: dict[Any, Any] = {
    np.sum: sum_of_elements,
    np.mean: mean,
    np.average: average,
    np.var: var,
    np.std: std,
    np.prod: prod,
    np.max: extreme(np.max, np.argmax),
    np.min: extreme(np.min, np.argmin),
    np.amax: extreme(np.max, np.argmax),
    np.amin: extreme(np.min, np.argmin),
    np.ptp: lambda a, axis=None, **kwargs: (
        np.max(a, axis=axis, **kwargs) - np.min(a, axis=axis, **kwargs)
    ),
    np.linalg.norm: norm,
    np.nan_to_num: nan_to_num,
}
