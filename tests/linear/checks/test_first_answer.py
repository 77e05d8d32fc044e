"""The first answer of a direct back end, and the cases in which it is not enough."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import Pattern, errors
from sgsolve.linear import LinearSolver
from sgsolve.linear.checks.accuracy import LinearSystem, _measured


def solver_of(A):
    solver = LinearSolver(Pattern.of(sp.csr_array(A)))
    solver.factorize(solver.pattern.matrix(sp.csr_array(A).data))
    return solver


def banded(n, width, seed=0):
    random = np.random.default_rng(seed)
    diagonals = [random.uniform(-1.0, 1.0, n - abs(k)) for k in range(-width, width + 1)]
    A = sp.diags_array(diagonals, offsets=range(-width, width + 1)).tocsr()
    return A + sp.diags_array(np.full(n, 2.0 * width + 1.0))


@pytest.mark.parametrize(("n", "width"), [(1, 0), (4, 3), (40, 1), (60, 1), (300, 5)])
def test_the_answer_and_its_error_are_those_of_the_full_check(n, width):
    A = banded(n, width)
    solver = solver_of(A)
    b = np.random.default_rng(1).standard_normal(n)
    prepared, driver = solver._values.matrix, solver._driver
    scaled = prepared.scale_right_hand_side(b, False)
    found = driver._first_answer(prepared, scaled, False)
    x, error = found.x, found.error
    system: LinearSystem = prepared.system(driver.active, False)
    full = _measured(system, x, scaled, np.abs(scaled), 0)
    assert error == pytest.approx(full.error, rel=1e-6, abs=1e-18)
    np.testing.assert_allclose(solver.solve(b), np.linalg.solve(A.toarray(), b), rtol=1e-11)
    assert solver.backward_error == error
    assert solver.stats.n_solve == 1


def solved(solver, A):
    solver.factorize(sp.csr_array(A))
    return solver.solve(np.linspace(0.0, 1.0, len(A)))


def test_zero_right_hand_side():
    solver = solver_of(banded(5, 1))
    assert not solver.solve(np.zeros(5)).any()
    assert solver.backward_error == 0.0


def test_wrong_factors_give_no_answer():
    """The error is measured with the matrix, not with its factors."""
    solver = solver_of(banded(50, 1))
    active = solver._driver.active
    active.factorize(banded(50, 1, seed=5))
    matrix = solver._values.matrix
    scaled = matrix.scale_right_hand_side(np.ones(50), False)
    assert solver._driver._first_answer(matrix, scaled, False).error > 1e-3


@pytest.mark.parametrize("size", [1e-300, 1e150, 1e300])
def test_right_hand_sides_near_the_limits_of_double_precision(size):
    A = banded(20, 1)
    x = solver_of(A).solve(np.full(20, size))
    expected = np.linalg.solve(A.toarray(), np.ones(20))
    np.testing.assert_allclose(x / size, expected, rtol=1e-10)


def test_a_singular_matrix_is_found_as_before():
    """The answer satisfies the equations to rounding and is huge."""
    A = np.diag(np.full(30, 2.0)) - np.diag(np.ones(29), 1) - np.diag(np.ones(29), -1)
    A[0, 0] = A[-1, -1] = 1.0
    solver = LinearSolver(Pattern.of(sp.csr_array(A)))
    with pytest.raises(errors.SingularMatrixError):
        solved(solver, A)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_right_hand_side_that_is_not_finite(bad):
    solver = solver_of(banded(6, 1))
    with pytest.raises(errors.LinearSolveError, match="NaN or infinity"):
        solver.solve(np.array([1.0, bad, 0.0, 0.0, 0.0, 0.0]))
