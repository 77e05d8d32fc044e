"""Starts that cannot be right, of curves in two parameters, other branches and orbits."""

import numpy as np
import pytest

from sgsolve import DataTypeError, InputError, Problem, ShapeError, SpecialPoint
from tests.periodic.oscillators import one


def flow(x, p, q):
    """A fold at 27 p^2 = 4 q^3 in the first unknown, and a Hopf point at p = 0 in the others."""
    r2 = x[1] ** 2 + x[2] ** 2
    return [
        -(p + q * x[0] - x[0] ** 3),
        -(p * x[1] - 2.0 * x[2] - r2 * x[1]),
        -(2.0 * x[1] + p * x[2] - r2 * x[2]),
    ]


@pytest.fixture(scope="module")
def start():
    problem = Problem(flow, params={"p": -1.0, "q": 1.0}, storage=one)
    branch = problem.continuation([-1.32, 0.0, 0.0], "p", (-1.0, 1.0), stability=True)
    return problem, branch


@pytest.mark.parametrize("method", ["fold_curve", "hopf_curve"])
def test_curves_in_two_parameters(start, method):
    problem, branch = start
    follow = getattr(problem, method)
    good, other = branch.folds[0], branch.hopf_points[0]
    if method == "hopf_curve":
        good, other = other, good
    wrong_size = SpecialPoint(good.kind, good.parameter, np.ones(7), frequency=2.0)
    cases = [
        ({"special_point": "fold"}, DataTypeError, "special_point must be a SpecialPoint or its"),
        ({"special_point": 0.5}, DataTypeError, "not 0.5"),
        ({"special_point": None}, DataTypeError, "not None"),
        ({"special_point": 7}, InputError, "there is no number 7"),
        ({"special_point": other}, InputError, "is no"),
        ({"special_point": wrong_size}, ShapeError, r"has shape \(7,\), but the branch has 3"),
        ({"bounds": (5.0, 6.0)}, InputError, "q = 1 at the start is outside the bounds 5 to 6"),
        ({"bounds": (2.0, 1.0)}, InputError, "bounds must increase"),
        ({"step": "a"}, DataTypeError, "step must be a number"),
        ({"max_points": 2.5}, InputError, "max_points must be a whole number"),
    ]
    for options, kind, words in cases:
        with pytest.raises(kind, match=words):
            follow(branch, "q", **options)
    with pytest.raises(DataTypeError, match="branch must be a Branch"):
        follow(3, "q")
    with pytest.raises(InputError, match="several parameters change along this branch"):
        follow(follow(branch, "q", (0.9, 1.1), max_points=2), "p")


def test_a_fold_of_another_problem_is_no_start(start):
    _, branch = start
    other = Problem(lambda x, p, q: flow(x, p, q + 5.0), params={"q": 1.0})
    with pytest.raises(InputError, match="is no solution of these equations"):
        other.fold_curve(branch, "q")


def test_another_branch():
    problem = Problem(lambda x, p: p * x - x**3, params={"p": -1.0})
    branch = problem.continuation([0.0], "p", (-1.0, 1.0))
    point = branch.branch_points[0]
    cases = [
        ({"special_point": "branch point"}, DataTypeError, "special_point must be"),
        ({"special_point": 0.5}, DataTypeError, "special_point must be"),
        ({"special_point": None}, DataTypeError, "special_point must be"),
        ({"special_point": 3}, InputError, "there is no number 3"),
        ({"special_point": SpecialPoint("fold", 0.0, point.x)}, InputError, "is no branch point"),
        ({"bounds": (2.0, 3.0)}, InputError, "outside the bounds 2 to 3"),
        ({"bounds": "ab"}, InputError, "bounds must be"),
        ({"step": 0.0}, InputError, "step must be a finite number other than zero"),
        ({"detect": "cusp"}, InputError, "detect names 'cusp'"),
    ]
    for options, kind, words in cases:
        with pytest.raises(kind, match=words):
            problem.switch_branch(branch, **{"special_point": 0, **options})
    with pytest.raises(DataTypeError, match=r"branch must be a Branch, .* not int"):
        problem.switch_branch(3, 0)


def test_orbits(start):
    problem, branch = start
    circle = np.column_stack([np.ones(40), *np.eye(2, 40)])
    cases = [
        ({"period": "7"}, DataTypeError, "period must be a number"),
        ({"tolerance": "a"}, DataTypeError, "tolerance must be a number"),
        ({"tolerance": 0.0}, InputError, "tolerance must be within"),
        ({"degree": 4.5}, DataTypeError, "degree must be an integer"),
    ]
    for options, kind, words in cases:
        with pytest.raises(kind, match=words):
            problem.periodic_orbit(circle, **{"period": 3.0, **options})
    with pytest.raises(DataTypeError, match="max_period must be a number"):
        problem.orbit_continuation(branch, max_period="a")
    with pytest.raises(DataTypeError, match="special_point must be"):
        problem.orbit_continuation(branch, special_point="x")
    orbits = problem.orbit_continuation(branch, bounds=(-1.0, 1.0), max_points=2, intervals=12)
    with pytest.raises(InputError, match="consists of orbits"):
        problem.hopf_curve(orbits, "q")
    with pytest.raises(DataTypeError, match="special_point must be"):
        problem.orbit_continuation(orbits, special_point=0.5)


def test_a_branch_point_on_a_bound_but_for_rounding():
    """Of x (p - x^2) + 1e-13 x from p = 0: the branch is followed inside, and not outside."""

    def residual(x, p):
        return x * (p + 1e-13 - x**2) * (2.0 + x - p)

    problem = Problem(residual, params={"p": 1.0})
    branch = problem.continuation([0.0], "p", (-0.5, 1.0), step=-0.1)
    (point,) = branch.branch_points
    assert point.parameter < 0.0
    inside = problem.switch_branch(branch, point, (0.0, 1.0), step=0.05)
    assert inside["p"][-1] == 1.0

    def line(x, p):  # x = 0 and p = 2 x cross on the bound; one arm leads out
        return x * (p - 2.0 * x)

    crossing = Problem(line, params={"p": 1.0})
    branch = crossing.continuation([0.0], "p", (-0.5, 1.0), step=-0.1)
    messages = []
    for side in (0.1, -0.1):
        try:
            arm = crossing.switch_branch(branch, 0, (0.0, 1.0), step=side)
        except InputError as error:
            messages.append(str(error))
    (message,) = messages
    assert "leaves the bounds 0 to 1 at once" in message
    assert arm.success
    assert arm["p"].min() >= 0.0
    assert arm["p"].max() == 1.0
