"""Values of a traced array whose elements are assigned one by one in a loop."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph import Graph, Node
from ..traced_arrays import TracedArray


class FilledArray(TracedArray):
    """A traced array after numbers were assigned to elements of it.

    The elements are joined where the whole array is needed. A loop that fills an array adds one
    operation to the graph, and not one for each element.

    Attributes
    ----------
    before : ndarray or TracedArray
    assigned : dict of int to number
        What was assigned, by positions in C order.
    """

    __slots__ = ("_joined", "assigned", "before")

    def __init__(self, value: Any, before: Any, assigned: dict[int, Any], graph: Graph) -> None:
        self.value, self.before, self.assigned, self.graph = value, before, assigned, graph
        self._joined: Node | None = None

    @property
    def node(self) -> Node:  # type: ignore[override]  # read only
        """What computes the array."""
        if self._joined is None:
            graph = self.graph
            outer, graph.is_of_slopes = graph.is_of_slopes, False
            try:
                self._joined = self._with_all_elements().node
            finally:
                graph.is_of_slopes = outer
        return self._joined

    def __getitem__(self, key: Any) -> Any:
        """Return a number that was assigned, or elements of the joined array."""
        if type(key) is int and self.ndim == 1:
            number = self.assigned.get(key % len(self))
            if number is not None and -len(self) <= key < len(self):
                return number
        return super().__getitem__(key)

    def filled(self, numbers: dict[int, Any]) -> FilledArray:
        """Return the array after further numbers were assigned."""
        value = self.value.copy()
        for position, number in numbers.items():
            value.flat[position] = getattr(number, "value", number)
        return FilledArray(value, self.before, {**self.assigned, **numbers}, self.graph)

    def _with_all_elements(self) -> Any:
        old: Any = self._traced_before().ravel()
        pieces: list[Any] = []
        begin, positions = 0, sorted(self.assigned)
        run: list[Any] = []
        for p in [*positions, self.size]:
            if p > begin or p == self.size:
                if run:
                    pieces.append(old.record(np.stack, (tuple(run),)))
                    run = []
                if p > begin:
                    pieces.append(old[begin:p])
            if p < self.size:
                run.append(self.assigned[p])
            begin = p + 1
        joined = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
        return joined.reshape(self.shape)

    def _traced_before(self) -> TracedArray:
        if isinstance(self.before, TracedArray):
            return self.before
        return TracedArray(self.before, self.graph.constant(self.before), self.graph)


def with_numbers(array: Any, positions: list[int], v: Any) -> FilledArray:
    """Return an array after ``array.flat[positions] = v``.

    Parameters
    ----------
    array, v : ndarray, TracedArray or number
        At least one of them traced.
    """
    graph = (array if isinstance(array, TracedArray) else v).graph
    if np.ndim(v) == 0:
        number = v if isinstance(v, TracedArray) else np.float64(v)
        numbers = dict.fromkeys(positions, number)
    else:
        elements = v.ravel()
        numbers = {p: elements[k] for k, p in enumerate(positions)}
    if not isinstance(array, FilledArray):
        before = array if isinstance(array, TracedArray) else array.copy()
        array = FilledArray(getattr(before, "value", before), before, {}, graph)
    filled: FilledArray = array.filled(numbers)
    return filled
