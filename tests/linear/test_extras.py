"""The opt-in back ends answer as the others do, where they are installed."""

import importlib.util
import sys

import numpy as np
import pytest

from sgsolve import linear
from sgsolve.errors import BackendError, SingularMatrixError
from sgsolve.pattern import Pattern
from tests.linear.matrices import drift_diffusion, equal_rows, five_point

needs_mumps = pytest.mark.skipif(not importlib.util.find_spec("mumps"), reason="no python-mumps")


@pytest.mark.parametrize(("backend", "extra"), [("mumps", "mumps"), ("multigrid", "pyamg")])
def test_missing_extra_says_how_to_install_it(backend, extra, monkeypatch):
    monkeypatch.setitem(sys.modules, extra, None)
    with pytest.raises(BackendError, match=rf"pip install 'sgsolve\[{extra}\]'"):
        linear.LinearSolver(Pattern.of(five_point(3)), backend)


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
