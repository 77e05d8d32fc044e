"""Equations in another order than their unknowns are solved as fast, and named as they stand."""

import numpy as np
import pytest
import scipy.sparse as sp

import sgsolve
from sgsolve import linear
from sgsolve.linear.methods import choose
from sgsolve.linear.methods.direct.pardiso import available
from sgsolve.linear.structure.ordering import narrow_order
from sgsolve.pattern import Pattern
from tests.linear.matrices import (
    decoupled,
    drift_diffusion,
    five_point,
    grid,
    shuffled,
    with_zero_diagonal,
)
from tests.linear.refused import failure

NAMES = ["auto", "superlu", "banded"] + ["pardiso"] * available()


@pytest.mark.parametrize(
    ("A", "aligned"), [(decoupled(500), 1), (drift_diffusion((300,), 5.0), 8), (five_point(20), 40)]
)
def test_shuffled_equations_have_a_band_as_narrow(A, aligned):
    assert narrow_order(Pattern.of(shuffled(A))).width <= aligned + 8


def test_order_of_a_symmetric_pattern_is_one_for_both():
    order = narrow_order(Pattern.of(grid(40, 1.0)[::-1, ::-1]))
    assert order.rows is order.columns


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_answers_and_determinant_of_shuffled_equations(dtype, seed):
    A = sp.csr_array(sp.block_diag([five_point(6, dtype, seed)] * 3))
    A = shuffled(A, seed)
    solver = linear.LinearSolver(Pattern.of(A), "banded")
    solver.factorize(A)
    order = narrow_order(Pattern.of(A))
    assert order.rows is not order.columns
    b = np.random.default_rng(3).normal(size=(108, 2))
    np.testing.assert_allclose(A @ solver.solve(b), b, atol=1e-11)
    np.testing.assert_allclose(A.T @ solver.solve(b, transpose=True), b, atol=1e-11)
    sign, log = solver.slogdet()
    expected_sign, expected_log = np.linalg.slogdet(A.toarray())
    assert sign == pytest.approx(expected_sign, abs=1e-10)
    assert log == pytest.approx(expected_log, rel=1e-10)


@pytest.mark.parametrize("stored", [False, True])
def test_decoupled_equations_are_banded(stored):
    A = decoupled(20_000)
    solver = linear.LinearSolver(Pattern.of(with_zero_diagonal(A) if stored else A))
    solver.factorize(with_zero_diagonal(A) if stored else A)
    x = solver.solve(A @ np.ones(40_000))
    np.testing.assert_allclose(x, 1.0, rtol=1e-12)
    stats = solver.stats
    assert (solver.name, stats.n_analyze, stats.n_grow) == ("banded", 1, 0)


def test_a_problem_with_equations_block_after_block():
    def residual(x):
        return np.concatenate([10.0 * (x[1::2] - x[::2] ** 2), 1.0 - x[::2]])

    result = sgsolve.Problem(residual).solve(np.tile([-1.2, 1.0], 10_000))
    np.testing.assert_allclose(result.x, 1.0, rtol=1e-9)
    assert result.stats.backend == "banded"


def test_long_row_spares_the_search(monkeypatch):
    A = sp.lil_array(grid(20, -5.0))
    A[7] = 1.0
    monkeypatch.setattr(choose, "narrow_order", None)
    assert linear.LinearSolver(Pattern.of(A)).name in {"pardiso", "superlu"}


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_singular_equations_are_named_as_they_stand(name, stored):
    A = sp.lil_array(decoupled(200))
    A[17, :] = 0.0
    A[17, 8], A[17, 9] = -20.0, 10.0
    A[4, 8], A[4, 9] = -20.0, 10.0  # the equation of unknowns 8 and 9, as 17 is now
    A[217, 34], A[217, 35] = 1.0, 1.0
    A = sp.csr_array(A)
    A.eliminate_zeros()
    A = with_zero_diagonal(A) if stored else A
    error = failure(A, name)
    # Equations 4, 17 and 204 contain the unknowns 8 and 9 only; 217 alone is left for 34 and 35.
    assert set(error.rows) <= {4, 17, 204}
    assert len(error.rows) >= 2
    assert set(error.columns) <= {8, 9, 34, 35}


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_equal_equations_are_named_as_they_stand(name, stored):
    A = sp.lil_array(shuffled(five_point(12)))
    A[9] = A[5]
    A = with_zero_diagonal(sp.csr_array(A)) if stored else sp.csr_array(A)
    assert set(failure(A, name).rows) == {5, 9}
