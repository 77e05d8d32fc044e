"""In-place operations: ``y += v`` and ``y[key] = v`` change y for every name, as in NumPy.

An AD array is an object with a value and a derivative. An in-place operation replaces both. No
array is written into, because the derivatives of earlier results refer to it. Another AD array in
the same memory (a view of y, or the array that y is a view of) would not change by itself. Arrays
that share memory hold one `SharedMemory`. A view by a key also holds the array that it was taken
from. What is written into it is written into that array too, and the other views are taken anew.
The views of an array are known from the first writing on. If others are in use at that time, the
function is evaluated once more, with all views known from the beginning.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from ...errors import DataTypeError, DerivativeError, ShapeError
from ...private_api import REFERENCES_OF_OWNER_ONLY, attribute_references
from ..derivatives.array_operations import NUMBERS
from ..indexing import broadcast
from ..programs.element_loops.filled_rows import FilledRows
from ..ufuncs.ufunc_calls import array_of_values
from .assignment import Increment, WrittenMemory, replaced
from .elements import are_numbers_assigned, is_number_filled_in
from .views import BY_LAYOUT, OUTDATED, ComplexPart, origin_with_key, taken_anew


def assigned(y: Any, result: Any, operator: str, increment: Increment | None = None) -> Any:
    """Return y after the result of an in-place operator was written into it.

    Parameters
    ----------
    y : ADArray
    result : ADArray or ndarray
        What ``y + v`` gives for ``y += v``.
    operator : str
        As it is written: ``"+="``.
    increment : Increment, optional
        What the operator added.

    Raises
    ------
    DerivativeError
        If y shares memory with another AD array that is in use.
    ShapeError, DataTypeError
        If the result does not fit into y: NumPy raises there too.
    """
    if isinstance(y._value, NUMBERS) or not hasattr(result, "_derivative"):
        return result  # NumPy's scalars cannot change: the name is bound to a new one
    _take_over(y, [], f"y {operator} v", f"write y = y {operator[:-1]} v for a whole array")
    _check_writeable(y, f"y {operator} v")
    if result.shape != y.shape:
        raise ShapeError(f"y {operator} v: y has shape {y.shape}, the result {result.shape}")
    if not np.can_cast(result.dtype, y.dtype, "same_kind"):
        raise DataTypeError(
            f"y {operator} v: y has dtype {y.dtype}, the result {result.dtype}; write y = y "
            f"{operator[:-1]} v"
        )
    _write_through(y, result._value, result._derivative, increment)
    return y


def assign(y: Any, key: Any, v: Any) -> None:
    """Carry out ``y[key] = v``.

    Parameters
    ----------
    y : ADArray
    key : index of any kind
    v : ADArray, array_like
        Broadcast to the shape of ``y[key]``. Where a key repeats a position the last value holds,
        as in NumPy.

    Raises
    ------
    DerivativeError
        If y shares memory with another AD array that is in use.
    ShapeError, DataTypeError
        If v does not fit: NumPy raises there too, or drops what does not fit.
    """
    if type(y._derivative) is FilledRows and is_number_filled_in(y, key, v):
        return
    if isinstance(y._value, NUMBERS):
        raise DataTypeError("y[key] = v: y is one number, which cannot be assigned to")
    _check_writeable(y, "y[key] = v")
    origin = getattr(v, "_origin", None)
    if origin is not None and origin[0] is y and _same_key(origin[1], key):
        return  # the second half of y[key] += v: the view wrote its result into y
    shares = y._memory is not None and getattr(v, "_memory", None) is y._memory
    _take_over(y, [*_origins(v)[::-1], v] if shares else [], "y[key] = v", "assign first")
    if are_numbers_assigned(y, key, v):
        return
    _write_through(y, *replaced(y, key, v))


def _same_key(one: Any, other: Any) -> bool:
    return one is other or (type(one) is type(other) is slice and one == other)


def _origins(y: Any) -> list[Any]:
    """Return the arrays that y is a view of by keys, the nearest first."""
    found = []
    origin = getattr(y, "_origin", None)
    while origin is not None:
        found.append(origin[0])
        origin = origin[0]._origin
    return found


def _take_over(y: Any, sources: list[Any], operation: str, advice: str) -> None:
    """Raise if y has views that are not known, or is one; from now on all views are known."""
    views = y._memory.views_in_use() if type(y._memory) is WrittenMemory else []
    for view in (y, *_origins(y), *views):
        if view._origin is not None and view._origin[1] is BY_LAYOUT:
            # Now: the values that are written will lie in memory of their own.
            view._origin = origin_with_key(view)
    if type(y._memory) is WrittenMemory:
        known = _leads_to_owner(y)
    else:
        arrays = _each_once([*_origins(y)[::-1], y, *sources])
        others = attribute_references(y) - REFERENCES_OF_OWNER_ONLY
        known = y._memory is None or others == len(arrays) - 1
    if not known:
        raise ViewsInUseError(
            f"{operation}: y has views (slices, y.T, reshape) in use that would have to change "
            f"too, or is such a view without a key; {advice} and take views afterwards, or take "
            "copies: F[a:b].copy()"
        )
    if type(y._memory) is not WrittenMemory:
        memory = WrittenMemory()
        for a in arrays:
            a._memory = memory
            if a._origin is not None:
                memory.note(a)
    y._memory.written = True


class ViewsInUseError(DerivativeError):
    """Views of an array are in use that are not known: they were taken before it was written into.

    With ``Evaluation.notes_views`` they are known.
    """


def _leads_to_owner(y: Any) -> bool:
    """Whether what is written into y reaches the array that the memory belongs to, if it is used.

    It does not through a view without a key, such as the rows of ``F.T``.
    """
    others = attribute_references(y) - REFERENCES_OF_OWNER_ONLY
    arrays = [y, *_origins(y)]
    memory, top = y._memory, arrays[-1]
    if memory.is_owner(top):
        return True
    if others != len(_each_once([*arrays, *memory.views_in_use()])) - 1:
        return False
    memory.views = [view for view in memory.views if view() is not top]  # the owner is gone
    return True


def _each_once(arrays: list[Any]) -> list[Any]:
    return [a for k, a in enumerate(arrays) if all(a is not b for b in arrays[:k])]


def _check_writeable(y: Any, operation: str) -> None:
    if not y._value.flags.writeable:
        raise DerivativeError(f"{operation}: y is read-only, as results of np.broadcast_to are")


def _write_through(y: Any, value: Any, derivative: Any, increment: Increment | None = None) -> None:
    """Give y a new value and derivative, write them into its origins, and take views anew."""
    written = [y]
    _set(y, value, derivative)
    while (origin := y._origin) is not None:
        viewed, key = origin
        if type(key) is ComplexPart:
            _set(viewed, *key.replaced(viewed, y))
        else:
            _set(viewed, *replaced(viewed, key, y, increment))
        increment = None  # it has the shape of y
        written.append(viewed)
        y = viewed
    for view in y._memory.views_in_use():
        if all(view is not a for a in written):
            _take_anew(view)


def _set(y: Any, value: Any, derivative: Any) -> None:
    value = array_of_values(value)
    if isinstance(value, NUMBERS):  # of a traced evaluation: an array without axes stays one
        value = np.copy(cast(Any, value))
    if value.dtype != y.dtype:
        value = value.astype(y.dtype)
    if value.strides != y._value.strides:
        value = _in_order_of(y._value, value)
    y._value, y._derivative = value, derivative


def _in_order_of(old: Any, value: Any) -> Any:
    """Return a value in the order in which the old one lies in memory, without its gaps."""
    plain = getattr(old, "value", old)  # of a traced evaluation
    like = np.empty_like(plain)
    if value.strides == like.strides:
        return value
    like[...] = value
    return like


def _take_anew(view: Any) -> None:
    origin = view._origin
    if origin is None or origin[0]._value is OUTDATED:
        view._value = view._derivative = OUTDATED
    else:
        viewed, key = origin
        value, view._derivative = taken_anew(viewed, key)
        new_memory = type(key) is tuple and isinstance(value, np.ndarray) and value.base is None
        view._value = _in_order_of(view._value, value) if new_memory else value


SIGNS = {"+=": 1.0, "-=": -1.0}


def in_place(operation: Callable[[Any, Any], Any], operator: str) -> Any:
    """Return the method for an in-place operator."""
    sign = SIGNS.get(operator)

    def method(y: Any, v: Any) -> Any:
        result = operation(y, v)
        added = None
        if sign is not None and y._origin is not None:
            added = _increment(y, v, sign)
        return assigned(y, result, operator, added)

    return method


def _increment(y: Any, v: Any, sign: float) -> Increment | None:
    """Return the increment of a view by v; None if v is a list."""
    if not hasattr(v, "_derivative"):
        return Increment(None, sign) if isinstance(v, (np.ndarray, *NUMBERS)) else None
    return Increment(broadcast(v._derivative, v.shape, y.shape), sign)
