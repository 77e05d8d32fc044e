"""Parameters of functions that do not tell what they take."""

import numpy as np
import pytest

from sgsolve import Problem
from sgsolve.errors import InputError, ParameterError


class Callable:
    """A residual that is an object; its parameters are those of __call__."""

    def __call__(self, x, a=4.0):
        return x**2 - a


def test_an_object_that_can_be_called_is_a_residual():
    problem = Problem(Callable())
    assert problem.solve([1.0]).x[0] == pytest.approx(2.0)
    assert problem.at(a=9.0).solve([1.0]).x[0] == pytest.approx(3.0)


def test_a_ufunc_tells_nothing_and_takes_x_alone():
    result = Problem(np.sinh).solve([1.0])
    assert result.x[0] == pytest.approx(0.0, abs=1e-12)


def test_any_parameter_is_taken_by_a_function_of_keywords():
    def residual(x, **p):
        return x**2 - p["a"] - p["b"]

    problem = Problem(residual, params={"a": 1.0, "b": 0.0})
    assert problem.at(b=3.0).solve([1.0]).x[0] == pytest.approx(2.0)
    branch = problem.at(b=3.0).sweep([2.0], "a", [1.0, 6.0])
    assert branch.states[:, 0] == pytest.approx([2.0, 3.0])
    with pytest.raises(ParameterError, match="no parameter 'c' in the params of this problem"):
        problem.at(c=3.0)


def test_a_parameter_that_nothing_takes_is_refused():
    problem = Problem(Callable())
    with pytest.raises(ParameterError, match="'c'"):
        problem.at(c=1.0).solve([1.0])
    with pytest.raises((ParameterError, InputError), match="'c'"):
        problem.sweep([1.0], "c", [1.0])
