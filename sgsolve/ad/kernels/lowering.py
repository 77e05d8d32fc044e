"""Lowering: from the operations of a traced graph to values of a kernel.

An operation becomes values if all its elements can be computed in loops. Any other one is a call:
NumPy carries it out between the loops, as in the evaluation that is not compiled. What depends on
parameters alone is a call too, carried out when the parameters change.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from ..derivatives import array_operations as op
from ..derivatives.symbols import UntraceableError
from ..programs.graph import ConstantNode, Graph, Input, Kind, Node, Operand, Operation, nodes_of
from ..programs.traced_arrays import BranchIndex, Method
from . import elementwise
from .loop_levels import LoopLevels
from .lowered_operands import (
    NoValueError,
    branch_of,
    constant_value,
    element_type,
    in_branch,
    is_called_object,
    is_strided,
    keeps_all,
    not_in_a_branch,
)
from .lowered_operations import REDUCTIONS, SPECIAL, lower_counted, lower_reduction, lower_same
from .movement import joins, moves, plain_function, positions_of_result
from .ufunc_loops import loop_of
from .values import Value, Values


class NumpyCall:
    """An operation that NumPy carries out between the loops.

    Attributes
    ----------
    operation : Operation
    level : int
        It is carried out after the loops of this level.
    """

    __slots__ = ("level", "operation")

    def __init__(self, operation: Operation, level: int) -> None:
        self.operation, self.level = operation, level


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

    def lower(self, wanted: list[Operand]) -> None:
        """Lower all operations that are needed for the wanted ones."""
        needed = _needed_for(self.graph, wanted)
        for operation in self.graph.operations:
            if operation not in needed or operation in self._of or operation in self._called:
                continue
            nodes = operation.nodes()
            if all(self._is_parameter(n) for n in nodes):
                self._of_parameters.add(operation)
                self.parameters.append(operation)
                continue
            value = self._lowered(operation)
            if value is None:
                self.call(operation)
            else:
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
        return isinstance(node, ConstantNode) or self.is_parameter(node)

    def _new_value(self, node: Node) -> Value:
        size = math.prod(node.shape)
        dtype = element_type(node)
        if isinstance(node, ConstantNode):
            if node.kind is Kind.NUMBER and isinstance(node.value, (int, float, np.floating)):
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
        memory.is_number = node.kind is Kind.NUMBER
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

    # ---- one operation -----------------------------------------------------------------------

    def _lowered(self, operation: Operation) -> Value | None:
        function = operation.function
        if function is op.unrecorded(op.bits_of):
            return lower_same(self, operation)
        if function is np.count_nonzero:
            return lower_counted(self, operation)
        if operation.kind is Kind.OBJECT or element_type(operation) is None:
            return None
        if any(is_called_object(n) for n in operation.nodes()):
            return None
        special = SPECIAL.get(function) if not isinstance(function, Method) else None
        if not isinstance(plain_function(function), Method) and (
            plain_function(function) in REDUCTIONS
        ):
            special = lower_reduction
        try:
            if special is not None:
                return special(self, operation)
            if moves(function) or joins(function):
                return self._moved(operation)
            if isinstance(function, Method) or isinstance(plain_function(function), Method):
                return self._method(operation)
            return self._elements(operation)
        except NoValueError:
            return None

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

    def _elements(self, operation: Operation) -> Value | None:
        function, operands = operation.function, operation.operands
        if any(isinstance(o, tuple) for o in operands):
            return None
        size = math.prod(operation.shape)
        if not (isinstance(function, np.ufunc) or _is_elementwise(function)):
            return None
        if function is operator.pow:
            return self._power(operation, size)
        args = self._alike([self.argument(o) for o in operands], operands, operation)
        branch = branch_of(args)
        if branch is not None:
            size = branch[0].size
        value = self._of_elements(function, args, size, operands)
        if value is not None and element_type(operation) != value.dtype:
            return None
        return in_branch(value, branch)

    def _of_elements(self, function: Any, args: list[Value], size: int, nodes: Any) -> Value | None:
        if function is np.where:
            condition = elementwise.as_truth(self.values, args[0])
            return self.selected(condition, args[1], args[2], size)
        value = elementwise.arithmetic(self.values, function, args, size)
        if value is not None or not isinstance(function, np.ufunc):
            return value
        types = "".join("d" if a.dtype == "d" else "?" for a in args)
        loop = loop_of(function, types)
        if loop is None or any(is_strided(n) for n in nodes):
            return None
        dtype = "d" if loop.signature[-1] == "d" else "b"
        return self.values.elementwise(loop, *args, size=size, dtype=dtype)

    def selected(self, condition: Value, a: Value, b: Value, size: int) -> Value:
        """Return a where a condition holds, b elsewhere."""
        if a.dtype != b.dtype:
            a, b = (elementwise.as_double(self.values, v) for v in (a, b))
        return self.values.elementwise("select", condition, a, b, size=size, dtype=a.dtype)

    def _power(self, operation: Operation, size: int) -> Value | None:
        base, exponent = operation.operands
        if operation.kind is not Kind.ARRAY:
            return None  # of numbers, Python's and NumPy's powers are not np.power
        args = self._alike(list(map(self.argument, (base, exponent))), (base, exponent), operation)
        branch = branch_of(args)
        size = size if branch is None else branch[0].size
        value = None
        if isinstance(exponent, ConstantNode) and exponent.kind is Kind.NUMBER:
            value = elementwise.power(self.values, size, args[0], exponent.value)
        elif exponent.kind is Kind.NUMBER:
            return None
        if value is None:
            args = [elementwise.as_double(self.values, a) for a in args]
            value = self._of_elements(np.power, args, size, operation.operands)
        return in_branch(value, branch)

    def _alike(self, args: list[Value], nodes: Any, result: Node) -> list[Value]:
        """Return arguments broadcast to the shape of the result; numbers stay numbers."""
        branch = branch_of(args)
        alike = []
        for value, node in zip(args, nodes, strict=True):
            if value.branch is None and branch is not None and value.size > 1:
                raise UntraceableError  # an array of as many elements as the side of a branch has
            if value.size > 1 and branch is None and node.shape != result.shape:
                places = np.arange(value.size).reshape(node.shape)
                places = np.broadcast_to(places, result.shape)
                value = self.values.take(value, self.values.positions(places))
            alike.append(value)
        return alike

    def _moved(self, operation: Operation) -> Value | None:
        first, *others = operation.operands
        joined = joins(operation.function)
        nodes = first if joined else (first,)
        if not isinstance(nodes, tuple):
            return None
        rest = list(map(constant_value, others))
        args = [self.argument(n) for n in nodes]
        if branch_of(args) is not None:
            return args[0] if keeps_all(operation, nodes[0]) else not_in_a_branch()
        if element_type(operation) == "d":
            args = [elementwise.as_double(self.values, a) for a in args]
        elif any(a.dtype != "b" for a in args):
            return None
        shapes = [n.shape for n in nodes]
        places = positions_of_result(operation.function, shapes, rest, joined)
        if places is None or (operation.kind is Kind.ARRAY and places.shape != operation.shape):
            return None
        return self._joined(args, places.ravel())

    def _joined(self, args: list[Value], places: Any) -> Value:
        if len(args) == 1:
            return self.values.take(args[0], self.values.positions(places))
        pieces, begin = [], 0
        for arg in args:
            here = np.flatnonzero((places >= begin) & (places < begin + arg.size))
            chosen = self.values.positions(places[here] - begin)
            pieces.append((self.values.positions(here), self.values.take(arg, chosen)))
            begin += arg.size
        return self.values.place(len(places), pieces)

    def _method(self, operation: Operation) -> Value | None:
        method = plain_function(operation.function)
        if not isinstance(method, Method) or method.name != "astype":
            return None
        value = self.argument(operation.operands[0])
        wanted = element_type(operation)
        value_of = elementwise.as_double if wanted == "d" else elementwise.as_truth
        return in_branch(value_of(self.values, value), value.branch)


def _is_elementwise(function: Any) -> bool:
    return function is np.where or function is operator.pow or any(
        function in table
        for table in (
            elementwise.DOUBLES, elementwise.COMPARISONS, elementwise.TRUTH, elementwise.COMPOSED,
        )
    )  # fmt: skip


def _needed_for(graph: Graph, wanted: list[Operand]) -> set[Node]:
    needed: set[Node] = set()
    pending = list(nodes_of(tuple(wanted)))
    while pending:
        node = pending.pop()
        if node in needed:
            continue
        needed.add(node)
        if isinstance(node, Operation):
            pending += node.nodes()
        if isinstance(node, ConstantNode) and isinstance(node.value, BranchIndex):
            pending.append(node.value.mask)
    return needed
