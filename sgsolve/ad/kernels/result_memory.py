"""Result memory: arrays for results, used again when nothing refers to them any more.

Memory fresh from the system costs as much as filling it. In a Newton loop the last result is still
held when the next one is made.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...private_api import REFERENCES_OF_LIST_ONLY, item_references

MOST_RESULTS = 2
# Below, memory is not fresh from the system.
LARGE = 4096


class ResultMemory:
    """Arrays of one size for results.

    Parameters
    ----------
    size : int
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._results: deque[NDArray[Any]] = deque()

    def array(self) -> NDArray[Any]:
        """Return an array to which nothing else refers."""
        if self.size < LARGE:
            return np.empty(self.size)
        unused = None
        for _ in range(min(len(self._results), MOST_RESULTS)):
            try:
                held = [self._results.popleft()]
            except IndexError:  # another thread took it
                break
            if unused is None and item_references(held) == REFERENCES_OF_LIST_ONLY:
                unused = held.pop()
            elif len(self._results) < MOST_RESULTS - 1:
                self._results.append(held.pop())
        if unused is None:
            unused = np.empty(self.size)
        self._results.append(unused)
        return unused
