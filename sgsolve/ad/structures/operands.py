"""Constant operands of structural operations: index arrays and matrices, identified by contents.

A residual indexes its arrays with the same index arrays and multiplies by the same matrices in
every call. An operand is a private, read-only copy of one of these. Looking up the operand of an
array compares contents, not only identity. The comparison costs a quarter of the indexing itself.
Everything derived from an operand is then found by identity.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy import ndarray
from numpy.typing import NDArray

from ...arrays import IndexArray

# Evaluations within which an operand that stays is met again. One that is met again much later, as
# in a solve that is repeated, is an intermediate result of it.
RECENT = 3
Columns = NDArray[np.int32]


class Contents:
    """A private copy of an array's contents, to compare with.

    `bytearray.__eq__` with an array's buffer is one `memcmp`: no temporary array, and a tenth of
    a microsecond where the array is small.

    Attributes
    ----------
    frozen : ndarray or None
        An array with these contents that cannot change. While it is held here its identity is
        proof enough.
    """

    __slots__ = ("dtype", "frozen", "raw", "shape")

    def __init__(self, array: NDArray[Any]) -> None:
        self.shape = array.shape
        self.dtype = array.dtype
        self.frozen: Any = None
        self.raw = bytearray(array.nbytes)
        if array.nbytes:
            self.array()[...] = array

    def array(self) -> NDArray[Any]:
        """Return the contents as an array; it shares the memory; do not write into it."""
        return np.frombuffer(self.raw, dtype=self.dtype).reshape(self.shape)

    def equal(self, array: NDArray[Any]) -> bool:
        """Whether the array has these contents now."""
        dtype = array.dtype
        if array.shape != self.shape or (dtype is not self.dtype and dtype != self.dtype):
            return False
        if array is self.frozen:
            return True
        same = self.raw.__eq__(array)
        # An array that is not contiguous has no buffer to compare with.
        if same is NotImplemented:
            return isinstance(array, np.ndarray) and self.raw == array.tobytes()
        return same


def consecutive(positions: IndexArray) -> slice | None:
    """Return the slice with the same positions, if they are consecutive."""
    v = positions
    if len(v) and int(v[-1]) - int(v[0]) == len(v) - 1 and bool((v[1:] - v[:-1] == 1).all()):
        return slice(int(v[0]), int(v[-1]) + 1)
    return None


class Index:
    """A constant array of non-negative positions.

    Attributes
    ----------
    values : ndarray of int64, shape (m,)
    transient : bool
        Whether it was not met on two evaluations of a few, nor on one of the first: then it is
        likely to be another one on the next evaluation (the elements where a condition holds),
        and structures built on it are not worth keeping.
    """

    __slots__ = ("__dict__", "contents", "taken", "transient", "used", "values")

    def __init__(
        self, values: IndexArray, contents: Contents | None, transient: bool, clock: int
    ) -> None:
        self.values = values
        self.contents: Any = contents  # None: positions of one evaluation, never compared
        self.taken: dict[Any, Any] = {}
        self.transient = transient
        self.used = clock

    def __len__(self) -> int:
        return len(self.values)

    @property
    def present(self) -> IndexArray:
        """The positions of this evaluation, to move elements by."""
        return self.values

    def touch(self, clock: int) -> None:
        """Note that evaluation `clock` meets it: if it was met just before, it is here to stay."""
        if self.used != clock:
            self.transient &= clock - self.used > RECENT
            self.taken = {}
            self.used = clock

    @cached_property
    def unique(self) -> bool:
        """Whether no position occurs twice."""
        v = self.values
        if len(v) < 2 or bool((v[1:] > v[:-1]).all()):
            return True
        seen = np.zeros(int(v.max()) + 1, dtype=bool)
        seen[v] = True
        return int(np.count_nonzero(seen)) == len(v)

    @cached_property
    def range(self) -> slice | None:
        """The slice with the same positions, if they are consecutive."""
        return consecutive(self.values)

    @cached_property
    def shift(self) -> tuple[int, IndexArray, IndexArray] | None:
        """Offset, exceptions and where they read, if nearly all positions are ``i + offset``.

        Neighbors on a structured mesh are like that: all but the boundary reads at one offset.
        """
        v = self.values
        if len(v) < SHORT:
            return None
        own = np.arange(len(v))
        offset = int(np.median(v[:: len(v) // 64] - own[:: len(v) // 64]))
        exceptions = np.flatnonzero(v != own + offset)
        if 16 * len(exceptions) > len(v):
            return None
        return offset, exceptions, v[exceptions]

    def gather(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return ``array[values]`` of a vector."""
        if self.transient or self.shift is None:
            return array.take(self.values)
        if type(array) is not ndarray and hasattr(array, "record"):
            traced: NDArray[Any] = array.record(Index.gather, (self, array))
            return traced
        # A block copy and a few repairs take a third of the time of a gather.
        offset, exceptions, sources = self.shift
        count = len(self.values)
        result = np.empty(count, dtype=array.dtype)
        begin, end = max(0, -offset), min(count, len(array) - offset)
        result[begin:end] = array[begin + offset : end + offset]
        result[exceptions] = array.take(sources)
        return result


# Below this length a gather costs less than the questions.
SHORT = 4000

# Index arrays that a running `branch` handed to its sides, by id: known without comparing.
PASSING: dict[int, Index] = {}


class Matrix:
    """A constant sparse matrix: private CSR copy of what the user multiplies with."""

    __slots__ = ("contents", "csr", "form", "used")

    def __init__(
        self, csr: Any, contents: tuple[Contents, ...], clock: int, form: tuple[Any, str]
    ) -> None:
        self.csr = csr
        self.form = form
        self.contents = contents
        self.used = clock


class Constant:
    """A constant array that multiplies elements: mesh widths, volumes, coefficients.

    Attributes
    ----------
    values : ndarray
        Flattened.
    persistent : bool
        Whether it was met on two evaluations of a few, or on one of the first.
    """

    __slots__ = ("_broadcast", "_inverse", "contents", "persistent", "used", "values")

    def __init__(self, values: NDArray[Any], persistent: bool, clock: int) -> None:
        self.contents = Contents(values)
        self.values = self.contents.array().ravel()
        self.persistent = persistent
        self.used = clock
        self._inverse: Constant | None = None
        self._broadcast: dict[tuple[int, ...], Constant] = {}

    def broadcast(self, shape: tuple[int, ...]) -> Constant:
        """Return the constant of the same values in a larger shape."""
        known = self._broadcast.get(shape)
        if known is None:
            values = np.ascontiguousarray(np.broadcast_to(self.contents.array(), shape))
            known = Constant(values, self.persistent, self.used)
            self._broadcast[shape] = known
        known.persistent = self.persistent
        return known

    def inverse(self) -> Constant:
        """Return the constant 1 / values."""
        if self._inverse is None:
            with np.errstate(all="ignore"):
                self._inverse = Constant(1.0 / self.values, self.persistent, self.used)
        return self._inverse
