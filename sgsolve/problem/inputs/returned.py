"""Checks of what functions of the user returned, at every evaluation: real numbers, of one shape.

Away from the start a residual may return complex numbers, another shape or None. That is an error
at any time; no part of the values is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ... import ad
from ...arrays import DOUBLE
from ...errors import DataTypeError, DerivativeError, ImpureFunctionWarning, ShapeError
from ...results.blocks import Blocks
from ...user_warnings import warn

REAL = "fiub"
OTHER = 1e-3  # of the largest residual: no rounding, but another value


def real_vector(value: Any, n: int) -> NDArray[np.float64]:
    """Validate what a residual returned, and return it as a new float vector of length n."""
    if type(value) is not np.ndarray:
        value = _returned_array(value)
    _check_returned(value.dtype, value.shape, n)
    return np.array(value, dtype=np.float64)


def real_values(value: Any, n: int) -> NDArray[np.float64]:
    """Return what `real_vector` does, perhaps in the memory of `value`."""
    if type(value) is np.ndarray and value.shape == (n,) and value.dtype is DOUBLE:
        return value
    return real_vector(value, n)


def vector(y: Any, n: int) -> Any:
    """Return an AD vector of length n as it is, and anything else as `real_vector` does."""
    if not isinstance(y, ad.ADArray):
        return real_vector(y, n)
    _check_returned(y.dtype, y.shape, n)
    return y


def seeded_vector(y: Any, n: int) -> ad.ADArray:
    """Return what a residual returned for seeded unknowns, if it is an AD vector of length n."""
    y = vector(y, n)
    if not isinstance(y, ad.ADArray):
        raise DerivativeError(
            "the residual does not depend on x at the point that was reached, though it did "
            "at the start; return an expression of x on every branch of the code"
        )
    return y


def stored_values(Q: Any, n: int) -> NDArray[np.float64]:
    """Validate what a storage returned, and return it as a new float vector of length n."""
    if type(Q) is np.ndarray and Q.shape == (n,) and Q.dtype is DOUBLE:
        return Q.copy()
    if np.shape(Q) != (n,):
        raise ShapeError(
            f"storage returned shape {np.shape(Q)} for {n} unknowns; it must return what each "
            "equation stores, zero where it stores nothing"
        )
    values = np.asarray(Q)
    if values.dtype.kind not in "biuf":
        raise DataTypeError(f"storage returned dtype {values.dtype}; it must return real numbers")
    return values.astype(np.float64)


def source_value(name: str, function: Callable[[float], Any], t: float) -> Any:
    """Return the value of a function of time; raise if it is no number."""
    value = function(t)
    if not isinstance(value, float) and np.asarray(value).dtype.kind not in "biuf":
        raise DataTypeError(
            f"parameter {name!r} is a function of time that returned {value!r} at t = {t:.9g}; it "
            "must return a real number or an array of them"
        )
    return value


def compare_values(y: ad.ADArray, F: NDArray[np.float64], blocks: Blocks) -> None:
    """Warn if a residual has other values on AD arrays than on plain ones at the same point.

    NumPy computes both by the same operations, so that they differ by rounding at most.
    """
    values = np.asarray(ad.value(y), dtype=np.float64)
    if np.array_equal(values, F):
        return
    difference = np.abs(values - F)
    wrong = np.flatnonzero(difference > OTHER * np.max(np.abs(F), initial=0.0))
    if len(wrong):
        k = int(wrong[np.argmax(difference[wrong])])
        warn(
            f"the residual has another value on AD arrays than on plain ones in {len(wrong)} of "
            f"{len(F)} equations, in {blocks.label(k)} {values[k]:.6g} instead of {F[k]:.6g}: its "
            "Jacobian is that of another function. Look for what depends on the type of x, "
            "np.logical_and or np.logical_or of np.array([...]), random numbers, the time or "
            "counters, and make what changes an argument",
            ImpureFunctionWarning,
        )


def _returned_array(value: Any) -> Any:
    if value is None:
        raise DataTypeError("the residual returned None; is a return statement missing?")
    if isinstance(value, Mapping):
        raise DataTypeError(
            "the residual returned a mapping; with Problem(..., blocks={...}, fields=True) it gets "
            "and returns blocks, without it an array: problem.pack(**mapping)"
        )
    if np.ma.is_masked(value):
        raise DataTypeError(
            f"the residual returned a masked array, without a value of equation "
            f"{int(np.flatnonzero(np.ma.getmaskarray(value))[0])}; every equation needs a value, "
            "np.where(mask, other, F) or F.filled(0.0)"
        )
    try:
        return np.asarray(value)
    except ValueError as error:
        raise ShapeError(f"the residual returned no regular array: {error}") from None


def _check_returned(dtype: np.dtype[Any], shape: tuple[int, ...], n: int) -> None:
    if dtype.kind not in REAL:
        hint = ""
        if dtype.kind == "c":
            hint = (
                "; take the real and the imaginary part as two equations, and raise DomainError "
                "where the model has no real value"
            )
        if dtype.kind == "O":
            hint = "; return a list of equations, or join them with np.stack or np.concatenate"
        raise DataTypeError(
            f"the residual returned dtype {dtype}; it must return real numbers{hint}"
        )
    if shape != (n,):
        hint = ": as many equations as unknowns"
        if int(np.prod(shape)) == n:
            hint = "; use .ravel() on it"
        raise ShapeError(
            f"the residual returned shape {shape} for {n} unknowns; it must return ({n},){hint}"
        )
