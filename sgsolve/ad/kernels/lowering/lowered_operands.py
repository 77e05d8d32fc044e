"""Operands of a lowering: which nodes are values of a kernel, and where they have a meaning."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from ....arrays import DOUBLE
from ...derivatives.symbols import UntraceableError
from ...programs.graph import ConstantNode, Kind, Node, Operand, Operation
from ...programs.positional_calls import Method
from .movement import plain_function
from .values import Value

TRUTH = np.dtype(bool)


class NoValueError(Exception):
    """An operand is no array of doubles or truth values."""


def constant_value(operand: Operand) -> Any:
    """Return the value of an operand that is constant."""
    if isinstance(operand, tuple):
        return tuple(map(constant_value, operand))
    if not isinstance(operand, ConstantNode):
        raise NoValueError
    return operand.value


def not_in_a_branch() -> NoReturn:
    """Raise: an operation has no meaning for the elements of one side of a branch."""
    raise UntraceableError


def keeps_all(operation: Operation, node: Node) -> bool:
    """Whether an operation returns all elements of a vector in order."""
    return plain_function(operation.function) in (np.ravel, np.copy) or (
        isinstance(plain_function(operation.function), Method)
        and plain_function(operation.function).name in ("ravel", "copy", "flatten")
        and operation.shape == node.shape
    )


def branch_of(args: list[Value]) -> tuple[Value, bool] | None:
    """Return the branch that arguments are of, which must be one."""
    branches = {a.branch for a in args if a.branch is not None}
    if len(branches) > 1:
        raise UntraceableError
    return branches.pop() if branches else None


def is_strided(node: Node) -> bool:
    """Whether no elements of an array follow one another: NumPy may take another loop then."""
    return node.strides is not None and node.dtype.itemsize not in node.strides


def element_type(node: Node) -> str | None:
    """Return "d" for doubles, "b" for truth values, None for everything else."""
    if node.kind not in (Kind.ARRAY, Kind.NUMBER):
        return None
    if isinstance(node, ConstantNode) and isinstance(node.value, complex):
        return None  # whatever dtype its place in the graph has
    if node.dtype == DOUBLE:
        return "d"
    if node.dtype == TRUTH:
        return "b"
    constant = isinstance(node, ConstantNode) and node.kind in (Kind.ARRAY, Kind.NUMBER)
    if isinstance(node, ConstantNode) and type(node.value) in (int, float, bool):
        return "b" if type(node.value) is bool else "d"
    return "d" if constant and np.dtype(node.dtype).kind in "iu" else None


def is_called_object(node: Node) -> bool:
    """Whether a node is an object that a call returns."""
    return isinstance(node, Operation) and node.kind is Kind.OBJECT


def in_branch(value: Value | None, branch: tuple[Value, bool] | None) -> Value | None:
    """Return a value as one of a branch, if there is one."""
    if value is not None and branch is not None:
        value.branch = branch
    return value
