"""The examples in the docstrings of the package are true."""

import doctest
import importlib
import pkgutil

import pytest

import sgsolve.transient

NAMES = [m.name for m in pkgutil.iter_modules(sgsolve.transient.__path__, "sgsolve.transient.")]


@pytest.mark.parametrize("name", [*NAMES, "sgsolve.scipy_like.initial_value"])
def test_examples_of_docstrings(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0
