"""``np.sin(x, out=y, where=mask)`` where y is an AD array: a result that is written into y."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...errors import ShapeError
from ..conversions import refusals
from .in_place import assign


def target_among(keywords: dict[str, Any]) -> Any:
    """Return the AD array that is given as ``out=``; None if there is none."""
    out = keywords.get("out")
    if isinstance(out, tuple):
        out = out[0] if len(out) == 1 else None
    return out if hasattr(out, "_derivative") else None


def written_by_ufunc(
    ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], keywords: dict[str, Any], target: Any
) -> Any:
    """Return the target after the result of a ufunc was written into it where a mask holds.

    Methods such as ``np.add.reduce`` are called as functions.

    Raises
    ------
    DerivativeError
        For other keywords, and where the target cannot be written into.
    ShapeError, DataTypeError
        If the result does not fit: NumPy raises there too.
    """
    if method != "__call__":
        return written_by_function(getattr(ufunc, method), inputs, keywords, target)
    others = {k: v for k, v in keywords.items() if k not in ("out", "where")}
    refusals.options_of_ufunc(ufunc, inputs, others)
    where = keywords.get("where", True)
    if where is True:
        return written(target, ufunc(*inputs), f"np.{ufunc.__name__}")
    with np.errstate(all="ignore"):  # NumPy does not compute the elements that are left out
        result = ufunc(*inputs)
    return written(target, np.where(where, result, target), f"np.{ufunc.__name__}")


def written_by_function(
    func: Callable[..., Any], args: Any, keywords: dict[str, Any], target: Any
) -> Any:
    """Return the target after the result of a function of NumPy was written into it."""
    others = {k: v for k, v in keywords.items() if k != "out"}
    return written(target, func(*args, **others), f"np.{func.__name__}", exactly=True)


def written(target: Any, result: Any, name: str, exactly: bool = False) -> Any:
    """Return the target after a result was written into it; a ufunc repeats it to its shape."""
    shape = np.shape(result)
    if shape != target.shape and (exactly or _common_shape(shape, target.shape) != target.shape):
        raise ShapeError(f"{name}(..., out=y): y has shape {target.shape}, the result {shape}")
    assign(target, Ellipsis, result)
    return target


def _common_shape(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...] | None:
    try:
        return np.broadcast_shapes(a, b)
    except ValueError:
        return None
