"""Starts around x0: a solution where all paths from x0 end in local minima of the residual."""

import numpy as np
import pytest

from sgsolve import InputError, Problem, Status, solvers
from tests.problems import CASES

TRIGONOMETRIC = next(case for case in CASES if case.name == "Trigonometric")


def cubic(x):
    """One root, -2.4567; a local minimum of its square at 1.1547."""
    return x**3 - 4.0 * x + 5.0


@pytest.mark.parametrize("seed", range(6))
def test_rounding_of_the_start_decides_nothing(seed):
    """From x10 all stages before end in one of 2^10 local minima, or leave it by rounding."""
    start = 10.0 * TRIGONOMETRIC.start
    start += 1e-15 * np.random.default_rng(seed).uniform(-1.0, 1.0, 10)
    problem = Problem(TRIGONOMETRIC.residual)
    for solver in (None, solvers.Restarts()):
        result = problem.solve(start, solver)
        assert np.abs(TRIGONOMETRIC.residual(result.x)).max() < 1e-9


def test_the_starts_are_the_same_in_every_run():
    runs = [Problem(cubic).solve([2.0], solvers.Restarts(spread=2.0)) for _ in range(2)]
    assert runs[0].x[0] == runs[1].x[0] == pytest.approx(-2.4566779, abs=1e-6)
    assert runs[0].stats.nfev == runs[1].stats.nfev


def test_an_unknown_of_a_block_that_starts_at_zero_is_moved():
    def residual(x):
        return np.concatenate([cubic(x[:1]), x[1:] - x[:1]])

    blocks = {"u": (1,), "v": (1,)}
    solver = solvers.Restarts(spread=2.0)
    problem = Problem(residual, blocks=blocks)
    np.testing.assert_allclose(problem.solve([2.0, 0.0], solver).x, 2 * [-2.4566779], atol=1e-6)


def test_limits_hold_for_the_starts_too():
    seen = []

    def residual(x):
        seen.append(float(np.min(np.asarray(getattr(x, "value", x)))))
        return cubic(x)

    solver = solvers.Restarts(spread=5.0).with_settings(limits=(solvers.Bounds(0.0, 3.0),))
    result = Problem(residual).solve([2.0], solver, raise_on_failure=False)
    assert not result.success
    assert min(seen) >= 0.0
    with pytest.raises(InputError, match="Bounds"):
        Problem(cubic).solve([4.0], solver)


def test_starts_where_the_residual_is_not_finite_are_passed_over():
    problem = Problem(lambda x: np.log(x + 3.0) + 0.1 * cubic(x))
    result = problem.solve([2.5], solvers.Restarts(spread=3.0))
    assert abs(np.log(result.x + 3.0) + 0.1 * cubic(result.x)).max() < 1e-12


def test_a_failure_keeps_the_best_point_and_counts_all_starts():
    result = Problem(lambda x: x**2 + 1.0).solve([1.0], solvers.Restarts(), raise_on_failure=False)
    assert result.status in (Status.LOCAL_MINIMUM, Status.MAX_ITERATIONS)
    assert abs(result.x[0]) < 1e-3
    one = solvers.Restarts(count=1)
    single = Problem(lambda x: x**2 + 1.0).solve([1.0], one, raise_on_failure=False)
    assert result.stats.njev > 4 * single.stats.njev


def test_a_time_limit_and_an_interrupt_end_all_starts():
    calls = []

    def interrupted(x):
        calls.append(1)
        if len(calls) == 30:
            raise KeyboardInterrupt
        return x**2 + 1.0

    result = Problem(interrupted).solve([1.0], solvers.Restarts(), raise_on_failure=False)
    assert result.status is Status.INTERRUPTED
    assert len(calls) < 40
    result = Problem(lambda x: x**2 + 1.0).solve(
        [1.0], solvers.Restarts(count=100_000), raise_on_failure=False, time_limit=0.2
    )
    assert result.status is Status.TIME_LIMIT


@pytest.mark.parametrize(
    "wrong", [{"solver": solvers.Robust()}, {"count": 0}, {"count": 2.5}, {"spread": -1.0}]
)
def test_wrong_settings_are_named(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        solvers.Restarts(**wrong)
