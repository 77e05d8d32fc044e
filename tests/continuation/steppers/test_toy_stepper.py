"""A third kind of run, by its stepper alone: the explicit Euler method in time.

Events, outputs, conditions to stop, checkpoints and their resumption come with the loop.
"""

import numpy as np
import pytest

from sgsolve import PartialBranchWarning, Status
from sgsolve.continuation.locating.events import Event
from sgsolve.continuation.runs.follow import StopRule, follow
from sgsolve.continuation.runs.options import RunOptions
from sgsolve.continuation.runs.run import Run, detectors_of
from sgsolve.continuation.runs.view import View
from sgsolve.continuation.stepper import Point, Rejection, RunState, Stepper
from sgsolve.solvers.state.workspace import Workspace


class Euler(Stepper):
    """x' = f(x) from x0 at t = 0 to an end, in steps of h; halved where f is not finite."""

    def __init__(self, f, x0, end, h):
        self.f, self.x0, self.end, self.h = f, x0, end, h

    def start(self, state):
        state.step = self.h
        return Point(self.x0, 0.0)

    def attempt(self, state):
        here = state.point
        h = min(state.step, self.end - here.p)
        x = here.x + h * self.f(here.x)
        if not np.isfinite(x).all():
            return Rejection(here.p + h, "the state is not finite", "values")
        ending = "the end is reached" if here.p + h >= self.end else ""
        return Point(x, here.p + h, s=here.p + h, ending=ending)

    def between(self, a, b, t):
        p = a.p + t * (b.p - a.p)
        return Point(a.x + t * (b.x - a.x), p, s=p)

    def reject(self, state, rejection):
        state.step *= 0.5
        return state.step > 1e-3 * self.h


def run(stepper, **asked):
    options = RunOptions.of(("t",), (), **asked)
    view = View(
        names=("t",), params={}, moved=lambda x, t: {"t": t}, place=lambda t: f"t = {t:.6g}"
    )
    detectors = detectors_of(options, view, len(stepper.x0))
    return Run(
        stepper=stepper,
        options=options,
        view=view,
        detectors=detectors,
        workspace=Workspace(),
        summary=lambda state: f"{state.n_rows} points: {state.ending}",
    ).go()


def decay(x):
    return -x


def test_rows_outputs_and_the_end():
    branch = run(Euler(decay, np.array([1.0]), 1.0, 0.25), outputs={"twice": lambda x: 2 * x[0]})
    assert branch.success
    assert branch["t"].tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert branch["twice"] == pytest.approx(2 * 0.75 ** np.arange(5.0))
    assert branch.states[:, 0] == pytest.approx(0.75 ** np.arange(5.0))


def test_an_event_is_located_and_can_end_the_run():
    half = {"half": lambda x, t: x[0] - 0.6}
    branch = run(Euler(decay, np.array([1.0]), 1.0, 0.25), events=half, stop="half")
    # on the chord from 0.75 at t = 0.25 to 0.5625 at t = 0.5
    assert branch["t"][-1] == pytest.approx(0.25 + 0.25 * 0.15 / 0.1875, abs=1e-12)
    assert branch.message.endswith("as asked")


def test_a_condition_ends_the_run():
    branch = run(Euler(decay, np.array([1.0]), 9.0, 0.5), until=lambda x: x[0] < 0.3)
    assert branch.states[:, 0].tolist() == [1.0, 0.5, 0.25]
    assert branch.success


def test_a_step_that_cannot_be_made_ends_it_with_its_reason():
    pole = Euler(lambda x: np.where(x > -1.0, -1.0, np.nan), np.array([0.0]), 9.0, 0.5)
    with pytest.warns(PartialBranchWarning, match="the state is not finite"):
        branch = run(pole)
    assert branch.status is Status.STEP_TOO_SMALL
    assert branch.states[-1, 0] == -1.0
    assert len(branch.rejected) == 10


def test_interrupted_and_resumed_it_gives_the_same(tmp_path):
    calls = []

    def top(x):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return x[0]

    options = {"outputs": {"top": top}, "checkpoint": tmp_path / "run.npz", "resume": True}
    with pytest.warns(PartialBranchWarning, match="interrupted"):
        part = run(Euler(decay, np.array([1.0]), 1.0, 0.125), **options)
    assert len(part) == 3
    whole = run(Euler(decay, np.array([1.0]), 1.0, 0.125), **options)
    assert whole["top"].tolist() == (0.875 ** np.arange(9.0)).tolist()
    assert len(calls) == 4 + 9 - 3  # no row twice


def test_the_action_of_an_event_changes_the_state():
    """A ball that falls at constant speed is thrown back to 1 whenever it comes to 0."""
    ball = Euler(lambda x: np.array([-1.0]), np.array([1.0]), 3.5, 0.3)
    floor = Event("floor", lambda x, t: x[0], action=lambda x, t: np.array([1.0]))
    state = RunState()
    follow(ball, state, (floor,), StopRule())
    assert state.status.success
    assert [one.parameter for one in state.special_points] == pytest.approx([1.0, 2.0, 3.0])
    assert state.point.x[0] == pytest.approx(0.5)
