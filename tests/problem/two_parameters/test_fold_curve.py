"""Options of curves of folds: those of a continuation, along the second parameter.

The folds of ``a + b x - x**3 = 0`` are at ``x = -+ sqrt(b / 3)`` and ``a = +- 2 (b / 3)**1.5``.
"""

import numpy as np
import pytest

from sgsolve import Problem, Status

PROBLEM = Problem(lambda x, a, b: a + b * x - x**3, params={"a": -2.0, "b": 1.0})


@pytest.fixture(scope="module")
def branch():
    return PROBLEM.continuation([-1.6], "a", (-2.0, 2.0))


def folds(branch, **options):
    found = PROBLEM.fold_curve(branch, "b", (0.2, 3.0), **options)
    np.testing.assert_allclose(np.abs(found["a"]), 2.0 * (found["b"] / 3.0) ** 1.5, rtol=1e-9)
    return found


def test_events_are_located_and_end_the_curve(branch):
    two = {"two": lambda x, b: b - 2.0, "near": lambda x, b: abs(x[0]) - np.sqrt(0.5)}
    found = folds(branch, events=two, stop="two")
    near, last = found.special_points
    assert (near.kind, last.kind) == ("near", "two")
    np.testing.assert_allclose([near.parameter, last.parameter], [1.5, 2.0], rtol=1e-9)
    np.testing.assert_allclose(last.along["a"], 2.0 * (2.0 / 3.0) ** 1.5, rtol=1e-9)
    assert found.status is Status.STOP_CONDITION
    assert found["b"][-1] == pytest.approx(2.0)


def test_conditions_and_limits_end_the_curve(branch):
    seen = []
    until = folds(branch, until=lambda x, b: b > 1.5, callback=seen.append)
    assert until.status is Status.STOP_CONDITION
    assert until["b"][-2] <= 1.5 < until["b"][-1]
    assert len(seen) == len(until)
    few = folds(branch, max_points=3, keep_states=2, raise_on_failure=True)
    assert (len(few), len(few.states)) == (3, 2)
    assert few.status is Status.MAX_POINTS
