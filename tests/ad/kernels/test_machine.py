"""When LLVM is loaded, and what happens where it cannot be."""

import subprocess
import sys

import numpy as np

from sgsolve import Problem, ad
from sgsolve.ad.kernels import machine
from sgsolve.problem.equations.compiled_functions import CompiledFunctions
from tests.ad.kernels.compiled_help import needs_llvmlite

pytestmark = needs_llvmlite
PROGRAM = """
import sys
import numpy as np
from sgsolve import Problem

def residual(x, a):
    return a * np.exp(x[1:-1]) - 2.0 * x[1:-1] + x[2:] + x[:-2]

def square(x, a):
    return np.concatenate([x[:1], residual(x, a), x[-1:]])

for compiled in (True, False):
    problem = Problem(square, params={"a": 1e-4}, compiled=compiled)
    for a in (1e-4, 2e-4, 3e-4):
        problem.at(a=a).solve(np.zeros(50))
    print("llvmlite.binding" in sys.modules)
"""


def test_few_solves_do_not_load_it():
    """That takes as long as a hundred evaluations."""
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["False", "False"]


def test_a_damaged_installation_leaves_all_to_numpy_and_says_so(monkeypatch):
    monkeypatch.setattr(CompiledFunctions, "at_once", True)
    monkeypatch.setitem(sys.modules, "llvmlite.binding", None)
    machine.clear()
    problem = Problem(lambda x, a: a * np.exp(x) - 7.25, params={"a": 1.0}, compiled=True)
    result = problem.solve(np.ones(3))
    np.testing.assert_allclose(result.x, np.log(7.25))
    assert result.stats.n_compiled == 0
    assert any("llvmlite cannot be loaded" in reason for reason in result.stats.not_compiled)


def test_a_spec_is_all_that_is_asked_for(monkeypatch):
    assert ad.compiled_is_available()
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    assert not ad.compiled_is_available()
