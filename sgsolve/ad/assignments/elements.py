"""Read and assign single elements in long loops, by rows of derivatives in place of records.

See `element_loops.number_rows`. Here is what decides whether an element is read or
assigned that way.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...arrays import DOUBLE
from ...private_api import REFERENCES_OF_VALUE_ONLY, value_references
from ..derivatives.derivative import Derivative
from ..derivatives.sparsity import Sparsity
from ..programs.element_loops.filled_rows import FilledRows
from ..programs.element_loops.filled_values import FilledArray, with_numbers
from ..programs.element_loops.number_rows import new_row, row_of, row_of_number, rows_of
from ..programs.element_loops.row_tables import reads_many
from ..programs.recorded import Recorded
from ..programs.traced_arrays import TracedArray
from .assignment import WrittenMemory

KINDS = (Recorded, Derivative, Sparsity, FilledRows)
ARRAYS = (np.ndarray, TracedArray, FilledArray)
PLAIN = (float, int, np.float64)
# More numbers in one assignment are an array.
MOST_NUMBERS = 8


def number_row(y: Any, key: Any) -> Any:
    """Return the derivative of the element ``y[key]``, or None if it is to be recorded."""
    derivative: Any = y._derivative
    position = _position(y, key)
    if position is None:
        return None
    root = derivative.root.root
    root.numbers_read += 1
    if type(derivative) is Recorded and (table := getattr(derivative, "table", None)) is not None:
        row = table.known.get(position)
        if row is not None:
            return row
    if not reads_many(root):
        return None
    if type(derivative) is FilledRows:
        number = derivative.numbers().get(position)
        if number is not None:
            return number
        base: Any = derivative.base
        if base is None:
            return new_row(derivative, {})
        return row_of(base, y.size, position, at_once=True)
    memory = y._memory
    if type(memory) is not WrittenMemory or memory.derivative is not derivative:
        return row_of(derivative, y.size, position)
    if memory.blank is not None and memory.blank[position]:
        return new_row(derivative, {})
    return row_of(derivative, y.size, position, at_once=True)


def _position(y: Any, key: Any) -> int | None:
    """Return the position of an element that may be read or assigned in a loop, or None."""
    value = y._value
    if type(value) not in ARRAYS or value.dtype is not DOUBLE:
        return None
    derivative = y._derivative
    if type(derivative) not in KINDS or not derivative.root.real:
        return None
    if type(key) is int and value.ndim == 1:
        n = len(value)
        return key % n if -n <= key < n else None
    return position_of(key, value.shape)


def position_of(key: Any, shape: tuple[int, ...]) -> int | None:
    """Return the position in the flattened array that a key means; None if it means no element."""
    keys = key if type(key) is tuple else (key,)
    if len(keys) != len(shape):
        return None
    position = 0
    for k, n in zip(keys, shape, strict=True):
        if type(k) is not int:
            if not isinstance(k, np.integer):
                return None
            k = int(k)
        if not -n <= k < n:
            return None
        position = position * n + k % n
    return position


def is_number_filled_in(y: Any, key: Any, v: Any) -> bool:
    """Assign a number where the operation before did too; whether the conditions still hold."""
    memory, derivative = y._memory, y._derivative
    if type(memory) is not WrittenMemory or memory.views or memory.derivative is not derivative:
        return False
    if y._origin is not None or getattr(v, "_origin", None) is not None:
        return False
    if type(y._value) is np.ndarray and value_references(y) != REFERENCES_OF_VALUE_ONLY:
        return False
    position, number = _position(y, key), _number(v, derivative)
    if position is None or number is None:
        return False
    _fill(y, key, [position], v, [number])
    return True


def _fill(y: Any, key: Any, positions: list[int], v: Any, numbers: list[Any]) -> None:
    memory = y._memory
    value = v._value if hasattr(v, "_derivative") else v
    if type(y._value) is np.ndarray and not isinstance(value, TracedArray):
        y._value[key] = value
    else:
        y._value = with_numbers(y._value, positions, value)
    for position, number in zip(positions, numbers, strict=True):
        y._derivative = memory.derivative = y._derivative.filled(position, number)
        if memory.blank is not None:
            memory.blank[position] = False


def are_numbers_assigned(y: Any, key: Any, v: Any) -> bool:
    """Assign numbers to a few elements of an array that a long loop fills; whether they were."""
    derivative = y._derivative
    if type(derivative) not in KINDS or not reads_many(derivative.root.root):
        return False
    memory = y._memory
    if y._origin is not None or memory.views_in_use():
        return False
    position = _position(y, key)
    positions = _positions_of_part(y, key, v) if position is None else [position]
    numbers = None if positions is None else _numbers(v, derivative, len(positions))
    if positions is None or numbers is None:
        return False
    if memory.derivative is not derivative:
        memory.blank = None
    if type(derivative) is not FilledRows:
        untouched = memory.blank is not None and bool(memory.blank.all())
        base = None if untouched else derivative
        y._derivative = FilledRows(derivative.root, y.size, base, derivative.is_sparsity)
    if type(y._value) is np.ndarray and value_references(y) != REFERENCES_OF_VALUE_ONLY:
        y._value = y._value.copy(order="K")  # derivatives of earlier results refer to it
    _fill(y, key, positions, v, numbers)
    return True


def _positions_of_part(y: Any, key: Any, v: Any) -> list[int] | None:
    """Return the positions of the few elements that slices mean, if v has their shape."""
    value = y._value
    keys = key if type(key) is tuple else (key,)
    if type(value) not in ARRAYS or value.dtype is not DOUBLE or not y._derivative.root.real:
        return None
    if len(keys) > value.ndim or any(type(k) not in (int, slice) for k in keys):
        return None
    shape: list[int] = []
    positions = [0]
    keys += (slice(None),) * (value.ndim - len(keys))
    for k, n in zip(keys, value.shape, strict=True):
        if type(k) is slice:
            chosen = range(n)[k]
            shape.append(len(chosen))
        elif -n <= k < n:
            chosen = range(k % n, k % n + 1)
        else:
            return None
        if len(positions) * len(chosen) > MOST_NUMBERS:
            return None
        positions = [p * n + c for p in positions for c in chosen]
    fits = type(v) in PLAIN or getattr(v, "shape", None) == tuple(shape)
    return positions if fits and positions else None


def _numbers(v: Any, derivative: Any, count: int) -> list[Any] | None:
    """Return the derivatives of numbers that are assigned, or None if v is of another kind."""
    if count == 1 and getattr(v, "shape", ()) == ():
        number = _number(v, derivative)
        return None if number is None else [number]
    carried = getattr(v, "_derivative", None)
    if carried is None:
        plain = type(v) in PLAIN or (type(v) is np.ndarray and v.dtype is DOUBLE)
        return [new_row(derivative, {})] * count if plain else None
    if carried.root is not derivative.root or v._value.dtype is not DOUBLE:
        return None
    return rows_of(carried, count)


def _number(v: Any, derivative: Any) -> Any:
    """Return the derivative of a number that is assigned, or None if it is another array."""
    if type(v) in PLAIN:
        return new_row(derivative, {})
    carried = getattr(v, "_derivative", None)
    if carried is None or carried.root is not derivative.root:
        return None
    return row_of_number(carried) if v._value.shape == () and v._value.dtype is DOUBLE else None
