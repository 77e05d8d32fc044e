"""Values of a kernel: flat arrays, each element of which is computed from elements of others.

They are what a traced graph becomes for the LLVM printer. Shapes are gone. All movement of elements
(views, indexing, joining, broadcasting) is one `Take` or `Place` with constant positions. Equal
values are the same object.
"""

from __future__ import annotations

from collections.abc import Hashable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .repeated_rows import repeated_row

# An expression of this many operations or fewer is computed again where its elements are chosen.
CHEAP = 8
# Operations on so many joined arrays are carried out on each: first, inner and last elements.
MOST_PARTS = 3
COST = {"div": 4, "sqrt": 4, "rows": 100, "call": 100}


class Positions:
    """Constant positions: an arithmetic progression, or an array.

    Attributes
    ----------
    start : int
        The first position.
    step : int
        Of the progression.
    array : ndarray of int64 or None
        None for a progression.
    like : Positions
        The first positions that were made with the same differences: itself, or others. One table
        serves the neighbors of several fields.
    """

    __slots__ = ("array", "count", "like", "start", "step")

    def __init__(
        self, count: int, start: int, step: int, array: Any = None, like: Positions | None = None
    ) -> None:
        self.count, self.start, self.step, self.array = count, start, step, array
        self.like = self if like is None else like

    @property
    def values(self) -> NDArray[np.int64]:
        """All positions."""
        if self.array is not None:
            known: NDArray[np.int64] = self.array
            return known
        return self.start + self.step * np.arange(self.count)

    def is_identity(self, size: int) -> bool:
        """Whether they are all positions of an array of that size, in order."""
        progression = self.array is None and self.start == 0
        return progression and self.count == size and (self.step == 1 or size <= 1)


class Value:
    """An array of doubles ("d") or truth values ("b").

    Attributes
    ----------
    size : int
        One element: a number, which serves all elements of longer arrays.
    dtype : {"d", "b"}
    args : tuple of Value
    cost : int
        Operations to compute one element from memory.
    branch : (Value, bool) or None
        The condition and the side of a `branch` at whose elements alone the value has a meaning.
    moved, beside : tuple of Value
        Arguments of which an element needs others than the one at its own position, or which are
        written to memory as a whole; and all other arguments.
    """

    __slots__ = ("args", "beside", "branch", "cost", "dtype", "moved", "size")
    whole = False  # written to memory before anything reads an element

    @property
    def is_at_hand(self) -> bool:
        """Whether its elements can be read, or computed again, wherever they are needed."""
        return self.size == 1

    def __init__(
        self, size: int, dtype: str, args: tuple[Value, ...], cost: int, moving: int = 0
    ) -> None:
        self.size, self.dtype, self.args, self.cost = size, dtype, args, cost
        self.branch: tuple[Value, bool] | None = None
        others = args[:moving]
        self.moved = tuple(a for a in args if a.whole or a in others) if args else ()
        self.beside = tuple(a for a in args if a not in self.moved) if self.moved else args


class Number(Value):
    """A number that is the same in every run."""

    __slots__ = ("number",)

    def __init__(self, number: Any) -> None:
        super().__init__(1, "b" if isinstance(number, (bool, np.bool_)) else "d", (), 0)
        self.number = number


class Memory(Value):
    """An array that is in memory before the loops that read it.

    Attributes
    ----------
    key : hashable
        By which the caller gives it: "x", a node of the graph, or the identity of a constant.
    constant : ndarray or None
    level : int
        The first level at which it can be read.
    """

    __slots__ = ("constant", "is_number", "key", "level")

    def __init__(self, size: int, dtype: str, key: Hashable, constant: Any, level: int) -> None:
        super().__init__(size, dtype, (), 1)
        self.is_number = False
        self.key, self.constant, self.level = key, constant, level

    @property
    def is_at_hand(self) -> bool:
        """Always: it is in memory."""
        return True


class Elementwise(Value):
    """An operation on elements at the same position.

    Attributes
    ----------
    op : str, or the `UfuncLoop` that computes it
    """

    __slots__ = ("op",)

    def __init__(self, op: Any, args: tuple[Value, ...], size: int, dtype: str) -> None:
        own = COST.get(op, 1) if isinstance(op, str) else COST["call"]
        super().__init__(size, dtype, args, own + sum(a.cost for a in args))
        self.op = op

    @property
    def is_at_hand(self) -> bool:
        """Whether it is computed again where its elements are chosen."""
        return self.size == 1 or self.cost <= CHEAP or self.op == "copy"


class Take(Value):
    """The elements of an array in memory at constant positions."""

    __slots__ = ("positions",)

    def __init__(self, arg: Value, positions: Positions) -> None:
        super().__init__(positions.count, arg.dtype, (arg,), 1, moving=1)
        self.positions = positions

    @property
    def is_at_hand(self) -> bool:
        """Whether a part of it needs no further table of positions."""
        return self.size == 1 or self.positions.array is None


class Place(Value):
    """An array of pieces; element ``positions[i]`` is element i of the piece.

    Attributes
    ----------
    pieces : tuple of (Positions, Value)
    covered : bool
        Whether every element is in a piece; the others are zero.
    """

    __slots__ = ("covered", "pieces")
    whole = True

    def __init__(self, size: int, pieces: tuple[tuple[Positions, Value], ...]) -> None:
        args = tuple(v for _, v in pieces)
        super().__init__(size, args[0].dtype, args, COST["rows"])
        self.pieces = pieces
        self.covered = sum(p.count for p, _ in pieces) == size


class Rows(Value):
    """A constant sparse matrix times an array, added to another, in the order of the entries.

    Attributes
    ----------
    matrix : csr_array
    args : (Value, Value)
        The array, and what the products are added to.
    repeated : RepeatedRow or None
    """

    __slots__ = ("matrix", "repeated")

    def __init__(self, matrix: Any, arg: Value, first: Value) -> None:
        super().__init__(matrix.shape[0], "d", (arg, first), COST["rows"], moving=1)
        self.matrix, self.repeated = matrix, repeated_row(matrix)


class Count(Value):
    """For how many elements a truth value holds, as a double."""

    __slots__ = ()
    whole = True

    def __init__(self, arg: Value) -> None:
        super().__init__(1, "d", (arg,), COST["rows"])


class Reduced(Value):
    """What a ufunc makes of all elements of an array, in NumPy's order.

    Attributes
    ----------
    loop : UfuncLoop
    args : (Value,) or (Value, Value)
        The array, and a number to begin with.
    """

    __slots__ = ("loop",)

    def __init__(self, loop: Any, args: tuple[Value, ...]) -> None:
        super().__init__(1, "d", args, COST["rows"], moving=1)
        self.loop = loop


class Product(Value):
    """What NumPy's ``matmul`` makes of two whole arrays.

    Attributes
    ----------
    loop : UfuncLoop
    sizes : tuple of int
        Of the result and of what is summed over: m, n, p of (m, n) times (n, p). 0: a vector has no
        such axis.
    """

    __slots__ = ("loop", "sizes")
    whole = True

    def __init__(self, loop: Any, args: tuple[Value, ...], sizes: tuple[int, int, int]) -> None:
        m, _, p = sizes
        super().__init__(max(1, m) * max(1, p), "d", args, COST["rows"], moving=2)
        self.loop, self.sizes = loop, sizes


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
