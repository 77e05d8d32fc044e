"""Memory for results, used again when nothing refers to a result any more.

The values of a Jacobian are the largest array of an evaluation by far. Memory fresh from the system
costs as much as filling it. In a Newton loop the last result is still held when the next one is
made.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...private_api import REFERENCES_OF_LIST_ONLY, item_references

MOST_RESULTS = 2
LARGE = 4096  # below, memory for a result is not fresh from the system


class ResultMemory:
    """Arrays of one size and type for results.

    Parameters
    ----------
    size : int
    dtype : dtype
    """

    def __init__(self, size: int, dtype: Any = float) -> None:
        self._size, self._dtype = size, dtype
        # Each array with its address, once that was asked for.
        self._results: deque[list[Any]] = deque()

    def array(self) -> NDArray[Any]:
        """Return an array to which nothing else refers."""
        if self._size < LARGE:
            return np.empty(self._size, self._dtype)
        return self._unused()[0]

    def array_and_address(self) -> tuple[NDArray[Any], int]:
        """Return an array to which nothing else refers, and its address.

        To find the address of an array takes as long as ten operations of Python.
        """
        array, held = self._unused()
        if held[1] is None:
            held[1] = array.__array_interface__["data"][0]
        return array, held[1]

    def _unused(self) -> tuple[NDArray[Any], list[Any]]:
        unused = None
        for _ in range(min(len(self._results), MOST_RESULTS)):
            try:
                held = self._results.popleft()
            except IndexError:  # another thread took it
                break
            if unused is None and item_references(held) == REFERENCES_OF_LIST_ONLY:
                unused = held
            elif len(self._results) < MOST_RESULTS - 1:
                self._results.append(held)
        if unused is None:
            unused = [np.empty(self._size, self._dtype), None]
        array = unused[0]  # referred to before another thread finds it
        self._results.append(unused)
        return array, unused
