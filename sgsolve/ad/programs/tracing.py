"""Traces recorded operations: what they do to coefficients becomes a graph of array operations.

The methods of `Derivative` decide from structures and plain numbers alone what is to be done to
coefficient arrays. Run once with a `Symbol` for every array of a tape, they leave a `Graph`
behind. What would have to look into an array to decide raises `UntraceableError`. Such a
derivative is computed without a program every time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..derivatives import array_operations as op
from ..derivatives.symbols import Symbol, UntraceableError
from ..structures.operands import Index
from .graph import Graph, Kind, Operand
from .result_types import result_type

# Python takes a second to compile as many; loops over single elements make more.
MOST_OPERATIONS = 20_000


class TracedIndex(Index):
    """An index array that is another one on every evaluation: its positions are not known."""

    __slots__ = ("count", "node", "record")

    def __init__(self, node: Any, index: Index, record: Callable[..., Any]) -> None:
        self.node = node
        self.record = record
        self.count = len(index)
        self.taken = {}
        self.transient = True
        self.unique = True
        self.used = index.used

    @property
    def values(self) -> Any:  # type: ignore[override]  # read only
        """Not known."""
        raise UntraceableError

    def __len__(self) -> int:
        return self.count


class Tracer:
    """Makes symbols, and a graph of the operations on them.

    Attributes
    ----------
    graph : Graph
    """

    def __init__(self) -> None:
        self.graph = Graph()
        self._results: dict[Any, Any] = {}

    def input(self, position: int, item: Any) -> Any:
        """Return what stands for the array or index at a position of the tape."""
        if isinstance(item, Index):
            if not item.unique:
                raise UntraceableError
            node = self.graph.input(position, Kind.INDEX, (len(item),))
            return TracedIndex(node, item, self.record)
        if isinstance(item, np.ndarray):
            node = self.graph.input(position, Kind.ARRAY, item.shape, item.dtype)
            return Symbol(item[:2], node, self.record)
        return Symbol(
            None, self.graph.input(position, Kind.NUMBER, (), np.result_type(item)), self.record
        )

    def record(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Add an operation to the graph and return what stands for its result."""
        if len(self.graph.operations) >= MOST_OPERATIONS:
            raise UntraceableError
        operands = tuple(map(self.operand, arguments))
        key = (function, operands)
        if key not in self._results:
            if function is op.unrecorded(op.partial):
                self._results[key] = self._partial(arguments, operands)
            else:
                self._results[key] = self._symbol(function, operands)
        return self._results[key]

    def operand(self, argument: Any) -> Operand:
        """Return the node of a symbol, a number or a constant, or a tuple of nodes."""
        if isinstance(argument, (Symbol, TracedIndex)):
            return argument.node
        if isinstance(argument, tuple):
            return tuple(map(self.operand, argument))
        return self.graph.constant(argument)

    def close(self) -> None:
        """Release the symbols: they and the tracer refer to each other."""
        self._results.clear()

    def _symbol(self, function: Callable[..., Any], operands: tuple[Operand, ...]) -> Symbol:
        node = self.graph.operation(function, operands, *result_type(function, operands))
        return Symbol(None, node, self.record)

    def _partial(self, arguments: tuple[Any, ...], operands: tuple[Operand, ...]) -> Any:
        """Return what stands for a partial derivative: its form is the same for every array."""
        rule, y, x = arguments
        form = op.partial(rule, y.example, x.example)
        if isinstance(form, np.ndarray):
            node = self.graph.operation(
                op.unrecorded(op.partial), operands, Kind.ARRAY, y.node.shape, form.dtype
            )
            return Symbol(None, node, self.record)
        if not isinstance(form, tuple):
            return form
        node = self.graph.operation(
            second_of_partial, operands, Kind.ARRAY, y.node.shape, form[1].dtype
        )
        return form[0], Symbol(None, node, self.record)


def second_of_partial(rule: Callable[..., Any], y: Any, x: Any) -> Any:
    """Return the array of a partial derivative that is a pair of a number and an array."""
    return op.partial(rule, y, x)[1]
