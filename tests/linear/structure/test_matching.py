"""Maximum matchings, against SciPy, and how long they take."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.csgraph import maximum_bipartite_matching

from sgsolve import linear
from sgsolve.errors import SingularMatrixError
from sgsolve.linear.structure.matching import has_full_rank, maximum_matching
from sgsolve.pattern import Pattern
from tests.linear.matrices import grid


def random_pattern(seed):
    random = np.random.default_rng(seed)
    n = int(random.integers(1, 40))
    share = random.choice([0.02, 0.05, 1.2 / n, 2.0 / n, 0.2])
    return sp.csr_array((random.random((n, n)) < share).astype(float))


def chain_in_disorder(seed):
    """Return a pattern with long paths, so that levels of a forest have few rows and many."""
    random = np.random.default_rng(seed)
    n = int(random.integers(100, 160))
    A = sp.random_array((n, n), density=random.uniform(0.3, 4.0) / n, rng=random)
    A = sp.csr_array(A + sp.diags_array(np.ones(n - 1), offsets=1, shape=(n, n)))
    return A[random.permutation(n)][:, random.permutation(n)].tocsr()


@pytest.mark.parametrize(("pattern", "count"), [(random_pattern, 150), (chain_in_disorder, 300)])
def test_as_many_pairs_as_scipy_finds(pattern, count):
    for seed in range(count):
        A = pattern(seed)
        column_of_row, row_of_column = maximum_matching(A)
        rows = np.flatnonzero(column_of_row >= 0)
        columns = column_of_row[rows]
        assert np.array_equal(row_of_column[columns], rows)
        assert np.count_nonzero(row_of_column >= 0) == len(rows)
        assert np.all(A.toarray()[rows, columns] != 0.0)
        best = np.count_nonzero(maximum_bipartite_matching(A) >= 0)
        assert len(rows) == best
        assert has_full_rank(A) == (best == A.shape[0])


@pytest.mark.parametrize("degree", [1.2, 1.6, 2.5])
def test_a_large_pattern_without_order(degree):
    """Trees have many rows in some levels and few in others."""
    n, random = 1500, np.random.default_rng(3)
    A = sp.random_array((n, n), density=degree / n, rng=random, format="csr")
    column_of_row, _ = maximum_matching(A)
    matched = np.flatnonzero(column_of_row >= 0)
    assert len(matched) == np.count_nonzero(maximum_bipartite_matching(A) >= 0)
    assert np.all(A.toarray()[matched, column_of_row[matched]] != 0.0)


def test_one_long_path():
    """The only free column is at the other end of a chain of 5000 rows that fit one way only."""
    n = 5000
    rows = np.concatenate([np.arange(n), np.arange(1, n), [0]])
    columns = np.concatenate([np.arange(n), np.arange(n - 1), [n - 1]])
    keep = (rows != n - 1) | (columns != n - 1)
    A = sp.csr_array(sp.coo_array((np.ones(keep.sum()), (rows[keep], columns[keep])), shape=(n, n)))
    assert has_full_rank(A)
    singular = A.copy()
    singular.data[A.indptr[0] : A.indptr[1]] = [0.0, 1.0]
    singular.eliminate_zeros()
    assert not has_full_rank(singular[:, np.r_[: n - 1, 0]])


def test_equations_in_arbitrary_order_take_no_time():
    # Minutes with the routine of SciPy 1.17.
    A = sp.csr_array(grid(100, -4.0)[np.random.default_rng(0).permutation(10_000)])
    assert has_full_rank(A)


def test_a_structurally_singular_pattern_is_refused_before_any_factorization():
    A = sp.csr_array([[1.0, 2.0, 3.0], [4.0, 0.0, 0.0], [5.0, 0.0, 0.0]])
    solver = linear.LinearSolver(Pattern.of(A), "dense")
    with pytest.raises(SingularMatrixError, match="equations 1, 2 contain only unknowns 0"):
        solver.factorize(A)
    assert solver.stats.n_analyze == 0


@pytest.mark.parametrize("n", [1, 2, 50, 300])
@pytest.mark.parametrize("name", ["auto", "banded", "dense", "superlu"])
def test_a_pattern_without_entries(n, name):
    solver = linear.LinearSolver(Pattern([0] * (n + 1), [], (n, n)), name)
    with pytest.raises(SingularMatrixError, match="cannot be matched"):
        solver.factorize(sp.csr_array((n, n)))
    solver.factorize(sp.eye_array(n, format="csr"))
    assert np.array_equal(solver.solve(np.arange(n)), np.arange(n))


def test_zeros_that_move_are_looked_at_again():
    A = np.array([[0.0, 1.0, 2.0], [0.0, 3.0, 4.0], [1.0, 5.0, 6.0]])
    pattern = Pattern.of(sp.csr_array(np.ones((3, 3))))
    solver = linear.LinearSolver(pattern, "superlu")
    for turn in (0, 1, 0):
        solver.factorize(pattern.matrix(np.roll(A, turn, axis=1).ravel()))
        x = solver.solve(np.ones(3))
        assert np.allclose(np.roll(A, turn, axis=1) @ x, 1.0)
    crowded = np.array([[1.0, 0.0, 0.0], [2.0, 0.0, 0.0], [1.0, 5.0, 6.0]])
    with pytest.raises(SingularMatrixError, match="equations 0, 1 contain only unknowns 0"):
        solved(solver, pattern.matrix(crowded.ravel()), np.array([1.0, 1.0, 1e16]))


def solved(solver, A, b):
    solver.factorize(A)
    return solver.solve(b)
