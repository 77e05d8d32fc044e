"""The operations of a factorization by the analyses of two parts, against that of the whole."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import linear
from sgsolve.linear.structure.foreseen import extrapolated_operations
from sgsolve.pattern import Pattern
from tests.linear.matrices import grid


def box(*shape):
    """The matrix of a Laplacian on a box of nodes."""
    A = sp.csr_array((1, 1))
    for m in shape:
        ones = np.ones(m - 1)
        T = sp.diags_array([-ones, np.full(m, 2.1), -ones], offsets=[-1, 0, 1])
        A = sp.kron(A, sp.eye_array(m)) + sp.kron(sp.eye_array(A.shape[0]), T)
    return sp.csr_array(A)


def tree(n):
    """Each unknown is coupled to two others; half of them are one step away from the rest."""
    i = np.arange(1, n)
    half = sp.coo_array((-np.ones(n - 1), (i, (i - 1) // 2)), shape=(n, n))
    return sp.csr_array(half + half.T + 4.0 * sp.eye_array(n))


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch):
    monkeypatch.setattr("sgsolve.linear.structure.foreseen.PART", 1000)


MESHES = {
    "square": grid(100, -5.0),
    "cube": box(18, 18, 18),
    "slab": box(35, 35, 5),
    "bar": box(6, 6, 150),
    "two fields": sp.csr_array(sp.kron([[2.0, 0.1], [0.1, 2.0]], grid(60, -5.0))),
}


@pytest.mark.parametrize("name", MESHES)
def test_parts_foretell_what_the_whole_takes(name):
    A = MESHES[name]
    backend = linear.SuperLU("diagonal")
    foreseen = extrapolated_operations(backend, A).operations
    backend.analyze(A)
    assert 0.2 * backend.operations < foreseen < 3.0 * backend.operations


def test_the_numbering_does_not_matter():
    A, order = MESHES["square"], np.random.default_rng(0).permutation(10_000)
    mixed = sp.csr_array(A[order][:, order])
    backend = linear.SuperLU("diagonal")
    found = [extrapolated_operations(backend, matrix).operations for matrix in (A, mixed)]
    assert found[1] == pytest.approx(found[0], rel=2.0)


def test_a_tree_takes_no_more_operations_than_unknowns():
    foreseen = extrapolated_operations(linear.SuperLU("diagonal"), tree(8191)).operations
    assert 8191 <= foreseen < 20 * 8191


def test_nothing_is_foretold_of_small_and_of_separate_systems():
    backend = linear.SuperLU("diagonal")
    assert extrapolated_operations(backend, grid(60, -5.0)).operations == 0.0
    separate = sp.csr_array(sp.kron(sp.eye_array(100), grid(9, -5.0)))
    assert extrapolated_operations(backend, separate).operations == 0.0


def test_a_large_matrix_is_not_analyzed_where_its_parts_are_expensive(monkeypatch):
    pytest.importorskip("pyamg")
    monkeypatch.setattr("sgsolve.linear.large_factors.FAR_ABOVE", 300.0)
    A = box(18, 18, 18)
    monkeypatch.setattr("sgsolve.linear.large_factors.FEW", 0)
    solver = linear.LinearSolver(Pattern.of(A))
    with pytest.warns(linear.LargeFactorsWarning, match="takes about .* operations. Multigrid"):
        solver.factorize(A)
    assert (solver.name, solver.stats.n_analyze) == ("multigrid", 0)
    np.testing.assert_allclose(A @ solver.solve(np.ones(5832)), 1.0, rtol=1e-8)


def test_multigrid_is_tried_once_and_factors_serve_where_it_fails(monkeypatch):
    pytest.importorskip("pyamg")
    monkeypatch.setattr("sgsolve.linear.large_factors.FAR_ABOVE", 1.0)
    monkeypatch.setattr("sgsolve.linear.large_factors.FEW", 0)
    tries = []
    real = linear.Multigrid.factorize
    monkeypatch.setattr(
        linear.Multigrid, "factorize", lambda self, A: tries.append(1) or real(self, A)
    )
    A = sp.csr_array(-grid(100, -4.0) - 0.19 * sp.eye_array(10_000))  # indefinite
    solver = linear.LinearSolver(Pattern.of(A))
    solver.factorize(A)
    assert (solver.name == "multigrid", solver.stats.n_analyze, len(tries)) == (False, 1, 1)
    np.testing.assert_allclose(A @ solver.solve(np.ones(10_000)), 1.0, rtol=1e-8)
