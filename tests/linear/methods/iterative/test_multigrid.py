"""Multigrid: convergence, both signs, blocks, kept levels, and what happens where it fails."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import Problem, linear
from sgsolve.errors import BackendError
from sgsolve.linear.methods.iterative import hierarchy
from sgsolve.linear.methods.iterative.hierarchy import block_rows
from sgsolve.linear.methods.iterative.krylov_methods import conjugate_gradients
from sgsolve.pattern import Pattern
from tests.linear.matrices import drift_diffusion, five_point, grid, weak_diagonal
from tests.selection import slow

pytest.importorskip("pyamg")


def test_multigrid_serves_an_elliptic_problem():
    A = -grid(60, -4.0)
    b = np.random.default_rng(0).normal(size=(3600, 2))
    solver = linear.LinearSolver(Pattern.of(A), "multigrid")
    solver.factorize(A)
    for transpose in (False, True):
        np.testing.assert_allclose(A @ solver.solve(b, transpose=transpose), b, atol=1e-9)
    assert (solver.name, solver.stats.n_fallback) == ("multigrid", 0)


def factorize_and_solve(solver, A):
    solver.factorize(A)
    return solver.solve(np.ones(A.shape[0]))


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


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("case", SIGNED)
def test_multigrid_serves_both_signs(case, sign):
    A = sp.csr_array(sign * SIGNED[case]())
    b = np.random.default_rng(0).normal(size=A.shape[0])
    solver = linear.LinearSolver(Pattern.of(A), "multigrid")
    solver.factorize(A)
    for transpose in (False, True):
        x = solver.solve(b, transpose=transpose)
        np.testing.assert_allclose((A.T if transpose else A) @ x, b, atol=1e-8)
    assert (solver.name, solver.stats.n_fallback) == ("multigrid", 0)


def test_multigrid_that_does_not_converge_is_replaced():
    A = weak_diagonal(40)
    solver = linear.LinearSolver(Pattern.of(A), "multigrid")
    reason = r"multigrid does not solve a system of 1600 unknowns \(.* % .* not of elliptic kind\)"
    with pytest.warns(linear.FallbackWarning, match=reason):
        factorize_and_solve(solver, A)
    assert solver.backward_error < 1e-10
    assert solver.name in {"pardiso (diagonal pivoting)", "pardiso", "superlu"}
    assert solver.stats.n_fallback >= 1


def cube(side):
    """The seven-point Laplacian on a cube."""
    T = sp.diags_array(
        [-np.ones(side - 1), np.full(side, 2.0), -np.ones(side - 1)], offsets=[-1, 0, 1]
    )
    eye = sp.eye_array(side)
    return sp.csr_array(
        sp.kron(sp.kron(T, eye), eye)
        + sp.kron(sp.kron(eye, T), eye)
        + sp.kron(sp.kron(eye, eye), T)
    )


def test_iterations_do_not_grow_with_the_grid():
    counts = []
    for side in (8, 16, 24):
        A = cube(side)
        backend = linear.Multigrid()
        backend.analyze(A)
        backend.factorize(A)
        x = backend.solve(np.ones(side**3), False)
        np.testing.assert_allclose(A @ x, 1.0, rtol=1e-9)
        counts.append(backend.iterations)
    assert max(counts) < 25


def test_blocks_of_drift_diffusion_are_solved_apart():
    """Aggregation over all unknowns fails on these matrices: potential and densities differ."""
    for side in (20, 40):
        A, nodes = drift_diffusion((side, side), 10.0), side * side
        blocks = [np.arange(nodes) + k * nodes for k in range(3)]
        solver = linear.LinearSolver(Pattern.of(A), linear.Multigrid(blocks))
        solver.factorize(A)
        solver.solve(A @ np.ones(3 * nodes))
        assert solver.backward_error < 1e-10
        assert (solver.name, solver.stats.n_fallback) == ("multigrid", 0)


def iterations(A, blocks):
    """Of A and of its transpose, to 1e-8; and the number of times that levels were made."""
    solver = linear.LinearSolver(Pattern.of(A), linear.Multigrid(blocks))
    solver.factorize(A)
    backend = solver._driver.active
    counts, b = [], np.random.default_rng(0).normal(size=A.shape[0])
    for transpose in (False, True):
        backend.solve(b, transpose)
        counts.append(backend.iterations)
    return counts, backend.n_setup


@pytest.mark.parametrize(
    ("shape", "bias"),
    [((30, 30), 20.0), *slow(((30, 30), 0.0), ((40, 40), 20.0), ((10, 9, 8), 5.0))],
)
def test_levels_of_blocks_serve_like_their_factors(shape, bias, monkeypatch):
    """Unknowns are in the units of the user: those of the equilibration differ by e^16."""
    A, nodes = drift_diffusion(shape, bias), int(np.prod(shape))
    blocks = [np.arange(nodes) + k * nodes for k in range(3)]
    found, n_setup = iterations(A, blocks)
    assert n_setup == 1  # the transposed levels serve the transposed matrix
    monkeypatch.setattr(hierarchy, "COARSEST", nodes)
    exact, _ = iterations(A, blocks)
    assert all(count <= 1.3 * fewest for count, fewest in zip(found, exact, strict=True))


def test_blocks_are_a_partition_whatever_is_given():
    overlapping = (np.arange(0, 4), np.arange(3, 6), np.array([90]))
    parts = block_rows(overlapping, 8)
    assert [part.tolist() for part in parts] == [[0, 1, 2, 3], [4, 5], [6, 7]]


def test_a_problem_gives_its_blocks_to_the_back_end():
    seen = []

    class Watched(linear.Multigrid):
        def factorize(self, A):
            seen.append([block.tolist() for block in self.blocks])
            super().factorize(A)

    def residual(u, v):
        return {"u": 3.0 * u - np.roll(u, 1) - v, "v": 4.0 * v - u - 1.0}

    blocks = {"u": (3,), "v": (3,)}
    problem = Problem(residual, blocks=blocks, fields=True, backend=Watched)
    problem.solve(np.zeros(6))
    assert seen[0] == [[0, 1, 2], [3, 4, 5]]


def test_levels_serve_until_they_converge_slowly():
    backend = linear.Multigrid()
    A = sp.csr_array(cube(10))
    backend.analyze(A)
    for factor in (1.0, 1.01, 1.02):
        B = A.copy()
        B.data *= factor
        backend.factorize(B)
        np.testing.assert_allclose(B @ backend.solve(np.ones(1000), False), 1.0, rtol=1e-9)
    assert backend.n_setup == 1
    strips = np.repeat([1.0, 1e4], 500)  # two materials
    B = sp.csr_array(sp.diags_array(np.sqrt(strips)) @ A @ sp.diags_array(np.sqrt(strips)))
    for _ in range(2):
        backend.factorize(B)
        np.testing.assert_allclose(B @ backend.solve(np.ones(1000), False), 1.0, rtol=1e-8)
    assert backend.n_setup == 2


def test_steps_of_newton_are_solved_roughly_and_the_solution_is_exact():
    side = 12

    def residual(u):
        full = np.pad(u, 1)
        inner = full[1:-1, 1:-1, 1:-1]
        around = full[2:, 1:-1, 1:-1] + full[:-2, 1:-1, 1:-1] + full[1:-1, 2:, 1:-1]
        around = around + full[1:-1, :-2, 1:-1] + full[1:-1, 1:-1, 2:] + full[1:-1, 1:-1, :-2]
        return {"u": 6.0 * inner - around - 3.0 / (side + 1) ** 2 * np.exp(u)}

    blocks = {"u": (side, side, side)}
    problem = Problem(residual, blocks=blocks, fields=True, backend="multigrid")
    result = problem.solve(np.zeros(side**3))
    exact = Problem(residual, blocks=blocks, fields=True).solve(np.zeros(side**3))
    assert result.stats.backend == "multigrid"
    assert np.abs(result.residual).max() < 1e-11
    np.testing.assert_allclose(result.x, exact.x, rtol=1e-8)


def test_multigrid_refuses_complex_matrices():
    solver = linear.LinearSolver(Pattern.of(five_point(5, complex)), "multigrid")
    with pytest.warns(linear.FallbackWarning, match="instead"):
        solver.factorize(five_point(5, complex))
    with pytest.raises(BackendError, match="real matrices only"):
        linear.Multigrid().analyze(five_point(5, complex))


@pytest.mark.parametrize("name", ["multigrid", "pyamg"])
def test_results_show_the_name_that_was_given(name):
    A = -grid(30, -4.0)
    solver = linear.LinearSolver(Pattern.of(A), name)
    solver.factorize(A)
    assert solver.name == name


@pytest.mark.parametrize("blocks", [(), (np.arange(500), np.arange(500, 1000))])
def test_answers_do_not_depend_on_random_numbers_and_leave_them_alone(blocks):
    A = sp.csr_array(cube(10))
    found = []
    for seed in (1, 2):
        np.random.seed(seed)  # noqa: NPY002 - the generator that pyamg reads
        expected = np.random.RandomState(seed).random_sample()
        backend = linear.Multigrid(blocks)
        backend.analyze(A)
        backend.factorize(A)
        found.append(backend.solve(np.ones(1000), False))
        assert np.random.random_sample() == expected  # noqa: NPY002
    assert np.array_equal(*found)


@pytest.mark.parametrize("n", [1, 9, 30, 20_000])
def test_conjugate_gradients_find_the_solution_and_stop_where_they_cannot(n):
    d = np.linspace(1.0, 3.0, n)
    b = np.ones(n)
    x, left, products = conjugate_gradients(lambda v: d * v, b, lambda v: v, 1e-12, 100)
    assert left <= 1e-12
    np.testing.assert_allclose(x, b / d, rtol=1e-10)
    assert products <= min(n, 40)
    _, left, products = conjugate_gradients(lambda v: -d * v, b, lambda v: v, 1e-12, 100)
    assert (left, products) == (1.0, 1)
    x, left, products = conjugate_gradients(lambda v: d * v, 0.0 * b, lambda v: v, 1e-12, 100)
    assert not x.any()
    assert (left, products) == (0.0, 0)


@pytest.mark.parametrize("kind", ["diagonal", "isolated", "few"])
def test_matrices_without_aggregates_are_solved(kind):
    n = 2000
    A = sp.diags_array(np.linspace(1.0, 4.0, n), format="csr")
    if kind == "isolated":  # half of the unknowns are coupled to nothing
        A = sp.block_diag((A, -grid(40, -4.0)), format="csr")
    if kind == "few":
        A = sp.csr_array(A[:7][:, :7])
    backend = linear.Multigrid()
    backend.analyze(A)
    backend.factorize(A)
    b = np.random.default_rng(0).normal(size=A.shape[0])
    np.testing.assert_allclose(A @ backend.solve(b, False), b, atol=1e-10)
    assert backend.iterations < 30
