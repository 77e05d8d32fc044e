"""Small sparse-matrix helpers used by the hand-written Jacobians."""

import copy

import numpy as np
import scipy.sparse as sp
from scipy.sparse import _sparsetools


class Pattern:
    """A fixed CSR pattern; `matrix(data)` wraps new data without any checking or copying."""

    def __init__(self, rows, cols, shape):
        # Bucket by row, sort within rows, number the distinct entries: several times faster
        # than np.unique on combined keys.
        n, m = shape
        count = len(rows)
        r, c = np.asarray(rows, dtype=np.int32), np.asarray(cols, dtype=np.int32)
        ptr, ind, eid = np.empty(n + 1, np.int32), np.empty(count, np.int32), np.empty(count)
        _sparsetools.coo_tocsr(n, m, count, r, c, np.arange(count, dtype=float), ptr, ind, eid)
        _sparsetools.csr_sort_indices(n, ptr, ind, eid)
        first = np.ones(count, dtype=bool)
        first[1:] = ind[1:] != ind[:-1]
        first[ptr[:-1][np.diff(ptr) > 0]] = True
        position = np.cumsum(first)
        self.slot = np.empty(count, dtype=np.int64)
        self.slot[eid.astype(np.int64)] = position - 1
        self.indices = ind[first]
        self.indptr = np.concatenate([[0], position])[ptr].astype(np.int32)
        self.shape, self.nnz = shape, len(self.indices)
        self._proto = sp.csr_matrix((np.ones(self.nnz), self.indices, self.indptr), shape=shape)
        self._proto.has_sorted_indices = True
        self._proto.has_canonical_format = True

    def matrix(self, data):
        J = copy.copy(self._proto)
        J.data = data
        return J


def scatter_matrix(slot, src, sign, nnz, nsrc):
    """S with S @ v adding sign * v[src] into slot."""
    return sp.csr_matrix((np.asarray(sign, float), (slot, src)), shape=(nnz, nsrc))
