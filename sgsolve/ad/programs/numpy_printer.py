"""Writes a graph of array operations as a Python function of NumPy calls.

The text is compiled once and never read back. An array that is only stored is computed in its
place, and an array that is not needed any more is released.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from ..derivatives import array_operations as op
from ..derivatives import symbols
from .graph import ConstantNode, Graph, Input, Kind, Node, Operand, Operation, Store, nodes_of

# How NumPy's own operators write an operation, and how it is written into a given place.
PLAIN = {
    op.unrecorded(op.multiply): "{} * {}",
    op.unrecorded(op.add): "{} + {}",
    op.unrecorded(op.subtract): "{} - {}",
    op.unrecorded(op.take): "{}.take({})",
    op.unrecorded(op.cut): "{}[{}:{}:{}]",
    op.unrecorded(op.gather): "{1}.gather({0})",
    op.unrecorded(op.reciprocal): "1.0 / {}",
    symbols.times: "{} * {}",
    symbols.plus: "{} + {}",
}
PLACED = {
    op.unrecorded(op.multiply): "multiply({}, {}, {out})",
    op.unrecorded(op.add): "add({}, {}, {out})",
    op.unrecorded(op.subtract): "subtract({}, {}, {out})",
}
FUNCTIONS = {"multiply": np.multiply, "add": np.add, "subtract": np.subtract, "copyto": np.copyto}


def numpy_function(graph: Graph) -> tuple[str, Callable[[Any, Any], Any]]:
    """Return the text and the function ``run(t, v)`` of a graph.

    `t` gives the inputs by key and `v` the arrays to store into, by place. The function returns
    the results as a tuple.
    """
    printer = NumpyPrinter(graph)
    source = printer.source()
    namespace: dict[str, Any] = {**printer.constants, **FUNCTIONS}
    exec(compile(source, "<graph>", "exec"), namespace)
    run: Callable[[Any, Any], Any] = namespace["run"]
    return source, run


class NumpyPrinter:
    """The lines of a function for a graph.

    Attributes
    ----------
    constants : dict
        Arrays, functions and other objects that the text refers to, by name.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.constants: dict[str, Any] = {}
        self._names: dict[Any, str] = {o: f"a{k}" for k, o in enumerate(graph.operations)}
        self._functions: dict[Any, str] = {}

    def source(self) -> str:
        """Return the text of the function."""
        operations = self.graph.operations
        stores = list(self.graph.stores)
        last = {node: k for k, o in enumerate(operations) for node in o.nodes()}
        placed = _computed_in_place(stores, last, self.graph.results)
        kept = self._needed_at_the_end()
        lines = []
        for k, operation in enumerate(operations):
            store = placed.get(operation)
            if store is not None:
                stores.remove(store)
            lines.append(self._line(operation, store))
            dead = {n: None for n in operation.nodes() if _frees(n) and last[n] == k}
            names = [self.name(n) for n in dead if n not in kept]
            if names:
                lines.append(f"{' = '.join(names)} = None")
        lines += map(self._store, stores)
        results = "".join(self.name(r) + ", " for r in self.graph.results)
        body = [f"    {line}" for line in [*lines, f"return ({results})"]]
        return "\n".join(["def run(t, v):", *body])

    def name(self, operand: Operand) -> str:
        """Return how the text refers to an operand."""
        if isinstance(operand, tuple):
            return "(" + "".join(self.name(part) + ", " for part in operand) + ")"
        known = self._names.get(operand)
        if known is None:
            known = self._names[operand] = self._new_name(operand)
        return known

    def _new_name(self, node: Node) -> str:
        if isinstance(node, Input):
            return f"t[{node.key!r}]"
        assert isinstance(node, ConstantNode)
        value = node.value
        if value is None or type(value) in (int, bool):
            return repr(value)
        if type(value) is float and math.isfinite(value):
            return repr(value)
        return self._constant(value)

    def _constant(self, value: Any) -> str:
        name = f"k{len(self.constants)}"
        self.constants[name] = value
        return name

    def _function(self, function: Any) -> str:
        known = self._functions.get(function)
        if known is None:
            known = self._functions[function] = self._constant(function)
        return known

    def _line(self, operation: Operation, store: Store | None) -> str:
        operands = [self.name(o) for o in operation.operands]
        if store is not None:
            out = f"v[{store.place}], casting='unsafe'"
            return PLACED[operation.function].format(*operands, out=out)
        form = PLAIN.get(operation.function)
        if form is not None:
            return f"{self.name(operation)} = {form.format(*operands)}"
        return (
            f"{self.name(operation)} = {self._function(operation.function)}({', '.join(operands)})"
        )

    def _store(self, store: Store) -> str:
        array, place = self.name(store.array), f"v[{store.place}]"
        if is_one(store.factor):
            return f"copyto({place}, {array}, 'unsafe')"
        return f"multiply({array}, {self.name(store.factor)}, {place}, casting='unsafe')"

    def _needed_at_the_end(self) -> set[Node]:
        ends = [(store.array, store.factor) for store in self.graph.stores]
        return {*nodes_of(tuple(ends)), *nodes_of(tuple(self.graph.results))}


def _computed_in_place(
    stores: list[Store], last: dict[Node, int], results: list[Operand]
) -> dict[Node, Store]:
    """Return the stores whose array nothing else needs, by the operation that computes it."""
    number = Counter(store.array for store in stores)
    elsewhere = {*last, *nodes_of(tuple(results)), *(store.factor for store in stores)}
    return {
        store.array: store
        for store in stores
        if isinstance(store.array, Operation)
        and store.array.function in PLACED
        and store.array not in elsewhere
        and number[store.array] == 1
        and is_one(store.factor)
    }


def _frees(node: Node) -> bool:
    return isinstance(node, Operation) and node.kind is not Kind.INDEX


def is_one(node: Node) -> bool:
    """Whether a node is the number one."""
    return (
        isinstance(node, ConstantNode) and isinstance(node.value, (int, float)) and node.value == 1
    )
