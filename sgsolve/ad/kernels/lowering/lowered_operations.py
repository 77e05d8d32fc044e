"""Operations that become values in ways of their own.

They are those of derivatives (`array_operations`), of sgsolve's own functions, and reductions.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp

from ....arrays import DOUBLE
from ....private_api import NOT_GIVEN
from ...derivatives import array_operations as op
from ...derivatives.symbols import UntraceableError
from ...functions.element_functions.branching import merged_values
from ...functions.linear_algebra.products import BY_ROWS, matrix_times_vector
from ...functions.sparse_vectors import sum_of_values
from ...programs.graph import ConstantNode, Kind, Node, Operation
from ...programs.positional_calls import WithKeywords
from ...programs.traced_branches import BranchIndex, chosen_by_branch
from ...structures.operands import Index
from . import elementwise
from .lowered_operands import branch_of, constant_value, element_type, in_branch, not_in_a_branch
from .lowering import Lowering
from .movement import named_function
from .ufunc_loops import product_loop, reduction_of
from .values import Value


def lower_same(lowering: Lowering, operation: Operation) -> Value:
    """Return the first operand."""
    return lowering.argument(operation.operands[0])


def lower_gathered(lowering: Lowering, operation: Operation) -> Value | None:
    """Return elements at the positions of an `Index`."""
    operands = operation.operands
    array, index = operands if isinstance(operands[1], ConstantNode) else operands[::-1]
    if not isinstance(index.value, Index):
        return None
    if isinstance(index.value, BranchIndex):
        return lower_chosen(lowering, array, index.value)
    value = lowering.argument(array)
    if value.branch is not None:
        not_in_a_branch()
    return lowering.values.take(value, lowering.values.positions(index.value.values))


def lower_chosen(lowering: Lowering, array: Node, index: BranchIndex) -> Value:
    """Return elements at the positions of a branch; 1 elsewhere, which no function minds."""
    mask = lowering.argument(index.mask)
    value = lowering.argument(array)
    if value.branch is not None or value.size != mask.size:
        not_in_a_branch()
    one = lowering.values.number(1.0 if value.dtype == "d" else True)
    sides = (value, one) if index.side else (one, value)
    chosen = lowering.values.elementwise("select", mask, *sides, size=value.size, dtype=value.dtype)
    # Another object than the same selection elsewhere: it is of a branch.
    chosen = lowering.values.elementwise(
        f"of branch {index.side}", mask, chosen, size=value.size, dtype=value.dtype
    )
    chosen.branch = (mask, index.side)
    return chosen


def lower_masked_out(lowering: Lowering, operation: Operation) -> Value | None:
    """Return elements where a mask holds, and zeros."""
    c, mask, _ = operation.operands  # the bits of the mask are not computed
    args = [lowering.argument(c), lowering.argument(mask)]
    if args[0].dtype != "d" or args[1].dtype != "b":
        raise UntraceableError("a choice between other values than real numbers")
    branch = branch_of(args)
    size = args[0].size
    value = lowering.values.elementwise(
        "select", args[1], args[0], lowering.values.number(0.0), size=size
    )
    return in_branch(value, branch)


def lower_spread(lowering: Lowering, operation: Operation) -> Value | None:
    """Return coefficients of chosen elements, each piece times its ratio."""
    size, ratios, *pieces = operation.operands
    parts = []
    for index, node, ratio in zip(pieces[::2], pieces[1::2], ratios, strict=True):
        factor = lowering.argument(ratio)
        if isinstance(node, ConstantNode) and node.value is None:
            parts.append((index.value, factor))
            continue
        value = lowering.argument(node)
        if not (isinstance(ratio, ConstantNode) and ratio.value == 1):
            branch = value.branch
            product = lowering.values.elementwise("mul", value, factor, size=value.size)
            value = in_branch(product, branch) or product
        parts.append((index.value, value))
    return lower_merged(lowering, size.value, parts, lowering.values.number(0.0))


def lower_spread_mask(lowering: Lowering, operation: Operation) -> Value | None:
    """Return the mask of coefficients of chosen elements."""
    size, *pieces = operation.operands
    parts = []
    for index, node in zip(pieces[::2], pieces[1::2], strict=True):
        if not isinstance(index.value, BranchIndex):
            return None
        everywhere = isinstance(node, ConstantNode) and node.value is None
        truth = lowering.values.number(True) if everywhere else lowering.argument(node)
        parts.append((index.value, truth))
    return lower_merged(lowering, size.value, parts, lowering.values.number(False))


def lower_merge(lowering: Lowering, operation: Operation) -> Value | None:
    """Return the values of both sides of a branch."""
    size, _, indices, *nodes = operation.operands
    parts = [(i.value, lowering.argument(n)) for i, n in zip(indices, nodes, strict=True)]
    if element_type(operation) == "d":
        parts = [(i, elementwise.as_double(lowering.values, v)) for i, v in parts]
    return lower_merged(lowering, size.value, parts, None)


def lower_merged(
    lowering: Lowering, size: int, parts: list[Any], rest: Value | None
) -> Value | None:
    """Return an array with values at the positions of indices."""
    if all(isinstance(index, BranchIndex) for index, _ in parts):
        result = rest
        for index, value in parts:
            mask = lowering.value(index.mask)
            if value.branch not in (None, (mask, index.side)):
                not_in_a_branch()
            if value.branch is None and value.size > 1:
                # its elements are those of the side, one after the other
                raise UntraceableError("numbers without derivatives as a side of ad.branch")
            if result is None:
                result = value
                continue
            a, b = (value, result) if index.side else (result, value)
            result = lowering.selected(mask, a, b, size)
        if result is not None and result.branch is not None:
            # One side has all elements: the values themselves.
            result = lowering.values.elementwise("copy", result, size=size, dtype=result.dtype)
        return result
    if any(isinstance(index, BranchIndex) or not index.unique for index, _ in parts):
        return None
    pieces = [
        (lowering.values.positions(index.values), lowering.values.filled(value, len(index)))
        for index, value in parts
    ]
    return lowering.values.place(size, pieces)


def lower_sum_of_vectors(lowering: Lowering, operation: Operation) -> Value | None:
    """Return a sum of sparse vectors."""
    size, dtype, indices, *nodes = operation.operands
    if dtype.value != DOUBLE:
        return None
    zero = lowering.values.number(0.0)
    pieces, all_places = [], []
    for index, node in zip(indices, nodes, strict=True):
        value = elementwise.as_double(lowering.values, lowering.argument(node))
        if value.branch is not None or isinstance(index.value, BranchIndex):
            not_in_a_branch()
        places = index.value.values
        value = lowering.values.filled(value, len(places))
        all_places.append(places)
        pieces.append((lowering.values.positions(places), value))
    count = np.bincount(np.concatenate(all_places), minlength=size.value)
    if count.max(initial=0) > 1:
        return lower_sum_in_order(lowering, size.value, pieces, all_places)
    added = [(p, lowering.values.elementwise("add", zero, v, size=p.count)) for p, v in pieces]
    return lowering.values.place(size.value, added)


def lower_sum_in_order(
    lowering: Lowering, size: int, pieces: list[Any], places: list[Any]
) -> Value:
    """Return a sum in which several terms meet in one element, added one after the other."""
    rows = np.concatenate(places)
    order = np.argsort(rows, kind="stable")
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=size))])
    matrix = sp.csr_array((np.ones(len(rows)), order, indptr), shape=(size, len(rows)))
    lowering.matrices.append(matrix)
    ends = np.cumsum([0, *map(len, places)]).tolist()
    joined = [
        (lowering.values.progression(p.count, begin), v)
        for begin, (p, v) in zip(ends, pieces, strict=False)
    ]
    return lowering.values.rows(matrix, lowering.values.place(len(rows), joined))


def lower_counted(lowering: Lowering, operation: Operation) -> Value | None:
    """Return for how many elements a truth value holds."""
    value = lower_truth_to_reduce(lowering, operation)
    return None if value is None else lowering.values.count(value)


def lower_reduced_truth(lowering: Lowering, operation: Operation, every: bool) -> Value | None:
    """Return whether a truth value holds for some element, or for every one."""
    value = lower_truth_to_reduce(lowering, operation)
    if value is None:
        return None
    wanted = lowering.values.number(float(value.size if every else 0))
    count = lowering.values.count(value)
    return lowering.values.elementwise("eq" if every else "ne", count, wanted, size=1, dtype="b")


def lower_truth_to_reduce(lowering: Lowering, operation: Operation) -> Value | None:
    """Return the truth values that are to be reduced to a number."""
    if operation.kind is not Kind.NUMBER or len(operation.operands) != 1:
        return None
    value = elementwise.as_truth(lowering.values, lowering.argument(operation.operands[0]))
    if value.branch is not None:
        not_in_a_branch()
    return value


def lower_reduction(lowering: Lowering, operation: Operation) -> Value | None:
    """Return a sum, mean, maximum or minimum of all elements."""
    function, (node, *rest) = operation.function, operation.operands
    names = function.names if isinstance(function, WithKeywords) else ()
    count = function.count if isinstance(function, WithKeywords) else 1 + len(rest)
    given = dict(zip(names, map(constant_value, rest[count - 1 :]), strict=True))
    initial = given.pop("initial", None)
    absent = (None, False, NOT_GIVEN)
    plain = count == 1 and all(any(v is w for w in absent) for v in given.values())
    if not plain or operation.kind is not Kind.NUMBER or node.strides is not None:
        return None
    value = lowering.argument(node)
    ufunc = REDUCTIONS[named_function(function)]
    reduction = reduction_of(ufunc)
    if reduction is None or value.dtype != "d" or value.size < 2 or value.branch is not None:
        return None
    initial = reduction.first if initial in (None, NOT_GIVEN) else initial
    first = [] if initial is None else [lowering.values.number(initial)]
    result = lowering.values.reduced(reduction.loop, value, *first)
    if named_function(function) is not np.mean:
        return result
    size = lowering.values.number(float(value.size))
    return lowering.values.elementwise("div", result, size, size=1)


def lower_product(lowering: Lowering, operation: Operation) -> Value | None:
    """Return a sparse matrix times a vector."""
    matrix, vector = operation.operands
    if not isinstance(matrix, ConstantNode) or type(matrix.value) not in BY_ROWS:
        return None
    A = matrix.value
    value = lowering.argument(vector)
    if A.data.dtype != DOUBLE or value.dtype != "d" or value.branch is not None:
        return None
    known = lowering.copies.get(id(A))
    if known is None:
        known = lowering.copies[id(A)] = A.copy()
    return lowering.values.rows(known, value)


def lower_dense_product(lowering: Lowering, operation: Operation) -> Value | None:
    """Return the product of two matrices, or of a matrix and a vector, by NumPy's own loop."""
    a, b = operation.operands
    if isinstance(a, ConstantNode) and sp.issparse(a.value) and len(b.shape) == 1:
        return lower_product(lowering, operation)
    loop, axes = product_loop(), (len(a.shape), len(b.shape))
    if loop is None or axes not in ((2, 1), (1, 2), (2, 2)) or min(*a.shape, *b.shape) < 2:
        return None
    if not all(_is_contiguous(lowering, node) for node in (a, b)):
        return None
    left, right = lowering.argument(a), lowering.argument(b)
    if left.branch is not None or right.branch is not None:
        return None
    m, p = (a.shape[0] if axes[0] == 2 else 0), (b.shape[1] if axes[1] == 2 else 0)
    return lowering.values.product(loop, left, right, (m, b.shape[0], p))


def _is_contiguous(lowering: Lowering, node: Node) -> bool:
    """Whether the elements of an array of doubles follow one another, in every run."""
    if node.dtype != DOUBLE or node.strides is not None or lowering.is_parameter(node):
        return False
    return not isinstance(node, ConstantNode) or node.value.flags.c_contiguous


def lower_as_double(lowering: Lowering, operation: Operation) -> Value:
    """Return truth values as ones and zeros."""
    return elementwise.as_double(lowering.values, lowering.argument(operation.operands[0]))


REDUCTIONS: dict[Any, np.ufunc] = {
    np.sum: np.add, np.mean: np.add, np.max: np.maximum, np.amax: np.maximum,
    np.min: np.minimum, np.amin: np.minimum,
}  # fmt: skip
SPECIAL: dict[Any, Callable[[Lowering, Operation], Value | None]] = {
    op.unrecorded(op.gather): lower_gathered,
    Index.gather: lower_gathered,
    chosen_by_branch: lower_gathered,
    op.unrecorded(op.zero_outside): lower_masked_out,
    op.unrecorded(op.as_float): lower_as_double,
    op.unrecorded(op.conjugate): lower_same,
    op.unrecorded(op.real_part): lower_same,
    op.unrecorded(op.spread): lower_spread,
    op.unrecorded(op.spread_mask): lower_spread_mask,
    merged_values: lower_merge,
    sum_of_values: lower_sum_of_vectors,
    matrix_times_vector: lower_product,
    operator.matmul: lower_dense_product,
    np.matmul: lower_dense_product,
    np.any: functools.partial(lower_reduced_truth, every=False),
    np.all: functools.partial(lower_reduced_truth, every=True),
}
