"""Oscillations of a run that do not decay: errors of their phase add up from period to period.

One number of the state, a sum with random signs, is followed. It turns where it retreats from an
extreme value by half of its range. Only autonomous equations are asked: an oscillation that a
source drives forgets its errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

import numpy as np

from ..arrays import Vector
from .error_weights import LEAST, ErrorWeights
from .methods.time_step import TimeStep

PERIODS = 20  # after which errors of a few times rtol in each period are above 30 times rtol
RETREAT = 0.5  # of the range, at a turn
RANGE = 0.1  # of the size of the state, at least: the errors of a ripple are small beside the state
GROWN = 2.0  # by which sizes and the range grow before turns are counted anew


class Oscillations:
    """Counts the turns of a run.

    Parameters
    ----------
    weights : ErrorWeights
        With the magnitudes that the unknowns had so far.

    Attributes
    ----------
    turns : int
        Since the range was half as large.
    """

    def __init__(self, weights: ErrorWeights) -> None:
        self._weights, n = weights, weights.blocks.n
        self._signs = np.random.default_rng(0).choice([-1.0, 1.0], n) / sqrt(n)
        self._take_sizes(np.zeros(n))
        self._restart()

    def _restart(self) -> None:
        self.turns, self._rises, self._range = 0, True, 0.0
        self._low, self._high, self._extreme = np.inf, -np.inf, -np.inf
        self._first = self._last = -np.inf  # times of turns

    def follow(self, steps: Sequence[TimeStep]) -> None:
        """Take note of accepted steps."""
        for step in steps:
            grown = self._take(step.t, float(step.x.dot(self._factors)))
            if grown and (self._weights.largest > GROWN * self._sizes).any():
                self._take_sizes(self._of_weights())
                self._restart()
                self._take(step.t, float(step.x.dot(self._factors)))

    def _take_sizes(self, sizes: Vector) -> None:
        self._sizes, self._known = sizes, bool(sizes.any())
        self._factors: Vector = np.divide(
            self._signs, sizes, out=np.zeros_like(sizes), where=sizes > 0.0
        )

    def _of_weights(self) -> Vector:
        """Return the sizes of the unknowns: their own, or those of their blocks."""
        largest = self._weights.largest
        sizes = largest.copy()
        for part, apart in zip(self._weights.parts, self._weights.apart, strict=True):
            floor = (LEAST if apart else 1.0) * float(largest[part].max(initial=0.0))
            sizes[part] = np.maximum(sizes[part], floor)
        return sizes

    def _take(self, t: float, value: float) -> bool:
        """Take note of a value; return whether the range has grown."""
        if value < self._low:
            self._low = value
        if value > self._high:
            self._high = value
        width = self._high - self._low
        grown = width > GROWN * self._range or not self._known
        if grown:
            self._range, self.turns, self._first = width, 0, t
        ahead = value - self._extreme if self._rises else self._extreme - value
        if ahead >= 0.0:
            self._extreme = value
        elif -ahead > RETREAT * width:
            self.turns, self._last = self.turns + 1, t
            self._rises, self._extreme = not self._rises, value
        return grown

    def remark(self, t: float, one_step: bool) -> str:
        """Return what is to be said of a run that ended at t.

        Parameters
        ----------
        one_step : bool
            Whether the method of the run is a one-step method.
        """
        if self.turns < 2 * PERIODS or self._high - self._low < RANGE:
            return ""
        if t - self._last > 2.0 * (self._last - self._first) / self.turns:
            return ""
        better = "a smaller rtol" if one_step else 'steps=RungeKutta("ESDIRK4") or a smaller rtol'
        return (
            f"the solution oscillates, and has done so about {self.turns // 2} times: errors of "
            f"its phase add up from period to period; if it matters, use {better}"
        )

    def save(self) -> dict[str, Any]:
        """Return the state, for `restore`."""
        numbers = self.turns, self._rises, self._range, self._low, self._high
        return {"numbers": (*numbers, self._extreme, self._first, self._last), "sizes": self._sizes}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continue from what `save` returned."""
        turns, rises, *others = (float(number) for number in saved["numbers"])
        self.turns, self._rises = int(turns), bool(rises)
        self._take_sizes(np.array(saved["sizes"]))
        self._range, self._low, self._high, self._extreme, self._first, self._last = others
