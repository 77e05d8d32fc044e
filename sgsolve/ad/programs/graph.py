"""Graphs of array operations: what an evaluation computes, as objects.

A node is an input, a constant, or an operation on earlier nodes. Values of the residual and
coefficients of its derivative are nodes of the same kind and may stand in one graph. Printers
(`numpy_printer`) write a graph as a program. No part of a graph is text.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

from ..derivatives.symbols import UntraceableError


class Kind(enum.Enum):
    """What a node stands for when the program runs."""

    ARRAY = "array"
    NUMBER = "number"
    INDEX = "index"  # an `Index`: positions, and how to gather from them
    OBJECT = "object"  # a function, a plan, a key, or a tuple of results


class Node:
    """A value in a graph.

    Attributes
    ----------
    shape : tuple of int
        Lengths along each axis; empty for numbers and objects.
    dtype : dtype or None
        None for objects and indices. A graph that becomes a function of NumPy calls needs neither
        shapes nor types: those of its operations are not given.
    plain : bool
        Whether a number is one of Python's, not of NumPy's.
    strides : tuple of int or None
        Of an array whose elements do not follow one another in memory: sums depend on it.
    """

    __slots__ = ("dtype", "kind", "plain", "shape", "strides")

    def __init__(self, kind: Kind, shape: tuple[int, ...] = (), dtype: Any = None) -> None:
        self.kind = kind
        self.shape = shape
        self.dtype = dtype
        self.plain = False
        self.strides: tuple[int, ...] | None = None


class Input(Node):
    """A value that is given when the program runs.

    Attributes
    ----------
    key : hashable
        By which the caller gives it: its position on the tape, or its name.
    """

    __slots__ = ("key",)

    def __init__(self, key: Hashable, kind: Kind, shape: tuple[int, ...], dtype: Any) -> None:
        super().__init__(kind, shape, dtype)
        self.key = key


class ConstantNode(Node):
    """A number, an array or another object that is the same in every run."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        number = isinstance(value, (int, float, complex)) or (
            hasattr(value, "dtype") and getattr(value, "shape", None) == ()
        )
        array = hasattr(value, "dtype") and hasattr(value, "strides") and not number
        array = array and not isinstance(value, type)  # np.float64 has attributes of its numbers
        kind = Kind.NUMBER if number else Kind.ARRAY if array else Kind.OBJECT
        dtype = getattr(value, "dtype", None) if number or array else None
        super().__init__(kind, value.shape if array else (), dtype)
        self.value = value


# A tuple of operands is an operand too: what a function takes as one argument.
Operand = Any  # Node | tuple[Operand, ...]


class Operation(Node):
    """A function of earlier nodes.

    Attributes
    ----------
    function : callable
        Of the values of its operands.
    operands : tuple of Node, or of tuples of Node
    """

    __slots__ = ("function", "operands")

    def __init__(
        self,
        function: Callable[..., Any],
        operands: tuple[Operand, ...],
        kind: Kind,
        shape: tuple[int, ...],
        dtype: Any,
    ) -> None:
        super().__init__(kind, shape, dtype)
        self.function = function
        self.operands = operands

    def nodes(self) -> list[Node]:
        """Return the nodes that the operation refers to, in order, with repetitions."""
        operands = self.operands
        return list(nodes_of(operands) if tuple in map(type, operands) else operands)


def nodes_of(operand: Operand) -> Any:
    """Yield the nodes of an operand, those inside of tuples too."""
    if isinstance(operand, tuple):
        for part in operand:
            yield from nodes_of(part)
    else:
        yield operand


class Store(NamedTuple):
    """An array that the program writes, times a factor, into the memory that it is given."""

    place: int
    array: Node
    factor: Node


class Guard(NamedTuple):
    """A value on which the course of the evaluation depended: another value needs another graph."""

    node: Node
    value: Any


class Graph:
    """The operations of a computation, each of them once, in an order in which they can run.

    Attributes
    ----------
    operations : list of Operation
    inputs : dict
        `Input` by key.
    stores : list of Store
    results : list of Operand
        What the program returns.
    guards : list of Guard
    guards_of_partials : list of Guard
        Those that only partial derivatives depend on.
    is_of_slopes : bool
        Whether the operations added now are those of derivatives.
    of_slopes : set of Operation
        Those that were.
    open_branches : bool
        Whether both sides of each `branch` are part of the graph, so that it holds for any mask.
    most : int
        More operations raise `UntraceableError`.
    """

    def __init__(self, open_branches: bool = False, most: float = math.inf) -> None:
        self.open_branches = open_branches
        self._most = most
        self.operations: list[Operation] = []
        self.inputs: dict[Hashable, Input] = {}
        self.stores: list[Store] = []
        self.results: list[Operand] = []
        self.guards: list[Guard] = []
        self.guards_of_partials: list[Guard] = []
        self.is_of_slopes = False
        self.of_slopes: set[Operation] = set()
        self._constants: dict[Hashable, ConstantNode] = {}
        self._known: dict[Hashable, Operation] = {}

    def input(
        self, key: Hashable, kind: Kind, shape: tuple[int, ...] = (), dtype: Any = None
    ) -> Input:
        """Return the input with this key."""
        known = self.inputs.get(key)
        if known is None:
            known = self.inputs[key] = Input(key, kind, shape, dtype)
        return known

    def constant(self, value: Any) -> ConstantNode:
        """Return the node of a constant: one for equal numbers, and one for each other object."""
        key: Hashable = id(value)
        if value is None or type(value) in (int, bool, float):
            key = (type(value), repr(value))  # zeros of both signs are two numbers
        known = self._constants.get(key)
        if known is None:
            known = self._constants[key] = ConstantNode(value)
        return known

    def operation(
        self,
        function: Callable[..., Any],
        operands: tuple[Operand, ...],
        kind: Kind,
        shape: tuple[int, ...] = (),
        dtype: Any = None,
    ) -> Operation:
        """Return the operation of a function on these operands; added if it is new."""
        known = self._known.get((function, operands))
        if known is None:
            if len(self.operations) >= self._most:
                raise UntraceableError(
                    f"more than {self._most} operations, as of a loop over elements: write it "
                    "with arrays"
                )
            known = Operation(function, operands, kind, shape, dtype)
            self._known[function, operands] = known
            self.operations.append(known)
        if self.is_of_slopes:
            self.of_slopes.add(known)
        return known
