"""Lowering: from the operations of a traced graph to values of a kernel.

An operation becomes values if all its elements can be computed in loops. Any other one is a call:
NumPy carries it out between the loops, as in the evaluation that is not compiled. What depends on
parameters alone is a call too, carried out when the parameters change.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
import scipy.sparse as sp

from ...private_api import NOT_GIVEN
from ..derivatives import array_operations as op
from ..derivatives.symbols import UntraceableError
from ..functions.branching import merged_values
from ..functions.products import BY_ROWS, matrix_times_vector
from ..functions.sparse_vectors import sum_of_values
from ..programs.graph import ConstantNode, Graph, Input, Kind, Node, Operand, Operation, nodes_of
from ..programs.traced_arrays import BranchIndex, Method, WithKeywords, chosen_by_branch
from ..structures.operands import Index
from . import elementwise
from .levels import LoopLevels
from .movement import joins, moves, plain_function, positions_of_result
from .ufunc_loops import loop_of, reduction_of
from .values import Value, Values

DOUBLE = np.dtype(np.float64)
TRUTH = np.dtype(bool)


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
        self._matrices: list[Any] = []
        self._copies: dict[int, Any] = {}

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
        dtype = _type(node)
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
            return self._same(operation)
        if function is np.count_nonzero:
            return self._counted(operation)
        if operation.kind is Kind.OBJECT or _type(operation) is None:
            return None
        if any(_is_called_object(n) for n in operation.nodes()):
            return None
        special = SPECIAL.get(function) if not isinstance(function, Method) else None
        if not isinstance(plain_function(function), Method) and (
            plain_function(function) in REDUCTIONS
        ):
            special = Lowering._reduction
        try:
            if special is not None:
                return special(self, operation)
            if moves(function) or joins(function):
                return self._moved(operation)
            if isinstance(function, Method) or isinstance(plain_function(function), Method):
                return self._method(operation)
            return self._elements(operation)
        except _NoValueError:
            return None

    def _argument(self, node: Operand) -> Value:
        if isinstance(node, tuple) or (_type(node) is None and node not in self._of):
            raise _NoValueError
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
        args = self._alike([self._argument(o) for o in operands], operands, operation)
        branch = _branch_of(args)
        if branch is not None:
            size = branch[0].size
        value = self._of_elements(function, args, size, operands)
        if value is not None and _type(operation) != value.dtype:
            return None
        return self._in_branch(value, branch)

    def _of_elements(self, function: Any, args: list[Value], size: int, nodes: Any) -> Value | None:
        if function is np.where:
            condition = elementwise.as_truth(self.values, args[0])
            return self._selected(condition, args[1], args[2], size)
        value = elementwise.arithmetic(self.values, function, args, size)
        if value is not None or not isinstance(function, np.ufunc):
            return value
        types = "".join("d" if a.dtype == "d" else "?" for a in args)
        loop = loop_of(function, types)
        if loop is None or any(_is_strided(n) for n in nodes):
            return None
        dtype = "d" if loop.signature[-1] == "d" else "b"
        return self.values.elementwise(loop, *args, size=size, dtype=dtype)

    def _selected(self, condition: Value, a: Value, b: Value, size: int) -> Value:
        if a.dtype != b.dtype:
            a, b = (elementwise.as_double(self.values, v) for v in (a, b))
        return self.values.elementwise("select", condition, a, b, size=size, dtype=a.dtype)

    def _power(self, operation: Operation, size: int) -> Value | None:
        base, exponent = operation.operands
        if operation.kind is not Kind.ARRAY:
            return None  # of numbers, Python's and NumPy's powers are not np.power
        args = self._alike(list(map(self._argument, (base, exponent))), (base, exponent), operation)
        branch = _branch_of(args)
        size = size if branch is None else branch[0].size
        value = None
        if isinstance(exponent, ConstantNode) and exponent.kind is Kind.NUMBER:
            value = elementwise.power(self.values, size, args[0], exponent.value)
        elif exponent.kind is Kind.NUMBER:
            return None
        if value is None:
            args = [elementwise.as_double(self.values, a) for a in args]
            value = self._of_elements(np.power, args, size, operation.operands)
        return self._in_branch(value, branch)

    def _alike(self, args: list[Value], nodes: Any, result: Node) -> list[Value]:
        """Return arguments broadcast to the shape of the result; numbers stay numbers."""
        branch = _branch_of(args)
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

    def _in_branch(self, value: Value | None, branch: tuple[Value, bool] | None) -> Value | None:
        if value is not None and branch is not None:
            value.branch = branch
        return value

    def _moved(self, operation: Operation) -> Value | None:
        first, *others = operation.operands
        joined = joins(operation.function)
        nodes = first if joined else (first,)
        if not isinstance(nodes, tuple):
            return None
        rest = list(map(_constant_operand_value, others))
        args = [self._argument(n) for n in nodes]
        if _branch_of(args) is not None:
            return args[0] if _keeps_all(operation, nodes[0]) else _not_in_a_branch()
        if _type(operation) == "d":
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
        value = self._argument(operation.operands[0])
        wanted = _type(operation)
        value_of = elementwise.as_double if wanted == "d" else elementwise.as_truth
        return self._in_branch(value_of(self.values, value), value.branch)

    # ---- operations of the derivatives, and of sgsolve's own functions -------------------------

    def _same(self, operation: Operation) -> Value:
        return self._argument(operation.operands[0])

    def _ones(self, operation: Operation) -> Value:
        like = self._argument(operation.operands[0])
        ones = self.values.filled(self.values.number(1.0), like.size)
        return ones if like.branch is None else _not_in_a_branch()

    def _repeated_number(self, operation: Operation) -> Value:
        size, number = operation.operands
        return self.values.filled(self._argument(number), size.value)

    def _gathered(self, operation: Operation) -> Value | None:
        operands = operation.operands
        array, index = operands if isinstance(operands[1], ConstantNode) else operands[::-1]
        if not isinstance(index.value, Index):
            return None
        if isinstance(index.value, BranchIndex):
            return self._chosen(array, index.value)
        value = self._argument(array)
        if value.branch is not None:
            _not_in_a_branch()
        return self.values.take(value, self.values.positions(index.value.values))

    def _chosen(self, array: Node, index: BranchIndex) -> Value:
        """Return elements at the positions of a branch; 1 elsewhere, which no function minds."""
        mask = self._argument(index.mask)
        value = self._argument(array)
        if value.branch is not None or value.size != mask.size:
            _not_in_a_branch()
        one = self.values.number(1.0 if value.dtype == "d" else True)
        sides = (value, one) if index.side else (one, value)
        chosen = self.values.elementwise("select", mask, *sides, size=value.size, dtype=value.dtype)
        # Another object than the same selection elsewhere: it is of a branch.
        chosen = self.values.elementwise(
            f"of branch {index.side}", mask, chosen, size=value.size, dtype=value.dtype
        )
        chosen.branch = (mask, index.side)
        return chosen

    def _masked_out(self, operation: Operation) -> Value | None:
        c, mask, _ = operation.operands
        args = [self._argument(c), self._argument(mask)]
        if args[0].dtype != "d" or args[1].dtype != "b":
            return None
        branch = _branch_of(args)
        size = args[0].size
        value = self.values.elementwise(
            "select", args[1], args[0], self.values.number(0.0), size=size
        )
        return self._in_branch(value, branch)

    def _spread(self, operation: Operation) -> Value | None:
        size, ratios, *pieces = operation.operands
        parts = []
        for index, node, ratio in zip(pieces[::2], pieces[1::2], ratios, strict=True):
            factor = self._argument(ratio)
            if isinstance(node, ConstantNode) and node.value is None:
                parts.append((index.value, factor))
                continue
            value = self._argument(node)
            if not (isinstance(ratio, ConstantNode) and ratio.value == 1):
                branch = value.branch
                product = self.values.elementwise("mul", value, factor, size=value.size)
                value = self._in_branch(product, branch) or product
            parts.append((index.value, value))
        return self._merged(size.value, parts, self.values.number(0.0))

    def _merge(self, operation: Operation) -> Value | None:
        size, _, indices, *nodes = operation.operands
        parts = [(i.value, self._argument(n)) for i, n in zip(indices, nodes, strict=True)]
        if _type(operation) == "d":
            parts = [(i, elementwise.as_double(self.values, v)) for i, v in parts]
        return self._merged(size.value, parts, None)

    def _merged(self, size: int, parts: list[Any], rest: Value | None) -> Value | None:
        """Return an array with values at the positions of indices."""
        if all(isinstance(index, BranchIndex) for index, _ in parts):
            result = rest
            for index, value in parts:
                mask = self.value(index.mask)
                if value.branch not in (None, (mask, index.side)):
                    _not_in_a_branch()
                if result is None:
                    result = value
                    continue
                a, b = (value, result) if index.side else (result, value)
                result = self._selected(mask, a, b, size)
            if result is not None and result.branch is not None:
                # One side has all elements: the values themselves.
                result = self.values.elementwise("copy", result, size=size, dtype=result.dtype)
            return result
        if any(isinstance(index, BranchIndex) or not index.unique for index, _ in parts):
            return None
        pieces = [
            (self.values.positions(index.values), self.values.filled(value, len(index)))
            for index, value in parts
        ]
        return self.values.place(size, pieces)

    def _sum_of_vectors(self, operation: Operation) -> Value | None:
        size, dtype, indices, *nodes = operation.operands
        if dtype.value != DOUBLE:
            return None
        zero = self.values.number(0.0)
        pieces, all_places = [], []
        for index, node in zip(indices, nodes, strict=True):
            value = elementwise.as_double(self.values, self._argument(node))
            if value.branch is not None or isinstance(index.value, BranchIndex):
                _not_in_a_branch()
            places = index.value.values
            value = self.values.filled(value, len(places))
            all_places.append(places)
            pieces.append((self.values.positions(places), value))
        count = np.bincount(np.concatenate(all_places), minlength=size.value)
        if count.max(initial=0) > 1:
            return self._sum_in_order(size.value, pieces, all_places)
        added = [(p, self.values.elementwise("add", zero, v, size=p.count)) for p, v in pieces]
        return self.values.place(size.value, added)

    def _sum_in_order(self, size: int, pieces: list[Any], places: list[Any]) -> Value:
        """Return a sum in which several terms meet in one element, added one after the other."""
        rows = np.concatenate(places)
        order = np.argsort(rows, kind="stable")
        indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=size))])
        matrix = sp.csr_array((np.ones(len(rows)), order, indptr), shape=(size, len(rows)))
        self._matrices.append(matrix)
        ends = np.cumsum([0, *map(len, places)]).tolist()
        joined = [
            (self.values.progression(p.count, begin), v)
            for begin, (p, v) in zip(ends, pieces, strict=False)
        ]
        return self.values.rows(matrix, self.values.place(len(rows), joined))

    def _any(self, operation: Operation) -> Value | None:
        return self._reduced_truth(operation, False)

    def _all(self, operation: Operation) -> Value | None:
        return self._reduced_truth(operation, True)

    def _counted(self, operation: Operation) -> Value | None:
        value = self._truth_to_reduce(operation)
        return None if value is None else self.values.count(value)

    def _reduced_truth(self, operation: Operation, every: bool) -> Value | None:
        """Return whether a truth value holds for some element, or for every one."""
        value = self._truth_to_reduce(operation)
        if value is None:
            return None
        wanted = self.values.number(float(value.size if every else 0))
        count = self.values.count(value)
        return self.values.elementwise("eq" if every else "ne", count, wanted, size=1, dtype="b")

    def _truth_to_reduce(self, operation: Operation) -> Value | None:
        if operation.kind is not Kind.NUMBER or len(operation.operands) != 1:
            return None
        value = elementwise.as_truth(self.values, self._argument(operation.operands[0]))
        if value.branch is not None:
            _not_in_a_branch()
        return value

    def _reduction(self, operation: Operation) -> Value | None:
        """Return a sum, mean, maximum or minimum of all elements."""
        function, (node, *rest) = operation.function, operation.operands
        names = function.names if isinstance(function, WithKeywords) else ()
        count = function.count if isinstance(function, WithKeywords) else 1 + len(rest)
        given = dict(zip(names, map(_constant_operand_value, rest[count - 1 :]), strict=True))
        initial = given.pop("initial", None)
        plain = count == 1 and all(v in (None, False, NOT_GIVEN) for v in given.values())
        if not plain or operation.kind is not Kind.NUMBER or node.strides is not None:
            return None
        value = self._argument(node)
        ufunc = REDUCTIONS[plain_function(function)]
        reduction = reduction_of(ufunc)
        if reduction is None or value.dtype != "d" or value.size < 2 or value.branch is not None:
            return None
        initial = reduction.first if initial in (None, NOT_GIVEN) else initial
        first = [] if initial is None else [self.values.number(initial)]
        result = self.values.reduced(reduction.loop, value, *first)
        if plain_function(function) is not np.mean:
            return result
        size = self.values.number(float(value.size))
        return self.values.elementwise("div", result, size, size=1)

    def _product(self, operation: Operation) -> Value | None:
        matrix, vector = operation.operands
        if not isinstance(matrix, ConstantNode) or type(matrix.value) not in BY_ROWS:
            return None
        A = matrix.value
        value = self._argument(vector)
        if A.data.dtype != DOUBLE or value.dtype != "d" or value.branch is not None:
            return None
        known = self._copies.get(id(A))
        if known is None:
            known = self._copies[id(A)] = A.copy()
        return self.values.rows(known, value)


class _NoValueError(Exception):
    """An operand is no array of doubles or truth values."""


def _constant_operand_value(operand: Operand) -> Any:
    """Return the value of an operand that is constant."""
    if isinstance(operand, tuple):
        return tuple(map(_constant_operand_value, operand))
    if not isinstance(operand, ConstantNode):
        raise _NoValueError
    return operand.value


def _not_in_a_branch() -> NoReturn:
    raise UntraceableError


def _keeps_all(operation: Operation, node: Node) -> bool:
    """Whether an operation returns all elements of a vector in order."""
    return plain_function(operation.function) in (np.ravel, np.copy) or (
        isinstance(plain_function(operation.function), Method)
        and plain_function(operation.function).name in ("ravel", "copy", "flatten")
        and operation.shape == node.shape
    )


def _branch_of(args: list[Value]) -> tuple[Value, bool] | None:
    """Return the branch that arguments are of, which must be one."""
    branches = {a.branch for a in args if a.branch is not None}
    if len(branches) > 1:
        raise UntraceableError
    return branches.pop() if branches else None


def _is_strided(node: Node) -> bool:
    """Whether no elements of an array follow one another: NumPy may take another loop then."""
    return node.strides is not None and node.dtype.itemsize not in node.strides


def _type(node: Node) -> str | None:
    if node.kind not in (Kind.ARRAY, Kind.NUMBER):
        return None
    if node.dtype == DOUBLE:
        return "d"
    if node.dtype == TRUTH:
        return "b"
    constant = isinstance(node, ConstantNode) and node.kind in (Kind.ARRAY, Kind.NUMBER)
    if isinstance(node, ConstantNode) and type(node.value) in (int, float, bool):
        return "b" if type(node.value) is bool else "d"
    return "d" if constant and np.dtype(node.dtype).kind in "iu" else None


def _is_called_object(node: Node) -> bool:
    return isinstance(node, Operation) and node.kind is Kind.OBJECT


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


REDUCTIONS: dict[Any, np.ufunc] = {
    np.sum: np.add, np.mean: np.add, np.max: np.maximum, np.amax: np.maximum,
    np.min: np.minimum, np.amin: np.minimum,
}  # fmt: skip
SPECIAL: dict[Any, Callable[[Lowering, Operation], Value | None]] = {
    op.unrecorded(op.ones_like): Lowering._ones,
    op.unrecorded(op.constant): Lowering._repeated_number,
    op.unrecorded(op.gather): Lowering._gathered,
    Index.gather: Lowering._gathered,
    chosen_by_branch: Lowering._gathered,
    op.unrecorded(op.zero_outside): Lowering._masked_out,
    op.unrecorded(op.as_float): lambda self, operation: elementwise.as_double(
        self.values, self._argument(operation.operands[0])
    ),
    op.unrecorded(op.conjugate): Lowering._same,
    op.unrecorded(op.real_part): Lowering._same,
    op.unrecorded(op.spread): Lowering._spread,
    merged_values: Lowering._merge,
    sum_of_values: Lowering._sum_of_vectors,
    matrix_times_vector: Lowering._product,
    np.any: Lowering._any,
    np.all: Lowering._all,
}
