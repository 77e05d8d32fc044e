"""Back ends are chosen, named, brought along and released as promised."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import splu

import sgsolve
from sgsolve import linear
from sgsolve.errors import BackendError, DataTypeError, ShapeError
from sgsolve.linear.ordering import narrow_order
from sgsolve.linear.pardiso import Pardiso, available
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


@pytest.mark.parametrize("blocks", [True, False])
def test_one_dimensional_devices_are_banded_in_any_order(blocks):
    A = drift_diffusion((200,), 0.0, blocks)
    solver = linear.LinearSolver(Pattern.of(A))
    answer(solver, A)
    assert solver.name == "banded"
    assert narrow_order(Pattern.of(A)).width <= 12


@pytest.mark.parametrize(
    ("A", "name"),
    [
        (five_point(5), "dense"),
        (drift_diffusion((50,), 0.0), "banded"),
        (five_point(60), "pardiso" if available() else "banded"),
        (drift_diffusion((40, 40), 0.0), "pardiso" if available() else "superlu"),
    ],
)
def test_choice_by_size_and_band(A, name):
    solver = linear.LinearSolver(Pattern.of(A))
    assert solver.name == name
    assert np.isfinite(answer(solver, A)).all()
    assert solver.name == name


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


@pardiso_only
def test_pardiso_says_that_it_has_no_determinant():
    A = five_point(5)
    solver = linear.LinearSolver(Pattern.of(A), "pardiso")
    solver.factorize(A)
    with pytest.raises(BackendError, match="use 'banded', 'dense' or 'superlu'"):
        solver.slogdet()


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


@pardiso_only
@pytest.mark.parametrize("threads", [1, 2])
def test_number_of_threads_reaches_pardiso(threads):
    A = five_point(80)
    backend = Pardiso(threads)
    solvers = [linear.LinearSolver(Pattern.of(A), backend) for _ in range(2)]
    for solver in solvers:
        answer(solver, A)
        assert solver._driver.active.threads_used == threads
    # one object holds the settings of many solvers
    assert len({id(backend), *(id(solver._driver.active) for solver in solvers)}) == 3


@pardiso_only
def test_problem_takes_a_back_end_with_threads_or_a_function_that_makes_one():
    made = []

    def two_threads():
        made.append(Pardiso(threads=2))
        return made[-1]

    A = grid(80, -5.0)
    b = A @ np.ones(6400) - 1.0
    for backend in (two_threads, Pardiso(threads=2)):
        problem = sgsolve.Problem(lambda x: A @ x - x**3 - b, backend=backend)
        result = problem.solve(np.full(6400, 0.5))
        np.testing.assert_allclose(result.x, 1.0, rtol=1e-9)
        assert result.stats.backend == "pardiso"
    assert made[-1].threads_used == 2


@pardiso_only
def test_pardiso_releases_its_handle_when_dropped():
    A = five_point(10)
    solver = linear.LinearSolver(Pattern.of(A), Pardiso())
    answer(solver, A)
    release = solver._driver.active._finalizer
    assert release.alive
    del solver
    assert not release.alive


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


SCRIPT = """
import sys
from sgsolve import linear
from sgsolve.pattern import Pattern
import numpy as np, scipy.sparse as sp
assert not sys.modules.get("pypardiso"), "imported before it is needed"
A = sp.csr_array(sp.random_array((500, 500), density=0.02, rng=np.random.default_rng(0)))
A = sp.csr_array(A + 3 * sp.eye_array(500))
solver = linear.LinearSolver(Pattern.of(A))
solver.factorize(A)
solver.solve(np.ones(500))
print(solver.name)
try:
    linear.LinearSolver(Pattern.of(A), "pardiso")
except Exception as error:
    print(type(error).__name__, error)
"""


def run_script(environment, prelude=""):
    done = subprocess.run(
        [sys.executable, "-c", prelude + SCRIPT],
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_without_pardiso_superlu_serves():
    switched_off = run_script({"SGSOLVE_NO_PARDISO": "1"})
    assert switched_off.startswith("superlu\nBackendError PARDISO is switched off")
    missing = run_script(
        {"SGSOLVE_NO_PARDISO": ""}, "import sys; sys.modules['pypardiso'] = None\n"
    )
    assert missing.startswith("superlu\nBackendError PARDISO cannot be loaded")
