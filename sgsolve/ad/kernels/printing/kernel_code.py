"""The code of a kernel: the text of its functions, what their tables hold, and what runs when."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, NamedTuple

from numpy.typing import NDArray

from ...drivers.traced_evaluation import Trace
from ...programs.graph import Guard, Node, Operation
from ..lowering.lowering import NumpyCall


class Segment(NamedTuple):
    """A function to run, and the calls after it."""

    function: int
    calls: list[NumpyCall]


@dataclass
class KernelCode:
    """What runs for F, or for F and the values of its Jacobian.

    Attributes
    ----------
    text : str
        LLVM IR.
    names : list of str
        Of the functions in it.
    steps : list of Segment
    addresses : dict
        Places in the table of addresses, by what is there: see `Tables`.
    integers, literals : ndarray
        The tables of integers and of numbers.
    scratch : int
        Number of blocks that ufuncs write into.
    constants : dict
        Arrays that loops read, by key.
    memories : dict
        Size and type of each memory that the kernel itself writes.
    slots : list
        Keys of the numbers that calls between the loops compute.
    guards : list of (Guard, str, int)
        Guards that the kernel computes, with their places among its doubles or truth values; place
        -1: an array, in the memory ("guard", node).
    late_guards : list of Guard
        Those of parameters and of calls.
    operands : dict
        What calls take from the loops, and in which memory it is.
    origins, given : dict
        The nodes of memories that are not written by loops, by key: all, and parameters alone.
    calls : list of NumpyCall
    parameters : list of Operation
        What depends on parameters alone, in order.
    numbers : list of Node
        What the constant part of the Jacobian is made of.
    template : bool
        Whether loops, or `fixed` places, take constants of the Jacobian that the caller gives.
    parts, fixed : dict, ndarray or None
        As those of `Assembly`.
    size, nnz : int
        Of F, and of the values of the Jacobian.
    """

    trace: Trace
    with_jacobian: bool
    text: str
    names: list[str]
    steps: list[Segment]
    addresses: dict[Hashable, int]
    integers: NDArray[Any]
    literals: NDArray[Any]
    scratch: int
    constants: dict[Hashable, NDArray[Any]]
    memories: dict[Hashable, tuple[int, str]]
    slots: list[Hashable]
    guards: list[tuple[Guard, str, int]]
    late_guards: list[Guard]
    operands: dict[Node, Hashable]
    origins: dict[Hashable, Node]
    given: dict[Hashable, Node]
    calls: list[NumpyCall]
    parameters: list[Operation]
    numbers: list[Node]
    template: bool
    parts: dict[Hashable, NDArray[Any]]
    fixed: NDArray[Any] | None
    size: int
    nnz: int

    @property
    def x_node(self) -> Node:
        """The unknowns."""
        return self.trace.graph.inputs["x"]

    @property
    def called(self) -> set[Node]:
        """The results of calls."""
        return {call.operation for call in self.calls}
