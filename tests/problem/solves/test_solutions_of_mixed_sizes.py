"""Several solutions where unknowns differ by many powers of ten: none is lost, none doubled."""

import numpy as np
import pytest

from sgsolve import Problem, ad
from sgsolve.problem.solves.known_solution import KnownSolution
from tests.selection import slow


def beside_a_large_one(x):
    return ad.hstack([x[0] ** 2 - 4.0, x[1] - 1e16])


def coupled(x):
    """The large unknown follows the small one, by less than its rounding errors."""
    return ad.hstack([x[0] ** 2 - 4.0, x[1] - 1e16 - x[0]])


def beside_a_small_one(x):
    return ad.hstack([x[0] ** 2 - 1e-24, x[1] - 1.0])


def three_sizes(x):
    return ad.hstack([x[0] ** 2 - 4.0, x[1] - 1e16, x[2] ** 2 - 1e-24])


def solutions(problem, x0, size):
    """Return the solutions in order, relative to a size of each unknown."""
    found = [result.x / size for result in problem.find_solutions(x0)]
    return np.array(sorted(np.round(found, 6).tolist())) + 0.0


SETTINGS = {
    "plain": lambda size: {},
    "scale": lambda size: {"scale": size},
    "blocks": lambda size: {"blocks": {f"u{k}": 1 for k in range(len(size))}},
    "blocks with scales": lambda size: {
        "blocks": {f"u{k}": 1 for k in range(len(size))},
        "scale": {f"u{k}": one for k, one in enumerate(size)},
    },
}
EACH_SETTING = ["plain", *slow("blocks with scales", "scale", "blocks")]


@pytest.mark.parametrize("setting", EACH_SETTING)
@pytest.mark.parametrize(
    ("f", "x0", "size"),
    [
        (beside_a_large_one, [1.0, 1e16], [2.0, 1e16]),
        (beside_a_large_one, [1.0, 1.0], [2.0, 1e16]),
        (coupled, [1.0, 1e16], [2.0, 1e16]),
        (beside_a_small_one, [3e-12, 1.0], [1e-12, 1.0]),
        (beside_a_small_one, [1.0, 1.0], [1e-12, 1.0]),
    ],
)
def test_both_roots_are_found(f, x0, size, setting):
    problem = Problem(f, compiled=False, **SETTINGS[setting](size))
    np.testing.assert_array_equal(solutions(problem, x0, size), [[-1.0, 1.0], [1.0, 1.0]])


@pytest.mark.slow
@pytest.mark.parametrize("setting", EACH_SETTING)
def test_all_roots_of_three_sizes_are_found(setting):
    size = [2.0, 1e16, 1e-12]
    problem = Problem(three_sizes, compiled=False, **SETTINGS[setting](size))
    expected = [[a, 1.0, b] for a in (-1.0, 1.0) for b in (-1.0, 1.0)]
    np.testing.assert_array_equal(solutions(problem, [1.0, 1e16, 3e-12], size), expected)


@pytest.mark.slow
def test_roots_beside_a_large_unknown_along_a_parameter():
    problem = Problem(lambda x, p: ad.hstack([x[0] ** 2 - p, x[1] - 1e16]), compiled=False)
    sets = problem.deflated_continuation([1.0, 1e16], "p", [1.0, 4.0])
    for p, block in sets:
        np.testing.assert_allclose(np.sort(block[:, 0]), [-np.sqrt(p), np.sqrt(p)], rtol=1e-9)


@pytest.mark.parametrize(
    "f",
    [
        # zero to rounding, and any number below 1e-16 solves the equation
        lambda x: ad.hstack([(1.0 + x[0]) - 1.0, x[1] ** 2 - 1.0]),
        # zero to the rounding errors of another term
        lambda x: ad.hstack([x[0] + np.sin(np.pi * x[1]), x[1] ** 2 - 1.0]),
        # a double and a triple root, to which convergence is linear
        lambda x: ad.hstack([x[0] ** 2, x[1] ** 2 - 1.0]),
        lambda x: ad.hstack([(x[0] - 1.0) ** 3, x[1] ** 2 - 1.0]),
        lambda x: ad.hstack([(x[0] - 1e16) / 3.0 * 7.0, x[1] ** 2 - 1.0]),
    ],
)
@pytest.mark.parametrize("start", [1e-3, *slow(0.0)])
def test_rounding_errors_are_no_second_solution(f, start):
    found = Problem(f, compiled=False).find_solutions([start, 0.3])
    np.testing.assert_allclose(sorted(result.x[1] for result in found), [-1.0, 1.0], atol=1e-9)


def known(f, x):
    """Return x as a known solution."""
    problem = Problem(f, compiled=False)
    result = problem.solve(x)
    with problem._definition.lend(result.system, result.x) as workspace:
        return KnownSolution(result, result.system, workspace)


def test_size_and_error_of_each_unknown():
    """A large unknown gives its size to those that depend on it only."""
    solution = known(lambda x: ad.hstack([x[0] ** 2 - 4.0, x[1] - 1e16, x[2] + x[1]]), [1.0] * 3)
    sizes = solution.sizes(np.zeros(3), 1e17)
    assert 1.0 <= sizes[0] <= 8.0
    assert 0.5e16 <= sizes[1] <= 3e16
    assert solution.sizes(np.zeros(3), 1e10).max() == 1e10
    assert solution.error[0] < 1e-12
    assert 2.0 <= solution.error[1] < 1e3  # the spacing of numbers at 1e16 is 2


def test_two_points_are_one_solution_if_the_equations_hold_between_them():
    def f(x):
        return ad.hstack([x[0] ** 3 - 1e-24 * x[0], x[1] - 1.0])

    size = 1.0
    roots = [known(f, [x, 1.0]) for x in (-1.3e-12, 1e-15, 1.3e-12)]
    assert [round(one.x[0] * 1e12) for one in roots] == [-1, 0, 1]
    same = [[one.is_same(other.result, 1e-6, size) for one in roots] for other in roots]
    np.testing.assert_array_equal(same, np.eye(3, dtype=bool))


@pytest.mark.slow
def test_starts_of_the_size_of_the_solutions_find_those_that_are_close_to_each_other():
    """In one block, without a scale: 28 decades between the unknowns."""

    def residual(x):
        return ad.stack([x[0] ** 3 - x[0], x[1] - 1e16, x[2] ** 2 - 1e-24])

    found = Problem(residual).find_solutions([0.5, 1e16, 3e-12])
    signs = {(round(one.x[0]), float(np.sign(one.x[2]))) for one in found}
    assert signs == {(first, last) for first in (-1, 0, 1) for last in (-1.0, 1.0)}
    assert len(found) == 6


@pytest.mark.parametrize("unit", [1e-10, 1.0, 1e10])
@pytest.mark.parametrize("other", [1.0, 1e6])
def test_an_unknown_that_is_zero_has_the_size_at_which_it_acts(unit, other):
    """Start and first roots have x0 = 0: its unit shows only in the equation of x1."""

    def residual(x, p):
        y, z = x[0] / unit, x[1] / other
        return np.stack([p * y - y**3, z**2 - 4.0 - p * y])

    start = np.array([0.0, other])
    sets = Problem(residual, compiled=False).deflated_continuation(start, "p", [1.0])
    ((_, found),) = sets
    found = found / [unit, other]
    found = found[np.lexsort((found[:, 1].round(3), found[:, 0].round(3)))]
    three, five = np.sqrt(3.0), np.sqrt(5.0)
    expected = [[-1, -three], [-1, three], [0, -2], [0, 2], [1, -five], [1, five]]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
