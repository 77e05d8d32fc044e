"""Lists of AD arrays and numbers that stand for one array: results and arguments of functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import refusals

LISTS = (list, tuple)
HOLDERS = frozenset({list, tuple, np.ndarray, np.matrix})  # what may hold AD arrays
ARRAYS_OF_OBJECTS = (np.ndarray, np.matrix)
PLAIN_NUMBERS = {float, int}


def array_of(y: Any) -> Any:
    """Return y, or the array that nested lists and tuples in y stand for.

    Parts of one shape give the array of ``np.array(y)``; parts of different shapes are raveled
    and joined one after the other. An array of objects is a list of them.
    """
    if holds_plain_numbers(y):
        return np.asarray(y)
    if is_array_of_objects(y):
        note_objects(y)
        y = y.tolist()
    if not isinstance(y, LISTS):
        return y
    if hasattr(y, "__array__"):  # a tuple of a kind of its own, such as a sparse vector
        return np.asarray(y)
    parts = [array_of(part) for part in y]
    if not any(hasattr(part, "_derivative") for part in parts):
        return _plain(parts)
    shapes = {np.shape(getattr(part, "_value", part)) for part in parts}
    if shapes == {()}:
        return np.hstack(parts)
    if len(shapes) == 1:
        return np.stack(parts)
    return np.concatenate([np.ravel(part) for part in parts])


def holds_plain_numbers(y: Any) -> bool:
    """Whether y is a list or a tuple of numbers of Python, and nothing else."""
    return type(y) in LISTS and {*map(type, y)} <= PLAIN_NUMBERS


def note_objects(y: Any) -> None:
    """Note that there is an array of objects; raise if its elements may be decisions of NumPy."""
    for part in y.flat:
        if hasattr(part, "_derivative"):
            evaluation = part._derivative.root
            if evaluation.decided:
                raise refusals.truth_value()
            evaluation.objects = True
            return


def is_array_of_objects(y: Any) -> bool:
    """Whether y is an ndarray or a matrix of Python objects, which may be AD arrays."""
    return type(y) in ARRAYS_OF_OBJECTS and y.dtype.kind == "O"


def _plain(parts: list[Any]) -> Any:
    shapes = {np.shape(part) for part in parts}
    return np.concatenate([np.ravel(p) for p in parts]) if len(shapes) > 1 else np.asarray(parts)


def any_may_hold(items: Any) -> bool:
    """Whether one of some items is a list or an array of objects, in which AD arrays may be."""
    for a in items:
        kind = type(a)
        if kind in HOLDERS and (kind is not np.ndarray or a.dtype.kind == "O"):
            return True
    return False


def holds_derivatives(a: Any) -> bool:
    """Whether an argument is a list, tuple or array of objects with AD arrays in it."""
    if is_array_of_objects(a):
        return any(hasattr(part, "_derivative") for part in a.flat)
    return isinstance(a, LISTS) and any(
        hasattr(part, "_derivative") or holds_derivatives(part) for part in a
    )


def array_if_needed(a: Any) -> Any:
    """Return an argument; one that holds AD arrays, or an array of objects, as one array."""
    return array_of(a) if is_array_of_objects(a) or holds_derivatives(a) else a


def objects_as_arrays(a: Any) -> Any:
    """Return an argument with every array of objects in it, in nested lists too, as an array."""
    if type(a) in LISTS:
        return type(a)(map(objects_as_arrays, a)) if any_may_hold(a) else a
    return array_of(a) if is_array_of_objects(a) else a
