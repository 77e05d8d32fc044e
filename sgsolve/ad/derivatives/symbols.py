"""Symbols: what stands for the arrays and numbers of a tape while a computation is traced."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NoReturn


class UntraceableError(Exception):
    """The course of the computation depends on the contents of an array, or has no end."""


class TracedScalar:
    """A number of a traced evaluation: it goes where plain numbers go."""

    __slots__ = ()


def _untraceable(*_: Any) -> NoReturn:
    raise UntraceableError


class Symbol:
    """An array or a number on the way through a recorded computation.

    It is deliberately no array: what is not an operation of this module raises `UntraceableError`
    on it, instead of continuing with numbers of another evaluation. For the same reason the symbol
    of a number is equal to nothing but itself, and not known to be finite.

    Attributes
    ----------
    example : ndarray or None
        The first elements of an array on the tape.
    node : object
        Its node in the graph.
    record : callable
        ``record(function, arguments)`` notes an operation and returns the symbol of its result.
    """

    __slots__ = ("example", "node", "record")
    __array_ufunc__ = None

    def __init__(self, example: Any, node: Any, record: Callable[..., Any]) -> None:
        self.example = example
        self.node = node
        self.record = record

    def __mul__(self, other: Any) -> Any:
        if type(other) is float and other in (0.0, 1.0):
            return self if other else 0.0
        return self.record(times, (self, other))

    def __add__(self, other: Any) -> Any:
        if type(other) is float and other == 0.0:
            return self
        return self.record(plus, (self, other))

    __rmul__ = __mul__
    __radd__ = __add__

    def __neg__(self) -> Any:
        return self.record(times, (self, -1.0))

    def __truediv__(self, other: Any) -> Any:
        return self.record(over, (self, other))

    def __rtruediv__(self, other: Any) -> Any:
        return self.record(over, (other, self))

    def __abs__(self) -> float:
        return math.inf

    __bool__ = __len__ = __iter__ = __getitem__ = __contains__ = __getattr__ = _untraceable
    __float__ = __int__ = __complex__ = __index__ = __array__ = _untraceable
    __lt__ = __le__ = __gt__ = __ge__ = _untraceable
    __sub__ = __rsub__ = __pow__ = __rpow__ = __matmul__ = __rmatmul__ = _untraceable
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pos__ = _untraceable


def times(p: Any, q: Any) -> Any:
    """Return ``p * q`` of numbers."""
    return p * q


def plus(p: Any, q: Any) -> Any:
    """Return ``p + q`` of numbers."""
    return p + q


def over(p: Any, q: Any) -> Any:
    """Return ``p / q`` of numbers.

    Raises
    ------
    ZeroDivisionError
        For numbers of NumPy's too: carried out by itself, the operation would not have divided.
    """
    if q == 0:
        raise ZeroDivisionError
    return p / q


OF_NUMBERS = (times, plus, over)
