"""PETSc as a back end: options, checks and errors on one rank, the same answers on two."""

import json
import sys

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import Problem, linear
from sgsolve.errors import BackendError, DataTypeError, InputError, SingularMatrixError
from sgsolve.linear.methods.parallel_petsc.petsc_options import parsed
from sgsolve.linear.methods.parallel_petsc.petsc_rows import RowShare
from sgsolve.pattern import Pattern
from sgsolve.petsc import Petsc, UnusedOptionsWarning
from tests.linear.matrices import drift_diffusion, equal_rows, five_point, grid, neumann
from tests.mpi import needs_mpi, needs_petsc, run

LU = "-ksp_type preonly -pc_type lu"
MUMPS = LU + " -pc_factor_mat_solver_type mumps"


def test_missing_petsc_names_the_extra_and_the_recipe(monkeypatch):
    monkeypatch.setitem(sys.modules, "petsc4py", None)
    with pytest.raises(BackendError, match=r"pip install 'sgsolve\[petsc\]'.*Install sgsolve"):
        Petsc()
    with pytest.raises(BackendError, match="petsc4py cannot be loaded"):
        Problem(lambda x: x - 1.0, backend="petsc")


def test_options_are_read_from_a_string_and_from_a_mapping():
    text = "-ksp_type cg -pc_gamg_threshold -1 -ksp_view -pc_hypre_type 'boomeramg'"
    expected = {"ksp_type": "cg", "pc_gamg_threshold": "-1", "ksp_view": ""}
    expected["pc_hypre_type"] = "boomeramg"
    assert parsed(text) == expected
    mapping = {"ksp_type": "cg", "-pc_gamg_threshold": -1, "ksp_view": None}
    assert parsed(mapping | {"pc_hypre_type": "boomeramg"}) == expected
    assert parsed({"a": True, "b": 1e-3}) == {"a": "true", "b": "0.001"}
    assert parsed("") == {}


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ("ksp_type cg", InputError, "'ksp_type' is no name of an option"),
        ("-ksp_type cg gmres", InputError, "'gmres' is no name"),
        ("-ksp_rtol 1e-3", InputError, "leave out the option -ksp_rtol"),
        (3, DataTypeError, "a string such as"),
    ],
)
def test_options_that_cannot_be_read_are_refused(options, error, words):
    with pytest.raises(error, match=words):
        parsed(options)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("blocks", [(), (np.arange(12), np.arange(24, 36)), (np.arange(0, 36, 2),)])
def test_the_shares_of_the_ranks_make_up_the_matrix(size, blocks):
    A = sp.csr_array(sp.block_array([[five_point(6), None], [None, sp.eye_array(9)]]))
    A = sp.csr_array(A - sp.diags_array(np.r_[np.zeros(36), np.ones(9)]))
    A.eliminate_zeros()  # nine rows without a diagonal entry
    layouts = [RowShare(A, blocks, k, size) for k in range(size)]
    order = layouts[0].order
    assert np.array_equal(np.sort(order), np.arange(45))
    assert [one.stop for one in layouts[:-1]] == [one.first for one in layouts[1:]]
    parts = [
        sp.csr_array((one.values(A), one.indices, one.indptr), shape=(len(one.own), 45))
        for one in layouts
    ]
    whole = sp.csr_array(sp.vstack(parts))
    assert abs(whole - A[order][:, order]).max() == 0.0
    stored = sp.csr_array((np.ones(whole.nnz), whole.indices, whole.indptr), shape=(45, 45))
    assert stored.diagonal().all()
    for one in layouts:
        for k, index in one.splits().items():
            if k < len(blocks):
                assert np.isin(order[index], blocks[k]).all()
        assert sum(len(index) for index in one.splits().values()) == len(one.own)
    if blocks:  # every rank has a share of every block
        assert all(len(one.splits()[0]) > 0 for one in layouts)


def factorize_and_solve(solver, A):
    solver.factorize(A)
    return solver.solve(np.ones(A.shape[0]))


@needs_petsc
@pytest.mark.parametrize("options", ["-ksp_type cg -pc_type gamg", "", LU, MUMPS])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_petsc_solves_both_signs_and_the_transpose(options, sign):
    A = sp.csr_array(-sign * grid(30, -4.0))
    solver = linear.LinearSolver(Pattern.of(A), Petsc(options))
    b = np.random.default_rng(0).normal(size=(900, 2))
    for factor in (1.0, 1.3):
        A.data *= factor
        solver.factorize(A)
        for transpose in (False, True):
            np.testing.assert_allclose(A @ solver.solve(b, transpose=transpose), b, atol=1e-8)
    assert (solver.name, solver.stats.n_fallback) == ("petsc", 0)
    assert solver.stats.n_analyze == 1


@needs_petsc
@pytest.mark.parametrize("options", ["-pc_type ilu", MUMPS])
def test_petsc_solves_unsymmetric_matrices_and_their_transposes(options):
    A, b = five_point(20), np.random.default_rng(0).normal(size=400)
    solver = linear.LinearSolver(Pattern.of(A), Petsc(options))
    solver.factorize(A)
    np.testing.assert_allclose(A @ solver.solve(b), b, atol=1e-9)
    np.testing.assert_allclose(A.T @ solver.solve(b, transpose=True), b, atol=1e-9)
    assert solver.stats.n_fallback == 0


@needs_petsc
@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("options", ["-ksp_type cg -pc_type gamg", "-ksp_type gmres -pc_type ilu"])
def test_a_preconditioner_serves_until_it_converges_slowly(options, sign):
    A = sp.csr_array(-sign * grid(30, -4.0))
    backend = Petsc(options)
    backend.analyze(A)

    def solve(B, transpose=False):
        backend.factorize(B)
        C = B.T if transpose else B
        np.testing.assert_allclose(C @ backend.solve(np.ones(900), transpose), 1.0, rtol=1e-9)

    for factor in (1.0, 1.1, 1.2):
        solve(sp.csr_array(factor * A))
        solve(sp.csr_array(factor * A), True)
    assert backend.n_setup == 1
    root = sp.diags_array(np.repeat([1.0, 1e3, 1.0], 300))  # another material
    other = sp.csr_array(root @ A @ root)
    for _ in range(3):
        solve(other)
    assert backend.n_setup == 2
    iterations = backend.iterations
    solve(sp.csr_array(-other))  # a kept preconditioner has the sign of its matrix
    assert backend.iterations == iterations
    backend = Petsc(options)  # nothing is left of the first matrix
    backend.analyze(other)
    solve(other)
    assert backend.iterations == iterations


@needs_petsc
def test_factors_are_made_for_each_matrix():
    A = sp.csr_array(-grid(20, -4.0))
    backend = Petsc(LU)
    backend.analyze(A)
    for factor in (1.0, 7.0):
        B = sp.csr_array(factor * A)
        backend.factorize(B)
        np.testing.assert_allclose(B @ backend.solve(np.ones(400), False), 1.0, rtol=1e-12)
    assert backend.n_setup == 2


@needs_petsc
def test_blocks_are_field_splits_by_their_names():
    def residual(psi, n, p):
        return {
            "psi": 4.0 * psi - np.roll(psi, 1) - np.roll(psi, -1) - n + p,
            "n": 3.0 * n - np.roll(n, 1) + 0.1 * psi - 1.0,
            "p": 3.0 * p - np.roll(p, -1) - 0.1 * psi**2 - 2.0,
        }

    blocks = {"psi": (50,), "n": (50,), "p": (50,)}
    options = {"pc_type": "fieldsplit", "fieldsplit_psi_pc_type": "lu"}
    options |= {"fieldsplit_n_pc_type": "ilu", "fieldsplit_p_pc_type": "jacobi"}
    found = {}
    for name, backend in {"auto": "auto", "petsc": Petsc(options)}.items():
        problem = Problem(residual, blocks=blocks, fields=True, backend=backend)
        found[name] = problem.solve(np.zeros(150))
    assert found["petsc"].stats.backend == "petsc"
    np.testing.assert_allclose(found["petsc"].x, found["auto"].x, rtol=1e-10)


@needs_petsc
def test_an_option_that_petsc_does_not_read_is_a_warning():
    A = five_point(5)
    solver = linear.LinearSolver(Pattern.of(A), Petsc("-pc_typ lu"))
    with pytest.warns(UnusedOptionsWarning, match=r"-pc_typ: they are misspelled"):
        factorize_and_solve(solver, A)


@needs_petsc
@pytest.mark.parametrize("options", ["-ksp_type gmers", "-pc_type multigird"])
def test_a_method_that_petsc_does_not_have_is_refused_at_once(options):
    with pytest.raises(InputError, match=r"does not accept these options: .*(gmers|multigird)"):
        Petsc(options)


@needs_petsc
def test_an_iteration_that_fails_is_replaced_with_a_warning():
    A = drift_diffusion((12, 12), 30.0)
    solver = linear.LinearSolver(Pattern.of(A), Petsc("-ksp_type richardson -pc_type none"))
    with pytest.warns(linear.FallbackWarning, match="petsc does not solve a system of 432"):
        factorize_and_solve(solver, A)
    assert solver.backward_error < 1e-10


@needs_petsc
@pytest.mark.parametrize("make", [equal_rows, lambda: neumann(8)])
def test_singular_matrices_are_reported_by_factors(make):
    A = make()
    solver = linear.LinearSolver(Pattern.of(A), Petsc(MUMPS))
    with pytest.raises(SingularMatrixError):
        factorize_and_solve(solver, A)


@needs_petsc
def test_complex_matrices_go_to_another_back_end():
    A = five_point(8, complex)
    solver = linear.LinearSolver(Pattern.of(A), Petsc())
    with pytest.warns(linear.FallbackWarning, match="petsc does not solve"):
        x = factorize_and_solve(solver, A)
    np.testing.assert_allclose(A @ x, 1.0, rtol=1e-9)


PROGRAM = """
import sys, zlib
import numpy as np
from sgsolve import Problem
from sgsolve.petsc import Petsc
m = 12
def residual(u, v, lam):
    w = np.pad(u, 1)
    around = w[2:, 1:-1] + w[:-2, 1:-1] + w[1:-1, 2:] + w[1:-1, :-2]
    return {"u": 4.0 * u - around - lam / m**2 * np.exp(v), "v": v - 0.5 * u - 0.1 * np.sin(v)}
backend = Petsc(sys.argv[1]) if sys.argv[1] else "auto"
problem = Problem(residual, params={"lam": 1.0}, blocks={"u": (m, m), "v": (m, m)}, fields=True,
                  backend=backend)
branch = problem.sweep(np.zeros(2 * m * m), "lam", [1.0, 2.0, 4.0], checkpoint=sys.argv[2])
print(branch.success, branch.stats.backend, zlib.crc32(branch.states.tobytes()))
print(repr(branch.states[:, 40].tolist()))
"""


@pytest.mark.slow
@needs_mpi
@pytest.mark.parametrize(
    "options",
    ["-pc_type fieldsplit -fieldsplit_u_pc_type gamg -fieldsplit_v_pc_type jacobi", MUMPS],
)
def test_the_same_program_runs_on_one_rank_and_on_several(options, tmp_path):
    texts = {}
    for size in (0, 1, 2, 3, 4):  # 0: one process, without PETSc
        done = run(PROGRAM, size, options if size else "", str(tmp_path / f"{size}.npz"))
        assert done.returncode == 0, done.stderr
        texts[size] = done.stdout.splitlines()
    # Rank 0 alone prints.
    assert [len(lines) for lines in texts.values()] == [2, 2, 2, 2, 2]
    assert [texts[k][0].split()[:2] for k in (1, 2, 3, 4)] == [["True", "petsc"]] * 4
    values = [json.loads(lines[1]) for lines in texts.values()]
    for found in values[1:]:
        np.testing.assert_allclose(found, values[0], rtol=1e-10)


DIFFERENT = """
import sys
import numpy as np
from mpi4py import MPI
from sgsolve import InputError, Problem, ranks
from sgsolve.petsc import Petsc
rank = MPI.COMM_WORLD.rank
def residual(x, a):
    return 4.0 * x - np.roll(x, 1) - np.roll(x, -1) - a
problem = Problem(residual, params={"a": 1.0}, backend=Petsc("-pc_type jacobi"))
what = sys.argv[1]
if what == "numbers":
    problem = problem.at(a=1.0 + 1e-14 * rank)
if what == "matrices":
    problem = Problem(lambda x: (4.0 + 1e-14 * rank) * x - np.roll(x, 1) - 1.0, backend=Petsc())
if what == "end" and rank == 1:
    sys.exit(0)
if what == "error of one" and rank == 1:
    raise ValueError("one alone")
if what == "error of all":
    raise ValueError("all together")
if what == "clock":
    problem.solve(np.zeros(30), time_limit=1.0)
problem.solve(np.zeros(60))
print("solved")
"""


@pytest.mark.slow
@needs_mpi
@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("numbers", "rank 1 solves a system by PETSc, with other values than rank 0"),
        ("matrices", "rank 1 factorizes a matrix by PETSc, with other values"),
        ("end", "do not do the same: rank 0 analyzes a matrix by PETSc, and rank 1 ends the"),
        ("error of one", "ValueError: one alone"),
        ("error of all", "ValueError: all together"),
        ("clock", "time_limit cannot serve on several ranks"),
    ],
)
def test_ranks_that_disagree_stop_with_words(what, words):
    done = run(DIFFERENT, 2, what)
    assert done.returncode != 0
    assert words in done.stderr
    assert "solved" not in done.stdout
    if what in ("error of all", "clock"):
        assert done.stderr.count("Error: ") == 1


@pytest.mark.slow
@needs_mpi
def test_ranks_that_agree_end_well():
    done = run(DIFFERENT, 2, "")
    assert (done.returncode, done.stdout) == (0, "solved\n"), done.stderr
