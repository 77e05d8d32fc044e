"""Permutations of equations and unknowns that make the band of a matrix narrow.

Equations may be in another order than their unknowns. Reverse Cuthill-McKee (RCM) on A + A^T orders
both alike, and finds no band then. Here the same breadth-first search runs on the bipartite graph
of equations and unknowns, whose edges are the entries, and orders each kind by itself. In a
structurally regular matrix every set of k equations contains at least k unknowns (Hall). Both kinds
therefore differ by one level at most, and the band is as narrow as that of the best aligned order.
No row matching is needed, whose cost is not linear.

References: E. Cuthill, J. McKee, Proc. 24th Nat. Conf. ACM (1969) 157; J. Reid, J. Scott, SIAM J.
Matrix Anal. Appl. 28 (2006) 805 (unsymmetric matrices, by the bipartite graph).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import reverse_cuthill_mckee

from ...arrays import IndexArray
from ...pattern import Pattern

# A band up to this many diagonals is not worth a second search.
CONTENT = 32


@dataclass(frozen=True)
class Order:
    """An order of the equations and of the unknowns, and the band it gives.

    Attributes
    ----------
    rows, columns : ndarray of int64, shape (n,), or None
        ``rows[k]`` is the equation at place k, ``columns[k]`` the unknown. None: as given.
    lower, upper : int
        Sub- and superdiagonals in use.
    """

    rows: IndexArray | None
    columns: IndexArray | None
    lower: int
    upper: int

    @property
    def width(self) -> int:
        """Sub- plus superdiagonals."""
        return self.lower + self.upper

    def sign(self) -> int:
        """Determinant of the two permutations."""
        if self.rows is None or self.columns is None or self.rows is self.columns:
            return 1
        return permutation_sign(self.rows) * permutation_sign(self.columns)


def narrow_order(pattern: Pattern) -> Order:
    """Return the narrowest of the orders that are tried.

    As given; if that is not tridiagonal, RCM; if that is not narrow and the pattern is not
    symmetric, RCM of the bipartite graph. The cost is linear in the number of entries, except for
    rows or columns of thousands of entries, with which no band is narrow.

    Examples
    --------
    Two chains, one after the other, coupled node by node:

    >>> chain = sp.diags_array([np.ones(50), np.ones(51), np.ones(50)], offsets=[-1, 0, 1])
    >>> pattern = Pattern.of(sp.kron(np.ones((2, 2)), chain))
    >>> pattern.bandwidth, narrow_order(pattern).width
    ((52, 52), 6)

    The same, with equations in arbitrary order:

    >>> shuffled = np.random.default_rng(0).permutation(102)
    >>> narrow_order(Pattern.of(sp.kron(np.ones((2, 2)), chain).tocsr()[shuffled])).width
    6
    """
    best = Order(None, None, *pattern.bandwidth)
    if best.width <= 2:
        return best
    graph = _ones(pattern)
    together = reverse_cuthill_mckee(graph, symmetric_mode=False).astype(np.int64)
    best = _narrower(best, pattern, together, together)
    if best.width > CONTENT:
        across = graph.T.tocsr()
        if not _same_matrix(graph, across):
            both = sp.block_array([[None, graph], [across, None]], format="csr")
            mixed = reverse_cuthill_mckee(both, symmetric_mode=True).astype(np.int64)
            n = pattern.shape[0]
            best = _narrower(best, pattern, mixed[mixed < n], mixed[mixed >= n] - n)
    return best


def inverse(permutation: IndexArray) -> IndexArray:
    """Return the place of every number.

    >>> inverse(np.array([2, 0, 1]))
    array([1, 2, 0])
    """
    places = np.empty(len(permutation), dtype=np.int64)
    places[permutation] = np.arange(len(permutation))
    return places


def permutation_sign(permutation: NDArray[Any]) -> int:
    """Return the parity of a permutation, from the number of its cycles.

    >>> permutation_sign(np.array([1, 0, 2]))
    -1
    """
    n = len(permutation)
    graph = sp.csr_array((np.ones(n), permutation, np.arange(n + 1)), shape=(n, n))
    cycles, _ = sp.csgraph.connected_components(graph, directed=False)
    return -1 if (n - cycles) % 2 else 1


def widest(pattern: Pattern) -> int:
    """Return the largest number of entries in a row or column: no order has a narrower band.

    >>> widest(Pattern([0, 3, 4, 5], [0, 1, 2, 0, 0], (3, 3)))
    3
    """
    counts = np.bincount(pattern.indices, minlength=pattern.shape[1])
    return int(max(np.max(np.diff(pattern.indptr)), np.max(counts)))


def _narrower(best: Order, pattern: Pattern, rows: IndexArray, columns: IndexArray) -> Order:
    offset = inverse(columns)[pattern.indices] - inverse(rows)[pattern.rows]
    found = Order(rows, columns, max(0, int(-offset.min())), max(0, int(offset.max())))
    return found if found.width < best.width else best


def _ones(pattern: Pattern) -> Any:
    return sp.csr_array((np.ones(pattern.nnz), pattern.indices, pattern.indptr), pattern.shape)


def _same_matrix(A: Any, B: Any) -> bool:
    return np.array_equal(A.indptr, B.indptr) and np.array_equal(A.indices, B.indices)
