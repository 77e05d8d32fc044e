"""Carries a graph out node by node, and compares each result with what its node declares."""

import numpy as np

from sgsolve.ad.programs.graph import ConstantNode, Input, Kind


def interpret(graph, inputs):
    """Return (stores as {place: array}, results); raise AssertionError for a wrong declaration."""
    values = {}

    def value(operand):
        if isinstance(operand, tuple):
            return tuple(map(value, operand))
        if isinstance(operand, ConstantNode):
            return operand.value
        return inputs[operand.key] if isinstance(operand, Input) else values[operand]

    for operation in graph.operations:
        result = operation.function(*map(value, operation.operands))
        check(operation, result)
        values[operation] = result
    stores = {s.place: np.multiply(value(s.array), value(s.factor)) for s in graph.stores}
    return stores, [value(r) for r in graph.results]


def check(node, result):
    if node.kind is Kind.ARRAY:
        assert isinstance(result, np.ndarray), (node.function, type(result))
    elif node.kind is Kind.NUMBER:
        assert np.ndim(result) == 0
    if node.dtype is None:  # not declared: a program of NumPy calls does not need it
        return
    if node.kind is Kind.ARRAY:
        assert result.shape == node.shape, (node.function, result.shape, node.shape)
        assert result.dtype == node.dtype, (node.function, result.dtype, node.dtype)
    elif node.kind is Kind.NUMBER:
        assert np.result_type(result) == node.dtype, (node.function, result, node.dtype)
