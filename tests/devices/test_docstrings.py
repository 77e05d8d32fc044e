"""The examples in the docstrings of sgsolve.devices are true."""

import doctest
import importlib
import pkgutil

import pytest

import sgsolve.devices

MODULES = ["sgsolve.devices"]
MODULES += [
    f"sgsolve.devices.{module.name}" for module in pkgutil.iter_modules(sgsolve.devices.__path__)
]
NEEDED = {
    "sgsolve.devices.analyses.bands": "matplotlib",
    "sgsolve.devices.meshes.mesh_files": "meshio",
}


@pytest.mark.parametrize("name", MODULES)
def test_examples_of(name):
    pytest.importorskip(NEEDED.get(name, "numpy"), reason="the examples use it")
    assert doctest.testmod(importlib.import_module(name)).failed == 0
