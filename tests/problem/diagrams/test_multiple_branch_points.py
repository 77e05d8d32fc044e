"""Branch points with several null vectors: the number of branches does not depend on coordinates.

The numbers are those of the zeros of the equations themselves, which are homogeneous.
"""

import warnings

import numpy as np
import pytest

from sgsolve import ConvergenceError, PartialBranchWarning, Problem
from sgsolve.bifurcation.branch_points.polynomial_zeros import (
    Polynomials,
    exponents,
    zeros_on_sphere,
)
from tests.selection import slow


def permuted(w, p):
    """Three modes that may be permuted: 2^3 - 1 lines beside the trivial one."""
    return [p * w[i] + w[i] ** 2 + 0.3 * w[i] * (w[i - 1] + w[i - 2]) + 0.2 * w[i - 1] * w[i - 2]
            for i in range(3)]  # fmt: skip


def steep(w, p):
    """Branches along which the parameter changes ten and twenty times as much as the unknowns."""
    return [p * w[0] + 20.0 * w[0] ** 2, p * w[1] + 10.0 * w[1] ** 2 + w[0] * w[1]]


def quintic(w, p):
    return [p * v - v**5 for v in w]


def pitchfork_and_crossing(w, p):
    return [p * w[0] - 1e4 * w[0] ** 3, p * w[1] + 10.0 * w[1] ** 2]


def quadratic(w, p):
    return [p * w[i] + w[i] ** 2 + 0.2 * w[i - 1] ** 2 for i in range(4)]


def cubic(w, p):
    size = w[0] ** 2 + w[1] ** 2 + w[2] ** 2 + w[3] ** 2
    return [p * v - 0.7 * v**3 - 0.3 * v * size for v in w]


def turned(flow, m, seed):
    A = np.linalg.qr(np.random.default_rng(seed).standard_normal((m, m)))[0]
    return lambda x, p: A.T @ np.stack(flow(A @ x, p))


CASES = [(permuted, 3, 14), (steep, 2, 6), (quintic, 2, 8), (pitchfork_and_crossing, 2, 6)]


@pytest.mark.parametrize(
    ("flow", "m", "count"),
    [CASES[1], *slow(CASES[0], *CASES[2:], (quadratic, 4, 30), (cubic, 4, 80))],
)
@pytest.mark.parametrize("seed", [6, *slow(0, 2)])
def test_the_number_of_branches_does_not_depend_on_coordinates(flow, m, count, seed):
    problem = Problem(turned(flow, m, seed), params={"p": -0.3})
    trivial = problem.continuation(np.zeros(m), "p", (-0.3, 0.3))
    assert len(problem.branches_at(trivial, 0, max_points=2)) == count


@pytest.mark.parametrize("seed", slow(6, 0, 2))
def test_a_diagram_drops_no_branch_whose_direction_is_near_that_of_another(seed):
    """Here the cosine of two directions is 0.986."""
    problem = Problem(turned(permuted, 3, seed), params={"p": -0.3})
    found = problem.bifurcation_diagram(np.zeros(3), "p", (-0.3, 0.3), depth=1)
    assert (len(found), found.success) == (15, True)


@pytest.mark.parametrize(
    ("residual", "n", "reason"),
    [
        (lambda x, p: p * x - x * (x[0] ** 2 + x[1] ** 2), 2, "a symmetry turns"),
        (lambda x, p: p * x - x**3, 5, "more than 4 null vectors"),
    ],
    ids=["symmetry of a circle", "five null vectors"],
)
def test_where_there_may_be_more_branches_it_is_said(residual, n, reason):
    problem = Problem(residual, params={"p": -0.3})
    trivial = problem.continuation(np.zeros(n), "p", (-0.3, 0.3))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:  # rounding decides whether one of a family can be followed
            problem.branches_at(trivial, 0, max_points=2)
        except ConvergenceError as error:
            told = [error]
    assert any(reason in str(text) for text in told)
    with pytest.warns(PartialBranchWarning, match=reason):
        found = problem.bifurcation_diagram(np.zeros(n), "p", (-0.3, 0.3))
    assert not found.success


@pytest.mark.parametrize(("flow", "m", "count"), [*CASES[:1], *slow((quadratic, 4, 30))])
def test_all_zeros_of_polynomials_on_a_sphere_are_found(flow, m, count):
    powers, rng = exponents(m, 5), np.random.default_rng(1)
    points = rng.uniform(-1.0, 1.0, (2 * len(powers), m + 1))
    values = np.array([turned(flow, m, 3)(z[:m], z[m]) for z in points])
    g, error = Polynomials.fitted(points, values, powers)
    zeros, complete = zeros_on_sphere(g, np.empty((0, m + 1)))
    assert error < 1e-12
    assert complete
    assert len(zeros) == count + 2
    assert np.abs(g.at(zeros)).max() < 1e-12
    np.testing.assert_allclose(np.linalg.norm(zeros, axis=1), 1.0, atol=1e-12)


def test_zeros_that_are_not_regular_are_told():
    """Two zeros of x^2 = 0 and z = 0 meet at either pole of y: none of them is regular."""
    powers = exponents(2, 2)
    g = Polynomials(powers, np.zeros((len(powers), 2)))
    where = {tuple(power): k for k, power in enumerate(powers.tolist())}
    g.coefficients[where[2, 0, 0], 0] = 1.0
    g.coefficients[where[0, 0, 1], 1] = 1.0
    assert not zeros_on_sphere(g, np.empty((0, 3)))[1]


def test_a_simple_point_of_unknowns_in_far_units_is_no_multiple_one():
    """A pitchfork at p = 0.1 in x[0], with x[1] in units of 1e-12."""

    def residual(x, p):
        y = x[1] / 1e12
        return np.stack([p * x[0] - x[0] ** 3 - 0.1 * x[0] * y, y - 1.0 - 0.3 * x[0] ** 2])

    problem = Problem(residual, params={"p": -1.0}, scale=[1.0, 1e12])
    found = problem.bifurcation_diagram([0.0, 1e12], "p", (-1.0, 1.0))
    assert (len(found), found.unfinished) == (3, [])
