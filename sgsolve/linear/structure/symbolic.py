"""The entries of factors and the operations of a factorization, counted before it is made.

Pivots on the diagonal leave as many entries in L and in U as the Cholesky factor of the symmetrized
pattern has, in a given order of elimination. Pivots of any rows leave no more than the Cholesky
factor of A^T A has. The time of counting is nearly proportional to the entries of the matrix, not
to those of the factors.

References: J. Gilbert, E. Ng, B. Peyton, SIAM J. Matrix Anal. Appl. 15 (1994) 1075; T. Davis,
Direct Methods for Sparse Linear Systems (SIAM, 2006), chapter 4; A. George, E. Ng, SIAM J. Sci.
Stat. Comput. 8 (1987) 877 (the bound for partial pivoting).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...arrays import IndexArray
from .ordering import inverse

# Partial pivoting fills this share of the bound. Measured: 0.55 to 0.7; 0.44 where all pivots come
# from one triangle.
FILLED_SHARE = 1.0 / 1.5
# Rows longer than this times the root of n are pivoted late, and say nothing in the bound. With
# them, the factors have 1.1 to 3.2 times the entries that it has without them, by their values.
LONG_ROW, FILLED_SHARE_OF_LONG = 10.0, 2.0


@dataclass(frozen=True)
class FactorCounts:
    """Counts of L and U together, with the diagonal once.

    Attributes
    ----------
    operations : float
        Additions and multiplications.
    """

    entries: float
    operations: float


def factor_counts(A: Any, order: IndexArray) -> FactorCounts:
    """Return what a factorization with pivots on the diagonal takes.

    Parameters
    ----------
    A : csr_array, shape (n, n)
        Its pattern counts, symmetrized.
    order : ndarray of int, shape (n,)
        ``order[k]`` is the unknown that is eliminated at place k.
    """
    rows = np.repeat(np.arange(A.shape[0]), np.diff(A.indptr))
    place = inverse(order)
    return _counted(A.shape[0], place[rows], place[A.indices], 1.0)


def partial_pivoting_counts(A: Any, order: IndexArray) -> FactorCounts:
    """Return about what a factorization with partial pivoting takes.

    Parameters
    ----------
    A : csr_array, shape (n, n)
    order : ndarray of int, shape (n,)
        ``order[k]`` is the unknown whose column is eliminated at place k.
    """
    n, lengths = A.shape[0], np.diff(A.indptr)
    # Elimination makes the columns of a row neighbors of each other. It is enough to join each to
    # the first of them: that one is eliminated first, and joins the others.
    place = inverse(order)[A.indices]
    first = np.minimum.reduceat(place, A.indptr[:-1])
    short = np.repeat(lengths <= LONG_ROW * np.sqrt(n), lengths)
    share = FILLED_SHARE if short.all() else FILLED_SHARE_OF_LONG
    return _counted(n, np.repeat(first, lengths)[short], place[short], share)


def _counted(n: int, i: IndexArray, j: IndexArray, share: float) -> FactorCounts:
    """Return the counts for edges between the places i and j, times a share."""
    lengths = column_counts(*_entries_apart(n, i, j))
    below = share * (np.asarray(lengths, dtype=np.float64) - 1.0)
    return FactorCounts(
        entries=2.0 * float(below.sum()) + n,
        operations=2.0 * float(below @ below) + float(below.sum()),
    )


def _entries_apart(
    n: int, i: IndexArray, j: IndexArray
) -> tuple[list[int], list[int], list[int], list[int]]:
    """Return the edges between different places, by columns and by rows.

    Returns
    -------
    starts, rows : list of int
        The rows below the diagonal in each column.
    row_starts, columns : list of int
        The columns left of the diagonal in each row.
    """
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
