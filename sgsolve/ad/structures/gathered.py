"""Structures of elements that differ between evaluations; details are computed on demand."""

from __future__ import annotations

from typing import Any

import numpy as np

from .operands import Columns, Index
from .structure import Structure

NO_COLS: Columns = np.empty(0, dtype=np.int32)


class Gathered(Structure):
    """Elements of a structure that are likely to be others next time; details on demand.

    Mostly there is no demand: they are put back where they came from.
    """

    __slots__ = ("_cols", "_weights")

    _cols: Columns | None
    _weights: Any

    def __init__(self, parent: Structure, index: Index) -> None:
        super().__init__(parent.root, len(index), None, None, NO_COLS)
        self.gathered = (parent, index)
        self.has_weights = parent.has_weights
        self.entry_count = self.size  # of rows where they have several, which is not computed yet

    @property
    def cols(self) -> Columns:
        """Unknown of each coefficient."""
        if self._cols is None and self.gathered is not None:
            parent, index = self.gathered
            self._cols = parent.cols if parent.has_weights else parent.cols[index.values]
        assert self._cols is not None
        return self._cols

    @cols.setter
    def cols(self, cols: Columns) -> None:
        self._cols = None

    @property
    def weights(self) -> Any:
        """Rows of the weights of the structure that it was gathered from."""
        if self._weights is None and self.gathered is not None and self.has_weights:
            parent, index = self.gathered
            self._weights = parent.weights[index.values]
        return self._weights

    @weights.setter
    def weights(self, weights: Any) -> None:
        self._weights = None

    @property
    def height(self) -> int:
        """Number of rows."""
        return self.size
