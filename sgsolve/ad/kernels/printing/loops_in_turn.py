"""Writes several loops in turn: a stretch of the elements of each, then the next stretch.

What one loop stores, the next ones read from the cache of the processor. One after the other, loops
over many elements would each take a pass over memory. A loop that reads elements behind its own of
what another loop stores stays so many elements behind that loop.
"""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterator

from ..lowering.values import Elementwise, Memory, Positions, Take, Value
from .llvm_function import FunctionPrinter
from .loop_schedule import Loop, LoopSchedule
from .stretch_windows import MOST_KEPT, STRETCH, Window
from .vector_loops import LANES, VectorLoopPrinter, gains_by_vectors

# With fewer elements the arrays stay in a cache as they are.
LARGE = 4 * STRETCH
# Loops that are further behind than this would not find in the cache what they read.
MOST_BEHIND = STRETCH - LANES


class LoopsInTurn:
    """Loops for vectors that can run in turn.

    Attributes
    ----------
    loops : list of Loop
    behind : list of int
        By how many elements each is behind the first.
    windows : list of Window
        Memories that nothing else reads: they hold the elements of a stretch alone.
    """

    def __init__(self, schedule: LoopSchedule) -> None:
        self._schedule = schedule
        self.loops: list[Loop] = []
        self.behind: list[int] = []
        self.windows: list[Window] = []
        self._stored: dict[Hashable, list[tuple[int, Positions | None]]] = {}

    def take(self, loop: Loop) -> bool:
        """Add the next loop; return False if it has to wait for the end of those before."""
        if loop.size < LARGE or not gains_by_vectors(loop, self._schedule):
            return False
        behind = 0
        for memory, start in _reads(loop, self._schedule):
            for earlier, positions in self._stored.get(memory, ()):
                first = _start(positions)
                if first is None or start is None:
                    return False
                behind = max(behind, self.behind[earlier] + start - first)
        if behind > MOST_BEHIND:
            return False
        for store in loop.stores:
            stored = len(self.loops), store.positions
            self._stored.setdefault(store.memory, []).append(stored)
        self.loops.append(loop)
        self.behind.append(behind)
        return True

    def find_windows(self, loops: list[Loop], kept: Container[Hashable]) -> None:
        """Find out which memories need to hold a stretch alone.

        Parameters
        ----------
        loops : list of Loop
            All loops of the kernel.
        kept : container of key
            Memories that are read by others than loops.
        """
        others = [loop for loop in loops if loop not in self.loops]
        read = {memory for loop in others for memory, _ in _reads(loop, self._schedule)}
        for memory, stored in self._stored.items():
            starts = [_start(positions) for _, positions in stored]
            is_own = isinstance(memory, tuple) and memory[0] == "buffer" and memory not in kept
            if not is_own or memory in read or None in starts or not self._holds_doubles(memory):
                continue
            window = Window(memory)
            for (k, _), start in zip(stored, starts, strict=True):
                window.reach(start, self.behind[k])
            for loop, by in zip(self.loops, self.behind, strict=True):
                for at, start in _reads(loop, self._schedule):
                    if at == memory:
                        window.reach(start, by)
            if window.first >= -MOST_KEPT and window.beyond <= MOST_KEPT and window.take(others):
                self.windows.append(window)

    def _holds_doubles(self, memory: Hashable) -> bool:
        stores = (s for loop in self.loops for s in loop.stores if s.memory == memory)
        return all(s.value.dtype == "d" for s in stores)

    def own_memories(self) -> dict[Hashable, tuple[int, str]]:
        """Return size and type of the memories of the windows."""
        own: dict[Hashable, tuple[int, str]] = {}
        for window in self.windows:
            own[window.memory] = window.size, "d"
            own |= {memory: (1, "d") for _, memory in window.numbers}
        return own

    def run(self, function: FunctionPrinter) -> None:
        """Add the loops to the function."""
        lines: list[str] = []
        ends = [loop.size + by for loop, by in zip(self.loops, self.behind, strict=True)]
        end = function.integer(max(ends), function.lines)
        head, inside, after, before = (
            function.label(x) for x in ("turn", "stretch", "after", "before")
        )
        b, following, more = function.new(), function.new(), function.new()
        lines += [f"br label %{before}", f"{before}:", f"br label %{head}", f"{head}:"]
        lines.append(f"{b} = phi i64 [ 0, %{before} ], [ {following}, %{inside}.end ]")
        lines += [f"{more} = icmp slt i64 {b}, {end}"]
        lines += [f"br i1 {more}, label %{inside}, label %{after}", f"{inside}:"]
        lines.append(f"{following} = add i64 {b}, {STRETCH}")
        windows = {w.memory: w.moved(function, b, lines) for w in self.windows}
        for loop, by in zip(self.loops, self.behind, strict=True):
            printer = _StretchPrinter(function, loop)
            printer.windows = windows
            size = function.integer(loop.size, function.lines)
            offset = function.integer(by, function.lines)
            printer.begin = _limited(function, b, offset, size, lines)
            printer.end = _limited(function, following, offset, size, lines)
            lines += printer.elements()
            function.lines += printer.before
        for window in self.windows:
            window.keep(function, lines)
        lines += [f"br label %{inside}.end", f"{inside}.end:", f"br label %{head}", f"{after}:"]
        function.lines += lines


class _StretchPrinter(VectorLoopPrinter):
    """Prints a loop over the elements from `begin` to before `end`, names of integers.

    Attributes
    ----------
    windows : dict
        Where element 0 of memories would be that hold a stretch alone: names of pointers.
    """

    begin = end = ""
    windows: dict[Hashable, str]

    def elements(self) -> list[str]:
        """Return the lines of the loop; what runs before it is in `before`."""
        self._stores = self.loop.stores
        self.tables.indices[self.index_key] = []
        f = self.function
        last, count, more, blocks = (f.new() for _ in range(4))
        self.body += [
            f"{last} = sub i64 {self.end}, {LANES}",
            f"{count} = sub i64 {self.end}, {self.begin}",
            f"{more} = add i64 {count}, {LANES - 1}",
            f"{blocks} = sdiv i64 {more}, {LANES}",
        ]
        self._print_blocks(blocks, self.begin, last)
        width = len(self.tables.indices[self.index_key])
        return [line.replace("@WIDTH@", str(width)) for line in self.body]

    def _pointer(self, key: Hashable) -> str:
        return self.windows.get(key) or super()._pointer(key)


def in_turn(loops: list[Loop], schedule: LoopSchedule) -> Iterator[LoopsInTurn | Loop]:
    """Return loops in their order, those that gain by it together."""
    group = LoopsInTurn(schedule)
    for loop in loops:
        if group.take(loop):
            continue
        yield from _together(group)
        group = LoopsInTurn(schedule)
        if not group.take(loop):
            yield loop
    yield from _together(group)


def _together(group: LoopsInTurn) -> Iterator[LoopsInTurn | Loop]:
    if len(group.loops) > 1:
        yield group
    else:
        yield from group.loops


def _limited(f: FunctionPrinter, at: str, offset: str, size: str, lines: list[str]) -> str:
    """Return the name of ``at - offset``, at least 0 and at most the size."""
    shifted, negative, some, above, limited = (f.new() for _ in range(5))
    lines += [
        f"{shifted} = sub i64 {at}, {offset}",
        f"{negative} = icmp slt i64 {shifted}, 0",
        f"{some} = select i1 {negative}, i64 0, i64 {shifted}",
        f"{above} = icmp sgt i64 {some}, {size}",
        f"{limited} = select i1 {above}, i64 {size}, i64 {some}",
    ]
    return limited


def _reads(loop: Loop, schedule: LoopSchedule) -> Iterator[tuple[Hashable, int | None]]:
    """Return which memories a loop reads, and how far behind its own elements; None: anywhere."""
    values = dict.fromkeys(store.value for store in loop.stores)
    for value in schedule.computed(loop):
        values[value] = None
        if isinstance(value, Elementwise):
            values.update(dict.fromkeys(value.args))
    for value in values:
        if schedule.is_read(value, loop):
            yield schedule.memory_of[value], 0 if value.size > 1 else None
        elif isinstance(value, Take):
            at = _start(value.positions) if value.size > 1 else None
            yield _memory(value.args[0], schedule), at
        elif not isinstance(value, Elementwise):
            for arg in value.args:
                yield _memory(arg, schedule), None


def _memory(value: Value, schedule: LoopSchedule) -> Hashable:
    return value.key if isinstance(value, Memory) else schedule.memory_of.get(value)


def _start(positions: Positions | None) -> int | None:
    """Return the first of positions that are neighbors; None for others."""
    if positions is None:
        return 0
    return positions.start if positions.array is None and positions.step == 1 else None
