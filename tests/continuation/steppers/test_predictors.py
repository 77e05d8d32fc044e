"""Predictors of sweeps: how far a line is extrapolated."""

from types import SimpleNamespace

import numpy as np
import pytest

from sgsolve import Problem
from sgsolve.continuation import ConstantPredictor, Natural, SecantPredictor, TangentPredictor
from sgsolve.continuation.stepper import Point

SIZES = 1.0 + np.arange(10)


def point(u, s):
    return Point(np.array([u]), s, at=SimpleNamespace(sizes=np.ones(1), ahead=np.array([0.5])))


class Anywhere:
    """A family whose residual is zero at every guess but the last solution."""

    def residual_or_none(self, x, p):
        return np.array([1.0 if x[0] == 1.0 else 0.0])


@pytest.mark.parametrize(
    ("target", "secant", "tangent"),
    [(11.0, 2.0, 1.5), (12.0, 3.0, 2.0), (20.0, 3.0, 2.0), (-90.0, -1.0, 0.0)],
)
def test_a_line_goes_on_for_twice_the_last_step_at_most(target, secant, tangent):
    before, here = point(0.0, 9.0), point(1.0, 10.0)
    assert SecantPredictor().predict(Anywhere(), here, before, target) == [secant]
    assert TangentPredictor().predict(Anywhere(), here, before, target) == [tangent]


@pytest.mark.parametrize("predictor", [SecantPredictor(), TangentPredictor()])
def test_a_geometric_series_takes_fewer_iterations_than_from_the_last_solution(predictor):
    problem = Problem(lambda u, s: u**2 - s * SIZES)
    values = np.logspace(0, 6, 7)
    counts = [
        problem.sweep(np.ones(10), "s", values, steps=Natural(predictor=chosen))["nit"].sum()
        for chosen in (ConstantPredictor(), predictor)
    ]
    assert counts[1] < counts[0]
