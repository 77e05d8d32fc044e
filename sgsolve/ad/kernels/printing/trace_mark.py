"""The mark of a trace: bytes that are equal for traces whose kernels have the same code.

Code depends on operations and their order, on shapes and types, on constants, and on the plan of
the Jacobian. A function is marked by its name, and by whether that name leads to it: lowering tells
apart the functions of libraries alone, and takes all others for calls.
"""

from __future__ import annotations

import marshal
import sys
from typing import Any

import numpy as np
import scipy.special

from ....private_api import NOT_GIVEN
from ...drivers.traced_evaluation import Trace
from ...functions.linear_algebra.products import BY_ROWS
from ...programs.graph import ConstantNode, Input, Kind, Node, Operand
from ...programs.positional_calls import Method, WithKeywords
from ...programs.traced_branches import BranchIndex
from ...structures.operands import Index
from .assembly import entries_of

KINDS = {kind: kind.value for kind in Kind}
PLAIN = (type(None), bool, int, float, complex, str)
UFUNCS = {
    function: (module.__name__, name)
    for module in (scipy.special, np)
    for name, function in vars(module).items()
    if isinstance(function, np.ufunc)
}
# Version 2 of this format writes equal objects as equal bytes, whether they are one object or not.
FORMAT = 2


class UnmarkedError(Exception):
    """Something in a trace has no mark."""


class TraceMark:
    """Numbers the nodes of a trace, and marks it.

    Attributes
    ----------
    nodes : list of Node
    number : dict
        Of each node.
    content : bytes
        The mark.

    Raises
    ------
    UnmarkedError
        If there is a constant of another kind than numbers, arrays and their positions.
    """

    def __init__(self, trace: Trace) -> None:
        self.nodes: list[Node] = []
        self.number: dict[Node, int] = {}
        self._functions: dict[Any, Any] = {}
        self._marks: list[Any] = []
        graph = trace.graph
        for node in graph.inputs.values():
            self._of_operand(node)
        for operation in graph.operations:
            function = self._of_function(operation.function)
            operands = self._of_operand(operation.operands)
            self._add(operation, (function, operands))
        outputs = [self._of_operand(tuple(graph.results))]
        outputs += [(s.place, *map(self._of_operand, s[1:])) for s in graph.stores]
        outputs += [self._of_operand(g.node) for g in graph.guards]
        outputs.append([k for k, o in enumerate(graph.operations) if o in graph.of_slopes])
        whole = (self._marks, outputs, trace.guards_of_value, self._of_plan(trace.plan))
        try:
            self.content = marshal.dumps(whole, FORMAT)
        except ValueError as error:
            raise UnmarkedError from error

    def _add(self, node: Node, mark: Any) -> None:
        dtype = None if node.dtype is None else node.dtype.str
        self.number[node] = len(self.nodes)
        self.nodes.append(node)
        self._marks.append((mark, KINDS[node.kind], node.shape, dtype, node.plain, node.strides))

    def _of_operand(self, operand: Operand) -> Any:
        if isinstance(operand, tuple):
            return tuple(map(self._of_operand, operand))
        number = self.number.get(operand)
        if number is None:
            if isinstance(operand, Input):
                mark = self._of_value(operand.key)
            elif isinstance(operand, ConstantNode):
                mark = self._of_value(operand.value)
            else:
                raise UnmarkedError
            self._add(operand, mark)
            number = self.number[operand]
        return number

    def _of_value(self, value: Any) -> Any:
        kind = type(value)
        if kind in PLAIN:
            return kind.__name__, repr(value)
        if kind is np.ndarray or isinstance(value, np.generic):
            return self._of_array(value)
        if kind is Index:
            return "index", value.values.tobytes()
        if kind is BranchIndex:
            return "branch", self._of_operand(value.mask), value.side
        if value is NOT_GIVEN:
            return "not given"
        if kind is slice:
            return "slice", *map(self._of_value, (value.start, value.stop, value.step))
        if kind is tuple:
            return tuple(map(self._of_value, value))
        if isinstance(value, np.dtype):
            return "dtype", value.str
        if kind in BY_ROWS:
            arrays = (value.indptr, value.indices, value.data)
            return kind.__name__, value.shape, *map(self._of_array, arrays)
        if isinstance(value, type):
            return self._of_function(value)
        raise UnmarkedError

    def _of_array(self, array: Any) -> Any:
        if array.dtype.kind not in "biufc":
            raise UnmarkedError
        return array.dtype.str, array.shape, array.strides, array.tobytes()

    def _of_function(self, function: Any) -> Any:
        known = self._functions.get(function)
        if known is None:
            known = self._functions[function] = self._new_function(function)
        return known

    def _new_function(self, function: Any) -> Any:
        if isinstance(function, Method):
            return "method", function.name
        if isinstance(function, WithKeywords):
            return self._of_function(function.function), function.count, function.names
        if isinstance(function, np.ufunc):
            return UFUNCS.get(function, "ufunc")
        name = getattr(function, "__qualname__", None)
        if name is None:
            return "object", type(function).__module__, type(function).__qualname__
        module = str(function.__module__)
        found: Any = sys.modules.get(module)
        for part in name.split("."):
            found = getattr(found, part, None)
        known = function is found or function is getattr(found, "__wrapped__", None)
        return module, name, known

    def _of_plan(self, plan: Any) -> Any:
        *arrays, from_zero = entries_of(plan)
        lengths = [source.length for source in plan.layout.sources]
        return lengths, *map(self._of_array, arrays), from_zero
