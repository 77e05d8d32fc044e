"""Singular matrices are told from ill-conditioned ones, whatever the scales and the back end."""

from importlib.util import find_spec

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import linear
from sgsolve.arrays import EPS
from sgsolve.errors import SingularMatrixError
from sgsolve.linear.checks.accuracy import SINGULAR_BELOW, LinearSystem
from sgsolve.linear.checks.distance import distance_to_singularity
from sgsolve.linear.methods.direct.pardiso import available
from sgsolve.pattern import Pattern
from tests.linear.random_matrices import SINGULAR, accepted, regular, singular
from tests.selection import slow

NAMES = ["dense", "banded", "superlu", *["pardiso"] * available()]
ITERATIONS = [linear.Krylov, *["multigrid"] * bool(find_spec("pyamg"))]
FEW = range(8 * len(SINGULAR))


@pytest.mark.filterwarnings("ignore::sgsolve.linear.FallbackWarning")
@pytest.mark.parametrize("name", NAMES + ITERATIONS)
def test_no_singular_matrix_is_accepted(name):
    seeds = FEW[: len(SINGULAR)] if name in ITERATIONS else FEW
    assert [seed for seed in seeds if accepted(*singular(seed), name)] == []


@pytest.mark.parametrize("name", NAMES)
def test_no_regular_matrix_is_refused(name):
    assert [seed for seed in FEW if not accepted(*regular(seed), name)] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_thousands_of_matrices(name):
    assert [seed for seed in range(1800) if accepted(*singular(seed), name)] == []
    assert [seed for seed in range(1800) if not accepted(*regular(seed), name)] == []


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sgsolve.linear.FallbackWarning")
@pytest.mark.parametrize("name", ITERATIONS)
def test_hundreds_of_matrices_by_iteration(name):
    """Also where the system is consistent, or b spreads so far that most of it is below 1e-12."""
    assert [seed for seed in range(270) if accepted(*singular(seed), name)] == []


def distance(A):
    A = np.asarray(A, dtype=float)
    solve, across = (lambda b, M=M: np.linalg.solve(M, b) for M in (A, A.T))
    signs = np.where(np.arange(len(A)) % 2, -1.0, 1.3)
    magnitude = np.abs(A)
    return distance_to_singularity(
        LinearSystem(A, magnitude, solve), LinearSystem(A.T, magnitude.T, across), signs
    ).distance


@pytest.mark.parametrize("gap", [1e-3, 1e-8, 1e-13])
def test_distance_of_a_known_matrix(gap):
    # det = gap; a change of each entry by gap / 4 brings it to zero, to first order.
    assert distance([[1.0, 1.0], [1.0, 1.0 + gap]]) == pytest.approx(gap / 4.0, rel=1e-2)


def test_distance_does_not_depend_on_scaling():
    A = np.array([[1.0, 1.0, 0.3], [1.0, 1.0 + 1e-9, 0.2], [0.0, 0.1, 1.0]])
    plain = distance(A)
    scaled = distance(2.0 ** np.array([[40.0], [0.0], [-7.0]]) * A * 2.0 ** np.array([9, -30, 3]))
    assert plain / 4.0 < scaled < 4.0 * plain


def test_a_graded_triangular_matrix_is_far_from_singular():
    n = 60  # its condition number is above 1e59
    assert distance(np.eye(n) - 10.0 * np.eye(n, k=1)) > 1e-5


def test_factors_of_another_matrix_prove_nothing():
    A = np.eye(3)
    system = LinearSystem(A, A, lambda b: b[::-1] + 1.0)
    assert distance_to_singularity(system, system, np.array([1.0, -1.2, 0.7])).distance == 0.0


def test_a_chain_of_weak_links_hides_its_zero_in_several_pivots():
    # Equations 3 and 4 agree in their two unknowns. No pivot is below 1e-9 of the largest.
    A = np.array(
        [
            [-0.36, -1.05, -1.6e-8, -1.4e-8],
            [-0.20, 0.16, 5.7e-10, 2.2e-8],
            [0.0, 0.0, -0.42, 0.97],
            [0.0, 0.0, 0.21, -0.485],
        ]
    )
    for name in NAMES:
        assert not accepted(sp.csr_array(A), np.ones(4), name)


def test_rounding_and_condition_are_apart():
    assert EPS < SINGULAR_BELOW < 10.0 * EPS


@pytest.mark.parametrize("transpose", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_dependent_equations_that_say_nothing_do_no_harm(name, transpose):
    # The Jacobian of a trivial branch at a branch point: the block of x is singular, and b is 0.
    random = np.random.default_rng(0)
    block = random.normal(size=(5, 4)) @ random.normal(size=(4, 5))
    rest = random.normal(size=(3, 3))
    A = sp.csr_array(sp.block_diag([sp.csr_array(block), rest]))
    if transpose:
        A, rest = sp.csr_array(A.T), rest.T
    solver = linear.LinearSolver(Pattern.of(A), name)
    try:
        solver.factorize(A)
    except SingularMatrixError:
        pytest.skip("a pivot came out as zero exactly")
    b = np.array([0.0] * 5 + [1.0, 2.0, 3.0])
    x = solver.solve(b, transpose=transpose)
    assert np.array_equal(x[:5], np.zeros(5))
    assert np.allclose((rest.T if transpose else rest) @ x[5:], b[5:])
    assert np.array_equal(solver.solve(np.zeros(8), transpose=transpose), np.zeros(8))
    b[2] = 1e-16
    with pytest.raises(SingularMatrixError):
        solver.solve(b, transpose=transpose)


@pytest.mark.parametrize("seeds", [range(40), *slow(range(40, 120))], ids=["few", "others"])
@pytest.mark.parametrize("name", NAMES)
def test_proportional_columns_of_many_scales_are_singular(name, seeds):
    """Two roundings of each entry, of the factor and of the scale, make no regular matrix."""
    for seed in seeds:
        random = np.random.default_rng(seed)
        n = int(random.integers(5, 60))
        A = np.diag(random.uniform(0.5, 2.0, n))
        A[random.integers(n, size=4 * n), random.integers(n, size=4 * n)] = random.random(4 * n)
        first, second = random.permutation(n)[:2]
        A[:, first] = A[:, second] * random.choice([0.1, 1.0, 7.0])
        A = A * 10.0 ** random.uniform(-8.0, 8.0, n)
        b = random.normal(size=n) * 10.0 ** random.uniform(-8.0, 8.0, n)
        assert not accepted(sp.csr_array(A), b, name)
