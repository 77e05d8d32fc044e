"""Order by nodes: found in the pattern or in the blocks, it saves entries of the factors."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import linear
from sgsolve.errors import InputError
from sgsolve.linear.methods.direct import pardiso
from sgsolve.linear.methods.direct.pardiso import available
from sgsolve.linear.structure import node_order as module
from sgsolve.linear.structure.node_order import node_order, node_orders, nodes_of_unknowns
from sgsolve.linear.structure.symbolic import factor_counts
from sgsolve.pattern import Pattern
from tests.linear.matrices import drift_diffusion, five_point, grid


def reacting(side, kinds=2, seed=0):
    """Several species that diffuse on a square and react at each node."""
    random = np.random.default_rng(seed)
    nodes = side * side
    parts = [
        [sp.diags_array(random.uniform(0.1, 1.0, nodes)) for _ in range(kinds)]
        for _ in range(kinds)
    ]
    for k in range(kinds):
        parts[k][k] = grid(side, -5.0)
    return sp.csr_array(sp.block_array(parts))


@pytest.mark.parametrize("kinds", [2, 3, 4])
def test_nodes_are_found_in_the_pattern_in_both_layouts(kinds):
    nodes = 100
    A = reacting(10, kinds)
    np.testing.assert_array_equal(nodes_of_unknowns(A, ()), np.tile(np.arange(nodes), kinds))
    together = np.arange(kinds * nodes).reshape(kinds, nodes).T.ravel()
    B = sp.csr_array(A[together][:, together])
    np.testing.assert_array_equal(nodes_of_unknowns(B, ()), np.repeat(np.arange(nodes), kinds))


def test_neighbors_of_a_scalar_grid_are_no_nodes():
    for side in (12, 15, 20):
        np.testing.assert_array_equal(
            nodes_of_unknowns(five_point(side), ()), np.arange(side * side)
        )


def test_blocks_in_any_order_give_the_nodes():
    A = reacting(10)
    order = np.random.default_rng(1).permutation(200)
    place = np.argsort(order)
    B = sp.csr_array(A[order][:, order])
    node = nodes_of_unknowns(B, (place[:100], place[100:]))
    np.testing.assert_array_equal(node[place[:100]], node[place[100:]])
    assert len(np.unique(node)) == 100


def test_unknowns_in_no_block_are_nodes_by_themselves():
    A = sp.csr_array(sp.block_diag([reacting(10), sp.eye_array(3)]))
    node = nodes_of_unknowns(A, (np.arange(100), np.arange(100, 200)))
    assert len(np.unique(node)) == 103


def test_equations_in_another_order_than_the_unknowns_get_no_order():
    A = reacting(20)
    shuffled = sp.csr_array(A[np.random.default_rng(0).permutation(800)])
    assert node_order(shuffled, nodes_of_unknowns(shuffled, ())) is None
    assert (
        node_order(shuffled, nodes_of_unknowns(shuffled, (np.arange(400), np.arange(400, 800))))
        is None
    )


@pytest.mark.parametrize("dissected", [10, 10**9])
def test_the_order_is_a_permutation_with_long_rows_last(monkeypatch, dissected):
    if dissected == 10:
        pytest.importorskip("pymetis")
    monkeypatch.setattr(module, "DISSECTED", dissected)
    A = sp.lil_array(sp.block_diag([reacting(20), sp.eye_array(1)]))
    A[800, :], A[:, 800] = 1.0, 1.0
    A = sp.csr_array(A)
    order = node_order(A, nodes_of_unknowns(A, (np.arange(400), np.arange(400, 800))))
    np.testing.assert_array_equal(np.sort(order), np.arange(801))
    assert order[-1] == 800


def test_uneven_parts_take_fewer_operations_on_a_grid(monkeypatch):
    pytest.importorskip("pymetis")
    monkeypatch.setattr(module, "DISSECTED", 10)
    A = sp.csr_array(grid(90, -4.0))
    first, second = node_orders(A, np.arange(A.shape[0]))
    for order in (first, second):
        np.testing.assert_array_equal(np.sort(order), np.arange(A.shape[0]))
    # 0.74 with METIS of pymetis 2025.2; even parts take the longer separators.
    assert factor_counts(A, first).operations < 0.9 * factor_counts(A, second).operations


CASES = {
    "drift-diffusion": lambda: drift_diffusion((40, 40), 5.0),
    "reaction": lambda: reacting(40),
}


@pytest.mark.parametrize("case", CASES)
def test_factors_have_half_the_entries_of_those_by_colamd(case):
    A = CASES[case]()
    sizes = []
    for backend in (linear.SuperLU("diagonal"), linear.SuperLU("partial")):
        solver = linear.LinearSolver(Pattern.of(A), backend)
        solver.factorize(A)
        sizes.append(solver._driver.active._lu.nnz)
        for transpose in (False, True):
            solver.solve(np.ones(A.shape[0]), transpose=transpose)
            assert solver.backward_error < 1e-10
        assert (solver.name, solver.stats.n_fallback) == ("superlu", 0)
    assert sizes[0] < 0.65 * sizes[1]


@pytest.mark.parametrize("columns", [1, 3])
def test_several_right_hand_sides_and_complex_values(columns):
    A = reacting(40)
    A.data = A.data * np.exp(0.3j)
    b = np.random.default_rng(0).normal(size=(3200, columns)) + 1j
    solver = linear.LinearSolver(Pattern.of(A), "superlu")
    solver.factorize(A)
    np.testing.assert_allclose(A @ solver.solve(b), b, atol=1e-9)
    np.testing.assert_allclose(A.T @ solver.solve(b, transpose=True), b, atol=1e-9)


def test_the_determinant_does_not_depend_on_the_order():
    A = reacting(40)
    found = []
    for backend in (linear.SuperLU("diagonal"), linear.SuperLU("partial")):
        solver = linear.LinearSolver(Pattern.of(A), backend)
        solver.factorize(A)
        found.append(solver.slogdet())
    assert found[0][0] == found[1][0]
    assert found[0][1] == pytest.approx(found[1][1], rel=1e-12)


def test_partial_pivoting_serves_where_the_diagonal_does_not():
    """Diagonal entries of 1e-18 of what they were are no pivots."""
    A = drift_diffusion((40, 40), 0.0)
    n = A.shape[0]
    A = sp.csr_array(A + sp.csr_array((np.full(n, 1e-300), (np.arange(n), np.arange(n))), (n, n)))
    A.setdiag(1e-18 * np.abs(A.diagonal()))
    solver = linear.LinearSolver(Pattern.of(A), "superlu")
    solver.factorize(A)
    b = A @ np.ones(n)
    solver.solve(b)
    assert solver.backward_error < 1e-10
    assert solver._driver.active.pivoting == "partial"


@pytest.mark.skipif(not available(), reason="no PARDISO")
def test_pardiso_keeps_the_order_that_takes_fewer_operations():
    A = drift_diffusion((50, 50), 5.0)
    b = A @ np.ones(A.shape[0])
    solver = linear.LinearSolver(Pattern.of(A), "pardiso")
    names = []
    for _ in range(8):
        solver.factorize(A)
        names.append(solver.name)
        solver.solve(b)
        assert solver.backward_error < 1e-12
    assert solver.stats.n_analyze == 1
    # Factors of 100 entries for each unknown: the comparison pays after a few factorizations.
    assert names == sorted(names)
    assert names[1] == "pardiso"
    assert names[-1] == "pardiso (order by nodes)"
    own = solver._driver.active._analyzed(solver._values.matrix.A, None)
    assert solver._driver.active.operations < 0.9e6 * own.iparm[18]
    own.release()


@pytest.mark.skipif(not available(), reason="no PARDISO")
def test_pardiso_keeps_its_own_order_in_three_dimensions():
    side = 16
    square, eye = grid(side, -6.0), sp.eye_array(side)
    T = sp.diags_array([np.ones(side - 1), np.ones(side - 1)], offsets=[-1, 1])
    L = sp.kron(square, eye) + sp.kron(sp.eye_array(side * side), T)
    reaction = 0.1 * sp.eye_array(side**3)
    A = sp.csr_array(sp.block_array([[L, reaction], [reaction, L]]))
    assert len(np.unique(nodes_of_unknowns(A, ()))) == side**3
    solver = linear.LinearSolver(Pattern.of(A), "pardiso")
    for _ in range(3):
        solver.factorize(A)
    assert solver._driver.active._compared
    assert solver.name == "pardiso"


@pytest.mark.skipif(not available(), reason="no PARDISO")
def test_large_factors_are_ordered_before_the_first_factorization(monkeypatch):
    A = drift_diffusion((50, 50), 5.0)
    solver = linear.LinearSolver(Pattern.of(A), "pardiso")
    monkeypatch.setattr(pardiso, "COMPARISON", 0.1 * pardiso.COMPARISON)
    solver.factorize(A)
    assert solver.name == "pardiso (order by nodes)"


@pytest.mark.skipif(not available(), reason="no PARDISO")
def test_an_order_that_cannot_be_analyzed_costs_no_solution(monkeypatch):
    A = drift_diffusion((50, 50), 5.0)
    analyzed = pardiso.Pardiso._analyzed

    def without_memory(self, A, order):
        if order is not None:
            raise MemoryError("PARDISO failed in phase 11: not enough memory")
        return analyzed(self, A, order)

    monkeypatch.setattr(pardiso.Pardiso, "_analyzed", without_memory)
    monkeypatch.setattr(pardiso, "COMPARISON", 0.0)
    solver = linear.LinearSolver(Pattern.of(A), "pardiso")
    solver.factorize(A)
    solver.solve(A @ np.ones(A.shape[0]))
    assert solver.backward_error < 1e-12
    assert solver.name == "pardiso"


@pytest.mark.skipif(not available(), reason="no PARDISO")
@pytest.mark.parametrize("best", [0, 1])
def test_pardiso_tries_orders_until_one_satisfies(monkeypatch, best):
    A = drift_diffusion((50, 50), 5.0)
    node = nodes_of_unknowns(A, ())
    good = node_order(A, node)
    orders = [np.arange(A.shape[0]), np.arange(A.shape[0])[::-1].copy()]
    orders.insert(best, good)
    tried = []

    def yielded(A, node):
        for order in orders:
            tried.append(order)
            yield order

    monkeypatch.setattr("sgsolve.linear.methods.direct.pardiso.node_orders", yielded)
    monkeypatch.setattr(pardiso, "SATISFYING", 0.95)
    monkeypatch.setattr(pardiso, "COMPARISON", 0.0)
    solver = linear.LinearSolver(Pattern.of(A), "pardiso")
    solver.factorize(A)
    solver.solve(A @ np.ones(A.shape[0]))
    assert len(tried) == best + 1
    assert (solver.name, solver.stats.n_analyze) == ("pardiso (order by nodes)", 1)


def test_the_pivoting_is_checked():
    with pytest.raises(InputError, match="'partial', 'diagonal' or 'auto', not 'full'"):
        linear.SuperLU("full")
