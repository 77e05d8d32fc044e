"""Order of elimination by nodes: all unknowns of a grid point stay together.

The unknowns of one grid point couple to nearly the same neighbors. An order of the grid points,
which are fewer, is found faster than one of the unknowns, and it leaves fewer entries in the
factors: in 2-D drift-diffusion half as many as COLAMD, and 0.8 times the operations of the nested
dissection in PARDISO (`python benchmarks/linear_backends.py nodes`).

References: C. Ashcraft, SIAM J. Sci. Comput. 16 (1995) 1404 (compressed graphs); J. Liu, ACM Trans.
Math. Softw. 11 (1985) 141 (multiple minimum degree).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.linalg import spilu

from ...arrays import IndexArray
from .matching import maximum_matching

# Unknowns at a grid point, as far as they are looked for in the pattern, in a sample of rows.
MOST, SAMPLE = 8, 2000
# Share of the neighbors of an unknown that have an unknown of its kind coupled to it.
ALIKE = 0.9
# Share of the unknowns of its node that an equation contains.
COUPLED = 0.6
# Rows and columns longer than this times the mean, and this number, are eliminated last.
LONG, LONGEST = 10.0, 200
# Share of the edges of the graph that go both ways.
SYMMETRIC = 0.8
# With pymetis, graphs of more nodes than this are ordered by nested dissection.
DISSECTED = 20_000
# How much larger than half the larger side of a separator may be, in thousandths. METIS itself
# takes 200. With 500 the separators of grids in 2-D are shorter: 0.65 to 0.8 of the operations;
# 0.9 to 1 on triangles. In 3-D neither is always better.
IMBALANCES = 500, 200


def nodes_of_unknowns(A: Any, blocks: Sequence[Any]) -> IndexArray:
    """Return the number of the node that each unknown belongs to.

    Parameters
    ----------
    A : csr_array, shape (n, n)
    blocks : sequence of ndarray of int
        Blocks of equal length may have one unknown at each node. Without such blocks k unknowns a
        node are looked for, one block after another or node by node.

    Returns
    -------
    ndarray of int64, shape (n,)
        Each unknown is a node of its own where the unknowns of a node do not have their neighbors
        in common.
    """
    n = A.shape[0]
    for node, kind in _candidates(n, blocks):
        if _same_kinds_couple(A, node, kind):
            return np.unique(node, return_inverse=True)[1].astype(np.int64)
    return np.arange(n)


def _candidates(n: int, blocks: Sequence[Any]) -> Iterator[tuple[IndexArray, IndexArray]]:
    """Yield, for each guess, the node and the kind (which of its unknowns) of each unknown."""
    lengths = {len(block) for block in blocks}
    if len(lengths) == 1 and len(blocks) > 1:
        size = lengths.pop()
        node, kind = np.arange(n) + size, np.zeros(n, dtype=np.int64)  # the rest: by themselves
        for k, block in enumerate(blocks):
            inside = block < n
            node[block[inside]], kind[block[inside]] = np.arange(size)[inside], k
        yield node, kind
        return
    for k in range(MOST, 1, -1):
        if n % k == 0:
            size = n // k
            yield np.tile(np.arange(size), k), np.repeat(np.arange(k), size)
            yield np.repeat(np.arange(size), k), np.tile(np.arange(k), size)


def _same_kinds_couple(A: Any, node: IndexArray, kind: IndexArray) -> bool:
    """Whether unknowns of a node are coupled, and those of the same kind at neighboring nodes.

    Only a sample of the rows is looked at.
    """
    n = A.shape[0]
    rows = np.arange(0, n, max(1, n // SAMPLE))
    part = A[rows]
    row = np.repeat(rows, np.diff(part.indptr))
    column = part.indices
    other = node[row] != node[column]
    inside = len(other) - np.count_nonzero(other)
    if inside < COUPLED * (int(kind.max()) + 1) * rows.size:
        return False
    same = np.count_nonzero(other & (kind[row] == kind[column]))
    pairs = row[other].astype(np.int64) * (int(node.max()) + 1) + node[column[other]]
    pairs.sort()
    neighbors = np.count_nonzero(pairs[1:] != pairs[:-1]) + bool(len(pairs))
    return bool(neighbors and same >= ALIKE * neighbors)


def node_order(A: Any, node: IndexArray) -> IndexArray | None:
    """Return the first of `node_orders`, or None."""
    return next(node_orders(A, node), None)


def node_orders(A: Any, node: IndexArray) -> Iterator[IndexArray]:
    """Yield orders of elimination of the unknowns that keep the nodes together.

    There is none if the graph of the nodes is far from symmetric, or nodes are not coupled to
    themselves: the equations stand in another order than the unknowns.

    Parameters
    ----------
    A : csr_array, shape (n, n)
    node : ndarray of int64, shape (n,)

    Yields
    ------
    ndarray of int64, shape (n,)
        ``order[k]`` is the unknown at place k.
    """
    graph, late = _graph(A, node)
    if graph is None:
        return
    for place in _grid_places(graph):
        last = place + late * len(place)
        yield np.argsort(last[node], kind="stable")


def _grid_places(graph: Any) -> Iterator[IndexArray]:
    """Yield the places of the nodes in each order that is worth a try."""
    if find_spec("pymetis") is None or graph.shape[0] <= DISSECTED:
        yield _minimum_degree(graph)
        return
    yield from (_dissection(graph, imbalance) for imbalance in IMBALANCES)


def _graph(A: Any, node: IndexArray) -> tuple[Any, NDArray[np.bool_]]:
    """Return the graph of the nodes, or None if it is not symmetric, and which nodes come last."""
    n, count = A.shape[0], int(node.max()) + 1
    rows = node[np.repeat(np.arange(n), np.diff(A.indptr))]
    columns = node[A.indices]
    lengths = np.bincount(rows, minlength=count) + np.bincount(columns, minlength=count)
    late = lengths > max(LONG * float(lengths.mean()), float(LONGEST))
    short = ~(late[rows] | late[columns])
    rows, columns = rows[short], columns[short]
    half = sp.csc_array(sp.coo_array((np.ones(len(rows)), (rows, columns)), (count, count)))
    half.data[:] = 1.0
    graph = sp.csc_array(half + half.T)
    paired = np.count_nonzero(graph.data == 2.0)
    own = np.count_nonzero(half.diagonal()) + np.count_nonzero(late)
    symmetric = paired >= SYMMETRIC * graph.nnz and own >= SYMMETRIC * count
    return (graph if symmetric else None), late


def _minimum_degree(graph: Any) -> IndexArray:
    """Return the place of each node by multiple minimum degree, as SuperLU has it."""
    return _places_by_superlu(graph, "MMD_AT_PLUS_A", {"SymmetricMode": True})


def _places_by_superlu(pattern: Any, method: Any, options: dict[str, Any]) -> IndexArray:
    """Return the place of each column by a method of SuperLU, without a factorization."""
    dominant = sp.csc_array(pattern + sp.eye_array(pattern.shape[0]) * (1.0 + pattern.sum()))
    # All entries beside the diagonal are dropped: only the order is wanted.
    none: dict[str, Any] = {"drop_tol": 1.0, "fill_factor": 1.0, "drop_rule": "basic"}
    found: Any = spilu(dominant, permc_spec=method, diag_pivot_thresh=0.0, options=options, **none)
    return np.asarray(found.perm_c, dtype=np.int64)


def degree_order(A: Any) -> IndexArray:
    """Return the unknowns in SuperLU's order for pivots on the diagonal, by minimum degree."""
    half = sp.csc_array((np.ones(A.nnz), A.indices, A.indptr), shape=A.shape)  # the transpose
    return np.argsort(_minimum_degree(sp.csc_array(half + half.T)))


def column_order(A: Any) -> IndexArray:
    """Return the unknowns in SuperLU's order for partial pivoting, by COLAMD."""
    n = A.shape[0]
    pattern = sp.csr_array((np.ones(A.nnz), A.indices, A.indptr), shape=A.shape)
    if np.count_nonzero(pattern.diagonal()) < n:
        row_of_column = maximum_matching(pattern)[1]
        if (row_of_column >= 0).all():
            pattern = sp.csr_array(pattern[row_of_column])
    return np.argsort(_places_by_superlu(pattern, "COLAMD", {}))


def _dissection(graph: Any, imbalance: int) -> IndexArray:
    """Return the place of each node by nested dissection."""
    import pymetis

    graph = sp.csr_array(graph)
    graph.setdiag(0.0)
    graph.eliminate_zeros()
    adjacency = pymetis.CSRAdjacency(graph.indptr, graph.indices)
    options = pymetis.Options(ufactor=imbalance)
    _, place = pymetis.nested_dissection(adjacency, options=options)
    return np.asarray(place, dtype=np.int64)
