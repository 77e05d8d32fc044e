"""Counts of the factors, against a symbolic elimination written out and against SciPy's factors."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from sgsolve.errors import BackendError
from sgsolve.linear import SuperLU
from sgsolve.linear.structure.symbolic import (
    FILLED_SHARE,
    elimination_tree,
    factor_counts,
    partial_pivoting_counts,
    postorder,
)
from tests.linear.matrices import drift_diffusion, five_point, grid


def eliminated(A, order):
    """Lengths of the columns of L by elimination on sets, row by row."""
    full = sp.csr_array((np.ones(A.nnz), A.indices, A.indptr), shape=A.shape).toarray() > 0
    full = (full | full.T)[np.ix_(order, order)]
    n = len(full)
    lengths = []
    for k in range(n):
        below = np.flatnonzero(full[k + 1 :, k]) + k + 1
        full[np.ix_(below, below)] = True
        lengths.append(1 + len(below))
    return np.array(lengths, dtype=float)


def matrices():
    random = np.random.default_rng(0)
    yield five_point(7)
    yield grid(6, -4.0)
    yield drift_diffusion((4, 5), 3.0)
    yield sp.csr_array(sp.eye_array(9))
    arrow = np.eye(12)
    arrow[0] = arrow[:, 0] = 1.0
    yield sp.csr_array(arrow)
    yield sp.csr_array(np.ones((8, 8)))
    for n in (1, 2, 30, 60):
        yield sp.csr_array(
            sp.random_array((n, n), density=min(1.0, 2 / n), rng=random) + sp.eye_array(n)
        )
    apart = sp.block_diag([five_point(3), five_point(4), np.ones((1, 1))])
    yield sp.csr_array(apart)


@pytest.mark.parametrize("A", list(matrices()), ids=lambda A: str(A.shape[0]))
def test_counts_are_those_of_an_elimination(A):
    n = A.shape[0]
    for order in (np.arange(n), np.arange(n)[::-1], np.random.default_rng(1).permutation(n)):
        lengths = eliminated(A, order)
        counts = factor_counts(A, order)
        assert counts.entries == 2.0 * lengths.sum() - n
        below = lengths - 1.0
        assert counts.operations == 2.0 * (below**2).sum() + below.sum()


def test_counts_are_those_of_superlu_with_pivots_on_the_diagonal():
    A = sp.csc_array(-grid(25, -4.0) + sp.eye_array(625))
    options = {"SymmetricMode": True}
    lu = splu(A, permc_spec="NATURAL", diag_pivot_thresh=0.0, options=options, relax=1)
    counts = factor_counts(sp.csr_array(A), np.arange(625))
    assert counts.entries == pytest.approx(lu.nnz, rel=0.02)


@pytest.mark.parametrize("A", list(matrices()), ids=lambda A: str(A.shape[0]))
def test_the_bound_of_partial_pivoting_is_the_factor_of_the_normal_equations(A):
    if (np.diff(A.indptr) > 10.0 * np.sqrt(A.shape[0])).any():
        pytest.fail("rows are too long for this test")
    n = A.shape[0]
    ones = sp.csr_array((np.ones(A.nnz), A.indices, A.indptr), shape=A.shape)
    normal = sp.csr_array(ones.T @ ones)
    for order in (np.arange(n), np.random.default_rng(1).permutation(n)):
        below = eliminated(normal, order) - 1.0
        counts = partial_pivoting_counts(A, order)
        assert counts.entries == pytest.approx(2.0 * FILLED_SHARE * below.sum() + n)


def saddle(side):
    """Velocities and pressure of a flow on a staggered grid, and a zero block."""
    L = -grid(side, -4.0)
    d = sp.diags_array([np.ones(side), -np.ones(side - 1)], offsets=[0, -1]) * side
    one = sp.eye_array(side)
    G = sp.block_array([[sp.kron(d, one)], [sp.kron(one, d)]])
    gauge = sp.csr_array(([1.0], ([0], [0])), shape=(side * side, side * side))
    return sp.csr_array(sp.block_array([[sp.block_diag([L, L]), G], [G.T, gauge]]))


@pytest.mark.parametrize("A", [saddle(30), drift_diffusion((30, 30), 5.0), five_point(40)])
def test_superlu_foresees_the_entries_of_partial_pivoting(A):
    backend = SuperLU("partial")
    backend.analyze(A)
    backend.factorize(A)
    assert 0.8 < backend.counts.entries / backend._lu.nnz < 1.4


def test_superlu_takes_no_pivots_from_a_diagonal_with_zeros():
    A = saddle(30)
    backend = SuperLU("auto")
    backend.analyze(A)
    assert not backend._on_diagonal
    backend.factorize(A)
    assert backend._lu.nnz < 1e6  # 9e6 with exchanges of rows in an order for the diagonal
    with pytest.raises(BackendError, match="diagonal with 899 zeros of 2700"):
        SuperLU("diagonal").analyze(A)


def test_the_postorder_of_a_tree():
    parent = [2, 2, 5, 4, 5, -1, -1]
    post = postorder(parent)
    assert sorted(post) == list(range(7))
    place = np.argsort(post)
    assert all(place[j] < place[p] for j, p in enumerate(parent) if p != -1)
    chain = [1, 2, 3, -1]
    assert postorder(chain) == [0, 1, 2, 3]


def test_the_elimination_tree_of_a_tridiagonal_matrix_is_a_chain():
    assert elimination_tree([0, 0, 1, 2, 3], [0, 1, 2]) == [1, 2, 3, -1]
