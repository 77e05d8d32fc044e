"""Periodic orbits of residuals that take one state at a time, with and without kernels."""

import numpy as np
import pytest

from sgsolve import Problem
from sgsolve.errors import ImpureFunctionWarning
from sgsolve.problem.equations.compiled_functions import CompiledFunctions
from tests.ad.kernels.compiled_help import needs_llvmlite

pytestmark = needs_llvmlite

CELLS = 3
SHAPES = {0: np.linspace(0.97, 1.03, CELLS)}


@pytest.fixture(autouse=True)
def _kernels_at_once(monkeypatch):
    monkeypatch.setattr(CompiledFunctions, "at_once", True)


def brusselator(u, b):
    """Cells in a row that exchange: the joins refuse an array of many states."""
    x, y = u[:CELLS], u[CELLS:]
    beside = np.hstack([[1.0], np.maximum(x, -9.0), [1.0]])
    exchange = 0.3 * (beside[2:] - 2.0 * x + beside[:-2])
    reaction = x * x * y * SHAPES[0]
    return np.hstack([-(1.0 - (b + 1.0) * x + reaction + exchange), -(b * x - reaction)])


def implicit(u, b, rate=0.0):
    return brusselator(u, b) + rate


def problem_of(residual, storage, compiled):
    return Problem(residual, params={"b": 3.0}, storage=storage, compiled=compiled)


@pytest.fixture(scope="module")
def course():
    start = np.hstack([np.full(CELLS, 1.2), np.full(CELLS, 2.0)])
    return problem_of(brusselator, lambda u: 1.0 * u, False).transient(start, (0.0, 80.0))


@pytest.mark.parametrize(
    ("residual", "storage"), [(brusselator, lambda u: u * 1.0), (implicit, "rate")]
)
def test_orbits_have_the_bits_of_those_without_kernels(course, residual, storage):
    plain = problem_of(residual, storage, False).periodic_orbit(course, intervals=12)
    problem = problem_of(residual, storage, True)
    for _ in range(2):
        found = problem.periodic_orbit(course, intervals=12)
        assert found.period == plain.period
        np.testing.assert_array_equal(found.states, plain.states, strict=True)
        np.testing.assert_array_equal(found.multipliers, plain.multipliers, strict=True)
    served = problem._definition.kernels.of(("at one state", False, storage, None), residual).stats
    assert served.kernels == 1
    assert served.compiled > 100


def test_a_parameter_moves_by_the_same_kernel(course):
    def branch(compiled):
        problem = problem_of(brusselator, lambda u: 1.0 * u, compiled)
        orbit = problem.periodic_orbit(course, intervals=12)
        return problem.orbit_continuation(orbit, "b", (3.0, 3.3), step=0.05, max_points=3)

    plain, found = branch(False), branch(True)
    np.testing.assert_array_equal(found.states, plain.states, strict=True)


def test_a_shape_that_changes_is_noticed(course, monkeypatch):
    problem = problem_of(brusselator, lambda u: 1.0 * u, True)
    problem.periodic_orbit(course, intervals=12)
    monkeypatch.setitem(SHAPES, 0, np.linspace(0.8, 1.1, CELLS))
    with pytest.warns(ImpureFunctionWarning):
        found = problem.periodic_orbit(course, intervals=12)
    plain = problem_of(brusselator, lambda u: 1.0 * u, False).periodic_orbit(course, intervals=12)
    assert found.period == pytest.approx(plain.period, rel=1e-9)
