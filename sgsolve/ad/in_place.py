"""In-place operators: ``y += v`` changes y for every name that refers to it, as in NumPy.

An AD array is an object with a value and a derivative. The operator replaces both. No array is
written into, because the derivatives of earlier results refer to it. Another AD array in the same
memory (a view of y, or the array that y is a view of) would not change. Arrays that share memory
hold one `SharedMemory`, and the operator raises an error while more than one of them is alive.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import DataTypeError, DerivativeError, ShapeError
from ..private_api import REFERENCES_OF_OWNER_ONLY, attribute_references
from . import refusals


class SharedMemory:
    """What all AD arrays in the same memory hold."""

    __slots__ = ()


def share(view: Any, origin: Any) -> None:
    """Note that an AD array is a view of another one."""
    memory = origin._memory
    if memory is None:
        memory = origin._memory = SharedMemory()
    view._memory = memory


def share_where_views(result: Any, *operands: Any) -> Any:
    """Return a result, each of its arrays noted as a view of the operand that it is one of."""
    if hasattr(result, "_derivative"):
        _share_with_owner(result, _owner(result._value), operands)
    elif isinstance(result, (list, tuple)):
        for part in result:
            share_where_views(part, *operands)
    return result


def _share_with_owner(array: Any, owner: Any, operands: Any) -> bool:
    """Note that an array is a view of the operand with the same owner; whether there is one."""
    for operand in operands:
        if isinstance(operand, (list, tuple)):
            if _share_with_owner(array, owner, operand):
                return True
        elif hasattr(operand, "_derivative") and array is not operand:
            if owner is not _owner(operand._value):
                continue
            share(array, operand)
            return True
    return False


def _owner(value: Any) -> Any:
    """Return the array that the memory of a value belongs to."""
    base = value.base
    return value if base is None else base


def assigned(y: Any, result: Any, operator: str) -> Any:
    """Return y after the result of an in-place operator was written into it.

    Parameters
    ----------
    y : ADArray
    result : ADArray or ndarray
        What ``y + v`` gives for ``y += v``.
    operator : str
        As it is written: ``"+="``.

    Raises
    ------
    DerivativeError
        If y shares memory with another AD array.
    ShapeError, DataTypeError
        If the result does not fit into y: NumPy raises there too.
    """
    if isinstance(y._value, np.generic) or not hasattr(result, "_derivative"):
        return result  # NumPy's scalars cannot change: the name is bound to a new one
    if y._memory is not None and attribute_references(y) > REFERENCES_OF_OWNER_ONLY:
        raise DerivativeError(
            f"y {operator} v: y is a view of another AD array, or has views (slices, y.T, reshape) "
            f"that would have to change too. Write y = y {operator[:-1]} v for a whole array, and "
            f"{refusals.part_in_place('F[a:b]', operator[:-1])}"
        )
    if not y._value.flags.writeable:
        raise DerivativeError(f"y {operator} v: y is read-only (np.broadcast_to)")
    if result.shape != y.shape:
        raise ShapeError(f"y {operator} v: y has shape {y.shape}, the result {result.shape}")
    if not np.can_cast(result.dtype, y.dtype, "same_kind"):
        raise DataTypeError(
            f"y {operator} v: y has dtype {y.dtype}, the result {result.dtype}; write y = y "
            f"{operator[:-1]} v"
        )
    value = result._value if hasattr(result._value, "record") else np.asarray(result._value)
    if value.dtype != y.dtype or value.strides != y._value.strides:
        # In y's precision, and in the order in which y lies in memory.
        own = np.empty_like(y._value)
        own[...] = value
        value = own
    y._value, y._derivative = value, result._derivative
    return y


def in_place(operation: Callable[[Any, Any], Any], operator: str) -> Any:
    """Return the method for an in-place operator."""

    def method(y: Any, v: Any) -> Any:
        return assigned(y, operation(y, v), operator)

    return method
