"""Recorded operations on derivatives: a graph of interned nodes.

Each node is one operation on the derivatives of earlier nodes. The same operation on the same node
with the same constants gives the same node again, in every evaluation. Arrays that differ between
evaluations (values, masks) are not part of a node: they lie on the `Tape` of the evaluation, and
the node holds their positions. The last node therefore identifies a whole computation.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any

from ..derivatives.derivative import Derivative

# Some thousand times what a residual makes; only code that is another one each time, or a loop over
# single elements, makes more.
MOST_NODES = 100_000


class DerivativeNode:
    """One operation on the derivatives of earlier nodes.

    Attributes
    ----------
    apply : callable
        ``apply(*derivatives, *arguments, *inputs)`` carries it out.
    parents : tuple of DerivativeNode
    arguments : tuple
        Constants.
    inputs : tuple of int
        Positions on the tape.
    children : dict
        The nodes that were made from this one first.
    kind : int
        The same for nodes that differ in numbers only: those of one line of code.
    """

    __slots__ = ("apply", "arguments", "children", "depth", "inputs", "kind", "parents")

    def __init__(
        self,
        apply: Callable[..., Derivative],
        parents: tuple[DerivativeNode, ...],
        arguments: tuple[Any, ...],
        inputs: tuple[int, ...],
    ) -> None:
        self.apply = apply
        self.parents = parents
        self.arguments = arguments
        self.inputs = inputs
        self.children: dict[Hashable, DerivativeNode] = {}
        self.depth: int = 1 + max([p.depth for p in parents], default=0)
        rules = [a for a in arguments if callable(a)]
        self.kind: int = hash((apply, inputs, *rules, *[p.kind for p in parents]))


class DerivativeGraph:
    """What a root keeps of the evaluations that were recorded on it.

    Attributes
    ----------
    start : DerivativeNode
        The unknowns themselves.
    size : int
        Number of nodes made.
    programs : dict
        From a node (and the matrix asked for) to an object with the evaluation that `used` it
        last: the nodes that lead there are kept.
    numbers, varying : dict, set
        The values that each number of an evaluation had, by its place among them and the kind of
        node that it scales, and which of them varied. Other residuals of as many unknowns use the
        same graph.
    """

    def __init__(self) -> None:
        # Its derivative is given by the tape, and never computed.
        self.start = DerivativeNode(Derivative, (), (), ())
        self.size = 0
        self.programs: dict[tuple[Any, ...], Any] = {}
        self.numbers: dict[tuple[int, int], set[Any]] = {}
        self.varying: set[tuple[int, int]] = set()

    def prune(self, oldest: int) -> None:
        """Drop what was not used since evaluation `oldest`."""
        self.programs = {k: c for k, c in list(self.programs.items()) if c.used >= oldest}
        self.size = forget(self.start, [node for node, *_ in list(self.programs)])
        self.numbers, self.varying = {}, set()


def carry_out(
    last: DerivativeNode,
    inputs: dict[int, Any],
    start: dict[DerivativeNode, Derivative],
    known: dict[DerivativeNode, Derivative] | None = None,
) -> Derivative:
    """Return the derivative that a node stands for, with these arrays on the tape.

    What is `known` is not carried out again; where something is, more will be asked for, and all
    that is found on the way is added to it.
    """
    made = known or {}
    keep = made is known
    made.update(start)
    order = _needed(last, made)
    uses: dict[DerivativeNode, int] = {}
    for node in order:
        for parent in node.parents:
            uses[parent] = uses.get(parent, 0) + 1
    for node in order:
        derivatives = [made[p] for p in node.parents]
        items = [inputs[k] for k in node.inputs]
        made[node] = node.apply(*derivatives, *node.arguments, *items)
        for parent in node.parents:
            uses[parent] -= 1
            if not uses[parent] and not keep:
                del made[parent]
    return made[last]


def inputs_of(last: DerivativeNode) -> set[int]:
    """Return the positions on the tape that a computation depends on."""
    return {k for node in _needed(last, {}) for k in node.inputs}


def _needed(last: DerivativeNode, made: dict[DerivativeNode, Any]) -> list[DerivativeNode]:
    """Return the nodes that lead to the last one, each after its parents."""
    order: list[DerivativeNode] = []
    seen = set(made)
    pending = [last]
    while pending:
        node = pending[-1]
        missing = [p for p in node.parents if p not in seen]
        if missing:
            pending += missing
            continue
        pending.pop()
        if node not in seen:
            seen.add(node)
            order.append(node)
    return order


def forget(first: DerivativeNode, needed: Iterable[DerivativeNode]) -> int:
    """Drop all nodes made from the first one but those that lead to the needed ones.

    Returns the number of nodes that are left.
    """
    live = {first}
    for node in needed:
        live.update(_needed(node, dict.fromkeys(live)))
    for node in live:
        for key, child in list(node.children.items()):
            if child not in live:
                node.children.pop(key, None)
    return len(live)
