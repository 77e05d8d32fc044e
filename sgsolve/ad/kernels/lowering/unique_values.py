"""Make the values of a kernel: equal values are one object, and movements of elements are joined.

A chain of indexing becomes one `Take`. An operation on joined arrays becomes one on each part.
"""

from __future__ import annotations

from collections.abc import Hashable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .values import (
    Count,
    Elementwise,
    Memory,
    Number,
    Place,
    Positions,
    Product,
    Reduced,
    Rows,
    Take,
    Value,
)

# Operations on so many joined arrays are carried out on each: first, inner and last elements.
MOST_PARTS = 3


class Values:
    """Makes values, each once, and compares them."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Value] = {}
        self._positions: dict[Hashable, Positions] = {}
        self._taken: dict[tuple[Value, Positions], Value] = {}

    def _unique(self, key: Hashable, value: Value) -> Value:
        return self._known.setdefault(key, value)

    def number(self, number: Any) -> Value:
        """Return a constant number."""
        number = bool(number) if np.result_type(number).kind == "b" else float(number)
        return self._unique((type(number), repr(number)), Number(number))

    def memory(
        self, size: int, dtype: str, key: Hashable, constant: Any = None, level: int = 0
    ) -> Memory:
        """Return an array in memory."""
        memory = self._unique((Memory, key), Memory(size, dtype, key, constant, level))
        assert isinstance(memory, Memory)
        return memory

    def memories(self) -> list[Memory]:
        """Return all arrays in memory."""
        return [v for v in self._known.values() if isinstance(v, Memory)]

    def elementwise(
        self, op: Any, *args: Value, size: int | None = None, dtype: str = "d"
    ) -> Value:
        """Return an operation on elements; arguments are of the same size, or numbers."""
        size = max(a.size for a in args) if size is None else size
        parts = self._parts_of_joined(op, args, size)
        if parts:
            return self.place(size, [(p, self._part(op, args, p, dtype)) for p in parts])
        return self._unique((op, args, size), Elementwise(op, args, size, dtype))

    def _part(self, op: Any, args: tuple[Value, ...], part: Positions, dtype: str) -> Value:
        chosen = [a if a.size == 1 else self.take(a, part) for a in args]
        return self.elementwise(op, *chosen, size=part.count, dtype=dtype)

    def _parts_of_joined(self, op: Any, args: tuple[Value, ...], size: int) -> list[Positions]:
        """Return the parts of joined arrays; empty if the operation is one on the joined arrays.

        The operation on each part, joined afterwards, needs no memory for what was joined before,
        and it is one operation for parts that several arrays share.
        """
        joints: set[int] = set()
        for arg in args:
            if isinstance(arg, Place):
                apart = arg.covered and all(p.array is None and p.step == 1 for p, _ in arg.pieces)
                if not apart or arg.size != size:
                    return []
                joints |= {p.start for p, _ in arg.pieces}
            elif not arg.is_at_hand:
                return []
        if not joints or len(joints) > MOST_PARTS or str(op).startswith("of branch"):
            return []
        ends = [*sorted(joints), size]
        return [self.progression(b - a, a) for a, b in pairwise(ends)]

    def filled(self, number: Value, size: int) -> Value:
        """Return an array of one number."""
        if size == number.size:
            return number
        return self.elementwise("copy", number, size=size, dtype=number.dtype)

    def progression(self, count: int, start: int = 0, step: int = 1) -> Positions:
        """Return positions in an arithmetic progression."""
        step = step if count > 1 else 1
        key = (count, start, step)
        return self._positions.setdefault(key, Positions(count, start, step))

    def positions(self, array: Any) -> Positions:
        """Return positions from an array."""
        array = np.ascontiguousarray(array, dtype=np.int64).ravel()
        count = len(array)
        if count == 0:
            return self.progression(0)
        step = int(array[1] - array[0]) if count > 1 else 1
        if step and bool((array[1:] - array[:-1] == step).all()):
            return self.progression(count, int(array[0]), step)
        start = int(array[0])
        differences = (count, (array - start).tobytes())
        like = self._positions.setdefault(differences, Positions(count, start, 0, array))
        if like.start == start:
            return like
        key = (like, start)
        return self._positions.setdefault(key, Positions(count, start, 0, array, like))

    def take(self, value: Value, positions: Positions) -> Value:
        """Return the elements at these positions."""
        known = self._taken.get((value, positions))
        if known is None:
            known = self._taken[value, positions] = self._newly_taken(value, positions)
        return known

    def _newly_taken(self, value: Value, positions: Positions) -> Value:
        if positions.is_identity(value.size):
            return value
        if value.size == 1:
            return self.filled(value, positions.count)
        if isinstance(value, Take):
            return self.take(value.args[0], self._composed(value.positions, positions))
        if isinstance(value, Elementwise) and (value.is_at_hand or _is_few(value, positions)):
            args = [self.take(a, positions) if a.size > 1 else a for a in value.args]
            return self.elementwise(value.op, *args, size=positions.count, dtype=value.dtype)
        if isinstance(value, Place):
            found = self._inside_a_piece(value, positions)
            if found is not None:
                return found
        return self._unique((Take, value, positions), Take(value, positions))

    def _composed(self, inner: Positions, outer: Positions) -> Positions:
        if inner.array is None and outer.array is None:
            start = inner.start + inner.step * outer.start
            return self.progression(outer.count, start, inner.step * outer.step)
        return self.positions(inner.values[outer.values])

    def _inside_a_piece(self, place: Place, positions: Positions) -> Value | None:
        if not positions.count:
            return None
        wanted = positions.values
        for at, value in place.pieces:
            where = self._found(at, wanted, place.size)
            if where is not None:
                return self.take(value, where)
        return None

    def _found(self, at: Positions, wanted: NDArray[np.int64], size: int) -> Positions | None:
        """Return where in a piece the wanted elements are, if all are."""
        if at.array is None and at.step == 1:
            if wanted.min() < at.start or wanted.max() >= at.start + at.count:
                return None
            return self.positions(wanted - at.start)
        number = np.full(size, -1)
        number[at.values] = np.arange(at.count)
        found = number[wanted]
        return None if found.min() < 0 else self.positions(found)

    def place(self, size: int, pieces: list[tuple[Positions, Value]]) -> Value:
        """Return an array of pieces; pieces that are such arrays themselves are taken apart."""
        pieces = [(p, v) for p, v in pieces if p.count]
        if len(pieces) == 1 and pieces[0][0].is_identity(size):
            return pieces[0][1]
        if not pieces:
            return self.filled(self.number(0.0), size)
        flat: list[tuple[Positions, Value]] = []
        for positions, value in pieces:
            if isinstance(value, Place) and value.covered:
                flat += [(self._composed(positions, p), v) for p, v in value.pieces]
            else:
                flat.append((positions, value))
        return self._unique((Place, size, tuple(flat)), Place(size, tuple(flat)))

    def count(self, arg: Value) -> Value:
        """Return for how many elements a truth value holds."""
        if arg.size == 1:
            return self.elementwise("double", arg, size=1)
        return self._unique((Count, arg), Count(arg))

    def reduced(self, loop: Any, *args: Value) -> Value:
        """Return a reduction of an array, from a number if one is given."""
        return self._unique((Reduced, loop, args), Reduced(loop, args))

    def product(self, loop: Any, a: Value, b: Value, sizes: tuple[int, int, int]) -> Value:
        """Return the product of two arrays, each contiguous in memory."""
        return self._unique((Product, a, b, sizes), Product(loop, (a, b), sizes))

    def rows(self, matrix: Any, arg: Value, first: Value | None = None) -> Value:
        """Return the product with a sparse matrix in CSR form, added to `first`."""
        first = self.number(0.0) if first is None else first
        key = (Rows, id(matrix), arg, first)
        return self._known.get(key) or self._unique(key, Rows(matrix, arg, first))


def _is_few(value: Elementwise, positions: Positions) -> bool:
    """Whether some elements are computed again in less time than all are kept."""
    return value.cost * positions.count <= value.size
