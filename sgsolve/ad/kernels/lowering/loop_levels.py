"""LoopLevels: which values can be computed in the same loops.

A loop over elements can read an array at other positions than its own only when the whole array is
in memory. Such an array is computed at a lower level than what reads it.
"""

from __future__ import annotations

from .values import Memory, Value


class LoopLevels:
    """The levels of values."""

    def __init__(self) -> None:
        self._known: dict[Value, int] = {}

    def of(self, value: Value) -> int:
        """Return the lowest level at which a value can be computed."""
        pending = [value]
        while pending:
            top = pending[-1]
            missing = [a for a in top.args if a not in self._known]
            if missing and top not in self._known:
                pending += missing
                continue
            pending.pop()
            if top not in self._known:
                self._known[top] = self._level(top)
        return self._known[value]

    def _level(self, value: Value) -> int:
        if isinstance(value, Memory):
            return value.level
        level = 0
        for arg in value.beside:
            level = max(level, self._known[arg])
        for arg in value.moved:
            level = max(level, self._known[arg] + (not isinstance(arg, Memory)))
        return level
