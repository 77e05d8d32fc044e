"""Structures: which unknowns the elements of an array depend on, apart from any value.

The derivative of an array with respect to the unknowns x is a sum of terms

    dy/dx = sum over k of  E_k . diag(a_k) . W_k . diag(c_k) . G_k

G selects one unknown for each coefficient of c (``cols``), W is a constant sparse matrix
(``weights``, mostly absent), E puts rows into place (``rows``, mostly absent). A `Structure` is
such a triple (E, W, G) without coefficients. Elementwise operations change only coefficients.
Indexing, stacking and constant matrices make new structures from earlier ones. These are cached:
the same operation on the same structure returns the same object as long as it is used. The second
evaluation of a residual therefore computes no indices.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ...arrays import IndexArray
from .operands import Columns, Index

Rows = slice | IndexArray | None
Pull = slice | IndexArray | Index | None


class StructureOwner(Protocol):
    """What makes and keeps structures: a `Root`."""

    clock: int
    cols: Columns

    def count(self, structure: Structure) -> None:
        """Count a new structure."""

    def selection(self, cols: Columns) -> Structure:
        """Return the structure with these unknowns."""

    def placement(self, rows: IndexArray | slice, cols: Columns, size: int) -> Structure:
        """Return the structure with one coefficient for each of these entries."""


class Selection(NamedTuple):
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
    entry_count : int
        Number of entries, those of no unknown included.
    gathered : None or (Structure, Index)
        The structure and the index that this one was taken with, for `put` to recognize.
    passing : bool
        Whether it is made again in every evaluation, because it is too large to be kept.
    """

    __slots__ = (
        "children",
        "cols",
        "entry_count",
        "gathered",
        "has_weights",
        "passing",
        "root",
        "rows",
        "size",
        "used",
        "weights",
    )  # fmt: skip

    def __init__(
        self, root: StructureOwner, size: int, rows: Rows, weights: Any, cols: Columns
    ) -> None:
        self.root = root
        self.size = size
        self.rows = rows
        self.weights = weights
        self.has_weights = weights is not None
        self.cols = cols
        self.entry_count = len(cols) if weights is None else len(weights.indices)
        self.gathered: tuple[Structure, Index] | None = None
        self.children: dict[Hashable, Any] = {}
        self.passing = False
        self.used = root.clock

    def origin(self, index: Any, size: int) -> Structure | None:
        """Return the structure of `size` elements that this one was taken from with `index`."""
        if self.gathered is None or self.gathered[1] is not index:
            return None
        parent = self.gathered[0]
        return parent if parent.size == size else None

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
