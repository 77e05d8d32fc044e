"""Complementarity problems: full Newton steps across kinks, where damped steps fail."""

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse as sp

from sgsolve import InputError, Problem, Status, solvers
from tests.continuation.gallery import far_start
from tests.selection import slow

ALONE = solvers.AcrossKinks()


def laplacian(n):
    diagonals = [np.full(n, 2.0), np.full(n - 1, -1.0), np.full(n - 1, -1.0)]
    return sp.csr_array(sp.diags_array(diagonals, offsets=[0, 1, -1])) * (n + 1.0) ** 2


def obstacle(n):
    """A string under the load 10 above a floor at -0.3."""
    A = laplacian(n)
    return lambda u: np.minimum(A @ u + 10.0, u + 0.3)


def string(n):
    """The same in closed form: a parabola up to the contact, at sqrt(0.06) from each end."""
    t = np.linspace(0.0, 1.0, n + 2)[1:-1]
    outside = np.maximum(np.sqrt(0.06) - np.minimum(t, 1.0 - t), 0.0)
    return 5.0 * outside**2 - 0.3


@pytest.mark.parametrize(("n", "most"), [(50, 120), (200, 160)])
def test_the_default_solves_an_obstacle_problem_early(n, most):
    result = Problem(obstacle(n)).solve(np.zeros(n))
    np.testing.assert_allclose(result.x, string(n), atol=10.0 / n**2)
    assert result.nit < most  # damped steps fail, and other stages take more than twice as many


@pytest.mark.slow
def test_contact_that_changes_by_one_point_in_a_step_is_solved():
    result = Problem(obstacle(1000)).solve(np.zeros(1000))
    np.testing.assert_allclose(result.x, string(1000), atol=1e-5)
    assert len(result.stages) == 2


def test_an_obstacle_problem_in_the_plane():
    n = 30
    eye, line = sp.eye_array(n), laplacian(n)
    A = sp.csr_array(sp.kron(line, eye) + sp.kron(eye, line))
    result = Problem(lambda u: np.minimum(A @ u + 30.0, u + 0.3)).solve(np.zeros(n * n))
    excess, gap = A @ result.x + 30.0, result.x + 0.3
    assert min(excess.min(), gap.min()) > -1e-8
    assert np.minimum(excess, gap).max() < 1e-8
    assert result.nit < 130


def test_contact_with_a_gap():
    """Displacements and forces of contact; the forces are none, or the gap is closed."""
    n, gap = 100, 0.05
    A, load = laplacian(n) / 100.0, 3.0 * np.sin(np.linspace(0.0, 9.0, n))

    def residual(x):
        u, force = x[:n], x[n:]
        closed = force - np.maximum(0.0, force + 10.0 * (u - gap))
        return np.concatenate([A @ u - load + force, closed])

    result = Problem(residual).solve(np.zeros(2 * n))
    u, force = result.x[:n], result.x[n:]
    assert force.min() > -1e-9
    assert (u - gap).max() < 1e-9
    assert np.abs(force * (u - gap)).max() < 1e-9
    assert force.max() > 0.1
    assert result.nit < 115


def complementarity(seed, n=60):
    """A random symmetric M-matrix and a right-hand side."""
    random = np.random.default_rng(seed)
    weights = np.triu(random.random((n, n)) * (random.random((n, n)) < 0.1), 1)
    weights = weights + weights.T
    A = np.diag(weights.sum(axis=1) + 0.1) - weights
    return A, random.normal(size=n) * np.exp(2.0 * random.normal(size=n))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("solver", [None, ALONE], ids=["default", "alone"])
def test_complementarity_problems_of_m_matrices(seed, solver):
    A, b = complementarity(seed)
    sparse = sp.csr_array(A)
    L = np.linalg.cholesky(A)
    reference, _ = scipy.optimize.nnls(L.T, -np.linalg.solve(L, b))
    for residual in (
        lambda x: np.minimum(x, sparse @ x + b),
        lambda x: x - np.maximum(0.0, x - sparse @ x - b),
        lambda x: x + (sparse @ x + b) - np.abs(x - (sparse @ x + b)),
    ):
        x = Problem(residual).solve(np.zeros(len(b)), solver).x
        np.testing.assert_allclose(x, reference, atol=1e-8 * (1.0 + reference.max()))


@pytest.mark.parametrize(
    ("residual", "start"),
    [
        (lambda x: np.exp(40.0 * x) - 2.0, 0.5),
        (lambda x: np.tanh(100.0 * x) + 0.01 * x, 0.02),
        (lambda x: np.sin(1e3 * x) + x - 2.0, 0.0),
        (lambda x: x**3 - 2.0 * x + 2.0, 0.7),  # the slope changes its sign on the way
        (lambda x: np.sqrt(x * x + 1e-4) + 0.5 * x - 1.0, 3.0),
        (lambda x: x * np.abs(x) - 1.0, 0.2),
        (lambda x: 3.0 * x - 1.0, 0.0),
        (lambda x: np.cos(x) + 1e-3 * x, 1e-3),
    ],
)
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e6])
def test_no_step_is_taken_where_the_residual_is_smooth(residual, start, size):
    """In any unit of the unknown."""
    problem = Problem(lambda x: residual(x / size))
    result = problem.solve([start * size], ALONE, raise_on_failure=False)
    assert result.nit == 0
    assert result.status in (Status.DAMPING_FAILED, Status.LOCAL_MINIMUM)


@pytest.mark.parametrize("seed", range(25))
def test_no_step_is_taken_from_far_away_in_smooth_systems(seed):
    residual, x0 = far_start(seed)
    with np.errstate(all="ignore"):
        assert Problem(residual).solve(x0, ALONE, raise_on_failure=False).nit == 0


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize("kink", [1e-3, 0.3, 0.999])  # parts of the first step
def test_a_kink_is_found_wherever_it_lies_on_the_step(size, unit, kink):
    at = size * (2.0 - kink)  # the step leads from 2 to 1

    def residual(x):
        bent = x[:1] - size + 0.5 * np.maximum(at - x[:1], 0.0)
        return unit * np.concatenate([bent, x[1:] - size])

    result = Problem(residual).solve([2.0 * size, 5.0 * size], ALONE)
    np.testing.assert_allclose(result.x, [size * kink, size], rtol=1e-6)


def test_limits_and_settings_reach_the_solver():
    limited = ALONE.with_settings(limits=(solvers.Bounds(0.0, 3.0),), max_iterations=7)
    assert limited.solver.max_iterations == 7
    with pytest.raises(InputError, match="Bounds"):
        Problem(lambda x: np.minimum(x - 1.0, 2.0 * x - 3.0)).solve([4.0], limited)


@pytest.mark.parametrize(
    "solver", [3, solvers.NewtonKrylov(), solvers.TrustRegion(), solvers.Robust()]
)
def test_other_solvers_are_refused(solver):
    with pytest.raises(InputError, match="solver must"):
        solvers.AcrossKinks(solver=solver)


# The larger of two that depend on one another, as an equation of complementarity. In degenerate
# pairs both are zero, and rounding decides which of them counts.
COMPLEMENTARY = {
    "minimum": np.minimum,
    "absolute value": lambda x, w: x + w - np.abs(x - w),
    "maximum": lambda x, w: w - np.maximum(w - x, 0.0),
}


def degenerate_pairs(seed, n, make_matrix):
    """Return matrix, vector, solution and start of a problem with degenerate pairs."""
    random = np.random.default_rng(seed)
    matrix = make_matrix(random, n)
    z = np.maximum(random.normal(size=n), 0.0)
    w = np.where(z > 0.0, 0.0, np.maximum(random.normal(size=n), 0.0))
    return matrix, w - matrix @ z, z, random.normal(size=n)


def definite(random, n):
    factor = random.normal(size=(n, n))
    return factor @ factor.T / n + 0.1 * np.eye(n)


def dominant(random, n):
    return n * np.eye(n) + random.normal(size=(n, n))


# Each of these was reported as a failure at its solution, by one status or another.
REACHED = [
    ("minimum", definite, 2),
    ("absolute value", dominant, 4),
    ("maximum", dominant, 9),
    *slow(
        ("minimum", dominant, 3),
        ("minimum", dominant, 4),
        ("minimum", dominant, 10),
        ("absolute value", definite, 2),
        ("absolute value", definite, 6),
        ("maximum", definite, 10),
        ("maximum", dominant, 10),
    ),
]


@pytest.mark.parametrize(("form", "make_matrix", "seed"), REACHED)
def test_degenerate_complementarity_is_no_failure_at_its_solution(form, make_matrix, seed):
    matrix, q, z, start = degenerate_pairs(seed, 30, make_matrix)
    problem = Problem(lambda x: COMPLEMENTARY[form](x, matrix @ x + q))
    result = problem.solve(start, solvers.DampedNewton(), raise_on_failure=False)
    if np.abs(result.x - z).max() <= 1e-12:  # where damped steps end elsewhere is not asked
        assert result.success, result
    np.testing.assert_allclose(problem.solve(z + 1e-3, solvers.Newton()).x, z, atol=1e-12)
