"""The examples in the docstrings of the shared physics are true."""

import doctest
import importlib

import pytest

MODULES = ["constants", "device", "mesh", "mobility", "report", "statistics"]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of(name):
    result = doctest.testmod(importlib.import_module(f"physics.{name}"))
    assert result.attempted > 0
    assert result.failed == 0
