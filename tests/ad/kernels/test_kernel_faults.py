"""Who is at fault where a kernel differs: sgsolve, or a function that is not pure."""

import itertools

import numpy as np
import pytest

from sgsolve import ad
from sgsolve.ad.kernels import variant
from sgsolve.ad.kernels.printing import llvm_instructions
from sgsolve.errors import ImpureFunctionWarning, KernelWarning
from tests.ad.kernels.compiled_help import needs_llvmlite

pytestmark = needs_llvmlite
X = np.array([0.5, 1.5, 2.5])
WRONG = {
    "a sum": (llvm_instructions.INSTRUCTIONS, "add", "fsub", lambda x: x + x[::-1]),
    "a product": (llvm_instructions.INSTRUCTIONS, "mul", "fadd", lambda x: x * x[0]),
    "a choice": (llvm_instructions.PREDICATES, "gt", "olt", lambda x: np.where(x > 1.0, x, 2.0)),
}


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("with_jacobian", [True, False])
def test_a_wrong_kernel_is_a_fault_of_sgsolve(kind, with_jacobian, monkeypatch):
    table, name, wrong, f = WRONG[kind]
    monkeypatch.setitem(table, name, wrong)
    compiled = ad.compiled(f, at_once=True)
    evaluate = (lambda x: compiled.value_and_jacobian(x)[0]) if with_jacobian else compiled
    with pytest.warns(KernelWarning, match="fault of sgsolve.*report") as caught:
        found = [evaluate(X) for _ in range(2)]
    np.testing.assert_array_equal(found, [f(X)] * 2)
    assert [w.category for w in caught] == [KernelWarning]
    assert variant.FAULT in compiled.stats.reasons
    assert compiled.stats.compiled == 0


LEVEL = np.array([1.0])
COUNT = itertools.count()


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * x - LEVEL[0],
        lambda x: x * x - float(LEVEL[0]) * np.sin(x),
        lambda x: x * x - next(COUNT),
    ],
    ids=["a global array", "a global number", "a counter"],
)
def test_what_changes_is_not_pure_though_it_repeats_its_values(f, monkeypatch):
    monkeypatch.setitem(globals(), "LEVEL", np.array([1.0]))
    compiled = ad.compiled(f, at_once=True)
    made = variant.Variant.make

    def make(self, *args):
        LEVEL[0] = 2.0  # between the trace and the first comparison
        return made(self, *args)

    monkeypatch.setattr(variant.Variant, "make", make)
    with pytest.warns(ImpureFunctionWarning, match="not a pure function"):
        compiled(X)
    compiled(X)
    assert variant.IMPURE in compiled.stats.reasons
    assert variant.FAULT not in compiled.stats.reasons
