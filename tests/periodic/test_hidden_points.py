"""Special points of cycles that one step hides from each other, or a flat parameter from sight."""

import numpy as np
import pytest

from sgsolve import Problem
from sgsolve.periodic.multiplier_tests import pairs_outside, upper_multipliers
from sgsolve.results.floquet import UNKNOWN, unstable_multipliers
from tests.periodic.oscillators import feedback, fitzhugh, one


def test_a_second_doubling_whose_multiplier_becomes_complex_in_the_same_step():
    """Time reversed and x -> 1 - x the feedback loop is that with -a: so are its doublings."""
    problem = Problem(feedback, params={"a": 1.3}, storage=one)
    steady = problem.continuation([0.0, 0.0, 0.0], "a", (0.5, 1.3), step=-0.05, stability=True)
    cycles = problem.orbit_continuation(steady, bounds=(-1.1, 1.1))
    assert [point.kind for point in cycles.special_points] == ["period doubling"] * 2
    places = [point.parameter for point in cycles.special_points]
    assert places == pytest.approx([0.63030200616, -0.63030200616], abs=2e-11)
    periods = [cycles.orbit(point).period for point in cycles.special_points]
    assert periods == pytest.approx([6.36407133944] * 2, abs=2e-9)
    assert list(dict.fromkeys(cycles["unstable"].tolist())) == [0, 1, 2]


def test_the_fold_of_a_canard_explosion():
    """The parameter hardly changes there; by Liouville the divergence has the mean 0."""
    problem = Problem(fitzhugh, params={"I": 0.0}, storage=one)
    steady = problem.continuation([-1.2, -0.6], "I", (0.0, 0.5), stability=True)
    cycles = problem.orbit_continuation(steady, bounds=(0.0, 0.5), max_points=18)
    (fold,) = cycles.special_points
    assert fold.kind == "fold"
    assert fold.parameter == pytest.approx(0.32417852, abs=1e-8)
    orbit = cycles.orbit(fold)
    t = np.linspace(0.0, orbit.period, 20001)
    logarithm = np.trapezoid(1.0 - orbit(t)[:, 0] ** 2 - 0.064, t)
    assert logarithm == pytest.approx(0.0, abs=1e-3)
    assert list(dict.fromkeys(cycles["unstable"].tolist())) == [1, 0]


def chua(x, alpha):
    """L. O. Chua's circuit with a cubic nonlinearity."""
    X, Y, Z = x
    return [-alpha * (Y - X**3 / 16.0 + X / 6.0), -(X - Y + Z), 14.0 * Y]


@pytest.mark.slow
def test_folds_and_doublings_towards_a_homoclinic_orbit_of_a_saddle_focus():
    """Both accumulate there, in turn, and come together (L. P. Shilnikov)."""
    problem = Problem(chua, params={"alpha": 5.0}, storage=one)
    steady = problem.continuation([1.6, 0.0, -1.6], "alpha", (5.0, 12.0), stability=True)
    cycles = problem.orbit_continuation(steady, bounds=(5.0, 12.0), max_period=9.0)
    kinds = [point.kind for point in cycles.special_points]
    assert kinds.count("fold") == 5
    assert kinds.count("period doubling") == 6  # the first loses the stability of all
    places = {kind: [p.parameter for p in cycles.special_points_of(kind)] for kind in set(kinds)}
    gaps = np.abs(np.array(places["fold"]) - places["period doubling"][1:])
    assert (gaps[1:] < 0.1 * gaps[:-1]).all()


def test_a_count_that_the_errors_of_the_multipliers_decide_is_unknown():
    assert unstable_multipliers(np.array([1e9, 1.0 + 1e-3, 1e-9])) == 1
    assert unstable_multipliers(np.array([1.0 + 1e-3, 0.9985, 1e-9])) == 0
    assert unstable_multipliers(np.array([1.0 + 1e-3, 1.0 + 1.9e-3, 1e-9])) == 1
    assert unstable_multipliers(np.array([1.0 + 1e-3, -1.0005, 0.2])) == UNKNOWN
    assert unstable_multipliers(np.array([1e9, 1.7, 1e-9])) == UNKNOWN
    assert unstable_multipliers(np.array([1.7, 1e-9])) == 0  # planar: a relative error
    assert unstable_multipliers(np.array([-2.0, 1.0 + 1e-9, 0.5])) == 1


def test_two_multipliers_of_one_that_rounding_makes_a_pair_are_no_torus():
    merged = np.array([1.0 + 1e-9j, 1.0 - 1e-9j]) * (1.0 + 1e-12)
    beside = np.append(merged, [0.6 + 0.9j, 0.6 - 0.9j])
    assert pairs_outside(merged) == 0
    assert pairs_outside(beside) == 1
    assert upper_multipliers(beside) == pytest.approx([0.6 + 0.9j])
