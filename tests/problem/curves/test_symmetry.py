"""Solutions that can be shifted: a phase condition fixes their place (docs/howto)."""

import warnings

import numpy as np
import pytest

from sgsolve import PartialBranchWarning, Problem
from sgsolve.continuation import UnlocatedWarning
from tests.continuation.gallery import swift_hohenberg

pytestmark = pytest.mark.slow

N, LENGTH = 512, 60.0
X = (np.arange(N) + 0.5) * LENGTH / N - 0.5 * LENGTH
HOW = {"step": -0.01, "max_step": 0.05, "keep_states": "none"}


def fixed(u0):
    """The equation on the whole line, c the multiplier of the phase condition."""
    equation = swift_hohenberg(len(u0), LENGTH)
    shift = np.gradient(u0)
    shift /= np.linalg.norm(shift)

    def residual(y, lam=-0.7):
        u, c = y[:-1], y[-1]
        return np.append(equation(u, lam) + c * shift, shift @ (u - u0))

    return Problem(residual, scale=np.ones(len(u0) + 1))


def localized(n):
    x = (np.arange(n) + 0.5) * LENGTH / n - 0.5 * LENGTH
    guess = 1.1 * np.cos(x) * np.exp(-(x**2) / 50.0)
    return Problem(swift_hohenberg(n, LENGTH)).at(lam=-0.7).solve(guess).x


def on_the_whole_line(n):
    u0, outputs = localized(n), {"multiplier": lambda y: y[-1]}
    problem, start = fixed(u0), np.append(u0, 0.0)
    bounds = (-2.0, 0.5)
    return problem, problem.at(lam=-0.7).continuation(
        start, "lam", bounds, max_points=90, outputs=outputs, **HOW
    )


@pytest.fixture(scope="module")
def snake():
    return on_the_whole_line(N)


def test_folds_are_those_of_half_the_domain(snake):
    half = X[N // 2 :]
    problem = Problem(swift_hohenberg(N // 2, LENGTH / 2, even=True))
    u0 = problem.at(lam=-0.7).solve(1.1 * np.cos(half) * np.exp(-(half**2) / 50.0)).x
    mirrored = problem.at(lam=-0.7).continuation(
        u0, "lam", (-2.0, 0.5), max_points=90, detect="fold", **HOW
    )
    folds, expected = (
        np.array([fold.parameter for fold in branch.folds]) for branch in (snake[1], mirrored)
    )
    assert len(folds) >= 8
    count = min(len(folds), len(expected))
    assert np.abs(folds[:count] - expected[:count]).max() < 1e-5
    assert np.abs(snake[1]["multiplier"]).max() < 1e-5
    assert snake[1].stats.n_analyze <= 3


def test_the_rungs_of_the_ladder_leave_beside_every_fold(snake):
    """Burke and Knobloch, Chaos 17 (2007) 037102: asymmetric states join the two snakes."""
    problem, branch = snake
    folds = [fold.parameter for fold in branch.folds]
    points = [point.parameter for point in branch.branch_points]
    assert len(points) >= 6
    near = [min(abs(point - fold) for fold in folds) for point in points]
    assert max(near) < 1e-3
    for sign in (0.01, -0.01):
        rung = problem.switch_branch(
            branch, 0, (-2.0, 0.5), step=sign, max_step=0.05, max_points=25
        )
        u = rung.states[:, :-1]
        assert np.linalg.norm(u[-1] - u[-1, ::-1]) > 0.1  # no longer even


def points(branch):
    """The first six folds and the first six branch points."""
    return [
        np.array([special.parameter for special in branch.special_points_of(kind)[:6]])
        for kind in ("fold", "branch point")
    ]


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["auto", "superlu"])
def test_without_the_condition_the_points_are_found_less_exactly(backend):
    """K is singular along the shift: branch points are bracketed, folds polished if they can be.

    Rounding shifts the states from point to point, and some runs go astray at a rung or bracket a
    point while they drift: one in ten here, two in five with SuperLU. So there are five, equal
    but for the last digit of the residual, and no single one must find every point.
    """
    n, exact = 256, 0
    expected, u0, equation = (
        points(on_the_whole_line(n)[1]),
        localized(n),
        swift_hohenberg(n, LENGTH),
    )
    for seed in range(5):
        last_digit = 1.0 + 2.0**-52 * np.random.default_rng(seed).choice([-1, 0, 1], n)

        def residual(u, lam=-0.7, last_digit=last_digit):
            return last_digit * equation(u, lam)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PartialBranchWarning)
            warnings.simplefilter("ignore", UnlocatedWarning)
            free = Problem(residual, params={"lam": -0.7}, backend=backend).continuation(
                u0, "lam", (-2.0, 0.5), max_points=75, **HOW
            )
        pairs = list(zip(points(free), expected, (1e-9, 1e-7), strict=True))
        exact += all(
            len(found) == len(wanted) == 6 and np.abs(found - wanted).max() < tolerance
            for found, wanted, tolerance in pairs
        )
    assert exact >= 1
