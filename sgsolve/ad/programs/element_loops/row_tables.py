"""Rows of the derivatives of arrays that a long loop reads element by element."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....pattern import Pattern
from ...assembly.plan import plan_of
from ...derivatives import array_operations as op
from ...derivatives.array_operations import NO_SLOPE
from ...derivatives.symbols import UntraceableError
from ...structures.root import Root
from ..computation import pattern_and_values, pattern_of_derivative
from .filled_rows import Row
from .traced_slopes import as_slope

# Loops over fewer numbers are recorded: their programs are reused.
FEW_READS = 16
# Rows are computed of an array that this many numbers were read of, and at once of an array that is
# filled, as long as there are few of them.
READS_OF_ARRAY, FEW_ARRAYS = 8, 8


def reads_many(root: Root) -> bool:
    """Whether a residual reads many numbers; what it did before holds from the beginning."""
    return root.numbers_read > FEW_READS or root.numbers_read_before > FEW_READS


def reads_as_before(root: Root) -> bool:
    """Whether the next evaluation of the same code reads all numbers in the way of the latest one.

    The first evaluation of a long loop does not: it has read `FEW_READS` numbers when it knows.
    """
    return (root.numbers_read > FEW_READS) is (root.numbers_read_before > FEW_READS)


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
        self._slopes: Sequence[Any]
        if derivative.is_sparsity:
            pattern = pattern_of_derivative(derivative, size)
            self._slopes = np.ones(pattern.nnz).tolist()
        else:
            pattern, self._slopes = _pattern_and_slopes(derivative, size)
        self._bounds, self._cols = pattern.indptr.tolist(), pattern.indices.tolist()

    def row(self, position: int) -> Row:
        """Return the slopes of one element by unknowns."""
        begin, end = self._bounds[position], self._bounds[position + 1]
        return dict(zip(self._cols[begin:end], self._slopes[begin:end], strict=True))


def real_row(derivative: Any) -> Row | None:
    """Return the slopes of a number by unknowns, or None if they are complex."""
    if derivative.is_sparsity:
        return dict.fromkeys(pattern_of_derivative(derivative, 1).indices.tolist(), 1.0)
    if derivative.root.traced is not None:
        pattern, traced = _traced_slopes(derivative, 1)
        return None if traced is None else dict(zip(pattern.indices.tolist(), traced, strict=True))
    pattern, data = pattern_and_values(derivative, 1, np.dtype(complex))
    if data.imag.any():
        return None
    return dict(zip(pattern.indices.tolist(), _marked(derivative, 1, data.real), strict=True))


def _pattern_and_slopes(derivative: Any, size: int) -> tuple[Pattern, Sequence[Any]]:
    if derivative.root.traced is not None:
        pattern, traced = _traced_slopes(derivative, size)
        if traced is None:
            raise UntraceableError("elements with complex slopes, read one by one")
        return pattern, traced
    pattern, data = pattern_and_values(derivative, size, np.dtype(float))
    return pattern, _marked(derivative, size, data)


class TracedSlopes(Sequence[Any]):
    """The slopes of a traced derivative; those that are read become part of the graph.

    Parameters
    ----------
    data : array, shape (nnz,)
    varying : array, shape (nnz,), or None
        Zero for the slopes of what is constant. None: there are none.
    """

    def __init__(self, data: Any, varying: Any) -> None:
        self._data, self._varying = data, varying

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return [self[k] for k in range(*key.indices(len(self)))]
        if self._varying is not None and as_slope(self._varying[key]) == 0.0:
            return NO_SLOPE
        return as_slope(self._data[key])


def _traced_slopes(derivative: Any, size: int) -> tuple[Pattern, TracedSlopes | None]:
    """Return pattern and slopes of a derivative of a traced evaluation; None: they are complex."""
    graph = derivative.root.traced
    outer, graph.is_of_slopes = graph.is_of_slopes, True
    try:
        with np.errstate(all="ignore"):
            carried = derivative.carried_out()
            varying = carried.varying()
            pattern, data = _traced_values(carried, size)
            changes = None if varying is None else _traced_values(varying, size)[1]
    finally:
        graph.is_of_slopes = outer
    if data.dtype.kind == "c":
        if as_slope(np.any(data.imag)):
            return pattern, None
        data = data.real
    return pattern, TracedSlopes(data, changes)


def _traced_values(derivative: Any, size: int) -> tuple[Pattern, Any]:
    terms = derivative.final().terms
    plan = plan_of(derivative.root.root, terms, size, None)
    return plan.layout.pattern, op.filled(plan, *(q for term in terms.values() for q in term))


def _marked(derivative: Any, size: int, data: NDArray[Any]) -> list[float]:
    """Return slopes as numbers, those of what is constant marked: zero times anything is zero."""
    slopes: list[float] = data.tolist()
    varying = derivative.carried_out().varying()
    if varying is not None:
        constant = pattern_and_values(varying, size, np.dtype(float))[1] == 0.0
        for k in constant.nonzero()[0].tolist():
            slopes[k] = NO_SLOPE
    return slopes
