"""Problem.transient: sources, breakpoints, starts, events and rows, against closed forms."""

import time

import numpy as np
import pytest

from sgsolve import Problem, Status
from sgsolve.errors import InputError
from sgsolve.transient import (
    Bdf,
    FixedSteps,
    IndexWarning,
    PiecewiseLinear,
    Pulse,
    RungeKutta,
    TimeEvent,
)
from tests.selection import slow

METHODS = [Bdf(), RungeKutta(), RungeKutta("TR-BDF2")]
by_method = pytest.mark.parametrize("steps", [*METHODS[:2], *slow(METHODS[2])], ids=repr)


def capacitor():
    """v' = s - v."""
    return Problem(lambda v, s: v - s, params={"s": 0.0}, storage=lambda v: 1.0 * v)


def coupled():
    """x' = z - x, 0 = z^3 + z - x - s."""
    return Problem(
        lambda u, s: np.stack([u[0] - u[1], u[1] ** 3 + u[1] - u[0] - s]),
        params={"s": 1.0},
        storage=lambda u: u * np.array([1.0, 0.0]),
        blocks={"x": [0], "z": [1]},
    )


@by_method
@pytest.mark.parametrize("rtol", [1e-4, 1e-6])
def test_a_pulse_is_met_at_its_jumps(steps, rtol):
    problem = capacitor().at(s=Pulse(0.0, 1.0, delay=1.0, width=1.0))
    run = problem.transient(
        [0.0], (0.0, 4.0), steps=steps, rtol=rtol, atol=rtol / 100, times=[1.5, 2.0, 4.0]
    )
    exact = [1 - np.exp(-0.5), 0.632120558829, 0.085548214869]
    assert run.success
    assert np.abs(run.states[-3:, 0] - exact).max() < 30 * rtol


@by_method
@pytest.mark.parametrize("announced", [True, False])
def test_an_algebraic_unknown_jumps_with_its_source(steps, announced):
    problem = coupled().at(s=lambda t: 1.0 if t < 1.0 else 5.0)
    breakpoints = [1.0] if announced else None
    run = problem.transient([1.0, 1.0], (0.0, 2.0), steps=steps, rtol=1e-6, breakpoints=breakpoints)
    assert run.x[0] == pytest.approx(1.41986518, abs=2e-5)
    after = np.searchsorted(run["t"], 1.0)
    assert run.states[after - 1] == pytest.approx([1.0, 1.0], abs=1e-6)
    assert run.states[after] == pytest.approx([1.0, 1.634365293014], abs=1e-5)
    assert ("jump or change fast at t = 1," in run.message) is not announced


def test_a_steep_ramp_is_passed():
    problem = coupled().at(s=PiecewiseLinear([1.0, 1.0 + 1e-6], [1.0, 5.0]))
    run = problem.transient([1.0, 1.0], (0.0, 2.0), rtol=1e-6)
    assert run.x[0] == pytest.approx(1.41986518, abs=1e-5)
    plain = coupled().at(s=lambda t: 1.0 + 4e6 * min(1e-6, max(0.0, t - 1.0)))
    run = plain.transient([1.0, 1.0], (0.0, 2.0), rtol=1e-6)
    assert run.x[0] == pytest.approx(1.41986518, abs=1e-5)


def test_a_fast_algebraic_unknown_is_resolved():
    """x' = -0.01 x, z = sin(40 pi t): an estimate by the charge alone would make six steps."""
    problem = Problem(
        lambda u, t: np.stack([0.01 * u[0], u[1] - np.sin(40 * np.pi * t)]),
        storage=lambda u: u * np.array([1.0, 0.0]),
    )
    run = problem.transient([1.0, 0.0], (0.0, 1.0), rtol=1e-4, times=np.linspace(0, 1, 173))
    assert np.abs(run.states[:, 1] - np.sin(40 * np.pi * run["t"])).max() < 3e-3


def test_starts():
    problem = coupled()
    run = problem.transient([1.0, 0.0], (0.0, 1.0))
    assert run.states[0] == pytest.approx([1.0, 1.0], abs=1e-6)
    assert "moved, most in z[0]" in run.message
    steady = problem.at(s=2.0).transient([1.0, 1.0], (0.0, 1.0), start="steady")
    assert steady.states[0] == pytest.approx(2.0 ** (1 / 3) * np.ones(2), rel=1e-6)
    assert np.ptp(steady.states, axis=0) == pytest.approx([0.0, 0.0], abs=1e-6)
    with pytest.raises(ValueError, match=r"does not meet.*z\[0\].*start='consistent'"):
        problem.transient([1.0, 0.0], (0.0, 1.0), start="as given")


@by_method
@pytest.mark.parametrize("rtol", [1e-4, 1e-6])
def test_the_time_of_an_event(steps, rtol):
    """v' = (u - v) / (R C) reaches 2 at a time in closed form."""
    problem = Problem(lambda v: (v - 3.0) / 3.0, storage=lambda v: 1.0 * v)
    run = problem.transient(
        [0.0], (0.0, 10.0), steps=steps, rtol=rtol, events={"full": lambda v: v[0] - 2}, stop="full"
    )
    times = 200 if steps == RungeKutta("TR-BDF2") else 20
    assert run["t"][-1] == pytest.approx(3.295836866004, abs=times * rtol)
    assert run.x[0] == pytest.approx(2.0, abs=1e-12)
    assert "full" in run.message


@by_method
def test_a_relaxation_oscillator_flips_by_its_events(steps):
    problem = Problem(lambda u: np.stack([u[0] - u[1], 0 * u[1]]), storage=lambda u: 1.0 * u)
    flip = {name: lambda u: np.array([u[0], -u[1]]) for name in ("up", "down")}
    run = problem.transient(
        [0.0, 1.0],
        (0.0, 20.0),
        steps=steps,
        rtol=1e-5,
        events={"up": lambda u: u[0] - 0.5, "down": lambda u: u[0] + 0.5},
        on_event=flip,
    )
    times = np.array([one.parameter for one in run.special_points])
    assert len(times) == 18
    assert np.diff(times)[1:] == pytest.approx(1.098612288668, abs=1e-3)
    assert np.abs(run.states[:, 0]).max() < 0.5 + 1e-9


@by_method
def test_events_have_a_direction_and_do_not_change_the_steps(steps):
    problem = Problem(
        lambda u: np.stack([-u[1], u[0]]), storage=lambda u: 1.0 * u
    )  # (sin t, cos t)
    options = {"rtol": 1e-4 if steps == RungeKutta("TR-BDF2") else 1e-7, "steps": steps}
    plain = problem.transient([0.0, 1.0], (0.0, 20.0), **options)
    kinds = {f"{k}": TimeEvent(lambda u: u[0], direction=k) for k in (-1, 0, 1)}
    run = problem.transient([0.0, 1.0], (0.0, 20.0), events=kinds, **options)
    found = {k: [one.parameter for one in run.special_points if one.kind == k] for k in kinds}
    assert found["-1"] == pytest.approx(np.pi * np.array([1, 3, 5]), abs=1e3 * options["rtol"])
    assert found["1"] == pytest.approx(np.pi * np.array([2, 4, 6]), abs=1e3 * options["rtol"])
    assert found["0"] == pytest.approx(np.pi * np.arange(1, 7), abs=1e3 * options["rtol"])
    assert np.array_equal(run["t"], plain["t"])
    assert np.array_equal(run.states, plain.states)


def test_a_pair_of_events_within_one_step_is_seen():
    problem = Problem(lambda v: 0 * v, storage=lambda v: 1.0 * v)
    run = problem.transient(
        [1.0], (0.0, 1.0), events={"window": lambda v, t: (t - 0.41) * (t - 0.52)}, stop="window"
    )
    assert run["t"][-1] == pytest.approx(0.41, abs=1e-9)


def test_rows_at_times_do_not_change_the_steps():
    problem = Problem(lambda y: -2.0 * y * (1 - y), storage=lambda y: 1.0 * y)
    plain = problem.transient([0.1], (0.0, 1.0), rtol=1e-6)
    times = np.linspace(0.0, 1.0, 11)
    for steps in METHODS:
        run = problem.transient([0.1], (0.0, 1.0), steps=steps, rtol=1e-6, times=times)
        exact = 0.1 / (0.1 + 0.9 * np.exp(-2 * times))
        assert np.array_equal(run["t"], times)
        assert np.abs(run.states[:, 0] - exact).max() < 2e-5
    assert run.x[0] == pytest.approx(plain.x[0], abs=2e-5)


@by_method
def test_steps_end_at_times_that_are_not_interpolated(steps):
    """Recorded states meet the algebraic equation to the tolerance."""
    problem = Problem(
        lambda u, t: np.stack([u[0] - u[1], u[1] ** 3 - 2 - np.sin(9 * t)]),
        storage=lambda u: u * np.array([1.0, 0.0]),
    )
    times = [0.1, 0.77, 0.7700001, 1.0]
    run = problem.transient(
        [0.0, 1.0], (0.0, 1.0), steps=steps, rtol=1e-3, times=times, interpolate=False
    )
    assert run["t"].tolist() == times
    assert np.abs(run.states[:, 1] ** 3 - 2 - np.sin(9 * np.array(times))).max() < 1e-3
    assert (run["step"] > 0).all()


@by_method
def test_only_the_times_asked_for_are_recorded(steps, tmp_path):
    problem = Problem(lambda v: v, storage=lambda v: 1.0 * v)
    path = tmp_path / "run.npz"
    run = problem.transient([1.0], (0.0, 2.0), steps=steps, times=[0.5, 1.0], checkpoint=path)
    assert run["t"].tolist() == [0.5, 1.0]
    assert run.states[:, 0] == pytest.approx(np.exp([-0.5, -1.0]), abs=1e-2)
    assert run.success
    assert "reached t = 2" in run.message
    assert len(problem.transient([1.0], (0.0, 2.0), steps=steps, times=[])) == 0


@by_method
def test_the_solution_at_any_time(steps):
    problem = capacitor().at(s=Pulse(0.0, 1.0, delay=1.0))
    run = problem.transient([0.0], (0.5, 3.0), steps=steps, rtol=1e-5, dense_output=True, times=[])
    t = np.linspace(0.5, 3.0, 83)
    exact = np.where(t > 1.0, 1 - np.exp(1.0 - t), 0.0)
    assert run.interpolant(t).shape == (83, 1)
    assert np.abs(run.interpolant(t)[:, 0] - exact).max() < 3e-4
    assert run.interpolant(2.0) == pytest.approx(1 - np.exp(-1.0), abs=3e-4)
    with pytest.raises(InputError, match=r"known from t = 0.5 to 3, not at 3.5"):
        run.interpolant(3.5)
    assert problem.transient([0.0], (0.5, 3.0), steps=steps).interpolant is None
    with pytest.raises(InputError, match="leave out one of dense_output and resume"):
        problem.transient([0.0], (0.5, 3.0), dense_output=True, resume=True, checkpoint="x.npz")


def test_outputs_see_the_time_and_the_sources():
    problem = capacitor().at(s=lambda t: 2.0 * t)
    run = problem.transient([0.0], (0.0, 1.0), outputs={"drop": lambda v, t, s: s - 2.0 * t})
    assert np.abs(run["drop"]).max() == 0.0
    assert list(run.columns) == ["t", "nit", "step", "order", "error", "drop"]


@pytest.mark.parametrize("method", ["backward Euler", "BDF2", "trapezoid", "TR-BDF2", "ESDIRK4"])
def test_fixed_steps_have_one_length(method):
    problem = Problem(lambda v: v, storage=lambda v: 1.0 * v)
    run = problem.transient([1.0], (0.0, 1.0), steps=FixedSteps(method, 0.1))
    assert run["t"] == pytest.approx(np.linspace(0, 1, 11), abs=1e-14)
    assert run.x[0] == pytest.approx(np.exp(-1), abs=0.03)


def test_a_parameter_that_is_the_rate_of_change():
    """F(x, x', t) = 0 with a capacitance that depends on x: (1 + x^2) x' = -x."""
    problem = Problem(
        lambda x, rate: (1 + x**2) * rate + x, params={"rate": np.zeros(1)}, storage="rate"
    )
    for steps in METHODS:
        run = problem.transient([1.0], (0.0, 2.0), steps=steps, rtol=1e-7)
        # log x + x^2 / 2 + t is constant
        assert np.log(run.x[0]) + run.x[0] ** 2 / 2 + 2.0 == pytest.approx(0.5, abs=3e-5)


def test_an_own_jacobian_serves():
    problem = Problem(
        lambda x, t: x**2 - np.cos(t),
        jacobian=lambda x, t: np.diag(2 * x),
        storage=lambda x: 1.0 * x,
    )
    other = Problem(lambda x, t: x**2 - np.cos(t), storage=lambda x: 1.0 * x)
    first, second = (one.transient([1.0], (0.0, 1.0), rtol=1e-6) for one in (problem, other))
    assert first.x == pytest.approx(second.x, rel=1e-12)


def test_index_two_is_said_and_integrated():
    """A capacitor across a voltage source: the current is C du/dt."""
    problem = Problem(
        lambda u, t: np.stack([u[0] - np.sin(t), u[1]]),
        storage=lambda u: np.stack([0 * u[0], u[0]]),
        blocks={"v": [0], "i": [1]},
    )
    with pytest.warns(IndexWarning, match=r"index 2 at t = 0.*i\[0\]"):
        run = problem.transient([0.0, -1.0], (0.0, 2.0), rtol=1e-6)
    assert run.x == pytest.approx([np.sin(2.0), -np.cos(2.0)], abs=1e-4)


@pytest.mark.parametrize("atol", [None, 1e-6, 1e-12, 1e-15])
@pytest.mark.parametrize("steps", [Bdf(), RungeKutta()], ids=repr)
def test_a_diode_with_its_capacitance_across_a_source(atol, steps):
    """Index 2: the current of the source holds C du/dt. It is not tested, however small atol is."""
    omega = 2e3 * np.pi

    def residual(u, t):
        drop = (u[0] - u[1]) / 1e3
        diode = 1e-12 * (np.exp(np.minimum(u[0] / 0.025852, 40.0)) - 1.0)
        return np.stack([u[2] + diode + drop, -drop, u[0] - 0.6 * np.sin(omega * t)])

    problem = Problem(residual, storage=lambda u: u * np.array([1e-9, 1e-9, 0.0]))
    with pytest.warns(IndexWarning, match="index 2 at t = 0"):
        run = problem.transient(
            [0.0, 0.0, -1e-9 * 0.6 * omega], (0.0, 1e-3), rtol=1e-5, atol=atol, steps=steps
        )
    v0, v1, i = run.x
    assert run.success
    assert v0 == pytest.approx(0.0, abs=1e-6)
    assert v1 == pytest.approx(-3.77e-3, abs=2e-4)  # follows the source by R C = 1 us
    assert i == pytest.approx(-1e-9 * 0.6 * omega - (v0 - v1) / 1e3, rel=0.05)


def test_a_capacitor_across_a_source_starts_anew_where_the_source_bends():
    """The unknown that is left out of the norms of errors passes no error on to others."""

    def residual(u, V):
        drop = (u[0] - u[1]) / 1e3
        return np.stack([u[2] + drop, -drop, u[0] - V])

    problem = Problem(
        residual,
        storage=lambda u: u * np.array([1e-9, 1e-9, 0.0]),
        params={"V": lambda t: 1e4 * min(t, 1e-4)},
    )
    with pytest.warns(IndexWarning, match="index 2"):
        run = problem.transient([0.0, 0.0, 0.0], (0.0, 1.1e-4), rtol=1e-5, breakpoints=[1e-4])
    assert run.success
    assert run.x[:2] == pytest.approx([1.0, 1.0 - 1e-2 * np.exp(-10.0)], abs=1e-5)


def test_a_start_that_is_moved_needs_no_analysis_of_its_own():
    n = 60  # with algebraic ends, given wrongly

    def residual(u):
        return np.concatenate([[u[0] ** 3 + u[0] - 2], 2 * u[1:-1] - u[2:] - u[:-2], [u[-1]]])

    inside = np.ones(n)
    inside[[0, -1]] = 0.0
    problem = Problem(residual, storage=lambda u: inside * u)
    for start in ("consistent", "steady"):
        run = problem.transient(np.full(n, 3.0), (0.0, 1.0), start=start)
        assert run.states[0][0] == pytest.approx(1.0, abs=1e-4)
        assert run.stats.n_analyze == (start == "consistent")


def test_one_analysis_serves_a_sweep_of_runs():
    n = 300
    diffusion = Problem(
        lambda u, k: k * np.concatenate([[u[0]], 2 * u[1:-1] - u[2:] - u[:-2], [u[-1]]]),
        params={"k": 1.0},
        storage=lambda u: 1.0 * u,
    )
    first = diffusion.transient(np.linspace(0, 1, n), (0.0, 1.0))
    again = [diffusion.at(k=k).transient(np.linspace(0, 1, n), (0.0, 1.0)) for k in (2.0, 3.0)]
    assert [run.stats.n_analyze for run in (first, *again)] == [1, 0, 0]


@by_method
def test_the_time_of_evaluations_is_counted(steps):
    def residual(x):
        time.sleep(1e-3)
        return x

    problem = Problem(residual, storage=lambda x: 1.0 * x)
    stats = problem.transient(np.ones(3), (0.0, 0.1), rtol=1e-3, steps=steps).stats
    assert stats.seconds["residual"] >= 1e-3 * stats.nfev
    assert stats.seconds["jacobian"] >= 1e-3 * stats.njev
    assert stats.seconds["solve"] > 0.0


def test_a_condition_between_rows_of_the_last_step_ends_the_run():
    """One step leads to the end, past four rows; the condition holds at the third of them."""
    problem = Problem(lambda v: 0.0 * v - 1.0, storage=lambda v: 1.0 * v)
    times = [0.0, 0.2, 0.4, 0.6, 0.8]
    steps = {"steps": FixedSteps("backward Euler", 1.0), "times": times}
    assert problem.transient([0.0], (0.0, 1.0), **steps)["t"].tolist() == times
    run = problem.transient([0.0], (0.0, 1.0), until=lambda v: v[0] > 0.35, **steps)
    assert run["t"].tolist() == times[:3]
    assert run.status is Status.STOP_CONDITION


def test_a_callback_ends_the_run(capsys):
    problem = Problem(lambda v: v, storage=lambda v: 1.0 * v)
    run = problem.transient([1.0], (0.0, 1.0), callback=lambda point: point.p > 0.5, verbose=True)
    assert 0.5 < run["t"][-1] < 1.0
    assert run.status is Status.STOP_CONDITION
    assert len(capsys.readouterr().out.splitlines()) >= len(run)


@pytest.mark.parametrize("power", [1, 3, 5])
@pytest.mark.parametrize("size", [1.0, 1e250, 1e-250])
def test_events_of_any_size_and_of_a_high_order_are_found(power, size):
    """Products of such values overflow or underflow; a zero of order 3 converges slowly."""
    problem = Problem(lambda y: -1.0 + 0 * y, storage=lambda y: 1.0 * y)
    run = problem.transient(
        [0.0], (0.0, 2.0), events={"one": lambda y: size * (y[0] - 1.0) ** power}, stop="one"
    )
    assert run["t"][-1] == pytest.approx(1.0, abs=1e-9)


def test_a_run_ends_after_a_number_of_events():
    problem = Problem(lambda y: -1.0 + 0 * y, storage=lambda y: 1.0 * y)
    options = {"events": {"wave": lambda y: np.sin(y[0])}}
    run = problem.transient([1.0], (0.0, 20.0), stop={"wave": 3}, max_step=1.0, **options)
    assert run["t"][-1] == pytest.approx(3 * np.pi - 1.0, abs=1e-3)
    assert len(run.special_points) == 3
    with pytest.raises(ValueError, match="stop: 'wave' must occur a number of times, not 0"):
        problem.transient([1.0], (0.0, 20.0), stop={"wave": 0}, **options)


@pytest.mark.parametrize("ulps", [-2, -1, 0, 1, 2])
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_an_event_at_the_end_of_a_step_is_found_there(ulps, side):
    """The value there and that of the polynomial of the next step may differ in sign."""
    problem = Problem(lambda y: -1.0 + 0 * y, storage=lambda y: 1.0 * y)
    level = problem.transient([0.0], (0.0, 2.0)).states[12, 0]
    level += ulps * np.spacing(level)
    event = {"level": lambda y: side * (y[0] - level) * (y[0] + 1.0)}
    run = problem.transient([0.0], (0.0, 2.0), events=event)
    assert [one.parameter for one in run.special_points] == pytest.approx([level], abs=1e-11)


@by_method
@pytest.mark.parametrize("rtol", [1e-6, 1e-8, 1e-10])
def test_an_event_is_located_also_where_the_tolerance_is_near_rounding(steps, rtol):
    problem = Problem(lambda y: -1.0 + 0 * y, storage=lambda y: 1.0 * y)
    event = {"two": lambda y: y[0] * (y[0] - 2.0)}
    run = problem.transient([0.0], (0.0, 5.0), steps=steps, rtol=rtol, atol=1e-6, events=event)
    assert [one.parameter for one in run.special_points] == pytest.approx([2.0], abs=1e-9)
