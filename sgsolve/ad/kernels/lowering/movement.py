"""Movement of elements: functions whose results are elements of their arguments, unchanged.

Which element goes where is found by the function itself, applied to arrays of positions.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ...derivatives import array_operations as op
from ...programs.positional_calls import Method, WithKeywords
from ...programs.traced_arrays import TRANSPOSED

# Of one array, the first argument.
MOVING = frozenset(
    {
        np.reshape, np.ravel, np.transpose, np.broadcast_to, np.expand_dims, np.squeeze,
        np.moveaxis, np.swapaxes, np.rollaxis, np.flip, np.fliplr, np.flipud, np.rot90, np.roll,
        np.repeat, np.tile, np.resize, np.take, np.diagonal, np.copy, np.ascontiguousarray,
        np.atleast_1d, np.atleast_2d, np.atleast_3d, np.positive, operator.pos, operator.getitem,
        TRANSPOSED,
        op.unrecorded(op.take), op.unrecorded(op.cut),
    }
)  # fmt: skip
METHODS = frozenset(
    {
        "reshape", "ravel", "flatten", "transpose", "swapaxes", "squeeze", "copy", "take",
        "repeat", "diagonal", "item",
    }
)  # fmt: skip
METHODS_OF_REDUCTION: dict[str, Any] = {
    "sum": np.sum, "mean": np.mean, "max": np.max, "min": np.min, "any": np.any, "all": np.all,
}  # fmt: skip
# Of a sequence of arrays, the first argument.
JOINING = frozenset(
    {np.concatenate, np.stack, np.hstack, np.vstack, np.dstack, np.column_stack}
)  # fmt: skip


def plain_function(function: Callable[..., Any]) -> Any:
    """Return a function without its keywords."""
    return function.function if isinstance(function, WithKeywords) else function


def function_name(function: Any) -> str:
    """Return the name of a function of NumPy's, for messages."""
    function = plain_function(function)
    if isinstance(function, Method):
        return f"ndarray.{function.name}"
    return str(getattr(function, "__name__", function)).lstrip("_")


def named_function(function: Callable[..., Any]) -> Any:
    """Return a function without its keywords, and in place of a method NumPy's function."""
    plain = plain_function(function)
    return METHODS_OF_REDUCTION.get(plain.name, plain) if isinstance(plain, Method) else plain


def moves(function: Callable[..., Any]) -> bool:
    """Whether a function returns chosen elements of its first argument."""
    function = plain_function(function)
    return function.name in METHODS if isinstance(function, Method) else function in MOVING


def joins(function: Callable[..., Any]) -> bool:
    """Whether a function joins the arrays of its first argument."""
    return plain_function(function) in JOINING


def positions_of_result(
    function: Callable[..., Any], shapes: list[tuple[int, ...]], others: list[Any], joined: bool
) -> Any:
    """Return for each element of the result its number among the elements of all arguments.

    None where the result is no array, or `np.resize` fills it with zeros for want of elements.
    """
    arrays, begin = [], 0
    for shape in shapes:
        size = int(np.prod(shape, dtype=np.int64))
        arrays.append(np.arange(begin, begin + size).reshape(shape))
        begin += size
    result = function(tuple(arrays) if joined else arrays[0], *others)
    if not begin and np.size(result):
        return None
    if isinstance(result, (int, np.integer)):
        return np.array([result])
    return result if isinstance(result, np.ndarray) and result.dtype.kind == "i" else None
