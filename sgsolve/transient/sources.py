"""Sources: functions of time with known jumps and kinks, for parameters of a transient.

A step ends where a source jumps or has a kink, and the method restarts there. A plain function of
time does not declare such times: pass them as ``breakpoints`` to `Problem.transient`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Any

import numpy as np

from ..errors import InputError

MOST = 100_000  # breakpoints of one source within a run


@dataclass(frozen=True)
class Pulse:
    """A pulse from `low` to `high` with linear edges, once or again and again.

    Parameters
    ----------
    low, high : float
        The two levels.
    delay : float
        When the first pulse begins to rise.
    width : float
        How long it stays at `high`.
    rise, fall : float
        Duration of the edges; 0 is a jump.
    period : float
        From pulse to pulse. Infinite, the default, is one pulse.

    Raises
    ------
    InputError
        If a duration is negative, or the period is shorter than the pulse.

    See Also
    --------
    PiecewiseLinear : Any sequence of points.

    Examples
    --------
    >>> from sgsolve.transient import Pulse
    >>> pulse = Pulse(0.0, 5.0, delay=1.0, width=2.0, rise=0.5)
    >>> pulse(0.9), pulse(1.25), pulse(2.0), pulse(3.6)
    (0.0, 2.5, 5.0, 0.0)
    >>> pulse.breakpoints(0.0, 10.0)
    [1.0, 1.5, 3.5]
    """

    low: float
    high: float
    delay: float = 0.0
    width: float = float("inf")
    rise: float = 0.0
    fall: float = 0.0
    period: float = float("inf")

    def __post_init__(self) -> None:
        length = self.rise + self.width + self.fall
        if min(self.rise, self.width, self.fall) < 0.0 or not self.period > 0.0:
            raise InputError(f"durations of a pulse must not be negative: {self!r}")
        if self.period < length:
            raise InputError(f"the period of a pulse is shorter than the pulse, {length:g}")

    def __call__(self, t: float) -> float:
        """Return the value at a time; at a jump the one after it."""
        since = t - self.delay
        if since < 0.0:
            return self.low
        if self.period < np.inf:
            since -= floor(since / self.period) * self.period
        height = self.high - self.low
        if since < self.rise:
            return self.low + height * since / self.rise
        since -= self.rise
        if since < self.width:
            return self.high
        since -= self.width
        return self.high - height * since / self.fall if since < self.fall else self.low

    def breakpoints(self, t0: float, t1: float) -> list[float]:
        """Return the times of jumps and kinks in t0 < t < t1."""
        edges = np.cumsum([0.0, self.rise, self.width, self.fall])
        times = {self.delay + edge for edge in edges if edge < np.inf}
        if self.period < np.inf:
            first = max(0, floor((t0 - self.delay) / self.period))
            last = max(0, ceil((t1 - self.delay) / self.period))
            if (last - first) * len(times) > MOST:
                raise InputError(f"{self!r} has more than {MOST} jumps and kinks in the run")
            times = {t + k * self.period for t in times for k in range(first, last + 1)}
        return sorted(float(t) for t in times if t0 < t < t1)


@dataclass(frozen=True)
class PiecewiseLinear:
    """Straight lines between points; the first and the last value beyond them.

    Parameters
    ----------
    times : sequence of float
        Increasing; the same time twice is a jump.
    values : sequence of float
        One for each time.

    Raises
    ------
    InputError
        If the times do not increase, or there is not one value for each.

    See Also
    --------
    Pulse : A periodic source.

    Examples
    --------
    >>> from sgsolve.transient import PiecewiseLinear
    >>> ramp = PiecewiseLinear([0.0, 1.0, 1.0], [0.0, 2.0, 5.0])
    >>> ramp(0.5), ramp(1.0), ramp(7.0)
    (1.0, 5.0, 5.0)
    >>> ramp.breakpoints(0.0, 2.0)
    [1.0]
    """

    times: Sequence[float]
    values: Sequence[float]

    def __post_init__(self) -> None:
        times, values = np.asarray(self.times, float), np.asarray(self.values, float)
        if times.ndim != 1 or times.shape != values.shape or not len(times):
            raise InputError("a PiecewiseLinear needs as many times as values")
        if np.any(np.diff(times) < 0.0) or not np.isfinite([times, values]).all():
            raise InputError("the times of a PiecewiseLinear must increase, and all be finite")

    def __call__(self, t: float) -> float:
        """Return the value at a time; at a jump the one after it."""
        k = int(np.searchsorted(self.times, t, side="right"))
        if k == 0 or k == len(self.times):
            return float(self.values[0 if k == 0 else -1])
        before, after = self.times[k - 1], self.times[k]
        part = (t - before) / (after - before)
        return float((1.0 - part) * self.values[k - 1] + part * self.values[k])

    def breakpoints(self, t0: float, t1: float) -> list[float]:
        """Return the times of jumps and kinks in t0 < t < t1."""
        return sorted({float(t) for t in self.times if t0 < t < t1})


def breakpoints_of(source: Any, t0: float, t1: float) -> list[float]:
    """Return the breakpoints that a function of time declares; none if it declares nothing."""
    declared = getattr(source, "breakpoints", None)
    return [float(t) for t in declared(t0, t1)] if callable(declared) else []
