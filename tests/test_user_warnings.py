"""A warning shows the line of the program that called, whatever the depth of the call."""

import warnings
from inspect import currentframe

import numpy as np
import pytest

from sgsolve import Problem
from sgsolve.devices import Device, Ohmic, UnitsWarning, interval


def fold():
    return Problem(lambda x, a: a + x**2, params={"a": -1.0}, storage=lambda x: 1.0 * x)


CALLS = {
    "sweep": lambda: fold().sweep([1.0], "a", [-1.0, 1.0]),
    "find_solutions": lambda: fold().find_solutions([1.0], time_limit=1e-9),
    "deflated": lambda: fold().deflated_continuation([1.0], "a", [-1.0, -2.0], time_limit=1e-9),
    "transient": lambda: fold().transient([1.0], (0.0, 100.0), time_limit=1e-9),
    "device": lambda: Device(
        interval(np.linspace(0.0, 1e3, 11)),
        np.full(11, 1e15),
        {"a": Ohmic(0), "b": Ohmic(-1)},
        {"eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0},
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_warning_shows_the_line_of_the_caller(name):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        CALLS[name]()
    assert caught
    assert {warning.filename for warning in caught} == {__file__}
    assert all(warning.lineno < currentframe().f_lineno for warning in caught)


def test_a_warning_can_be_made_an_error():
    with warnings.catch_warnings():
        warnings.simplefilter("error", UnitsWarning)
        with pytest.raises(UnitsWarning, match="lengths are in cm"):
            CALLS["device"]()
