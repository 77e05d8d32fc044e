"""The workspace: what is kept between solves serves only where it belongs."""

import numpy as np
import pytest

from sgsolve import Problem, solvers


def cubes(x, a):
    return x**3 + np.roll(x, 1) - a


@pytest.fixture
def problem():
    return Problem(cubes, params={"a": 2.0})


@pytest.mark.parametrize(
    "solver",
    [solvers.Newton(), solvers.LevenbergMarquardt(), solvers.PseudoTransient()],
    ids=lambda solver: solver.name,
)
def test_systems_of_different_sizes_in_turn(problem, solver):
    for n in (50, 8, 50, 120):
        result = problem.solve(np.full(n, 1.5), solver)
        assert np.allclose(result.x, 1.0)
        assert result.stats.n_factor >= result.nit > 0
        assert result.stats.n_analyze == 1


def test_a_factorization_is_not_taken_for_that_of_another_point(problem):
    for x in (1.0, 2.0):  # a solution at a = x^3 + x each time
        slopes = problem.at(a=x**3 + x).sensitivity(np.full(6, x), "a")
        assert np.allclose(slopes, 1.0 / (3.0 * x**2 + 1.0))


def test_one_point_is_factorized_once(problem):
    result = problem.solve(np.full(6, 1.5))
    with problem._definition.workspaces.lend() as workspace:
        system, x = problem._definition.solution(result)
        first = workspace.factorized(system.pattern, system.linearize(x)[1])
        count = first.stats.n_factor
        assert workspace.factorized(system.pattern, system.linearize(x)[1]) is first
        assert first.stats.n_factor == count
