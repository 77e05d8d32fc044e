"""Branches that tend to a bound of the parameter: points that solve, and an end in words."""

import math

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import PartialBranchWarning, Problem, SgsolveError, Status
from tests.selection import slow

UNITS = [1.0, 1e20, 1e-20]


def falling(x, p, unit):
    return p / unit - np.exp(-x)


def rising(x, p, unit):
    return 1.0 - p / unit - np.exp(-x)


def both(x, p, unit):
    return p / unit - np.tanh(x)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(
    ("residual", "start", "bounds", "bound", "x_of"),
    [
        (falling, 1.0, (0.0, 2.0), 0.0, lambda p: -np.log(p)),
        *slow((rising, 0.0, (0.0, 1.0), 1.0, lambda p: -np.log1p(-p))),
        *slow((both, 0.0, (-1.0, 1.0), -1.0, np.arctanh)),
        (both, 0.0, (-1.0, 1.0), 1.0, np.arctanh),
    ],
)
def test_a_branch_that_tends_to_a_bound(residual, start, bounds, bound, x_of, unit):
    step = 0.1 * unit * np.sign(bound - start)
    with pytest.warns(PartialBranchWarning, match=r"is approached asymptotically.*logarithm"):
        branch = (
            Problem(residual, params={"unit": unit})
            .at(p=start * unit)
            .continuation([0.0], "p", tuple(unit * b for b in bounds), step=step)
        )
    assert branch.status is Status.ASYMPTOTE
    assert not branch.special_points
    p = branch["p"] / unit
    assert 0.0 < abs(p[-1] - bound) <= 1e-9
    clear = np.abs(p - bound) > 1e-3  # nearer, errors of p within the tolerance move x
    assert np.allclose(branch.states[clear, 0], x_of(p[clear]), rtol=1e-7, atol=1e-12)


def test_the_upper_branch_of_bratu_solves_its_equations_and_has_one_fold():
    n = 40
    A = sp.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(n, n), format="csr")
    problem = Problem(lambda u, lam: A @ u - lam * np.exp(u) / (n + 1) ** 2)
    with pytest.warns(PartialBranchWarning, match="the bound 0 is approached asymptotically"):
        branch = problem.at(lam=0.1).continuation(np.zeros(n), "lam", (0.0, 4.0))
    assert [s.kind for s in branch.special_points] == ["fold"]
    for x, lam in zip(branch.states, branch["lam"], strict=True):
        F, J = problem.at(lam=float(lam)).linearize(x)
        assert (np.abs(F) / (abs(J) @ np.abs(x))).max() < 1e-9


def test_points_far_below_the_range_of_the_parameter_solve():
    """No bound at zero: p falls to 1e-12 of where it started, and x = -log(p) to many digits."""
    branch = (
        Problem(falling, params={"unit": 1.0})
        .at(p=1.0)
        .continuation([0.0], "p", (-1.0, 2.0), step=-0.1, max_points=60)
    )
    assert branch["p"].min() < 1e-11
    assert np.allclose(branch.states[:, 0], -np.log(branch["p"]), rtol=1e-9, atol=1e-12)
    assert not branch.special_points


WITH_FOLDS = {  # residual, and its fold and branch points in closed form
    "cosh": (lambda x, p: p * np.cosh(x) - x, [0.662743419349]),
    "power": (lambda x, p: p * (1.0 + x**4) - x, [0.75 * 3.0**-0.25]),
    "rate": (lambda x, p: x * np.exp(-x) - p, [math.exp(-1.0)]),
    "two cells": (
        lambda x, p: p * np.exp(x) - x - 0.1 * (x - x[::-1]),
        [math.exp(-1.0), 1.2 * math.exp(-1.2)],
    ),
}


@pytest.mark.parametrize("name", WITH_FOLDS)
def test_every_point_solves_where_the_parameter_tends_to_zero(name):
    residual, special = WITH_FOLDS[name]
    problem = Problem(residual)
    with pytest.warns(PartialBranchWarning, match="the bound 0 is approached asymptotically"):
        branch = problem.at(p=0.1).continuation(
            np.full(2 if name == "two cells" else 1, 0.11), "p", (0.0, 1.0), step=0.05
        )
    assert branch["p"].min() < 1e-8
    assert [point.parameter for point in branch.special_points] == pytest.approx(special)
    for x, p in zip(branch.states, branch["p"], strict=True):
        F, J = problem.at(p=float(p)).linearize(x)
        assert (np.abs(F) / (abs(J) @ np.abs(x))).max() < 1e-9


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("power", [4, *slow(2, 20)])
def test_a_branch_that_comes_near_to_a_bound_and_turns_is_no_asymptote(unit, power):
    def residual(x, p):
        return p / unit - x**power - 1e-12

    branch = (
        Problem(residual)
        .at(p=unit * (1.0 + 1e-12))
        .continuation([1.0], "p", (0.0, 2.0 * unit), step=-0.1 * unit)
    )
    assert branch.success
    assert branch["p"][-1] == 2.0 * unit
    assert branch.x[0] < 0.0
    if power < 20:  # else p is constant to rounding over several steps
        (fold,) = branch.special_points
        assert abs(fold.parameter - 1e-12 * unit) < 1e-15 * unit


@pytest.mark.parametrize("unit", UNITS)
def test_a_branch_that_reaches_a_bound_slowly_is_no_asymptote(unit):
    branch = (
        Problem(lambda x, p: p / unit - x**3)
        .at(p=unit)
        .continuation([1.0], "p", (0.0, 2.0 * unit), step=-0.1 * unit)
    )
    assert branch.status is not Status.ASYMPTOTE


def test_a_parameter_that_is_constant_but_for_rounding_does_not_turn():
    """p - 1 = 0 is a factor of the first equation: p is 1 along the whole branch."""

    def residual(x, p):
        return np.concatenate([(p - 1.0) * (3.0 + x[:1] ** 2) / 7.0, x[1:] - np.sin(x[:1])])

    branch = Problem(residual).at(p=1.0).continuation([0.0, 0.0], "p", (0.0, 2.0), max_points=40)
    assert np.abs(branch["p"] - 1.0).max() < 1e-14
    assert np.ptp(branch.states[:, 0]) > 1.0
    assert not branch.special_points


FAR = {
    "exponential": (lambda x, p: p - np.exp(-x), 0.0, 1.0),
    "fraction": (lambda x, p: p - 1.0 / (1.0 + x**2), 1.0, 0.5),
}


@pytest.mark.parametrize("name", FAR)
@pytest.mark.parametrize(
    "method", [{"step": -1e3}, {"step": -0.1, "max_step": 1e3}, {"step": -5.0}]
)
def test_long_steps_do_not_reach_a_bound_where_a_term_vanishes(name, method):
    """The step given is longer than the range of the parameter, or the longest step is."""
    residual, start, p = FAR[name]
    with pytest.warns(PartialBranchWarning, match="the bound 0 is approached asymptotically"):
        branch = Problem(residual).at(p=p).continuation([start], "p", (0.0, 2.0), **method)
    assert branch["p"].min() > 0.0
    for x, value in zip(branch.states, branch["p"], strict=True):
        assert abs(residual(x, value)[0]) <= 1e-9 * value


TENDING = {
    "gauss": (lambda x: np.exp(-(x**2)), 0.5),
    "fourth power": (lambda x: np.exp(-(x**4)), 0.3),
    "tanh": (lambda x: 1.0 - np.tanh(x), 0.0),
    "twice exponential": (lambda x: np.exp(1.0 - np.exp(x)), 0.0),
    "secant": (lambda x: 1.0 / np.cosh(x), 0.5),
}


@pytest.mark.parametrize("name", TENDING)
@pytest.mark.parametrize(
    "method", [{"step": -0.1, "max_step": 10.0}, {"step": -1.0}, {"step": -30.0, "max_step": 100.0}]
)
def test_long_steps_do_not_reach_a_bound_that_rounding_hides(name, method):
    f, start = TENDING[name]
    problem = Problem(lambda x, p: p - f(x)).at(p=float(f(start)))
    with pytest.warns(PartialBranchWarning, match="the bound 0 is approached asymptotically"):
        branch = problem.continuation([start], "p", (0.0, 2.0), max_points=100, **method)
    assert branch.status is Status.ASYMPTOTE
    assert not branch.special_points
    p, values = branch["p"], f(branch.states[:, 0])
    assert p.min() > 0.0
    assert np.abs(p - values).max() < 1e-10
    assert np.abs(p - values)[-1] <= 1e-6 * p[-1]


@pytest.mark.parametrize("power", [1, 3, 5])
@pytest.mark.parametrize("step", [-0.1, -1.0, -10.0])
def test_a_branch_that_is_flat_where_it_crosses_a_bound_reaches_it(power, step):
    def residual(x, p):
        return np.concatenate([p - x[1:], x[1:] - np.abs(x[:1]) ** power * np.sign(x[:1])])

    problem = Problem(residual).at(p=1.0)
    branch = problem.continuation([1.0, 1.0], "p", (-0.001, 2.0), step=step, max_step=0.5)
    assert branch.success
    assert branch["p"][-1] == -0.001
    assert branch.states[-1, 0] == pytest.approx(-(0.001 ** (1.0 / power)))


@pytest.mark.parametrize("unit", [1e150, 1e200, 1e300])
def test_extreme_units_are_refused_with_the_remedy(unit):
    problem = Problem(lambda x, p: x - unit * p).at(p=1.0)
    with pytest.raises(SgsolveError, match="divide both by their typical sizes"):
        problem.continuation([unit], "p", (0.5, 2.0))


@pytest.mark.parametrize("power", [3, 20])
def test_long_steps_reach_a_bound_that_a_branch_crosses(power):
    def residual(x, p):
        return p - (np.abs(x) ** power) * np.sign(x) - 0.1 * x

    branch = Problem(residual).at(p=1.1).continuation([1.0], "p", (0.0, 2.0), step=-1e3)
    assert branch.success
    assert branch["p"][-1] == 0.0


def test_the_last_points_of_a_long_run_tend_to_the_bound_in_words():
    reciprocal = Problem(lambda x, p: p * x - 1.0).at(p=1.0)
    branch = reciprocal.continuation([1.0], "p", (0.0, 2.0), step=-0.1, max_points=100)
    assert branch.status is Status.MAX_POINTS
    assert "The last points tend to the bound 0" in branch.message
    crossing = Problem(lambda x, p: p - x).at(p=1.0)
    branch = crossing.continuation([1.0], "p", (0.0, 2.0), step=-0.1, max_points=5)
    assert "tend to" not in branch.message


@pytest.mark.parametrize("power", [1.0, *slow(0.5, 2.0)])
@pytest.mark.parametrize("unit", [1.0, *slow(1e17)])
def test_a_branch_to_infinity_ends_with_its_limit(power, unit):
    """x = unit |1 - p|^-power to x = infinity at p = 1, inside the bounds."""
    problem = Problem(
        lambda x, p: [(1.0 - p) * (x[0] / unit) ** (1.0 / power) - x[1], x[1] - 1.0],
        params={"p": 0.0},
    )
    with pytest.warns(PartialBranchWarning, match="grows without limit"):
        branch = problem.continuation([unit, 1.0], "p", (-1.0, 3.0))
    assert branch.status is Status.ASYMPTOTE
    assert len(branch) < 300
    limit = float(branch.message.split("tends to, ")[1].split(". W")[0])
    assert limit == pytest.approx(1.0, abs=1e-3)
    assert branch.states[-1, 0] > 1e4 * unit


def test_a_branch_to_infinity_where_the_parameter_settles_fast():
    """x = p exp(x): x grows as the logarithm of 1 / p, until exp(x) overflows at 710."""
    problem = Problem(lambda x, p: x - p * np.exp(x), params={"p": 0.0})
    with pytest.warns(PartialBranchWarning, match="tends to, 0. What"):
        branch = problem.continuation([0.0], "p", (-1.0, 1.0))
    assert branch.status is Status.ASYMPTOTE
    assert len(branch.folds) == 1
    assert 200.0 < branch.x[0] < 700.0


def test_no_limit_is_claimed_where_the_parameter_settles_as_a_logarithm():
    """p = 1 - 1 / log(2 + x^2): sixteen doublings of x show no limit, and 0.9646 would be wrong."""
    start = 1.0 - 1.0 / np.log(3.0)
    problem = Problem(lambda x, p: p - 1.0 + 1.0 / np.log(2.0 + x**2), params={"p": start})
    branch = problem.continuation([1.0], "p", (-1.0, 2.0), max_points=250)
    assert branch.status is Status.MAX_POINTS
    assert branch.x[0] > 3e4


@pytest.mark.parametrize("p", [0.0, 1.5])
def test_a_line_of_solutions_at_one_value_is_named(p):
    """The vectors of an eigenvalue: any length is a solution."""
    problem = Problem(lambda x, q: (q - p) * x * (1.0 + x**2), params={"q": p - 1.0})
    branch = problem.continuation([0.0], "q", (p - 1.0, p + 1.0))
    with pytest.warns(PartialBranchWarning, match="grows without limit while the parameter is"):
        line = problem.switch_branch(branch, bounds=(p - 1.0, p + 1.0))
    assert np.abs(line.parameter - p).max() < 1e-12
    assert len(line) < 150
    assert not line.folds


def test_a_steep_branch_that_is_finite_is_followed_to_its_end():
    """x = 1000 tanh((p - 1) / 0.001) + p, and a perturbed pitchfork with 1e-7 < x < 1."""
    steep = Problem(lambda x, p: x - 1e3 * np.tanh((p - 1.0) / 1e-3) - p, params={"p": 0.9})
    branch = steep.continuation([-999.1], "p", (0.0, 2.0), max_points=2000)
    assert branch.success
    assert branch.x[0] == pytest.approx(1002.0)
    gap = Problem(lambda x, p: x**3 - p * x + 1e-7, params={"p": -1.0})
    branch = gap.continuation([0.0], "p", (-1.0, 1.0), max_points=2000)
    assert branch.success
    assert branch.x[0] == pytest.approx(-1.0, abs=1e-6)
