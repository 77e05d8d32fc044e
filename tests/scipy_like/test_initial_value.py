"""solve_ivp: SciPy's call and result, checked against SciPy."""

import numpy as np
import pytest
import scipy.integrate
import scipy.sparse

from sgsolve import solve_ivp
from sgsolve.errors import DataTypeError, InputError
from sgsolve.transient import Bdf
from tests.selection import slow


def robertson(t, y):
    slow, fast = 0.04 * y[0], 1e4 * y[1] * y[2]
    quadratic = 3e7 * y[1] ** 2
    return [-slow + fast, slow - fast - quadratic, quadratic]


@pytest.mark.parametrize("method", ["BDF", "ESDIRK4", *slow("TR-BDF2", Bdf(max_order=3))])
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
        ({"method": "Radau"}, "no method 'Radau'.*ESDIRK4' with tolerances ten times smaller"),
        ({"method": "Euler"}, "no method 'Euler'; there are 'BDF', 'ESDIRK4'"),
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


def rising(t, y):
    return [1.0]


def event(function, **attributes):
    for name, value in attributes.items():
        setattr(function, name, value)
    return function


@pytest.mark.parametrize("terminal", [2, np.int64(2), True, 1])
def test_a_run_ends_after_as_many_zeros_as_asked(terminal):
    zero = event(lambda t, y: np.sin(y[0]), terminal=terminal)
    other = event(lambda t, y: y[0] - 4.0)
    ours, theirs = (
        solve(rising, (0.0, 10.0), [1.0], method="BDF", events=[zero, other], max_step=0.5)
        for solve in (solve_ivp, scipy.integrate.solve_ivp)
    )
    assert ours.status == theirs.status == 1
    assert ours.t[-1] == pytest.approx(theirs.t[-1], abs=1e-7)
    for mine, its in zip(ours.t_events, theirs.t_events, strict=True):
        assert mine == pytest.approx(its, abs=1e-7)


@pytest.mark.parametrize("direction", [-1, 0, 1])
@pytest.mark.parametrize("terminal", [False, True, 2])
@pytest.mark.parametrize("end", [5.0, -5.0])
@pytest.mark.parametrize("t_eval", [None, [0.0, 3.0]])
def test_an_event_at_the_start_is_one_as_in_scipy(direction, terminal, end, t_eval):
    times = None if t_eval is None else np.copysign(t_eval, end)
    zero = event(lambda t, y: y[0] * (y[0] - 2.0), terminal=terminal, direction=direction)
    ours, theirs = (
        solve(rising, (0.0, end), [0.0], method="BDF", events=zero, t_eval=times, rtol=1e-8)
        for solve in (solve_ivp, scipy.integrate.solve_ivp)
    )
    assert (ours.status, ours.success) == (theirs.status, theirs.success)
    assert ours.t_events[0] == pytest.approx(theirs.t_events[0], abs=1e-7)
    assert ours.y_events[0].shape == theirs.y_events[0].shape
    assert ours.t[[0, -1]] == pytest.approx(theirs.t[[0, -1]], abs=1e-7)
    if t_eval is not None:
        assert ours.y == pytest.approx(theirs.y, abs=1e-6)


def test_lists_of_events_that_are_empty():
    for events in (None, []):
        ours, theirs = (
            solve(rising, (0.0, 1.0), [0.0], events=events)
            for solve in (solve_ivp, scipy.integrate.solve_ivp)
        )
        assert ours.t_events == theirs.t_events
        assert ours.y_events == theirs.y_events


def test_no_time_to_evaluate():
    run = solve_ivp(rising, (0.0, 1.0), [0.0, 1.0][:1], t_eval=[])
    assert run.status == 0
    assert (run.t.shape, run.y.shape) == ((0,), (1, 0))


def test_an_absolute_tolerance_of_zero_leaves_the_relative_one():
    run = solve_ivp(lambda t, y: -y, (0.0, 30.0), [1.0, 1e-200], atol=0.0, rtol=1e-7)
    assert run.y[:, -1] == pytest.approx(np.exp(-30.0) * np.array([1.0, 1e-200]), rel=1e-5, abs=0.0)


def test_the_message_of_a_run_backward_says_whose_time_it_speaks_of():
    run = solve_ivp(lambda t, y: y, (3.0, 1.0), [1.0])
    assert run.message.startswith("with the time s = -t of a run backward: it reached t = -1")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"jac_sparsity": np.zeros((1, 1))}, r"jac_sparsity: .*row 0 and column 0 .* on y\[0\]"),
        ({"jac_sparsity": np.eye(2)}, r"jac_sparsity has shape \(2, 2\); it must be \(1, 1\)"),
        ({"lband": -1}, "lband: the Jacobian has no entry in row 0 and column 0"),
        ({"min_step": 1e-3}, "'min_step' of SciPy.*leave it out"),
        ({"tolerance": 1.0}, "no option 'tolerance'"),
        ({"method": scipy.integrate.BDF}, "method must be one of 'BDF'"),
        ({"t_span": (1.0, np.nan)}, "t_span must be finite"),
        ({"t_eval": [0.5, 0.2]}, "t_eval must go from 0 to 1 in order"),
        ({"t_eval": [2.0]}, "t_eval must lie within t_span, from 0 to 1"),
        ({"t_eval": [[0.5]]}, "t_eval must be a sequence"),
        ({"t_eval": "all"}, "t_eval must be times"),
        ({"y0": 1.0}, "y0 must be a vector"),
        ({"atol": -1.0}, "atol must be zero or positive"),
        ({"first_step": 2.0}, "first_step is 2, longer than the run of 1"),
        ({"events": event(lambda t, y: y[0], terminal=0)}, "terminal must be True, False or a nu"),
        ({"events": event(lambda t, y: y[0], terminal=1.5)}, "terminal must be True, False or a"),
    ],
)
def test_what_scipy_takes_and_we_do_not_is_said(options, message):
    given = {"fun": lambda t, y: -y, "t_span": (0.0, 1.0), "y0": [1.0], **options}
    with pytest.raises(InputError, match=message):
        solve_ivp(**given)


ROTATION = np.array([[0.0, 1.0], [-1.0, 0.0]])


def mixed(t, z, k):
    return np.array([1j * z[1], k * z[0] * np.conj(z[1])])  # not analytic


def real_part(t, z, k):
    return z[0].real


@pytest.mark.parametrize("t_span", [(0.0, 3.0), (0.5, 0.0)])
def test_complex_states(t_span):
    given = {"t_span": t_span, "y0": [1.0 + 0j, 1j], "args": (0.5,), "rtol": 1e-8, "atol": 1e-10}
    options = {"dense_output": True, "events": event(real_part, direction=-1)}
    ours = solve_ivp(mixed, **given, **options)
    theirs = scipy.integrate.solve_ivp(mixed, method="BDF", **given, **options)
    assert ours.y[:, -1] == pytest.approx(theirs.y[:, -1], abs=1e-6)
    assert ours.t_events[0] == pytest.approx(theirs.t_events[0], abs=1e-6)
    assert np.shape(ours.y_events[0]) == np.shape(theirs.y_events[0])
    times = np.linspace(*t_span, 5)
    assert ours.sol(times) == pytest.approx(theirs.sol(times), abs=1e-5)


@pytest.mark.parametrize("jac", [None, lambda t, z: np.diag(2j * z), np.diag([1j, 1j])])
def test_complex_states_with_a_jacobian_and_tolerances(jac):
    def f(t, z):
        return 1j * (z**2 if callable(jac) or jac is None else z)

    given = {"t_span": (0.0, 1.0), "y0": [1.0 + 0j, 0.5j], "rtol": 1e-8, "atol": [1e-10, 1e-9]}
    run = solve_ivp(f, jac=jac, t_eval=[1.0], **given)
    start = np.array(given["y0"])
    exact = start * np.exp(1j) if isinstance(jac, np.ndarray) else start / (1.0 - 1j * start)
    assert run.y[:, 0] == pytest.approx(exact, rel=1e-6)


def test_a_terminal_event_at_a_complex_start():
    at_once = event(lambda t, z: z[0].imag, terminal=True)
    run = solve_ivp(lambda t, z: 1j * z, (0.0, 1.0), [1.0 + 0j], events=at_once)
    assert (run.status, run.y[0, 0], run.y_events[0][0, 0]) == (1, 1.0, 1.0)


@pytest.mark.parametrize("f", [lambda t, y: [y[1], -y[0]], lambda t, y: ROTATION @ y])
def test_a_function_of_states_in_columns(f):
    shapes = []

    def seen(t, y):
        shapes.append(np.shape(y))
        return f(t, y)

    run = solve_ivp(seen, (0.0, 1.0), [1.0, 0.0], vectorized=True, rtol=1e-8, atol=1e-10)
    assert run.y[:, -1] == pytest.approx([np.cos(1.0), -np.sin(1.0)], abs=1e-6)
    assert set(shapes) == {(2, 1)}


def test_a_declared_sparsity_that_fits_is_taken():
    given = {"fun": lambda t, y: [y[1], -y[0]], "t_span": (0.0, 1.0), "y0": [1.0, 0.0]}
    plain = solve_ivp(**given)
    declared = {"jac_sparsity": scipy.sparse.csr_array(np.ones((2, 2))), "lband": 1, "uband": 1}
    for name, value in declared.items():
        others = {"lband": 1} if name == "uband" else {"uband": 1} if name == "lband" else {}
        assert np.array_equal(solve_ivp(**given, **{name: value}, **others).y, plain.y)


def test_options_of_scipy_that_ask_for_nothing_are_taken():
    run = solve_ivp(lambda t, y: -y, (0.0, 1.0), [1.0], vectorized=False, jac_sparsity=None)
    assert run.success


def test_a_function_that_returns_nothing_is_refused_in_words():
    with pytest.raises(DataTypeError, match="fun returned None; is a return statement missing"):
        solve_ivp(lambda t, y: None, (0.0, 1.0), [1.0, 2.0])


def orbit(t, y):
    """Two bodies, on an ellipse of eccentricity 1/2."""
    distance = (y[0] ** 2 + y[1] ** 2) ** 1.5
    return [y[2], y[3], -y[0] / distance, -y[1] / distance]


def lotka_volterra(t, z, a, b, c, d):
    x, y = z
    return [a * x - b * x * y, -c * y + d * x * y]


@pytest.mark.parametrize("method", ["RK45", "RK23", "LSODA"])
def test_a_method_of_scipy_is_replaced_by_one_that_keeps_to_the_tolerance_better(method):
    given = (orbit, (0.0, 20.0), [0.5, 0.0, 0.0, 3.0**0.5])
    times = np.linspace(0.0, 20.0, 200)
    runs = [
        solve(*given, method=method, t_eval=times)
        for solve in (solve_ivp, scipy.integrate.solve_ivp)
    ]
    exact = scipy.integrate.solve_ivp(*given, method="DOP853", rtol=1e-11, atol=1e-12, t_eval=times)
    ours, theirs = (np.abs(run.y - exact.y).max() for run in runs)
    assert ours < 0.5 * theirs
    assert runs[0].message.startswith(f"ESDIRK4 in the place of {method}: it reached t = 20")


def test_the_predators_of_scipys_page():
    given = {"fun": lotka_volterra, "t_span": [0, 15], "y0": [10, 5], "args": (1.5, 1, 3, 1)}
    run = solve_ivp(**given, dense_output=True, rtol=1e-5, atol=1e-7)
    times = np.linspace(0.0, 15.0, 300)
    exact = scipy.integrate.solve_ivp(
        **given, method="DOP853", t_eval=times, rtol=1e-10, atol=1e-12
    )
    assert run.sol(times) == pytest.approx(exact.y, abs=0.02)


def test_the_cannon_of_scipys_page():
    def upward_cannon(t, y):
        return [y[1], -0.5]

    def hit_ground(t, y):
        return y[0]

    hit_ground.terminal = True
    hit_ground.direction = -1

    def apex(t, y):
        return y[1]

    run = solve_ivp(upward_cannon, [0, 100], [0, 10], events=(hit_ground, apex), dense_output=True)
    assert run.t_events[0] == pytest.approx([40.0])
    assert run.t_events[1] == pytest.approx([20.0])
    assert run.sol(run.t_events[1][0]) == pytest.approx([100.0, 0.0], abs=1e-3)
    assert run.y_events[0][0] == pytest.approx([0.0, -10.0], abs=1e-6)


def test_a_run_without_length_returns_its_start():
    given = {"fun": lambda t, y: -y, "t_span": (1.0, 1.0), "y0": [2.0]}
    ours, theirs = solve_ivp(**given), scipy.integrate.solve_ivp(**given)
    assert ours.t.tolist() == theirs.t.tolist() == [1.0, 1.0]
    assert ours.y.tolist() == theirs.y.tolist()
    assert ours.status == theirs.status == 0
    crossed = solve_ivp(**given, events=lambda t, y: y[0] - 2.0, dense_output=True)
    assert crossed.t_events[0].tolist() == [1.0]
    assert crossed.sol(1.0).tolist() == [2.0]
    assert solve_ivp(**given, min_step=0.0).success  # the default of SciPy
