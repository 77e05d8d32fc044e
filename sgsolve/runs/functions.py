"""Functions of the user that look on: outputs, events, conditions to stop.

One idea: they may do what they like with what they are handed, for each gets a copy; what is stored
and gone on from is out of their reach.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from ..systems.functional import call_with_parameters

Vector = NDArray[Any]
Function = Callable[..., Any]


def called(function: Function, x: Vector, params: Mapping[str, Any]) -> Any:
    """Call a function with a copy of x and those parameters that it names."""
    return call_with_parameters(function, x.copy(), params)
