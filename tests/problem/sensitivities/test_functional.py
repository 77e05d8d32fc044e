"""Functionals are handed the parameters that they name, whatever kind of callable they are."""

import functools

import numpy as np
import pytest

from sgsolve import ParameterError, Problem
from sgsolve.problem.sensitivities.functional import call_with_parameters

PARAMS = {"a": 2.0, "b": 3.0}


class Reader:
    def __call__(self, x, a=1.0):
        return a * x

    def method(self, x, a=1.0, *, b):
        return (a + b) * x

    @staticmethod
    def static(x, b=1.0):
        return b * x


@functools.wraps(Reader.static)
def wrapped(*args, **keywords):
    return Reader.static(*args, **keywords)


def bound(x, a=1.0, b=1.0):
    return (10.0 * a + b) * x


FUNCTIONALS = [
    (lambda x: x, 1.0),
    (lambda x, b: b * x, 3.0),
    (lambda x, /, a: a * x, 2.0),
    (lambda x, **p: sum(p.values()) * x, 5.0),
    (lambda x, other=7.0: other * x, 7.0),
    (Reader(), 2.0),
    (Reader().method, 5.0),
    (Reader.static, 3.0),
    (wrapped, 3.0),
    (functools.partial(bound, b=4.0), 24.0),  # what is bound stays bound
    (np.negative, -1.0),
]


@pytest.mark.parametrize(("functional", "expected"), FUNCTIONALS)
def test_parameters_arrive(functional, expected):
    assert call_with_parameters(functional, 1.0, PARAMS) == expected


def test_parameters_of_an_object_count_in_sensitivities():
    problem = Problem(lambda x, a: x - a, params={"a": 2.0})
    result = problem.solve([1.0])
    assert problem.sensitivity(result, "a", functional=Reader()) == pytest.approx(
        [4.0]
    )  # d(a x)/da


def test_unknown_parameter_is_named():
    with pytest.raises(
        ParameterError, match="'c', which is no parameter of the problem; its parameters are 'a'"
    ):
        call_with_parameters(lambda x, c: x, 1.0, PARAMS)
