"""How far a sweep and a pseudo-transient step: guesses, jumps, growth and limits."""

from types import SimpleNamespace

import numpy as np
import pytest

from sgsolve import Problem, solvers
from sgsolve.continuation import Natural, SecantPredictor
from sgsolve.continuation.stepper import Point
from sgsolve.continuation.steppers.predictors import better
from sgsolve.continuation.steppers.solved_family import Solution, jump


def point(value, x, ahead=None, behind=None):
    slopes = (None if slope is None else np.array([slope]) for slope in (ahead, behind))
    return Point(np.array([x]), value, at=Solution(np.ones(1), *slopes))


class TestGuesses:
    @staticmethod
    def family(inside):
        return SimpleNamespace(residual_or_none=lambda x, p: x if inside(x[0]) else None)

    def test_the_one_that_is_inside_the_model(self):
        here, guess = point(0.0, 1.0), np.array([2.0])
        assert better(self.family(lambda x: x > 1.5), here, guess, 1.0) is guess
        assert better(self.family(lambda x: x < 1.5), here, guess, 1.0) is here.x
        assert better(self.family(lambda x: x > 3.0), here, guess, 1.0) is None

    def test_a_secant_needs_two_values(self):
        here = point(0.0, 1.0)
        guess = SecantPredictor().predict(self.family(bool), here, point(0.0, 2.0), 1.0)
        assert guess.tolist() == [1.0]


def test_a_jump_is_more_than_both_tangents_say():
    assert jump(point(0.0, 0.0, 1.0), point(2.0, 8.0, behind=1.0)) == pytest.approx(4.0, rel=1e-4)
    # near a fold one of the tangents is steep, and right
    assert jump(point(0.0, 0.0, 1.0), point(2.0, 8.0, behind=4.0)) == pytest.approx(1.0, rel=1e-4)
    assert jump(point(0.0, 0.0, 4.0), point(2.0, 8.0, behind=1.0)) == pytest.approx(1.0, rel=1e-4)
    assert jump(point(0.0, 0.0), point(2.0, 8.0, behind=1.0)) == 0.0


@pytest.mark.parametrize(("nit", "factor"), [(1, 2.0), (6, 2.0), (9, np.sqrt(2.0)), (12, 1.0)])
def test_steps_grow_the_faster_the_fewer_iterations(nit, factor):
    steps = Natural(optimal_iterations=6)
    assert steps.growth(nit) == pytest.approx(factor)
    assert steps.growth(50) == 1.0


def test_the_smallest_step_is_a_fraction_of_the_way_asked_for():
    def residual(x, a):  # no solution beyond a = 1000
        return x**2 + a - 1000.0

    problem = Problem(residual)
    with pytest.warns(UserWarning, match="min_step"):
        branch = problem.sweep([30.0], "a", [0.0, 2000.0], steps=Natural(min_step=0.1))
    assert 2 <= len(branch.rejected) <= 5


def test_pseudo_time_steps_stay_below_the_largest():
    direction = solvers.PseudoTransientDirection(initial=1.0, largest=3.0)
    result = Problem(lambda x: x - 2.0).solve([1.0], solvers.PseudoTransient(direction=direction))
    # an implicit Euler step of length 3 of x' = 2 - x leaves a quarter of the error
    steps = result.history.column("step")[-5:]
    assert steps[1:] / steps[:-1] == pytest.approx(0.25, rel=1e-3)


def test_as_many_iterations_as_allowed():
    newton = solvers.Newton(max_iterations=3)
    result = Problem(lambda x: x**2 - 2.0).solve([1e3], newton, raise_on_failure=False)
    assert result.nit == 3


@pytest.mark.parametrize(
    ("damping", "start"),
    [(solvers.Dogleg(radius=1e9), 3.0), (solvers.NaturalMonotonicity(), 1e3)],
    ids=["a radius far beyond the step", "a step far too long"],
)
def test_what_a_bad_trial_shows_is_used(damping, start):
    """The step itself, or the curvature along it, says how much shorter the next trial must be."""
    result = Problem(np.arctan).solve([start], solvers.NewtonMethod(damping=damping))
    assert max(step.trials for step in result.history) <= 5


@pytest.mark.filterwarnings("ignore::sgsolve.PartialBranchWarning")
@pytest.mark.parametrize(("most", "points"), [(2, 2), (3, 3)])
def test_the_last_solve_allowed_counts(most, points):
    branch = Problem(lambda x, a: x - a).sweep(
        [0.0], "a", [0.0, 1.0, 2.0], steps=Natural(max_solves=most)
    )
    assert len(branch) == points
    assert branch.success == (points == 3)
