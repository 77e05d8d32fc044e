"""The loop of all runs: what is undone, what is rejected, and when it ends."""

from time import perf_counter

import numpy as np
import pytest

from sgsolve import Problem, Status
from sgsolve.continuation.locating.detector import Detector
from sgsolve.continuation.runs.follow import StopRule, follow
from sgsolve.continuation.stepper import Point, Rejection, RunState, Stepper
from sgsolve.errors import LinearSolveError
from tests.continuation.steppers.test_toy_stepper import Euler, decay


def euler():
    return Euler(decay, np.array([1.0]), 1.0, 0.25)


def test_a_step_that_an_observer_interrupts_is_undone():
    class Breaking:
        def accepted(self, stepper, state, rows):
            if state.n_rows == 3:
                raise OSError("the disk is gone")

    state, stepper = RunState(), euler()
    with pytest.raises(OSError, match="disk"):
        follow(stepper, state, observers=(Breaking(),))
    assert state.n_rows == 2
    assert state.point.p == 0.25
    assert state.before.p == 0.0
    follow(stepper, state)  # and goes on from there
    assert state.n_rows == 5
    assert state.point.x[0] == pytest.approx(0.75**4)


def test_a_deadline_that_has_passed_ends_the_run_after_its_first_point():
    state = RunState()
    follow(euler(), state, rule=StopRule(deadline=perf_counter() - 1.0))
    assert state.status is Status.TIME_LIMIT
    assert state.n_rows == 1


class Singular(Detector):
    """Cannot measure at one place when it comes there first."""

    kind = "nothing"

    def __init__(self, place):
        self.place = place

    def measure(self, stepper, point, before):
        if point.p == self.place:
            self.place = np.nan
            raise LinearSolveError("singular")

    def locate(self, stepper, a, b):
        return []


def test_a_point_at_which_a_detector_meets_a_singular_matrix_is_rejected():
    state = RunState()
    follow(euler(), state, (Singular(0.5),))
    assert state.rejected[0] == (0.25, "the new point is a branch point")
    assert state.status is Status.CONVERGED
    assert state.point.p == 1.0


def test_a_stepper_with_defaults_cannot_go_on_after_a_rejection():
    class Once(Stepper):
        def start(self, state):
            return Point(np.zeros(1), 0.0)

        def attempt(self, state):
            return Rejection(0.0, "it does not step")

    state = RunState()
    follow(Once(), state)
    assert state.status is Status.STEP_TOO_SMALL
    assert state.ending == "no step could be made: it does not step"
    assert Once().between(state.point, state.point, 0.5) is None
    assert not Once().doubtful(state)
    Once().restart(state)
    Once().resume(state)


def test_a_restored_detector_without_data_measures_again(tmp_path):
    """Events save nothing: a resumed run evaluates them at its last point."""
    seen = []

    def level(x):
        seen.append(float(x[0]))
        return x[0] - 5.0

    problem, path = Problem(lambda x, p: x - p**2), tmp_path / "run.npz"
    options = {"events": {"five": level}, "checkpoint": path}
    problem.sweep([0.0], "p", [1.0, 2.0, 3.0], max_points=2, **options)
    seen.clear()
    branch = problem.sweep([0.0], "p", [1.0, 2.0, 3.0], resume=True, **options)
    assert seen[0] == pytest.approx(4.0)
    (event,) = branch.special_points_of("five")
    assert event.parameter == pytest.approx(np.sqrt(5.0), abs=1e-9)
