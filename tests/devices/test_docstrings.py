"""The examples in the docstrings of sgsolve.devices are true."""

import doctest
import importlib

import pytest

MODULES = ["bands", "cells", "constants", "contacts", "device", "drive", "generation", "grids"]
MODULES += [
    "gummel_iteration",
    "material",
    "materials",
    "mesh",
    "methods",
    "mobility",
    "photovoltaic",
    "recombination",
]
MODULES += [
    "sensitivity",
    "small_signal",
    "statistics",
    "time_form",
    "traps",
    "triangles",
    "__init__",
]
NEEDED = {"bands": "matplotlib", "triangles": "meshio"}


@pytest.mark.parametrize("name", MODULES)
def test_examples_of(name):
    pytest.importorskip(NEEDED.get(name, "numpy"), reason="the examples use it")
    result = doctest.testmod(
        importlib.import_module(f"sgsolve.devices.{name}".removesuffix(".__init__"))
    )
    assert result.attempted > 0
    assert result.failed == 0
