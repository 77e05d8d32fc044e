"""The remark of runs that oscillate without decay, and no such remark of others."""

import re

import numpy as np
import pytest

from sgsolve import Problem
from sgsolve.transient import RungeKutta

PERIOD = 2.0 * np.pi
WORDS = "errors of its phase add up"


def run(flow, x0, end, **options):
    return Problem(flow, storage=lambda u: 1.0 * u).transient(
        x0, (0.0, end), **{"rtol": 1e-4, **options}
    )


def circuit(damping=0.0):
    """A coil and a capacitor."""
    return lambda u: np.stack([-u[1], u[0] + damping * u[1]])


@pytest.mark.parametrize("units", [1.0, 1e-6])
def test_an_oscillation_without_decay_is_named(units):
    scale, flow = np.array([1.0, units]), circuit()
    found = run(lambda u: scale * flow(u / scale), scale * [1.0, 0.0], 25.4 * PERIOD)
    times = re.search(rf"about (\d+) times: {WORDS}", found.message)
    assert times is not None
    assert 23 <= int(times[1]) <= 26
    assert 'steps=RungeKutta("ESDIRK4")' in found.message


def test_the_errors_of_such_a_run_do_add_up():
    errors = []
    for periods in (5.0, 25.0):
        found = run(circuit(), [1.0, 0.0], periods * PERIOD)
        errors.append(np.abs(found.x - [1.0, 0.0]).max())
        assert (WORDS in found.message) == (periods > 20.0)
    assert errors[1] > 3.0 * errors[0]


def test_a_one_step_method_is_not_advised_to_itself():
    found = run(circuit(), [1.0, 0.0], 25.4 * PERIOD, steps=RungeKutta("ESDIRK4"))
    assert WORDS in found.message
    assert "RungeKutta" not in found.message


def test_a_limit_cycle_is_named():
    def flow(u):
        return np.stack([-u[1], u[0] - (1.0 - u[0] ** 2) * u[1]])

    assert WORDS in run(flow, [0.1, 0.0], 170.0).message


def decayed():
    return run(circuit(damping=0.02), [1.0, 0.0], 60.0 * PERIOD)


def few_periods():
    return run(circuit(), [1.0, 0.0], 15.0 * PERIOD)


def driven():
    return run(lambda u, t: u - np.sin(t), [0.0], 30.0 * PERIOD)


def source():
    problem = Problem(lambda u, s: u - s, storage=lambda u: 1.0 * u, params={"s": np.sin})
    return problem.transient([0.0], (0.0, 30.0 * PERIOD), rtol=1e-4)


def ripple():
    """One per cent of the state: so are its errors."""
    return run(lambda u: np.stack([1.0 - u[1], u[0] - 1.0]), [1.01, 1.0], 25.0 * PERIOD)


def at_rest():
    return run(lambda u: 1e3 * (u - 1.0), [1.0, 1.0], 1e4)


def relaxed():
    return run(lambda u: np.stack([u[0] - u[1], 1e4 * (u[1] - np.cos(u[0]))]), [3.0, 0.0], 50.0)


QUIET = [decayed, few_periods, driven, source, ripple, at_rest, relaxed]


@pytest.mark.parametrize("make", QUIET)
def test_other_runs_have_no_such_remark(make):
    found = make()
    assert found.success
    assert WORDS not in found.message


def test_a_resumed_run_counts_all_periods(tmp_path):
    path, end = tmp_path / "run.npz", 25.4 * PERIOD
    whole = run(circuit(), [1.0, 0.0], end)
    part = run(circuit(), [1.0, 0.0], end, checkpoint=path, max_steps=len(whole) // 2)
    assert WORDS not in part.message
    part = run(circuit(), [1.0, 0.0], end, checkpoint=path, resume=True)
    assert part.message == whole.message
    assert WORDS in part.message


def test_rows_do_not_matter():
    found = run(circuit(), [1.0, 0.0], 25.4 * PERIOD, times=[0.0, 25.4 * PERIOD])
    assert WORDS in found.message
