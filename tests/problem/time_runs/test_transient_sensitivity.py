"""Sensitivities of runs in time: closed forms, differences, and forward against adjoint."""

import numpy as np
import pytest
import scipy.linalg
from scipy.integrate import solve_ivp

from sgsolve import PartialBranchWarning, Problem
from sgsolve.errors import ConvergenceError, InputError
from sgsolve.transient import Bdf, FixedSteps, RungeKutta, TimeEvent
from tests.selection import slow


def logistic():
    """y' = p y (1 - y), and the integral of y as a second unknown."""
    return Problem(
        lambda u, p: np.stack([-p * u[0] * (1 - u[0]), -u[0]]),
        params={"p": 2.0},
        storage=lambda u: 1.0 * u,
    )


def test_the_logistic_equation_and_an_integral():
    run = logistic().transient_sensitivity([0.1, 0.0], (0.0, 1.0), "p", rtol=1e-8)
    assert run.value == pytest.approx([0.450853060379, 0.247014354022], abs=1e-6)
    assert run.derivative == pytest.approx([0.247584578326, 0.101919353179], abs=1e-6)


def reaction(n=12):
    """Diffusion with a nonlinear charge that depends on a parameter, and two algebraic rows."""

    def residual(u, k, s, t):
        inner = k * (2 * u[1:-1] - u[:-2] - u[2:]) + s[1:-1] * u[1:-1] ** 2
        ends = [u[:1] - 1 - s[0] * np.sin(3 * t), u[-1:] ** 3 + u[-1:] - s[-1]]
        return np.concatenate([ends[0], inner, ends[1]])

    def storage(u, c):
        inside = np.ones(n)
        inside[[0, -1]] = 0.0
        return inside * (u + c * u**3)

    def full(u, k, s, c, t):
        return residual(u, k, s, t) + 0.0 * c

    s = np.linspace(0.5, 1.5, n)
    return Problem(full, params={"k": 3.0, "s": s, "c": 0.2}, storage=storage), np.full(n, 0.8)


METHODS = [
    Bdf(),
    FixedSteps("BDF2", 0.02),
    *slow(Bdf(3, ndf=False), RungeKutta(), RungeKutta("TR-BDF2"), FixedSteps("trapezoid", 0.02)),
    *slow(FixedSteps("TR-BDF2", 0.05)),
]


@pytest.mark.parametrize("steps", METHODS, ids=repr)
def test_adjoint_equals_forward_and_differences(steps):
    problem, x0 = reaction()
    names, options = ["k", "s", "c"], {"steps": steps, "rtol": 1e-5, "breakpoints": [0.3]}

    def g(u, k, c):
        return np.stack([np.sum(u**2) * k, u[3] + c])

    runs = [
        problem.transient_sensitivity(x0, (0.0, 1.0), names, functional=g, mode=mode, **options)
        for mode in ("forward", "adjoint")
    ]
    for name in names:
        first, second = (run.derivative[name] for run in runs)
        assert first == pytest.approx(second, rel=1e-9, abs=1e-11)
    assert runs[0].derivative["s"].shape == (2, 12)
    fine = {**options, "rtol": 1e-7}
    for name in ("k", "c"):
        value = problem.params[name]
        ends = []
        for sign in (1, -1):
            moved = problem.at(**{name: value + sign * 1e-2})
            x = moved.transient(x0, (0.0, 1.0), **fine).x
            ends.append(np.stack(g(x, **{k: moved.params[k] for k in ("k", "c")})))
        difference = (ends[0] - ends[1]) / 2e-2
        assert runs[0].derivative[name] == pytest.approx(difference, rel=3e-3, abs=3e-4)


def test_a_state_and_a_gradient_as_functional():
    problem, x0 = reaction()
    whole = problem.transient_sensitivity(x0, (0.0, 0.2), "s")
    assert whole.derivative.shape == (12, 12)
    weights = np.arange(12.0)
    part = problem.transient_sensitivity(x0, (0.0, 0.2), "s", functional=weights)
    assert part.value == pytest.approx(weights @ whole.value, rel=1e-12)
    assert part.derivative == pytest.approx(weights @ whole.derivative, rel=1e-8, abs=1e-11)


def test_what_cannot_be_differentiated_is_refused():
    problem = logistic()
    with pytest.raises(InputError, match="mode must be one of"):
        problem.transient_sensitivity([0.1, 0.0], (0.0, 1.0), "p", mode="both")
    with pytest.raises(InputError, match="needs a functional"):
        problem.transient_sensitivity([0.1, 0.0], (0.0, 1.0), "p", mode="adjoint")
    with pytest.raises(InputError, match="is a function of time"):
        problem.at(p=lambda t: 2.0).transient_sensitivity([0.1, 0.0], (0.0, 1.0), "p")


@pytest.mark.parametrize("breakpoints", [None, *slow([1.0, 2.0])])
@pytest.mark.parametrize("mode", ["forward", "adjoint"])
@pytest.mark.parametrize("steps", [Bdf(), RungeKutta()], ids=repr)
def test_derivatives_across_jumps_that_are_declared_or_found(steps, mode, breakpoints):
    """A pulse from t = 1 to 2: v(4) = V (1 - exp(-1 / R)) exp(-2 / R)."""
    problem = Problem(
        lambda v, t, R, V: (v - V * np.where((t >= 1.0) & (t < 2.0), 1.0, 0.0)) / R,
        params={"R": 1.5, "V": 2.0},
        storage=lambda v: 1.0 * v,
    )
    found = problem.transient_sensitivity(
        [0.0],
        (0.0, 4.0),
        ["R", "V"],
        functional=lambda v: v[0],
        mode=mode,
        steps=steps,
        rtol=1e-6,
        breakpoints=breakpoints,
    )
    first, second, R, V = np.exp(-1.0 / 1.5), np.exp(-2.0 / 1.5), 1.5, 2.0
    by_R = V * (2.0 * second - 3.0 * first * second) / R**2
    assert found.derivative["R"] == pytest.approx(by_R, rel=1e-4)
    assert found.derivative["V"] == pytest.approx((1.0 - first) * second, rel=1e-4)


@pytest.mark.parametrize("breakpoints", [None, [1.0]])
@pytest.mark.parametrize(
    ("source", "value"),
    [
        (lambda t, p: np.where(t < p, 1.0, 0.0), 1.0),
        (lambda t, p: np.where(p * t < 0.5, 0.0, 3.0), 0.5),
        (lambda t, p: np.where(t >= 1.0 + p, t, 0.0), 0.0),
    ],
)
def test_a_jump_whose_time_depends_on_the_parameter_is_refused(source, value, breakpoints):
    problem = Problem(
        lambda v, t, p: v - source(t, p), params={"p": value}, storage=lambda v: 1.0 * v
    )
    with pytest.raises(InputError, match="the time of this jump depends on parameter 'p'"):
        problem.transient_sensitivity([0.5], (0.0, 2.0), "p", rtol=1e-7, breakpoints=breakpoints)


EVENT_METHODS = pytest.mark.parametrize("steps", [Bdf(), RungeKutta()], ids=repr)


def charging():
    """v' = (u - v) / (R C) from 0, with R = 2, C = 1.5 and u = 3."""
    return Problem(
        lambda v, R, C, u: (v - u) / (R * C),
        params={"R": 2.0, "C": 1.5, "u": 3.0},
        storage=lambda v: 1.0 * v,
    )


@EVENT_METHODS
@pytest.mark.parametrize("mode", ["forward", "adjoint"])
def test_the_time_of_an_event_by_parameters(steps, mode):
    run = charging().transient_sensitivity(
        [0.0],
        (0.0, 10.0),
        ["R", "u"],
        functional=lambda v, R, t: np.stack([v[0] ** 2 * R, t * v[0]]),
        event=lambda v: v[0] - 2.0,
        mode=mode,
        steps=steps,
        rtol=1e-7,
    )
    assert run.time == pytest.approx(3.295836866004, abs=1e-5)
    assert run.time_derivative["R"] == pytest.approx(1.647918433, abs=1e-5)
    assert run.time_derivative["u"] == pytest.approx(-2.0, abs=1e-5)
    assert run.value == pytest.approx([8.0, 2 * run.time], abs=1e-4)
    assert run.derivative["R"] == pytest.approx([4.0, 2 * 1.647918433], abs=1e-4)
    assert run.derivative["u"] == pytest.approx([0.0, -4.0], abs=1e-4)


@EVENT_METHODS
def test_the_state_at_an_event_that_holds_a_parameter_and_a_source(steps):
    """x' = -k x from 1 meets b + t: exp(-k t) = b + t; z = x^2 follows it."""
    problem = Problem(
        lambda u, k, b: np.stack([k * u[0], u[1] - u[0] ** 2 + 0 * b]),
        params={"k": 1.0, "b": 0.2},
        storage=lambda u: u * np.array([1.0, 0.0]),
    )

    def at(k, b):
        t = 0.5
        for _ in range(30):
            t -= (np.exp(-k * t) - b - t) / (-k * np.exp(-k * t) - 1.0)
        return np.array([t, np.exp(-k * t), np.exp(-2 * k * t)])

    event = TimeEvent(lambda u, b, t: u[0] - b - t, direction=-1)
    run = problem.transient_sensitivity(
        [1.0, 1.0], (0.0, 3.0), ["k", "b"], event=event, steps=steps, rtol=1e-7
    )
    for name, moved in (("k", (1e-5, 0.0)), ("b", (0.0, 1e-5))):
        exact = (at(1 + moved[0], 0.2 + moved[1]) - at(1 - moved[0], 0.2 - moved[1])) / 2e-5
        assert run.time_derivative[name] == pytest.approx(exact[0], abs=1e-5)
        assert run.derivative[name] == pytest.approx(exact[1:], abs=1e-5)


def test_events_that_cannot_serve():
    problem = charging()
    with pytest.raises(InputError, match="does not occur from t = 0 to 10"):
        problem.transient_sensitivity([0.0], (0.0, 10.0), "R", event=lambda v: v[0] - 4.0)


@pytest.mark.parametrize("rtol", [1e-3, 1e-5])
def test_the_error_of_a_derivative_is_controlled(rtol):
    """y' = 1000 (cos t - y) s with y(0) = 0: the derivative by s lives in the fast part."""
    problem = Problem(
        lambda y, t, s: 50.0 * s * (y - np.cos(t)), params={"s": 1.0}, storage=lambda y: 1.0 * y
    )
    run = problem.transient_sensitivity([0.0], (0.0, 1.0), "s", rtol=rtol, error_control=True)

    def at(s):
        a = 50.0 * s
        return (a * (a * np.cos(1.0) + np.sin(1.0)) - a * a * np.exp(-a)) / (a * a + 1)

    exact = (at(1 + 1e-4) - at(1 - 1e-4)) / 2e-4
    assert run.derivative[0] == pytest.approx(exact, rel=3 * rtol)
    assert 0.0 <= run.error <= rtol


def coupled():
    """A steady state at (1, 1) for p = 1, whose second unknown is fast."""
    return Problem(
        lambda x, p: np.stack([x[0] - p, 50 * (x[1] - x[0] * p)]),
        params={"p": 1.0},
        storage=lambda x: 1.0 * x,
    )


@pytest.mark.parametrize("steps", [Bdf(), RungeKutta(), RungeKutta("TR-BDF2")], ids=repr)
@pytest.mark.parametrize("mode", ["forward", "adjoint"])
@pytest.mark.parametrize("rtol", [1e-3, *slow(1e-5)])
def test_derivatives_of_a_run_from_a_steady_state_choose_its_steps(steps, mode, rtol):
    """The state does not move, so that the errors of the state would allow any step.

    With S the derivative of x by p, S' = A S + b from 0: the exponential of a matrix.
    """
    A, b = np.array([[-1.0, 0.0], [50.0, -50.0]]), np.array([1.0, 50.0])
    exact = np.linalg.solve(A, (scipy.linalg.expm(A) - np.eye(2)) @ b)
    run = coupled().transient_sensitivity(
        [1.0, 1.0], (0.0, 1.0), "p", functional=np.eye(2), mode=mode, steps=steps, rtol=rtol
    )
    assert run.derivative == pytest.approx(exact, rel=20 * rtol)


def test_derivatives_by_many_parameters_choose_the_steps_by_combinations_of_them():
    n = 20
    problem = Problem(
        lambda x, s: x - s + np.concatenate([x[:1] - 1, x[1:] * x[:-1] - 1]),
        params={"s": np.ones(n)},
        storage=lambda x: 1.0 * x,
    )
    run = problem.transient_sensitivity(np.ones(n), (0.0, 1.0), "s", functional=np.ones(n))
    # S' = 1 - J S with constant J
    J = 2.0 * np.eye(n) + np.diag(np.ones(n - 1), -1)
    whole = np.linalg.solve(J, np.eye(n) - scipy.linalg.expm(-J))
    assert run.derivative == pytest.approx(np.ones(n) @ whole, rel=1e-3)


def test_the_derivatives_of_an_algebraic_unknown_choose_the_steps():
    """z = x p with x' = p - x, from the steady state at p = 1."""
    problem = Problem(
        lambda u, p: np.stack([u[0] - p, u[1] - u[0] * p]),
        params={"p": 1.0},
        storage=lambda u: u * np.array([1.0, 0.0]),
    )
    run = problem.transient_sensitivity([1.0, 1.0], (0.0, 2.0), "p", rtol=1e-5)
    S = 1 - np.exp(-2.0)
    assert run.derivative == pytest.approx([S, 1 + S], rel=5e-5)


@pytest.mark.parametrize("length", [1.0, 1e8, *slow(1e3)])
@pytest.mark.parametrize("rtol", [1e-4, 1e-8])
def test_derivatives_from_a_steady_state_over_any_length_of_time(length, rtol):
    """x' = p - x and y' = x - y from (1, 1): the derivatives grow from zero, that of y as t^2."""
    problem = Problem(
        lambda u, p: np.stack([u[0] - p, u[1] - u[0]]), params={"p": 1.0}, storage=lambda u: 1.0 * u
    )
    run = problem.transient_sensitivity([1.0, 1.0], (0.0, length), "p", rtol=rtol)
    exact = [1 - np.exp(-length), 1 - (1 + length) * np.exp(-length)]
    assert run.derivative == pytest.approx(exact, rel=10 * rtol)


@pytest.mark.parametrize("rtol", [1e-3, 1e-8, 1e-10])
def test_rounding_in_a_short_first_step_stops_no_run(rtol):
    """The derivatives begin at zero; their slope is a difference of charges that are near 1."""

    def decay(x, a):
        return a * np.array([1.0, 2.0]) * x

    problem = Problem(decay, params={"a": 1.0}, storage=lambda x, a: (1.0 + a) * x)
    found = problem.transient_sensitivity([1.0, 1.0], (0.0, 1.0), "a", rtol=rtol)
    rates = np.array([0.5, 1.0])  # at a = 1 of a / (1 + a), and twice that
    exact = -np.exp(-rates) * rates / 2.0
    np.testing.assert_allclose(found.derivative, exact, rtol=max(30.0 * rtol, 1e-9))


@pytest.mark.parametrize("size", [1.0, 1e17])
def test_rounding_of_a_large_unknown_hides_no_error_of_a_small_one(size):
    """Both are steady: the derivative 1 - exp(-t) of the first one alone asks for short steps."""

    def steady(x, a):
        return np.stack([x[0] - a, x[1] - size])

    problem = Problem(steady, params={"a": 1.0}, storage=lambda x, a: [x[0], (1.0 + a) * x[1]])
    found = problem.transient_sensitivity([1.0, size], (0.0, 2.0), "a", rtol=1e-6)
    assert found.derivative[0] == pytest.approx(1.0 - np.exp(-2.0), rel=1e-5)


@pytest.mark.parametrize("mode", ["forward", "adjoint"])
def test_a_parameter_of_the_storage_beside_algebraic_equations(mode):
    """The start is moved in a step of 1e-11: what that changes in Q_p is more than the tolerance.

    Reference: a high-order method on x' = (z cos t - a x) / (1 + a / 10), with z(x) of the cubic.
    """

    def system(x, t, a):
        return [a * x[0] - x[1] * np.cos(t), x[1] ** 3 + x[1] - x[0] - 0.5]

    def storage(x, a):
        return [x[0] * (1.0 + 0.1 * a), 0.0 * x[1]]

    def end(a):
        def flow(t, w):
            x, z = w
            slope = (z * np.cos(t) - a * x) / (1.0 + 0.1 * a)
            return [slope, slope / (3.0 * z**2 + 1.0)]

        z0 = np.roots([1.0, 0.0, 1.0, -1.5]).real.max()
        return solve_ivp(flow, (0.0, 2.0), [1.0, z0], "DOP853", rtol=1e-12, atol=1e-13).y[0, -1]

    problem = Problem(system, storage=storage, params={"a": 2.0})
    found = problem.transient_sensitivity(
        [1.0, 0.5], (0.0, 2.0), "a", functional=lambda x: x[0], mode=mode, rtol=1e-9, atol=1e-11
    )
    expected = (end(2.001) - end(1.999)) / 0.002
    assert found.derivative == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("steps", [Bdf(), *slow(RungeKutta())], ids=repr)
def test_derivatives_that_begin_as_a_power_of_time_are_found(steps):
    """Robertson's reaction, by the rates of what is not there at the start.

    Reference: the output of cvsRoberts_FSA_dns of SUNDIALS, five digits at its tolerance of 1e-4.
    """

    def reaction(x, k2, k3):
        a, b, c = x
        first, second, third = 0.04 * a, k2 * b * c, k3 * b * b
        return [first - second, -first + second + third, a + b + c - 1.0]

    problem = Problem(
        reaction, params={"k2": 1e4, "k3": 3e7}, storage=lambda x: np.array([1.0, 1.0, 0.0]) * x
    )
    found = problem.transient_sensitivity(
        [1.0, 0.0, 0.0], (0.0, 0.4), ["k2", "k3"], rtol=1e-5, steps=steps
    )
    assert found.derivative["k2"] == pytest.approx([9.5431e-8, -2.1309e-10, -9.5218e-8], rel=3e-4)
    assert found.derivative["k3"] == pytest.approx([-1.5833e-11, -5.29e-13, 1.6362e-11], rel=3e-4)
    assert len(found.branch) < 1000


@pytest.mark.parametrize("m", [2, 3])
@pytest.mark.parametrize("rtol", [1e-4, 1e-8])
@pytest.mark.parametrize("mode", ["forward", "adjoint"])
def test_blocks_whose_derivatives_begin_with_a_slope_of_zero(m, rtol, mode):
    """The derivatives of a chain grow as t, t**2, t**3, and their errors pass on from each."""
    chain = Problem(
        lambda x, k: np.concatenate([x[:1] - k, x[1:] - x[:-1]]),
        params={"k": 1.0},
        storage=lambda x: 1.0 * x,
        blocks=dict.fromkeys("abc"[:m], 1),
    )
    A, first = np.eye(m) - np.eye(m, k=-1), np.eye(m)[0]
    exact = np.linalg.solve(A, first - scipy.linalg.expm(-2.0 * A) @ first)
    found = chain.transient_sensitivity(
        np.zeros(m), (0.0, 2.0), "k", functional=lambda x: x[-1], mode=mode, rtol=rtol, steps=Bdf()
    )
    assert found.derivative == pytest.approx(exact[-1], abs=rtol)
    assert len(found.branch) < 500


@pytest.mark.parametrize("mode", ["forward", "adjoint"])
def test_an_interrupted_run_has_no_derivative(mode):
    calls = [0]

    def decay(x, k):
        calls[0] += 1
        if calls[0] == 60:
            raise KeyboardInterrupt
        return k * x

    problem = Problem(decay, params={"k": 1.0}, storage=lambda x: 1.0 * x)
    with pytest.warns(PartialBranchWarning), pytest.raises(KeyboardInterrupt, match="interrupted"):
        problem.transient_sensitivity([1.0], (0.0, 9.0), "k", functional=lambda x: x[0], mode=mode)


def test_a_parameter_that_is_zero_is_named_where_its_derivatives_begin_too_small():
    """A chain of four decays, whose last rate is 4 - p: its derivative begins as t^4."""

    def chain(x, p):
        made = np.array([1.0, 2.0, 3.0, 4.0]) * x
        last = np.array([0.0, 0.0, 0.0, 1.0])
        return made - np.concatenate([[0.0], made[:-1]]) - p * last * x

    problem = Problem(chain, params={"p": 0.0}, storage=lambda x: 1.0 * x)
    options = {"functional": lambda x: x[3], "rtol": 1e-6}
    start = [1.0, 0.0, 0.0, 0.0]
    with pytest.raises(ConvergenceError, match="small number for the parameter that is zero"):
        problem.transient_sensitivity(start, (0.0, 1.0), "p", **options)
    found = problem.at(p=1e-6).transient_sensitivity(start, (0.0, 1.0), "p", **options)
    rates = np.diag([1.0, 2.0, 3.0, 4.0]) - np.diag([1.0, 2.0, 3.0], -1)
    last = np.diag([0.0, 0.0, 0.0, 1.0])
    whole = np.block([[-rates, np.zeros((4, 4))], [last, -rates]])
    exact = scipy.linalg.expm(whole)[7, 0]
    assert found.derivative == pytest.approx(exact, rel=1e-4)


def test_a_list_of_one_name_gives_a_mapping_as_sensitivity_does():
    decay = Problem(lambda y, k: k * y, params={"k": 2.0}, storage=lambda y: 1.0 * y)
    half = {"event": lambda y: y[0] - 0.5, "rtol": 1e-7}
    listed = decay.transient_sensitivity([1.0], (0.0, 1.0), ["k"], **half)
    alone = decay.transient_sensitivity([1.0], (0.0, 1.0), "k", **half)
    assert listed.time_derivative == {"k": alone.time_derivative}
    np.testing.assert_array_equal(listed.derivative["k"], alone.derivative)
