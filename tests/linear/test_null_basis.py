"""The null space of sparse matrices, against dense singular vectors and exact ones."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve.linear.null_basis import annihilates, null_basis


def neumann(n):
    d = np.full(n, 2.0)
    d[[0, -1]] = 1.0
    return sp.diags_array([-np.ones(n - 1), d, -np.ones(n - 1)], offsets=[-1, 0, 1])


def projector(V):
    return V @ V.T


@pytest.mark.parametrize("sizes", [(50,), (20, 30), (7, 8, 9, 10)])
def test_one_constant_for_each_part(sizes):
    A = sp.csr_array(sp.block_diag([neumann(n) for n in sizes]))
    V = null_basis(A)
    exact = np.repeat(np.eye(len(sizes)) / np.sqrt(sizes), sizes, axis=0)
    assert np.allclose(projector(V), projector(exact), atol=1e-13)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_random_matrices_with_rows_of_many_scales(k):
    random = np.random.default_rng(k)
    B = random.standard_normal((40, 40 - k)) @ random.standard_normal((40 - k, 40))
    A = sp.csr_array(10.0 ** random.uniform(-8.0, 8.0, (40, 1)) * B)
    V = null_basis(A)
    assert np.allclose(projector(V), projector(np.linalg.svd(B)[2][-k:].T), atol=1e-10)
    assert annihilates(A, V, 1e-12)


@pytest.mark.parametrize(
    "A",
    {
        "regular": neumann(20) + 1e-6 * sp.eye_array(20),
        "an empty row": sp.diags_array([1.0, 0.0, 2.0]),
        "a null space of dimension 5": sp.block_diag([neumann(6)] * 5),
        "one unknown": sp.csr_array([[1.0]]),
    }.values(),
)
def test_others_have_none(A):
    assert null_basis(sp.csr_array(A)) is None
