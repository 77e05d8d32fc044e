"""Index work of structures: joining rows with entries, and products that keep every entry."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from .operands import IndexArray


def matches(place: IndexArray, wanted: IndexArray, size: int) -> tuple[IndexArray, IndexArray]:
    """Return all pairs (i, j) with ``wanted[i] == place[j]``, ordered by i.

    Both hold positions below `size`, so that a table takes the place of a search.
    """
    count = np.bincount(place, minlength=size)
    begin = np.cumsum(count) - count
    order = np.argsort(place, kind="stable")
    number = count[wanted]
    if count.max(initial=0) <= 1:
        element = np.flatnonzero(number)
        return element, order[begin[wanted[element]]]
    element = np.repeat(np.arange(len(wanted)), number)
    offset = np.arange(len(element)) - np.repeat(np.cumsum(number) - number, number)
    return element, order[np.repeat(begin[wanted], number) + offset]


def columns(csr: Any, rows: IndexArray) -> Any:
    """Return ``A @ E`` where E adds compact row k to element rows[k]: chosen columns of A."""
    return sp.csr_array(csr.tocsc()[:, rows])


def product(a: Any, b: Any) -> Any:
    """Return the product of two CSR matrices, entries that cancel included."""
    counts = np.diff(b.indptr)[a.indices]
    row = np.repeat(np.repeat(np.arange(a.shape[0]), np.diff(a.indptr)), counts)
    begin = np.repeat(b.indptr[a.indices] - (np.cumsum(counts) - counts), counts)
    entry = begin + np.arange(len(row))
    data = np.repeat(a.data, counts) * b.data[entry]
    result = sp.coo_array((data, (row, b.indices[entry])), shape=(a.shape[0], b.shape[1])).tocsr()
    result.sum_duplicates()
    return result
