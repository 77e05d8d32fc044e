"""The elements of an AD array in C order: ``y.flat``, read, assigned and iterated as NumPy's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np


class FlatElements:
    """The elements of an array, whatever its shape, by one index."""

    __slots__ = ("_array", "_iterator")

    def __init__(self, array: Any) -> None:
        self._array = array
        self._iterator: Iterator[Any] | None = None

    def __len__(self) -> int:
        return int(self._array.size)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._array.ravel())

    def __next__(self) -> Any:
        if self._iterator is None:
            self._iterator = iter(self)
        return next(self._iterator)

    def __getitem__(self, key: Any) -> Any:
        return self._array[self._places(key)].copy()

    def __setitem__(self, key: Any, value: Any) -> None:
        self._array[self._places(key)] = value

    def _places(self, key: Any) -> Any:
        y = self._array
        if y.ndim == 1:
            return key
        if not isinstance(key, (int, np.integer)):
            return np.unravel_index(np.arange(y.size)[key], y.shape)
        if not -y.size <= key < y.size:
            raise IndexError(f"index {key} is out of bounds for size {y.size}")
        return tuple(map(int, np.unravel_index(int(key) % y.size, y.shape)))
