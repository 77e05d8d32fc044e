"""A residual that has other values on AD arrays than on plain ones is reported at the start."""

import warnings

import numpy as np
import pytest

from sgsolve import Problem, ad, solvers
from sgsolve.errors import ImpureFunctionWarning


def by_type(x):
    return x**2 - (4.0 if type(x) is np.ndarray else 9.0)


def truth_of_objects(x):
    t = np.logical_or(np.array([x[0], x[1]]) - 0.5, np.array([0.0, 0.0]))
    return x * t - 2.0


def test_other_values_are_reported():
    with pytest.warns(ImpureFunctionWarning, match=r"x\[1\]|x\[0\]"):
        Problem(by_type).solve([3.0, 5.0], solvers.Newton(), raise_on_failure=False)


def test_truth_values_of_objects_are_those_of_numbers():
    """NumPy gives a number in place of True for objects."""
    np.testing.assert_allclose(Problem(truth_of_objects).solve([3.0, 5.0]).x, 2.0)


@pytest.mark.parametrize("start", [[1.0, 2.0], [0.0, 0.0], [1e200, -1e200]])
def test_the_same_values_are_not(start):
    def residual(x):
        z = (x[0] + 1j * x[1]) * (x[1] - 2j)
        return ad.stack([np.where(x[0] > 0.5, z.real, z.imag), abs(z) - x[1]])

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Problem(residual).solve(start, raise_on_failure=False)
