"""Tracing: carrying recorded operations out with names in place of arrays.

The methods of `Derivative` decide by structures and plain numbers alone what is to be done to
coefficient arrays. Run once with a `Symbol` for every array of a tape, they leave a list of array
operations behind, from which `program` makes a function. What would have to look into an array to
decide raises `UntraceableError`; such a derivative is computed afresh every time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..derivatives import array_operations as op
from ..derivatives.symbols import Symbol, UntraceableError
from ..structures.operands import Index

# Python takes a second to compile as many; loops over single elements make more.
MOST_LINES = 20_000


class Line(NamedTuple):
    """``name = function(*arguments)``, arguments as they stand in the program."""

    name: str
    function: Callable[..., Any]
    arguments: tuple[str, ...]


class TracedIndex(Index):
    """An index array that is another one on every evaluation: its positions are not known."""

    __slots__ = ("count", "name", "record")

    def __init__(self, name: str, index: Index, record: Callable[..., Any]) -> None:
        self.name = name
        self.record = record
        self.count = len(index)
        self.taken = {}
        self.transient = True
        self.unique = True
        self.used = index.used

    @property
    def values(self) -> Any:  # type: ignore[override]  # read only
        """Not known."""
        raise UntraceableError

    def __len__(self) -> int:
        return self.count


class Tracer:
    """The operations that were recorded, each of them once.

    Attributes
    ----------
    lines : list of Line
    constants : dict
        Arrays and functions that the lines refer to, by name.
    """

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.constants: dict[str, Any] = {}
        self._known: dict[Any, Any] = {}
        self._names: dict[int, str] = {}

    def input(self, position: int, item: Any) -> Any:
        """Return what stands for the array or index at a position of the tape."""
        name = f"t[{position}]"
        if isinstance(item, Index):
            if not item.unique:
                raise UntraceableError
            return TracedIndex(name, item, self.record)
        example = item[:2] if isinstance(item, np.ndarray) else None
        return Symbol(example, name, self.record)

    def record(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Write an operation down and return what stands for its result."""
        names = tuple(self.name(a) for a in arguments)
        if len(self.lines) >= MOST_LINES:
            raise UntraceableError
        key = (function, names)
        known = self._known.get(key)
        if known is None:
            name = f"a{len(self.lines)}"
            self.lines.append(Line(name, function, names))
            result: Any = Symbol(None, name, self.record)
            if function is op.unrecorded(op.partial):
                result = self._partial(name, arguments)
            known = self._known[key] = result
        return known

    def name(self, argument: Any) -> str:
        """Return how a program refers to a symbol, a number or a constant array."""
        if isinstance(argument, (Symbol, TracedIndex)):
            return argument.name
        if argument is None or type(argument) in (int, bool):
            return repr(argument)
        if type(argument) is float and math.isfinite(argument):
            return repr(argument)
        if isinstance(argument, tuple):
            return "(" + "".join(self.name(a) + ", " for a in argument) + ")"
        known = self._names.get(id(argument))
        if known is None:
            known = self._names[id(argument)] = f"k{len(self.constants)}"
            self.constants[known] = argument
        return known

    def _partial(self, name: str, arguments: tuple[Any, ...]) -> Any:
        """Return what stands for a partial derivative: its form is the same for every array."""
        rule, y, x = arguments
        form = op.partial(rule, y.example, x.example)
        if isinstance(form, np.ndarray):
            return Symbol(None, name, self.record)
        self.lines.pop()
        if not isinstance(form, tuple):
            return form
        self.lines.append(Line(name, _second, (self.name(rule), y.name, x.name)))
        return form[0], Symbol(None, name, self.record)


def _second(rule: Callable[..., Any], y: Any, x: Any) -> Any:
    """Return the array of a partial derivative that is a pair of a number and an array."""
    return op.partial(rule, y, x)[1]
