"""The examples in the docstrings of the shared physics are true."""

import doctest
import importlib

import pytest

MODULES = ["cells", "constants", "device", "generation", "grids", "mobility"]
MODULES += ["report", "small_signal", "statistics", "triangles"]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of(name):
    result = doctest.testmod(importlib.import_module(f"physics.{name}"))
    assert result.attempted > 0
    assert result.failed == 0
