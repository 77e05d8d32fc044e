"""Lowering: the values of a kernel that stand for the operations of a traced graph.

An operation becomes values if all its elements can be computed in loops. Any other one is a call:
NumPy carries it out between the loops, as in the evaluation that is not compiled. What depends on
parameters alone is a call too, carried out when the parameters change.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ...derivatives.symbols import UntraceableError
from ...programs.graph import ConstantNode, Graph, Input, Kind, Node, Operand, Operation
from ...programs.traced_branches import BranchIndex
from . import elementwise
from .loop_levels import LoopLevels
from .lowered_operands import NoValueError, element_type
from .unique_values import Values
from .values import Value


class NumpyCall(NamedTuple):
    """An operation that NumPy carries out between the loops.

    Attributes
    ----------
    level : int
        It is carried out after the loops of this level.
    """

    operation: Operation
    level: int


class Lowering:
    """Values of the nodes of a graph.

    Attributes
    ----------
    values : Values
    levels : LoopLevels
    calls : list of NumpyCall
    parameters : list of Operation
        What depends on parameters alone, in order.
    given : dict
        The nodes of memories that are not written by loops, by key.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.values = Values()
        self.levels = LoopLevels()
        self.calls: list[NumpyCall] = []
        self.parameters: list[Operation] = []
        self._of: dict[Node, Value] = {}
        self._of_parameters: set[Node] = set()
        self._called: dict[Node, int] = {}
        self.given: dict[Any, Node] = {}
        # Copies, which no one changes later; of matrices, by the identity of the original.
        self.matrices: list[Any] = []
        self.copies: dict[int, Any] = {}

    def leave_to_parameters(self, operation: Operation) -> bool:
        """Note an operation that depends on parameters alone; False if it does not."""
        if not all(self._is_parameter(n) for n in operation.nodes()):
            return False
        self._of_parameters.add(operation)
        self.parameters.append(operation)
        return True

    def define(self, operation: Operation, value: Value) -> None:
        """Define the value of an operation."""
        self._of[operation] = value

    def value(self, node: Node) -> Value:
        """Return the value of a node.

        Raises
        ------
        UntraceableError
            If it is no number or array of doubles or truth values.
        """
        known = self._of.get(node)
        if known is None:
            known = self._of[node] = self._new_value(node)
        return known

    def is_lowered(self, node: Node) -> bool:
        """Whether a node has become a value."""
        return node in self._of

    def is_called(self, node: Node) -> bool:
        """Whether a node is the result of a call."""
        return node in self._called

    def is_parameter(self, node: Node) -> bool:
        """Whether a node depends on parameters alone."""
        return node in self._of_parameters or (isinstance(node, Input) and node.key != "x")

    def is_computed(self, node: Node) -> bool:
        """Whether the loops compute a node."""
        outside = isinstance(node, (ConstantNode, Input)) or self.is_parameter(node)
        return not outside and not self.is_called(node)

    def as_double(self, value: Value) -> Value:
        """Return truth values as ones and zeros."""
        return elementwise.as_double(self.values, value)

    def _is_parameter(self, node: Node) -> bool:
        if isinstance(node, ConstantNode):
            return not isinstance(node.value, BranchIndex)  # its positions are those of a condition
        return self.is_parameter(node)

    def _new_value(self, node: Node) -> Value:
        size = math.prod(node.shape)
        dtype = element_type(node)
        if isinstance(node, ConstantNode):
            if node.kind is Kind.NUMBER and dtype is not None:
                return self.values.number(node.value)
            if node.kind is Kind.ARRAY and dtype is not None:
                wide = np.array(node.value, dtype=float if dtype == "d" else bool, order="C")
                return self.values.memory(size, dtype, ("constant", id(node)), wide.ravel())
            raise UntraceableError
        if dtype is None:
            raise UntraceableError
        key = node.key if isinstance(node, Input) else node
        level = self._called.get(node, -1) + 1
        memory = self.values.memory(size, dtype, key, None, level)
        memory.is_number = node.kind is Kind.NUMBER and dtype == "d"
        self.given[key] = node
        return memory

    def call(self, operation: Operation) -> None:
        """Let NumPy carry out an operation between the loops."""
        level = 0
        for node in operation.nodes():
            if node in self._called:
                level = max(level, self._called[node] + 1)
            elif not self._is_parameter(node) and not isinstance(node, Input):
                value = self.value(node)
                if value.branch is not None:
                    raise UntraceableError  # of a number of elements that is not the same each time
                level = max(level, self.levels.of(value))
        self._called[operation] = level
        self.calls.append(NumpyCall(operation, level))

    def argument(self, node: Operand) -> Value:
        """Return the value of an operand.

        Raises
        ------
        NoValueError
            If it is none.
        """
        if isinstance(node, tuple) or (element_type(node) is None and node not in self._of):
            raise NoValueError
        return self.value(node)

    def selected(self, condition: Value, a: Value, b: Value, size: int) -> Value:
        """Return a where a condition holds, b elsewhere."""
        if a.dtype != b.dtype:
            a, b = (elementwise.as_double(self.values, v) for v in (a, b))
        return self.values.elementwise("select", condition, a, b, size=size, dtype=a.dtype)
