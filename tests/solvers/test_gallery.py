"""Solvers times problems, with a table of expected failures that must stay true."""

import numpy as np
import pytest

from sgsolve import Problem, solvers
from tests.problems import CASES, petsc_ex99
from tests.selection import slow

SOLVERS = {
    "Newton": (solvers.Newton(), {1}, set()),
    "DampedNewton": (solvers.DampedNewton(), {8, 11, 21}, set()),
    "LineSearchNewton": (solvers.LineSearchNewton(), {1, 8, 21}, set()),
    "TrustRegion": (solvers.TrustRegion(), {1, 11, 21}, set()),
    "LevenbergMarquardt": (solvers.LevenbergMarquardt(), {21}, set()),
    "PseudoTransient": (solvers.PseudoTransient(), {18}, {6}),  # 6: the last bit of LAPACK decides
}
SMALL = 1e-6  # the success criterion of the published tables


def attempt(case, solver, factor=1.0):
    start = case.start if factor == 1.0 else factor * case.start
    result = Problem(case.residual).solve(start, solver, raise_on_failure=False)
    largest = np.abs(case.residual(result.x)).max()
    if result.success:
        assert largest < SMALL, f"{case.name}: success claimed at {largest}"
    return result.success


@pytest.mark.parametrize("name", SOLVERS)
def test_solver_on_all_problems(name):
    solver, expected, either = SOLVERS[name]
    failed = {case.number for case in CASES if not attempt(case, solver)}
    assert failed - either == expected


@pytest.mark.parametrize("factor", [10.0, *slow(1.0, 100.0)])
def test_default_solves_all(factor):
    assert {case.number for case in CASES if not attempt(case, None, factor)} == set()


@pytest.mark.parametrize("case", [c for c in CASES if c.solutions], ids=lambda c: c.name)
def test_known_solutions(case):
    x = Problem(case.residual).solve(case.start).x
    assert min(np.abs(x - s).max() for s in case.solutions) < 1e-8


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_jacobians_of_the_gallery(case):
    point = case.start + 0.1 * np.arange(1, len(case.start) + 1)
    assert Problem(case.residual).check_jacobian(point)


def test_petsc_ex99():
    x = Problem(petsc_ex99).solve([2.5]).x[0]
    assert abs(x - 8.0 * np.exp(-16.0)) < 1e-10  # 2 x = 16 exp(-16) to first order
