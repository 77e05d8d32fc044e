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
import scipy

from ..arrays import Vector
from ..continuation.locating.bracket import opposite
from ..continuation.locating.detector import STEP_DOUBT, Doubt
from ..continuation.locating.events import Event
from ..continuation.runs.user_functions import UnfitError
from ..continuation.stepper import Found, Point
from ..errors import DataTypeError, InputError
from ..results.special_points import SpecialPoint
from .methods.time_step import TimeStep
from .starts.consistent_start import Start
from .starts.event_starts import KEPT, ULP, EventStart, departure_of, ending, intervals_vanish

SAMPLES = (0.25, 0.5, 0.75, 1.0)  # of a step: a pair of events within it is seen by them
SURE = 4.0  # times the value at a start: a change before the first sample that passes zero
POLISH = 5  # steps of the method at most that end where the event is estimated


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


class EventDetector(Event):
    """The detector of one event of a run in time; parameters as of `Event`."""

    marker = "o"

    def __init__(
        self,
        name: str,
        function: Callable[[Vector, float], float],
        action: Callable[[Vector, float], Vector] | None = None,
        direction: float = 0.0,
    ) -> None:
        super().__init__(name, function, action, direction)
        self.last = np.nan  # where it was found last
        self.residue = 0.0  # the value of the function there
        self.side = 0.0  # the sign of the function before the last step
        self.acted: list[float] = []  # the last times of the action
        self.begun: EventStart | None = None  # the last start of the method
        self.resting = False  # whether it is said that an action left the function at rest

    def measure(self, stepper: Any, point: Point, before: Point | None) -> None:
        """Evaluate the function; at an event it is zero, whatever rounding makes of it."""
        here = point.p == self.last and isinstance(point.at, TimeStep)
        value = 0.0 if here else float(self.function(point.x, point.p))
        if value != value:
            raise UnfitError(
                f"event {self.kind!r} is not a number at t = {point.p:.6g}; it must return a "
                "number wherever the run comes"
            )
        point.tests[self.kind] = value
        known = None if before is None else before.tests.get(self.kind)
        if isinstance(point.at, Start):
            self._begin(point, before, known)
        elif known and before is not None and before.p != point.p:
            self.side = float(np.sign(known))

    def _begin(self, point: Point, before: Point | None, known: float | None) -> None:
        """Record a start of the method."""
        kind = "first" if before is None else "jump" if before.at is not None else "action"
        slack = 0.0
        if kind == "action" and known is not None and not point.at.moved:
            slack = abs(point.tests[self.kind] - known)
        self.begun = EventStart(point.p, point.at.slope, kind, slack)

    def locate(self, stepper: Any, a: Point, b: Point) -> list[Found]:
        """Return the first event between two points, if there is one."""
        curve = stepper.inside(b)
        first, last = a.tests[self.kind], b.tests[self.kind]
        if curve is None:
            known = a.at is None and (a.p in self.acted[-1:] or not b.at.moved)
            return [self._found(b)] if self.passes(first, last) and not known else []
        leaving = 0.0
        if self.begun is not None and self.begun.t == a.p:
            first, leaving = self._at_start(stepper, self.begun, a, b)
            if first == 0.0 == leaving and a.p in self.acted[-1:]:
                self._look_at_rest(stepper, last)
        t, h, value = a.p, b.p - a.p, first
        at = 0.0
        for part in SAMPLES:
            new = last if part == 1.0 else self.function(curve(t + part * h), t + part * h)
            if new == 0.0 and leaving and at == 0.0:  # rounding: it has not left zero yet
                continue
            if leaving * np.sign(new) < 0.0:  # it left zero, and came back
                b.tests[STEP_DOUBT] = Doubt(
                    f"event {self.kind!r} returns to zero within the first step after a start"
                )
                return []
            if self.passes(value, new):
                return [self._polished(stepper, a, b, curve, (at, part))]
            if new != 0.0:
                at, value = part, new
        return []

    def _at_start(self, stepper: Any, start: EventStart, a: Point, b: Point) -> tuple[float, float]:
        """Return the value right after a start, and the sign towards which the function leaves.

        The latter is zero where the function has no slope, or tends towards zero and may not reach
        it before the first sample.
        """
        value = float(a.tests[self.kind])
        own = a.p in self.acted[-1:] or (self.action is None and a.p == self.last)
        residue = self.residue if own else 0.0
        left = departure_of(self.function, a.x, value, start, b.p, residue)
        if self.acted and a.p == self.acted[-1] and intervals_vanish(self.acted, b.p, left):
            stepper.accumulation = ending(self.kind, self.acted)
        leaving = float(np.sign(left.rate))
        if not left.zero or (start.kind == "jump" and not own):
            across = SAMPLES[0] * (b.p - a.p) * abs(left.rate) > SURE * abs(value)
            return value, leaving if across or leaving * value > 0.0 else 0.0
        if own or start.kind == "first":
            return (leaving if leaving or own else value), leaving
        if self.direction == 0.0:
            return self.side or value, leaving
        return (-leaving if self.direction * leaving > 0.0 else leaving), leaving

    def _look_at_rest(self, stepper: Any, last: float) -> None:
        """Say so where the function starts at zero with slope zero, and passes zero all the same.

        An action that brings a body to rest does not hold it: the equations go on as before.
        """
        if last * self.side < 0.0 and not self.resting:
            self.resting = True
            stepper.remarks.append(
                f"on_event of {self.kind!r} left the event function at rest at zero at "
                f"t = {self.acted[-1]:.9g}, and the equations moved it on to the other side: they "
                "do not hold it there. Let on_event change a further unknown without a rate, by "
                f"which the residual holds it, or end the run by stop={self.kind!r}"
            )

    def save(self, point: Point) -> dict[str, Any]:
        """Return what a resumed run needs."""
        kept = {
            "value": point.tests[self.kind],
            "numbers": np.array([self.last, self.residue, self.side]),
            "acted": np.array(self.acted),
        }
        if self.begun is not None and self.begun.t == point.p:
            kept |= {"slope": self.begun.slope, "start": self.begun.kind}
            kept["slack"] = self.begun.slack
        return kept

    def restore(self, point: Point, saved: Mapping[str, Any]) -> None:
        """Restore what `save` returned."""
        if "value" not in saved:
            return
        point.tests[self.kind] = float(saved["value"])
        self.last, self.residue, self.side = (float(one) for one in saved["numbers"])
        self.acted = [float(t) for t in saved["acted"]]
        if "slope" in saved:
            slope, kind = np.array(saved["slope"]), str(saved["start"])
            self.begun = EventStart(point.p, slope, kind, float(saved["slack"]))

    def passes(self, first: float, last: float) -> bool:
        """Whether two finite values in this order mean an event."""
        return bool(np.isfinite(first) and np.isfinite(last)) and super().passes(first, last)

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

        def along(part: float) -> float:
            time = t + part * h
            return self.function(b.x if part == 1.0 else curve(time), time)

        reach = ULP * float(np.spacing(max(abs(t), abs(b.p)))) / h
        root, slope = _root_along(along, *bracket)
        part = max(root, 4.0 * reach)
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
            if slope == 0.0:  # rounding hides it
                break
            change = min(1.0, max(0.5 * part, part - value / slope)) - part
            if abs(change) <= reach or abs(change) >= moved:
                break
            before, part, moved = (part, value), part + change, abs(change)
        return self._found(best)

    def _found(self, point: Point) -> Found:
        self.last, self.residue = point.p, float(self.function(point.x, point.p))
        action = None if self.action is None else self._act
        return Found(point, SpecialPoint(self.kind, point.p, point.x.copy()), action=action)

    def _act(self, x: Vector, t: float) -> Vector:
        """Return the state after the action."""
        assert self.action is not None
        if self.acted[-1:] != [t]:  # an interrupted step is made again
            self.acted = [*self.acted, t][-KEPT:]
        return self.action(x, t)


def _root_along(along: Callable[[float], float], low: float, high: float) -> tuple[float, float]:
    """Return the zero of a function between two parts of a step, and the mean slope there."""
    if low == 0.0:  # at the start the event may be zero to rounding, and is known
        low = 1e-6 * high if opposite(along(1e-6 * high), along(high)) else 0.0
    first, last = along(low), along(high)
    if opposite(first, last):
        root = float(scipy.optimize.toms748(along, low, high))
    else:  # one end is zero to rounding, with either sign
        root = low if abs(first) < abs(last) else high
    return root, (last - first) / (high - low)
