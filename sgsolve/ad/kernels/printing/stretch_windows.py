"""Memories of loops in turn that hold the elements of a stretch alone, and stay in the cache.

A window moves over an array. Element p is at ``p - b - first`` of it while the stretch that begins
with element b is computed. What the next stretch reads of it is moved to its begin.
"""

from __future__ import annotations

from collections.abc import Hashable

from ..lowering.values import Positions
from .llvm_function import FunctionPrinter
from .loop_schedule import ElementStore, Loop
from .vector_loops import LANES

# Elements of a stretch: what a dozen arrays of them take stays in the smallest cache.
STRETCH = 256
# How far a window reaches beyond its stretch at most, to either side.
MOST_KEPT = 12


class Window:
    """A window over the elements of a memory.

    Attributes
    ----------
    first, beyond : int
        The first element of the window, and the one behind the last, less those of the stretch.
    numbers : list of (int, hashable)
        Elements that are no part of a loop: their positions, and the memories of the numbers.
    """

    def __init__(self, memory: Hashable) -> None:
        self.memory = memory
        self.first = self.beyond = 0
        self.numbers: list[tuple[int, Hashable]] = []

    @property
    def size(self) -> int:
        """Of its memory; the last element is written where no element of the window is meant."""
        return STRETCH + self.beyond - self.first + 1

    def reach(self, start: int | None, behind: int) -> None:
        """Hold what a loop reads or stores from `start` on; its last vector may begin earlier."""
        assert start is not None
        self.first = min(self.first, start - behind - LANES)
        self.beyond = max(self.beyond, start - behind)

    def take(self, loops: list[Loop]) -> bool:
        """Take what loops of one number store in the memory; False if others do.

        The numbers go into memories of their own.
        """
        stores = [(loop, s) for loop in loops for s in loop.stores if s.memory == self.memory]
        if any(loop.size > 1 or s.positions is None or s.counted for loop, s in stores):
            return False
        for loop, store in stores:
            own = ("number of", self.memory, len(self.numbers))
            self.numbers.append((int(_positions_of(store).values[0]), own))
            loop.stores[loop.stores.index(store)] = ElementStore(store.value, own, None)
        return True

    def moved(self, f: FunctionPrinter, b: str, lines: list[str]) -> str:
        """Put the window at element b; return where element 0 would be."""
        base = f.pointer(self.memory, f.lines)
        offset, at = f.new(), f.new()
        lines.append(f"{offset} = sub i64 {-self.first}, {b}")
        lines.append(f"{at} = getelementptr double, ptr {base}, i64 {offset}")
        for position, memory in self.numbers:
            place, number = f.integer(position, f.lines), f.new()
            local, inside, chosen, to = (f.new() for _ in range(4))
            f.lines.append(f"{number} = load double, ptr {f.pointer(memory, f.lines)}")
            lines += [
                f"{local} = add i64 {place}, {offset}",
                f"{inside} = icmp ult i64 {local}, {self.size - 1}",
                f"{chosen} = select i1 {inside}, i64 {local}, i64 {self.size - 1}",
                f"{to} = getelementptr double, ptr {base}, i64 {chosen}",
                f"store double {number}, ptr {to}",
            ]
        self._base = base
        return at

    def keep(self, f: FunctionPrinter, lines: list[str]) -> None:
        """Move the last elements of the window to its begin."""
        from_ = f.new()
        lines.append(f"{from_} = getelementptr double, ptr {self._base}, i64 {STRETCH}")
        size = 8 * (self.beyond - self.first)
        lines.append(
            f"call void @llvm.memcpy.p0.p0.i64(ptr {self._base}, ptr {from_}, i64 {size}, i1 0)"
        )


def _positions_of(store: ElementStore) -> Positions:
    assert store.positions is not None
    return store.positions
