"""Curves of folds and of Hopf points that cannot be followed: refused before work starts."""

import numpy as np
import pytest

from sgsolve import ApproximateSpecialPoint, Problem
from sgsolve.bifurcation import Stability
from sgsolve.errors import InputError
from tests.selection import slow

OMEGA = 2.0


def cubic(x, p, q):
    return p + q * x - x**3


def spiral(x, p, q):
    """dx/dt = -F has a pair p +- i OMEGA at x = 0."""
    r2 = x[0] ** 2 + x[1] ** 2
    return [-(p * x[0] - OMEGA * x[1] - q * r2 * x[0]), -(OMEGA * x[0] + p * x[1] - q * r2 * x[1])]


@pytest.fixture(scope="module")
def folds():
    problem = Problem(cubic, params={"p": -1.0, "q": 1.0})
    return problem, problem.continuation([-1.32], "p", (-1.0, 1.0))


@pytest.fixture(scope="module")
def hopf():
    problem = Problem(spiral, params={"p": -1.0, "q": 1.0})
    stability = Stability(mass=-1.0)
    return problem, problem.continuation([0.0, 0.0], "p", (-1.0, 1.0), stability=stability)


def test_a_fold_curve(folds):
    problem, branch = folds
    exact = branch.folds[0]
    near = ApproximateSpecialPoint("fold", exact.parameter, exact.x, uncertainty=0.1)
    with pytest.raises(InputError, match="did not converge"):
        problem.fold_curve(branch, "q", special_point=near)
    with pytest.raises(InputError, match="the fold moves in 'p'; name a second parameter"):
        problem.fold_curve(branch, "p")
    open_ends = Problem(cubic, params={"p": -1.0, "q": 1.0}, null_space=np.ones(1))
    with pytest.raises(InputError, match="null_space"):
        open_ends.fold_curve(branch, "q")


def test_a_fold_curve_looks_for_the_kinds_that_are_asked_for(folds):
    problem, branch = folds
    curve = problem.fold_curve(branch, "q", (0.1, 1.0), step=-0.1, detect=())
    # the folds of p + q x - x^3 lie where 27 p^2 = 4 q^3
    assert 27.0 * curve["p"] ** 2 == pytest.approx(4.0 * curve["q"] ** 3, rel=1e-9)
    assert curve.special_points == []


def test_a_hopf_curve(hopf):
    problem, branch = hopf
    settings = Stability(mass=-1.0)
    with pytest.raises(InputError, match="the Hopf point moves in 'p'; name a second parameter"):
        problem.hopf_curve(branch, "p", stability=settings)
    with pytest.raises(InputError, match="with this mass matrix no pair of eigenvalues"):
        problem.hopf_curve(branch, "q", stability=Stability(mass=np.array([-1.0, -9.0])))
    open_ends = Problem(spiral, params={"p": -1.0, "q": 1.0}, null_space=np.ones(2))
    with pytest.raises(InputError, match="null_space"):
        open_ends.hopf_curve(branch, "q", stability=settings)


def test_a_hopf_curve_looks_for_the_kinds_that_are_asked_for(hopf):
    problem, branch = hopf
    settings = Stability(mass=-1.0)
    for detect in ((), ("zero hopf",), ("double hopf",)):
        curve = problem.hopf_curve(
            branch, "q", (0.5, 1.0), step=-0.1, detect=detect, stop=(), stability=settings
        )
        assert np.abs(curve["p"]).max() < 1e-9
        assert curve["frequency"] == pytest.approx(OMEGA, rel=1e-9)
        assert curve.special_points == []


@pytest.mark.parametrize("gap", [1e-2, -1e-3, *slow(1e-3, 1e-5, -1e-5)])
@pytest.mark.parametrize("steps", [{}, {"max_step": 0.3}, {"step": 0.003}])
def test_a_perturbed_pitchfork_is_passed_on_one_branch(gap, steps):
    """u p - u^3 = gap in hidden coordinates: the branch from p < 0 has u gap < 0 throughout."""

    def residual(z, p):
        u = z[0] - 1.0 - 0.3 * z[1]
        v = z[1] - 0.5 * p - u**2
        return [p * u - u**3 - gap + 0.7 * v, v - 0.2 * v**2 + 0.1 * u * v]

    branch = Problem(residual, params={"p": -1.0}).continuation(
        [0.85, -0.5], "p", (-1.0, 1.0), **steps
    )
    u = branch.states[:, 0] - 1.0 - 0.3 * branch.states[:, 1]
    assert not branch.special_points
    assert (u * gap < 0.0).all()
    assert abs(u[-1]) == pytest.approx(1.0, abs=0.02)
    assert branch.stats.njev < 6000  # a step to another branch is not searched for zeros
