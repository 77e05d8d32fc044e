"""Traces one evaluation of a function: its values and its Jacobian become one graph.

The graph holds every array operation between x and f(x), and those of the Jacobian's
coefficients. What cannot be traced raises `UntraceableError`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .array import ADArray
from .assembly.plan import Plan, plan_of
from .derivatives.sparsity import begin
from .derivatives.symbols import UntraceableError
from .drivers import _numbers
from .nested import evaluate
from .programs.derivative_graph import carry_out
from .programs.graph import Graph, Kind
from .programs.program import add_outputs
from .programs.recorded import Recorded
from .programs.tape import Tape
from .programs.traced_arrays import TracedArray
from .structures.root import evaluation_of


def trace_evaluation(
    f: Callable[..., Any], x: ArrayLike, *args: Any, **kwargs: Any
) -> tuple[Graph, Plan]:
    """Return the graph of f(x) and of the values of its Jacobian.

    Parameters
    ----------
    f : callable
    x : array_like
        The input ``"x"`` of the graph. Further arguments are constants.

    Returns
    -------
    graph : Graph
        Its first result is f(x). The other results and its stores are what `plan` needs for the
        Jacobian, as in a `Program`. It holds for each x at which all guards have their values.
    plan : Plan

    Raises
    ------
    UntraceableError
        If f converts values to plain arrays or numbers, writes into arrays, or does not depend on
        x.
    """
    value = _numbers(x)
    evaluation = evaluation_of(value.size, value.dtype.kind != "c")
    begin(evaluation, all_branches=False)
    tape = Tape(evaluation)
    graph = Graph()
    node = graph.input("x", Kind.ARRAY, value.shape, value.dtype)
    traced = TracedArray(value, node, graph)
    y = evaluate(f, ADArray(traced, Recorded(tape, tape.graph.start)), *args, **kwargs)
    if not isinstance(y, ADArray) or not isinstance(y._value, TracedArray):
        raise UntraceableError
    graph.results.append(y._value.node)
    derivative: Any = y._derivative
    if type(derivative) is Recorded:
        with np.errstate(all="ignore"):
            derivative = carry_out(derivative.node, tape.inputs, tape.start)
    derivative = derivative.final()
    plan = plan_of(derivative.root.root, derivative.terms, y.size, None)
    with np.errstate(all="ignore"):
        add_outputs(graph, traced._operand, plan, list(derivative.terms.values()))
    return graph, plan
