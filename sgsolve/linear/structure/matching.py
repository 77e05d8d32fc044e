"""Maximum matching of equations with unknowns: the structural rank of a sparse matrix.

Alternating trees grow from all unmatched equations at once, level by level, in NumPy. The routine
of SciPy needs minutes for 10 000 equations in arbitrary order; this one needs milliseconds.

References: R. M. Karp, M. Sipser, Proc. 22nd Symp. Foundations of Computer Science (1981) 364
(fewest choices first); A. Pothen, C.-J. Fan, ACM Trans. Math. Software 16 (1990) 303; A. Azad,
A. Buluc, A. Pothen, IEEE Trans. Parallel Distrib. Syst. 28 (2017) 44 (breadth-first search from
many sources).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arrays import IndexArray

FEW = 12  # rows of a level up to which plain Python is faster than NumPy


def maximum_matching(A: Any) -> tuple[IndexArray, IndexArray]:
    """Match as many rows as possible with a column of their own.

    Parameters
    ----------
    A : csr_array, shape (n, n)
        Explicit zeros count as entries.

    Returns
    -------
    column_of_row, row_of_column : ndarray of int64, shape (n,)
        The partner, -1 where there is none.

    Examples
    --------
    >>> import scipy.sparse as sp
    >>> A = sp.csr_array([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    >>> int(np.count_nonzero(maximum_matching(A)[0] >= 0))
    2
    """
    n = A.shape[0]
    indptr, indices = A.indptr.astype(np.int64), A.indices.astype(np.int64)
    rows = np.repeat(np.arange(n), np.diff(indptr))
    column_of_row, row_of_column = _maximal(rows, indices, n)
    while True:
        forest = _Forest(indptr, indices, column_of_row, row_of_column)
        parent, ends = forest.parent, forest.ends
        if ends.size == 0:
            return column_of_row, row_of_column
        # The trees share no vertex, so all paths are augmented together.
        while ends.size:
            row = parent[ends]
            before = column_of_row[row]
            column_of_row[row], row_of_column[ends] = ends, row
            ends = before[before >= 0]


def has_full_rank(A: Any) -> bool:
    """Return whether every row can be matched; at once if the diagonal is complete.

    >>> import scipy.sparse as sp
    >>> has_full_rank(sp.csr_array([[0.0, 1.0], [1.0, 1.0]]))
    True
    """
    n = A.shape[0]
    rows = np.repeat(np.arange(n), np.diff(A.indptr))
    if np.count_nonzero(rows == A.indices) == n:
        return True
    return bool((maximum_matching(A)[0] >= 0).all())


def _maximal(rows: IndexArray, columns: IndexArray, n: int) -> tuple[IndexArray, IndexArray]:
    """Return a matching to which no entry can be added: the diagonal first, then in rounds.

    In each round a row asks for the column that fewest rows are left for, and a column takes the
    row that has fewest columns left. Chance decides between equals. The rows that go without are
    then few and far between, and near a free column.
    """
    column_of_row, row_of_column = np.full((2, n), -1)
    order = np.random.default_rng(0).permutation(len(rows))
    rows, columns = rows[order], columns[order]
    on_diagonal = rows == columns
    while rows.size:
        rivals = _degrees(columns, n)[columns]
        rivals[on_diagonal] = 0
        # The last entry written wins: one entry for each row, then one of those for each column.
        order = np.argsort(~rivals, kind="stable")
        choice = np.full(n, -1)
        choice[rows[order]] = columns[order]
        asking = np.flatnonzero(choice >= 0)
        asking = asking[np.argsort(~_degrees(rows, n)[asking], kind="stable")]
        row_of_column[choice[asking]] = asking
        won = asking[row_of_column[choice[asking]] == asking]
        column_of_row[won] = choice[won]
        free = (column_of_row[rows] < 0) & (row_of_column[columns] < 0)
        rows, columns, on_diagonal = rows[free], columns[free], on_diagonal[free]
    return column_of_row, row_of_column


def _degrees(numbers: IndexArray, n: int) -> NDArray[np.uint16]:
    """Return how often each number occurs, up to 65 535, of a type that is sorted fast."""
    return np.minimum(np.bincount(numbers, minlength=n), 65_535).astype(np.uint16)


class _Forest:
    """Disjoint alternating trees that grow from all unmatched rows at once, level by level.

    Attributes
    ----------
    parent : ndarray of int64, shape (n,)
        The row above each column, -1 for columns in no tree.
    ends : ndarray of int64
        The free columns that were reached, one at most in each tree.
    """

    def __init__(
        self,
        indptr: IndexArray,
        indices: IndexArray,
        column_of_row: IndexArray,
        row_of_column: IndexArray,
    ) -> None:
        n = len(column_of_row)
        self._indptr, self._indices, self._row_of_column = indptr, indices, row_of_column
        self.parent, self._root = np.full((2, n), -1)
        self._growing = np.ones(n, dtype=bool)
        frontier = np.flatnonzero(column_of_row < 0)
        self._root[frontier] = frontier
        found = [frontier[:0]]
        while frontier.size:
            grown = self._few_rows if frontier.size <= FEW else self._many_rows
            frontier, ends = grown(frontier)
            found.append(ends)
        self.ends: IndexArray = np.concatenate(found)

    def _many_rows(self, frontier: IndexArray) -> tuple[IndexArray, IndexArray]:
        """Return the rows of the next level, and the free columns in it."""
        root, growing = self._root, self._growing
        rows, columns = _entries(self._indptr, self._indices, frontier)
        new = self.parent[columns] < 0
        rows, columns = rows[new], columns[new]
        self.parent[columns] = rows
        own = self.parent[columns] == rows  # another row may have taken the column
        rows, columns = rows[own], columns[own]
        partners = self._row_of_column[columns]
        free = partners < 0
        ends = columns[free]
        if ends.size:  # one for each tree, which then grows no more
            ended, first = np.unique(root[rows[free]], return_index=True)
            ends, growing[ended] = ends[first], False
            open_ = ~free & growing[root[rows]]
            rows, partners = rows[open_], partners[open_]
        root[partners] = root[rows]
        return partners, ends

    def _few_rows(self, frontier: IndexArray) -> tuple[IndexArray, IndexArray]:
        """Do the same row by row, for as many levels as these have few rows: long thin paths."""
        arrays: list[Any] = [self._indptr, self._indices, self._row_of_column, self.parent]
        arrays += [self._root, self._growing]
        views: list[Any] = [memoryview(array) for array in arrays]
        indptr, indices, row_of_column, parent, root, growing = views
        rows, ends = frontier.tolist(), list[int]()
        while 0 < len(rows) <= 4 * FEW:
            following = []
            for row in rows:
                tree = root[row]
                for k in range(indptr[row], indptr[row + 1] if growing[tree] else 0):
                    column = indices[k]
                    if parent[column] >= 0:
                        continue
                    parent[column], partner = row, row_of_column[column]
                    if partner < 0:
                        ends.append(column)
                        growing[tree] = False
                        break
                    root[partner] = tree
                    following.append(partner)
            rows = following
        rows = [row for row in rows if growing[root[row]]]  # another row may have ended its tree
        return np.array(rows, dtype=np.int64), np.array(ends, dtype=np.int64)


def _entries(
    indptr: IndexArray, indices: IndexArray, chosen: IndexArray
) -> tuple[IndexArray, IndexArray]:
    """Return row and column of every entry in the chosen rows."""
    counts = indptr[chosen + 1] - indptr[chosen]
    rows = np.repeat(chosen, counts)
    shift = np.repeat(indptr[chosen] - (np.cumsum(counts) - counts), counts)
    return rows, indices[shift + np.arange(len(rows))]
