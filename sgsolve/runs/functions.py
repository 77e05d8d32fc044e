"""Functions of the user that look on: outputs, events, conditions to stop.

They may do what they like with what they are handed, for each gets a copy; what is stored and gone
on from is out of their reach.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataTypeError, InputError
from ..problem.functional import call_with_parameters

Vector = NDArray[Any]
Function = Callable[..., Any]


class UnfitError(DataTypeError):
    """What a function of the user returned cannot serve; a run that has points keeps those."""


def named(argument: str, functions: Any, taken: Sequence[str] = ()) -> dict[str, Function]:
    """Return functions by their names, or complain of the argument that gave them.

    `taken` are columns that the branch has anyway.
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
    found = _array(value)
    if found.dtype.kind not in "biufc":
        raise UnfitError(f"{what} must return a number or an array of numbers, not {value!r}")
    return found


def number(what: str, function: Function, x: Vector, params: Mapping[str, Any]) -> float:
    """Call a function that returns one real number."""
    value = called(function, x, params)
    found = _array(value)
    if found.size != 1 or found.dtype.kind not in "biuf":
        raise UnfitError(f"{what} must return one real number, not {value!r}")
    return float(found.item())


def _array(value: Any) -> Vector:
    try:
        return np.array(value)
    except ValueError:  # lists of different lengths
        return np.array(None)
