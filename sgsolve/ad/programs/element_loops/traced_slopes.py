"""Slopes of single numbers in a traced evaluation: what is done to them becomes part of the graph.

A long loop over elements computes slopes as numbers, one after the other (see `number_rows`). The
graph repeats these operations in the same order, and so gives the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...derivatives.array_operations import ConstantSlope
from ...derivatives.symbols import UntraceableError
from ..graph import Guard, Node
from ..traced_arrays import TracedArray, TracedFloat


class TracedSlope(TracedFloat):
    """A slope, or a factor of slopes."""

    __slots__ = ()
    __hash__ = TracedFloat.__hash__

    def record(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Return ``function(*arguments)``, traced; the value of f does not depend on it."""
        graph = self.graph
        outer, graph.is_of_slopes = graph.is_of_slopes, True
        try:
            result, node = self._applied(function, arguments)
        finally:
            graph.is_of_slopes = outer
        node.plain = True
        return TracedSlope(result, node, graph)

    def decided(self) -> Any:
        """Return the number, on which the course of the derivatives is going to depend."""
        self.graph.guards_of_partials.append(Guard(self.node, self.value))
        return self.value

    def stacked(self, slopes: list[Any]) -> Any:
        """Return an array of slopes, this one among them."""
        graph = self.graph
        outer, graph.is_of_slopes = graph.is_of_slopes, True
        try:
            values, node = self._applied(np.stack, (tuple(slopes),))
        finally:
            graph.is_of_slopes = outer
        return TracedArray(values, node, graph)


def as_slope(number: Any) -> Any:
    """Return one number as a factor of slopes, a float or traced; None for complex numbers."""
    if type(number) is float or type(number) in (TracedSlope, ConstantSlope):
        return number
    if not isinstance(number, TracedArray):
        return None if isinstance(number, (complex, np.complexfloating)) else float(number)
    if number.dtype.kind == "c":
        return None
    if number.dtype != np.float64 and number.dtype.kind not in "biu":
        raise UntraceableError("slopes in another precision")
    if not isinstance(number, TracedFloat):
        number = number.item()
    node: Node = number.node
    return TracedSlope(number.value, node, number.graph)


def array_of_slopes(slopes: list[Any]) -> Any:
    """Return slopes as an array, traced if one of them is."""
    for slope in slopes:
        if type(slope) is TracedSlope:
            return slope.stacked(slopes)
    return np.array(slopes)
