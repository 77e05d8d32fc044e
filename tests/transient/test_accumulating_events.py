"""Events that follow right after a restart, and events that accumulate at a time."""

import warnings

import numpy as np
import pytest

from sgsolve import Problem, Status, solve_ivp
from sgsolve.errors import InputError
from sgsolve.results.branch import PartialBranchWarning
from sgsolve.transient import Bdf, FixedSteps, RungeKutta, TimeEvent
from tests.selection import slow

by_method = pytest.mark.parametrize(
    "steps", [Bdf(), *slow(RungeKutta("TR-BDF2"), RungeKutta("ESDIRK4"))], ids=repr
)
G = 9.81


def falling(u):
    return np.stack([-u[1], G + 0.0 * u[0]])


ball = Problem(falling, storage=lambda u: 1.0 * u)


def down(function):
    return TimeEvent(function, direction=-1)


def landing_times(e, n, height=1.0):
    """Return the times of the first n hits in closed form."""
    fall = np.sqrt(2.0 * height / G)
    return fall * (1.0 + 2.0 * np.cumsum(np.append(0.0, e ** np.arange(1.0, n))))


def limit(e, height=1.0):
    return np.sqrt(2.0 * height / G) * (1.0 + e) / (1.0 - e)


def times_of(run, kind):
    return np.array([one.parameter for one in run.special_points if one.kind == kind])


def partial(problem, *args, **options):
    with pytest.warns(PartialBranchWarning):
        return problem.transient(*args, progress=False, **options)


def bounced(e, floor=0.0, size=1.0, direction=-1, keep=True, **options):
    """Return the run of a ball that falls on a floor from a height of 1."""
    return partial(
        ball,
        [floor + 1.0, 0.0],
        (0.0, 12.0),
        events={"ground": TimeEvent(lambda u: size * (u[0] - floor), direction=direction)},
        on_event={"ground": lambda u: np.array([u[0] if keep else floor, -e * u[1]])},
        **options,
    )


@by_method
@pytest.mark.parametrize("e", [0.5, *slow(0.8)])
def test_a_bouncing_ball_ends_where_its_hits_accumulate(steps, e):
    run = bounced(e, steps=steps, rtol=1e-6)
    assert run.status is Status.STEP_TOO_SMALL
    assert not run.success
    assert "events of 'ground' accumulate at t = " in run.message
    times = times_of(run, "ground")
    assert times[-1] == pytest.approx(limit(e), abs=1e-5)
    n = 15  # whose flights are longer than what the tolerance leaves of a time
    assert times[:n] == pytest.approx(landing_times(e, n), abs=2e-5)
    assert np.all(np.diff(times) > 0.0)
    assert np.diff(times)[-1] < 1e-10
    assert run.states[:, 0].min() > -1e-9


@pytest.mark.parametrize("e", [0.1, *slow(0.02, 0.7)])
@pytest.mark.parametrize("direction", [-1, *slow(0)])
def test_hits_accumulate_at_any_restitution(e, direction):
    run = bounced(e, direction=direction, steps=RungeKutta("TR-BDF2"), rtol=1e-5)
    assert "accumulate" in run.message
    assert run["t"][-1] == pytest.approx(limit(e), abs=1e-4)


@pytest.mark.parametrize("keep", [True, *slow(False)])
@pytest.mark.parametrize(
    ("floor", "size"), [(0.0, 1e-200), (100.0, 1.0), *slow((0.0, 1e200), (-1e3, 1e12))]
)
def test_rounding_of_the_event_and_its_size_do_not_hide_hits(floor, size, keep):
    run = bounced(0.6, floor, size, keep=keep, rtol=1e-6, atol=1e-6)
    assert "ground" in run.message
    assert "accumulate" in run.message
    assert run["t"][-1] == pytest.approx(limit(0.6), abs=5e-3)
    assert run.states[:, 0].min() - floor > -1e-8


@by_method
@pytest.mark.parametrize("height", [1.0, *slow(2.0)])
def test_two_balls_hit_the_floor_at_the_same_time_or_not(steps, height):
    def both(u):
        return np.concatenate([falling(u[:2]), falling(u[2:])])

    run = partial(
        Problem(both, storage=lambda u: 1.0 * u),
        [1.0, 0.0, height, 0.0],
        (0.0, 6.0),
        steps=steps,
        rtol=1e-6,
        events={"a": down(lambda u: u[0]), "b": down(lambda u: u[2])},
        on_event={
            "a": lambda u: u * np.array([1.0, -0.5, 1.0, 1.0]),
            "b": lambda u: u * np.array([1.0, 1.0, 1.0, -0.8]),
        },
    )
    assert "events of 'a' accumulate" in run.message
    first = times_of(run, "b")
    assert first[0] == pytest.approx(np.sqrt(2 * height / G), abs=1e-5)
    assert len(first) == (2 if height == 1.0 else 1)
    assert run.states[:, [0, 2]].min() > -1e-9


def test_events_without_an_action_are_listed_beside_one_with_an_action():
    run = ball.transient(
        [1.0, 0.0],
        (0.0, 2.0),
        rtol=1e-6,
        progress=False,
        events={name: down(lambda u: u[0]) for name in ("before", "ground", "log")},
        on_event={"ground": lambda u: u * np.array([1.0, -0.8])},
    )
    assert run.success
    for kind in ("before", "ground", "log"):
        assert times_of(run, kind) == pytest.approx(landing_times(0.8, 3), abs=2e-5)


@by_method
def test_an_action_that_leaves_the_direction_counts_each_zero_once(steps):
    problem = Problem(lambda u: np.stack([-u[1], u[0], 0 * u[2]]), storage=lambda u: 1.0 * u)
    run = problem.transient(
        [0.0, 1.0, 0.0],
        (0.0, 30.0),
        rtol=1e-5,
        steps=steps,
        events={"zero": lambda u: u[0]},
        on_event={"zero": lambda u: u + np.array([0.0, 0.0, 1.0])},
    )
    assert run.success
    assert run.x[2] == pytest.approx(9.0)
    assert len(run.special_points) == 9


@by_method
def test_a_thermostat_with_hysteresis_runs_on(steps):
    problem = Problem(lambda u: np.stack([u[0] - 20 * u[1], 0 * u[1]]), storage=lambda u: 1.0 * u)
    run = problem.transient(
        [10.0, 1.0],
        (0.0, 1.0),
        rtol=1e-4,
        steps=steps,
        progress=False,
        events={"low": down(lambda u: u[0] - 9.9), "high": lambda u: u[0] - 10.1},
        on_event={"low": lambda u: np.array([u[0], 1.0]), "high": lambda u: np.array([u[0], 0.0])},
    )
    assert run.success
    period = np.log(10.1 / 9.9) + np.log((20 - 9.9) / (20 - 10.1))
    assert np.diff(times_of(run, "low")) == pytest.approx(period, rel=1e-3)
    assert run.states[1:, 0].min() > 9.9 - 1e-9
    assert run.states[:, 0].max() < 10.1 + 1e-9


@pytest.mark.slow
def test_thousands_of_switchings_are_no_accumulation():
    problem = Problem(lambda u: np.stack([u[0] - 20 * u[1], 0 * u[1]]), storage=lambda u: 1.0 * u)
    run = problem.transient(
        [10.0, 1.0],
        (0.0, 0.4),
        rtol=1e-4,
        progress=False,
        events={"low": down(lambda u: u[0] - 9.999), "high": lambda u: u[0] - 10.001},
        on_event={"low": lambda u: np.array([u[0], 1.0]), "high": lambda u: np.array([u[0], 0.0])},
    )
    assert run.success
    assert len(run.special_points) == pytest.approx(2000, abs=2)


@by_method
@pytest.mark.parametrize("level", [0.0, 5.0, 28.3125, 1000.0])
def test_a_relay_that_chatters_ends_in_words(steps, level):
    """x' = 0.3 - sign(x - level): no solution with a relay exists after x reaches the level."""
    problem = Problem(lambda u: np.stack([u[1] - 0.3, 0 * u[1]]), storage=lambda u: 1.0 * u)
    run = partial(
        problem,
        [level + 0.5, 1.0],
        (0.0, 3.0),
        rtol=1e-6,
        steps=steps,
        events={
            "down": down(lambda u: u[0] - level),
            "up": TimeEvent(lambda u: u[0] - level, direction=1),
        },
        on_event={"down": lambda u: np.array([u[0], -1.0]), "up": lambda u: np.array([u[0], 1.0])},
    )
    assert run.status is Status.STEP_TOO_SMALL
    assert "accumulate" in run.message
    assert run["t"][-1] == pytest.approx(0.5 / 0.7, abs=1e-6)
    assert len(run) < 500


def test_fixed_steps_that_are_longer_than_a_flight_are_said():
    run = bounced(0.8, steps=FixedSteps("trapezoid", 1e-2))
    assert "event 'ground' returns to zero within the first step" in run.message
    assert "the steps are fixed" in run.message
    assert run["t"][-1] < limit(0.8)
    assert run.states[:, 0].min() > -1e-9


@pytest.mark.parametrize("method", ["BDF", "ESDIRK4"])
@pytest.mark.parametrize("e", [0.3, *slow(0.5)])
def test_solve_ivp_that_is_started_anew_at_each_hit_does_not_miss_one(method, e):
    def ground(t, y):
        return y[0]

    ground.terminal, ground.direction = True, -1
    t, y, hits = 0.0, [1.0, 0.0], []
    for _ in range(60):
        found = solve_ivp(
            lambda t, y: [y[1], -G + 0 * y[0]], (t, 6.0), y, method, events=ground, rtol=1e-6
        )
        if found.status != 1:
            break
        t = found.t[-1]
        y = [found.y[0, -1], -e * found.y[1, -1]]
        hits.append(t)
    assert found.status == -1
    assert "event 0" in found.message
    assert hits[-1] == pytest.approx(limit(e), abs=3e-4)  # the last bounces are lower than atol
    assert hits[:8] == pytest.approx(landing_times(e, 8), abs=2e-5)


@pytest.mark.slow
def test_a_run_that_is_resumed_among_its_hits_is_the_same(tmp_path):
    path = tmp_path / "ball.npz"
    whole = bounced(0.5, rtol=1e-6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PartialBranchWarning)
        for n in range(7, len(whole) + 50, 50):
            options = {"checkpoint": path, "resume": True, "max_steps": n}
            part = ball.transient(
                [1.0, 0.0],
                (0.0, 12.0),
                rtol=1e-6,
                progress=False,
                events={"ground": down(lambda u: 1.0 * (u[0] - 0.0))},
                on_event={"ground": lambda u: np.array([u[0], -0.5 * u[1]])},
                **options,
            )
    assert "accumulate" in part.message
    assert np.array_equal(part["t"], whole["t"])
    assert np.array_equal(part.states, whole.states)


@pytest.mark.parametrize("t0", [1e18, -1e6])
def test_a_run_below_the_resolution_of_time_is_refused(t0):
    calls = []

    def residual(x):
        calls.append(x)
        return x

    problem = Problem(residual, storage=lambda x: 1.0 * x)
    t1 = t0 + 3.0 * np.spacing(abs(t0))
    with pytest.raises(InputError, match=r"rounding resolves times to .* let the time begin at 0"):
        problem.transient([1.0], (t0, t1))
    assert not calls
    with pytest.raises(InputError, match="rounding resolves times to"):
        solve_ivp(lambda t, y: -y, (t0, t1), [1.0])


def test_a_short_run_at_a_late_time_makes_steps_that_are_resolved():
    problem = Problem(lambda x: x, storage=lambda x: 1.0 * x)
    run = problem.transient([1.0], (1e6, 1e6 + 1000 * np.spacing(1e6)), rtol=1e-9)
    assert run.success
    assert np.all(np.diff(run["t"]) > 0.0)
    assert run.x[0] == pytest.approx(np.exp(1e6 - run["t"][-1]), abs=1e-9)


@pytest.mark.parametrize("steps", [Bdf(), RungeKutta(), FixedSteps("BDF2", 1e-2)], ids=repr)
def test_an_action_that_leaves_a_body_at_rest_which_no_equation_holds_is_named(steps):
    def hit(u):
        return np.zeros(len(u))

    options = {"steps": steps, "events": {"ground": down(lambda u: u[0])}}
    fell = ball.transient([1.0, 0.0], (0.0, 1.2), on_event={"ground": hit}, **options)
    assert fell.x[0] < -1.0
    assert "on_event of 'ground' left the event function at rest" in fell.message
    held = Problem(  # the third unknown tells whether the ball falls
        lambda u: np.stack([-u[1], G * u[2], 0.0 * u[2]]), storage=lambda u: 1.0 * u
    )
    rests = held.transient([1.0, 0.0, 1.0], (0.0, 1.2), on_event={"ground": hit}, **options)
    assert np.array_equal(rests.x, np.zeros(3))
    assert "at rest" not in rests.message
    assert len(rests.special_points) == 1


def test_a_thermostat_that_goes_on_through_its_level_is_not_named():
    room = Problem(lambda u: np.stack([u[0] - u[1], u[1] - u[2], 0.0 * u[2]]), storage=lambda u: u)
    run = room.transient(
        [0.0, 0.0, 2.0],
        (0.0, 6.0),
        events={"hot": TimeEvent(lambda u: u[0] - 1.0, 1)},
        on_event={"hot": lambda u: np.array([u[0], u[1], 0.0])},
    )
    assert len(run.special_points) == 1
    assert "at rest" not in run.message


@by_method
def test_events_at_the_same_time_all_act(steps):
    clock = Problem(lambda x: -1.0 + 0.0 * x, storage=lambda x: 1.0 * x)
    events = {"a": lambda x: x[0] - 0.5, "b": lambda x: 2.0 * x[0] - 1.0}
    actions = {"a": lambda x: 2.0 * x, "b": lambda x: x + 10.0}
    run = clock.transient([0.0], (0.0, 1.0), steps=steps, events=events, on_event=actions)
    assert run.x == pytest.approx([2.0 * 0.5 + 10.0 + 0.5])
    assert [one.kind for one in run.special_points] == ["a", "b"]
    run = clock.transient(
        [0.0], (0.0, 1.0), steps=steps, events=events, on_event={"b": actions["b"]}, stop="a"
    )
    assert run.x == pytest.approx([0.5])
    assert [one.kind for one in run.special_points] == ["a", "b"]


@by_method
def test_two_balls_that_hit_the_ground_together_both_bounce(steps):
    both = Problem(
        lambda u: np.stack([-u[1], G + 0.0 * u[0], -u[3], G + 0.0 * u[0]]),
        storage=lambda u: 1.0 * u,
    )
    run = both.transient(
        [1.0, 0.0, 1.0, 0.0],
        (0.0, 1.2),
        steps=steps,
        rtol=1e-6,
        events={"left": down(lambda u: u[0]), "right": down(lambda u: u[2])},
        on_event={
            "left": lambda u: np.array([0.0, -0.5 * u[1], u[2], u[3]]),
            "right": lambda u: np.array([u[0], u[1], 0.0, -0.5 * u[3]]),
        },
    )
    for name in ("left", "right"):
        assert times_of(run, name) == pytest.approx(landing_times(0.5, 3), abs=1e-5)
    assert np.array_equal(run.x[:2], run.x[2:])
