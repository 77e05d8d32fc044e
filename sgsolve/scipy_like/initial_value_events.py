"""Events as `scipy.integrate.solve_ivp` takes them: with attributes, and zero at the start."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..arrays import Vector
from ..errors import DataTypeError, InputError
from ..results.branch import Branch
from ..transient import TimeEvent

Function = Callable[..., Any]

LEAVING = 1e-6  # of the run: after which it is seen where an event at the start goes


class Zeros:
    """The events of a run, and those that are zero at its start.

    Parameters
    ----------
    given : sequence of callable
        ``event(t, y, *args)``.
    sign : float
        Of the direction of the run.
    """

    def __init__(self, given: Sequence[Any], args: tuple[Any, ...], sign: float) -> None:
        for event in given:
            if not callable(event):
                raise DataTypeError(f"an event must be a function event(t, y), not {event!r}")
        self.given, self.args = given, args
        self.names = [f"event {i}" for i in range(len(given))]
        self.counts = [occurrences(event) for event in given]
        self.events = {
            name: TimeEvent(
                lambda y, t, event=event: event(sign * t, y, *args),
                float(getattr(event, "direction", 0.0)),
            )
            for name, event in zip(self.names, given, strict=True)
        }
        self.at_start: list[tuple[float, Vector] | None] = [None] * len(given)

    def look_at_start(self, fun: Function, begin: float, end: float, y: Vector) -> bool:
        """Find the events that are zero at the start; return whether one of them ends the run."""
        y = np.array(y, dtype=float)
        plain = [
            _WithArguments(event, self.args, getattr(event, "direction", 0.0))
            for event in self.given
        ]
        flow = _WithArguments(fun, self.args)
        passing = zeros_at_start(flow, plain, begin, y, LEAVING * (end - begin))
        self.at_start = [(begin, y) if passes else None for passes in passing]
        self.counts = [
            n - passes if n else 0 for n, passes in zip(self.counts, passing, strict=True)
        ]
        ended = [
            passes and occurrences(event) == 1
            for passes, event in zip(passing, self.given, strict=True)
        ]
        return any(ended)

    @property
    def stop(self) -> dict[str, int]:
        """After how many more zeros the run ends."""
        return {name: n for name, n in zip(self.names, self.counts, strict=True) if n}

    def lists(self, branch: Branch | None, sign: float) -> tuple[list[Vector], list[Vector]]:
        """Return the times and the states of all zeros, by event."""
        times, states = [], []
        for name, first in zip(self.names, self.at_start, strict=True):
            points = [] if branch is None else branch.special_points
            found = [(sign * one.parameter, one.x) for one in points if one.kind == name]
            found = [*([] if first is None else [first]), *found]
            times.append(np.array([t for t, _ in found]))
            states.append(np.array([y for _, y in found]))
        return times, states


class _WithArguments:
    """A function of (t, y) with further arguments."""

    def __init__(self, function: Function, args: tuple[Any, ...], direction: Any = 0.0) -> None:
        self.function, self.args, self.direction = function, args, direction

    def __call__(self, t: float, y: Vector) -> Any:
        return self.function(t, y, *self.args)


def occurrences(event: Any) -> int:
    """Return after how many zeros of an event the run ends; 0 if it does not."""
    terminal = getattr(event, "terminal", None)
    if terminal is None or isinstance(terminal, bool | np.bool_):
        return int(terminal or 0)
    if not isinstance(terminal, numbers.Integral) or terminal < 1:
        raise InputError(f"event.terminal must be True, False or a number, not {terminal!r}")
    return int(terminal)


def zeros_at_start(
    fun: Function, events: Sequence[Function], t: float, y: Vector, step: float
) -> list[bool]:
    """Return for each event whether it is zero at the start and passes in its direction.

    Parameters
    ----------
    step : float
        To a later time, with the sign of the run.
    """
    found = []
    for event in events:
        at_start, direction = event(t, y), getattr(event, "direction", 0.0)
        passes = np.size(at_start) == 1 and float(np.ravel(at_start)[0]) == 0.0
        if passes and direction:
            later = event(t + step, y + step * np.asarray(fun(t, y), dtype=float))
            passes = direction * float(np.ravel(later)[0]) >= 0.0
        found.append(passes)
    return found
