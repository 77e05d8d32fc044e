"""The ladder solves what one of its parts solves alone, and ends within its patience."""

import math
import time

import numpy as np
import pytest

from sgsolve import InputError, Problem, Status, solvers
from sgsolve.continuation import default_ladder


def steep(a, b):
    return lambda x: np.stack([np.exp(x[0] * x[1]) - a, x[0] ** 3 - x[1] ** 2 + b * x[0]])


def valley(a, b):
    return lambda x: np.stack([10 * a * (x[1] - x[0] ** 3), b - x[0] + np.sin(3 * x[1])])


def stirred_tank(a, b):
    def f(x):
        rate = a * x[0] * np.exp(20 * x[1] / (1 + x[1]))
        return np.stack([1 - x[0] - rate, -x[1] + 5 * rate - b * x[1]])

    return f


HARD = [  # the number of iterations of the part alone
    (stirred_tank(0.6, 1.1), [-1.3, -1.1], solvers.PseudoTransient()),  # 212
    (stirred_tank(2.8, 2.2), [1.0, -0.5], solvers.PseudoTransient()),  # 220
    (steep(0.9, 1.5), [-1.2, 0.6], solvers.PseudoTransient()),  # 116
    (steep(0.5, 0.9), [-4.7, 4.1], solvers.PseudoTransient()),  # 256
    (steep(2.5, 1.2), [-13.5, 5.8], solvers.PseudoTransient()),  # 254
    (steep(2.1, 2.6), [-9.8, 1.0], solvers.LevenbergMarquardt()),  # 12
    (valley(1.8, 1.6), [10.8, -11.5], solvers.LevenbergMarquardt()),  # 19
    (valley(2.4, 0.6), [-8.6, -4.9], solvers.LevenbergMarquardt()),  # 10
    (valley(0.6, 1.0), [16.9, -12.8], solvers.LineSearchNewton()),  # 24
]


@pytest.mark.parametrize("number", range(len(HARD)))
def test_what_a_part_solves_alone_the_ladder_solves(number):
    f, start, part = HARD[number]
    alone = Problem(f).solve(start, part)
    assert np.abs(f(alone.x)).max() < 1e-8
    result = Problem(f).solve(start, solvers.Robust())
    assert np.abs(f(result.x)).max() < 1e-8


def test_no_rung_is_repeated():
    """Levenberg-Marquardt starts from the first point at once, where nothing was better."""
    result = Problem(lambda x: x**2 + 1.0 + 0.0 * x).solve([0.0], raise_on_failure=False)
    named = [stage.split(":")[0] for stage in result.stages]
    assert named.count("LevenbergMarquardt") == 1


def bratu(u):
    """-u'' = 10 exp(u), which has no solution, at 0.5 ms a call."""
    time.sleep(5e-4)
    n = u.shape[0]
    U = np.concatenate([[0.0], u, [0.0]])
    return (U[2:] - 2 * U[1:-1] + U[:-2]) * (n + 1) ** 2 + 10.0 * np.exp(u)


def test_patience_bounds_the_time_of_a_ladder():
    took = []
    for patience in (0.1, 0.4):
        started = time.perf_counter()
        solver = default_ladder(patience=patience)
        result = Problem(bratu).solve(np.zeros(50), solver, raise_on_failure=False)
        took.append(time.perf_counter() - started)
        assert result.status is not Status.TIME_LIMIT
        assert any("its share of the patience" in stage for stage in result.stages)
        assert sum("Homotopy" in stage for stage in result.stages) >= 2  # each stage has its turn
    assert took[0] < 2.0


def test_time_limit_holds_for_a_patient_ladder():
    result = Problem(bratu).solve(
        np.zeros(50), default_ladder(patience=math.inf), raise_on_failure=False, time_limit=0.3
    )
    assert result.status is Status.TIME_LIMIT


def test_patience_must_be_positive():
    with pytest.raises(InputError, match="patience must be positive"):
        solvers.Robust(patience=0.0)
