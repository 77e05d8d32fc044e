"""Programs: the Jacobian of a computation that was met before, as one function of its tape.

The graph of a program holds the array operations that are left when structures, signs and names
are settled: those of a hand-written Jacobian. It is compiled once. Results that only go into the
Jacobian are computed in their place in the source vector of the assembly.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...pattern import Pattern
from ...private_api import quiet
from ..assembly.layout import ROWS
from ..assembly.plan import Plan, plan_of
from ..derivatives import array_operations as op
from ..derivatives.coefficients import moderate
from ..derivatives.folded import strict
from .derivative_graph import DerivativeNode, carry_out, inputs_of
from .graph import Graph, Store
from .numpy_printer import numpy_function
from .result_memory import ResultMemory
from .tape import Tape
from .tracing import Tracer


class Program:
    """The values of a Jacobian from the arrays on a tape.

    Attributes
    ----------
    pattern : Pattern
    graph : Graph
        What the program computes.
    source : str
        The graph as it was compiled, for reading.
    """

    def __init__(
        self, node: DerivativeNode, tape: Tape, folded: bool, size: int, dtype: Any, target: Any
    ) -> None:
        tracer = Tracer()
        self.folded = folded
        inputs = tape.inputs_of_form(folded)
        self.numbers = [k for k in inputs_of(node) if type(inputs[k]) in (float, complex)]
        stand_ins = {k: tracer.input(k, item) for k, item in inputs.items()}
        try:
            with quiet():
                derivative = carry_out(node, stand_ins, tape.start(folded)).final()
            coefficients = list(derivative.terms.values())
            self.dtype = dtype
            self.plan: Plan = plan_of(derivative.root.root, derivative.terms, size, target)
            self.pattern: Pattern = self.plan.layout.pattern
            add_outputs(tracer.graph, tracer.operand, self.plan, coefficients)
        finally:
            tracer.close()
        self.graph = tracer.graph
        self.source, self.compute = numpy_function(self.graph)
        # Then they are read in less time than the values.
        self._few_sources = 2 * self.plan.layout.length <= self.pattern.nnz
        self._results = ResultMemory(self.pattern.nnz, dtype)
        self._scratch: list[tuple[NDArray[Any], list[NDArray[Any]]]] = []

    def run(self, tape: Tape) -> tuple[NDArray[Any], bool]:
        """Return the values on `pattern`, and whether they are known to be no NaN.

        Raises
        ------
        FloatingPointError
            If something overflowed or underflowed that need not: fold, and try again.
        """
        inputs = tape.inputs_of_form(True) if self.folded else tape.inputs
        for k in self.numbers:
            # At a position that the program does not read there may be something else today.
            if type(inputs.get(k)) in (float, complex) and not moderate(inputs[k]):
                raise FloatingPointError
        try:
            vector, views = self._scratch.pop()
        except IndexError:
            vector, views = self.places()
        if self.graph.operations or self.graph.stores:
            with quiet() if self.folded else strict():
                numbers = self.compute(inputs, views)
        else:  # a linear function: nothing is computed
            numbers = self.compute(inputs, views)
        constant = self.plan.constant_values(numbers, self.dtype)
        sound = self._few_sources and self.plan.is_sound(vector, numbers)
        data = self.plan.finished(vector, *constant, self.dtype, self._results.array())
        self._scratch.append((vector, views))
        return data, sound

    def places(self) -> tuple[NDArray[Any], list[NDArray[Any]]]:
        """Return a source vector and the stretches that it is made of."""
        layout = self.plan.layout
        vector = self.plan.new_vector(self.dtype)
        ends = np.cumsum([0, *(s.length for s in layout.sources)]).tolist()
        return vector, [vector[b:e] for b, e in itertools.pairwise(ends)]


def add_outputs(
    graph: Graph, node: Callable[[Any], Any], plan: Plan, coefficients: list[Any]
) -> None:
    """Add what the program stores and returns to the graph.

    It stores the source vector of the assembly, and returns the numbers of the constant part.
    """
    for place, (term, _, expand) in enumerate(plan.layout.sources):
        alpha, s, c, a = coefficients[term]
        if expand is None:
            store = Store(place, node(c), node(s))
        elif expand is ROWS:
            store = Store(place, node(a), node(alpha))
        else:
            source, row, weight = expand
            rows = op.multiply(op.take(a, row), weight)
            factors = op.take(op.add(op.multiply(c, s), alpha), source)
            store = Store(place, node(rows), node(factors))
        graph.stores.append(store)
    graph.results += [node(coefficients[term][0]) for term, _, _ in plan.layout.constant]
