"""Values of a kernel: flat arrays, each element of which is computed from elements of others.

They are what a traced graph becomes for the LLVM printer. Shapes are gone. All movement of elements
(views, indexing, joining, broadcasting) is one `Take` or `Place` with constant positions. `Values`
makes them.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .repeated_rows import repeated_row

# An expression of this many operations or fewer is computed again where its elements are chosen.
CHEAP = 8
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
