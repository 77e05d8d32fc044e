"""Stacked systems: the answers of single ones, and no harm from singular ones among them."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import Pattern
from sgsolve.linear.stacked import StackedSolver, stacked_pattern, stacking_order


def band(n, width):
    offsets = np.arange(-width, width + 1)
    return Pattern.of(sp.diags_array([np.ones(n - abs(k)) for k in offsets], offsets=offsets))


def shuffled(n, width):
    A = sp.coo_array(sp.csr_array(band(n, width).matrix(np.ones(band(n, width).nnz))))
    order = np.random.default_rng(0).permutation(n)
    return Pattern.of(sp.coo_array((A.data, (order[A.row], order[A.col])), shape=A.shape))


def values(pattern, count):
    random = np.random.default_rng(2)
    data = random.normal(size=(count, pattern.nnz))
    return data * 10.0 ** random.integers(-8, 8, (count, 1))  # each member has units of its own


@pytest.mark.parametrize("pattern", [band(7, 1), band(9, 3), shuffled(20, 2), band(5, 4),
                                     band(1, 0)])  # fmt: skip
def test_solutions_of_all_matrices(pattern):
    count, n = 6, pattern.shape[0]
    data, b = values(pattern, count), np.random.default_rng(3).normal(size=(6, n))
    solver = StackedSolver(pattern, stacking_order(pattern), count)
    solver.factorize(data)
    x = solver.solve(b)
    assert not solver.failed.any()
    for j in range(count):
        A = pattern.matrix(data[j]).toarray()
        np.testing.assert_allclose(A @ x[j], b[j], rtol=1e-6, atol=1e-10 * np.abs(b).max())
        np.testing.assert_allclose(x[j], np.linalg.solve(A, b[j]), rtol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, 0.0])
def test_a_matrix_without_a_solution_is_left_out(bad):
    pattern = band(6, 1)
    data, b = values(pattern, 5), np.ones((5, 6))
    data[2] = bad
    solver = StackedSolver(pattern, stacking_order(pattern), 5)
    solver.factorize(data)
    x = solver.solve(b)
    assert solver.failed.tolist() == [False, False, True, False, False]
    for j in (0, 1, 3, 4):
        np.testing.assert_allclose(x[j], np.linalg.solve(pattern.matrix(data[j]).toarray(), b[j]),
                                   rtol=1e-6)  # fmt: skip


def test_a_singular_matrix_without_a_zero_is_left_out():
    pattern = band(3, 2)
    data = np.tile([[2.0, 1.0, 0.0, 1.0, 3.0, 1.0, 0.0, 1.0, 4.0]], (4, 1))
    data[1] = np.outer([1.0, 2.0, 3.0], [0.7, 0.2, 0.1]).ravel()  # of rank one
    solver = StackedSolver(pattern, stacking_order(pattern), 4)
    solver.factorize(data)
    x = solver.solve(np.array([[1.0, 5.0, 2.0]] * 4))
    assert solver.failed.tolist() == [False, True, False, False]
    np.testing.assert_allclose(data[3].reshape(3, 3) @ x[3], [1.0, 5.0, 2.0])
    solver.factorize(data[[0, 0, 0, 0]])  # and it serves again
    assert not solver.failed.any()


def test_patterns_of_stacks():
    pattern = stacked_pattern(Pattern([0, 1, 3], [0, 0, 1], (2, 2)), 2)
    assert pattern.indptr.tolist() == [0, 1, 3, 4, 6]
    assert pattern.indices.tolist() == [0, 0, 1, 2, 2, 3]


def test_a_wide_band_is_not_stacked():
    assert stacking_order(band(300, 120)) is None
    assert stacking_order(band(300, 3)).width == 6
