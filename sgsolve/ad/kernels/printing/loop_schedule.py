"""The schedule of a kernel: which loops there are, what each computes, and what it stores.

A loop runs over all elements of arrays of one size at one level. It stores outputs, and arrays that
later loops read at other positions or would have to compute again.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from ..lowering.loop_levels import LoopLevels
from ..lowering.ufunc_loops import UfuncLoop
from ..lowering.values import (
    CHEAP,
    Count,
    Elementwise,
    Memory,
    Number,
    Place,
    Positions,
    Product,
    Reduced,
    Rows,
    Value,
)


class ElementStore(NamedTuple):
    """Element i of a value is stored at ``positions[i]`` of a memory; None: at i.

    With `counted`, the number of elements for which the value holds is stored.
    """

    value: Value
    memory: Hashable
    positions: Positions | None
    counted: bool = False


class Loop:
    """All that is computed for arrays of one size at one level.

    Attributes
    ----------
    stores : list of ElementStore
    """

    __slots__ = ("level", "size", "stores")

    def __init__(self, level: int, size: int) -> None:
        self.level, self.size = level, size
        self.stores: list[ElementStore] = []


class LoopSchedule:
    """Loops for all outputs that are added.

    Attributes
    ----------
    memory_of : dict
        The memory that a value is stored in, as a whole.
    stored_whole : dict
        The value that is stored in a memory without positions. One value may go to several.
    zeroed : list
        Memories that are filled with zeros before anything is stored.
    """

    def __init__(self, levels: LoopLevels) -> None:
        self.levels = levels
        self.memory_of: dict[Value, Hashable] = {}
        self.stored_whole: dict[Hashable, Value] = {}
        self.zeroed: list[Hashable] = []
        self._loops: dict[tuple[int, int], Loop] = {}
        self._calling: dict[Value, bool] = {}
        self._visited: set[Value] = set()
        self._computed: dict[Loop, dict[Value, None]] = {}  # once all loops are known

    def loops(self) -> list[Loop]:
        """Return all loops, in an order in which they can run."""
        self._store_what_several_need()
        return sorted(self._loops.values(), key=lambda loop: (loop.level, loop.size))

    def output(self, value: Value, memory: Hashable) -> None:
        """Store a value in a memory of its own."""
        if value in self.memory_of or isinstance(value, (Memory, Number)):
            self._visit(value)
            self._add(ElementStore(value, memory, None))
        else:
            self._keep(value, memory)

    def scattered(self, value: Value, memory: Hashable, positions: Positions) -> None:
        """Store the elements of a value at positions of a memory."""
        self._visit(value)
        self._add(ElementStore(value, memory, positions))

    def keep(self, value: Value) -> Hashable:
        """Store a value where loops of higher levels can read it; return the memory."""
        if isinstance(value, Memory):
            return value.key
        if value not in self.memory_of:
            self._keep(value, ("buffer", len(self.memory_of)))
        return self.memory_of[value]

    def _keep(self, value: Value, memory: Hashable) -> None:
        self.memory_of[value] = memory
        if isinstance(value, Count):
            self._visit(value.args[0])
            self._add(ElementStore(value.args[0], memory, None, True))
        elif isinstance(value, Place):
            if not value.covered:
                self.zeroed.append(memory)
            for positions, piece in value.pieces:
                self.scattered(piece, memory, positions)
        elif isinstance(value, Product):
            self._visit(value)
            self.stored_whole[memory] = value
            own = self._loop(self.levels.of(value), value.size)
            own.stores.append(ElementStore(value, memory, None))
        else:
            self._visit(value)
            self._add(ElementStore(value, memory, None))

    def _add(self, store: ElementStore) -> None:
        value = store.value
        if store.positions is None:
            self.stored_whole[store.memory] = value
        level = self.levels.of(value) + value.whole
        self._loop(level, value.size).stores.append(store)

    def _loop(self, level: int, size: int) -> Loop:
        return self._loops.setdefault((level, size), Loop(level, size))

    def _visit(self, value: Value) -> None:
        """Keep what is read at other positions, all the way down."""
        pending = [value]
        while pending:
            top = pending.pop()
            if top not in self._visited:
                self._visited.add(top)
                for arg in top.moved:
                    self.keep(arg)
                pending += top.beside
        if value.whole:
            self.keep(value)

    def is_read(self, value: Value, loop: Loop) -> bool:
        """Whether a loop reads a value from memory instead of computing it."""
        if value not in self.memory_of:
            return False
        return value.whole or self.levels.of(value) < loop.level

    def computed(self, loop: Loop) -> dict[Value, None]:
        """Return all values of its size that a loop computes, arguments first."""
        return self._computed.get(loop) or self._newly_computed(loop)

    def _newly_computed(self, loop: Loop) -> dict[Value, None]:
        order: dict[Value, None] = {}
        pending = [s.value for s in reversed(loop.stores)]
        while pending:
            top = pending[-1]
            if top in order or self.is_read(top, loop) or isinstance(top, (Memory, Number)):
                pending.pop()
                continue
            inner = [
                a for a in top.beside
                if a not in order and not isinstance(a, (Memory, Number))
                and not self.is_read(a, loop)
            ]  # fmt: skip
            if inner:
                pending += reversed(inner)
                continue
            pending.pop()
            order[top] = None
        return order

    def _store_what_several_need(self) -> None:
        """Keep what would be computed in several loops, and costs more than to read it."""
        changed = True
        while changed:
            changed = False
            met: dict[Value, Loop] = {}
            for loop in list(self._loops.values()):
                self._computed[loop] = self._newly_computed(loop)
                for value in self._computed[loop]:
                    if not isinstance(value, (Elementwise, Rows, Reduced)) or value.cost <= CHEAP:
                        continue
                    if value.size == 1 and not self._calls(value):
                        continue
                    other = met.setdefault(value, loop)
                    if other is not loop and value not in self.memory_of:
                        self.keep(value)
                        changed = True

    def _calls(self, value: Value) -> bool:
        """Whether computing a number calls a loop of NumPy's."""
        pending, seen = [value], {value}
        while pending:
            top = pending.pop()
            if self._calling.get(top) or isinstance(top, Reduced) or (
                isinstance(top, Elementwise) and isinstance(top.op, UfuncLoop)
            ):  # fmt: skip
                self._calling[value] = True
                return True
            for arg in top.args:
                if arg not in seen and self._calling.get(arg) is not False:
                    seen.add(arg)
                    pending.append(arg)
        self._calling.update(dict.fromkeys(seen, False))
        return False
