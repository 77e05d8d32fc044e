"""Structures: which unknowns the elements of an array depend on, apart from any value.

The derivative of an array with respect to the unknowns x is a sum of terms

    dy/dx = sum over k of  E_k . diag(a_k) . W_k . diag(c_k) . G_k

G selects one unknown for each coefficient of c (``cols``), W is a constant sparse matrix
(``weights``, mostly absent), E puts rows into place (``rows``, mostly absent). A `Structure` is
such a triple (E, W, G); it knows no coefficient. Elementwise mathematics touches only coefficients.
Indexing, stacking and constant matrices make new structures out of old ones, and these are
*interned*: the same operation on the same structure gives the same object back, for as long as
the operation keeps being used. So the second evaluation of a residual computes no index.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from .joins import columns, matches, product
from .operands import Columns, Constant, Index, IndexArray, Matrix

if TYPE_CHECKING:
    from .root import Root

Rows = slice | IndexArray | None
Pull = slice | IndexArray | Index | None


class Taken(NamedTuple):
    """A structure made by choosing rows of another one, and how coefficients follow.

    `pull` applies to the coefficients c where the structure has no weights, else to the row
    factors a; None means unchanged.
    """

    structure: Structure
    pull: Pull


class Structure:
    """One (E, W, G) triple; made by a `Root` or from another structure, never by hand.

    Attributes
    ----------
    size : int
        Number of elements of the array (rows of the triple).
    rows : None, slice or ndarray of int64
        Element that each compact row adds to; None: row i is element i.
    weights : None or csr_array, shape (compact rows, coefficients)
    cols : ndarray of int32, shape (coefficients,)
        Unknown that each coefficient belongs to; -1: to none.
    gathered : None or (Structure, Index)
        The structure and the index that this one was taken with, for `put` to recognise.
    """

    __slots__ = (
        "children",
        "cols",
        "gathered",
        "has_weights",
        "root",
        "rows",
        "size",
        "used",
        "weights",
    )  # fmt: skip

    def __init__(self, root: Root, size: int, rows: Rows, weights: Any, cols: Columns) -> None:
        self.root = root
        self.size = size
        self.rows = rows
        self.weights = weights
        self.has_weights = weights is not None
        self.cols = cols
        self.gathered: tuple[Structure, Index] | None = None
        self.children: dict[Hashable, Any] = {}
        self.used = root.clock

    def _interned(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return the child of that key, made at the first request; safe between threads."""
        child = self.children.get(key)
        made = child is None
        if child is None:
            child = self.children.setdefault(key, make())
        structure = child[0] if type(child) is Taken else child
        structure.used = self.root.clock
        if made and (structure.has_weights or structure.rows is not None):
            self.root.count(structure)
        return child

    def take(self, index: Index) -> Taken:
        """Return the structure of ``y.ravel()[index]``."""
        child = self.children.get(index)
        if child is not None:
            child[0].used = self.root.clock
            return child  # type: ignore[no-any-return]
        if index.volatile:
            # Kept with the index, which will be gone soon, instead of with this structure.
            taken = index.taken.get(self)
            if taken is None:
                taken = index.taken.setdefault(self, self._take(index))
            return taken  # type: ignore[no-any-return]
        return self._interned(index, lambda: self._take(index))  # type: ignore[no-any-return]

    def take_slice(self, start: int, stop: int, step: int) -> Taken:
        """Return the structure of ``y[start:stop:step]`` for a one-dimensional y."""
        key = (start, stop, step)
        child = self.children.get(key)
        if child is not None:
            child[0].used = self.root.clock
            return child  # type: ignore[no-any-return]
        return self._interned(key, lambda: self._take_slice(start, stop, step))  # type: ignore[no-any-return]

    def put(self, rows: Index | slice, size: int) -> Structure:
        """Return the structure of an array of `size` elements with this one's at `rows`."""
        key = (rows.start if type(rows) is slice else rows, size)
        child = self.children.get(key)
        if child is not None:
            child.used = self.root.clock
            return child  # type: ignore[no-any-return]
        if isinstance(rows, Index) and rows.volatile:
            return self._put(rows, size)
        return self._interned(key, lambda: self._put(rows, size))  # type: ignore[no-any-return]

    def origin(self, index: Any, size: int) -> Structure | None:
        """Return the structure of `size` elements that this one was taken from with `index`."""
        if self.gathered is None or self.gathered[1] is not index:
            return None
        parent = self.gathered[0]
        return parent if parent.size == size else None

    def weighted(self, constant: Constant) -> Structure:
        """Return the structure of an array multiplied by a constant one, element by element."""
        child = self.children.get(constant)
        if child is not None:
            child.used = self.root.clock
            return child  # type: ignore[no-any-return]
        return self._interned(constant, lambda: self._weighted(constant.values))  # type: ignore[no-any-return]

    def multiplied(self, matrix: Matrix) -> Structure:
        """Return the structure of ``A @ y``; row factors must have been expanded before."""
        return self._interned(matrix, lambda: self._multiplied(matrix.csr))  # type: ignore[no-any-return]

    def expanded(self) -> Structure:
        """Return the structure without weights: one coefficient for each entry."""
        return self._interned("expanded", self._expanded)  # type: ignore[no-any-return]

    @property
    def height(self) -> int:
        """Number of compact rows."""
        return int(self.weights.shape[0]) if self.has_weights else len(self.cols)

    def row_of_entry(self) -> IndexArray:
        """Compact row of every stored entry of the weights."""
        known: IndexArray | None = self.children.get("rows")
        if known is None:
            counts = np.diff(self.weights.indptr)
            known = self.children["rows"] = np.repeat(np.arange(len(counts)), counts)
        return known

    def place(self, compact: NDArray[Any]) -> NDArray[Any]:
        """Return the elements that compact rows add to."""
        if self.rows is None:
            return compact
        if isinstance(self.rows, slice):
            return compact + int(self.rows.start)
        placed: NDArray[Any] = self.rows[compact]
        return placed

    def entries(self) -> tuple[NDArray[Any], Columns, NDArray[Any] | None, NDArray[Any] | None]:
        """Return element, unknown, weight and coefficient number of every entry.

        Weight and coefficient number are None where they are one and ``0..``; entries of no
        unknown (-1) are included.
        """
        if not self.has_weights:
            return self.place(np.arange(len(self.cols), dtype=np.int32)), self.cols, None, None
        source = self.weights.indices
        rows = np.arange(self.height, dtype=np.int32)
        rows = np.repeat(rows, np.diff(self.weights.indptr))
        return self.place(rows), self.cols[source], self.weights.data, source

    # ---- making children -----------------------------------------------------------------------

    def _take(self, index: Index) -> Taken:
        if self.rows is not None:
            return _take_placed(self, index.values)
        if index.volatile and index.unique:
            return Taken(Gathered(self, index), index)
        if self.has_weights:
            taken = Structure(
                self.root, len(index.values), None, self.weights[index.values], self.cols
            )
        else:
            taken = self.root.selection(self.cols[index.values])
        if taken.gathered is None and taken is not self and index.unique:
            taken.gathered = (self, index)
        return Taken(taken, index)

    def _take_slice(self, start: int, stop: int, step: int) -> Taken:
        positions = np.arange(start, stop, step)
        if self.rows is not None:
            return _take_placed(self, positions)
        # A slice that runs down to element 0 has no finite stop in Python's notation.
        pull = slice(start, stop if stop >= 0 else None, step)
        if self.has_weights:
            taken = Structure(self.root, len(positions), None, self.weights[positions], self.cols)
        else:
            taken = self.root.selection(self.cols[pull])
        return Taken(taken, pull)

    def _put(self, rows: Index | slice, size: int) -> Structure:
        if isinstance(rows, slice):
            offset = rows.start
            if self.rows is None:
                count = self.height
                placed: Rows = slice(offset, offset + count)
            elif isinstance(self.rows, slice):
                placed = slice(self.rows.start + offset, self.rows.stop + offset)
            else:
                placed = self.rows + offset
        else:
            placed = rows.range or rows.values
            if self.rows is not None:
                placed = rows.values[self.rows]
        return Structure(self.root, size, placed, self.weights, self.cols)

    def _weighted(self, values: NDArray[Any]) -> Structure:
        if self.rows is not None:
            values = values[self.rows]
        if not self.has_weights:
            n = len(values)
            weights = sp.csr_array((values, np.arange(n), np.arange(n + 1)), shape=(n, n))
        else:
            weights = self.weights.copy()
            weights.data = weights.data * values[self.row_of_entry()]
        return Structure(self.root, self.size, self.rows, weights, self.cols)

    def _multiplied(self, csr: Any) -> Structure:
        if isinstance(self.rows, slice):
            csr = csr[:, self.rows]
        elif self.rows is not None:
            csr = columns(csr, self.rows)
        if self.has_weights:
            csr = product(csr, self.weights)
        return Structure(self.root, csr.shape[0], None, csr, self.cols)

    def _expanded(self) -> Structure:
        elements, cols, _, _ = self.entries()
        return Structure(self.root, self.size, elements, None, cols)


class Gathered(Structure):
    """Elements of a structure that are likely to be others next time; details on demand.

    Mostly there is no demand: they are put back where they came from.
    """

    __slots__ = ("_cols", "_weights")

    _cols: Columns | None
    _weights: Any

    def __init__(self, parent: Structure, index: Index) -> None:
        super().__init__(parent.root, len(index), None, None, NO_COLS)
        self.gathered = (parent, index)
        self.has_weights = parent.has_weights

    @property
    def cols(self) -> Columns:
        """Unknown of each coefficient."""
        if self._cols is None and self.gathered is not None:
            parent, index = self.gathered
            self._cols = parent.cols if parent.has_weights else parent.cols[index.values]
        assert self._cols is not None
        return self._cols

    @cols.setter
    def cols(self, cols: Columns) -> None:
        self._cols = None

    @property
    def weights(self) -> Any:
        """Rows of the weights of the structure that it was gathered from."""
        if self._weights is None and self.gathered is not None and self.has_weights:
            parent, index = self.gathered
            self._weights = parent.weights[index.values]
        return self._weights

    @weights.setter
    def weights(self, weights: Any) -> None:
        self._weights = None

    @property
    def height(self) -> int:
        """Number of rows."""
        return self.size


NO_COLS: Columns = np.empty(0, dtype=np.int32)


def _take_placed(structure: Structure, wanted: IndexArray) -> Taken:
    """Choose elements of a structure whose rows are placed."""
    count = structure.height
    element, compact = matches(structure.place(np.arange(count)), wanted, structure.size)
    root = structure.root
    single = not structure.has_weights and bool((element[1:] != element[:-1]).all())
    if single and 2 * len(element) >= len(wanted) > 0:
        # Nearly every element has its row: pad, so that no placing is needed any more.
        cols = np.full(len(wanted), -1, dtype=np.int32)
        cols[element] = structure.cols[compact]
        pull = np.zeros(len(wanted), dtype=np.int64)
        pull[element] = compact
        return Taken(root.selection(cols), pull)
    rows: Rows = element
    if len(element) and np.array_equal(element, np.arange(element[0], element[0] + len(element))):
        rows = slice(int(element[0]), int(element[0]) + len(element))
        if len(element) == len(wanted):
            rows = None
    weights = structure.weights[compact] if structure.has_weights else None
    cols = structure.cols[compact] if weights is None else structure.cols
    return Taken(Structure(root, len(wanted), rows, weights, cols), compact)
