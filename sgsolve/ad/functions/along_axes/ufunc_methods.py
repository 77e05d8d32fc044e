"""Methods of ufuncs on AD arrays: reduce, accumulate, outer, reduceat.

NumPy computes the value. Sums, products and extremes have rules of their own. Any other ufunc of
two arguments is applied to one element after the other, as these methods define it.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import scipy.sparse as sp

from ....errors import DerivativeError
from ...array import ADArray
from ...assignments.in_place import assigned
from ...conversions.nested import array_of
from ...dispatch import call
from ...indexing import arrays_of_key, positions_of
from ...ufuncs.ufunc_calls import DECISIONS, raw_value
from ..element_functions.composed import plain
from ..sparse_vectors import sparsesum, sparsevec

REDUCTIONS: dict[np.ufunc, Any] = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
}
RUNNING: dict[np.ufunc, Any] = {np.add: np.cumsum, np.multiply: np.cumprod}


def reduce(ufunc: Any, a: Any, axis: Any = 0, dtype: Any = None, out: Any = None,
           keepdims: bool = False, **kwargs: Any) -> Any:  # fmt: skip
    """Return the ufunc applied along an axis until one element is left."""
    _refuse_out(ufunc, "reduce", out)
    given = {k: v for k, v in kwargs.items() if v is not None}
    func = REDUCTIONS.get(ufunc)
    if func is not None:
        if dtype is not None:
            given["dtype"] = dtype
        return call(func, (a,), {"axis": axis, "keepdims": keepdims, **given})
    _refuse_others(ufunc, "reduce", dtype=dtype, **given)
    lines = _reduced_along(a, axis) if a.ndim else [a]
    if not len(lines):
        raise DerivativeError(f"np.{ufunc.__name__}.reduce of no elements; give it some")
    # NumPy starts from the identity, which is not neutral for each ufunc: hypot(0, x) is |x|.
    total = lines[0] if ufunc.identity is None else ufunc(ufunc.identity, lines[0])
    for line in lines[1:]:
        total = ufunc(total, line)
    result = ufunc.reduce(raw_value(a), axis=axis, keepdims=keepdims)
    return _checked_result(ufunc, "reduce", result, total)


def accumulate(ufunc: Any, a: Any, axis: Any = 0, dtype: Any = None, out: Any = None) -> Any:
    """Return the running results of a ufunc along an axis."""
    _refuse_out(ufunc, "accumulate", out)
    _refuse_others(ufunc, "accumulate", dtype=dtype)
    if ufunc in RUNNING and axis is not None:
        return call(RUNNING[ufunc], (a, axis), {})
    result = ufunc.accumulate(raw_value(a), axis=axis)
    axis = 0 if axis is None else axis  # of a vector, for which NumPy allows it
    running = list(_reduced_along(a, axis))
    for k in range(1, len(running)):
        running[k] = ufunc(running[k - 1], running[k])
    if not running:
        return ADArray(result, a._derivative)
    return _checked_result(ufunc, "accumulate", result, np.moveaxis(np.stack(running), 0, axis))


def _checked_result(ufunc: Any, name: str, result: Any, total: Any) -> ADArray:
    """Return NumPy's result with the derivative of one element after the other.

    Raises
    ------
    DerivativeError
        If the two values differ: ``np.power.reduce([2.0, 3.0, 2.0])`` of NumPy 2.4 is 4, not 64,
        where it uses vector instructions.
    """
    if not hasattr(result, "record"):
        found = np.reshape(raw_value(total), np.shape(result))
        if not np.allclose(found, result, rtol=1e-5, atol=0.0, equal_nan=True):
            raise DerivativeError(
                f"np.{ufunc.__name__}.{name} of this NumPy is not the ufunc of one element after "
                "the other, so that it has another derivative; write it as a loop"
            )
    return ADArray(result, total._derivative)


def outer_by_ufunc(ufunc: Any, a: Any, b: Any, **kwargs: Any) -> Any:
    """Return the ufunc of every pair of elements."""
    _refuse_out(ufunc, "outer", kwargs.pop("out", None))
    _refuse_others(ufunc, "outer", **kwargs)
    shape = (*np.shape(a), *(1,) * np.ndim(b))
    return ufunc(np.reshape(a, shape), b)


def reduceat(ufunc: Any, a: Any, indices: Any, axis: int = 0, dtype: Any = None,
             out: Any = None) -> Any:  # fmt: skip
    """Return the ufunc reduced over stretches of an axis."""
    _refuse_out(ufunc, "reduceat", out)
    _refuse_others(ufunc, "reduceat", dtype=dtype)
    result = ufunc.reduceat(raw_value(a), indices, axis=axis)
    moved = _reduced_along(a, axis)
    n = moved.shape[0]
    starts = [int(k) for k in np.asarray(indices)]
    # A start that is not below the next one stands for its own element only.
    ends = [e if s < e else s + 1 for s, e in zip(starts, [*starts[1:], n], strict=True)]
    if ufunc is np.add:
        rows = np.repeat(np.arange(len(starts)), np.subtract(ends, starts))
        cols = np.concatenate([np.arange(s, e) for s, e in zip(starts, ends, strict=True)])
        sums = sp.csr_array((np.ones(len(rows)), (rows, cols)), shape=(len(starts), n))
        flat = moved if moved.ndim == 1 else np.reshape(moved, (n, -1))
        total = np.reshape(sums @ flat, (len(starts), *moved.shape[1:]))
    else:
        pieces = zip(starts, ends, strict=True)
        total = np.stack([functools.reduce(ufunc, moved[s:e]) for s, e in pieces])
    return _checked_result(ufunc, "reduceat", result, np.moveaxis(total, 0, axis))


def at(ufunc: Any, target: Any, key: Any, *values: Any, **kwargs: Any) -> None:
    """Carry out ``ufunc.at(y, key, v)``: y[key] += v or -= v, for a position as often as it stands.

    Raises
    ------
    DerivativeError
        If y is no AD array, or the ufunc is another one.
    """
    name = ufunc.__name__
    sign = {np.add: 1.0, np.subtract: -1.0}.get(ufunc)
    if sign is not None and isinstance(target, ADArray):
        positions = positions_of(target.shape)[arrays_of_key(key)]
        v = np.ravel(np.broadcast_to(array_of(values[0]), positions.shape))
        added = sparsevec(target.size, positions.ravel(), v if sign > 0 else -v)
        result = np.reshape(sparsesum([np.ravel(target), added]), target.shape)
        assigned(target, result, f"np.{name}.at")
        return
    instead = "np.where, or ad.sparsesum([ad.sparsevec(n, idx, v)]) of new values"
    if sign is not None:
        instead = (
            f"np.{name}.at of F = np.zeros(n, like=x), x being the unknowns; or "
            "ad.sparsesum([ad.sparsevec(n, idx, v)]), which adds up repeated positions; or "
            "np.bincount(idx, weights=v, minlength=n)"
        )
    raise DerivativeError(
        f"np.{name}.at writes into an ndarray, which would lose the derivatives; use {instead}"
    )


def method(ufunc: Any, name: str, inputs: Any, kwargs: Any) -> Any:
    """Return ``ufunc.name(*inputs, **kwargs)`` where some argument is an AD array."""
    if ufunc in DECISIONS:
        return getattr(ufunc, name)(*map(plain, inputs), **kwargs)
    carried = name == "outer" or isinstance(inputs[0], ADArray)
    if ufunc.nin != 2 or ufunc.nout != 1 or not carried:
        raise DerivativeError(
            f"np.{ufunc.__name__}.{name} is not supported on these AD arrays; write it with "
            "indexing, sums or ad.sparsesum"
        )
    return _METHODS[name](ufunc, *inputs, **kwargs)


def _reduced_along(a: Any, axis: Any) -> Any:
    """Return the array with an axis in front; of several axes, one by one in C order."""
    if axis is None:
        return np.ravel(a)
    if np.ndim(axis) == 0:
        return np.moveaxis(a, int(axis), 0)
    axes = [int(k) % a.ndim for k in axis]
    moved = np.moveaxis(a, axes, range(len(axes)))
    return np.reshape(moved, (-1, *moved.shape[len(axes) :]))


def _refuse_out(ufunc: Any, name: str, out: Any) -> None:
    if out is not None and any(o is not None for o in (out if isinstance(out, tuple) else (out,))):
        raise DerivativeError(
            f"np.{ufunc.__name__}.{name} takes no out on AD arrays: an array is never written "
            "into; use the result that it returns"
        )


def _refuse_others(ufunc: Any, name: str, **kwargs: Any) -> None:
    given = [k for k, v in kwargs.items() if v is not None]
    if given:
        raise DerivativeError(
            f"np.{ufunc.__name__}.{name} takes no {', '.join(given)} on AD arrays; use np.where "
            "and astype before"
        )


_METHODS: dict[str, Any] = {
    "reduce": reduce, "accumulate": accumulate, "outer": outer_by_ufunc, "reduceat": reduceat,
}  # fmt: skip
TABLE: dict[str, Any] = {
    **dict.fromkeys(_METHODS, method),
    "at": lambda ufunc, name, inputs, kwargs: at(ufunc, *inputs, **kwargs),
}
