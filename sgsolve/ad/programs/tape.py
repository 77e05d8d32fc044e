"""Tapes: the arrays of one evaluation that its recorded operations refer to."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy import ndarray

from ...private_api import quiet
from ..derivatives.coefficients import UNIT
from ..derivatives.derivative import Derivative
from ..derivatives.folded import Folded, strict, wide
from ..structures.root import Evaluation
from .derivative_graph import DerivativeGraph, DerivativeNode, carry_out

# What lies on a tape is not freed before the evaluation ends. A tape holds this much, and this
# many vectors of the length of the unknowns; more than that is carried out at once.
TAPE_BYTES = 1 << 24
TAPE_VECTORS = 64


class Tape:
    """The arrays of one evaluation that its recorded operations refer to.

    Attributes
    ----------
    root : Evaluation
    graph : DerivativeGraph
        That of the root, which serves all evaluations, unless another one is given.
    folded : bool
        Whether derivatives are carried out in the folded form.
    inputs : dict
        Arrays, numbers, and operands that are likely to be others next time, by position.
    """

    __slots__ = (
        "__weakref__",
        "_next",
        "_positions",
        "folded",
        "graph",
        "inputs",
        "made",
        "numbers",
        "room",
        "root",
    )  # fmt: skip

    def __init__(self, evaluation: Evaluation, graph: DerivativeGraph | None = None) -> None:
        self.root = evaluation
        self.graph = evaluation.memory(DerivativeGraph) if graph is None else graph
        # Two threads may evaluate on one seed: every position is given away once.
        self._next = itertools.count().__next__
        self.inputs: dict[int, Any] = {}
        self._positions: dict[int, int] = {}
        self.made: dict[DerivativeNode, Derivative] = {}
        self.numbers = 0
        self.folded = False
        self.room = TAPE_BYTES + TAPE_VECTORS * 8 * len(evaluation.cols)

    @property
    def start(self) -> dict[DerivativeNode, Derivative]:
        """The derivative of the unknowns, by the node that stands for it."""
        evaluation = self.root
        if self.folded:
            unit = (np.longdouble(1.0), np.longdouble(0.0), None, None)
            return {self.graph.start: Folded(evaluation, {evaluation.root: unit})}
        return {self.graph.start: Derivative(evaluation, {evaluation.root: UNIT})}

    def position(self, item: Any) -> int:
        """Return the position of an array or operand, put there if need be; -1: no room."""
        known = self._positions.get(id(item))
        if known is None:
            if type(item) is ndarray:
                self.room -= item.nbytes
            if self.room < 0:
                return -1
            known = self._next()
            self.inputs[known] = item
            self._positions[id(item)] = known
        return known

    def carry_out(self, node: DerivativeNode) -> Derivative:
        """Return the derivative that a node stands for."""
        made = self.made.get(node)
        if made is None and not self.folded:
            try:
                with strict():
                    made = carry_out(node, self.inputs, self.start, self.made)
            except FloatingPointError:
                self.fold()
        if made is None:
            inputs = {k: wide(item) for k, item in self.inputs.items()}
            with quiet():
                made = carry_out(node, inputs, self.start, self.made)
        self.made[node] = made
        return made

    def fold(self) -> None:
        """Carry everything out in the form in which nothing overflows that need not."""
        if not self.folded:
            self.folded = True
            self.made.clear()
