"""Random programs compiled: the bits of the evaluation that is not compiled."""

import warnings

import numpy as np
import pytest

from tests.ad import compiled_programs
from tests.ad.kernels.compiled_help import assert_same_bits, needs_llvmlite
from tests.ad.random_programs import Program

pytestmark = needs_llvmlite


@pytest.fixture(autouse=True)
def _no_cache_on_disk(monkeypatch):
    monkeypatch.setenv("SGSOLVE_CACHE_DIR", "")


@pytest.mark.parametrize(
    ("first", "count"),
    [(0, 10), pytest.param(10, 4990, marks=pytest.mark.slow)],
    ids=["10", "5000"],
)
def test_random_programs(first, count):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found, total, kernels, without = compiled_programs.find(first, count)
    assert not found, "\n".join(f"{n}: {message}" for n, message in found[:5])
    others = sum(n for reason, n in without.items() if reason.startswith("x of "))
    assert kernels > 0.4 * (count - others)
    assert total.compiled > kernels


def test_complex_slopes_of_a_loop_end_in_no_error():
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        compiled_programs.ask(Program(42000566))


REPEATED = {  # one element read several times, beside calls of NumPy's loops
    "a call of the number": lambda x: np.minimum(x[[0, -1, 0]] * 1.5, (x * 1.5) % 2.0),
    "two calls": lambda x: np.fmod(np.exp(x)[[0, 0, 0]], np.hypot(np.cos(x), x)),
    "calls of longer arrays": lambda x: np.minimum(
        np.exp(x)[[0, 0, 0]], np.exp(x[[0, 0, 0]] * np.arange(3)) % 2.0
    ),
    "the copy as a factor too": lambda x: np.maximum(x[[0, 0]], np.sin(x)) * x[[0, 0]],
}


@pytest.mark.parametrize("name", REPEATED)
def test_a_repeated_number_beside_calls(name):
    assert_same_bits(REPEATED[name], [np.array([v]) for v in (0.4, 0.6, 0.5)])


@pytest.mark.parametrize("key", [np.s_[::-1], np.s_[::2], np.s_[::-3]])
def test_one_element_with_strides_is_rounded_as_numpys_loops_do(key):
    points = list(np.random.default_rng(1).uniform(-1.0, 0.0, (100, 1)))
    assert_same_bits(lambda x: np.exp((x * 0.5)[key]), points, evaluations=1)
