"""Steps that fail one after the other, and jumps of the equations that explain them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .evolution import EvolutionSystem
from .failures import jump_between
from .schedule import Schedule, after, before

Vector = NDArray[Any]

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
    jumps : tuple of float
        That no breakpoint announced.
    mended : float
        Where a state was made consistent again after steps that failed.
    """

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.rejected: list[tuple[float, str]] = []
        self.jumps: tuple[float, ...] = ()
        self.mended = -np.inf
        self._hurdle = -np.inf  # the end of the first of the steps that failed

    def take(self, h: float, reason: str, target: float) -> bool:
        """Record a step that failed; return whether a jump is to be looked for."""
        if not self.rejected:
            self._hurdle = target
        self.rejected.append((h, reason))
        return len(self.rejected) == SUSPICIOUS

    def reach(self, t: float) -> None:
        """Record a step that succeeded."""
        if t >= self._hurdle:
            self.rejected = []

    def suspected(self, system: EvolutionSystem, t: float, x: Vector) -> tuple[str, str]:
        """Return why a restart is due at t, and a remark, after several steps failed."""
        place = jump_between(system, t, self._hurdle, x)
        if place is None:
            if self.mended == t:
                return "", ""
            self.mended = t  # the state may not meet the algebraic equations well enough
            return "doubt", ""
        self.jumps = (*self.jumps, place)
        remark = (
            f"the equations jump at t = {place:.9g}, which was found by failing steps; give it in "
            "breakpoints"
        )
        return ("jump" if before(place) <= t else ""), remark

    def is_at_jump(self, t: float) -> bool:
        """Whether t is the last number before a jump."""
        return any(before(b) == t for b in (*self.schedule.breakpoints, *self.jumps))

    def right_of(self, t: float) -> float:
        """Return the time at which equations are evaluated after a jump at t, or just before t."""
        for b in (*self.schedule.breakpoints, *self.jumps):
            if t in (before(b), b):
                return after(b)
        return t

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
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continue from what `save` returned."""
        self.rejected, self.jumps, self.mended, self._hurdle = [], (), -np.inf, -np.inf
        if saved:
            self.jumps = tuple(float(t) for t in saved["jumps"])
            lengths = [float(h) for h in saved["lengths"]]
            reasons = [str(reason) for reason in saved["reasons"]]
            self.rejected = list(zip(lengths, reasons, strict=True))
            self.mended, self._hurdle = float(saved["mended"]), float(saved["hurdle"])
