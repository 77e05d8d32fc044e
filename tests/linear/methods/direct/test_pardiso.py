"""PARDISO: threads, handles, error codes, and what serves without it."""

import sys

import numpy as np
import pytest

import sgsolve
from sgsolve import linear
from sgsolve.errors import BackendError, OutOfMemoryError
from sgsolve.linear.checks.accuracy import Fault
from sgsolve.linear.fallbacks import fallbacks
from sgsolve.linear.methods.direct import pardiso, pardiso_handle
from sgsolve.linear.methods.direct.dense import Dense
from sgsolve.linear.methods.direct.pardiso import Pardiso, available
from sgsolve.pattern import Pattern
from tests.linear.matrices import five_point, grid

pardiso_only = pytest.mark.skipif(not available(), reason="no PARDISO")


def answer(solver, A, b=None):
    solver.factorize(A)
    return solver.solve(np.ones(A.shape[0]) if b is None else b)


@pardiso_only
def test_pardiso_says_that_it_has_no_determinant():
    A = five_point(5)
    solver = linear.LinearSolver(Pattern.of(A), "pardiso")
    solver.factorize(A)
    with pytest.raises(BackendError, match="use 'banded', 'dense' or 'superlu'"):
        solver.slogdet()


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
def test_a_phase_without_the_one_before_does_not_reach_mkl():
    """MKL would end the process."""
    backend, A = Pardiso(pivoting="diagonal"), five_point(5)
    backend.analyze(A)
    with pytest.raises(BackendError, match="phase 22 for its phase 33"):
        backend._handle.call(pardiso_handle.SOLVE, A.data, np.ones(25), np.zeros(25))
    backend.factorize(A)
    backend.release()
    with pytest.raises(BackendError, match="phase 11 for its phase 22"):
        backend.factorize(A)


@pardiso_only
@pytest.mark.parametrize("transpose", [False, True])
@pytest.mark.parametrize(
    ("threads", "side", "count", "calls"),
    [(1, 20, 2, 2), (1, 20, 10, 10), (1, 20, 11, 1), (2, 20, 3, 3), (2, 100, 3, 1), (1, 100, 3, 3)],
)
def test_few_right_hand_sides_are_solved_for_one_by_one(threads, side, count, calls, transpose):
    """Together they take longer; threads would wait for each other at each one."""
    A = five_point(side)
    A.setdiag(np.linspace(4.0, 5.0, side), 1)  # not symmetric
    backend = Pardiso(threads)
    backend.analyze(A)
    backend.factorize(A)
    call, made = backend._handle.call, []
    backend._handle.call = lambda *arguments: (made.append(1), call(*arguments))
    b = np.random.default_rng(0).standard_normal((side * side, count))
    x = backend.solve(b, transpose)
    assert len(made) == calls
    assert x.shape == b.shape
    np.testing.assert_allclose((A.T if transpose else A) @ x, b, rtol=1e-8, atol=1e-8)


@pardiso_only
def test_an_analysis_that_is_refused_leaves_the_factors_for_the_diagnosis():
    backend, A = Pardiso(pivoting="diagonal"), five_point(5)
    backend.analyze(A)
    backend.factorize(A)
    other = A.copy()
    other.setdiag(0.0)
    with pytest.raises(BackendError, match="every diagonal entry"):
        backend.analyze(other)
    np.testing.assert_allclose(A @ backend.solve(np.ones(25), False), 1.0)


@pardiso_only
def test_pardiso_releases_its_handle_when_dropped():
    A = five_point(10)
    solver = linear.LinearSolver(Pattern.of(A), Pardiso())
    answer(solver, A)
    release = solver._driver.active._finalizer
    assert release.alive
    del solver
    assert not release.alive


@pardiso_only
@pytest.mark.parametrize("code", pardiso_handle.OUT_OF_MEMORY)
def test_codes_of_pardiso_for_lack_of_memory(code, monkeypatch):
    A = five_point(6)
    solver = linear.LinearSolver(Pattern.of(A), "pardiso")
    library, _ = pardiso_handle.load_mkl()

    def full(*arguments):
        arguments[-1]._obj.value = code

    monkeypatch.setattr(pardiso, "load_mkl", lambda: (library, full))
    solver = linear.LinearSolver(Pattern.of(A), "pardiso")
    with pytest.raises(OutOfMemoryError, match="by pardiso"):
        solver.factorize(A)


@pardiso_only
def test_a_code_of_pardiso_that_is_no_lack_of_memory_is_told_by_its_meaning(monkeypatch):
    library, _ = pardiso_handle.load_mkl()

    def fails(*arguments):
        arguments[-1]._obj.value = -4

    monkeypatch.setattr(pardiso, "load_mkl", lambda: (library, fails))
    backend, A = Pardiso(), five_point(6)
    with pytest.raises(BackendError, match="-4"):
        backend.analyze(A)


def test_where_pardiso_is_switched_off_none_is_made(monkeypatch):
    monkeypatch.setenv("SGSOLVE_NO_PARDISO", "1")
    assert not available()
    with pytest.raises(BackendError, match="switched off by SGSOLVE_NO_PARDISO"):
        Pardiso()
    assert linear.LinearSolver(Pattern.of(grid(40, -5.0))).name in {"banded", "superlu"}
    assert [type(make()).__name__ for make in fallbacks(Dense(), Fault.BROKEN, 9, True)] == [
        "SuperLU"
    ]


@pytest.mark.parametrize("error", [ImportError("no such module"), OSError("bad ELF header")])
def test_a_library_that_cannot_be_loaded_is_an_error_with_advice(error, monkeypatch):
    class Broken:
        def find_spec(self, name, path=None, target=None):
            if name == "pypardiso":
                raise error

    monkeypatch.delitem(sys.modules, "pypardiso", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(BackendError, match=r"cannot be loaded.*pip install"):
        pardiso_handle.load_mkl.__wrapped__()

    def missing():
        raise BackendError("missing")

    monkeypatch.setattr(pardiso, "load_mkl", missing)
    assert not available()


@pardiso_only
def test_diagonal_pivoting_that_fills_far_more_is_refused():
    A = five_point(8)
    backend = Pardiso(pivoting="diagonal", fill_limit=1.0)
    with pytest.raises(BackendError, match="too many"):
        backend.analyze(A)


@pardiso_only
def test_a_handle_that_was_never_used_is_released_without_a_call():
    calls = []
    handle = pardiso_handle.PardisoHandle(five_point(3), lambda *arguments: calls.append(1))
    handle.release()
    assert not calls
