"""Traces one evaluation of a function: its values and its Jacobian become one graph.

The graph holds every array operation between x and f(x), and those of the Jacobian's
coefficients. What cannot be traced raises `UntraceableError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ...pattern import Pattern
from ..array import ADArray
from ..assembly.plan import Plan, plan_of
from ..derivatives.sparsity import begin
from ..derivatives.symbols import UntraceableError
from ..programs.derivative_graph import DerivativeGraph, carry_out
from ..programs.element_loops.filled_rows import Postponed
from ..programs.element_loops.row_tables import reads_as_before
from ..programs.graph import Graph, Kind
from ..programs.program import add_outputs
from ..programs.recorded import Recorded
from ..programs.tape import Tape
from ..programs.traced_arrays import TracedArray, traced_number
from ..structures.root import Evaluation, evaluation_of
from .function_calls import evaluate
from .seeding import as_numeric

# A loop over thousands of numbers: the kernel of each operation would cost more than the loop.
MOST_OPERATIONS = 4000
# Before the name of a parameter in the key of its input: kernels call what they read and write
# "x", "F" and "data".
PARAMETER = "parameter "


class Trace(NamedTuple):
    """What `trace_function` returns.

    Attributes
    ----------
    graph : Graph
        Its first result is f(x). The other results and its stores are what `plan` needs for the
        Jacobian, as in a `Program`. It holds for each x at which all guards have their values.
    dtype : dtype
        Of the values of the Jacobian.
    guards_of_value : int
        Number of guards before those of the Jacobian alone.
    """

    graph: Graph
    plan: Plan
    dtype: Any
    guards_of_value: int


def trace_function(
    f: Callable[..., Any],
    x: ArrayLike,
    constants: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Any] | None = None,
    target: Pattern | None = None,
    open_branches: bool = False,
) -> Trace:
    """Trace ``f(x, **constants, **inputs)`` and its Jacobian.

    Parameters
    ----------
    x : array_like
        The input ``"x"`` of the graph.
    constants, inputs : mapping of str to value
        Further arguments. Those in `inputs`, numbers and arrays of double precision, are inputs of
        the graph under their names after `PARAMETER`.
    target : Pattern, optional
        Of the Jacobian; without it, the smallest one.
    open_branches : bool
        Trace both sides of `branch` for any mask, and not for the present one.

    Raises
    ------
    UntraceableError
        If f converts values to plain arrays or numbers, writes into arrays, or does not depend on
        x.
    StructureError
        If the Jacobian has entries outside `target`.
    """
    value = as_numeric(x)
    trace, is_settled = _traced_once(f, value, constants, inputs, target, open_branches)
    if not is_settled:
        trace, _ = _traced_once(f, value, constants, inputs, target, open_branches)
    return trace


def _traced_once(
    f: Callable[..., Any], value: Any, constants: Any, inputs: Any, target: Any, open_branches: bool
) -> tuple[Trace, bool]:
    """Return a trace, and whether all evaluations after this one read elements in the same way."""
    evaluation = evaluation_of(value.size, value.dtype.kind != "c")
    root = evaluation.root
    begin(evaluation, all_branches=False)
    evaluation.traced = Graph(open_branches, MOST_OPERATIONS)
    try:
        trace = _trace(f, value, constants, inputs, target, evaluation)
    except BaseException:
        root.numbers_read = root.numbers_read_before  # what follows is not the first evaluation
        raise
    return trace, reads_as_before(root)


def _trace(
    f: Callable[..., Any],
    value: Any,
    constants: Any,
    inputs: Any,
    target: Any,
    evaluation: Evaluation,
) -> Trace:
    # Traced arrays must not become part of what is kept for other evaluations.
    tape = Tape(evaluation, DerivativeGraph())
    graph: Graph = evaluation.traced
    node = graph.input("x", Kind.ARRAY, value.shape, value.dtype)
    traced = TracedArray(value, node, graph)
    given = {name: _input(graph, name, item) for name, item in (inputs or {}).items()}
    unknowns = ADArray(traced, Recorded(tape, tape.graph.start))
    y = evaluate(f, unknowns, **(constants or {}), **given)
    if not isinstance(y, ADArray) or not isinstance(y._value, TracedArray):
        raise UntraceableError
    graph.results.append(y._value.node)
    guards = len(graph.guards)
    graph.guards += graph.guards_of_partials
    graph.is_of_slopes = True
    derivative: Any = y._derivative
    if isinstance(derivative, Postponed):
        derivative = derivative.ordinary()
    if type(derivative) is Recorded:
        with np.errstate(all="ignore"):
            derivative = carry_out(derivative.node, tape.inputs, tape.start(tape.folded))
    derivative = derivative.final()
    plan = plan_of(derivative.root.root, derivative.terms, y.size, target)
    with np.errstate(all="ignore"):
        add_outputs(graph, traced._operand, plan, list(derivative.terms.values()))
    return Trace(graph, plan, np.result_type(y.dtype, np.float32), guards)


def _input(graph: Graph, name: str, item: Any) -> TracedArray:
    if isinstance(item, np.ndarray):
        node = graph.input(PARAMETER + name, Kind.ARRAY, item.shape, item.dtype)
        return TracedArray(item.copy(), node, graph)
    node = graph.input(PARAMETER + name, Kind.NUMBER, (), np.dtype(float))
    return traced_number(item, node, graph)
