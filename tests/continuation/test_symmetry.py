"""Solutions that can be shifted: a phase condition fixes their place (docs/continuation.md)."""

import numpy as np
import pytest

from sgsolve import Problem
from tests.continuation.gallery import swift_hohenberg

N, LENGTH = 512, 60.0
X = (np.arange(N) + 0.5) * LENGTH / N - 0.5 * LENGTH
HOW = {"lam": -0.7, "step": -0.01, "max_step": 0.05, "keep": "none"}


def fixed(u0):
    """The equation on the whole line, c the multiplier of the phase condition."""
    equation = swift_hohenberg(N, LENGTH)
    shift = np.gradient(u0)
    shift /= np.linalg.norm(shift)

    def residual(y, lam=-0.7):
        u, c = y[:-1], y[-1]
        return np.append(equation(u, lam) + c * shift, shift @ (u - u0))

    return Problem(residual, scale=np.ones(N + 1))


def localised(profile):
    return Problem(swift_hohenberg(N, LENGTH)).solve(profile * np.exp(-(X**2) / 50.0), lam=-0.7).x


@pytest.fixture(scope="module")
def snake():
    u0 = localised(1.1 * np.cos(X))
    problem = fixed(u0)
    outputs = {"multiplier": lambda y: y[-1]}
    return problem, problem.continuation(
        np.append(u0, 0.0), "lam", (-2.0, 0.5), max_points=90, outputs=outputs, **HOW
    )


def test_folds_are_those_of_half_the_domain(snake):
    half = X[N // 2 :]
    problem = Problem(swift_hohenberg(N // 2, LENGTH / 2, even=True))
    u0 = problem.solve(1.1 * np.cos(half) * np.exp(-(half**2) / 50.0), lam=-0.7).x
    mirrored = problem.continuation(u0, "lam", (-2.0, 0.5), max_points=90, detect="fold", **HOW)
    folds, expected = (
        np.array([fold.parameter for fold in branch.specials("fold")])
        for branch in (snake[1], mirrored)
    )
    assert len(folds) >= 8
    count = min(len(folds), len(expected))
    assert np.abs(folds[:count] - expected[:count]).max() < 1e-9
    assert np.abs(snake[1]["multiplier"]).max() < 1e-6
    assert snake[1].stats.n_analyse <= 3


def test_the_rungs_of_the_ladder_leave_beside_every_fold(snake):
    """Burke and Knobloch, Chaos 17 (2007) 037102: asymmetric states join the two snakes."""
    problem, branch = snake
    folds = [fold.parameter for fold in branch.specials("fold")]
    points = [point.parameter for point in branch.specials("branch point")]
    assert len(points) >= 6
    near = [min(abs(point - fold) for fold in folds) for point in points]
    assert max(near) < 1e-3
    for sign in (0.01, -0.01):
        rung = problem.switch(branch, 0, (-2.0, 0.5), step=sign, max_step=0.05, max_points=25)
        u = rung.states[:, :-1]
        assert np.linalg.norm(u[-1] - u[-1, ::-1]) > 0.1  # no longer even


@pytest.mark.parametrize("backend", ["auto", "superlu"])
def test_without_the_condition_the_points_are_found_less_exactly(snake, backend):
    """K is singular along the shift: branch points are bracketed, folds polished if they can be."""
    free = Problem(swift_hohenberg(N, LENGTH), backend=backend).continuation(
        localised(1.1 * np.cos(X)), "lam", (-2.0, 0.5), max_points=90, **HOW
    )
    for kind, tolerance in (("fold", 1e-9), ("branch point", 1e-7)):
        found, expected = (
            np.array([special.parameter for special in branch.specials(kind)])
            for branch in (free, snake[1])
        )
        count = min(len(found), len(expected))
        assert count >= 6
        assert np.abs(found[:count] - expected[:count]).max() < tolerance
