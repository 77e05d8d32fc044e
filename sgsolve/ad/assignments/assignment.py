"""Assignment to elements: the value and the derivative of an array after ``y[key] = v``.

The result consists of the elements of y outside the key, and of v. Elements of `np.zeros_like`
that nothing was assigned to hold zeros without a derivative. They are noted in the memory, so that
an array that is filled part by part costs what the parts cost, joined.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import DataTypeError, ShapeError
from ..conversions.nested import array_of
from ..conversions.refusals import AsIndexError
from ..derivatives.derivative import Derivative, joined_parts
from ..indexing import arrays_of_key, constant_index, kept, named_key, positions_of
from ..structures.operands import Index
from ..ufuncs.ufunc_calls import raw_value


class SharedMemory:
    """What all AD arrays in the same memory hold."""

    __slots__ = ()


class WrittenMemory(SharedMemory):
    """Memory whose views are known: from the first writing on, or from the beginning.

    Attributes
    ----------
    written : bool
        Whether anything was written into it.
    views : list of weakref.ref
        In the order in which they were taken.
    derivative : Derivative
        Of the array to which `blank` applies.
    blank : ndarray of bool, or None
        For zeros that are filled part by part: the positions that nothing was assigned to so far.
    """

    __slots__ = ("blank", "derivative", "views", "written")

    def __init__(self) -> None:
        self.views: list[weakref.ref[Any]] = []
        self.written = False
        self.derivative: Derivative | None = None
        self.blank: NDArray[np.bool_] | None = None

    def note(self, view: Any) -> None:
        """Note that an array is a view."""
        self.views.append(weakref.ref(view))

    def views_in_use(self) -> list[Any]:
        """Return the views that still exist, in the order in which they were taken."""
        views = [view for ref in self.views if (view := ref()) is not None]
        if len(views) < len(self.views):
            self.views = [weakref.ref(view) for view in views]
        return views

    def is_owner(self, array: Any) -> bool:
        """Whether an array is not one of the views."""
        return all(view() is not array for view in self.views)

    def blank_of(self, derivative: Derivative) -> NDArray[np.bool_] | None:
        """Return the positions without assignment, if they are known for this derivative."""
        return self.blank if self.derivative is derivative else None


def is_written(array: Any) -> bool:
    """Whether anything was written into the memory of an AD array."""
    return getattr(array._memory, "written", False)


def memory_with_first_view(view: Any, evaluation: Any) -> SharedMemory:
    """Return the memory of an array whose first view was taken."""
    if not evaluation.notes_views:
        return SharedMemory()
    memory = WrittenMemory()
    memory.note(view)
    return memory


def blank_memory(derivative: Derivative, size: int) -> WrittenMemory:
    """Return the memory of new zeros."""
    memory = WrittenMemory()
    memory.derivative = derivative
    memory.blank = np.ones(size, dtype=bool)
    return memory


class Places(NamedTuple):
    """Where the elements of an array come from after an assignment."""

    rows: Any  # the positions assigned to: a slice or an Index
    kept: Any  # the others: two slices or an Index
    source: Any  # which elements of v stand at `rows`: an Index, or None for all in order
    mask: Any  # `rows` as a slice or an array, for numbers


class Increment(NamedTuple):
    """What was added to the elements: its derivative, None for constants, and 1 or -1."""

    derivative: Derivative | None
    sign: float


def replaced(
    y: Any, key: Any, v: Any, increment: Increment | None = None
) -> tuple[Any, Derivative]:
    """Return value and derivative of y after ``y[key] = v``.

    If v is ``y[key]`` with an increment, the derivative of the increment is added: in a loop over
    elements of a mesh this costs less than to put those of y aside and back.

    Raises
    ------
    DerivativeError
        If the key is an AD array.
    ShapeError, DataTypeError
        If v cannot be broadcast to the elements, or has a type that y cannot hold.
    """
    if hasattr(key, "_derivative"):
        raise AsIndexError
    v = _given_array(array_of(v))
    if not np.can_cast(v.dtype, y.dtype, "same_kind"):
        raise DataTypeError(f"y[key] = v: y has dtype {y.dtype}, and v {v.dtype}")
    if _chooses_numbers(key, y, v):
        chosen = np.where(key, v.reshape(()) if v.ndim else v, y)
        return chosen._value, chosen._derivative
    bounds = _stretch(key, y._value)
    shape: tuple[int, ...]
    if bounds is None:
        shape, places = _places_of_key(y, key)
    else:
        shape, places = (bounds[1] - bounds[0],), _places_of_range(*bounds, y.size)
        key = places.rows
    v = _fitted(v, shape)
    value = _new_value(y._value, raw_value(v), key, places)
    return value, _derivative(y, v, places, increment)


def _given_array(v: Any) -> Any:
    return v if hasattr(v, "_derivative") or hasattr(v, "record") else np.asarray(v)


def _chooses_numbers(key: Any, y: Any, v: Any) -> bool:
    """Whether a key is a mask of all elements, and v one number: both sides can be compared."""
    return _is_mask(key) and key.shape == y.shape and v.size == 1


def _is_mask(key: Any) -> bool:
    array = isinstance(key, np.ndarray) or hasattr(key, "record")
    return array and key.dtype.kind == "b"


def _stretch(key: Any, value: Any) -> tuple[int, int] | None:
    """Return begin and end of the stretch of a vector that a key means, if it means one."""
    if value.ndim != 1:
        return None
    n = len(value)
    if isinstance(key, slice):
        begin, end, step = key.indices(n)
        return (begin, max(begin, end)) if step == 1 else None
    if isinstance(key, (int, np.integer)) and not isinstance(key, (bool, np.bool_)):
        if not -n <= key < n:
            raise IndexError(f"index {key} is out of bounds for axis 0 with size {n}")
        return int(key) % n, int(key) % n + 1
    return None


def _places_of_range(begin: int, end: int, size: int) -> Places:
    rows = slice(begin, end)
    return Places(rows, (slice(0, begin), slice(end, size)), None, rows)


def _places_of_key(y: Any, key: Any) -> Any:
    """Return the shape of ``y[key]`` and the places after an assignment to it."""
    if hasattr(key, "record"):
        key = key.decided()
    root, shape = y._derivative.root, y.shape
    try:
        name = ("assigned", shape, named_key(key))
    except TypeError:
        return _found_places(shape, arrays_of_key(key), root.index)
    return kept(
        root, name, lambda: _found_places(shape, key, lambda rows, _: constant_index(root, rows))
    )


def _found_places(
    shape: tuple[int, ...], key: Any, index: Callable[[NDArray[Any], int], Index]
) -> tuple[tuple[int, ...], Places]:
    elements = positions_of(shape)
    given = np.shape(elements[key])
    count = math.prod(given)
    owner = np.full(shape, -1)
    owner[key] = positions_of(given)
    owner = owner.ravel()
    rows, kept = np.flatnonzero(owner >= 0), np.flatnonzero(owner < 0)
    source = owner[rows]
    in_order = len(source) == count and bool((np.diff(source) == 1).all())
    picked = None if in_order else index(source, count)
    size = elements.size
    return given, Places(index(rows, size), index(kept, size), picked, rows)


def _fitted(v: Any, shape: tuple[int, ...]) -> Any:
    """Return v in the shape of the elements, broadcast as NumPy does in an assignment."""
    if v.shape == shape:
        return v
    if v.ndim > len(shape) and set(v.shape[: v.ndim - len(shape)]) <= {1}:
        v = v.reshape(v.shape[v.ndim - len(shape) :])
    try:
        return np.broadcast_to(v, shape)
    except ValueError:
        raise ShapeError(
            f"y[key] = v: y[key] has shape {shape}, and v has shape {v.shape}"
        ) from None


def _new_value(value: Any, v: Any, key: Any, places: Places) -> Any:
    if not hasattr(value, "record") and not hasattr(v, "record"):
        result = np.array(value)
        result[key] = v
        return result
    # Operations that the graph of a traced evaluation can hold.
    v = v.astype(value.dtype)
    if isinstance(places.rows, slice):
        return np.concatenate([value[: key.start], v, value[key.stop :]])
    positions = np.arange(value.size)
    source = np.arange(v.size) if places.source is None else places.source.values
    positions[places.mask] = value.size + source
    return np.concatenate([value.ravel(), v.ravel()])[positions].reshape(value.shape)


def _derivative(y: Any, v: Any, places: Places, increment: Increment | None) -> Derivative:
    derivative: Derivative = y._derivative
    memory = y._memory
    blank = memory.blank_of(derivative) if type(memory) is WrittenMemory else None
    nothing_lost = blank is not None and bool(blank[places.mask].all())
    if increment is not None and places.source is None:
        result = _increased(derivative, increment, places, y.size)
    else:
        parts = [derivative] if nothing_lost else _kept_parts(derivative, places.kept, y.size)
        if hasattr(v, "_derivative"):
            added = v._derivative if places.source is None else v._derivative.taken(places.source)
            parts.append(added.put(places.rows, y.size))
        result = joined_parts(parts) if parts else derivative.nothing()
    if blank is not None:
        memory.derivative = result
        blank[places.mask] = False
    return result


def _increased(
    derivative: Derivative, increment: Increment, places: Places, size: int
) -> Derivative:
    if increment.derivative is None:
        return derivative
    return derivative.plus(increment.derivative.put(places.rows, size), increment.sign)


def _kept_parts(derivative: Derivative, kept: Any, size: int) -> list[Derivative]:
    if isinstance(kept, Index):
        return [derivative.taken(kept).put(kept, size)]
    return [
        derivative.taken_slice(part.start, part.stop, 1).put(part, size)
        for part in kept
        if part.start < part.stop
    ]
