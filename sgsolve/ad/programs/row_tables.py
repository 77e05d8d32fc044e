"""Rows of the derivatives of arrays that a long loop reads element by element."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..derivatives.array_operations import NO_SLOPE
from ..structures.root import Root, numbers_read_latest
from .computation import pattern_and_values, pattern_of_derivative
from .filled_rows import Row

# Loops over fewer numbers are recorded: their programs are reused, and can be compiled.
FEW_READS = 16
# Rows are computed of an array that this many numbers were read of, and at once of an array that is
# filled, as long as there are few of them.
READS_OF_ARRAY, FEW_ARRAYS = 8, 8


def reads_many(root: Root) -> bool:
    """Whether a residual reads many numbers; what it did before holds from the beginning."""
    return root.numbers_read > FEW_READS or root.numbers_read_before > FEW_READS


def has_long_loops(n: int) -> bool:
    """Whether the latest evaluation of n unknowns read many numbers one by one."""
    return numbers_read_latest(n) > FEW_READS


class UnitTable:
    """The rows of the derivative of unknowns.

    Attributes
    ----------
    known : dict
        What the caller made of rows, by position.
    """

    __slots__ = ("_unknowns", "known")

    def __init__(self, unknowns: Sequence[int]) -> None:
        self._unknowns = unknowns
        self.known: dict[int, Any] = {}

    def row(self, position: int) -> Row:
        """Return the slopes of one of them by unknowns."""
        return {self._unknowns[position]: 1.0}


class RowTable:
    """The rows of the Jacobian of an array, for loops over its elements.

    Attributes
    ----------
    known : dict
        What the caller made of rows, by position.
    """

    __slots__ = ("_bounds", "_cols", "_slopes", "known")

    def __init__(self, derivative: Any, size: int) -> None:
        self.known: dict[int, Any] = {}
        if derivative.is_sparsity:
            pattern = pattern_of_derivative(derivative, size)
            self._slopes = np.ones(pattern.nnz).tolist()
        else:
            pattern, data = pattern_and_values(derivative, size, np.dtype(float))
            self._slopes = _marked(derivative, size, data)
        self._bounds, self._cols = pattern.indptr.tolist(), pattern.indices.tolist()

    def row(self, position: int) -> Row:
        """Return the slopes of one element by unknowns."""
        begin, end = self._bounds[position], self._bounds[position + 1]
        return dict(zip(self._cols[begin:end], self._slopes[begin:end], strict=True))


def real_row(derivative: Any) -> Row | None:
    """Return the slopes of a number by unknowns, or None if they are complex."""
    if derivative.is_sparsity:
        return dict.fromkeys(pattern_of_derivative(derivative, 1).indices.tolist(), 1.0)
    pattern, data = pattern_and_values(derivative, 1, np.dtype(complex))
    if data.imag.any():
        return None
    return dict(zip(pattern.indices.tolist(), _marked(derivative, 1, data.real), strict=True))


def _marked(derivative: Any, size: int, data: NDArray[Any]) -> list[float]:
    """Return slopes as numbers, those of what is constant marked: zero times anything is zero."""
    slopes: list[float] = data.tolist()
    varying = derivative.carried_out().varying()
    if varying is not None:
        constant = pattern_and_values(varying, size, np.dtype(float))[1] == 0.0
        for k in constant.nonzero()[0].tolist():
            slopes[k] = NO_SLOPE
    return slopes
