"""A stored diagonal of zeros is left out of what is analyzed, until it fills."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import linear
from sgsolve.errors import SingularMatrixError
from sgsolve.linear.methods.direct.pardiso import available
from sgsolve.linear.prepared_matrix import Occupied
from sgsolve.pattern import Pattern
from tests.linear.matrices import decoupled, five_point, grid, shuffled, with_zero_diagonal

NAMES = ["auto", "superlu", "banded"] + ["pardiso"] * available()


@pytest.mark.parametrize("name", NAMES)
def test_zeros_on_the_diagonal_are_not_factorized(name):
    A = shuffled(five_point(30))
    whole = with_zero_diagonal(A)
    solver = linear.LinearSolver(Pattern.of(whole), name)
    solver.factorize(whole)
    assert solver._values.matrix.A.nnz == A.nnz
    x = solver.solve(A @ np.arange(900.0))
    np.testing.assert_allclose(x, np.arange(900.0), atol=1e-8)
    assert (solver.pattern.nnz, solver.stats.n_grow) == (whole.nnz, 0)


@pytest.mark.parametrize("name", NAMES)
def test_diagonal_that_fills_later_is_taken_back_once(name):
    A = with_zero_diagonal(shuffled(five_point(12)))
    n, b = A.shape[0], np.arange(144.0)
    solver = linear.LinearSolver(Pattern.of(A), name)
    for shift in (0.0, 0.0, 3.0, 0.0, 5.0):
        shifted = sp.csr_array(A + shift * sp.eye_array(n)) if shift else A
        J = solver.pattern.matrix(with_zero_diagonal(shifted).data)
        solver.factorize(J)
        np.testing.assert_allclose(J @ solver.solve(b), b, atol=1e-9)
    assert (solver.stats.n_analyze, solver.stats.n_grow) == (2, 1)


def test_growth_and_diagonal_together():
    A = with_zero_diagonal(shuffled(five_point(12)))
    solver = linear.LinearSolver(Pattern.of(A))
    solver.factorize(A)
    extra = sp.coo_array((np.ones(2), ([3, 90], [140, 2])), shape=A.shape)
    more = sp.csr_array(A + extra + sp.eye_array(144))
    for J in (more, A, more):
        solver.factorize(J)
        np.testing.assert_allclose(J @ solver.solve(np.ones(144)), 1.0, rtol=1e-9)
    assert (solver.stats.n_analyze, solver.stats.n_grow) == (2, 1)


def test_diagonal_that_is_mostly_there_is_kept():
    A = grid(8, -5.0)
    A.data[(A.indices == Pattern.of(A).rows) & (A.indices % 3 == 0)] = 0.0
    part = Occupied(Pattern.of(A))
    assert part.values(A.data) is A.data
    assert part.pattern.nnz == A.nnz


def test_row_of_zeros_with_a_vacant_diagonal_is_named():
    A = with_zero_diagonal(decoupled(100))
    A.data[A.indptr[150] : A.indptr[151]] = 0.0
    solver = linear.LinearSolver(Pattern.of(A))
    with pytest.raises(SingularMatrixError, match="only zero derivatives in equations 150"):
        solver.factorize(A)
