"""A run that is interrupted and resumed computes the same, bit for bit."""

import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest

from sgsolve import Checkpoint, Problem
from sgsolve.errors import CheckpointError
from sgsolve.results.branch import PartialBranchWarning
from sgsolve.results.status import Status
from sgsolve.transient import Bdf, RungeKutta, TimeEvent
from tests.killed_runs import killed_after_a_checkpoint
from tests.selection import slow
from tests.transient.transient_to_be_killed import run as run_to_the_end


def oscillator():
    """A relaxation oscillator behind a low pass: events that change the state, and a source."""

    def residual(u, t):
        return np.stack([u[0] - u[1] - 0.1 * np.sin(t), 0 * u[1], u[2] ** 3 + u[2] - u[0]])

    return Problem(residual, storage=lambda u: u * np.array([1.0, 1.0, 0.0]))


def run(steps, **options):
    flip = {name: lambda u: np.array([u[0], -u[1], u[2]]) for name in ("up", "down")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return oscillator().transient(
            [0.0, 1.0, 0.0],
            (0.0, 10.0),
            steps=steps,
            rtol=1e-3,
            events={"up": lambda u: u[0] - 0.5, "down": lambda u: u[0] + 0.5},
            on_event=flip,
            breakpoints=[3.0, 4.5],
            outputs={"sum": lambda u: u.sum()},
            **options,
        )


@pytest.mark.parametrize("steps", [Bdf(), RungeKutta()], ids=repr)
@pytest.mark.parametrize("every", [1, *slow(7)])
def test_a_resumed_run_is_the_uninterrupted_one(steps, every, tmp_path):
    whole = run(steps)
    path = tmp_path / "run.npz"
    length = every if every > 1 else len(whole) // 3
    part = run(steps, checkpoint=path, max_steps=length)
    while not part.success:
        assert part.status is Status.MAX_POINTS
        part = run(steps, checkpoint=path, resume=True, max_steps=len(part) + length)
    assert list(part.columns) == list(whole.columns)
    for name in whole.columns:
        assert np.array_equal(part[name], whole[name]), name
    assert np.array_equal(part.states, whole.states)
    assert [repr(one) for one in part.special_points] == [repr(one) for one in whole.special_points]


def test_ctrl_c_hands_back_what_is_there(tmp_path):
    path, whole = tmp_path / "run.npz", run(Bdf())
    calls = []

    def interrupting(point):
        calls.append(point.p)
        if len(calls) == 40:
            raise KeyboardInterrupt

    part = run(Bdf(), checkpoint=path, callback=interrupting)
    assert part.status is Status.INTERRUPTED
    assert 0 < len(part) < len(whole)
    again = run(Bdf(), checkpoint=path, resume=True)
    assert np.array_equal(again.states, whole.states)


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    path = tmp_path / "run.npz"
    run(Bdf(), checkpoint=path, max_steps=5)
    with pytest.raises(CheckpointError, match="method"):
        run(RungeKutta(), checkpoint=path, resume=True)


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_is_the_uninterrupted_one(tmp_path):
    path, random = tmp_path / "run.npz", np.random.default_rng(3)
    whole = run_to_the_end(None)
    program = Path(__file__).with_name("transient_to_be_killed.py")
    for delay in random.uniform(0.0, 0.05, 50):
        assert killed_after_a_checkpoint(program, (), path, delay)
    part = run_to_the_end(path)
    assert len(part) == len(whole)
    assert np.allclose(part.states, whole.states, rtol=1e-12, atol=0.0)
    assert np.array_equal(part["t"], whole["t"])
    assert len(part.special_points) == len(whole.special_points) > 0


falling = Problem(lambda u: np.stack([-u[1], 9.81 + 0.0 * u[0]]), storage=lambda u: 1.0 * u)


def bounced(steps, **options):
    return falling.transient(
        [1.0, 0.0],
        (0.0, 1.2),
        steps=steps,
        rtol=1e-6,
        events={"ground": TimeEvent(lambda u: u[0], -1)},
        on_event={"ground": lambda u: np.array([0.0, -0.5 * u[1]])},
        **options,
    )


@pytest.mark.parametrize("times", [np.linspace(0.0, 1.2, 13), *slow(None)])
@pytest.mark.parametrize("steps", [Bdf(), *slow(RungeKutta())])
def test_a_run_killed_after_any_write_continues_with_the_actions_of_its_events(
    steps, times, tmp_path, monkeypatch
):
    whole, files, write = bounced(steps, times=times), [], Checkpoint.write

    def copied(self, *content):
        write(self, *content)
        files.append(shutil.copy(self.path, tmp_path / f"{len(files)}.npz"))

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, "write", copied)
        bounced(steps, times=times, checkpoint=Checkpoint(tmp_path / "run.npz", points=1))
    hits = [one.parameter for one in whole.special_points]
    assert len(hits) == 3
    assert len(files) > 6
    if times is None:  # a file after each row: those of the events
        files = [files[k] for k, t in enumerate(whole["t"]) if t in hits]
    for file in files:
        again = bounced(steps, times=times, checkpoint=file, resume=True)
        assert np.array_equal(again["t"], whole["t"])
        assert np.array_equal(again.states, whole.states)
        assert len(again.special_points) == 3


def test_a_run_interrupted_in_an_action_makes_the_step_again(tmp_path):
    path, whole, times = tmp_path / "run.npz", bounced(Bdf()), []

    def hit(u):
        times.append(len(times))
        if len(times) == 2:
            raise KeyboardInterrupt
        return np.array([0.0, -0.5 * u[1]])

    def run():
        return falling.transient(
            [1.0, 0.0],
            (0.0, 1.2),
            rtol=1e-6,
            events={"ground": TimeEvent(lambda u: u[0], -1)},
            on_event={"ground": hit},
            checkpoint=path,
            resume=True,
        )

    with pytest.warns(PartialBranchWarning):
        part = run()
    assert part.status is Status.INTERRUPTED
    again = run()
    assert np.array_equal(again["t"], whole["t"])
    assert np.array_equal(again.states, whole.states)


def test_remarks_of_the_part_before_are_told_after_it_is_resumed(tmp_path):
    path = tmp_path / "run.npz"
    problem = Problem(
        lambda u: np.stack([u[0] - u[1], u[1] ** 3 + u[1] - u[0] - 1.0]),
        storage=lambda u: u * np.array([1.0, 0.0]),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        problem.transient([1.0, 0.0], (0.0, 1.0), checkpoint=path, max_steps=5)
    run = problem.transient([1.0, 0.0], (0.0, 1.0), checkpoint=path, resume=True)
    assert run.success
    assert run.message.count("did not meet the algebraic equations and was moved") == 1
