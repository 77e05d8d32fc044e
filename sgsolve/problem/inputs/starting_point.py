"""Validation of a starting point: real, finite numbers in a vector."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg.blas import ddot

from ... import ad
from ...arrays import DOUBLE
from ...errors import DataTypeError, NotFiniteError, ShapeError
from ...norms import THREADED


def starting_point(x0: ArrayLike, name: str = "x0") -> NDArray[Any]:
    """Validate x0, and return it as a new float64 vector."""
    if type(x0) is np.ndarray and x0.dtype is DOUBLE and x0.ndim == 1 and 0 < x0.size < THREADED:
        x: NDArray[Any] = x0.copy()
        if math.isfinite(ddot(x, x)):
            return x
    refuse_other_classes(x0, name)
    try:
        x = np.asarray(x0)
    except ValueError as error:
        raise ShapeError(f"{name} is no regular array: {error}") from None
    if x.dtype.kind == "c":
        raise DataTypeError(
            f"{name} is complex; solve for real and imaginary parts as separate unknowns"
        )
    if x.dtype.kind not in "biuf":
        raise DataTypeError(f"{name} must hold real numbers, not dtype {x.dtype}")
    if x.ndim != 1:
        hint = (
            "use [value]"
            if x.ndim == 0
            else "use .ravel(), and reshape within the residual; or name the field in Problem(..., "
            f"blocks={{'u': {x.shape}}}, fields=True), whose residual and x0={{'u': ...}} have "
            "this shape"
        )
        raise ShapeError(f"{name} must be a vector of shape (n,), not {x.shape}; {hint}")
    if x.size == 0:
        raise ShapeError(f"{name} is empty: there is nothing to solve for")
    x = np.array(x, dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(x))
    if len(bad):
        raise NotFiniteError(
            f"{name} is not finite at {len(bad)} of {len(x)} places, first {name}[{bad[0]}] = "
            f"{x[bad[0]]}"
        )
    return x


def refuse_other_classes(x0: Any, name: str) -> None:
    """Raise `DataTypeError` for objects that are no vectors of numbers."""
    if hasattr(x0, "success") and hasattr(x0, "x"):
        raise DataTypeError(f"{name} is a whole {type(x0).__name__}; give its .x")
    if isinstance(x0, ad.ADArray):
        raise DataTypeError(
            f"{name} is an AD array; a solve starts from numbers and has no derivative: see "
            "Problem.sensitivity for that of a solution"
        )
    if np.ma.is_masked(x0):
        raise DataTypeError(
            f"{name} is a masked array; give every unknown a value, {name}.filled(value)"
        )
    if hasattr(x0, "toarray"):
        raise DataTypeError(f"{name} is a sparse matrix; give a dense vector of unknowns")
