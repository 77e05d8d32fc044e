"""solve_ivp: SciPy's call and result, checked against SciPy."""

import numpy as np
import pytest
import scipy.integrate

from sgsolve import solve_ivp
from sgsolve.errors import InputError
from sgsolve.transient import Bdf


def robertson(t, y):
    slow, fast = 0.04 * y[0], 1e4 * y[1] * y[2]
    quadratic = 3e7 * y[1] ** 2
    return [-slow + fast, slow - fast - quadratic, quadratic]


@pytest.mark.parametrize("method", ["BDF", "ESDIRK4", "TR-BDF2", Bdf(max_order=3)])
def test_the_same_solution_as_scipy(method):
    options = {"rtol": 1e-5, "atol": 1e-9}
    ours = solve_ivp(robertson, (0.0, 40.0), [1.0, 0.0, 0.0], method=method, **options)
    theirs = scipy.integrate.solve_ivp(
        robertson, (0.0, 40.0), [1.0, 0.0, 0.0], method="Radau", rtol=1e-10, atol=1e-14
    )
    assert ours.success
    assert ours.status == 0
    assert ours.y.shape == (3, len(ours.t))
    assert ours.y[:, -1] == pytest.approx(theirs.y[:, -1], rel=2e-4, abs=1e-9)
    assert set(theirs) <= set(ours)


def test_dense_output_events_and_arguments():
    def falling(t, y, g):
        return [y[1], -g]

    def ground(t, y, g):
        return y[0]

    ground.terminal, ground.direction = True, -1

    def half(t, y, g):
        return y[0] - 5.0

    options = {"args": (10.0,), "events": [ground, half], "dense_output": True}
    tolerances = {"rtol": 1e-7, "atol": 1e-9}
    ours = solve_ivp(falling, (0.0, 9.0), [10.0, 0.0], **options, **tolerances)
    theirs = scipy.integrate.solve_ivp(falling, (0.0, 9.0), [10.0, 0.0], **options, **tolerances)
    assert ours.status == theirs.status == 1
    for mine, its in zip(ours.t_events, theirs.t_events, strict=True):
        assert mine == pytest.approx(its, abs=1e-5)
    times = np.linspace(0.0, 1.4, 8)
    assert ours.sol(times) == pytest.approx(theirs.sol(times), abs=1e-5)
    assert ours.sol(0.7).shape == (2,)


def test_times_to_evaluate_and_backward_runs():
    times = [0.9, 0.5, 0.25]
    ours = solve_ivp(lambda t, y: y * np.cos(t), (1.0, 0.0), [1.0], t_eval=times, rtol=1e-7)
    assert ours.t.tolist() == times
    assert ours.y[0] == pytest.approx(np.exp(np.sin(times) - np.sin(1.0)), abs=1e-5)


def test_a_given_jacobian_serves():
    A = np.array([[-2.0, 1.0], [1.0, -200.0]])
    for jac in (A, lambda t, y: A):
        ours = solve_ivp(lambda t, y: A @ y, (0.0, 1.0), [1.0, 1.0], jac=jac, rtol=1e-7)
        auto = solve_ivp(lambda t, y: A @ y, (0.0, 1.0), [1.0, 1.0], rtol=1e-7)
        assert ours.y[:, -1] == pytest.approx(auto.y[:, -1], rel=1e-10)


def test_a_failure_is_a_status():
    ours = solve_ivp(lambda t, y: y**2, (0.0, 2.0), [1.0])
    assert ours.status == -1
    assert not ours.success
    assert ours.t[-1] == pytest.approx(1.0, abs=0.01)
    assert "grows without bound" in ours.message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "RK45"}, "no method 'RK45'.*not stiff"),
        ({"t_span": 3.0}, "t_span must be"),
        ({"fun": 3.0}, "fun must be a function"),
        ({"events": [3.0]}, "an event must be a function"),
        ({"rtol": -1.0}, "rtol must be"),
    ],
)
def test_wrong_input_is_said(options, message):
    given = {"fun": lambda t, y: -y, "t_span": (0.0, 1.0), "y0": [1.0], **options}
    with pytest.raises(InputError, match=message):
        solve_ivp(**given)


def test_the_dense_solution_begins_at_the_start_whatever_times_are_recorded():
    run = solve_ivp(lambda t, y: -y, (0.0, 2.0), [1.0], t_eval=[1.5], dense_output=True, rtol=1e-6)
    assert run.t.tolist() == [1.5]
    assert run.sol(0.3)[0] == pytest.approx(np.exp(-0.3), abs=1e-5)


def test_a_number_of_events_after_which_to_end_is_no_truth_value():
    def zero(t, y):
        return y[0] - 0.5

    zero.terminal = 2
    with pytest.raises(InputError, match=r"event\.terminal must be True or False, not 2"):
        solve_ivp(lambda t, y: -y, (0.0, 1.0), [1.0], events=zero)
