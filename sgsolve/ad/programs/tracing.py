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
from ..derivatives.symbols import OF_NUMBERS, Symbol, UntraceableError
from ..structures.operands import Index
from .graph import Graph, Kind, Operand

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
        self.graph = Graph(most=MOST_OPERATIONS)
        self._results: dict[Any, Any] = {}

    def input(self, position: int, item: Any) -> Any:
        """Return what stands for the array or index at a position of the tape."""
        if isinstance(item, Index):
            if not item.unique:
                raise UntraceableError
            return TracedIndex(self.graph.input(position, Kind.INDEX), item, self.record)
        if isinstance(item, np.ndarray):
            return Symbol(item[:2], self.graph.input(position, Kind.ARRAY), self.record)
        return Symbol(None, self.graph.input(position, Kind.NUMBER), self.record)

    def record(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Add an operation to the graph and return what stands for its result.

        An array that was computed before is computed once, but gets another symbol. Without a
        program it is another array, too: what is decided by whether two arrays are the same one is
        decided in the same way, and sums have the same bits.
        """
        operands = tuple(map(self.operand, arguments))
        key = (function, operands)
        if key in self._results:
            return self._again(self._results[key])
        if function is op.unrecorded(op.partial):
            self._results[key] = self._partial(arguments, operands)
        else:
            self._results[key] = self._symbol(function, operands)
        return self._results[key]

    def _again(self, result: Any) -> Any:
        if type(result) is tuple:
            return (result[0], self._again(result[1]))
        is_array = isinstance(result, Symbol) and result.node.kind is Kind.ARRAY
        return Symbol(None, result.node, self.record) if is_array else result

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
        kind = Kind.NUMBER if function in OF_NUMBERS else Kind.ARRAY
        return Symbol(None, self.graph.operation(function, operands, kind), self.record)

    def _partial(self, arguments: tuple[Any, ...], operands: tuple[Operand, ...]) -> Any:
        """Return what stands for a partial derivative: its form is the same for every array."""
        rule, y, x = arguments
        form = op.partial(rule, y.example, x.example)
        if isinstance(form, np.ndarray):
            return self._symbol(op.unrecorded(op.partial), operands)
        return (form[0], self._symbol(second_of_partial, operands)) if type(form) is tuple else form


def second_of_partial(rule: Callable[..., Any], y: Any, x: Any) -> Any:
    """Return the array of a partial derivative that is a pair of a number and an array."""
    return op.partial(rule, y, x)[1]
