"""A run that is interrupted and resumed computes the same, bit for bit."""

import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from sgsolve import Problem
from sgsolve.errors import CheckpointError
from sgsolve.results.status import Status
from sgsolve.transient import Bdf, RungeKutta
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
@pytest.mark.parametrize("every", [1, 7])
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


def killed_after_a_checkpoint(program, path, delay):
    """Start the program, and kill it once it has written the file; False if it ends by itself."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    process = subprocess.Popen([sys.executable, str(program), str(path)])
    while process.poll() is None:
        if path.exists() and path.stat().st_mtime_ns != before:
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.002)
    return process.wait() == -signal.SIGKILL


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_is_the_uninterrupted_one(tmp_path):
    path, random = tmp_path / "run.npz", np.random.default_rng(3)
    whole = run_to_the_end(None)
    program = Path(__file__).with_name("transient_to_be_killed.py")
    kills = [killed_after_a_checkpoint(program, path, random.uniform(0.0, 0.05)) for _ in range(50)]
    assert all(kills)
    part = run_to_the_end(path)
    assert len(part) == len(whole)
    assert np.allclose(part.states, whole.states, rtol=1e-12, atol=0.0)
    assert np.array_equal(part["t"], whole["t"])
    assert len(part.special_points) == len(whole.special_points) > 0
