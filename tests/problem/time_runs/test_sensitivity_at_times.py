"""Derivatives of a run in time at given times, as a fit of data takes them."""

import numpy as np
import pytest

from sgsolve import InputError, Problem
from sgsolve.transient import FixedSteps, Pulse, RungeKutta
from tests.selection import slow

TIMES = np.array([0.0, 0.1, 0.37, 1.0, 2.0])


def decay():
    return Problem(lambda y, k, a: k * y, params={"k": 2.0, "a": 1.0}, storage=lambda y: 1.0 * y)


METHODS = [None, FixedSteps("BDF2", 0.01), *slow(RungeKutta())]


@pytest.mark.parametrize("steps", METHODS, ids=repr)
def test_a_decay(steps):
    found = decay().transient_sensitivity(
        [1.0], (0.0, 3.0), "k", times=TIMES, rtol=1e-6, steps=steps
    )
    error = 1e-3 if isinstance(steps, FixedSteps) else 1e-5
    assert found.branch["t"].tolist() == TIMES.tolist()
    np.testing.assert_allclose(found.value[:, 0], np.exp(-2.0 * TIMES), atol=error)
    np.testing.assert_allclose(found.derivative[:, 0], -TIMES * np.exp(-2.0 * TIMES), atol=error)


def test_a_functional_of_the_state_a_parameter_and_the_time():
    found = decay().transient_sensitivity(
        [1.0], (0.0, 2.0), ["k", "a"], times=TIMES, functional=lambda y, a, t: a * y[0] + t,
        rtol=1e-6,
    )  # fmt: skip
    y = np.exp(-2.0 * TIMES)
    np.testing.assert_allclose(found.value, y + TIMES, atol=1e-5)
    np.testing.assert_allclose(found.derivative["k"], -TIMES * y, atol=1e-5)
    np.testing.assert_allclose(found.derivative["a"], y, atol=1e-5)


def test_times_at_jumps_and_an_array_as_parameter():
    def currents(v, source, R):
        return (v - source) / R

    pulse = Pulse(0.0, 1.0, delay=1.0, width=2.0)
    problem = Problem(
        currents, params={"source": pulse, "R": np.array([1.0, 2.0])}, storage=lambda v: 1.0 * v
    )
    times = [1.0, 3.0, 4.0]
    found = problem.transient_sensitivity(np.zeros(2), (0.0, 4.0), "R", times=times, rtol=1e-6)
    assert found.derivative.shape == (3, 2, 2)
    for k, R in enumerate([1.0, 2.0]):
        full, slope = 1.0 - np.exp(-2.0 / R), -2.0 / R**2 * np.exp(-2.0 / R)
        after = np.exp(-1.0 / R)
        expected = [0.0, slope, slope * after + full * after / R**2]
        np.testing.assert_allclose(found.derivative[:, k, k], expected, atol=1e-5)
        assert not found.derivative[:, k, 1 - k].any()


def test_algebraic_unknowns():
    def residual(u, s):
        return [u[0] - u[1], u[1] - 0.5 * u[0] - s]

    problem = Problem(residual, params={"s": 1.0}, storage=lambda u: u * np.array([1.0, 0.0]))
    found = problem.transient_sensitivity([0.0, 1.0], (0.0, 2.0), "s", times=TIMES, rtol=1e-6)
    x = 2.0 * (1.0 - np.exp(-0.5 * TIMES))  # for s = 1, in which both are linear
    np.testing.assert_allclose(found.derivative, np.stack([x, 0.5 * x + 1.0], axis=1), atol=1e-5)


@pytest.mark.parametrize(
    "options", [{"mode": "adjoint", "functional": lambda y: y[0]}, {"event": lambda y: y[0] - 0.5}]
)
def test_what_is_not_computed_at_given_times(options):
    with pytest.raises(InputError, match="times= takes no event"):
        decay().transient_sensitivity([1.0], (0.0, 2.0), "k", times=TIMES, **options)


def test_no_times():
    with pytest.raises(InputError, match="times is empty"):
        decay().transient_sensitivity([1.0], (0.0, 2.0), "k", times=[])
