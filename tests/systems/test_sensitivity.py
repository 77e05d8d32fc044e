"""Derivatives of the solution: forward and adjoint, against differences."""

import numpy as np
import pytest

from sgsolve import InputError, Problem
from tests.families import bratu


def own_jacobian(u, strength=1.0):
    return Problem(bratu).jacobian(u, strength=strength)


@pytest.mark.parametrize("options", [{}, {"jacobian": own_jacobian}])
def test_forward_and_adjoint(options):
    problem = Problem(bratu, params={"strength": 1.0}, **options)
    result = problem.solve(np.zeros(40))
    h = 1e-4
    up, down = (problem.solve(result.x, strength=1.0 + s).x for s in (h, -h))
    difference = (up - down) / (2.0 * h)
    forward = problem.sensitivity(result, "strength")
    assert np.allclose(forward, difference, rtol=1e-6)
    adjoint = problem.sensitivity(result, "strength", of=lambda u: np.sum(u**2))
    assert abs(adjoint - 2.0 * result.x @ forward) < 1e-9
    by_gradient = problem.sensitivity(result, "strength", of=2.0 * result.x)
    assert abs(adjoint - by_gradient) < 1e-12


def test_parameter_without_effect():
    problem = Problem(lambda x, a, b: x**2 - a, params={"a": 4.0, "b": 1.0})
    assert problem.sensitivity(problem.solve([1.0]), "b").tolist() == [0.0]


def test_refused_for_a_failure():
    problem = Problem(lambda x, a: x**2 + a, params={"a": 1.0})
    result = problem.solve([1.0], raise_on_failure=False)
    with pytest.raises(InputError, match="no solution"):
        problem.sensitivity(result, "a")


def test_check_jacobian_finds_an_error():
    good = Problem(bratu)
    assert good.check_jacobian(np.linspace(0.0, 1.0, 10))
    bad = Problem(bratu, jacobian=lambda u, strength=1.0: 1.1 * own_jacobian(u, strength))
    assert not bad.check_jacobian(np.linspace(0.0, 1.0, 10))


def test_one_factorisation_serves_every_parameter_and_functional():
    problem = Problem(lambda x, a, b: x**3 + b * x - a, params={"a": 2.0, "b": 1.0})
    result = problem.solve(np.ones(3))
    with problem._workspaces.lend() as workspace:
        before = workspace.counts().n_factor
    slope = 1.0 / (3.0 * result.x**2 + 1.0)
    np.testing.assert_allclose(problem.sensitivity(result, "a"), slope, rtol=1e-12)
    np.testing.assert_allclose(problem.sensitivity(result, "b"), -slope * result.x, rtol=1e-12)
    total = problem.sensitivity(result, "a", of=np.sum)
    np.testing.assert_allclose(total, slope.sum(), rtol=1e-12)
    with problem._workspaces.lend() as workspace:
        assert workspace.counts().n_factor == before + 1
