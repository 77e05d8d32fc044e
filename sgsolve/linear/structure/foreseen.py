"""The operations of a factorization, foretold from two parts of the matrix.

The analysis of a large matrix takes as long as its solution by multigrid. A part of it, the
unknowns nearest to one of them, is analyzed much faster. Operations grow as a power of the size: 1
in one dimension, 3/2 in two, 2 in three (A. George, SIAM J. Numer. Anal. 10 (1973) 345). Two parts
of different size show which one it is. Measured on grids and triangulations in two and three
dimensions, on slabs, bars and shells: 0.2 to 2.7 times what the analysis of the whole counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import breadth_first_order

# The larger part has this share of the unknowns, and so many at least; the other one half of them.
SHARE, PART = 1.0 / 16.0, 12_000
# A matrix of fewer parts than this is analyzed itself.
WORTH = 4
# Operations grow no faster than this power of the size of a mesh: parts of up to 1e6 unknowns have
# a larger share of their nodes at the surface than larger ones.
IN_SPACE = 2.2


@dataclass(frozen=True)
class Foreseen:
    """Operations of a factorization, about, and the threads that it would use.

    Attributes
    ----------
    operations : float
        0 where nothing is foretold.
    """

    operations: float
    threads: int


def extrapolated_operations(backend: Any, A: Any) -> Foreseen:
    """Return what a factorization takes by the analyses of two parts of the matrix.

    Parameters
    ----------
    backend : Backend
        With the attribute ``operations``; others like it make the analyses.
    A : csr_array, shape (n, n)
    """
    n = A.shape[0]
    size = max(PART, int(SHARE * n))
    near = _nearest(A) if n >= WORTH * size else ()
    if len(near) < size:  # small, or most of it is not coupled to that unknown
        return Foreseen(0.0, 1)
    (less, _), (more, threads) = (
        _operations_of(backend, A, near[:part]) for part in (size // 2, size)
    )
    power = math.log2(max(more, 1.0) / max(less, 1.0))
    return Foreseen(more * (n / size) ** min(max(power, 1.0), IN_SPACE), threads)


def _nearest(A: Any) -> Any:
    """Return the unknowns by their distance from one with as many neighbors as most have."""
    lengths = np.diff(A.indptr)
    middle = len(lengths) // 2
    start = int(np.argpartition(lengths, middle)[middle])
    graph = sp.csr_array((np.ones(A.nnz), A.indices, A.indptr), shape=A.shape)
    return breadth_first_order(graph, start, directed=False, return_predecessors=False)


def _operations_of(backend: Any, A: Any, unknowns: Any) -> tuple[float, int]:
    """Return the operations for the equations and unknowns of a part, and the threads."""
    kept = np.sort(unknowns)
    part = sp.csr_array(A[kept][:, kept])
    part.sort_indices()
    other = backend.fresh()
    other.blocks = ()  # of the whole
    other.analyze(part)
    return float(other.operations), int(getattr(other, "threads_used", 1))
