"""Which rows of a matrix each rank holds, and in which order PETSc numbers them.

PETSc gives each rank a run of consecutive rows. Unknowns that follow one another by blocks are
renumbered first, so that each rank holds a share of every block.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....arrays import IndexArray
from ..iterative.hierarchy import block_owners, block_rows


class RowShare:
    """The rows of one rank.

    Parameters
    ----------
    A : csr_array, shape (n, n)
        Its pattern counts.
    blocks : sequence of integer arrays
        Blocks of unknowns; the rest is one more.
    number, size : int
        Of this rank, and of all.

    Attributes
    ----------
    order : ndarray of int, shape (n,)
        PETSc's unknown k is unknown ``order[k]`` of A.
    first, stop : int
        The rows of this rank, in PETSc's numbers.
    indptr, indices : ndarray
        The pattern of these rows, with a full diagonal, sorted.
    """

    def __init__(self, A: Any, blocks: Sequence[Any], number: int, size: int) -> None:
        n = A.shape[0]
        self._owners = block_owners(blocks, n)
        parts = block_rows(blocks, n)
        shares = [[part[_share(len(part), k, size)] for part in parts] for k in range(size)]
        lengths = [sum(len(share) for share in of_rank) for of_rank in shares]
        self.order: IndexArray = (
            np.concatenate([share for of_rank in shares for share in of_rank])
            if size > 1
            else np.arange(n)
        )
        self.first = sum(lengths[:number])
        self.stop = self.first + lengths[number]
        self._place = np.empty(n, dtype=np.int64)
        self._place[self.order] = np.arange(n)
        self._take_pattern(A)

    def _take_pattern(self, A: Any) -> None:
        """Make the index arrays of the own rows, and the places of their values in A."""
        own = self.own
        counts = np.diff(A.indptr)[own].astype(np.int64)
        rows = np.repeat(np.arange(len(own)), counts)
        ends = np.cumsum(counts)
        take = np.arange(len(rows)) + np.repeat(A.indptr[own] - (ends - counts), counts)
        columns = self._place[A.indices[take]]
        self._take = take
        self._rows = SortedRows(rows, columns, self.first, len(own))
        self.indptr, self.indices = self._rows.indptr, self._rows.indices

    @property
    def own(self) -> IndexArray:
        """The unknowns of this rank, in the numbers of A."""
        return self.order[self.first : self.stop]

    def values(self, A: Any) -> NDArray[Any]:
        """Return the values of the own rows."""
        return self._rows.values(A.data[self._take])

    def splits(self) -> dict[int, IndexArray]:
        """Return the own unknowns of each block by its number, in PETSc's numbers.

        The number of what belongs to no block is that of blocks.
        """
        own = self._owners[self.own]
        return {int(k): self.first + np.flatnonzero(own == k) for k in np.unique(self._owners)}


class SortedRows:
    """Some rows of a matrix, as PETSc takes them: sorted, with a full diagonal.

    Parameters
    ----------
    rows, columns : ndarray of int, shape (k,)
        Of the entries: rows count from the first own row, columns are PETSc's numbers.
    first, count : int
        The number of the first own row, and how many there are.

    Attributes
    ----------
    indptr, indices : ndarray of int
    """

    def __init__(self, rows: IndexArray, columns: IndexArray, first: int, count: int) -> None:
        without = np.ones(count, dtype=bool)
        without[rows[columns == first + rows]] = False
        missing = np.flatnonzero(without)
        # What is not stored has the number of entries for its place: `values` puts a zero there.
        place = np.concatenate([np.arange(len(rows)), np.full(len(missing), len(rows))])
        rows = np.concatenate([rows, missing])
        columns = np.concatenate([columns, missing + first])
        order = np.lexsort((columns, rows))
        self._place, self._complete = place[order], missing.size == 0
        self.indices = columns[order]
        self.indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=count))])

    def values(self, data: NDArray[Any]) -> NDArray[Any]:
        """Return the values of the entries in the order of `indices`."""
        whole: NDArray[Any] = data if self._complete else np.append(data, 0.0)
        sorted_values: NDArray[Any] = whole[self._place]
        return sorted_values


def _share(length: int, k: int, size: int) -> slice:
    """Return the part of a block that rank k holds."""
    return slice(length * k // size, length * (k + 1) // size)
