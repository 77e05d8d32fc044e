"""GMRES with the preconditioner of a user: what is accepted, in which units, and what fails."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import LinearOperator, spilu, splu

from sgsolve import Problem, linear, solvers
from sgsolve.errors import InputError, ShapeError
from sgsolve.pattern import Pattern
from tests.linear.matrices import five_point, grid, weak_diagonal


def scaled(side=15):
    """A matrix whose rows and columns have very different sizes."""
    random = np.random.default_rng(0)
    n = side * side
    R, C = (sp.diags_array(10.0 ** random.uniform(-2.0, 2.0, n)) for _ in range(2))
    return sp.csr_array(R @ five_point(side) @ C)


INVERSES = {
    "factorization": lambda J: splu(J.tocsc()),
    "matrix": lambda J: np.linalg.inv(J.toarray()),
    "sparse matrix": lambda J: sp.csr_array(np.linalg.inv(J.toarray())),
    "operator": lambda J: LinearOperator(
        J.shape, matvec=splu(J.tocsc()).solve, rmatvec=lambda v: splu(J.tocsc()).solve(v, "T")
    ),
}


@pytest.mark.parametrize("fixed", [True, False])
@pytest.mark.parametrize("kind", INVERSES)
def test_the_preconditioner_is_an_inverse_in_the_units_of_the_matrix(kind, fixed):
    """With an exact inverse GMRES ends at once, however the solver scales the matrix."""
    A, make = scaled(), INVERSES[kind]
    backend = linear.Krylov(make(A) if fixed else make)
    solver = linear.LinearSolver(Pattern.of(A), backend)
    solver.factorize(A)
    b = A @ np.ones(A.shape[0])
    for transpose in (False, True):
        c = A.T @ np.ones(A.shape[0]) if transpose else b
        np.testing.assert_allclose(solver.solve(c, transpose=transpose), 1.0, rtol=1e-4)
        assert solver._driver.active.iterations <= 6
    assert (solver.name, solver.stats.n_fallback) == ("krylov", 0)


def test_a_function_of_v_serves_but_has_no_transpose():
    A = -grid(12, -4.0)
    solver = linear.LinearSolver(Pattern.of(A), linear.Krylov(lambda J: lambda v: v / J.diagonal()))
    solver.factorize(A)
    np.testing.assert_allclose(A @ solver.solve(np.ones(144)), 1.0, rtol=1e-8)
    assert solver.stats.n_fallback == 0
    with pytest.warns(linear.FallbackWarning, match="krylov does not solve a system of 144"):
        y = solver.solve(np.ones(144), transpose=True)
    np.testing.assert_allclose(A.T @ y, 1.0, rtol=1e-8)


@pytest.mark.parametrize("ask", ["solve", "solve_step"])
def test_a_preconditioner_that_raises_is_one_that_fails(ask):
    def broken(v):
        raise FloatingPointError("it overflows")

    A = -grid(12, -4.0)
    solver = linear.LinearSolver(Pattern.of(A), linear.Krylov(lambda J: broken))
    solver.factorize(A)
    with pytest.warns(linear.FallbackWarning, match="krylov does not solve a system of 144"):
        x = getattr(solver, ask)(np.ones(144))
    np.testing.assert_allclose(A @ x, 1.0, rtol=1e-8)


def bratu(x, lam):
    m = round(len(x) ** 0.5)
    w = np.pad(x.reshape(m, m), 1)
    around = w[2:, 1:-1] + w[:-2, 1:-1] + w[1:-1, 2:] + w[1:-1, :-2]
    return (4.0 * x.reshape(m, m) - around).ravel() - lam / m**2 * np.exp(x)


def test_a_problem_takes_matrices_operators_and_functions_of_the_jacobian():
    x0 = np.zeros(400)
    expected = Problem(bratu, params={"lam": 3.0}).solve(x0).x
    J = Problem(bratu, params={"lam": 0.0}).jacobian(x0)
    inverse = np.linalg.inv(J.toarray())
    calls = []

    def incomplete(J):
        calls.append(type(J))
        return spilu(J.tocsc(), drop_tol=1e-3)

    for M in (
        inverse,
        sp.csr_array(inverse),
        LinearOperator(J.shape, matvec=splu(J.tocsc()).solve),
    ):
        result = Problem(bratu, params={"lam": 3.0}, preconditioner=M).solve(x0)
        assert result.stats.backend == "krylov"
        np.testing.assert_allclose(result.x, expected, rtol=1e-8)
    problem = Problem(bratu, params={"lam": 3.0}, preconditioner=incomplete)
    branch = problem.sweep(x0, "lam", [1.0, 2.0, 3.0])
    np.testing.assert_allclose(branch.x, expected, rtol=1e-8)
    assert branch.stats.backend == "krylov"
    assert set(calls) == {sp.csr_array}


def test_newton_krylov_takes_that_of_the_problem():
    x0, seen = np.zeros(400), []
    lu = splu(Problem(bratu, params={"lam": 0.0}).jacobian(x0).tocsc())

    def solve(v):
        seen.append(1)
        return lu.solve(v)

    M = LinearOperator((400, 400), matvec=solve)
    problem = Problem(bratu, params={"lam": 3.0}, preconditioner=M)
    assert problem.solve(x0, solvers.NewtonKrylov()).success
    assert seen
    problem = Problem(bratu, params={"lam": 3.0}, preconditioner=lambda J: spilu(J.tocsc()))
    with pytest.raises(InputError, match="a function of J, which NewtonKrylov does not form"):
        problem.solve(x0, solvers.NewtonKrylov())


def test_what_is_no_preconditioner_is_refused():
    with pytest.raises(InputError, match="a function of J that returns one, not 3"):
        Problem(bratu, preconditioner=3)
    with pytest.raises(InputError, match="leave out backend, or preconditioner"):
        Problem(bratu, backend="superlu", preconditioner=np.eye(3))
    with pytest.raises(ShapeError, match="the preconditioner has shape"):
        Problem(bratu, params={"lam": 1.0}, preconditioner=np.eye(3)).solve(np.zeros(9))
    with pytest.raises(InputError, match="must return a function"):
        Problem(bratu, params={"lam": 1.0}, preconditioner=lambda J: 3).solve(np.zeros(9))


def factorize_and_solve(solver, A):
    solver.factorize(A)
    return solver.solve(np.ones(A.shape[0]))


def test_gmres_that_does_not_converge_is_replaced():
    A = weak_diagonal(40)
    solver = linear.LinearSolver(Pattern.of(A), linear.Krylov())
    with pytest.warns(linear.FallbackWarning, match="krylov does not solve a system of 1600"):
        factorize_and_solve(solver, A)
    assert solver.backward_error < 1e-10


def test_a_preconditioner_that_cannot_be_made_is_replaced():
    A = five_point(8)

    def broken(J):
        raise RuntimeError("factor is exactly singular")

    solver = linear.LinearSolver(Pattern.of(A), linear.Krylov(broken))
    with pytest.warns(linear.FallbackWarning, match="cannot be made: factor is exactly singular"):
        solver.factorize(A)
    np.testing.assert_allclose(A @ solver.solve(np.ones(64)), 1.0, rtol=1e-8)
