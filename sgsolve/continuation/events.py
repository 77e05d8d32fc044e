"""Events: places on the curve where a functional of the user passes through zero.

An event is bracketed by two points of the curve and closed in on along it, each trial a corrected
point; so it is as exact as the points are, and on the same branch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from ..results.special_points import Special
from .bracket import opposite
from .curve import Curve, Spot
from .detector import Found
from .roots import crossing
from .rough import rough

Vector = NDArray[Any]

TOLERANCE = 1e-13  # of the fraction of a step


class Event:
    """The detector of one event; see `sgsolve.continuation.detector.Detector`.

    Parameters
    ----------
    name : str
        Kind of the special points that it finds.
    function : callable
        ``function(x, p)`` -> float.
    """

    needs_factorization = False

    def __init__(self, name: str, function: Callable[[Vector, float], float]) -> None:
        self.name, self.function = name, function

    def measure(self, curve: Curve, spot: Spot, before: Spot | None) -> None:
        """Evaluate the functional."""
        spot.tests[self.name] = self._test(spot)

    def locate(self, curve: Curve, a: Spot, b: Spot) -> list[Found]:
        """Return the event between two spots, if there is one."""
        first, last = a.tests[self.name], b.tests[self.name]
        if first == 0.0 or not opposite(first, last):
            return []
        found = crossing(curve, a, b, self._test, TOLERANCE, (first, last))
        if found is None:
            return []
        spot = found.spot
        if not found.exact:
            return [rough(curve, self.name, spot, found.other)]
        special = Special(self.name, spot.p, spot.x.copy(), tangent=spot.tangent)
        return [Found(spot, special)]

    def _test(self, spot: Spot) -> float:
        return float(self.function(spot.x, spot.p))
