"""The examples in the docstrings of all modules are true; those of sgsolve.ad are in test_docs."""

import doctest
import importlib
import pkgutil

import pytest

import sgsolve
from tests.selection import slow

LONG = "sgsolve.problem.problem"
# Packages that examples need; those of PETSc are programs for several ranks, tested as such.
NEEDED = {
    "sgsolve.devices.analyses.bands": "matplotlib",
    "sgsolve.devices.meshes.mesh_files": "meshio",
    "sgsolve.linear.methods.direct.mumps": "mumps",
    "sgsolve.linear.methods.direct.pardiso": "pypardiso",
    "sgsolve.linear.methods.iterative.multigrid": "pyamg",
}
ELSEWHERE = ("sgsolve.ad", "sgsolve.distributed", "sgsolve.linear.methods.parallel_petsc")


def modules():
    """Names of the modules whose text has examples, in packages of any depth."""
    names = ["sgsolve"]
    for module in pkgutil.walk_packages(sgsolve.__path__, "sgsolve."):
        if module.name.startswith(ELSEWHERE):
            continue
        spec = module.module_finder.find_spec(module.name)
        if ">>> " in spec.loader.get_source(module.name):
            names.append(module.name)
    return names


@pytest.mark.parametrize("name", [*(name for name in modules() if name != LONG), *slow(LONG)])
def test_examples_of_docstrings(name):
    pytest.importorskip(NEEDED.get(name, "numpy"), reason="the examples use it")
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0


def test_packages_at_any_depth_are_read():
    found = modules()
    assert len(found) > 100
    assert {"sgsolve.transient.methods.backward_differences", LONG} < set(found)
