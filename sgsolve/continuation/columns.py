"""Columns of a branch: a name, and a function from a point of the run to a value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Column:
    """One column of the table of a branch.

    Parameters
    ----------
    name : str
        Under which the branch has it: ``branch[name]``.
    value : callable
        ``value(point)`` -> number, or array of one shape at all points. It must not change
        anything: the row may be discarded.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve.continuation.stepper import Point
    >>> Column("size", lambda point: float(abs(point.x).max())).value(Point(np.array([-2.0]), 0.0))
    2.0
    """

    name: str
    value: Callable[[Any], Any]
