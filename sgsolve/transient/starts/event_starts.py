"""On which side of zero an event function is right after a start, and whether events accumulate.

After an action the function is often zero within rounding. Its sign right after the start is then
that of its slope along the solution.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...arrays import Vector

Function = Callable[[Vector, float], float]

ULP = 100.0  # events are located within so many units in the last place of the time
PARTS = (1.0 / 64.0, 1.0, 64.0, 4096.0)  # times the first step, until rounding hides no slope
LEFT_OVER = 60.0  # roundings of the function: what a step that ends at its zero may leave
SAFETY = 4.0  # on estimates of rounding
UNITS = 8.0  # in the last place, by which unknowns are changed to see the rounding of a function
SHORTEST = 2e4  # units in the last place of the time: events this close are not separated well
LOWEST = 400.0  # rounding units of the function that it must reach between two events
OF_INTERVAL = 0.05  # between events: the first step after an action, at most
FALLING, MANY = 3, 10  # intervals: that shrink to the resolution; that are all below it
KEPT = MANY + 1  # times of events


@dataclass
class EventStart:
    """A start of the method, as one event sees it.

    Attributes
    ----------
    slope : ndarray, shape (n,)
        dx/dt.
    kind : {"first", "jump", "action"}
        The start of the run; a jump of the equations; a state that the action of an event made.
    slack : float
        The change of the function by algebraic equations that held within the tolerance.
    """

    t: float
    slope: Vector
    kind: str
    slack: float = 0.0


@dataclass(frozen=True)
class Departure:
    """How an event function leaves its value at a start.

    Attributes
    ----------
    rate : float
        The rate of change along the solution; zero where rounding hides it.
    rounding : float
        The rounding error of the function.
    zero : bool
        Whether the value is zero within rounding and the location of events.
    """

    rate: float
    rounding: float
    zero: bool


def departure_of(
    function: Function, x: Vector, value: float, start: EventStart, end: float, residue: float
) -> Departure:
    """Return how a function leaves its value at a start.

    Parameters
    ----------
    function : callable
        ``function(x, t)`` -> float.
    x : ndarray, shape (n,)
        The state at the start.
    value : float
        Of the function there.
    end : float
        Of the first step.
    residue : float
        The value of the function where the event was located, if it starts from there.
    """
    t, h, rate = start.t, end - start.t, 0.0
    rounding = _rounding_of(function, x, t, value)
    for part in PARTS:
        change = function(x + part * h * start.slope, t + part * h) - value
        if np.isfinite(change) and abs(change) > SAFETY * rounding:
            rate = change / (part * h)
            break
    level = LEFT_OVER * rounding + SAFETY * (start.slack + abs(residue))
    level += SAFETY * ULP * _last_place(t, end) * abs(rate)
    return Departure(rate, rounding, abs(value) <= level)


def intervals_vanish(times: Sequence[float], end: float, departed: Departure) -> bool:
    """Whether the intervals between events of one kind have shrunk to what can be resolved.

    Parameters
    ----------
    times : sequence of float
        Of the last events.
    end : float
        Of the first step after the last one.
    departed : Departure
        How the function leaves zero after the last one.
    """
    intervals = np.diff(times)
    if len(intervals) < FALLING:
        return False
    lowest = LOWEST * departed.rounding / abs(departed.rate) if departed.rate else 0.0
    shortest = max(SHORTEST * _last_place(times[-1], end), lowest)
    last = intervals[-FALLING:]
    if last[-1] <= shortest and bool(np.all(np.diff(last) < 0.0)):
        return True
    return len(intervals) >= MANY and bool(np.all(intervals[-MANY:] <= shortest))


def ending(kind: str, times: Sequence[float]) -> str:
    """Return the message of a run that ends where events accumulate."""
    return (
        f"events of {kind!r} accumulate at t = {times[-1]:.9g}: the last ones are "
        f"{times[-1] - times[-2]:.3g} apart, which is not resolved, and the run cannot pass them. "
        f"End the run there by stop={{{kind!r}: number}} or an earlier last time, or let "
        "on_event change to equations that hold beyond, such as those of a body at rest"
    )


def _last_place(*times: float) -> float:
    return float(np.spacing(max(abs(t) for t in times)))


def _rounding_of(function: Function, x: Vector, t: float, value: float) -> float:
    """Return about the rounding error of a function, by unknowns that change in the last place."""
    signs = np.where(np.sin(np.arange(1.0, len(x) + 1.0) ** 2) > 0.0, 1.0, -1.0)  # no pattern
    change = abs(function(x + UNITS * signs * np.spacing(np.abs(x)), t) - value) / UNITS
    return change if np.isfinite(change) else 0.0


def shortest_return(t: float) -> float:
    """Return the length of a step within which an event that returns cannot be located."""
    return SHORTEST * _last_place(t)


def first_step_after(interval: float, t: float) -> float:
    """Return the longest first step after an action, by the last interval between its events."""
    return OF_INTERVAL * max(interval, SHORTEST * _last_place(t))
