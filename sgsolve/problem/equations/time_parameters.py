"""The parameters of a problem at any time.

The residual and the storage get the time as their parameter ``t`` if they have one. A parameter
that is a function of time is evaluated before each call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ...errors import DomainError
from ..inputs.returned import source_value
from ..inputs.signature import TIME
from .residual_system import ResidualSystem


class TimeParameters:
    """The parameters of the equations of a problem at any time.

    Parameters
    ----------
    system : ResidualSystem
        The equations, with their parameters at the first time.
    functions : mapping of str to callable
        Parameters that are functions of time.

    Attributes
    ----------
    functions : mapping of str to callable
    timed : bool
        Whether the time is a parameter of the residual.
    """

    def __init__(
        self, system: ResidualSystem, functions: Mapping[str, Callable[[float], Any]]
    ) -> None:
        self.functions, self.timed = dict(functions), system.takes(TIME)
        self._first, self._defaults = dict(system.params), system.defaults
        self._latest: tuple[float, dict[str, Any]] | None = None

    @property
    def are_constant(self) -> bool:
        """Whether nothing but the unknowns changes with time."""
        return not (self.timed or self.functions)

    def at(self, t: float) -> dict[str, Any]:
        """Return the parameters at a time, as the residual gets them.

        Raises
        ------
        DomainError
            If a function of time is not finite there: it fails the step.
        """
        if self._latest is None or self._latest[0] != t:
            moved = {name: _finite_value(name, f, t) for name, f in self.functions.items()}
            now = {**self._first, **moved, **({TIME: t} if self.timed else {})}
            self._latest = (t, now)
        return self._latest[1]

    def every(self, t: float) -> dict[str, Any]:
        """Return the parameters at a time, and the time itself, as a function may name them."""
        return {**self._defaults, **self.at(t), TIME: t}

    def default(self, name: str) -> Any:
        """Return the value that the residual itself gives to a parameter."""
        return self._defaults.get(name)


def _finite_value(name: str, function: Callable[[float], Any], t: float) -> Any:
    value = source_value(name, function, t)
    if not np.isfinite(value).all():
        raise DomainError(f"parameter {name!r} is {value} at t = {t:.9g}")
    return value
