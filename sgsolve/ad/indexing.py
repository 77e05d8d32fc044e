"""Read elements: from NumPy's indexing keys to positions in the flattened array.

One-dimensional slices and index arrays are most of the indexing in a residual and have a fast
path. NumPy applies every other key to the array of positions ``arange(size).reshape(shape)``, and
the derivative takes the rows at the resulting positions.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .conversions.refusals import AsIndexError
from .derivatives.derivative import Derivative
from .structures.operands import Index


def taken(value: NDArray[Any], derivative: Derivative, key: Any) -> tuple[Any, Derivative]:
    """Return value and derivative of ``y[key]``."""
    if (type(key) is tuple or type(key) is int) and type(value) is np.ndarray:
        return value[key], _taken_in_general(value.shape, derivative, key)
    if hasattr(key, "_derivative"):
        raise AsIndexError
    if hasattr(key, "record"):
        if hasattr(key, "index"):
            return key.index.gather(value), derivative.taken(key.index)
        key = key.decided()  # which elements it chooses
    if value.ndim == 1 and isinstance(key, np.ndarray) and _chooses_of_vector(key):
        index = derivative.root.index(key, len(value))
        result = index.gather(value)
        if key.ndim > 1:
            result = result.reshape(key.shape)
        return result, derivative.taken(index)
    array = value if hasattr(value, "record") else np.asarray(value)
    if key is Ellipsis:
        return array[...], derivative
    result = array[key]
    return result, _taken_in_general(np.shape(value), derivative, key)


def _chooses_of_vector(key: NDArray[Any]) -> bool:
    """Whether an array holds positions in a vector, or is a mask of one."""
    # Without axes it is one position, or a mask that adds an axis.
    return key.ndim == 1 if key.dtype.kind == "b" else key.ndim > 0 and key.dtype.kind in "iu"


def _taken_in_general(shape: tuple[int, ...], derivative: Derivative, key: Any) -> Derivative:
    try:
        name = named_key(key)
    except TypeError:
        positions = np.asarray(positions_of(shape)[arrays_of_key(key)])
        return derivative.taken(derivative.root.index(positions.ravel(), int(np.prod(shape))))
    return permuted(derivative, ("key", shape, name), shape, lambda p: p[key])


def permuted(
    derivative: Derivative,
    name: Hashable,
    shape: tuple[int, ...],
    choose: Callable[[NDArray[np.int64]], Any],
) -> Derivative:
    """Return the derivative of ``choose(y)``, which only selects, repeats or reorders elements.

    `name` identifies the selection: equal names must mean equal selections.
    """
    root = derivative.root
    known = root.children.get(name)
    if known is None:
        return derivative.taken(selection(root, name, shape, choose))
    known.used = root.root.clock
    return derivative.taken(known.made)


def selection(
    root: Any, name: Hashable, shape: tuple[int, ...], choose: Callable[[NDArray[np.int64]], Any]
) -> Any:
    """Return the index of ``choose(y)`` for a y of that shape; see `permuted`."""
    return kept(root, name, lambda: constant_index(root, choose(positions_of(shape))))


def constant_index(root: Any, positions: Any) -> Index:
    """Return the index of positions that are the same in every evaluation."""
    flat = np.ascontiguousarray(positions, dtype=np.int64).ravel()
    return Index(flat, None, False, root.clock)


class Kept:
    """What has a name, kept with the structures so that it is dropped when they are."""

    __slots__ = ("children", "made", "used")

    def __init__(self, made: Any) -> None:
        self.made = made
        self.used = 0
        self.children: dict[Hashable, Any] = {}


def kept(root: Any, name: Hashable, make: Callable[[], Any]) -> Any:
    """Return what has this name; it is made at the first request, and kept while it is used."""
    known: Kept | None = root.children.get(name)
    if known is None:
        known = root.children.setdefault(name, Kept(make()))
    known.used = root.clock
    return known.made


def broadcast(derivative: Derivative, old: tuple[int, ...], new: tuple[int, ...]) -> Derivative:
    """Return the derivative of an array of shape `old` broadcast to shape `new`."""
    if old == new or _size(old) == _size(new):
        return derivative
    name = ("broadcast", old, new)
    return permuted(derivative, name, old, lambda p: np.broadcast_to(p, new))


def positions_of(shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Return the array whose elements are their own positions in C order."""
    return np.arange(_size(shape)).reshape(shape)


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size


def named_key(key: Any) -> Hashable:
    """Return a hashable name for a key without arrays; TypeError if it has arrays."""
    if type(key) is slice:
        return slice, key.start, key.stop, key.step
    if isinstance(key, tuple):
        return tuple([named_key(k) for k in key])
    if key is None or key is Ellipsis or isinstance(key, (bool, np.bool_)):
        return repr(key)
    if isinstance(key, (int, np.integer)):
        return int(key)
    raise TypeError("the key holds arrays")


def arrays_of_key(key: Any) -> Any:
    """Return the key as NumPy reads it; a list is an index array."""
    return np.asarray(key) if isinstance(key, list) and len(key) else key
