"""Points of a branch solve each equation by its own terms, however far the unknowns fall."""

import numpy as np
import pytest

from sgsolve import Problem, Status
from tests.selection import slow


def decay(x, p):
    return x * np.exp(-30.0 * p) - 1.0


def difference(x, p):
    return x - np.exp(30.0 * p)


def two_unknowns(x, p):
    return [x[0] - np.exp(20.0 * p), x[1] * x[0] - np.exp(-5.0 * p)]


@pytest.mark.parametrize(
    ("residual", "exact"),
    [
        (decay, lambda p: [np.exp(30.0 * p)]),
        (difference, lambda p: [np.exp(30.0 * p)]),
        (two_unknowns, lambda p: [np.exp(20.0 * p), np.exp(-25.0 * p)]),
        (lambda x, p: x * (p + 1.1) ** 8 - 1.0, lambda p: [(p + 1.1) ** -8.0]),
    ],
    ids=["decay", "difference", "two unknowns", "power"],
)
def test_an_unknown_that_falls_by_decades_is_right_at_each_point(residual, exact):
    start = 1.0 if exact(1.0)[0] > 1.0 else -1.0
    problem = Problem(residual, params={"p": start})
    branch = problem.continuation(exact(start), "p", (-1.0, 1.0), step=-0.1 * start)
    assert branch["p"][-1] == -start
    errors = branch.states / np.array([exact(p) for p in branch["p"]]) - 1.0
    assert np.abs(errors).max() < 1e-8


@pytest.mark.parametrize("unit", [1e12, 1e-4, 1e-30])
@pytest.mark.parametrize("start", [1e-30, *slow(0.0)])
def test_an_ellipse_in_any_unit_has_two_folds(unit, start):
    problem = Problem(lambda x, p: (x / unit) ** 2 + p**2 - 1.0, params={"p": start})
    branch = problem.continuation([unit * np.sqrt(1.0 - start**2)], "p", (-2.0, 2.0))
    assert [point.kind for point in branch.special_points] == ["fold", "fold"]
    values = [point.parameter for point in branch.special_points]
    np.testing.assert_allclose(np.sort(values), [-1.0, 1.0], rtol=1e-9)
    assert "closed" in branch.message


def test_a_branch_that_turns_back_beside_its_start_is_not_closed():
    """Both sides of the ellipse are at 0.02 from each other, beside another unknown of 1."""
    problem = Problem(lambda x, p: [(x[0] / 0.01) ** 2 + p**2 - 1.0, x[1] - p], params={"p": 0.0})
    branch = problem.continuation([0.01, 0.0], "p", (-2.0, 2.0))
    assert branch.status is Status.CONVERGED
    assert len(branch.special_points) == 2
    assert branch.states[:, 1].min() < -0.99
    assert branch.states[:, 0].min() < -0.009


def test_a_state_at_rest_that_is_rounding_alone_is_followed():
    def rod(u, load):
        full = np.concatenate([[0.0], u, [0.0]])
        return (full[2:] - 2.0 * u + full[:-2]) * 20.0**2 + load * np.sin(u)

    noise = 1e-17 * np.random.default_rng(0).normal(size=19)
    branch = Problem(rod, params={"load": 5.0}).continuation(noise, "load", (5.0, 20.0))
    (point,) = branch.special_points
    assert point.kind == "branch point"
    assert abs(point.parameter - 1600.0 * np.sin(np.pi / 40.0) ** 2) < 1e-8
