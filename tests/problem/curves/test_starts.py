"""Where a curve starts: solutions that are zero but for rounding say nothing about units."""

import numpy as np
import pytest

from sgsolve import Problem
from sgsolve.continuation.curve_points.metric import start_metric
from tests.continuation.gallery import bratu, elastica


def buckling(n):
    """Of the difference equations: where the rod gives way, as a squared load."""
    return 4.0 * (n + 1) ** 2 * np.sin(np.arange(1, 3) * np.pi / (2 * (n + 1))) ** 2


@pytest.mark.parametrize("guess", [0.0, 1e-3, 0.5])
def test_a_straight_rod_from_a_guess_that_is_not_straight(guess):
    """Newton's method comes to 1e-25 instead of zero; that is no unit to measure steps in."""
    n = 50
    branch = Problem(elastica).continuation(np.full(n, guess), "lam", (2.0, 7.0))
    assert branch.success
    assert np.abs(branch.states).max() < 1e-12
    found = [point.parameter**2 for point in branch.branch_points]
    assert np.allclose(found, buckling(n), atol=1e-8)


def test_one_block_that_is_zero_beside_one_of_a_huge_unit():
    n = 30

    def residual(y, lam=2.0):
        angle, charge = y[:n], y[n:]
        return np.concatenate([elastica(angle, lam), 1e12 * (charge * 1e-12 - 1.0 - lam)])

    problem = Problem(residual, blocks={"angle": slice(0, n), "charge": slice(n, n + 5)})
    branch = problem.continuation(np.append(np.full(n, 0.3), np.full(5, 1e12)), "lam", (2.0, 7.0))
    assert branch.success
    found = [point.parameter**2 for point in branch.branch_points]
    assert np.allclose(found, buckling(n), atol=1e-8)


def test_folds_where_the_state_is_zero():
    """The Bogdanov-Takens form: folds at x = y = p = 0 whatever q is, Hopf points at p = -q^2."""

    def residual(u, p=-1.0, q=0.5):
        x, y = u
        return np.stack([y, p + q * y + x**2 + x * y])

    problem = Problem(residual)
    branch = problem.continuation([-1.0, 0.0], "p", (-1.0, 1.0), stability=True)
    kinds = [(special.kind, round(special.parameter, 9) + 0.0) for special in branch.special_points]
    assert kinds == [("hopf", -0.25), ("fold", 0.0)]
    folds = problem.fold_curve(branch, "q", (-1.0, 1.0))
    assert folds["q"][-1] == 1.0
    assert np.abs(folds["p"]).max() < 1e-12


def test_a_start_right_at_a_fold_is_measured_as_beside_it():
    problem = Problem(bratu)
    whole = problem.at(lam=0.0).continuation(np.zeros(50), "lam", (0.0, 4.0), stop="fold")
    # Rounding decides which of the two solutions beside the fold is taken: only first points count.
    back = problem.at(lam=whole["lam"][-1] - 1e-14).continuation(
        whole.x, "lam", (0.0, 4.0), step=-0.1, max_points=4
    )
    assert len(back) == 4
    assert 0.1 < back.weights[0] / whole.weights[0] < 10.0


def test_the_unit_of_an_unknown_that_is_zero_but_for_errors():
    z, tangent = np.array([3e-25, -2e-25, 2.0]), np.array([1e-25, 1e-25, 1.0])
    assert np.allclose(start_metric(z, tangent, None, error=z[:-1]).weights, [0.25, 0.25, 0.5])
    assert start_metric(z, tangent, None, error=1e-12 * z[:-1]).weights[0] > 1e40  # they are meant
