"""Nothing that makes a sparse direct solver return wrong numbers, crash or hang gets an answer.

Each case is one on which PARDISO (or SuperLU) returns garbage with error code 0, crashes or hangs
when driven directly.
"""

import contextlib

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import linear
from sgsolve.errors import LinearSolveError, SingularMatrixError
from sgsolve.linear.methods.direct.pardiso import available
from sgsolve.pattern import Pattern
from tests.linear.matrices import (
    drift_diffusion,
    equal_rows,
    five_point,
    grid,
    neumann,
    three_equations_in_two_unknowns,
    weak_diagonal,
)

pardiso_only = pytest.mark.skipif(not available(), reason="no PARDISO")
DIRECT = ["auto", "banded", "dense", "superlu", pytest.param("pardiso", marks=pardiso_only)]
SPARSE = ["superlu", pytest.param("pardiso", marks=pardiso_only)]


def solved(solver, A, b):
    solver.factorize(A)
    return solver.solve(b)


def backward_error(A, x, b):
    return np.max(np.abs(b - A @ x) / (abs(A) @ np.abs(x) + np.abs(b) + 1e-300))


def empty_column():
    A = sp.lil_array(grid(12, -4.0))
    A[:, 7] = 0
    return sp.csr_array(A)


def empty_row():
    return sp.csr_array(empty_column().T)


def all_zero():
    A = grid(12, -4.0)
    A.data[:] = 0
    return A


SINGULAR = {
    "two equal rows": equal_rows,
    "Neumann Laplacian": lambda: neumann(20),
    "Neumann Laplacian beside a regular block": lambda: sp.csr_array(
        sp.block_diag([neumann(15), 3.0 * sp.eye_array(5)])
    ),
    "three equations in two unknowns": three_equations_in_two_unknowns,
    "empty column": empty_column,
    "empty row": empty_row,
    "all values zero": all_zero,
    "rank one": lambda: sp.csr_array(np.outer(np.arange(1.0, 7.0), np.arange(2.0, 8.0))),
}


@pytest.mark.parametrize("name", DIRECT)
@pytest.mark.parametrize("case", SINGULAR)
@pytest.mark.parametrize("dtype", [float, complex])
def test_singular_matrix_is_reported_even_if_the_system_is_consistent(case, name, dtype):
    A = SINGULAR[case]().astype(dtype)
    if dtype is complex:
        A.data = A.data * (1 + 2j)
    random = np.random.default_rng(3)
    n = A.shape[0]
    for b in (random.normal(size=n), A @ random.normal(size=n)):
        with pytest.raises(SingularMatrixError, match="singular"):
            solved(linear.LinearSolver(Pattern.of(A), name), A, b)


@pytest.mark.parametrize("name", DIRECT)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_not_finite_matrix_is_refused_and_named(name, value):
    A = grid(10, -5.0)
    solver = linear.LinearSolver(Pattern.of(A), name)
    solver.factorize(A)
    A.data[A.indptr[42]] = value
    with pytest.raises(LinearSolveError, match="NaN or infinity in equations 42;"):
        solver.factorize(A)
    with pytest.raises(LinearSolveError, match="call factorize"):
        solver.solve(np.ones(100))


@pytest.mark.parametrize("name", DIRECT)
def test_solver_serves_again_after_a_singular_matrix(name):
    good, bad = grid(15, -5.0), grid(15, -5.0)
    bad.data[bad.indptr[3] : bad.indptr[4]] = 0.0
    solver = linear.LinearSolver(Pattern.of(good), name)
    b = np.arange(225.0)
    for _ in range(2):
        with pytest.raises(SingularMatrixError):
            solved(solver, bad, b)
        assert backward_error(good, solved(solver, good, b), b) < 1e-12
    assert solver.stats.n_analyze <= 2


@pytest.mark.parametrize("name", DIRECT)
def test_column_storage_is_not_solved_transposed(name):
    A = five_point(10)
    solver = linear.LinearSolver(Pattern.of(A), name)
    b = np.ones(100)
    assert backward_error(A, solved(solver, sp.csc_array(A), b), b) < 1e-12
    assert backward_error(A, solved(solver, A.toarray(), b), b) < 1e-12
    assert backward_error(A, solved(solver, sp.coo_array(A), b), b) < 1e-12
    assert solver.stats.n_analyze == 1


@pytest.mark.parametrize("name", SPARSE)
@pytest.mark.parametrize("permuted", [False, True])
def test_weak_diagonal(name, permuted):
    A = weak_diagonal(60)
    if permuted:
        A = A[np.random.default_rng(0).permutation(A.shape[0])]
    b = np.random.default_rng(1).normal(size=A.shape[0])
    x = solved(linear.LinearSolver(Pattern.of(A), name), A, b)
    assert backward_error(A, x, b) < 1e-10


@pardiso_only
def test_the_back_end_that_worked_stays():
    A = weak_diagonal(60)
    b = np.ones(A.shape[0])
    solver = linear.LinearSolver(Pattern.of(A), "pardiso")
    solved(solver, A, b)
    assert solver.name == "pardiso (diagonal pivoting)"
    analyses = solver.stats.n_analyze
    for factor in (2.0, 3.0):
        assert backward_error(factor * A, solved(solver, factor * A, b), b) < 1e-10
    assert solver.stats.n_analyze == analyses
    assert solver.stats.n_fallback == 1


@pytest.mark.parametrize("name", SPARSE)
def test_analysis_of_placeholder_values_is_not_fatal(name):
    A = drift_diffusion((20, 20), 10.0)
    ones = A.copy()
    ones.data[:] = 1.0
    solver = linear.LinearSolver(Pattern.of(A), name)
    b = A @ np.ones(A.shape[0])
    with contextlib.suppress(SingularMatrixError):
        solved(solver, ones, b)
    assert backward_error(A, solved(solver, A, b), b) < 1e-10


@pytest.mark.parametrize("name", ["banded", "dense", "superlu"])
def test_a_singular_matrix_says_nothing_against_the_analysis(name):
    n = 60
    B = sp.diags_array([np.ones(n - 1), np.full(n, -2.0), np.ones(n - 1)], offsets=[-1, 0, 1])
    A = sp.csr_array(B)
    solver, b = linear.LinearSolver(Pattern.of(A), name), np.ones(n)
    eigenvalue = 2.0 * np.cos(np.pi / (n + 1)) - 2.0
    for _ in range(3):
        nearly = A.copy()
        nearly.setdiag(-2.0 - eigenvalue)
        with pytest.raises(SingularMatrixError):
            solved(solver, nearly, b)
        assert backward_error(A, solved(solver, A, b), b) < 1e-12
    assert (solver.stats.n_analyze, solver.stats.n_fallback) == (1, 0)


@pardiso_only
def test_stale_analysis_is_cured_by_a_new_one_and_not_by_another_back_end():
    A = drift_diffusion((20, 20), 10.0)
    pattern = Pattern.of(A)
    other = pattern.matrix(np.random.default_rng(0).normal(size=pattern.nnz))
    solver = linear.LinearSolver(pattern, "pardiso")
    b = A @ np.ones(A.shape[0])
    for matrix in (other, A, A):
        assert backward_error(matrix, solved(solver, matrix, b), b) < 1e-10
    assert solver.name == "pardiso"
    assert (solver.stats.n_analyze, solver.stats.n_fallback) == (2, 0)


@pytest.mark.parametrize("name", DIRECT)
@pytest.mark.parametrize("shape", [(60,), (12, 12)])
def test_reuse_of_the_analysis_under_drastic_change(name, shape):
    solver = linear.LinearSolver(Pattern.of(drift_diffusion(shape, 0.0)), name)
    for bias in (0.0, 20.0, 0.0, 35.0):
        A = drift_diffusion(shape, bias)
        b = A @ np.random.default_rng(2).uniform(0.5, 1.0, A.shape[0])
        assert backward_error(A, solved(solver, A, b), b) < 1e-10
        assert backward_error(A.T, solver.solve(b, transpose=True), b) < 1e-10
    assert solver.stats.n_analyze == 1


@pytest.mark.parametrize("name", DIRECT)
def test_changed_pattern_of_equal_size(name):
    A = grid(10, -5.0)
    solver = linear.LinearSolver(Pattern.of(A), name)
    b = np.ones(100)
    solved(solver, A, b)
    more = sp.lil_array(A)
    more[3, 77], more[90, 5] = 4.0, -3.0
    more = sp.csr_array(more)
    assert backward_error(more, solved(solver, more, b), b) < 1e-12
    assert (solver.stats.n_grow, solver.stats.n_analyze) == (1, 2)
    assert solver.pattern.nnz == A.nnz + 2
    fewer = sp.csr_array(A - sp.csr_array(([1.0], ([0], [1])), shape=A.shape))
    fewer.eliminate_zeros()
    assert fewer.nnz == A.nnz - 1
    assert backward_error(fewer, solved(solver, fewer, b), b) < 1e-12
    assert (solver.stats.n_grow, solver.stats.n_analyze) == (1, 2)


@pytest.mark.parametrize("name", DIRECT)
def test_unsorted_and_duplicate_indices_with_stale_flags(name):
    A = five_point(8)
    b = np.ones(64)
    expected = np.linalg.solve(A.toarray(), b)
    unsorted = A.copy()
    for i in range(64):
        part = slice(A.indptr[i], A.indptr[i + 1])
        unsorted.indices[part] = A.indices[part][::-1]
        unsorted.data[part] = A.data[part][::-1]
    double = sp.csr_array(
        (np.repeat(A.data / 2, 2), np.repeat(A.indices, 2), 2 * A.indptr), shape=A.shape
    )
    for disguised in (unsorted, double):
        disguised.has_sorted_indices = True
        disguised.has_canonical_format = True
        for pattern in (Pattern.of(A), Pattern([*range(65)], [*range(64)], A.shape)):
            x = solved(linear.LinearSolver(pattern, name), disguised, b)
            np.testing.assert_allclose(x, expected, rtol=1e-12)


def test_storage_with_room_to_spare():
    A = five_point(8)
    roomy = sp.csr_array(A.shape)
    roomy.data = np.append(A.data, [np.nan, np.nan])
    roomy.indices = np.append(A.indices, np.array([7, 7], dtype=A.indices.dtype))
    roomy.indptr = A.indptr
    solver = linear.LinearSolver(Pattern.of(A))
    b = np.ones(64)
    assert backward_error(A, solved(solver, roomy, b), b) < 1e-12
    assert solver.stats.n_grow == 0


@pytest.mark.parametrize("name", DIRECT)
def test_values_changed_in_place_after_the_factorization_do_not_matter(name):
    A = five_point(10)
    kept = A.copy()
    solver = linear.LinearSolver(Pattern.of(A), name)
    solver.factorize(A)
    A.data[:] = np.nan
    b = np.ones(100)
    assert backward_error(kept, solver.solve(b), b) < 1e-12


@pytest.mark.parametrize("name", DIRECT)
def test_badly_scaled_system_has_every_component_right(name):
    random = np.random.default_rng(5)
    A = five_point(12)
    n = A.shape[0]
    rows, columns = 2.0 ** random.integers(-60, 60, (2, n))
    scaled = A.copy()
    scaled.data *= rows[np.repeat(np.arange(n), np.diff(A.indptr))] * columns[A.indices]
    truth = random.normal(size=n)
    x = solved(linear.LinearSolver(Pattern.of(A), name), scaled, (A @ truth) * rows)
    np.testing.assert_allclose(x * columns, truth, rtol=1e-9)


@pytest.mark.parametrize("name", DIRECT)
def test_explicit_zeros_stay_in_the_pattern(name):
    A = grid(10, -5.0)
    solver = linear.LinearSolver(Pattern.of(A), name)
    b = np.ones(100)
    diagonal = sp.csr_array(sp.diags_array(np.full(100, 2.0)))
    for matrix in (diagonal, A):
        assert backward_error(matrix, solved(solver, matrix, b), b) < 1e-12
    zeros = A.copy()
    zeros.data[A.indices != np.repeat(np.arange(100), np.diff(A.indptr))] = 0.0
    assert backward_error(zeros, solved(solver, zeros, b), b) < 1e-12
    assert (solver.stats.n_analyze, solver.stats.n_grow) == (1, 0)


@pytest.mark.parametrize("name", SPARSE)
def test_hard_but_regular_matrices_are_not_called_singular(name):
    # Condition 1e30 and more, yet every digit of the answer is right: only the scales differ.
    n = 60
    chain = sp.csr_array(sp.diags_array([np.ones(n), np.full(n - 1, -10.0)], offsets=[0, 1]))
    x = solved(linear.LinearSolver(Pattern.of(chain), name), chain, np.ones(n))
    expected = (10.0 ** np.arange(n, 0, -1) - 1) / 9
    np.testing.assert_allclose(x, expected, rtol=1e-12)
