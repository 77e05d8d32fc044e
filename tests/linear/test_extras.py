"""The opt-in back ends answer as the others do, where they are installed."""

import importlib.util
import sys

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import linear
from sgsolve.errors import BackendError, SingularMatrixError
from sgsolve.pattern import Pattern
from tests.linear.matrices import drift_diffusion, equal_rows, five_point, grid, weak_diagonal

INSTALLED = {name: bool(importlib.util.find_spec(name)) for name in ("mumps", "pyamg")}
needs_mumps = pytest.mark.skipif(not INSTALLED["mumps"], reason="no python-mumps")
needs_pyamg = pytest.mark.skipif(not INSTALLED["pyamg"], reason="no pyamg")


@pytest.mark.parametrize("name", INSTALLED)
def test_missing_extra_says_how_to_install_it(name, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(BackendError, match=rf"pip install 'sgsolve\[{name}\]'"):
        linear.LinearSolver(Pattern.of(five_point(3)), name)


def factorize_and_solve(solver, A):
    solver.factorize(A)
    return solver.solve(np.ones(A.shape[0]))


@needs_mumps
@pytest.mark.parametrize("dtype", [float, complex])
def test_mumps_is_analyzed_once_and_solves_transposed(dtype):
    matrices = [five_point(20, dtype, seed) for seed in range(3)]
    b = np.random.default_rng(0).normal(size=(400, 3))
    solver = linear.LinearSolver(Pattern.of(matrices[0]), "mumps")
    for A in matrices:
        solver.factorize(A)
        np.testing.assert_allclose(A @ solver.solve(b), b, atol=1e-11)
        np.testing.assert_allclose(A.T @ solver.solve(b, transpose=True), b, atol=1e-11)
    assert (solver.name, solver.stats.n_analyze) == ("mumps", 1)


@needs_mumps
def test_mumps_on_a_device_and_on_a_singular_matrix():
    A = drift_diffusion((20, 20), 10.0)
    solver = linear.LinearSolver(Pattern.of(A), "mumps")
    solver.factorize(A)
    solver.solve(A @ np.ones(A.shape[0]))
    assert solver.backward_error < 1e-10
    A = equal_rows()
    solver = linear.LinearSolver(Pattern.of(A), "mumps")
    with pytest.raises(SingularMatrixError):
        factorize_and_solve(solver, A)


@needs_pyamg
def test_multigrid_serves_an_elliptic_problem():
    A = -grid(60, -4.0)
    b = np.random.default_rng(0).normal(size=(3600, 2))
    solver = linear.LinearSolver(Pattern.of(A), "pyamg")
    solver.factorize(A)
    for transpose in (False, True):
        np.testing.assert_allclose(A @ solver.solve(b, transpose=transpose), b, atol=1e-9)
    assert (solver.name, solver.stats.n_fallback) == ("pyamg", 0)


def upwind(side):
    step = sp.diags_array([-np.ones(side - 1), np.ones(side)], offsets=[-1, 0])
    return -grid(side, -4.0) + 3.0 * sp.kron(step, sp.eye_array(side))


def two_blocks(side, coupling):
    A, C = -grid(side, -4.0), 0.1 * sp.eye_array(side * side)
    return sp.block_array([[A, C], [coupling * C, -coupling * A]])


SIGNED = {
    "symmetric": lambda: -grid(30, -4.0),
    "nonsymmetric": lambda: upwind(30),
    "blocks of both signs": lambda: two_blocks(20, 1.0),
    "blocks of one sign, skew coupling": lambda: two_blocks(20, -1.0),
    "one eigenvalue of the other sign": lambda: -grid(30, -4.0) - 0.03 * sp.eye_array(900),
}


@needs_pyamg
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("case", SIGNED)
def test_multigrid_serves_both_signs(case, sign):
    A = sp.csr_array(sign * SIGNED[case]())
    b = np.random.default_rng(0).normal(size=A.shape[0])
    solver = linear.LinearSolver(Pattern.of(A), "pyamg")
    solver.factorize(A)
    for transpose in (False, True):
        x = solver.solve(b, transpose=transpose)
        np.testing.assert_allclose((A.T if transpose else A) @ x, b, atol=1e-8)
    assert (solver.name, solver.stats.n_fallback) == ("pyamg", 0)


@needs_pyamg
def test_multigrid_that_does_not_converge_is_replaced():
    A = weak_diagonal(40)
    solver = linear.LinearSolver(Pattern.of(A), "pyamg")
    factorize_and_solve(solver, A)
    assert solver.backward_error < 1e-10
    assert solver.name in {"pardiso (diagonal pivoting)", "pardiso", "superlu"}
    assert solver.stats.n_fallback >= 1
