"""Simplified Newton with a kept matrix."""

import numpy as np
import pytest

from sgsolve import ad
from sgsolve.solvers.state.workspace import Workspace
from sgsolve.transient.error_weights import ErrorWeights
from sgsolve.transient.implicit.implicit_equation import Equation
from sgsolve.transient.implicit.implicit_solver import ImplicitSolver
from tests.transient.equations import Equations, Run


@pytest.mark.parametrize("ratio", [0.75, 1.3])
def test_a_kept_matrix_contracts_slow_and_fast_components_alike(ratio):
    """With a0 instead of a, both contract by |a0 - a| / (a0 + a): y' = 0 and y' = -1e9 y."""
    equations = Equations(
        lambda t, y: ad.hstack([0.0 * y[0], 1e9 * y[1]]), lambda y: 1.0 * y, [0.0, 0.0]
    )
    weights = ErrorWeights(equations.blocks, 1.0, 1.0, None)
    solver = ImplicitSolver(equations, Workspace(), weights)
    solver.tolerance = 10.0  # one update will do
    start, q = np.array([0.3, 0.3]), np.zeros(2)
    ones = np.ones(2)
    solver.solve(Equation(0.0, 1.0, q, ones), 0.0 * start)  # factorizes J + C
    solver.rate = 0.1
    x = solver.solve(Equation(0.0, ratio, q, ones), start).x
    assert x is not None
    assert np.abs(x) == pytest.approx(0.3 * abs(1 - ratio) / (1 + ratio), rel=1e-6)


def test_a_second_update_is_stretched_by_what_the_first_one_left():
    """With J of another state, one component: the second update ends where the secant does."""
    equations = Equations(lambda t, y: y**3, lambda y: 1.0 * y, [1.0])
    weights = ErrorWeights(equations.blocks, 1.0, 1.0, None)
    solver, ones = ImplicitSolver(equations, Workspace(), weights), np.ones(1)
    solver.solve(Equation(0.0, 1.0, np.array([2.0]), ones), np.array([1.0]))  # J = 3, M = 4
    solver.advance()
    solver.unmeasured, solver.tolerance, steps = 5, 0.02, [1.2]
    found = solver.solve(Equation(0.0, 1.0, np.array([2.9]), ones), np.array([1.2]))
    first = steps[0] ** 3 + steps[0] - 2.9
    steps.append(steps[0] - first / 4.0)
    second = steps[1] ** 3 + steps[1] - 2.9
    steps.append(steps[1] - second * (steps[1] - steps[0]) / (second - first))
    assert found.iterations == 2
    assert found.x == pytest.approx([steps[2]], rel=1e-12)
    # the charge that is kept is that of the linearized equation: Q - M^-1 G, not stretched
    assert found.charge == pytest.approx([steps[1] - second / 4.0], rel=1e-12)


def test_linear_equations_take_about_one_evaluation_per_step():
    """The rate of convergence is measured also where the second update is almost zero."""
    n = 60

    def flow(t, u):
        ends = np.zeros(1)
        padded = np.concatenate([ends, u, ends])
        return -(padded[2:] - 2.0 * padded[1:-1] + padded[:-2]) * n**2

    run = Run(Equations(flow, lambda u: 1.0 * u, np.linspace(0.0, 1.0, n)), 0.0, 0.1, 1e-6, 1e-8)
    assert run.rejected == 0
    assert run.implicit.counters.nfev < 1.45 * run.accepted
    assert run.implicit.counters.njev <= 1 + run.accepted // 50


def test_an_update_that_is_beyond_all_numbers_ends_the_iteration():
    equations = Equations(lambda t, y: y**12, lambda y: 1.0 * y, [0.0])
    weights = ErrorWeights(equations.blocks, 1.0, 1.0, None)
    solver = ImplicitSolver(equations, Workspace(), weights)
    found = solver.solve(Equation(0.0, 1.0, np.array([1e10]), np.ones(1)), np.zeros(1))
    assert found.x is None
    assert found.reason == "the Newton iteration diverged"
