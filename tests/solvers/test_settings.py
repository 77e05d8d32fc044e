"""Parts that make no sense are refused where they are made, by name."""

import numpy as np
import pytest

from sgsolve import DataTypeError, InputError, Problem, ShapeError, solvers
from sgsolve.continuation import Homotopy, Natural


def square(x):
    return x**2 - 2.0


def solved(start=(1.0, 1.0), **settings):
    problem = Problem(square, blocks={"n": slice(0, 1), "p": slice(1, 2)})
    return problem.solve(start, solvers.Newton(**settings))


CASES = {
    "change": (lambda: solvers.MaxChange(-1.0), "MaxChange: change must be positive, not -1.0"),
    "change of a block": (
        lambda: solvers.MaxChange({"n": 0.0}),
        "MaxChange: change of block 'n' must be positive",
    ),
    "log damping": (lambda: solvers.LogDamping(-0.02), "LogDamping: scale must be positive"),
    "threshold": (lambda: solvers.LogDamping(1.0, -1.0), "threshold must be zero or positive"),
    "bounds nan": (lambda: solvers.Bounds(np.nan), "Bounds: lower holds NaN"),
    "bounds nan by block": (lambda: solvers.Bounds(upper={"n": np.nan}), "upper holds NaN"),
    "bounds fraction": (
        lambda: solvers.Bounds(0.0, fraction=1.5),
        "Bounds: fraction must be above 0 and at most 1",
    ),
    "keep": (lambda: solvers.Positive(keep=0.0), "Positive: keep must be above 0"),
    "relative": (
        lambda: solvers.ResidualTolerance(-1.0),
        "ResidualTolerance: relative must be zero or positive",
    ),
    "absolute": (
        lambda: solvers.ResidualTolerance(absolute={"n": -1.0}),
        "absolute of block 'n' must be",
    ),
    "error": (lambda: solvers.ErrorTolerance(0.0), "ErrorTolerance: relative must be positive"),
    "steps": (lambda: solvers.StepTolerance(-1.0), "StepTolerance: relative"),
    "rounding": (lambda: solvers.RoundingLevel(0), "RoundingLevel: factor must be positive"),
    "decrease": (
        lambda: solvers.ResidualReduction(0),
        "ResidualReduction: factor must be positive",
    ),
    "every": (lambda: solvers.Shamanskii(0), "Shamanskii: steps must be positive"),
    "measured": (lambda: solvers.CostBasedReuse(gain=-1), "CostBasedReuse: gain must be positive"),
    "full step": (lambda: solvers.FullStep(factor=2.0), "FullStep: factor must be above 0"),
    "armijo": (lambda: solvers.Armijo(alpha=0.0), "Armijo: alpha"),
    "natural": (lambda: solvers.NaturalMonotonicity(first=0.0), "NaturalMonotonicity: first"),
    "radius": (lambda: solvers.Dogleg(radius=-1.0), "Dogleg: radius must be positive"),
    "marquardt": (
        lambda: solvers.LevenbergMarquardtStep(initial=0.0),
        "LevenbergMarquardtStep: initial must be positive",
    ),
    "forcing": (lambda: solvers.KrylovDirection(forcing=2.0), "KrylovDirection: forcing"),
    "time step": (
        lambda: solvers.PseudoTransientDirection(initial=-1.0),
        "PseudoTransientDirection: initial must be positive",
    ),
    "regularize": (lambda: solvers.NewtonDirection(-1.0), "NewtonDirection: regularize"),
    "smallest step of a sweep": (
        lambda: Problem(lambda x, a: x - a).sweep(
            [1.0], "a", [1.0, 2.0], steps=Natural(min_step=-1.0)
        ),
        "Natural: min_step must be positive, not -1.0",
    ),
    "preconditioner": (
        lambda: solvers.KrylovDirection(preconditioner=3.0),
        "preconditioner must be a LinearOperator, a matrix",
    ),
}
KINDS = {
    "in words": (
        lambda: solvers.ResidualTolerance("tight"),
        "relative must be a number, not 'tight'",
    ),
    "a truth": (lambda: solvers.ErrorTolerance(True), "relative must be a number, not True"),
    "damping": (lambda: solvers.Newton(damping="armijo"), "damping must .*advance.*'armijo'"),
    "damping class": (lambda: solvers.Newton(damping=solvers.Armijo), "damping must .*advance"),
    "direction": (lambda: solvers.Newton(direction=1), "direction must .*compute"),
    "predictor": (
        lambda: Problem(lambda x, a: x - a).sweep(
            [1.0], "a", [1.0, 2.0], steps=Natural(predictor="tangent")
        ),
        "predictor must .*predict.*'tangent'",
    ),
    "reuse": (lambda: solvers.Newton(reuse=3), "reuse must .*keep.*3"),
}


@pytest.mark.parametrize("case", CASES)
def test_value_is_refused(case):
    make, text = CASES[case]
    with pytest.raises(InputError, match=text):
        make()


@pytest.mark.parametrize("case", KINDS)
def test_kind_is_refused(case):
    make, text = KINDS[case]
    with pytest.raises(DataTypeError, match=text):
        make()


def test_bounds_without_room_and_of_wrong_length():
    with pytest.raises(InputError, match=r"no room for p\[0\]: 2 up to 1"):
        solved(limits=solvers.Bounds({"p": 2.0}, 1.0))
    with pytest.raises(ShapeError, match=r"upper has shape \(3,\)"):
        solved(limits=solvers.Bounds(0.0, [1.0, 2.0, 3.0]))


LIMITED = [
    solvers.Newton(limits=(solvers.Positive(("p",)),)),
    solvers.Robust(limits=(solvers.Positive("p"),)),
    Homotopy(finish=solvers.DampedNewton(limits=solvers.Positive("p"))),
]


@pytest.mark.parametrize("solver", LIMITED, ids=lambda solver: solver.name)
def test_a_start_that_limits_forbid_is_refused(solver):
    problem = Problem(square, blocks={"n": slice(0, 1), "p": slice(1, 2)})
    with pytest.raises(InputError, match=r"not Positive: p\[0\] = -1; start above zero"):
        problem.solve([1.0, -1.0], solver)
    assert (problem.solve([-1.0, 1.0], solver).x[0]) < 0.0  # n is free


def test_a_start_outside_bounds_is_refused():
    with pytest.raises(InputError, match=r"n\[0\] = 10 is not between 0 and 5"):
        solved((10.0, 1.0), limits=solvers.Bounds(0.0, 5.0))


def test_a_single_limit_needs_no_tuple():
    one, several = solvers.MaxChange(0.1), (solvers.MaxChange(0.1),)
    assert solvers.Newton(limits=one) == solvers.Newton(limits=several)
    assert "limited by MaxChange" in str(solved(limits=one).history)


def test_mass_may_be_given_by_block():
    # n' + n^2 - 2 = 0 in time; p is an algebraic equation, solved in every step
    direction = solvers.PseudoTransientDirection(mass={"n": 1.0}, initial=0.1)
    result = solved((1.0, 1.0), direction=direction)
    assert np.allclose(result.x, np.sqrt(2.0), rtol=0.0, atol=1e-9)
    first = result.history[1]
    assert first.steps["p"] == pytest.approx(0.5)  # Newton's step
    assert first.steps["n"] == pytest.approx(1.0 / (2.0 + 1.0 / 0.1))  # that of implicit Euler
    with pytest.raises(ShapeError, match=r"mass has shape \(3,\)"):
        solved(direction=solvers.PseudoTransientDirection(mass=(1.0, 1.0, 1.0)))
