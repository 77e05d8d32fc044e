"""Special points at which the extended systems are singular: bracketing alone locates them."""

import warnings

import numpy as np
import pytest

from sgsolve import Problem
from sgsolve.bifurcation import folds
from sgsolve.bifurcation.branch_points import branch_point_detector
from sgsolve.continuation import UnlocatedWarning


def places(branch, kind):
    return [point.parameter for point in branch.special_points_of(kind)]


@pytest.mark.parametrize("power", [4, 6])
def test_a_fold_that_is_not_quadratic(power):
    """p = x^4: the second derivative vanishes at the fold as well."""
    problem = Problem(lambda x, p: x**power - p, params={"p": 1.0})
    branch = problem.continuation([-1.0], "p", (-1.0, 1.0), step=-0.1)
    assert places(branch, "fold") == pytest.approx([0.0], abs=1e-6)
    assert not branch.branch_points
    assert branch.x[0] == pytest.approx(1.0)


def test_two_pitchforks_at_the_same_place():
    """p x - x^3 and p y - y^3: two singular values vanish together at p = 0."""

    def residual(u, p):
        return p * u - u**3

    branch = Problem(residual, params={"p": -1.0}).continuation([0.0, 0.0], "p", (-1.0, 1.0))
    assert places(branch, "branch point") == pytest.approx([0.0], abs=1e-9)
    assert np.abs(branch.states).max() < 1e-12


def test_three_pitchforks_at_the_same_place_beside_a_regular_unknown():
    def residual(u, p):
        return np.concatenate([p * u[:3] - u[:3] ** 3, u[3:] - p])

    branch = Problem(residual, params={"p": -1.0}).continuation(
        [0.0, 0.0, 0.0, -1.0], "p", (-1.0, 1.0)
    )
    assert places(branch, "branch point") == pytest.approx([0.0], abs=1e-9)


def test_a_crossing_of_three_branches():
    """x (x - p) (x + p) = 0 along x = 0: the quadratic form vanishes, no tangent is preferred."""

    def residual(x, p):
        return x * (x - p) * (x + p) + 0.0 * p

    branch = Problem(residual, params={"p": -1.0}).continuation([0.0], "p", (-1.0, 0.9))
    assert places(branch, "branch point") + places(branch, "fold") == pytest.approx(
        [0.0] * len(branch.special_points), abs=1e-4
    )
    assert branch["p"][-1] == 0.9


def test_an_arm_of_a_pitchfork_has_no_fold():
    """On p = x^2 the tangent turns at the pitchfork p = 0, which is listed once."""
    branch = Problem(lambda x, p: p * x - x**3, params={"p": 1.0}).continuation(
        [-1.0], "p", (-1.0, 1.0), step=-0.1
    )
    assert places(branch, "branch point") == pytest.approx([0.0], abs=1e-8)
    assert not branch.folds


def test_a_fold_at_which_newton_s_method_fails_is_kept_by_its_bracket(monkeypatch):
    """Without the extended system the bracket alone gives the fold p = 0 of p = x^2."""
    monkeypatch.setattr(folds, "fold_near", lambda *arguments: None)
    problem = Problem(lambda x, p: x**2 - p, params={"p": 1.0})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnlocatedWarning)  # where no trial point can be corrected
        branch = problem.continuation([-1.0], "p", (-1.0, 1.0), step=-0.1)
    assert places(branch, "fold") == pytest.approx([0.0], abs=1e-4)
    assert branch.x[0] == pytest.approx(1.0)


def test_branch_points_by_the_determinant_alone(monkeypatch):
    """Where the singular vectors lead nowhere, the sign of det K still tells."""
    monkeypatch.setattr(branch_point_detector, "by_vectors", lambda *arguments: None)
    problem = Problem(lambda x, p: p * x - x**3, params={"p": -1.0}, backend="dense")
    branch = problem.continuation([0.0], "p", (-1.0, 1.0))
    assert places(branch, "branch point") == pytest.approx([0.0], abs=1e-8)


def test_several_singular_values_without_a_branch_point_of_their_own(monkeypatch):
    """Three pitchforks at one place, found by the trace of their common block."""
    monkeypatch.setattr(branch_point_detector, "by_vectors", lambda *arguments: None)
    problem = Problem(lambda u, p: p * u - u**3, params={"p": -1.0})
    branch = problem.continuation(np.zeros(3), "p", (-1.0, 1.0))
    assert places(branch, "branch point") == pytest.approx([0.0], abs=1e-8)
