"""Roots of any multiplicity, where Newton's method alone converges linearly."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import Problem, solvers

POWERS = [2, 3, 4, 5, 7, 9, 12, 15, 20, 27, 33, 40]
N = 1000
LAPLACE = sp.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(N, N), format="csr")


def one_multiple_root_among_linear_equations(power):
    linear = LAPLACE @ np.ones(N)
    return lambda x: np.concatenate([(LAPLACE @ x - linear)[:-1], (x[-1:] - 1.0) ** power])


@pytest.mark.parametrize("power", POWERS)
@pytest.mark.parametrize("start", [2.0, -5.0, 1.01])
def test_a_multiple_root(power, start):
    result = Problem(lambda x: (x - 1.0) ** power).solve([start])
    assert abs(result.x[0] - 1.0) < 1e-8
    assert result.nit < 100


@pytest.mark.parametrize("power", POWERS)
def test_a_multiple_root_at_zero(power):
    result = Problem(lambda x: x**power).solve([2.0])
    assert abs(result.x[0]) < 1e-9
    assert result.nit < 100


@pytest.mark.parametrize("power", [2, 3, 5, 9, 20, 40])
def test_multiple_roots_in_a_large_system(power):
    start = np.linspace(1.5, 3.0, N)
    for residual in (lambda x: (x - 1.0) ** power, one_multiple_root_among_linear_equations(power)):
        assert np.abs(Problem(residual).solve(start).x - 1.0).max() < 1e-8


def test_a_multiple_root_with_other_factors_and_a_coupled_equation():
    def residual(x):
        return np.concatenate(
            [(x[:1] - x[1:]) ** 6 * np.exp(x[:1]), x[1:] ** 3 + x[1:] - 2.0 + (x[:1] - x[1:]) ** 2]
        )

    result = Problem(residual).solve([2.5, 1.4])
    assert np.abs(result.x - 1.0).max() < 1e-7


@pytest.mark.parametrize("solver", [solvers.Newton(), solvers.DampedNewton()])
@pytest.mark.parametrize(("power", "root"), [(3, 2.0), (5, 2.0), (7, -1.0)])
def test_a_geometric_series_of_steps_far_from_a_simple_root(solver, power, root):
    """From 1e4 the steps form a geometric series to zero, where the slope is zero."""
    problem = Problem(lambda x: x**power - root**power)
    result = problem.solve([np.copysign(1e4, root)], solver)
    assert result.x[0] == pytest.approx(root)
    assert not any("extrapolated" in step.note for step in result.history)


def test_no_extrapolation_makes_a_root():
    for residual in (lambda x: np.exp(-x), lambda x: x**4 + 1e-8, lambda x: 1.0 / (1.0 + x**2)):
        for solver in (solvers.Newton(), solvers.DampedNewton(), solvers.LevenbergMarquardt()):
            assert not Problem(residual).solve([2.0], solver, raise_on_failure=False).success


def test_steps_beyond_bounds_are_not_extrapolated():
    """The root lies outside the bounds, and the extrapolation would leave them."""
    method = solvers.DampedNewton(limits=solvers.Bounds(0.5))
    result = Problem(lambda x: x**9).solve([2.0], method, raise_on_failure=False)
    assert not result.success
    assert result.x[0] >= 0.5


def test_a_double_root_at_zero_is_no_equation_that_holds_by_rounding():
    """``x^2 - y^2`` is zero along the line x = y as well, on which the iteration comes."""
    result = Problem(lambda x: [x[0] * x[1], x[0] ** 2 - x[1] ** 2]).solve([1.0, 2.0])
    np.testing.assert_array_equal(result.x, [0.0, 0.0])
    assert result.remark == ""
