"""Sliding modes: runs end with an explanation where the solution stays on a discontinuity."""

import numpy as np
import pytest

from sgsolve import PartialBranchWarning, Problem
from sgsolve.transient import Bdf, FixedSteps, RungeKutta, TimeEvent

METHODS = [Bdf(), RungeKutta(), FixedSteps("backward Euler", 0.013)]
FORCE = 0.4  # less than the friction of 0.5: the body comes to rest


def _decay(y):
    return np.sign(y)


def _friction(y):
    return [-y[1], 0.5 * np.sign(y[1]) + y[0] - FORCE]


def _thermostat(y):
    return y - np.where(y < 0.5, 1.0, 0.0)


@pytest.mark.parametrize("steps", METHODS, ids=["BDF", "ESDIRK4", "fixed steps"])
@pytest.mark.parametrize(
    ("flow", "start", "name", "time"),
    [
        (_decay, [1.0], "x[0]", 1.0),
        (_friction, [1.0, 0.0], "x[1]", np.pi),
        (_thermostat, [0.0], "x[0]", np.log(2.0)),
    ],
    ids=["decay", "friction", "thermostat"],
)
def test_a_run_ends_where_the_solution_stays_on_a_discontinuity(flow, start, name, time, steps):
    problem = Problem(flow, storage=lambda y: 1.0 * y)
    with pytest.warns(PartialBranchWarning, match="sliding mode"):
        run = problem.transient(start, (0.0, 10.0), steps=steps)
    assert not run.success
    fixed = isinstance(steps, FixedSteps)
    assert run["t"][-1] == pytest.approx(time, abs=0.02 if fixed else 1e-3)
    assert f"which {name} meets" in run.message
    assert "np.tanh(s / width)" in run.message
    assert run.stats.nfev < 1000


def test_algebraic_unknowns_beside_a_sliding_mode_are_no_obstacle():
    problem = Problem(
        lambda y: [y[1], y[1] - np.sign(y[0])],  # the second unknown is a force
        storage=lambda y: [y[0], 0.0 * y[1]],
    )
    with pytest.warns(PartialBranchWarning, match=r"x\[.\] meets .* from both sides"):
        run = problem.transient([1.0, 1.0], (0.0, 3.0))
    assert run["t"][-1] == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("rtol", [1e-12, 1e-13])
def test_rounding_of_terms_that_cancel_is_no_discontinuity(rtol):
    def flow(u, t):
        x, fast, z = u
        return [x - fast - z, 1e3 * fast - z, np.cos(t) - z - x + 2.0 * fast]

    problem = Problem(flow, storage=lambda u: np.array([1.0, 1.0, 0.0]) * u)
    run = problem.transient(
        *([1.0, 0.0, 0.0], (0.0, 1e-5)), steps=RungeKutta(), rtol=rtol, atol=0.01 * rtol
    )
    assert run.success, run.message


def test_a_discontinuity_that_is_crossed_ends_no_run():
    problem = Problem(lambda y: -2.0 + np.sign(y - 1.0), storage=lambda y: 1.0 * y)
    run = problem.transient([0.0], (0.0, 1.0))
    assert run.success
    assert run.x[0] == pytest.approx(1.0 + (1.0 - 1.0 / 3.0), rel=1e-3)


def test_a_steep_smooth_function_in_place_of_the_jump_is_integrated():
    problem = Problem(lambda y: np.tanh(y / 1e-6), storage=lambda y: 1.0 * y)
    run = problem.transient([1.0], (0.0, 3.0))
    assert run.success
    assert abs(run.x[0]) < 1e-6


def test_a_relay_with_hysteresis_is_made_of_events():
    def switched(x, on):
        return np.array([x[0], on])

    heater = Problem(lambda y: [y[0] - y[1], 0.0 * y[1]], storage=lambda y: 1.0 * y)
    run = heater.transient(
        [0.4, 1.0],
        (0.0, 2.0),
        rtol=1e-8,
        events={
            "hot": TimeEvent(lambda x: x[0] - 0.6, direction=1),
            "cold": TimeEvent(lambda x: x[0] - 0.4, direction=-1),
        },
        on_event={"hot": lambda x: switched(x, 0.0), "cold": lambda x: switched(x, 1.0)},
    )
    times = [one.parameter for one in run.special_points]
    np.testing.assert_allclose(np.diff(times), np.log(1.5), rtol=1e-6)
