"""Random programs compiled: the bits of the evaluation that is not compiled."""

import warnings

import numpy as np
import pytest

from sgsolve import ad
from sgsolve.ad.programs import row_tables
from sgsolve.errors import SgsolveError
from tests.ad.kernels.compiled_help import needs_llvmlite
from tests.ad.random_programs import Program

pytestmark = needs_llvmlite


@pytest.fixture(autouse=True)
def _no_cache_on_disk(monkeypatch):
    monkeypatch.setenv("SGSOLVE_CACHE_DIR", "")


def result(program, x, call=0):
    """F and J, or None where the program does not fit this x."""
    try:
        y = program.run(ad.seed(x), call=call)[-1]
        return (np.asarray(y.value), y.jacobian) if isinstance(y, ad.ADArray) else None
    except (SgsolveError, ValueError, IndexError, TypeError, ZeroDivisionError, AttributeError):
        return None  # other elements are chosen there, or other integers, and do not fit


def same(found, expected):
    """Whether two results agree; loops over elements add up slopes in another order."""
    F, J = found
    slopes = expected[1].data
    scale = np.abs(slopes[np.isfinite(slopes)]).max(initial=1.0)
    rounding = 1e-13 * scale if row_tables.has_long_loops(J.shape[1]) else 0.0
    return (
        np.array_equal(F, expected[0], equal_nan=True)
        and np.array_equal(J.indices, expected[1].indices)
        and np.allclose(J.data, slopes, rtol=0.0, atol=rounding, equal_nan=True)
    )


def ask(program):
    """Compare both points of a program; return how many evaluations were compiled."""
    compiled = ad.compiled(lambda x, call=0: program.run(x, call=call)[-1], at_once=True)
    for call in range(3):
        for x in program.points:
            expected = result(program, x, call)
            if expected is None:
                continue
            before = compiled.stats.compiled
            found = compiled.value_and_jacobian(x, call)
            if compiled.stats.compiled == before or same(found, expected):
                continue
            # The order of products may depend on what was evaluated before.
            ad.clear_cache()
            fresh = result(program, x, call)
            name = number_of(program)
            np.testing.assert_array_equal(found[0], fresh[0], err_msg=name)
            assert same(found, fresh), name
    assert "LLVM failed" not in "".join(compiled.stats.reasons), number_of(program)
    return compiled.stats.compiled


def number_of(program):
    return f"program {program.number}"


@pytest.mark.parametrize(
    "numbers",
    [range(45), pytest.param(range(45, 5000), marks=pytest.mark.slow)],
    ids=["45", "5000"],
)
def test_random_programs(numbers):
    kernels = asked = 0
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for number in numbers:
            program = Program(number)
            if program.points[0].dtype != np.float64:
                continue
            asked += 1
            kernels += ask(program) > 0
    assert kernels > 0.4 * asked


def test_complex_slopes_of_a_loop_end_in_no_error():
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        ask(Program(42000566))
