"""The entries of factors and the operations of a factorization, counted before it is made.

The counts are those of the Cholesky factor of the symmetrized pattern in a given order of
elimination: pivots on the diagonal leave so many entries in L and in U. The time is nearly
proportional to the entries of the matrix, not to those of the factors.

References: J. Gilbert, E. Ng, B. Peyton, SIAM J. Matrix Anal. Appl. 15 (1994) 1075; T. Davis,
Direct Methods for Sparse Linear Systems (SIAM, 2006), chapter 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class FactorCounts:
    """Counts of L and U together, with the diagonal once.

    Attributes
    ----------
    entries : float
    operations : float
        Additions and multiplications.
    """

    entries: float
    operations: float


def factor_counts(A: Any, order: IntArray) -> FactorCounts:
    """Return what a factorization with pivots on the diagonal takes.

    Parameters
    ----------
    A : csr_array, shape (n, n)
        Its pattern counts, symmetrized.
    order : ndarray of int, shape (n,)
        ``order[k]`` is the unknown that is eliminated at place k.
    """
    lengths = column_counts(*_entries_apart(A, order))
    below = np.asarray(lengths, dtype=np.float64) - 1.0
    n = len(below)
    return FactorCounts(
        entries=2.0 * float(below.sum()) + n,
        operations=2.0 * float(below @ below) + float(below.sum()),
    )


def _entries_apart(A: Any, order: IntArray) -> tuple[list[int], list[int], list[int], list[int]]:
    """Return the entries beside the diagonal of A + A^T, by columns and by rows.

    Returns
    -------
    starts, rows : list of int
        The rows below the diagonal in each column.
    row_starts, columns : list of int
        The columns left of the diagonal in each row.
    """
    n = A.shape[0]
    place = np.empty(n, dtype=np.int64)
    place[order] = np.arange(n)
    i = place[np.repeat(np.arange(n), np.diff(A.indptr))]
    j = place[A.indices]
    apart = i != j
    i, j = i[apart], j[apart]
    pairs = np.unique(np.minimum(i, j) * n + np.maximum(i, j))
    column, row = np.divmod(pairs, n)
    starts = np.concatenate([[0], np.cumsum(np.bincount(column, minlength=n))])
    row_starts = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=n))])
    by_row = column[np.argsort(row, kind="stable")]
    return starts.tolist(), row.tolist(), row_starts.tolist(), by_row.tolist()


def elimination_tree(starts: list[int], columns: list[int]) -> list[int]:
    """Return the parent of each column, -1 for a root.

    Parameters
    ----------
    starts, columns : list of int
        The columns left of the diagonal in each row, ascending.
    """
    n = len(starts) - 1
    parent, ancestor = [-1] * n, [-1] * n
    for k in range(n):
        for i in columns[starts[k] : starts[k + 1]]:
            while i != -1 and i < k:
                following = ancestor[i]
                ancestor[i] = k
                if following == -1:
                    parent[i] = k
                i = following  # up the tree
    return parent


def postorder(parent: list[int]) -> list[int]:
    """Return the columns with each one after its children."""
    n = len(parent)
    head, following = [-1] * n, [-1] * n
    for j in range(n - 1, -1, -1):
        if parent[j] != -1:
            following[j] = head[parent[j]]
            head[parent[j]] = j
    found: list[int] = []
    for root in range(n):
        stack = [root] if parent[root] == -1 else []
        while stack:
            child = head[stack[-1]]
            if child == -1:
                found.append(stack.pop())
            else:
                head[stack[-1]] = following[child]
                stack.append(child)
    return found


def column_counts(
    starts: list[int], rows: list[int], row_starts: list[int], columns: list[int]
) -> list[int]:
    """Return the number of entries in each column of the Cholesky factor, with the diagonal.

    Parameters
    ----------
    starts, rows : list of int
        The rows below the diagonal in each column.
    row_starts, columns : list of int
        The columns left of the diagonal in each row, ascending.
    """
    parent = elimination_tree(row_starts, columns)
    post = postorder(parent)
    n = len(parent)
    first, count = [-1] * n, [0] * n  # first: the first descendant, by its place in `post`
    for k, j in enumerate(post):
        count[j] = int(first[j] == -1)  # a leaf of the tree
        while j != -1 and first[j] == -1:
            first[j] = k
            j = parent[j]  # up the tree
    largest, previous, ancestor = [-1] * n, [-1] * n, list(range(n))
    for j in post:
        above, own = parent[j], first[j]
        if above != -1:
            count[above] -= 1
        for i in rows[starts[j] : starts[j + 1]]:
            if own <= largest[i]:
                continue  # j is no leaf of the subtree of row i
            largest[i], before, previous[i] = own, previous[i], j
            count[j] += 1
            if before != -1:
                count[_common(before, ancestor)] -= 1
        if above != -1:
            ancestor[j] = above
    for j, above in enumerate(parent):
        if above != -1:
            count[above] += count[j]
    return count


def _common(leaf: int, ancestor: list[int]) -> int:
    """Return the least common ancestor of a leaf and the present column; shorten the path."""
    top = leaf
    while top != ancestor[top]:
        top = ancestor[top]
    while leaf != top:
        leaf, ancestor[leaf] = ancestor[leaf], top
    return top
