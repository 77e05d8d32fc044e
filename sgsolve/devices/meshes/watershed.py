"""Floods from contacts along edges, those of highest conductance first, until the floods meet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree


def flooded(
    edges: np.ndarray, n: int, log_conductance: np.ndarray, seeds: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """Nodes that each flood reaches, a bool per node.

    Parameters
    ----------
    edges : ndarray of int, shape (m, 2)
    n : int
        Number of nodes.
    log_conductance : ndarray, shape (m,)
        Logarithm of the conductance of each edge; minus infinity is flooded last.
    seeds : sequence of ndarray of int
        The nodes where each flood starts.
    """
    # Ranks, because the conductances span more decades than a spanning tree's sums can carry.
    order = np.empty(len(edges))
    order[np.argsort(-log_conductance, kind="stable")] = np.arange(len(edges)) + 2.0
    first = np.concatenate(list(seeds))
    # SciPy's graphs take 32-bit indices only, before 1.16.
    rows = np.concatenate([edges[:, 0], np.full(len(first), n)]).astype(np.int32)
    cols = np.concatenate([edges[:, 1], first]).astype(np.int32)
    weights, shape = np.concatenate([order, np.ones(len(first))]), (n + 1, n + 1)
    tree = minimum_spanning_tree(coo_array((weights, (rows, cols)), shape=shape)).tocoo()
    inner = (tree.row < n) & (tree.col < n)
    trees = coo_array((tree.data[inner], (tree.row[inner], tree.col[inner])), shape=(n, n))
    _, label = connected_components(trees, directed=False)
    return [np.isin(label, label[nodes]) for nodes in seeds]
