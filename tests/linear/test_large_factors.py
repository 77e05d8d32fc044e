"""Factors that do not fit are not computed: multigrid serves, or a message says why."""

import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import Problem, linear
from sgsolve.errors import OutOfMemoryError, SingularMatrixError
from sgsolve.linear import memory
from sgsolve.linear.methods.direct.pardiso import available
from sgsolve.linear.methods.iterative.elliptic import unsuited
from sgsolve.pattern import Pattern
from tests.linear.matrices import drift_diffusion, grid, neumann

needs_pardiso = pytest.mark.skipif(not available(), reason="PARDISO is not installed")


@pytest.fixture
def _no_memory(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 1e5)
    monkeypatch.setattr(memory, "WORTH_A_LOOK", 1e4)


def test_the_free_memory_is_a_positive_number_below_that_of_the_machine():
    free = memory.available_memory()
    assert free > 0.0
    if sys.platform == "linux":
        assert free < 2**50


def test_control_groups_of_both_versions(tmp_path):
    group = tmp_path / "a" / "b"
    group.mkdir(parents=True)
    (tmp_path / "memory.max").write_text("max")
    (tmp_path / "a" / "memory.max").write_text("1000")
    (tmp_path / "a" / "memory.current").write_text("400")
    (tmp_path / "a" / "memory.stat").write_text("anon 1\ninactive_file 100\n")
    (group / "memory.max").write_text("5000")
    (group / "memory.current").write_text("100")
    assert memory._least_left(tmp_path, "/a/b", "memory.max", "memory.current") == 700.0
    assert memory._least_left(tmp_path, "/missing", "memory.max", "memory.current") == float("inf")


@pytest.mark.usefixtures("_no_memory")
@pytest.mark.parametrize("name", ["dense", "banded", "superlu", *["pardiso"] * available()])
def test_factors_of_a_chosen_back_end_that_do_not_fit_are_refused(name):
    A = sp.csr_array(-grid(40, -4.0))
    solver = linear.LinearSolver(Pattern.of(A), name)
    with pytest.raises(OutOfMemoryError, match=rf"factors of {name} would need .* GiB") as caught:
        solver.factorize(A)
    advice = str(caught.value).partition("nothing was factorized. ")[2]
    assert ("'pardiso'" in advice) is (name != "pardiso")
    assert "an iterative solver (backend='multigrid'" in advice


@pytest.mark.usefixtures("_no_memory")
def test_multigrid_is_not_recommended_where_it_cannot_serve():
    A = sp.csr_array(grid(40, 4.0))  # all entries of one sign
    solver = linear.LinearSolver(Pattern.of(A), "superlu")
    with pytest.raises(OutOfMemoryError, match=r"preconditioner=M\)?, or solvers.NewtonKrylov"):
        solver.factorize(A)


@pytest.fixture(params=["pardiso", "superlu"])
def first_choice(request, monkeypatch):
    """The back end that `auto` takes for wide bands."""
    if request.param == "superlu":
        monkeypatch.setattr("sgsolve.linear.methods.choose.available", lambda: False)
        monkeypatch.setattr("sgsolve.linear.methods.choose.NARROW_WITHOUT_PARDISO", 96)
    elif not available():
        pytest.skip("PARDISO is not installed")
    return request.param


@pytest.mark.usefixtures("_no_memory", "first_choice")
def test_multigrid_serves_elliptic_matrices_in_place_of_factors():
    pytest.importorskip("pyamg")
    A = -grid(120, -4.0)
    solver = linear.LinearSolver(Pattern.of(A))
    with pytest.warns(linear.LargeFactorsWarning, match="Multigrid serves instead"):
        solver.factorize(A)
    assert solver.name == "multigrid"
    np.testing.assert_allclose(A @ solver.solve(np.ones(14400)), 1.0, rtol=1e-8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        solver.factorize(A)


@pytest.fixture
def _expensive(monkeypatch):
    """Take any factorization for an expensive one."""
    monkeypatch.setattr("sgsolve.linear.large_factors.FEW", 0)
    monkeypatch.setattr("sgsolve.linear.large_factors.FAR_ABOVE", 1.0)


@pytest.mark.usefixtures("_expensive")
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_multigrid_serves_where_factors_are_expensive(first_choice, sign):
    pytest.importorskip("pyamg")
    A = -sign * grid(120, -4.0)
    solver = linear.LinearSolver(Pattern.of(A))
    with pytest.warns(linear.LargeFactorsWarning, match="Multigrid serves instead, because"):
        solver.factorize(A)
    assert solver.name == "multigrid"
    np.testing.assert_allclose(A @ solver.solve(np.ones(14400)), 1.0, rtol=1e-8)
    with warnings.catch_warnings():  # told once
        warnings.simplefilter("error")
        solver.factorize(1.1 * A)
        assert solver.name == "multigrid"
        chosen = linear.LinearSolver(Pattern.of(A), first_choice)
        chosen.factorize(A)
    assert chosen.name == first_choice


def indefinite(side):
    """A Laplacian with a shift inside of its spectrum: of elliptic kind, but not for multigrid."""
    return sp.csr_array(-grid(side, -4.0) - 0.19 * sp.eye_array(side**2))


@pytest.mark.usefixtures("_expensive")
@pytest.mark.parametrize("make", [indefinite, lambda side: grid(side, 0.5)])
def test_factors_serve_where_multigrid_does_not_converge_quickly(first_choice, make):
    pytest.importorskip("pyamg")
    A = make(120)
    solver = linear.LinearSolver(Pattern.of(A))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        solver.factorize(A)
        x = solver.solve(np.ones(14400))
    assert solver.name.startswith(first_choice)
    np.testing.assert_allclose(A @ x, 1.0, rtol=1e-8)


@pytest.mark.usefixtures("_expensive", "first_choice")
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_singular_matrix_is_noticed_where_factors_are_expensive(sign):
    pytest.importorskip("pyamg")
    A = sp.csr_array(sign * neumann(60))
    solver = linear.LinearSolver(Pattern.of(A))
    solver.factorize(A)
    with pytest.raises(SingularMatrixError):
        solver.solve(np.linspace(-1.0, 1.0, 3600))  # consistent


@pytest.mark.usefixtures("_expensive")
def test_without_pyamg_an_expensive_factorization_comes_with_advice(monkeypatch, first_choice):
    monkeypatch.setattr("sgsolve.linear.methods.iterative.elliptic.find_spec", lambda name: None)
    A = -grid(60, -4.0)
    solver = linear.LinearSolver(Pattern.of(A))
    with pytest.warns(linear.LargeFactorsWarning, match=r"take less, but pyamg is not installed"):
        solver.factorize(A)
    assert solver.name == first_choice


@pytest.mark.usefixtures("_expensive", "first_choice")
def test_a_matrix_that_multigrid_cannot_serve_any_more_goes_to_factors():
    pytest.importorskip("pyamg")
    A, B = sp.csr_array(-grid(80, -4.0)), indefinite(80)
    solver = linear.LinearSolver(Pattern.of(A))
    with pytest.warns(linear.LargeFactorsWarning, match="Multigrid serves"):
        solver.factorize(A)
    solver.factorize(B)
    with pytest.warns(linear.FallbackWarning, match="multigrid does not solve"):
        x = solver.solve(np.ones(6400))
    np.testing.assert_allclose(B @ x, 1.0, rtol=1e-8)


@pytest.mark.usefixtures("_no_memory", "first_choice")
def test_other_matrices_stop_before_the_factorization_with_numbers():
    pytest.importorskip("pyamg")
    A = grid(120, 0.5)
    solver = linear.LinearSolver(Pattern.of(A))
    with pytest.raises(OutOfMemoryError, match="100 % of the equations are not of elliptic kind"):
        solver.factorize(A)


def test_matrices_of_elliptic_kind():
    pytest.importorskip("pyamg")
    signs = sp.diags_array(np.where(np.arange(900) % 7 == 0, -1.0, 1.0))
    for A in (-grid(30, -4.0), grid(30, -4.0), neumann(30), signs @ grid(30, -4.0)):
        assert unsuited(sp.csr_array(A), ()) == ""
    for A in (grid(30, 4.0), grid(30, 0.5), sp.csr_array(grid(30, -4.0) * 1j)):
        assert unsuited(sp.csr_array(A), ()) != ""


def test_a_block_is_judged_by_itself():
    pytest.importorskip("pyamg")
    A = -grid(20, -4.0)
    both = sp.csr_array(
        sp.block_array([[A, 9.0 * sp.eye_array(400)], [9.0 * sp.eye_array(400), A]])
    )
    assert "not of elliptic kind" in unsuited(both, ())
    assert unsuited(both, [np.arange(400), np.arange(400, 800)]) == ""


def test_without_pyamg_the_message_names_it(monkeypatch):
    monkeypatch.setattr("sgsolve.linear.methods.iterative.elliptic.find_spec", lambda name: None)
    assert "pip install 'sgsolve[pyamg]'" in unsuited(-grid(5, -4.0), ())


def test_an_estimate_factorizes_nothing():
    problem = Problem(lambda x: x**3 - np.roll(x, 1) - 1.0)
    cost = problem.estimate(np.ones(1000))
    assert (cost.n, cost.nnz, cost.remark) == (1000, 2000, "")
    assert "memory" in str(cost)
    assert cost.free_bytes > 0


@needs_pardiso
@pytest.mark.usefixtures("_no_memory")
def test_an_estimate_says_what_would_serve():
    pytest.importorskip("pyamg")

    def residual(u):
        full = np.pad(u, 1)
        around = full[2:, 1:-1] + full[:-2, 1:-1] + full[1:-1, 2:] + full[1:-1, :-2]
        return {"u": 4.0 * u - around - 1e-3}

    problem = Problem(residual, blocks={"u": (120, 120)}, fields=True)
    cost = problem.estimate(np.zeros(14400))
    assert cost.backend == "multigrid"
    assert "would need" in cost.remark


SCRIPT = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (int(float(sys.argv[1]) * 2**30),) * 2)
import numpy as np
from sgsolve import OutOfMemoryError, Problem
side = 40
def residual(u):
    full = np.pad(u, 1)
    near = full[2:, 1:-1, 1:-1] + full[:-2, 1:-1, 1:-1] + full[1:-1, 2:, 1:-1]
    near = near + full[1:-1, :-2, 1:-1] + full[1:-1, 1:-1, 2:] + full[1:-1, 1:-1, :-2]
    return {"u": 6.0 * u - near - 3.0 / (side + 1) ** 2 * np.exp(u)}
problem = Problem(residual, blocks={"u": (side, side, side)}, fields=True)
try:
    print("solved", problem.solve(np.zeros(side**3)).stats.backend)
except OutOfMemoryError as error:
    print("refused", error)
"""


@pytest.mark.slow
@pytest.mark.parametrize("without", ["", "1"], ids=["with PARDISO", "without PARDISO"])
@pytest.mark.skipif(sys.platform != "linux", reason="limits of the address space")
@pytest.mark.parametrize("gibibytes", [0.9, 1.2, 4.0])
def test_a_solve_under_a_limit_ends_in_a_solution_or_a_message(gibibytes, without):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, str(gibibytes)],
        env=os.environ | {"SGSOLVE_NO_PARDISO": without},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith(("solved", "refused")), done.stderr
    if gibibytes == 4.0:
        # without PARDISO multigrid serves, where pyamg is installed
        names = ["superlu", "multigrid"] if without or not available() else ["pardiso"]
        assert done.stdout in [f"solved {name}\n" for name in names]


def test_drift_diffusion_is_elliptic_block_by_block():
    pytest.importorskip("pyamg")
    A, nodes = drift_diffusion((20, 20), 0.0), 400
    solver = linear.LinearSolver(Pattern.of(A), "superlu")
    equilibrated = solver._take(A).A
    blocks = [np.arange(nodes) + k * nodes for k in range(3)]
    assert unsuited(equilibrated, blocks) == ""
