"""Outputs: functionals of the solution that become columns of a branch.

A plot needs a number per point; it is computed when the point is there, so that states
need not be kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .functions import UnfitError, named, numbers

Vector = NDArray[Any]


class Outputs:
    """Functionals of the solution that become columns of the branch.

    Parameters
    ----------
    functions : mapping of str to callable, or None
        ``f(x, **params)`` -> number; parameters are passed as far as the function takes them.
    taken : sequence of str
        Columns that the branch has anyway.
    """

    def __init__(
        self, functions: Mapping[str, Callable[..., Any]] | None, taken: Sequence[str] = ()
    ) -> None:
        self.functions = named("outputs", functions, taken)
        self.rows: dict[str, list[Any]] = {name: [] for name in self.functions}

    def append(self, x: Vector, params: Mapping[str, Any], place: str) -> None:
        """Evaluate all of them at a solution; keep all or, if one fails, none.

        `place` says where it is, in words.
        """
        found = {}
        for name, function in self.functions.items():
            what = f"output {name!r} at {place}"
            found[name] = numbers(what, function, x, params)
            shape = np.shape(self.rows[name][0]) if self.rows[name] else found[name].shape
            if found[name].shape != shape:
                raise UnfitError(
                    f"{what} returned numbers of shape {found[name].shape}, and of shape "
                    f"{shape} before"
                )
        for name, value in found.items():
            self.rows[name].append(value)
