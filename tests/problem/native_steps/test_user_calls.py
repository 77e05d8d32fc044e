"""Steps in machine code that calls the user's code are the steps of Python, errors included."""

import numpy as np
import pytest

from sgsolve import PartialBranchWarning, Problem, Status
from sgsolve.errors import DomainError
from sgsolve.linear import Dense
from sgsolve.problem.native_steps import held_loops, user_calls
from sgsolve.problem.native_steps.native_steps import NativeSteps
from sgsolve.problem.native_steps.user_calls import UserCalls
from sgsolve.transient import Pulse
from tests.problem.native_steps.equations_of_steps import KINDS, OPTIONS, assert_same, few, waves
from tests.selection import slow

pytest.importorskip("llvmlite")


@pytest.fixture
def made(monkeypatch):
    """How many steps each call of machine code makes."""
    count, told = [], NativeSteps._told
    monkeypatch.setattr(NativeSteps, "_told", lambda s, it, k: count.append(k) or told(s, it, k))
    return count


def run(kind, native=True, **options):
    residual, charge, x0, end = kind()
    with pytest.MonkeyPatch.context() as patch:
        if not native:
            patch.setattr(NativeSteps, "serves", staticmethod(lambda stepper: False))
        problem = Problem(residual, storage=charge)
        return problem.transient(x0, (0.0, end), **{"rtol": 1e-5, **options})


@pytest.mark.parametrize("kind", KINDS)
def test_steps_are_those_of_python(kind, made):
    found = run(kind)
    assert sum(made) > 0.9 * len(found)
    expected = run(kind, native=False)
    assert_same(found, expected)
    counts = ("nit", "njev", "n_factor", "n_compiled")
    assert [getattr(found.stats, k) for k in counts] == [getattr(expected.stats, k) for k in counts]


@pytest.mark.parametrize("name", OPTIONS)
def test_options_of_a_run_hold(name, made):
    found = run(few, **OPTIONS[name])
    assert sum(made) > 5
    expected = run(few, native=False, **OPTIONS[name])
    assert_same(found, expected)
    assert found.status is expected.status


def test_all_evaluations_are_counted(made):
    calls = []

    def residual(u):
        calls.append(type(u) is np.ndarray)
        return u * u - 3.0 * np.sin(5.0 * u)

    problem = Problem(residual, storage=lambda u: 1.0 * u)
    problem.transient([1.0, 2.0], (0.0, 1e-6))
    calls.clear()
    found = problem.transient([1.0, 2.0], (0.0, 3.0), rtol=1e-8)
    starts = 4  # the checks of the residual, and the start
    assert sum(made) > 50
    assert found.stats.nfev <= sum(calls) <= found.stats.nfev + starts
    assert found.stats.seconds["residual"] > 0.0


def test_sources_with_breakpoints_take_several_steps_in_a_call(made):
    pulse = Pulse(0.0, 1.0, delay=1.0, rise=0.1, width=1.0, fall=0.1)
    problem = Problem(lambda u, s: u - s, storage=lambda u: 1.0 * u, params={"s": pulse})
    found = problem.transient([0.0, 0.0], (0.0, 6.0), rtol=1e-6)
    assert max(made) > 3

    def solution(t):  # of u' = s - u on the ramps and between them
        def ramp(s):
            return np.where(s > 0.0, s - 1.0 + np.exp(-np.maximum(s, 0.0)), 0.0)

        return 10.0 * (ramp(t - 1.0) - ramp(t - 1.1) - ramp(t - 2.1) + ramp(t - 2.2))

    assert np.abs(found.states[:, 0] - solution(found["t"])).max() < 3e-5


def test_an_error_of_the_code_is_raised_as_it_is(made):
    def residual(u):
        if u[0] > 2.0:
            raise ValueError("u is beyond the model")
        return -u

    problem = Problem(residual, storage=lambda u: 1.0 * u)
    with pytest.raises(ValueError, match="beyond the model") as caught:
        problem.transient([1.0, 0.5], (0.0, 2.0))
    assert made
    assert 1.5 < caught.value.branch.x[0] <= 2.0


def test_a_state_outside_of_the_model_shortens_a_step(made):
    def residual(u):
        if u.min() < 0.0:
            raise DomainError("u is negative")
        return np.sqrt(u) + 1e-3

    runs = [
        Problem(residual, storage=lambda u: 1.0 * u).transient([1.0, 2.0], (0.0, 1.9), rtol=1e-3)
        for _ in range(2)
    ]
    assert sum(made) > 20
    assert runs[0].success
    root = np.sqrt(runs[0].x)
    # t = 2 (a - b) - 2 c log((a + c) / (b + c)) for u' = -(sqrt(u) + c), from a^2 to b^2
    a, c = np.sqrt([1.0, 2.0]), 1e-3
    assert 2.0 * (a - root) - 2.0 * c * np.log((a + c) / (root + c)) == pytest.approx(1.9, rel=1e-2)


def test_an_interrupted_run_hands_back_its_points():
    calls = []

    def residual(u):
        calls.append(1)
        if len(calls) == 60:
            raise KeyboardInterrupt
        return u

    problem = Problem(residual, storage=lambda u: 1.0 * u)
    with pytest.warns(PartialBranchWarning, match="keyboard"):
        found = problem.transient([1.0, 2.0], (0.0, 1.0), rtol=1e-9)
    assert found.status is Status.INTERRUPTED
    assert found.x == pytest.approx(np.exp(-found["t"][-1]) * np.array([1.0, 2.0]), rel=1e-7)
    again = problem.transient([1.0, 2.0], (0.0, 1.0), rtol=1e-9)
    assert again.x == pytest.approx(np.exp(-1.0) * np.array([1.0, 2.0]), rel=1e-7)


def test_an_interruption_outside_of_the_code_is_not_lost(monkeypatch, made):
    monkeypatch.setattr(UserCalls, "_enter", lambda self, *_: 0)
    with pytest.warns(PartialBranchWarning, match="keyboard"):
        found = run(few)
    assert found.status is Status.INTERRUPTED
    assert not made


def test_long_evaluations_let_python_look_at_each_step(monkeypatch, made):
    now = iter(range(1_000_000))
    monkeypatch.setattr(user_calls, "perf_counter", lambda: next(now))
    found = run(waves)
    assert set(made) == {1}
    assert_same(found, run(waves, native=False))


def test_python_makes_the_steps_of_very_many_unknowns(monkeypatch, made):
    monkeypatch.setattr(held_loops, "MOST_UNKNOWNS", 2)
    assert run(few).success
    assert not made


def test_a_resumed_run_is_the_uninterrupted_one(tmp_path, made):
    whole, path = run(waves), tmp_path / "run.npz"
    part, limit = run(waves, checkpoint=path, max_steps=7), 7
    while not part.success:
        limit += 40
        part = run(waves, checkpoint=path, resume=True, max_steps=limit)
    assert np.array_equal(part.states, whole.states)
    for name in whole.columns:
        assert np.array_equal(part[name], whole[name]), name


def oregonator():
    """Three species whose rates differ by six orders: the factors of the matrix's rows change."""

    def residual(y):
        return np.stack(
            [
                -77.27 * (y[1] + y[0] * (1 - 8.375e-6 * y[0] - y[1])),
                -(y[2] - (1 + y[0]) * y[1]) / 77.27,
                -0.161 * (y[0] - y[2]),
            ]
        )

    return residual, lambda y: 1.0 * y, [1.0, 2.0, 3.0], 60.0


def assert_equal_bits(found, expected):
    assert np.array_equal(found.states, expected.states)
    for name in expected.columns:
        assert np.array_equal(found[name], expected[name]), name
    counts = ("nit", "njev", "n_factor")  # a step that fails behind others is evaluated twice
    assert [getattr(found.stats, k) for k in counts] == [getattr(expected.stats, k) for k in counts]


@pytest.mark.parametrize("kind", [*KINDS, oregonator])
@pytest.mark.parametrize("seed", [0, *slow(1, 2, 3)])
def test_how_many_steps_a_call_makes_changes_no_bit(kind, seed, monkeypatch, made):
    expected, random = run(kind), np.random.default_rng(seed)
    assert max(made) > 3
    monkeypatch.setattr(NativeSteps, "_most", lambda *_: int(random.integers(1, 5)) if seed else 1)
    assert_equal_bits(run(kind), expected)


@pytest.mark.parametrize("kind", [waves, oregonator])
def test_a_run_does_not_depend_on_runs_before_it(kind):
    residual, charge, x0, end = kind()
    used, fresh = (Problem(residual, storage=charge) for _ in range(2))
    used.transient(1.3 * np.array(x0), (0.0, 0.3 * end), rtol=1e-3)
    found = used.transient(x0, (0.0, end), rtol=1e-5)
    assert_equal_bits(found, fresh.transient(x0, (0.0, end), rtol=1e-5))


@pytest.mark.parametrize("length", [1, 7, *slow(50)])
def test_a_run_in_parts_has_the_bits_of_the_whole_one(length, tmp_path):
    whole, path = run(oregonator), tmp_path / "run.npz"
    part = run(oregonator, checkpoint=path, max_steps=length)
    for k in range(2, 5):
        part = run(oregonator, checkpoint=path, resume=True, max_steps=length * k)
    part = run(oregonator, checkpoint=path, resume=True)
    assert np.array_equal(part.states, whole.states)
    for name in whole.columns:
        assert np.array_equal(part[name], whole[name]), name


WATCHING = {
    "callback": lambda turn: {"callback": lambda point: turn(point.p)},
    "outputs": lambda turn: {"outputs": {"turned": lambda u, t: float(bool(turn(t)))}},
    "events": lambda turn: {"events": {"turned": lambda u, t: 1.0 + bool(turn(t))}},
    "until": lambda turn: {"until": lambda u, t: bool(turn(t))},
}


@pytest.mark.parametrize("name", WATCHING)
def test_what_code_between_steps_changes_is_seen_by_the_next_step(name, made):
    def turned(native):
        rate = np.array([1.0])

        def turn(t):
            rate[0] = 1.0 if t < 1.0 else -0.5

        problem = Problem(lambda u: rate[0] * u, storage=lambda u: 1.0 * u)
        with pytest.MonkeyPatch.context() as patch:
            if not native:
                patch.setattr(NativeSteps, "serves", staticmethod(lambda stepper: False))
            return problem.transient([1.0, 2.0], (0.0, 2.0), rtol=1e-6, **WATCHING[name](turn))

    found = turned(native=True)
    assert set(made) == {1}
    expected = turned(native=False)
    assert_same(found, expected)
    assert found.x[0] > 0.5 > 2.0 * np.exp(-2.0)  # where it goes without the change


def test_rows_let_outputs_be_called_behind_several_steps(made):
    run(few, times=[0.0, 1.5, 3.0], outputs={"sum": lambda u: u.sum()})
    assert max(made) > 3


class Own(Dense):
    """A back end that a user derives."""


def test_a_back_end_of_the_user_factorizes_itself(made):
    problem = Problem(lambda u: u, storage=lambda u: 1.0 * u, backend=Own)
    assert problem.transient([1.0, 2.0], (0.0, 1.0)).success
    assert not made


def test_updates_of_rounding_fail_no_step(made):
    def flow(u):
        x, fast, z = u
        return np.stack([x - fast - z, 1e3 * fast - z, 1.0 - z - x + 2.0 * fast])

    problem = Problem(flow, storage=lambda u: np.array([1.0, 1.0, 0.0]) * u)
    found = problem.transient([1.0, 0.0, 0.0], (0.0, 1.0), rtol=1e-12, atol=1e-14)
    assert found.success
    assert "0 by Newton's iteration" in found.message
    assert sum(made) > 0.9 * len(found)
