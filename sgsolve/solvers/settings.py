"""Checks of the settings of solver parts, made when a part is created.

A wrong setting raises at once. The message names the part and the setting.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..errors import DataTypeError, InputError


def positive(part: Any, *names: str) -> None:
    """Raise `InputError` unless these settings of a part are numbers above zero."""
    _check(part, names, lambda value: value > 0.0, "positive")


def not_negative(part: Any, *names: str) -> None:
    """Raise `InputError` unless these settings of a part are numbers from zero on."""
    _check(part, names, lambda value: value >= 0.0, "zero or positive")


def tolerance(part: Any, *names: str) -> None:
    """Raise `InputError` unless these settings of a part are finite numbers from zero on."""
    _check(part, names, lambda value: 0.0 <= value < np.inf, "zero or positive, and finite")


def fraction(part: Any, *names: str) -> None:
    """Raise `InputError` unless these settings of a part lie above 0 and not above 1."""
    _check(part, names, lambda value: 0.0 < value <= 1.0, "above 0 and at most 1")


def made_of(part: Any, name: str, verb: str, example: str) -> None:
    """Raise `DataTypeError` unless a setting is an object with the method that is asked of it."""
    value = getattr(part, name)
    if isinstance(value, type) or not callable(getattr(value, verb, None)):
        raise DataTypeError(
            f"{name} must be an object with {verb}(), such as {example}, not {value!r}"
        )


def _check(part: Any, names: tuple[str, ...], holds: Callable[[float], bool], what: str) -> None:
    for name in names:
        given = getattr(part, name)
        by_block = isinstance(given, Mapping)
        for block, value in given.items() if by_block else ((None, given),):
            label = f"{type(part).__name__}: {name}" + (f" of block {block!r}" if by_block else "")
            if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
                raise DataTypeError(f"{label} must be a number, not {value!r}")
            if not holds(float(value)):
                raise InputError(f"{label} must be {what}, not {value!r}")
