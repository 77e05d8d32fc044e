"""Sources: values, jumps and kinks, and what is refused."""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline, interp1d

from sgsolve import Problem
from sgsolve.errors import InputError, ParameterError
from sgsolve.transient import PiecewiseLinear, Pulse


def test_a_periodic_pulse_is_the_pulse_shifted():
    once = Pulse(1.0, 3.0, delay=0.5, width=0.25, rise=0.125, fall=0.125)
    again = Pulse(1.0, 3.0, delay=0.5, width=0.25, rise=0.125, fall=0.125, period=2.0)
    for t in np.linspace(0.0, 2.4, 25):
        assert again(t) == once(t)
        for k in (1, 3):
            if t >= 0.5:
                assert again(t + 2.0 * k) == pytest.approx(once(t), abs=1e-12)
    edges = [0.5, 0.625, 0.875, 1.0]
    assert once.breakpoints(0.0, 9.0) == edges
    expected = [t + 2.0 * k for k in range(3) for t in edges]
    assert again.breakpoints(0.0, 6.0) == expected
    assert again.breakpoints(3.0, 5.0) == [t for t in expected if 3.0 < t < 5.0]
    assert again.breakpoints(-4.0, 0.6) == [0.5]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"width": -1.0}, "must not be negative"),
        ({"rise": -0.1}, "must not be negative"),
        ({"period": 0.0}, "must not be negative"),
        ({"width": 1.0, "period": 0.5}, "period of a pulse is shorter than the pulse, 1"),
    ],
)
def test_a_pulse_that_cannot_be_is_refused(settings, said):
    with pytest.raises(InputError, match=said):
        Pulse(0.0, 1.0, **settings)


def test_a_pulse_with_more_jumps_than_a_run_can_end_steps_at_is_refused():
    with pytest.raises(InputError, match="jumps and kinks in the run"):
        Pulse(0.0, 1.0, width=1e-9, period=1e-8).breakpoints(0.0, 1e3)


@pytest.mark.parametrize(
    ("times", "values", "said"),
    [
        ([0.0, 1.0], [0.0], "as many times as values"),
        ([], [], "as many times as values"),
        ([[0.0, 1.0]], [[0.0, 1.0]], "as many times as values"),
        ([1.0, 0.0], [0.0, 1.0], "must increase"),
        ([0.0, np.inf], [0.0, 1.0], "must increase, and all be finite"),
    ],
)
def test_points_that_are_no_function_of_time_are_refused(times, values, said):
    with pytest.raises(InputError, match=said):
        PiecewiseLinear(times, values)


def test_objects_that_interpolate_and_functions_of_numpy_are_functions_of_time():
    problem = Problem(lambda v, V=0.0: v - V, storage=lambda v: 1.0 * v)
    t = np.linspace(0.0, 2.0, 201)
    exact = 0.5 * (np.sin(2.0) - np.cos(2.0) + np.exp(-2.0))
    for source in (np.sin, CubicSpline(t, np.sin(t)), interp1d(t, np.sin(t))):
        run = problem.at(V=source).transient([0.0], (0.0, 2.0), rtol=1e-6)
        assert run.x[0] == pytest.approx(exact, abs=1e-4)
    with pytest.raises(ParameterError, match="a function of time has one argument, t"):
        problem.at(V=lambda voltage: voltage)


@pytest.mark.parametrize("source", [lambda time: 1.0, lambda: 1.0, lambda t, x: 1.0, max])
def test_a_function_that_does_not_name_the_time_is_explained(source):
    circuit = Problem(lambda v, u: v - u, storage=lambda v: 1.0 * v)
    with pytest.raises(ParameterError, match=r"got the function 'u' itself.*u=lambda t: "):
        circuit.at(u=source).transient([0.0], (0.0, 1.0))


def test_a_law_that_fails_without_functions_of_time_keeps_its_own_error():
    problem = Problem(lambda v, u: v - None, storage=lambda v: 1.0 * v, params={"u": 1.0})
    with pytest.raises(TypeError, match="unsupported operand") as caught:
        problem.transient([0.0], (0.0, 1.0))
    assert not isinstance(caught.value, ParameterError)


def test_a_jump_at_the_last_time_asks_for_no_breakpoint():
    """A breakpoint there is refused; the last row holds the state after the jump."""
    pulse = Pulse(0.0, 1.0, width=0.5, period=1.0)
    problem = Problem(
        lambda x, u: [x[0] - u, x[1] - u],
        params={"u": pulse},
        storage=lambda x: x * np.array([1.0, 0.0]),
    )
    run = problem.transient([0.0, 1.0], (0.0, 2.0))
    assert run["t"][-1] == 2.0
    assert run.x[1] == pytest.approx(1.0)
    assert "breakpoints" not in run.message
