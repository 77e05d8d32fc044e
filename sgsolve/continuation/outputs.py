"""Outputs: functions of the solution that become columns of a branch.

They are evaluated at every point of the run, so states need not be kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .columns import Column
from .user_functions import UnfitError, numbers
from .view import View


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
