"""Kind, shape and dtype of the result of an operation on coefficients, from its operands alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..derivatives import array_operations as op
from ..derivatives import symbols
from .graph import ConstantNode, Kind, Node, Operand, nodes_of

ResultType = tuple[Kind, tuple[int, ...], Any]


def result_type(function: Callable[..., Any], operands: tuple[Operand, ...]) -> ResultType:
    """Return kind, shape and dtype of ``function(*operands)``.

    Parameters
    ----------
    function : callable
        What an operation of `array_operations` or `symbols` carries out.
    operands : tuple of Node, or of tuples of Node
    """
    special = _SPECIAL.get(function)
    if special is not None:
        return special(*operands)
    kind = Kind.NUMBER if function in _OF_NUMBERS else Kind.ARRAY
    nodes = [n for n in operands if n.kind is not Kind.OBJECT]
    shape = np.broadcast_shapes(*(n.shape for n in nodes))
    # The dtype is the one that the operation gives for ones of the same dtypes.
    with np.errstate(all="ignore"):
        result = function(*(_example(n) for n in operands))
    dtype = np.result_type(result)
    return kind, shape, dtype


def _example(node: Node) -> Any:
    """Return a number, or an array of one element, of the dtype of a node."""
    if isinstance(node, ConstantNode) and node.kind is not Kind.ARRAY:
        return node.value if node.kind is Kind.OBJECT or node.value != 0 else type(node.value)(1)
    if node.kind is Kind.NUMBER:
        return 1.0 if node.dtype == np.float64 else np.ones((), node.dtype)[()]
    return np.ones(1, node.dtype)


def _moved(c: Node, positions: Node) -> ResultType:
    """Return the type of ``c[positions]``."""
    return Kind.ARRAY, positions.shape, c.dtype


def _cut(c: Node, start: Any, stop: Any, step: Any) -> ResultType:
    indices = slice(start.value, stop.value, step.value).indices(c.shape[0])
    return Kind.ARRAY, (len(range(*indices)),), c.dtype


def _gathered(c: Node, index: Any) -> ResultType:
    length = len(index.value) if isinstance(index, ConstantNode) else index.shape[0]
    return Kind.ARRAY, (length,), c.dtype


def _repeated_number(size: Any, number: Node) -> ResultType:
    return Kind.ARRAY, (size.value,), np.result_type(_example(number))


def _filled(plan: Any, *coefficients: Node) -> ResultType:
    layout = plan.value.layout
    used = [n for n in coefficients if n.kind is not Kind.OBJECT]
    dtype = np.result_type(layout.dtype, *map(_example, used))
    return Kind.ARRAY, (layout.pattern.nnz,), dtype


def _large_product(product: Any, c: Node) -> ResultType:
    large = product.value
    return Kind.ARRAY, (large.structure.entry_count,), np.result_type(large.dtype, _example(c))


def _spread_out(size: Any, ratios: Operand, *pieces: Node) -> ResultType:
    # Where there is no array of values, they are ones in double precision.
    values = [np.float64(1.0) if n.kind is Kind.OBJECT else _example(n) for n in pieces[1::2]]
    return Kind.ARRAY, (size.value,), np.result_type(*values, *map(_example, nodes_of(ratios)))


_SPECIAL: dict[Callable[..., Any], Callable[..., ResultType]] = {
    op.unrecorded(op.take): _moved,
    op.unrecorded(op.cut): _cut,
    op.unrecorded(op.gather): _gathered,
    op.unrecorded(op.constant): _repeated_number,
    op.unrecorded(op.filled): _filled,
    op.unrecorded(op.product): _large_product,
    op.unrecorded(op.spread): _spread_out,
}
_OF_NUMBERS = (symbols.times, symbols.plus, symbols.over)
