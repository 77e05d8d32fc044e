"""Positions of one side of a traced `branch`, which are others in other evaluations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..derivatives.symbols import UntraceableError
from ..structures.operands import Index
from .graph import Graph, Node
from .traced_arrays import TracedArray


class TracedPositions(TracedArray):
    """The positions at which a condition holds, which `branch` hands to a side."""

    __slots__ = ("index",)

    def __init__(self, index: BranchIndex, node: Node, graph: Graph) -> None:
        super().__init__(index.example, node, graph)
        self.index = index

    def elements_of(self, array: TracedArray) -> Any:
        """Return the elements of a vector at these positions, as of an AD array."""
        return self.index.gather(array)


class BranchIndex(Index):
    """The positions of one side of a traced `branch`: others in other evaluations.

    Attributes
    ----------
    example : ndarray
        The positions of this evaluation.
    mask : Node
        The condition.
    side : bool
        Where the condition has this value.
    record : callable
        Adds an operation on the positions to the graph.
    """

    __slots__ = ("example", "mask", "record", "side")

    def __init__(self, example: Any, mask: Node, side: bool, record: Callable[..., Any]) -> None:
        self.example = example
        self.mask = mask
        self.side = side
        self.record = record
        self.taken = {}
        self.transient = True
        self.unique = True
        self.used = 0

    @property
    def values(self) -> Any:  # type: ignore[override]  # read only
        """Not the same in every evaluation."""
        raise UntraceableError

    @property
    def present(self) -> Any:
        """The positions of this evaluation, to move elements by."""
        return self.example

    def __len__(self) -> int:
        return len(self.example)

    def gather(self, array: Any) -> Any:
        """Return the elements of an array at these positions."""
        if isinstance(array, TracedArray):
            return array.record(chosen_by_branch, (array, self))
        raise UntraceableError


def chosen_by_branch(array: Any, index: BranchIndex) -> Any:
    """Return the elements of a vector at the positions of a branch."""
    return array.take(index.example)
