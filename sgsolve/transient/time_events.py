"""Events of a run in time: where a function of the state passes through zero.

An event is bracketed between samples of the solution within a step, and located by steps of the
method itself that end where the function vanishes: it is as exact as the steps are.

Reference: L. F. Shampine and S. Thompson, Comput. Math. Appl. 39 (2000) 43.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import toms748

from ..continuation.bracket import opposite
from ..continuation.detector import Detector
from ..continuation.stepper import Found, Point
from ..continuation.user_functions import UnfitError
from ..errors import DataTypeError, InputError
from ..results.special_points import SpecialPoint

Vector = NDArray[Any]

SAMPLES = (0.25, 0.5, 0.75, 1.0)  # of a step: a pair of events within it is seen by them
POLISH = 5  # steps of the method at most that end where the event is estimated
ULP = 100.0  # events are located within so many units in the last place of the time


@dataclass(frozen=True)
class TimeEvent:
    """A function of the state whose zeros are of interest, for ``events`` of a transient.

    Parameters
    ----------
    function : callable
        ``function(x, names of parameters...)`` -> number; ``t`` is among the parameters.
    direction : float
        Positive: only zeros where the function grows; negative: only where it falls; 0: all.

    Raises
    ------
    DataTypeError
        If `function` cannot be called.
    InputError
        If `direction` is no finite number.

    See Also
    --------
    Problem.transient : Takes it in ``events=``.

    Examples
    --------
    >>> from sgsolve.transient import TimeEvent
    >>> full = TimeEvent(lambda x: x[0] - 2.0, direction=1)
    """

    function: Callable[..., Any]
    direction: float = 0.0

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise DataTypeError(f"an event must be a function of x, not {self.function!r}")
        if not isinstance(self.direction, int | float) or not np.isfinite(self.direction):
            raise InputError(f"direction must be a number, -1, 0 or 1, not {self.direction!r}")


class EventDetector(Detector):
    """The detector of one event.

    Parameters
    ----------
    kind : str
        The name of the event.
    function : callable
        ``function(x, t)`` -> float.
    direction : float
    action : callable, optional
        ``action(x, t) -> x``: from which state the run starts anew.
    """

    marker = "o"

    def __init__(
        self,
        kind: str,
        function: Callable[[Vector, float], float],
        direction: float = 0.0,
        action: Callable[[Vector, float], Vector] | None = None,
    ) -> None:
        self.kind, self.function = kind, function
        self.direction, self.action = direction, action
        self.last = np.nan  # where it was found last

    def measure(self, stepper: Any, point: Point, before: Point | None) -> None:
        """Evaluate the function; at an event it is zero, whatever rounding makes of it."""
        here = point.p == self.last
        value = 0.0 if here else float(self.function(point.x, point.p))
        if value != value:
            raise UnfitError(
                f"event {self.kind!r} is not a number at t = {point.p:.6g}; it must return a "
                "number wherever the run comes"
            )
        point.tests[self.kind] = value

    def locate(self, stepper: Any, a: Point, b: Point) -> list[Found]:
        """Return the first event between two points, if there is one."""
        curve = stepper.inside(b)
        first, last = a.tests[self.kind], b.tests[self.kind]
        if curve is None:
            return [self._found(b)] if self._passes(first, last) else []
        t, h, value = a.p, b.p - a.p, first
        at = 0.0
        for part in SAMPLES:
            new = last if part == 1.0 else self.function(curve(t + part * h), t + part * h)
            if self._passes(value, new):
                return [self._polished(stepper, a, b, curve, (at, part))]
            if new != 0.0:
                at, value = part, new
        return []

    def save(self, point: Point) -> dict[str, Any]:
        """Return what a resumed run needs."""
        return {"value": point.tests[self.kind], "last": self.last}

    def restore(self, point: Point, saved: Mapping[str, Any]) -> None:
        """Take back what `save` returned."""
        if "value" in saved:
            point.tests[self.kind] = float(saved["value"])
            self.last = float(saved["last"])

    def _passes(self, first: float, last: float) -> bool:
        if first == 0.0 or not (np.isfinite(first) and np.isfinite(last)):
            return False
        crossed = (first < 0.0 <= last) or (last <= 0.0 < first)
        return crossed and not self.direction * (last - first) < 0.0

    def _polished(
        self,
        stepper: Any,
        a: Point,
        b: Point,
        curve: Callable[[float], Vector],
        bracket: tuple[float, float],
    ) -> Found:
        """Return the event within parts of a step, by steps that end at it."""
        t, h = a.p, b.p - a.p
        low, high = bracket

        def along(part: float) -> float:
            time = t + part * h
            return self.function(b.x if part == 1.0 else curve(time), time)

        reach = ULP * float(np.spacing(max(abs(t), abs(b.p)))) / h
        if low == 0.0:  # at the start the event may be zero to rounding, and is known
            low = 1e-6 * high if opposite(along(1e-6 * high), along(high)) else 0.0
        if opposite(along(low), along(high)):
            part = float(toms748(along, low, high))
        else:  # one end is zero to rounding, with either sign
            part = low if abs(along(low)) < abs(along(high)) else high
        part = max(part, 4.0 * reach)
        slope = (along(high) - along(low)) / (high - low)
        best, least, before, moved = b, np.inf, (part, np.nan), np.inf
        for _ in range(POLISH):
            point = b if part == 1.0 else stepper.between(a, b, part)
            if point is None:
                break
            value = self.function(point.x, point.p)
            if not abs(value) < least:  # rounding, or what is not smooth
                break
            best, least = point, abs(value)
            secant = (value - before[1]) / (part - before[0]) if part != before[0] else slope
            slope = secant if secant * slope > 0.0 else slope
            change = min(1.0, max(0.5 * part, part - value / slope)) - part
            if abs(change) <= reach or abs(change) >= moved:
                break
            before, part, moved = (part, value), part + change, abs(change)
        return self._found(best)

    def _found(self, point: Point) -> Found:
        self.last = point.p
        return Found(point, SpecialPoint(self.kind, point.p, point.x.copy()), action=self.action)
