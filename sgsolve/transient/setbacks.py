"""Failed steps in a row, and the jumps of the equations that cause them."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..arrays import Vector
from .evolution import EvolutionSystem
from .failures import flow_at, jump_between
from .schedule import Schedule, after, before

NAMED = 3  # jumps of which the remark gives the times
DOUBTS = 2  # how often a state is made consistent again at one place
SUSPICIOUS = 6  # rejections in a row after which a jump of the equations is looked for


class Setbacks:
    """The steps that failed since one succeeded, and where the equations jump.

    Parameters
    ----------
    schedule : Schedule
        With the breakpoints that were announced.

    Attributes
    ----------
    rejected : list of (float, str)
        Length and reason of the steps that failed since the last ones succeeded.
    jumps : list of float
        Increasing, that no breakpoint announced: found by steps that failed, or by samples.
    mended : float
        Where a state was made consistent again after steps that failed.
    doubts : int
        How often that was due there.
    """

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.rejected: list[tuple[float, str]] = []
        self.jumps: list[float] = []
        self.mended, self.doubts = -np.inf, 0
        self._hurdle = -np.inf  # the end of the first of the steps that failed
        self._in_a_row = 0  # failed, with none that succeeded between

    def take(self, h: float, reason: str, target: float) -> bool:
        """Record a step that failed; return whether a jump is to be looked for."""
        if not self.rejected:
            self._hurdle = target
        self.rejected.append((h, reason))
        self._in_a_row += 1
        return len(self.rejected) == SUSPICIOUS or self._in_a_row % SUSPICIOUS == 0

    def reach(self, t: float) -> None:
        """Record a step that succeeded."""
        self._in_a_row = 0
        if t >= self._hurdle:
            self.rejected = []

    def suspected(self, system: EvolutionSystem, t: float, x: Vector) -> str:
        """Return why a restart is due at t after several steps failed."""
        place = jump_between(flow_at(system, x), t, self._hurdle)
        if place is not None:
            return self.found(place, t)
        self.doubts = 1 + (self.doubts if self.mended == t else 0)
        self.mended = t  # the state may not meet the algebraic equations well enough
        return "doubt" if self.doubts <= DOUBTS else ""

    def found(self, place: float, t: float) -> str:
        """Take note of a jump; return why a restart is due at t, if it is there."""
        if place not in self.jumps:
            insort(self.jumps, place)
        return "jump" if before(place) <= t else ""

    def remark(self) -> str:
        """Return what is to be said of jumps that were found before the end; else nothing."""
        jumps = [t for t in self.jumps if t < self.schedule.t1]
        if not jumps:
            return ""
        times = ", ".join(f"{t:.9g}" for t in jumps[:NAMED])
        more = f" and at {len(jumps) - NAMED} more" if len(jumps) > NAMED else ""
        return (
            f"the equations jump or change fast at t = {times}{more}, which was found by failing "
            "steps or by samples; give such times in breakpoints"
        )

    def is_at_jump(self, t: float) -> bool:
        """Whether t is the last number before a jump."""
        return self._has(after(t))

    def right_of(self, t: float) -> float:
        """Return the time at which equations are evaluated after a jump at t, or just before t."""
        if self._has(after(t)):
            return after(after(t))
        return after(t) if self._has(t) else t

    def _has(self, t: float) -> bool:
        for places in (self.schedule.breakpoints, self.jumps):
            k = bisect_left(places, t)
            if k < len(places) and places[k] == t:
                return True
        return False

    def save(self) -> dict[str, Any]:
        """Return the state, for `restore`."""
        if not (self.rejected or self.jumps or self.mended > -np.inf):
            return {}
        return {
            "jumps": np.array(self.jumps),
            "lengths": np.array([h for h, _ in self.rejected]),
            "reasons": np.array([reason for _, reason in self.rejected], dtype=str),
            "mended": self.mended,
            "hurdle": self._hurdle,
            "in a row": np.array([self._in_a_row, self.doubts]),
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continue from what `save` returned."""
        self.rejected, self.jumps, self.mended, self._hurdle = [], [], -np.inf, -np.inf
        self._in_a_row = self.doubts = 0
        if saved:
            self.jumps = [float(t) for t in saved["jumps"]]
            lengths = [float(h) for h in saved["lengths"]]
            reasons = [str(reason) for reason in saved["reasons"]]
            self.rejected = list(zip(lengths, reasons, strict=True))
            self.mended, self._hurdle = float(saved["mended"]), float(saved["hurdle"])
            self._in_a_row, self.doubts = map(int, saved["in a row"])
