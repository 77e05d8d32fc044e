"""Damping beside limits, and what is kept of a simplified correction."""

import numpy as np
import pytest

from sgsolve import Problem, solvers
from tests.families import bratu


def solved(residual, start, solver):
    return Problem(residual).solve(start, solver, raise_on_failure=False)


LIMITS = [
    solvers.MaxChange(1.0),
    solvers.LogDamping(0.1),
    solvers.Bounds(0.0, 20.0, fraction=0.5),
    lambda x, dx: 0.5 * dx,
]


@pytest.mark.parametrize("limit", LIMITS)
def test_limits_do_not_stop_a_linear_problem(limit):
    """The corrections shrink along any part of Newton's step, so nothing is damped besides."""
    result = solved(lambda x: x - 10.0, [0.5], solvers.DampedNewton(limits=limit))
    assert result.success
    assert {step.damping for step in result.history[1:]} == {1.0}


def test_a_limit_does_not_hide_curvature():
    """Newton's step for arctan from 3 overshoots; so does what a limit of 6 leaves of it."""
    limited = solvers.DampedNewton(limits=solvers.MaxChange(6.0))
    result = solved(np.arctan, [3.0], limited)
    assert result.success
    assert result.history[1].damping < 1.0
    assert abs(3.0 + 6.0 * -result.history[1].damping) < 3.0


def test_a_kept_jacobian_costs_one_solve_per_step():
    """The correction that judged a full step is the next step of the chord method."""
    chord = solvers.DampedNewton(reuse=solvers.Every(np.inf))
    result = solved(bratu, np.zeros(50), chord)
    assert result.success
    assert result.stats.n_factor == 1
    assert result.stats.n_solve == result.nit + 1
