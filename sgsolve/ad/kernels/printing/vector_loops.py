"""Writes a loop for vectors: several neighbors in memory at a time.

A division of a vector takes as long as that of one or two numbers, and the bits are the same. Loops
that gather elements from anywhere stay as they are: to gather a vector takes longer than to read
its elements one by one.

The last vector overlaps the one before where the number of elements is no multiple: it computes the
same values again.
"""

from __future__ import annotations

from ..lowering.values import Elementwise, Memory, Positions, Take, Value
from .llvm_instructions import is_copy, kind_of, store_element
from .llvm_loop import LoopPrinter
from .loop_schedule import ElementStore, Loop, LoopSchedule

LANES = 4  # doubles in a register of most processors; LLVM splits vectors for the others


def gains_by_vectors(loop: Loop, schedule: LoopSchedule) -> bool:
    """Whether a loop computes on elements that are neighbors in memory."""
    computed = [v for v in schedule.computed(loop) if v.size > 1]
    return (
        loop.size >= LANES
        and all(map(_is_of_neighbors, computed))
        and not any(store.counted for store in loop.stores)
        and any(isinstance(v, Elementwise) and not is_copy(v) for v in computed)
    )


def _is_of_neighbors(value: Value) -> bool:
    if isinstance(value, Take):
        return _are_neighbors(value.positions)
    return isinstance(value, Memory) or (isinstance(value, Elementwise) and type(value.op) is str)


def _are_neighbors(positions: Positions | None) -> bool:
    return positions is None or (positions.array is None and positions.step == 1)


class VectorLoopPrinter(LoopPrinter):
    """Prints a loop for vectors."""

    lanes = LANES

    def _print_elements(self, size: str) -> None:
        last = self._outer_integer(self.loop.size - LANES)
        self._print_blocks(self._outer_integer(-(-self.loop.size // LANES)), "0", last)

    def _print_blocks(self, blocks: str, first: str, last: str) -> None:
        """Print a loop over so many vectors, from a first element on; the last one has a limit."""
        f = self.function

        def block() -> None:
            offset, begin, whole, self.i = f.new(), f.new(), f.new(), f.new()
            self.body.append(f"{offset} = mul i64 {self.j}, {LANES}")
            self.body.append(f"{begin} = add i64 {first}, {offset}")
            self.body.append(f"{whole} = icmp slt i64 {begin}, {last}")
            self.body.append(f"{self.i} = select i1 {whole}, i64 {begin}, i64 {last}")
            self._store_all(self._stores)

        self._counted(blocks, "%zero", block, self.body)

    def _store_all(self, stores: list[ElementStore]) -> None:
        apart = [s for s in stores if not _are_neighbors(s.positions)]
        super()._store_all([s for s in stores if _are_neighbors(s.positions)])
        names = [self._value(store.value) for store in apart]
        f, begin = self.function, self.i
        for lane in range(LANES) if apart else ():
            self.i, self._column_values = f.new(), {}
            self.body.append(f"{self.i} = add i64 {begin}, {lane}")
            for store, name in zip(apart, names, strict=True):
                assert store.positions is not None
                at, one = self._position(store.positions), f.new()
                kind = kind_of(store.value.dtype, LANES)
                self.body.append(f"{one} = extractelement {kind} {name}, i64 {lane}")
                pointer = self._pointer(store.memory)
                store_element(f, one, store.value.dtype, pointer, at, self.body)
