"""Linear systems whose matrix is singular along known directions."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import linear
from sgsolve.errors import LinearSolveError
from sgsolve.linear.gauged import Gauged
from sgsolve.pattern import Pattern


def ring(n):
    """Return the Laplacian of a ring with unequal edges: constants are its null space."""
    edges = 1.0 + np.arange(n) / n
    step = sp.csr_array(sp.eye_array(n) - sp.csr_array(np.roll(np.eye(n), 1, axis=1)))
    return sp.csr_array(step.T @ sp.diags_array(edges) @ step)


def gauged(A):
    n = A.shape[0]
    V = np.full((n, 1), n**-0.5)
    return Gauged(Pattern.of(A), V, lambda pattern: linear.LinearSolver(pattern, "dense"))


def test_it_has_what_users_of_linear_solvers_ask_for():
    """Without what serves solvers of small regular systems only, and estimates."""
    other = {"direct_parts", "note_factors", "predict", "out_of_memory"}
    public = {name for name in dir(linear.LinearSolver) if not name.startswith("_")}
    solver = gauged(ring(9))
    assert all(hasattr(solver, name) for name in public - other)
    solver.factorize(ring(9))
    assert solver.operations > 0.0


@pytest.mark.parametrize("transpose", [False, True])
def test_the_solution_of_least_norm_is_returned(transpose):
    A = ring(9)
    solver = gauged(A)
    solver.factorize(A)
    b = np.random.default_rng(0).normal(size=9)
    b -= b.mean()
    x = solver.solve(b, transpose=transpose)
    expected = np.linalg.pinv(A.toarray()) @ b  # symmetric
    np.testing.assert_allclose(x, expected, atol=1e-12)


def test_the_determinant_is_that_of_the_bordered_matrix():
    A, n = ring(6), 6
    solver = gauged(A)
    solver.factorize(A)
    below = np.append(np.full(n, n**-0.5), 0.0)
    whole = np.vstack([np.hstack([A.toarray(), solver.left]), below])
    sign, log = np.linalg.slogdet(whole)
    assert solver.slogdet() == pytest.approx((sign, log))
    assert solver.name == "dense"
    assert solver.stats.n_factor >= 1


@pytest.mark.parametrize("kind", [float, complex])
def test_two_open_levels_with_other_left_null_vectors(kind):
    """Rows and columns of two rings are mixed and scaled: U is not V."""
    n, rng = 12, np.random.default_rng(2)
    A = sp.block_diag([ring(n), ring(n)]).toarray().astype(kind)
    scale = rng.uniform(0.5, 2.0, 2 * n) * (np.exp(1j * np.arange(2 * n)) if kind is complex else 1)
    A = scale[:, None] * A[rng.permutation(2 * n)]
    V = np.linalg.qr(np.kron(np.eye(2), np.ones((n, 1))))[0]
    A = sp.csr_array(A)
    solver = Gauged(Pattern.of(A), V, lambda pattern: linear.LinearSolver(pattern, "superlu"))
    solver.factorize(A)
    assert np.abs(solver.left.T @ A).max() < 1e-12
    for transpose, M in ((False, A.toarray()), (True, A.toarray().T)):
        b = M @ rng.normal(size=(2 * n, 3))
        x = solver.solve(b, transpose=transpose)
        np.testing.assert_allclose(x, np.linalg.pinv(M) @ b, atol=1e-11)
    whole = np.block([[A.toarray(), solver.left.conj()], [V.T, np.zeros((2, 2))]])
    assert solver.slogdet() == pytest.approx(tuple(np.linalg.slogdet(whole)))


def test_nothing_is_solved_before_the_first_factorization():
    solver = gauged(ring(5))
    assert not solver.factorized
    with pytest.raises(LinearSolveError, match="call factorize"):
        solver.solve(np.ones(5))
