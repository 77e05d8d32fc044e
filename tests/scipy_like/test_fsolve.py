"""sgsolve.fsolve: the signature and the results of scipy.optimize.fsolve."""

import inspect

import numpy as np
import pytest
from scipy import optimize

from sgsolve import InputError, NoSolutionWarning, fsolve


def circle(x, radius):
    return np.array([x[0] ** 2 + x[1] ** 2 - radius**2, x[0] - np.exp(-x[1])])


def slopes(x, radius):
    return np.array([[2 * x[0], 2 * x[1]], [1.0, np.exp(-x[1])]])


def test_the_parameters_are_those_of_scipy():
    ours = inspect.signature(fsolve).parameters
    theirs = inspect.signature(optimize.fsolve).parameters
    assert list(ours) == list(theirs)
    for name, parameter in theirs.items():
        assert ours[name].default == parameter.default


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"fprime": slopes},
        {"fprime": lambda x, r: slopes(x, r).T, "col_deriv": True},
        {"xtol": 1e-12, "maxfev": 200},
    ],
)
def test_solutions_are_those_of_scipy(settings):
    x = fsolve(circle, [1.0, 1.0], (2.0,), **settings)
    np.testing.assert_allclose(x, optimize.fsolve(circle, [1.0, 1.0], (2.0,)), rtol=1e-8)


def test_the_full_output():
    x, info, ier, message = fsolve(circle, [1.0, 1.0], 2.0, full_output=True)
    assert ier == 1
    assert info["result"].success
    assert message == info["result"].message
    np.testing.assert_array_equal(info["fvec"], circle(x, 2.0))
    assert info["nfev"] >= info["njev"] > 0


def test_a_failure_is_said():
    with pytest.warns(NoSolutionWarning, match="fsolve: "):
        x = fsolve(lambda x: x**2 + 1.0, [1.0])
    assert x.shape == (1,)
    assert fsolve(lambda x: x**2 + 1.0, [1.0], full_output=True)[2] == 5
    *_, ier, message = fsolve(lambda x: x**2 - 1e9, [1.0], full_output=True, maxfev=3)
    assert ier == 2
    assert "maxfev" in message


@pytest.mark.parametrize("option", [{"band": (1, 1)}, {"epsfcn": 1e-8}, {"factor": 1.0}])
def test_options_without_a_counterpart_are_named(option):
    with pytest.raises(InputError, match=next(iter(option))):
        fsolve(circle, [1.0, 1.0], (2.0,), **option)


def test_the_example_of_scipys_documentation():
    def func(x):
        return [x[0] * np.cos(x[1]) - 4, x[1] * x[0] - x[1] - 5]

    x = fsolve(func, [1, 1])
    np.testing.assert_allclose(x, [6.50409711, 0.90841421], rtol=1e-8)
    np.testing.assert_allclose(func(x), 0.0, atol=1e-12)
    assert np.abs(func(fsolve(func, [1, 1], xtol=1e-3))).max() > 1e-12  # the user's own ends early
