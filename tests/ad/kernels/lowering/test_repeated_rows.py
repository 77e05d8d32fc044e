"""Products with matrices most of whose rows repeat one row, such as those of a stencil."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve.ad.kernels.lowering import repeated_rows
from sgsolve.ad.kernels.lowering.repeated_rows import repeated_row
from tests.ad.kernels.compiled_help import assert_same_bits, needs_llvmlite

N = 60
RANDOM = np.random.default_rng(4)
LINE = sp.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(N, N)).tocsr()
EYE = sp.identity(8)


def signed_zeros():
    """Zeros of both signs where every third row has the other one."""
    A = LINE.copy()
    A.data[A.indptr[:-1]] = np.where(np.arange(N) % 7, 0.0, -0.0)
    return A


def disturbed():
    """A stencil with some other weights, another column, a longer row and an empty one."""
    A = LINE.tolil()
    A[5, 6], A[20, 3], A[30, 29:32], A[40, 45] = 7.0, 0.5, 0.0, 1.5
    A = A.tocsr()
    A.eliminate_zeros()
    return A


def unsorted():
    A = LINE.copy()
    for i in range(1, N - 1):
        A.indices[A.indptr[i] : A.indptr[i + 1]] = [i + 1, i - 1, i]
        A.data[A.indptr[i] : A.indptr[i + 1]] = [0.1, 0.2, 0.7]
    return sp.csr_array((A.data, A.indices, A.indptr), shape=A.shape)


SMALL = sp.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(8, 8))
REPEATING = {
    "line": (LINE, (-1, 0, 1), N - 2),
    "differences": (LINE[1:-1, :], (0, 1, 2), N - 2),
    "plane": (sp.csr_array(sp.kron(SMALL, EYE) + sp.kron(EYE, SMALL)), None, 0),
    "integers": (sp.csr_array(LINE.astype(np.int64)), (-1, 0, 1), N - 2),
    "signed zeros": (signed_zeros(), (-1, 0, 1), N - 2 - (N - 1) // 7),
    "disturbed": (disturbed(), (-1, 0, 1), N - 6),
    "unsorted": (unsorted(), (1, -1, 0), N - 2),
    "irregular": (sp.random_array((N, N), density=0.1, rng=RANDOM).tocsr(), None, 0),
    "dense": (sp.csr_array(np.ones((N, N))), None, 0),
    "empty": (sp.csr_array((N, N)), None, 0),
}


@pytest.fixture(autouse=True)
def _small_matrices_too(monkeypatch):
    monkeypatch.setattr(repeated_rows, "LARGE", 1)


def test_small_matrices_are_left_alone(monkeypatch):
    monkeypatch.undo()
    assert repeated_row(LINE) is None


@pytest.mark.parametrize("name", REPEATING)
def test_repeated_rows_are_found(name):
    A, offsets, count = REPEATING[name]
    row = repeated_row(A)
    assert (row is None) == (offsets is None)
    if row is not None:
        assert row.offsets == offsets
        assert row.rows.sum() == count
        for i in np.flatnonzero(row.rows):
            entries = slice(A.indptr[i], A.indptr[i + 1])
            assert tuple(A.indices[entries] - i) == offsets
            assert np.array(row.weights).tobytes() == A.data[entries].astype(float).tobytes()


@needs_llvmlite
@pytest.mark.parametrize("name", REPEATING)
def test_products_have_the_bits_of_numpy(name):
    A = REPEATING[name][0]
    n = A.shape[1]
    x = RANDOM.normal(size=n) * 10.0 ** RANDOM.integers(-9, 9, n)
    x[n // 2], x[n // 3] = -0.0, 0.0
    infinite = x.copy()
    infinite[n // 2] = np.inf
    assert_same_bits(lambda x: A @ (x * x - 1.0) + np.exp(-np.abs(x[: A.shape[0]])), [x, -x])
    assert_same_bits(lambda x: np.sin(A @ x), [x, infinite], kernels=False)
