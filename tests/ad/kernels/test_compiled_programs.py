"""Random programs compiled: the bits of the evaluation that is not compiled."""

import warnings

import numpy as np
import pytest

from tests.ad import compiled_programs
from tests.ad.kernels.compiled_help import needs_llvmlite
from tests.ad.random_programs import Program

pytestmark = needs_llvmlite


@pytest.fixture(autouse=True)
def _no_cache_on_disk(monkeypatch):
    monkeypatch.setenv("SGSOLVE_CACHE_DIR", "")


@pytest.mark.parametrize(
    ("first", "count"),
    [(0, 20), pytest.param(20, 4980, marks=pytest.mark.slow)],
    ids=["20", "5000"],
)
def test_random_programs(first, count):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        failures, total, kernels, without = compiled_programs.find(first, count)
    assert not failures, "\n".join(f"{n}: {message}" for n, message in failures[:5])
    others = sum(n for reason, n in without.items() if reason.startswith("x of "))
    assert kernels > 0.4 * (count - others)
    assert total.compiled > kernels


def test_complex_slopes_of_a_loop_end_in_no_error():
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        compiled_programs.ask(Program(42000566))
