"""GMRES and the forcing term, against what their papers promise."""

from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import aslinearoperator, spilu, splu

from sgsolve import Problem, Status, solvers
from sgsolve.errors import InputError
from sgsolve.linear.methods.iterative.krylov_methods import gmres
from sgsolve.solvers.steps.krylov import KrylovDirection


def counted(A, b, tolerance, restart=60, most=600):
    """Solve without preconditioner; return x, the residual left, products counted and done."""
    done = []

    def product(v):
        done.append(1)
        return A @ v

    x, left, count = gmres(product, b, lambda v: v, tolerance, restart, most)
    return x, left, count, len(done)


def test_ends_within_n_products_for_a_bad_condition():
    """Rounding must not cost the basis its orthogonality (Saad 2003, section 6.5.2)."""
    random = np.random.default_rng(0)
    n = 40
    U, V = (np.linalg.qr(random.normal(size=(n, n)))[0] for _ in range(2))
    A = U @ np.diag(10.0 ** np.linspace(0.0, -8.0, n)) @ V
    b = A @ random.normal(size=n)
    _, left, count, _ = counted(A, b, 1e-12)
    assert left <= 1e-12
    assert count <= n + 1


def test_products_are_counted_and_limited():
    random = np.random.default_rng(0)
    A = random.normal(size=(80, 80))
    for restart, most in ((60, 20), (7, 30)):
        _, left, count, done = counted(A, np.ones(80), 1e-10, restart, most)
        assert left > 1e-10
        assert count == done <= most + 1  # the last one measures what is left


def test_a_cycle_that_gains_nothing_is_the_last():
    """Of a cyclic shift the first n - 1 Krylov vectors are orthogonal to the right-hand side."""
    n = 20
    _, left, count, _ = counted(np.roll(np.eye(n), 1, axis=0), np.eye(n)[0], 1e-6, restart=5)
    assert left == pytest.approx(1.0)
    assert count <= 6


def test_a_singular_matrix_leaves_what_it_must():
    x, left, _, _ = counted(np.diag([1.0, 0.0, 2.0]), np.ones(3), 1e-10)
    assert np.isfinite(x).all()
    assert left == pytest.approx(np.sqrt(1.0 / 3.0))
    x, left, _, _ = counted(np.diag([0.0, 1.0]), np.array([1.0, 0.0]), 1e-10)
    assert (x.tolist(), left) == ([0.0, 0.0], 1.0)


@pytest.mark.parametrize(
    ("before", "ratio", "eta"),
    [
        (0.5, 0.5, 0.225),  # 0.9 r^2
        (0.5, 1e-3, 0.225),  # not below 0.9 before^2 while that is above 0.1
        (0.3, 1e-3, 0.9e-6),  # 0.9 before^2 = 0.081 guards no more
        (0.1, 0.99, 0.5),  # never above the first
        (1e-3, 1e-9, 1e-8),  # nor so small that rounding has the last word
    ],
)
def test_forcing_is_choice_two_with_its_safeguard(before, ratio, eta):
    it = SimpleNamespace(memory={"forcing": (before, 2.0)}, phi=2.0 * ratio)
    assert KrylovDirection()._forcing(it) == pytest.approx(eta)


def test_no_product_that_helps_is_said():
    # the Jacobian at the start is zero
    result = Problem(lambda x: x**2 - 4.0).solve(
        [0.0], solvers.NewtonKrylov(), raise_on_failure=False
    )
    assert result.status is Status.NO_LINEAR_CONVERGENCE


def bratu(x):
    inner = np.concatenate([[0.0], x, [0.0]])
    return (len(x) + 1) ** 2 * (inner[2:] - 2.0 * x + inner[:-2]) + np.exp(x)


N = 120
LAPLACE = (N + 1) ** 2 * sp.diags_array(
    [np.ones(N - 1), np.full(N, -2.0), np.ones(N - 1)], offsets=[-1, 0, 1], format="csc"
)
INVERSE = np.linalg.inv(LAPLACE.toarray())
PRECONDITIONERS = {
    "LinearOperator": aslinearoperator(INVERSE),
    "dense matrix": INVERSE,
    "sparse matrix": sp.csr_array(INVERSE),
    "factorization": splu(LAPLACE),
    "function of x, operator": lambda x: aslinearoperator(INVERSE),
    "function of x, function": lambda x: lambda v: INVERSE @ v,
    "function of x and J, factorization": lambda x, J: spilu(J.tocsc()),
    "function of x and J, function": lambda x, J: splu(J.tocsc()).solve,
    "function of x and J, matrix": lambda x, J: sp.csr_array(np.linalg.inv(J.toarray())),
}


@pytest.fixture(scope="module")
def plain():
    """The solution, and the products that it takes without a preconditioner."""
    result = Problem(bratu).solve(np.zeros(N), solvers.NewtonKrylov())
    return Problem(bratu).solve(np.zeros(N), solvers.Newton()).x, result.stats.njev


@pytest.mark.parametrize("kind", PRECONDITIONERS)
def test_preconditioners_of_every_kind_spare_products(kind, plain):
    problem, start = Problem(bratu), np.zeros(N)
    expected, products = plain
    direction = KrylovDirection(preconditioner=PRECONDITIONERS[kind])
    result = problem.solve(start, solvers.NewtonKrylov(direction=direction))
    assert result.success
    np.testing.assert_allclose(result.x, expected, rtol=1e-6)
    assert result.stats.n_factor == 0
    # products, or Jacobians where those are formed
    assert result.stats.njev <= 40 < products


def test_a_preconditioner_of_the_wrong_size_or_kind_is_refused():
    problem, start = Problem(bratu), np.zeros(N)
    for wrong, message in (
        (np.eye(3), r"shape \(3, 3\); 120 unknowns need \(120, 120\)"),
        (lambda x: np.eye(3), r"shape \(3, 3\); 120 unknowns"),
        (lambda x: 2.0, "not float"),
        (lambda x: lambda v: v[:5], r"shape \(5,\) for a vector of shape \(120,\)"),
    ):
        direction = KrylovDirection(preconditioner=wrong)
        with pytest.raises(InputError, match=message):
            problem.solve(start, solvers.NewtonKrylov(direction=direction))
    with pytest.raises(InputError, match="LinearOperator, a matrix, an object with solve"):
        KrylovDirection(preconditioner="ilu")
