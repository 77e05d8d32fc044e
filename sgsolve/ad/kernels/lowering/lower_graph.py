"""Lowers the operations of a graph, one after the other: which kind of value each becomes."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from ...derivatives import array_operations as op
from ...derivatives.symbols import UntraceableError
from ...programs.graph import ConstantNode, Kind, Node, Operand, Operation, nodes_of
from ...programs.positional_calls import Method
from ...programs.traced_branches import BranchIndex
from . import elementwise
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
from .lowered_operations import REDUCTIONS, SPECIAL, lower_counted, lower_reduction
from .lowering import Lowering
from .movement import (
    function_name,
    joins,
    moves,
    named_function,
    plain_function,
    positions_of_result,
)
from .ufunc_loops import loop_of, takes_as_double
from .values import Value


def lower_graph(lowering: Lowering, wanted: list[Operand]) -> None:
    """Lower all operations that are needed for the wanted ones."""
    needed = _needed_for(wanted)
    for operation in lowering.graph.operations:
        done = lowering.is_lowered(operation) or lowering.is_called(operation)
        if operation not in needed or done or lowering.leave_to_parameters(operation):
            continue
        try:
            value = _lowered_operation(lowering, operation)
        except UntraceableError as error:
            name = function_name(operation.function)
            raise UntraceableError(str(error) or f"operands of {name}") from None
        if value is None:
            lowering.call(operation)
        else:
            lowering.define(operation, value)


def _lowered_operation(lowering: Lowering, operation: Operation) -> Value | None:
    function = operation.function
    if function is np.count_nonzero:
        return lower_counted(lowering, operation)
    if operation.kind is Kind.OBJECT or element_type(operation) is None:
        return None
    if any(is_called_object(n) for n in operation.nodes()):
        return None
    if isinstance(function, Method):
        function = named_function(function)
    special = SPECIAL.get(function)
    if named_function(function) in REDUCTIONS:
        special = lower_reduction
    try:
        if special is not None:
            return special(lowering, operation)
        if moves(function) or joins(function):
            return _lowered_movement(lowering, operation)
        if isinstance(function, Method) or isinstance(plain_function(function), Method):
            return _lowered_method(lowering, operation)
        return _lowered_elements(lowering, operation)
    except NoValueError:
        return None


def _lowered_elements(lowering: Lowering, operation: Operation) -> Value | None:
    function, operands = operation.function, operation.operands
    if any(isinstance(o, tuple) for o in operands):
        return None
    size = math.prod(operation.shape)
    if isinstance(function, np.ufunc):
        if function.signature is not None:
            return None  # of whole vectors or matrices: np.vecdot, np.matvec
    elif not _is_elementwise(function):
        return None
    if function is operator.pow:
        return _lowered_power(lowering, operation, size)
    args = _broadcast_alike(lowering, [lowering.argument(o) for o in operands], operands, operation)
    branch = branch_of(args)
    if branch is not None:
        size = branch[0].size
    value = _computed_elements(lowering, function, args, size, operands)
    if value is not None and element_type(operation) != value.dtype:
        return None
    return in_branch(value, branch)


def _computed_elements(
    lowering: Lowering, function: Any, args: list[Value], size: int, nodes: Any
) -> Value | None:
    if function is np.where:
        condition = elementwise.as_truth(lowering.values, args[0])
        return lowering.selected(condition, args[1], args[2], size)
    value = elementwise.arithmetic(lowering.values, function, args, size)
    if value is not None or not isinstance(function, np.ufunc):
        return value
    types = "".join("d" if a.dtype == "d" else "?" for a in args)
    loop = loop_of(function, types)
    if loop is None or any(is_strided(n) for n in nodes):
        return None
    if not takes_as_double(function, tuple(map(_given_type, nodes))):
        return None  # such as polynomials of whole order, which have a loop for integers
    dtype = "d" if loop.signature[-1] == "d" else "b"
    return lowering.values.elementwise(loop, *args, size=size, dtype=dtype)


def _given_type(node: Node) -> Any:
    """Return the type by which NumPy chooses a loop: that of a number of Python is weak."""
    if isinstance(node, ConstantNode) and type(node.value) in (int, float):
        return type(node.value)
    return np.dtype(node.dtype)


def _lowered_power(lowering: Lowering, operation: Operation, size: int) -> Value | None:
    base, exponent = operation.operands
    if operation.kind is not Kind.ARRAY:
        return None  # of numbers, Python's and NumPy's powers are not np.power
    args = _broadcast_alike(
        lowering, list(map(lowering.argument, (base, exponent))), (base, exponent), operation
    )
    branch = branch_of(args)
    size = size if branch is None else branch[0].size
    value = None
    if isinstance(exponent, ConstantNode) and exponent.kind is Kind.NUMBER:
        value = elementwise.power(lowering.values, size, args[0], exponent.value)
    elif exponent.kind is Kind.NUMBER:
        return None
    if value is None:
        args = [elementwise.as_double(lowering.values, a) for a in args]
        value = _computed_elements(lowering, np.power, args, size, operation.operands)
    return in_branch(value, branch)


def _broadcast_alike(
    lowering: Lowering, args: list[Value], nodes: Any, result: Node
) -> list[Value]:
    """Return arguments broadcast to the shape of the result; numbers stay numbers."""
    branch = branch_of(args)
    alike = []
    for value, node in zip(args, nodes, strict=True):
        if value.branch is None and branch is not None and value.size > 1:
            raise UntraceableError  # an array of as many elements as the side of a branch has
        if value.size > 1 and branch is None and node.shape != result.shape:
            places = np.arange(value.size).reshape(node.shape)
            places = np.broadcast_to(places, result.shape)
            value = lowering.values.take(value, lowering.values.positions(places))
        alike.append(value)
    return alike


def _lowered_movement(lowering: Lowering, operation: Operation) -> Value | None:
    first, *others = operation.operands
    joined = joins(operation.function)
    nodes = first if joined else (first,)
    if not isinstance(nodes, tuple):
        return None
    rest = list(map(constant_value, others))
    args = [lowering.argument(n) for n in nodes]
    if branch_of(args) is not None:
        return args[0] if keeps_all(operation, nodes[0]) else not_in_a_branch()
    if element_type(operation) == "d":
        args = [elementwise.as_double(lowering.values, a) for a in args]
    elif any(a.dtype != "b" for a in args):
        return None
    shapes = [n.shape for n in nodes]
    places = positions_of_result(operation.function, shapes, rest, joined)
    if places is None or (operation.kind is Kind.ARRAY and places.shape != operation.shape):
        return None
    return _lowered_join(lowering, args, places.ravel())


def _lowered_join(lowering: Lowering, args: list[Value], places: Any) -> Value:
    if len(args) == 1:
        return lowering.values.take(args[0], lowering.values.positions(places))
    pieces, begin = [], 0
    for arg in args:
        here = np.flatnonzero((places >= begin) & (places < begin + arg.size))
        chosen = lowering.values.positions(places[here] - begin)
        pieces.append((lowering.values.positions(here), lowering.values.take(arg, chosen)))
        begin += arg.size
    return lowering.values.place(len(places), pieces)


def _lowered_method(lowering: Lowering, operation: Operation) -> Value | None:
    method = plain_function(operation.function)
    if not isinstance(method, Method) or method.name != "astype":
        return None
    value = lowering.argument(operation.operands[0])
    wanted = element_type(operation)
    value_of = elementwise.as_double if wanted == "d" else elementwise.as_truth
    return in_branch(value_of(lowering.values, value), value.branch)


def _is_elementwise(function: Any) -> bool:
    return function is np.where or function is operator.pow or any(
        function in table
        for table in (
            elementwise.DOUBLES, elementwise.COMPARISONS, elementwise.TRUTH, elementwise.COMPOSED,
        )
    )  # fmt: skip


def _needed_for(wanted: list[Operand]) -> set[Node]:
    needed: set[Node] = set()
    pending = list(nodes_of(tuple(wanted)))
    while pending:
        node = pending.pop()
        if node in needed:
            continue
        needed.add(node)
        if isinstance(node, Operation):
            # Kernels choose by the mask: they need no bits of it.
            masked = node.function is op.unrecorded(op.zero_outside) and node.dtype == float
            pending += node.nodes()[:2] if masked else node.nodes()
        if isinstance(node, ConstantNode) and isinstance(node.value, BranchIndex):
            pending.append(node.value.mask)
    return needed
