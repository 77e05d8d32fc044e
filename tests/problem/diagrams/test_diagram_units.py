"""Diagrams in any units of x and p: the same branches and special points."""

import numpy as np
import pytest

from sgsolve import Problem
from tests.selection import slow

UNITS = [(1e-6, 1.0), *slow((1e6, 1e-6), (1e-6, 1e6), (1.0, 1e6), (1e6, 1.0), (1e-12, 1e3))]
TURN = np.array([[np.cos(0.3), np.sin(0.3)], [-np.sin(0.3), np.cos(0.3)]])


def square(x, p):
    """Two modes that the symmetry of a square lets cross: four branches of either kind at p = 0."""
    y, z = TURN @ x
    return TURN.T @ np.stack([p * y - y * (y**2 + 0.3 * z**2), p * z - z * (z**2 + 0.3 * y**2)])


def diagram(f, n, bounds, units, **options):
    u, v = units
    problem = Problem(lambda x, p: f(x / u, p / v), params={"p": bounds[0] * v}, **options)
    return problem.bifurcation_diagram(np.zeros(n), "p", (bounds[0] * v, bounds[1] * v))


@pytest.mark.parametrize(("u", "v"), UNITS)
@pytest.mark.parametrize("scaled", [True, *slow(False)])
def test_branches_of_a_double_branch_point(u, v, scaled):
    found = diagram(square, 2, (-0.5, 1.0), (u, v), **({"scale": u} if scaled else {}))
    sizes = sorted(np.linalg.norm(b.states[-1]) / u for b in found.branches)
    np.testing.assert_allclose(sizes, [0.0, *[1.0] * 4, *[np.sqrt(2.0 / 1.3)] * 4], atol=1e-9)


@pytest.mark.parametrize(("u", "v"), UNITS)
def test_a_transcritical_point_has_two_other_sides(u, v):
    found = diagram(lambda x, p: p * x - x**2, 1, (-1.0, 1.0), (u, v))
    sizes = sorted(b.states[-1, 0] / u for b in found.branches)
    np.testing.assert_allclose(sizes, [-1.0, 0.0, 1.0], atol=1e-9)


@pytest.mark.parametrize(
    ("u", "v"),
    [
        (1e-6, 1.0),
        *slow((1e-3, 1e3), (1e-6, 1e6), (1e-12, 1e3), (1e6, 1.0), (1.0, 1e6), (1.0, 1e-6)),
    ],
)
def test_points_at_the_same_parameter_are_two_points(u, v):
    found = diagram(lambda x, p: p * x + x**3 - 0.2 * x**5, 1, (-2.0, 1.0), (u, v))
    folds = [s for s in found.special_points if s.kind == "fold"]
    np.testing.assert_allclose([s.parameter / v for s in folds], -1.25, rtol=1e-8)
    places = sorted(s.x[0] / u for s in folds)
    np.testing.assert_allclose(places, [-np.sqrt(2.5), np.sqrt(2.5)], rtol=1e-6)


@pytest.mark.parametrize("large", [1e10, *slow(1.0, 1e16)])
@pytest.mark.parametrize("named", [False, *slow(True)])
def test_branches_that_differ_in_the_small_unknown_only_are_several(large, named):
    def f(x, p):
        return np.stack([p * x[0] - x[0] ** 3, x[1] - large * (1.0 + 0.1 * p)])

    options = {"blocks": {"y": 1, "z": 1}} if named else {"scale": [1.0, large]}
    problem = Problem(f, params={"p": -1.0}, **options)
    found = problem.bifurcation_diagram(np.array([0.0, 0.9 * large]), "p", (-1.0, 1.0))
    ends = sorted(branch.states[-1, 0] for branch in found.branches)
    np.testing.assert_allclose(ends, [-1.0, 0.0, 1.0], atol=1e-9)
