"""Tapes: the arrays of one evaluation that its recorded operations refer to."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy import ndarray

from ...private_api import quiet
from ..derivatives.bounded import Bounded
from ..derivatives.coefficients import UNIT
from ..derivatives.derivative import Derivative
from ..derivatives.folded import strict, wide
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
        "_made",
        "_next",
        "_positions",
        "folded",
        "graph",
        "inputs",
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
        # By whether it is folded: a thread that folds leaves alone what another one carries out.
        self._made: dict[bool, dict[DerivativeNode, Derivative]] = {False: {}, True: {}}
        self.numbers = 0
        self.folded = False
        self.room = TAPE_BYTES + TAPE_VECTORS * 8 * len(evaluation.cols)

    def start(self, folded: bool) -> dict[DerivativeNode, Derivative]:
        """Return the derivative of the unknowns, by the node that stands for it."""
        evaluation = self.root
        if folded:
            unit = (np.longdouble(1.0), np.longdouble(0.0), None, None)
            return {self.graph.start: Bounded(evaluation, {evaluation.root: unit})}
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

    def inputs_of_form(self, folded: bool) -> dict[int, Any]:
        """Return the inputs of this moment, as the folded form or the other one takes them."""
        inputs = self.inputs.copy()  # other threads may put more on the tape
        return {k: wide(item) for k, item in inputs.items()} if folded else inputs

    def carry_out(self, node: DerivativeNode) -> Derivative:
        """Return the derivative that a node stands for."""
        folded = self.folded
        made = self._made[folded].get(node)
        if made is None and not folded:
            try:
                with strict():
                    made = self._carried_out(node, folded)
            except FloatingPointError:
                self.fold()
                folded = True
                made = self._made[folded].get(node)
        if made is None:
            with quiet():
                made = self._carried_out(node, folded)
        self._made[folded][node] = made
        return made

    def _carried_out(self, node: DerivativeNode, folded: bool) -> Derivative:
        inputs = self.inputs_of_form(folded) if folded else self.inputs
        return carry_out(node, inputs, self.start(folded), self._made[folded])

    def fold(self) -> None:
        """Carry everything out in the form in which nothing overflows that need not."""
        if not self.folded:
            self.folded = True
            self._made[False] = {}
