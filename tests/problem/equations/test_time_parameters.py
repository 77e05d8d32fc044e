"""Parameters at any time: numbers, functions of time and the time itself, as each one asks."""

import numpy as np
import pytest

from sgsolve import Problem
from sgsolve.errors import DomainError
from sgsolve.problem.equations.time_parameters import TimeParameters


def decay(x, a, b=2.0, t=0.0):
    return a * x - b * t


def still(x, a, b=2.0):
    return a * x - b


def parameters(residual, functions, **given):
    system, _ = Problem(residual, params=given)._definition.system(np.ones(2), {})
    return TimeParameters(system, functions)


def test_each_time_has_its_parameters():
    found = parameters(decay, {"a": lambda t: 3.0 * t}, a=1.0, b=5.0)
    assert found.at(2.0) == {"a": 6.0, "b": 5.0, "t": 2.0}
    assert found.at(2.0) is found.at(2.0)
    assert found.at(1.0)["a"] == 3.0
    assert found.timed
    assert not found.are_constant


def test_a_residual_without_the_time_does_not_get_it():
    found = parameters(still, {}, a=1.0)
    assert found.at(7.0) == {"a": 1.0}
    assert found.every(7.0) == {"a": 1.0, "b": 2.0, "t": 7.0}
    assert found.default("b") == 2.0
    assert found.are_constant


def test_a_function_that_is_not_finite_fails_the_step():
    found = parameters(still, {"a": lambda t: 1.0 / t if t else np.inf}, a=1.0)
    with pytest.raises(DomainError, match="'a' is inf at t = 0"):
        found.at(0.0)
    assert found.at(4.0) == {"a": 0.25}
