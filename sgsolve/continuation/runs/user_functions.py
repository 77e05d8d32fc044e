"""Functions of the user that are called at every point: outputs, events, conditions to stop.

Each function gets a copy of the state, so it cannot change the stored one. Outputs are evaluated at
every point of a run, so states need not be kept.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ...arrays import Vector
from ...errors import DataTypeError, InputError, ParameterError
from ..columns import Column
from .view import View

Function = Callable[..., Any]

UNKNOWNS = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
UNNAMED = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL)

_kept_parameters: WeakKeyDictionary[Any, tuple[Any, list[inspect.Parameter]]] = WeakKeyDictionary()


class UnfitError(DataTypeError):
    """A function of the user returned a value of a wrong kind; the run keeps its points."""


def named(argument: str, functions: Any, taken: Sequence[str] = ()) -> dict[str, Function]:
    """Return functions by their names; raise an error that names the argument.

    `taken` are the names of other columns of the branch.
    """
    if functions is None:
        return {}
    if not isinstance(functions, Mapping):
        raise DataTypeError(
            f"{argument} must map names to functions, as {{'name': function}}, not {functions!r}"
        )
    for name, function in functions.items():
        if not isinstance(name, str):
            raise DataTypeError(f"{argument}: the name of a function must be a text, not {name!r}")
        if name in taken:
            raise InputError(
                f"{argument}: {name!r} is a column that the branch has anyway; use another name"
            )
        if not callable(function):
            raise DataTypeError(f"{argument}: {name!r} must be a function of x, not {function!r}")
    return dict(functions)


def called(function: Function, x: Vector, params: Mapping[str, Any]) -> Any:
    """Call a function with a copy of x and those parameters that it names."""
    return call_with_parameters(function, x.copy(), params)


def numbers(what: str, function: Function, x: Vector, params: Mapping[str, Any]) -> Vector:
    """Call a function that returns a number or an array of numbers; return it as an array."""
    value = called(function, x, params)
    found = _numeric_value(value)
    if found.dtype.kind not in "biufc":
        raise UnfitError(f"{what} must return a number or an array of numbers, not {value!r}")
    return found


def number(what: str, function: Function, x: Vector, params: Mapping[str, Any]) -> float:
    """Call a function that returns one real number."""
    return checked_number(what, called(function, x, params))


def checked_number(what: str, value: Any) -> float:
    """Return what a function returned, if it is one real number."""
    found = _numeric_value(value)
    if found.size != 1 or found.dtype.kind not in "biuf":
        raise UnfitError(f"{what} must return one real number, not {value!r}")
    return float(found.item())


def _numeric_value(value: Any) -> Vector:
    try:
        return np.array(value)
    except ValueError:  # lists of different lengths
        return np.array(None)


def call_with_parameters(
    function: Callable[..., Any],
    x: Any,
    params: Mapping[str, Any],
    evaluated: Callable[..., Any] = operator.call,
) -> Any:
    """Call a functional with x and those parameters that it names.

    `evaluated` makes the call: `evaluate` returns lists as arrays.

    Raises
    ------
    ParameterError
        If it needs a parameter that the problem does not have.
    """
    taken = _parameters(function)
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in taken):
        return evaluated(function, x, **params)
    missing = [p.name for p in taken if p.default is p.empty and p.name not in params]
    if missing:
        known = ", ".join(repr(name) for name in params) or "none"
        raise ParameterError(
            f"a functional takes {missing[0]!r}, which is no parameter of the problem; its "
            f"parameters are {known}. A functional gets x with all unknowns: problem.unpack(x) "
            "gives the blocks"
        )
    return evaluated(function, x, **{p.name: params[p.name] for p in taken if p.name in params})


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """Return the named arguments of a function besides x; none of a function not in Python.

    Those of a plain function are kept: events are evaluated several times in every step.
    """
    if not inspect.isfunction(function) or vars(function):  # an attribute may state another one
        return _found_parameters(function)
    optional = len(function.__defaults__ or ()), tuple(function.__kwdefaults__ or ())
    now = (function.__code__, optional)
    before, parameters = _kept_parameters.get(function, (None, []))
    if before != now:
        parameters = _found_parameters(function)
        _kept_parameters[function] = now, parameters
    return parameters


def _found_parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    bound = function.keywords if isinstance(function, partial) else {}
    plain = inspect.isfunction(function) or inspect.ismethod(function)
    if not (plain or isinstance(function, partial) or inspect.isfunction(type(function).__call__)):
        return []  # np.max and its kind have arguments of their own
    every = list(inspect.signature(function).parameters.values())
    if every and every[0].kind in UNKNOWNS:
        every = every[1:]
    return [p for p in every if p.kind not in UNNAMED and p.name not in bound]


def output_columns(functions: Mapping[str, Callable[..., Any]], view: View) -> list[Column]:
    """Return a column for each function ``f(x, **parameters)`` -> number or array."""
    return [
        Column(name, _CheckedOutput(name, function, view)) for name, function in functions.items()
    ]


class _CheckedOutput:
    """The value of one function at a point, of the same shape at all points."""

    def __init__(self, name: str, function: Callable[..., Any], view: View) -> None:
        self.name, self.function, self.view = name, function, view
        self.shape: tuple[int, ...] | None = None

    def __call__(self, point: Any) -> Any:
        what = f"output {self.name!r} at {self.view.place(point.p)}"
        found = numbers(what, self.function, *self.view.seen(point))
        if self.shape is None:
            self.shape = found.shape
        if found.shape != self.shape:
            raise UnfitError(
                f"{what} returned numbers of shape {np.shape(found)}, and of shape "
                f"{self.shape} before"
            )
        return found
