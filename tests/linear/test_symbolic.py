"""Counts of the factors, against a symbolic elimination written out and against SciPy's factors."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from sgsolve.linear.symbolic import elimination_tree, factor_counts, postorder
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
