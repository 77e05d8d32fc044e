"""RepeatedRow: the row that most rows of a sparse matrix repeat, shifted, as those of a stencil do.

Whoever knows its positions and weights reads neither for these rows: three quarters of the memory
that a product with the matrix reads.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# The share of all rows that must repeat it, and the most entries that it may have.
USUAL, MOST_ENTRIES = 0.75, 9
# With fewer entries, a matrix stays in the cache of the processor, and longer code gains nothing.
LARGE = 20_000


class RepeatedRow(NamedTuple):
    """The row.

    Attributes
    ----------
    rows : ndarray of uint8, shape (m,)
        1 for a row that repeats it.
    offsets : tuple of int
        Column minus row of each entry, in the order of the entries.
    weights : tuple of float
    """

    rows: NDArray[np.uint8]
    offsets: tuple[int, ...]
    weights: tuple[float, ...]


def repeated_row(matrix: Any) -> RepeatedRow | None:
    """Return the row that most rows of a large CSR matrix repeat; None if there is none."""
    if matrix.nnz < LARGE:
        return None
    counts = np.diff(matrix.indptr)
    width = int(np.bincount(np.minimum(counts, MOST_ENTRIES + 1)).argmax())
    alike = np.flatnonzero(counts == width)
    if not 0 < width <= MOST_ENTRIES or len(alike) < USUAL * len(counts):
        return None
    entries = matrix.indptr[alike].astype(np.int64)[:, np.newaxis] + np.arange(width)
    offsets = matrix.indices[entries] - alike[:, np.newaxis]
    weights = matrix.data[entries].astype(float, copy=False)
    bits = weights.view(np.int64)  # zeros of both signs are two weights
    middle = len(alike) // 2
    same = ((offsets == offsets[middle]) & (bits == bits[middle])).all(axis=1)
    if np.count_nonzero(same) < USUAL * len(counts):
        return None
    rows = np.zeros(len(counts), dtype=np.uint8)
    rows[alike[same]] = 1
    return RepeatedRow(rows, tuple(offsets[middle].tolist()), tuple(weights[middle].tolist()))
