"""Every back end gives the answer of NumPy, for every kind of right-hand side."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import linear
from sgsolve.errors import BackendError, LinearSolveError, ShapeError, SingularMatrixError
from sgsolve.linear import fallback_driver
from sgsolve.linear.checks.accuracy import Fault, judged
from sgsolve.linear.methods.direct.pardiso import available
from sgsolve.pattern import Pattern
from tests.linear.matrices import five_point

NAMES = [
    "auto",
    "banded",
    "dense",
    "superlu",
    pytest.param("pardiso", marks=pytest.mark.skipif(not available(), reason="no PARDISO")),
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("transpose", [False, True])
def test_answers_of_every_kind_of_right_hand_side(name, dtype, transpose):
    A = five_point(12, dtype)
    n = A.shape[0]
    random = np.random.default_rng(1)
    solver = linear.LinearSolver(Pattern.of(A), name)
    solver.factorize(A)
    M = (A.T if transpose else A).toarray()
    block = random.normal(size=(n, 3))
    for b in (
        block[:, 0].copy(),
        block,  # C order: silently wrong through PARDISO's own interface
        np.asfortranarray(block),
        block[:, ::2],
        block[:, 0] + 1j * block[:, 1],
        block + 2j * block[:, ::-1],
        np.arange(n),
        list(range(n)),
        np.zeros(n),
        np.zeros((n, 0)),
    ):
        given = np.array(b)
        x = solver.solve(b, transpose=transpose)
        assert x.shape == given.shape
        np.testing.assert_allclose(x, np.linalg.solve(M, given), rtol=1e-11, atol=1e-12)
        np.testing.assert_array_equal(b, given)
    assert solver.backward_error < 1e-12
    assert (solver.stats.n_analyze, solver.stats.n_fallback) == (1, 0)


@pytest.mark.parametrize("name", NAMES)
def test_analyzed_once_for_many_values(name):
    matrices = [five_point(12, seed=seed) for seed in range(5)]
    solver = linear.LinearSolver(Pattern.of(matrices[0]), name)
    b = np.ones(matrices[0].shape[0])
    for A in matrices:
        solver.factorize(A)
        np.testing.assert_allclose(A @ solver.solve(b), b, rtol=1e-11)
    stats = solver.stats
    assert (stats.n_analyze, stats.n_factor, stats.n_solve) == (1, 5, 5)
    assert all(seconds > 0 for seconds in stats.seconds.values())
    assert stats.n_fallback == 0


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(BackendError, match="'cholmod'; known are 'auto', 'banded'"):
        linear.LinearSolver(Pattern.of(five_point(3)), "cholmod")


def test_solve_before_factorize_says_what_to_do():
    with pytest.raises(LinearSolveError, match="call factorize"):
        linear.LinearSolver(Pattern.of(five_point(3))).solve(np.ones(9))


def test_wrong_length_and_not_finite_right_hand_side():
    A = five_point(3)
    solver = linear.LinearSolver(Pattern.of(A))
    solver.factorize(A)
    with pytest.raises(ShapeError, match=r"shape \(9,\) or \(9, k\), not \(8,\)"):
        solver.solve(np.ones(8))
    with pytest.raises(LinearSolveError, match="NaN or infinity"):
        solver.solve(np.full(9, np.nan))


def test_a_sum_that_overflows_is_no_infinity():
    solver = linear.LinearSolver(Pattern.of(sp.eye_array(3)))
    solver.factorize(sp.csr_array(2.0 * np.eye(3)))
    assert solver.solve(np.full(3, 1.5e308)).tolist() == [0.75e308] * 3
    with pytest.raises(LinearSolveError, match="NaN or infinity"):
        solver.solve([1.0, np.inf, 1.0])


def test_a_solver_describes_itself():
    solver = linear.LinearSolver(Pattern.of(five_point(3)), "superlu")
    assert repr(solver) == "LinearSolver(superlu, 9 unknowns, 33 entries)"


def test_there_is_no_determinant_before_the_first_factorization():
    with pytest.raises(LinearSolveError, match="call factorize"):
        linear.LinearSolver(Pattern.of(five_point(3)), "dense").slogdet()


class NoAnswer(linear.Dense):
    """Factorizes, and cannot solve."""

    name = "no answer"

    def fresh(self):
        return self

    def solve(self, b, transpose):
        raise BackendError("cannot solve")


def test_where_no_back_end_can_solve_the_error_says_so(monkeypatch):
    monkeypatch.setattr(fallback_driver, "fallbacks", lambda *arguments: iter(()))
    A = five_point(3)
    solver = linear.LinearSolver(Pattern.of(A), NoAnswer())
    solver.factorize(A)
    with pytest.raises(BackendError, match="no answer cannot solve, nor can others"):
        solver.solve(np.ones(9))
    with pytest.raises(LinearSolveError, match="call factorize"):
        solver.solve(np.ones(9))


def test_a_back_end_that_cannot_solve_is_replaced():
    A = five_point(3)
    solver = linear.LinearSolver(Pattern.of(A), NoAnswer())
    solver.factorize(A)
    np.testing.assert_allclose(A @ solver.solve(np.ones(9)), 1.0, rtol=1e-12)
    assert solver.stats.n_fallback == 1


@pytest.mark.parametrize("fault", [Fault.NO_DIGITS, Fault.SINGULAR])
def test_a_step_may_lack_digits_but_not_come_from_a_singular_matrix(monkeypatch, fault):
    """Newton's method decides by the residual; whoever asks for a solution gets none."""

    def faulty(*arguments):
        return judged(*arguments)[0], fault

    monkeypatch.setattr("sgsolve.linear.fallback_driver.judged", faulty)
    monkeypatch.setattr("sgsolve.linear.fallback_driver.first_answer", lambda *_: None)
    A = five_point(8)
    solver = linear.LinearSolver(Pattern.of(A), "dense")
    solver.factorize(A)
    with pytest.raises(SingularMatrixError):
        solver.solve(np.ones(64))
    solver.factorize(A)
    if fault is Fault.SINGULAR:
        with pytest.raises(SingularMatrixError):
            solver.solve_step(np.ones(64))
    else:
        np.testing.assert_allclose(A @ solver.solve_step(np.ones(64)), 1.0)


@pytest.mark.parametrize("backend", ["dense", "banded", "superlu"])
def test_an_equation_of_one_unknown_is_solved_by_itself(backend):
    """A factorization that exchanges its row would leave rounding of the others in its unknown."""
    n = 30
    A = np.diag(np.full(n, -2.0)) + np.diag(np.ones(n - 1), 1) + np.diag(np.ones(n - 1), -1)
    A[0], A[-1] = np.eye(n)[0], 3.0 * np.eye(n)[4]
    b = np.random.default_rng(2).standard_normal((n, 2))
    b[0], b[-1] = 0.0, [0.6, -1.2]
    solver = linear.LinearSolver(Pattern.of(sp.csr_array(A)), backend)
    solver.factorize(sp.csr_array(A))
    for right in (b, b[:, 0], b[:, 1] * (1.0 + 2.0j)):
        x = solver.solve(right)
        np.testing.assert_allclose(A @ x, right, atol=1e-13)
        assert not x[0].any()
        np.testing.assert_array_equal(x[4], right[-1] / 3.0)
    np.testing.assert_allclose(A.T @ solver.solve(b, transpose=True), b, atol=1e-11)
    assert solver.stats.n_refine == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_row_of_subnormal_numbers_is_refused_without_warnings(name):
    values, columns = [1e-320, 1.0, 2.0, 1.0, 1.0, 3.0], [0, 0, 1, 2, 1, 2]
    A = sp.csr_array((values, columns, [0, 1, 4, 6]), shape=(3, 3))
    solver = linear.LinearSolver(Pattern.of(A), name)
    solver.factorize(A)
    with pytest.raises(SingularMatrixError):
        solver.solve(np.ones(3))
