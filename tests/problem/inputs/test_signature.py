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


def test_the_time_is_no_missing_parameter():
    """A value for t, which a message advised once, freezes a forcing without a word."""
    forced = Problem(lambda x, t: x - np.cos(t), storage=lambda x: 1.0 * x)
    with pytest.raises(
        ParameterError, match=r"Problem.transient alone.*periodic orbit.*oscillator"
    ):
        forced.periodic_orbit(np.ones((20, 1)), period=6.0)
    with pytest.raises(ParameterError, match=r"at\(t=...\) gives the equations of one time"):
        forced.solve([0.0])
    assert forced.at(t=0.0).solve([0.0]).x == pytest.approx([1.0])


class Square:
    def __call__(self, x):
        return x**2


@pytest.mark.parametrize(
    "law", [Square(), np.square, lambda t: t**2], ids=["object", "ufunc", "lambda"]
)
def test_a_law_that_is_taken_for_a_function_of_time_is_named(law):
    problem = Problem(lambda x, law: law(x), params={"law": law}, storage=lambda x: 1.0 * x)
    with pytest.raises(ParameterError, match=r"not callable.*'law' was taken for a function"):
        problem.transient([1.0], (0.0, 1.0))
    run = problem.at(law=lambda x: law(x)).transient([1.0], (0.0, 1.0), rtol=1e-6)
    assert run.x == pytest.approx([0.5], rel=1e-4)


def test_a_function_of_time_is_no_value_of_a_steady_equation():
    problem = Problem(
        lambda x, u: x - u, params={"u": lambda t: 2.0 * t}, storage=lambda x: 1.0 * x
    )
    with pytest.raises(ParameterError, match=r"'u' looks like a function of time.*at\(u=...\)"):
        problem.solve([0.0])
    assert problem.at(u=2.0).solve([0.0]).x == pytest.approx([2.0])


def test_an_error_of_the_residual_that_has_nothing_to_do_with_time_stays():
    with pytest.raises(TypeError, match="unsupported operand"):
        Problem(lambda x, a: x + a, params={"a": None}).solve([0.0])
