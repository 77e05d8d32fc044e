"""The values of matrices, brought onto one pattern and equilibrated."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from ..pattern import Pattern
from .diagonal import Occupied
from .prepared_matrix import PreparedMatrix
from .validation import PatternMap


class Novelty(IntEnum):
    """What is new about a matrix since the one before."""

    VALUES = 0
    DTYPE = 1  # also the first one
    PATTERN = 2
    GROWN = 3  # an entry outside of the pattern made it grow


class PreparedValues:
    """Takes matrices of one pattern, which grows if an entry lies outside of it.

    Parameters
    ----------
    pattern : Pattern

    Attributes
    ----------
    matrix : PreparedMatrix or None
        The equilibrated matrix of the values that were taken last.
    """

    def __init__(self, pattern: Pattern) -> None:
        self._map = PatternMap(pattern)
        self._occupied = Occupied(pattern)
        self._novelty = Novelty.DTYPE
        self.matrix: PreparedMatrix | None = None

    @property
    def pattern(self) -> Pattern:
        """The pattern: as given, or grown."""
        return self._map.pattern

    @property
    def analyzed(self) -> Pattern:
        """The pattern that is analyzed: without a diagonal that is stored but mostly zero."""
        return self._occupied.pattern

    def take(self, A: Any) -> tuple[PreparedMatrix, Novelty]:
        """Return the equilibrated matrix of the values of A, and what is new about it.

        Raises
        ------
        SingularMatrixError
            The pattern is structurally singular.
        LinearSolveError, ShapeError, DataTypeError
            A is not a matrix of finite numbers of this shape.
        """
        whole, analyzed = self.pattern, self.analyzed
        data = self._map.values(A)
        if self.pattern is not whole:
            self._occupied = Occupied(self.pattern)
        data = self._occupied.values(data)
        if self.analyzed is not analyzed:
            grown = self.pattern is not whole or self.analyzed is self.pattern
            self._novelty = max(self._novelty, Novelty.GROWN if grown else Novelty.PATTERN)
            self.matrix = None
        if self.matrix is None or self.matrix.values.dtype != data.dtype:
            self._novelty = max(self._novelty, Novelty.DTYPE)
            self.matrix = PreparedMatrix(self.analyzed, data.dtype)
        self.matrix.fill(data)
        novelty, self._novelty = self._novelty, Novelty.VALUES
        return self.matrix, novelty
