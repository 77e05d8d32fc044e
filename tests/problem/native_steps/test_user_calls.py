"""Steps in machine code that calls the user's code are the steps of Python, errors included."""

import numpy as np
import pytest

from sgsolve import PartialBranchWarning, Problem, Status
from sgsolve.errors import DomainError
from sgsolve.problem.native_steps import held_loops, user_calls
from sgsolve.problem.native_steps.native_steps import NativeSteps
from sgsolve.problem.native_steps.user_calls import UserCalls
from sgsolve.transient import Pulse
from tests.problem.native_steps.equations_of_steps import KINDS, OPTIONS, assert_same, few, waves

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


def test_loops_are_made_behind_many_steps(monkeypatch, made):
    monkeypatch.setattr(held_loops, "LOOPS", held_loops.CompiledLoops(*held_loops.LOOPS.entries))
    monkeypatch.setattr(held_loops, "LOADED", 30)
    monkeypatch.setattr(held_loops, "COMPILED", 30)
    found = run(waves)
    first = sum(made)
    assert 0 < first <= len(found) - 30
    run(waves)
    assert sum(made) > first + len(found) - 30


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
