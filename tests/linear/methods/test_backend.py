"""Back ends are chosen, named, brought along and released as promised."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from sgsolve import linear
from sgsolve.errors import DataTypeError, ShapeError
from sgsolve.linear.methods.direct.pardiso import available
from sgsolve.pattern import Pattern
from tests.linear.matrices import drift_diffusion, five_point, grid

pardiso_only = pytest.mark.skipif(not available(), reason="no PARDISO")
HAS_DETERMINANT = ["auto", "banded", "dense", "superlu"]


class Own:
    """A user's back end: the verbs and nothing else."""

    def __init__(self):
        self.analyzed = 0

    def analyze(self, A):
        self.analyzed += 1
        assert np.all(A.data != 0)  # real values, not a placeholder

    def factorize(self, A):
        self.lu = splu(sp.csc_array(A))

    def solve(self, b, transpose):
        return self.lu.solve(b, "T" if transpose else "N")


class Liar(Own):
    """Its answers are wrong, without an error."""

    def solve(self, b, transpose):
        return 2.0 * super().solve(b, transpose)


class Raising(Own):
    """It fails while solving."""

    def solve(self, b, transpose):
        raise RuntimeError("lost the factors")


def answer(solver, A, b=None):
    solver.factorize(A)
    return solver.solve(np.ones(A.shape[0]) if b is None else b)


def test_growing_pattern_leaves_the_band():
    n = 1000
    A = sp.csr_array(sp.diags_array([np.ones(n - 1), np.full(n, 4.0)], offsets=[1, 0]))
    solver = linear.LinearSolver(Pattern.of(A))
    answer(solver, A)
    assert solver.name == "banded"
    A = sp.csr_array(A + sp.random_array((n, n), density=3e-3, rng=np.random.default_rng(0)))
    np.testing.assert_allclose(A @ answer(solver, A), np.ones(n), rtol=1e-11)
    assert solver.name == ("pardiso" if available() else "superlu")
    assert (solver.stats.n_grow, solver.stats.n_analyze, solver.stats.n_fallback) == (1, 2, 0)


@pytest.mark.parametrize("given", [Own, Own()])
def test_own_back_end_is_analyzed_once_and_checked(given):
    A = five_point(10)
    solver = linear.LinearSolver(Pattern.of(A), given)
    for seed in range(3):
        A = five_point(10, seed=seed)
        b = np.arange(100.0)
        np.testing.assert_allclose(A @ answer(solver, A, b), b, atol=1e-10)
        np.testing.assert_allclose(A.T @ solver.solve(b, transpose=True), b, atol=1e-10)
    assert solver.name == "Own"
    assert solver.stats.n_analyze == 1
    if isinstance(given, Own):
        assert given.analyzed == 1


@pytest.mark.parametrize("kind", [Liar, Raising])
def test_own_back_end_that_fails_is_replaced(kind):
    A = five_point(10)
    solver = linear.LinearSolver(Pattern.of(A), kind)
    x = answer(solver, A)
    np.testing.assert_allclose(A @ x, np.ones(100), rtol=1e-12)
    assert solver.name != kind.__name__
    assert solver.stats.n_fallback == 1


def test_slightly_wrong_answers_are_refined():
    A = five_point(10)

    class Sloppy(Own):
        def solve(self, b, transpose):
            return (1 + 1e-6) * super().solve(b, transpose)

    solver = linear.LinearSolver(Pattern.of(A), Sloppy)
    np.testing.assert_allclose(A @ answer(solver, A), np.ones(100), rtol=1e-11)
    assert solver.name == "Sloppy"
    assert solver.stats.n_refine >= 1
    assert solver.backward_error < 1e-12


def test_hard_work_in_refinement_asks_for_a_new_analysis():
    A = five_point(10)

    class Stale(Own):
        def solve(self, b, transpose):
            return (1 + (2e-4 if self.analyzed == 1 else 0)) * super().solve(b, transpose)

    solver = linear.LinearSolver(Pattern.of(A), Stale)
    steps = []
    for _ in range(5):
        before = solver.stats.n_refine
        answer(solver, A)
        steps.append(solver.stats.n_refine - before)
    assert steps == [3, 3, 0, 0, 0]
    assert (solver.stats.n_analyze, solver.name) == (2, "Stale")


def test_object_without_the_verbs_is_refused():
    with pytest.raises(DataTypeError, match="analyze, factorize and solve; int has not"):
        linear.LinearSolver(Pattern.of(five_point(3)), 3)


@pytest.mark.parametrize("name", HAS_DETERMINANT)
@pytest.mark.parametrize("dtype", [float, complex])
def test_determinant(name, dtype):
    for side, seed in ((4, 1), (5, 2), (7, 3), (7, 4)):
        A = five_point(side, dtype, seed)
        A.data *= 2.0 ** np.random.default_rng(seed).integers(-9, 9, A.nnz)
        solver = linear.LinearSolver(Pattern.of(A), name)
        solver.factorize(A)
        sign, log = solver.slogdet()
        expected_sign, expected_log = np.linalg.slogdet(A.toarray())
        assert sign == pytest.approx(expected_sign, abs=1e-10)
        assert log == pytest.approx(expected_log, rel=1e-10)


@pytest.mark.parametrize("name", ["auto", "banded", "superlu"])
def test_real_and_complex_matrices_in_turn(name):
    real, other = five_point(10), five_point(10, complex)
    solver = linear.LinearSolver(Pattern.of(real), name)
    for A in (real, other, real):
        np.testing.assert_allclose(A @ answer(solver, A), np.ones(100), rtol=1e-11)
    assert solver.stats.n_analyze == 3


def test_matrix_of_another_shape_or_kind():
    solver = linear.LinearSolver(Pattern.of(five_point(4)))
    with pytest.raises(ShapeError, match=r"\(25, 25\), but the solver was made for \(16, 16\)"):
        solver.factorize(five_point(5))
    with pytest.raises(DataTypeError, match="not list"):
        solver.factorize([[1.0]])
    with pytest.raises(DataTypeError, match="dtype object"):
        solver.factorize(five_point(4).toarray().astype(object))
    with pytest.raises(ShapeError, match="square"):
        linear.LinearSolver(Pattern([0, 1], [0], (1, 2)))


def test_integers_and_short_floats_are_taken():
    A = grid(6, -5.0)
    for dtype in (np.float32, np.int64, np.complex64):
        solver = linear.LinearSolver(Pattern.of(A))
        np.testing.assert_allclose(A @ answer(solver, A.astype(dtype)), np.ones(36), rtol=1e-12)


@pytest.mark.parametrize("name", ["auto", "superlu", *["pardiso"] * available()])
def test_eight_threads_at_once_give_the_same_answers(name):
    matrices = [drift_diffusion((15, 15), bias) for bias in np.linspace(0, 10, 8)]

    def work(A):
        solver = linear.LinearSolver(Pattern.of(A), name)
        b = A @ np.ones(A.shape[0])
        return [answer(solver, A, b) for _ in range(5)]

    alone = [work(A)[0] for A in matrices]
    with ThreadPoolExecutor(8) as pool:
        for expected, found in zip(alone, pool.map(work, matrices), strict=True):
            for x in found:
                np.testing.assert_array_equal(x, expected)
