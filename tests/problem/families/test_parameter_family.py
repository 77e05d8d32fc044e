"""Systems along a parameter: patterns that grow, parameters that cannot be seeded."""

import math

import numpy as np
import pytest

from sgsolve import Problem


def growing(x, p):
    """The unknowns couple where p is above 1 only."""
    F = x**2 - p - np.array([0.0, 1.0])
    return F + 0.1 * (p - 1.0) * x[::-1] if p > 1.0 else F


def test_the_pattern_grows_where_an_evaluation_leaves_it():
    branch = Problem(growing, params={"p": 0.5}).continuation([0.7, 1.2], "p", (0.5, 2.0))
    assert branch["p"][-1] == 2.0
    assert np.abs(growing(branch.x, 2.0)).max() < 1e-9


def test_a_parameter_that_cannot_be_seeded_is_differenced():
    """float() and math.exp take no AD arrays; the fold of p = x exp(-x) is at x = 1."""

    def residual(x, p):
        return x * np.exp(-x) - math.exp(float(p))

    branch = Problem(residual, params={"p": -3.0}).continuation([0.05], "p", (-3.0, 0.0))
    (fold,) = branch.folds
    assert fold.parameter == pytest.approx(-1.0, abs=1e-6)
    assert branch.stats.nfev > 0


@pytest.mark.parametrize("dense", [False, True])
def test_a_pattern_of_the_users_jacobian_that_grows(dense):
    def jacobian(x, p):
        J = np.diag(2.0 * x)
        if p > 1.0 or dense:
            J = J + 0.1 * max(p - 1.0, 0.0) * np.eye(2)[::-1]
        return J

    problem = Problem(growing, params={"p": 0.5}, jacobian=jacobian)
    branch = problem.continuation([0.7, 1.2], "p", (0.5, 2.0))
    assert branch["p"][-1] == 2.0
    assert np.abs(growing(branch.x, 2.0)).max() < 1e-9
