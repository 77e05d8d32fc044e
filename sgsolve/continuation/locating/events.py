"""Events: points of a run where a function of the user changes sign.

An event lies between two points of the run. Trial points between them are solutions of the
equations, so the event has the accuracy of the other points and lies on the same branch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...arrays import Vector
from ...results.special_points import SpecialPoint
from ..stepper import Found, Point
from .approximate_points import approximate_special_point
from .bracket import opposite
from .detector import Detector
from .locate import crossing

TOLERANCE = 1e-13  # of the fraction of a step


class Event(Detector):
    """The detector of one event; see `sgsolve.continuation.locating.detector.Detector`.

    Parameters
    ----------
    name : str
        Kind of the special points that it finds.
    function : callable
        ``function(x, p)`` -> float.
    action : callable, optional
        ``action(x, p) -> x``: the state from which the run restarts at the event.
    direction : float
        Positive: only increasing zeros; negative: only decreasing zeros; 0: both.
    """

    def __init__(
        self,
        name: str,
        function: Callable[[Vector, float], float],
        action: Callable[[Vector, float], Vector] | None = None,
        direction: float = 0.0,
    ) -> None:
        self.kind, self.function = name, function
        self.action, self.direction = action, direction

    def measure(self, stepper: Any, point: Point, before: Point | None) -> None:
        """Evaluate the function of the user."""
        point.tests[self.kind] = self._test(point)

    def locate(self, stepper: Any, a: Point, b: Point) -> list[Found]:
        """Return the event between two points, or an empty list."""
        first, last = a.tests[self.kind], b.tests[self.kind]
        if not self.passes(first, last):
            return []
        found = crossing(stepper, a, b, self._test, TOLERANCE, (first, last))
        if found is None:
            return []
        point = found.point
        if not found.exact:
            about = approximate_special_point(self.kind, point, found.other)
            about.action = self.action
            return [about]
        special = SpecialPoint(self.kind, point.p, point.x.copy(), tangent=point.tangent)
        return [Found(point, special, action=self.action)]

    def passes(self, first: float, last: float) -> bool:
        """Whether values in this order mean an event between them, or at the last one."""
        if first == 0.0 or not opposite(first, last):
            return False
        return not self.direction * (last - first) < 0.0

    def _test(self, point: Point) -> float:
        return float(self.function(point.x, point.p))
