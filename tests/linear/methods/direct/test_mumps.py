"""MUMPS through python-mumps, and through a stand-in of the same interface."""

import ctypes
import importlib.util
import sys
import types

import numpy as np
import pytest

from sgsolve import linear
from sgsolve.errors import BackendError, OutOfMemoryError, SingularMatrixError
from sgsolve.linear import memory
from sgsolve.linear.methods.direct.mumps import require_mpi
from sgsolve.pattern import Pattern
from tests.linear.matrices import drift_diffusion, equal_rows, five_point

needs_mumps = pytest.mark.skipif(not importlib.util.find_spec("mumps"), reason="no python-mumps")


@pytest.mark.parametrize(("backend", "extra"), [("mumps", "mumps"), ("multigrid", "pyamg")])
def test_missing_extra_says_how_to_install_it(backend, extra, monkeypatch):
    monkeypatch.setitem(sys.modules, extra, None)
    with pytest.raises(BackendError, match=rf"pip install 'sgsolve\[{extra}\]'"):
        linear.LinearSolver(Pattern.of(five_point(3)), backend)


@pytest.mark.parametrize("initialized", [0, 1])
@pytest.mark.parametrize("linked", [True, False])
def test_a_parallel_mumps_without_mpi_is_refused(tmp_path, monkeypatch, linked, initialized):
    class Library:
        def __init__(self, path):
            assert path == "/usr/lib/libmpi.so.40.30.4"

        def MPI_Initialized(self, flag):
            flag._obj.value = initialized

    monkeypatch.setattr(ctypes, "CDLL", Library)
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    maps = tmp_path / "maps"
    name = "/usr/lib/libmpi.so.40.30.4" if linked else "/usr/lib/libmpiseq.so.5"
    maps.write_text(
        f"7f00-7f01 r--p 0000 08:01 99   /usr/lib/libc.so.6\n7f02-7f03 r 1 0 9 {name}\n"
    )
    require_mpi(str(tmp_path / "none"))
    if not linked or initialized:
        require_mpi(str(maps))
    else:
        with pytest.raises(BackendError, match=r"libmpi.so.40.30.4\), which ends .* mpi4py"):
            require_mpi(str(maps))


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


class MUMPSError(Exception):
    """As python-mumps raises it: with INFOG(1)."""

    def __init__(self, error):
        super().__init__(f"MUMPS failed with error {error}")
        self.error = error


class Context:
    """The interface of python-mumps that the back end uses, over NumPy; ICNTL(9) = 1 means A."""

    def __init__(self):
        self.mumps_instance = types.SimpleNamespace(icntl={9: 1}, infog={16: 250}, rinfog={1: 4e6})
        self.fails = {}

    def _checked(self, verb):
        if verb in self.fails:
            raise MUMPSError(self.fails[verb])

    def analyze(self, A):
        self._checked("analyze")
        self.shape = A.shape

    def factor(self, A, reuse_analysis):
        self._checked("factor")
        assert reuse_analysis
        assert A.shape == self.shape
        self.A = A.toarray()

    def solve(self, b):
        self._checked("solve")
        return np.linalg.solve(self.A if self.mumps_instance.icntl[9] else self.A.T, b)


@pytest.fixture
def stand_in(monkeypatch):
    module = types.ModuleType("mumps")
    module.Context, module.MUMPSError = Context, MUMPSError
    monkeypatch.setitem(sys.modules, "mumps", module)


@pytest.mark.usefixtures("stand_in")
def test_the_verbs_reach_mumps():
    solver = linear.LinearSolver(Pattern.of(five_point(5)), "mumps")
    for seed in range(3):
        A = five_point(5, seed=seed)
        b = np.random.default_rng(seed).normal(size=(25, 2))
        solver.factorize(A)
        np.testing.assert_allclose(A @ solver.solve(b), b, atol=1e-11)
        np.testing.assert_allclose(A.T @ solver.solve(b, transpose=True), b, atol=1e-11)
    assert (solver.name, solver.stats.n_analyze, solver.stats.n_fallback) == ("mumps", 1, 0)


@pytest.mark.usefixtures("stand_in")
def test_each_pattern_has_a_context_of_its_own():
    backend = linear.Mumps()
    solvers = [linear.LinearSolver(Pattern.of(five_point(n)), backend) for n in (3, 4)]
    for n, solver in zip((3, 4), solvers, strict=True):
        solver.factorize(five_point(n))
    for n, solver in zip((3, 4), solvers, strict=True):
        np.testing.assert_allclose(five_point(n) @ solver.solve(np.ones(n * n)), 1.0)


@pytest.mark.usefixtures("stand_in")
@pytest.mark.parametrize(
    ("code", "error"),
    [
        (-6, SingularMatrixError),
        (-10, SingularMatrixError),
        (-9, MemoryError),
        (-13, MemoryError),
        (-3, BackendError),
    ],
)
def test_error_codes_of_mumps_are_told_apart(code, error):
    A = five_point(3).tocsr()
    backend = linear.Mumps()
    backend.analyze(A)
    backend._context.fails["factor"] = code
    with pytest.raises(error, match=f"error {code}"):
        backend.factorize(A)


@pytest.mark.usefixtures("stand_in")
def test_the_analysis_of_mumps_predicts_memory_and_operations(monkeypatch):
    solver = linear.LinearSolver(Pattern.of(five_point(3)), "mumps")
    found = solver.predict(five_point(3))
    assert (found.factor_bytes, found.operations) == (250e6, 4e6)
    monkeypatch.setattr(memory, "FULL_BYTES", 1e9)
    monkeypatch.setattr(memory, "available_memory", lambda: 3e8)
    with pytest.raises(OutOfMemoryError, match="mumps would need 0"):
        solver.factorize(five_point(3))
