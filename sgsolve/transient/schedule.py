"""The times of a run: where steps must end, where rows are recorded, how long steps may be."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, nextafter, ulp
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import real_array
from ..errors import DataTypeError, InputError, NotFiniteError

SHORTEST = 1e-30  # of the length of the run: steps below this cannot help
RESOLVED = 100.0  # units in the last place of the time, of which a run must be long


@dataclass(frozen=True)
class Schedule:
    """The times of a run from t0 to t1.

    Attributes
    ----------
    rows : ndarray or None
        Times to record; None records the end of every step.
    breakpoints : tuple of float
        Where the equations jump or have a kink, in t0 < t < t1, increasing.
    exact : bool
        Whether steps end at the times to record, which are interpolated otherwise.
    """

    t0: float
    t1: float
    rows: NDArray[Any] | None = None
    breakpoints: tuple[float, ...] = ()
    first_step: float | None = None
    max_step: float = inf
    exact: bool = False

    @property
    def length(self) -> float:
        """The length of the run."""
        return self.t1 - self.t0

    def min_step(self, t: float) -> float:
        """Return the length below which a step from t cannot be made."""
        return max(4.0 * ulp(t), SHORTEST * self.length)

    def next_stop(self, t: float, jumps: Sequence[float] = ()) -> float:
        """Return the next time after t at which a step must end, just before a breakpoint.

        Parameters
        ----------
        jumps : sequence of float
            More of them, increasing.
        """
        stop = self.t1
        for places in (self.breakpoints, jumps):
            if not places:
                continue
            k = bisect_right(places, after(t))
            if k < len(places):
                stop = min(stop, before(places[k]))
        if self.exact and self.rows is not None:
            stop = min([stop, *self.rows[self.rows.searchsorted(t, "right") :][:1].tolist()])
        return stop

    def next_row(self, t: float) -> float:
        """Return the next time after t that is recorded though no step ends there."""
        if self.rows is None or self.exact:
            return inf
        later = self.rows[self.rows.searchsorted(t, "right") :][:1]
        return float(later[0]) if len(later) else inf

    def is_row(self, t: float) -> bool:
        """Whether the state at t is to be recorded."""
        return self.rows is None or t in self.rows[self.rows.searchsorted(t) :][:1]

    def rows_within(self, a: float, b: float) -> NDArray[Any]:
        """Return the times to record in a < t <= b."""
        if self.rows is None:
            return np.zeros(0)
        return self.rows[slice(*self.rows.searchsorted([a, b], "right"))]


def before(t: float) -> float:
    """Return the largest number below t."""
    return nextafter(t, -inf)


def after(t: float) -> float:
    """Return the smallest number above t."""
    return nextafter(t, inf)


def checked_span(times: Any) -> tuple[float, float]:
    """Return (t0, t1); raise if they are no interval."""
    try:
        t0, t1 = (float(t) for t in times)
    except (TypeError, ValueError):
        raise DataTypeError(
            f"interval must be (first, last), two numbers, not {times!r}; times=[...] gives the "
            "times to record"
        ) from None
    if not (np.isfinite(t0) and np.isfinite(t1)):
        raise NotFiniteError(f"times must be finite, not ({t0:g}, {t1:g})")
    if t1 == t0:
        raise InputError(f"times: the run has no length, it begins and ends at t = {t0:g}")
    if t1 < t0:
        raise InputError(
            f"times must increase, not from {t0:g} to {t1:g}; to integrate backward, let s = -t be "
            "the time and change the sign of the storage"
        )
    unit = ulp(max(abs(t0), abs(t1)))
    if t1 - t0 < RESOLVED * unit:
        raise InputError(
            f"times: the run from t = {t0:.17g} to {t1:.17g} has the length {t1 - t0:.3g}, and "
            f"rounding resolves times to {unit:.3g} there; let the time begin at 0, or at another "
            "value of the size of the run"
        )
    return t0, t1


def checked_times(name: str, given: Any, span: tuple[float, float]) -> NDArray[np.float64]:
    """Return times within a run as an increasing array; raise if they are none."""
    times = real_array(given, f"{name} must be times")
    if times.ndim != 1:
        raise InputError(f"{name} must be a sequence of times, not of shape {times.shape}")
    if not np.isfinite(times).all():
        raise NotFiniteError(f"{name} holds a time that is not finite")
    if len(times) and not (span[0] <= times.min() and times.max() <= span[1]):
        raise InputError(
            f"{name} must lie within the run from {span[0]:g} to {span[1]:g}; it reaches from "
            f"{times.min():g} to {times.max():g}"
        )
    if np.any(np.diff(times) <= 0.0):
        raise InputError(f"{name} must increase")
    return times


def checked_step(name: str, step: Any) -> float:
    """Return the length of a step; raise if it is not positive and finite."""
    if isinstance(step, bool) or not isinstance(step, int | float | np.number):
        raise DataTypeError(f"{name} must be a number, not {step!r}")
    if not step > 0.0:
        raise InputError(f"{name} must be positive, not {step!r}")
    return float(step)
