"""Differences over parameters of any unit: the values are those of the closed forms."""

import numpy as np
import pytest

from sgsolve import Problem
from sgsolve.problem.equations.central_differences import central_difference, size_near_zero
from tests.selection import slow

SIZES = (1e-12, 1e-6, 1.0, 1e6, 1e12)
each_size = pytest.mark.parametrize("size", SIZES)


@each_size
@pytest.mark.parametrize("share", [0.0, 1.0, 30.0])
def test_derivative_by_a_parameter_of_any_size(size, share):
    slope = central_difference(lambda p: np.exp([p / size]), share * size, share * size or size)
    assert slope == pytest.approx(np.exp(share) / size, rel=1e-6)


@each_size
def test_a_parameter_that_is_zero_has_the_size_of_its_effect(size):
    residual = lambda p: np.array([np.exp(p / size), np.tanh(3.0 * p / size)])  # noqa: E731
    slope = central_difference(residual, 0.0, size_near_zero(residual))
    assert slope * size == pytest.approx([1.0, 3.0], rel=1e-5)


@each_size
@pytest.mark.parametrize("share", [0.0, 2.0])
def test_sensitivity_of_a_problem_with_its_own_jacobian(size, share):
    problem = Problem(
        lambda x, a: x - np.exp(a / size), jacobian=lambda x, a: np.eye(1), params={"a": 0.0}
    ).at(a=share * size)
    result = problem.solve([1.0])
    found = problem.sensitivity(result, "a")
    assert np.ravel(found) * size == pytest.approx(np.exp(share), rel=1e-5)


def test_a_logarithm_of_a_parameter_that_fell_far():
    assert central_difference(lambda p: np.log([p]), 1e-9, 1.0) == pytest.approx(1e9, rel=1e-6)


@each_size
def test_a_curve_over_a_parameter_that_is_made_a_plain_number(size):
    problem = Problem(lambda x, lam: x**2 - float(lam) / size, params={"lam": size})
    branch = problem.continuation([1.0], "lam", (size, 4.0 * size))
    assert branch.success
    assert branch.states[-1] == pytest.approx(2.0)
    assert len(branch["lam"]) < 30


@pytest.mark.parametrize("p_size", [1e-12, 1e12, *slow(1.0)])
@pytest.mark.parametrize("q_size", [1e-12, *slow(1e12)])
def test_a_curve_of_folds_over_parameters_of_any_size(p_size, q_size):
    # p + q x - x^3 = 0 has folds at p^2 = 4 q^3 / 27
    def residual(x, p, q):
        return p / p_size + q / q_size * x - x**3

    problem = Problem(residual, params={"p": 0.0, "q": q_size})
    branch = problem.at(p=-p_size).continuation([-1.3], "p", (-p_size, p_size))
    curve = problem.fold_curve(branch, "q", (q_size, 2.0 * q_size), branch.folds[0])
    assert curve.success
    exact = 4.0 * (curve["q"] / q_size) ** 3 / 27.0
    assert (curve["p"] / p_size) ** 2 == pytest.approx(exact, rel=1e-7)
