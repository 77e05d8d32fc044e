"""Programs: the Jacobian of a computation that was met before, as one function of its tape.

A program is Python source with one line for each array operation that is left when structures,
signs and names are settled: what a patient person would have written by hand. It is compiled
once; running it takes NumPy's time and little more. Results that only go into the Jacobian are
computed in their place in the source vector of the assembly.
"""

from __future__ import annotations

import itertools
import sys
from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...pattern import Pattern
from ..assembly.layout import ROWS
from ..assembly.plan import Plan, plan_of
from ..derivatives import array_operations as op
from ..derivatives import symbols
from ..derivatives.coefficients import moderate
from ..derivatives.folded import STRICT, wide
from .derivative_graph import DerivativeNode, carry_out, inputs_of
from .tape import Tape
from .tracing import Line, Tracer

# How NumPy's own operators write an operation, and how it is written into a given place.
PLAIN = {
    op.unrecorded(op.multiply): "{} * {}",
    op.unrecorded(op.add): "{} + {}",
    op.unrecorded(op.subtract): "{} - {}",
    op.unrecorded(op.take): "{}.take({})",
    op.unrecorded(op.cut): "{}[{}:{}:{}]",
    op.unrecorded(op.reciprocal): "1.0 / {}",
    symbols.times: "{} * {}",
    symbols.plus: "{} + {}",
}
PLACED = {
    op.unrecorded(op.multiply): "multiply({}, {}, {out})",
    op.unrecorded(op.add): "add({}, {}, {out})",
    op.unrecorded(op.subtract): "subtract({}, {}, {out})",
}

# Results to watch: in a Newton loop the last Jacobian is still held when the next one is made.
MOST_RESULTS = 2


IGNORANT: Any = {"all": "ignore"}


class Program:
    """The values of a Jacobian from the arrays on a tape.

    Attributes
    ----------
    pattern : Pattern
    source : str
        The program's text.
    """

    def __init__(
        self, node: DerivativeNode, tape: Tape, size: int, dtype: Any, target: Any
    ) -> None:
        tracer = Tracer()
        self.folded = tape.folded
        inputs = self._inputs(tape.inputs)
        self.numbers = [k for k in inputs_of(node) if type(inputs[k]) in (float, complex)]
        stand_ins = {k: tracer.input(k, item) for k, item in inputs.items()}
        with np.errstate(all="ignore"):
            derivative = carry_out(node, stand_ins, tape.start).final()
        coefficients = list(derivative.terms.values())
        self.dtype = dtype
        self.plan: Plan = plan_of(derivative.root.root, derivative.terms, size, target)
        self.pattern: Pattern = self.plan.layout.pattern
        self.source, constants = _written(tracer, self.plan, coefficients)
        namespace: dict[str, Any] = {**constants, **_NUMPY}
        exec(compile(self.source, "<jacobian>", "exec"), namespace)
        self.compute = namespace["run"]
        self._results: deque[NDArray[Any]] = deque()
        self._scratch: list[tuple[NDArray[Any], list[NDArray[Any]]]] = []

    def run(self, inputs: dict[int, Any]) -> NDArray[Any]:
        """Return the values on `pattern`.

        Raises
        ------
        FloatingPointError
            If something overflowed or underflowed that need not: fold, and try again.
        """
        inputs = self._inputs(inputs)
        for k in self.numbers:
            # At a position that the program does not read there may be something else today.
            if type(inputs.get(k)) in (float, complex) and not moderate(inputs[k]):
                raise FloatingPointError
        try:
            vector, views = self._scratch.pop()
        except IndexError:
            vector, views = self.places()
        with np.errstate(**(IGNORANT if self.folded else STRICT)):
            numbers = self.compute(inputs, views)
        constant = self.plan.constant_values(numbers, self.dtype)
        data = self.plan.finished(vector, *constant, self.dtype, self._unused())
        self._scratch.append((vector, views))
        self._results.append(data)
        return data

    def _inputs(self, inputs: dict[int, Any]) -> dict[int, Any]:
        return {k: wide(item) for k, item in inputs.items()} if self.folded else inputs

    def _unused(self) -> NDArray[Any] | None:
        """Return the memory of a result that nobody holds any more.

        The values are the largest array of an evaluation by far. Memory fresh from the system
        costs as much as filling it, and the next Newton step needs as much again.
        """
        unused = None
        for _ in range(min(len(self._results), MOST_RESULTS)):
            try:
                held = [self._results.popleft()]
            except IndexError:
                break
            if unused is None and _references(held) == HELD_BY_LIST_ONLY:
                unused = held.pop()
            elif len(self._results) < MOST_RESULTS - 1:
                self._results.append(held.pop())
        return unused

    def places(self) -> tuple[NDArray[Any], list[NDArray[Any]]]:
        """Return a source vector and the stretches that it is made of."""
        layout = self.plan.layout
        vector = self.plan.new_vector(self.dtype)
        ends = np.cumsum([0, *(s.length for s in layout.sources)]).tolist()
        return vector, [vector[b:e] for b, e in itertools.pairwise(ends)]


def _references(held: list[Any]) -> int:
    """Return the number of references to what a list holds."""
    return sys.getrefcount(held[0])


# How many of them the question itself makes is for each version of the interpreter to say.
HELD_BY_LIST_ONLY = _references([np.empty(0)])

_NUMPY = {
    "multiply": np.multiply,
    "add": np.add,
    "subtract": np.subtract,
    "copyto": np.copyto,
}


def _written(tracer: Tracer, plan: Plan, coefficients: list[Any]) -> tuple[str, dict[str, Any]]:
    """Return the text of the program, and the constants that it refers to."""
    stores: list[tuple[str, Any, str]] = []  # what, times which number, where
    general: list[str] = []
    for number, (term, _, expand) in enumerate(plan.layout.sources):
        alpha, s, c, a = coefficients[term]
        place = f"v[{number}]"
        if expand is None:
            stores.append((tracer.name(c), s, place))
        elif expand is ROWS:
            stores.append((tracer.name(a), alpha, place))
        else:
            source, row, weight = expand
            rows = op.multiply(op.take(a, row), weight)
            factors = op.take(op.add(op.multiply(c, s), alpha), source)
            general.append(f"multiply({tracer.name(rows)}, {tracer.name(factors)}, {place})")
    numbers = [tracer.name(coefficients[term][0]) for term, _, _ in plan.layout.constant]
    last = f"return ({''.join(n + ', ' for n in numbers)})"
    body = [f"    {line}" for line in _with_places(tracer, stores, [*general, last])]
    return "\n".join(["def run(t, v):", *body]), tracer.constants


def _with_places(tracer: Tracer, stores: list[Any], end: list[str]) -> list[str]:
    """Return the lines, results that are only stored computed in their place."""
    last: dict[str, int] = {}
    for number, line in enumerate(tracer.lines):
        last.update(dict.fromkeys(_symbols(line), number))
    stored = [what for what, _, _ in stores]
    placed = {
        what: place
        for what, s, place in stores
        if what not in last and stored.count(what) == 1 and _is_one(s) and "[" not in what
    }
    factors = [tracer.name(s) for _, s, _ in stores]
    kept = {*stored, *(name for text in (*factors, *end) for name in _words(text))}
    texts = []
    for number, line in enumerate(tracer.lines):
        place = placed.pop(line.name, "")
        if place and line.function not in PLACED:
            placed[line.name] = place
            place = ""
        if place:
            stores = [store for store in stores if store[0] != line.name]
        texts.append(_text(line, place, tracer))
        dead = [n for n in _symbols(line) if last[n] == number and n not in kept]
        if dead:
            texts.append(f"{' = '.join(dict.fromkeys(dead))} = None")
    for what, s, place in stores:
        if _is_one(s):
            texts.append(f"copyto({place}, {what}, 'unsafe')")
        else:
            texts.append(f"multiply({what}, {tracer.name(s)}, {place}, casting='unsafe')")
    return texts + end


def _text(line: Line, place: str, tracer: Tracer) -> str:
    if place:
        out = f"{place}, casting='unsafe'"
        return PLACED[line.function].format(*line.arguments, out=out)
    if line.function in PLAIN:
        return f"{line.name} = " + PLAIN[line.function].format(*line.arguments)
    return f"{line.name} = {tracer.name(line.function)}({', '.join(line.arguments)})"


def _symbols(line: Line) -> list[str]:
    """Return the results of earlier lines that a line refers to."""
    return [name for text in line.arguments for name in _words(text) if name[0] == "a"]


def _words(text: str) -> list[str]:
    for mark in "(),[]":
        text = text.replace(mark, " ")
    return [word for word in text.split() if word[0].isalpha()]


def _is_one(number: Any) -> bool:
    return isinstance(number, (int, float)) and number == 1
