"""Constant tables evaluated at AD arrays: interpolation, polynomials, piecewise functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....errors import DerivativeError
from ...array import ADArray
from ...conversions.nested import array_of
from ...derivatives import array_operations as op
from ...ufuncs.ufunc_calls import array_of_values, raw_value
from .branching import where


def interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    """Return the piecewise linear interpolation of a table; np.interp for AD arrays.

    Either x or the values fp are an AD array. At a node of the table the slope by x is that of the
    interval to its right.
    """
    if not isinstance(x, ADArray) and not isinstance(xp, ADArray) and period is None:
        return _interpolated(x, xp, fp, left, right)
    if isinstance(xp, ADArray) or isinstance(fp, ADArray) or period is not None:
        raise DerivativeError(
            "np.interp on AD arrays needs constant nodes, no period, and x or the values constant: "
            "use k = np.searchsorted(ad.value(xp), ad.value(x)), and combine fp[k - 1] and fp[k]"
        )
    v = array_of_values(raw_value(x)).astype(float, copy=False)
    xp, fp = np.asarray(xp, dtype=float), np.asarray(fp)
    result = np.interp(v, xp, fp, left, right)
    if x._derivative.is_sparsity:
        return ADArray(result, x._derivative)
    cell = np.clip(np.searchsorted(xp, v, side="right") - 1, 0, max(len(xp) - 2, 0))
    rise = np.diff(fp) / np.diff(xp) if len(xp) > 1 else np.zeros(1)
    slope = op.take(rise, cell)
    slope = np.where((v < xp[0]) | (v > xp[-1]), 0.0, slope)
    slope = slope.astype(np.result_type(slope, float), copy=False)
    return ADArray(result, x._derivative.scaled(slope.ravel()))


def _interpolated(x: Any, xp: Any, fp: ADArray, left: Any, right: Any) -> Any:
    """Return values that depend on x, interpolated at constant places."""
    x, xp = np.asarray(x, dtype=float), np.asarray(xp, dtype=float)
    cell = np.clip(np.searchsorted(xp, x, side="right") - 1, 0, max(len(xp) - 2, 0))
    after = np.minimum(cell + 1, len(xp) - 1)
    width = np.where(xp[after] > xp[cell], xp[after] - xp[cell], 1.0)
    part = np.clip((x - xp[cell]) / width, 0.0, 1.0)
    result: Any = fp[cell] * (1.0 - part) + fp[after] * part
    result = result if left is None else where(x < xp[0], left, result)
    return result if right is None else where(x > xp[-1], right, result)


def polyval(p: Any, x: Any) -> Any:
    """Return a polynomial's value by Horner's rule; np.polyval for AD arrays."""
    x = array_of(x)
    result: Any = x * 0.0
    for coefficient in p:
        result = result * x + coefficient
    return ADArray(np.polyval(list(map(raw_value, p)), raw_value(x)), result._derivative)


def piecewise(x: Any, condlist: Any, funclist: Any) -> Any:
    """Return functions chosen by conditions; np.piecewise for AD arrays.

    Raises
    ------
    DerivativeError
        If x holds integers: NumPy's result then has their type.
    """
    if np.asarray(raw_value(x)).dtype.kind not in "fc":
        raise DerivativeError(
            "np.piecewise of integers x rounds its result to integers, which would lose the "
            "derivative: give x as floats"
        )
    default = funclist[-1] if len(funclist) > len(condlist) else 0.0
    result = default(x) if callable(default) else default
    for condition, f in zip(condlist, funclist, strict=False):
        result = where(condition, f(x) if callable(f) else f, result)
    return result


def histogram(
    a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> Any:
    """Return counts in constant bins, as plain numbers; np.histogram for AD arrays.

    Raises
    ------
    DerivativeError
        If bins are laid between the extremes of `a`, or an argument beside `a` is an AD array.
    """
    given = [bins, weights, *(() if range is None else range)]
    if any(isinstance(g, ADArray) for g in given) or (np.ndim(bins) == 0 and range is None):
        raise DerivativeError(
            "np.histogram would lose the derivative of its edges or weights; give constant edges, "
            "np.histogram(y, edges), and add weights with np.bincount(bins, weights=w, minlength=n)"
        )
    numpys: Any = np.histogram
    return numpys(raw_value(a), bins, range, density, weights)


def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: Any = "K", subok: Any = True, **kwargs: Any
) -> Any:
    """Return an array like `a` with one value everywhere; np.full_like for AD arrays."""
    like = np.empty_like(raw_value(a), dtype, order, subok, **kwargs)
    if not isinstance(fill_value, ADArray):
        like[...] = fill_value
        return like
    return np.copy(np.broadcast_to(fill_value, like.shape)).astype(like.dtype)


TABLE: dict[Any, Any] = {
    np.interp: interp,
    np.polyval: polyval,
    np.piecewise: piecewise,
    np.histogram: histogram,
    np.full_like: full_like,
}
