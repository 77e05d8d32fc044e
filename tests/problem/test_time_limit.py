"""Time limits and Ctrl-C: what was computed is handed back."""

import numpy as np
import pytest

from sgsolve import (
    ConvergenceError,
    DataTypeError,
    InputError,
    PartialBranchWarning,
    Problem,
    SolveInterrupted,
    Status,
    root,
)
from sgsolve.continuation import Homotopy
from tests.presets import ALL_SOLVERS

SOLVERS = {
    **ALL_SOLVERS,
    "Newton's homotopy": Homotopy(),
    "fixed-point homotopy": Homotopy(kind="fixed point"),
}


@pytest.fixture
def slow(clock):
    """A residual without a real root, at 10 ms a call on the clock of the test."""

    def f(x):
        clock.sleep(0.01)
        return hard(x)

    return f


class Interrupting:
    """A residual that is interrupted at a certain call."""

    def __init__(self, function, at):
        self.function, self.left = function, at

    def __call__(self, x, **params):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt
        return self.function(x, **params)


def hard(x):
    return np.stack([x[0] ** 2 + x[1] ** 2 + 1.0, x[0] - x[1] + np.sin(x[0])])


@pytest.mark.parametrize("name", SOLVERS)
def test_time_limit_ends_every_solver(name, slow, clock):
    result = Problem(slow).solve(
        [3.0, -2.0], SOLVERS[name], raise_on_failure=False, time_limit=0.15
    )
    assert clock() < 0.25
    assert not result.success
    assert np.array_equal(result.residual, slow(result.x))


def test_time_limit_hands_back_the_best_point(slow):
    with pytest.raises(ConvergenceError, match="the time limit was reached") as caught:
        Problem(slow).solve([30.0, -20.0], time_limit=0.6)
    result = caught.value.result
    assert result.status is Status.TIME_LIMIT
    scaled = [step.residual for step in result.history]
    assert np.abs(result.residual).max() < 0.1 * scaled[0]
    assert len(result.stages) >= 1


def test_a_limit_that_suffices_changes_nothing():
    problem = Problem(lambda x: x**3 - 8.0)
    assert problem.solve([1.0], time_limit=1e3).x[0] == problem.solve([1.0]).x[0]


@pytest.mark.parametrize(
    ("limit", "error"),
    [(0.0, InputError), (-1.0, InputError), (np.nan, InputError)]
    + [("1", DataTypeError), (True, DataTypeError)],
)
def test_bad_time_limits(limit, error):
    problem = Problem(lambda x, p: x - p, params={"p": 1.0})
    for call in (
        lambda: problem.solve([1.0], time_limit=limit),
        lambda: problem.find_solutions([1.0], time_limit=limit),
        lambda: problem.sweep([1.0], "p", [1.0, 2.0], time_limit=limit),
        lambda: problem.deflated_continuation([1.0], "p", [1.0, 2.0], time_limit=limit),
        lambda: problem.continuation([1.0], "p", (0.0, 2.0), time_limit=limit),
    ):
        with pytest.raises(error, match="time_limit"):
            call()


def test_time_limit_of_curves_and_solutions(clock):
    def f(x, p):
        clock.sleep(0.002)
        return x**3 - x - p

    problem = Problem(f, params={"p": 0.0})
    with pytest.warns(PartialBranchWarning, match="time limit"):
        branch = problem.sweep([1.0], "p", np.linspace(0.0, 5.0, 2000), time_limit=0.3)
    assert branch.status is Status.TIME_LIMIT
    assert 1 <= len(branch) < 2000
    with pytest.warns(PartialBranchWarning, match="time limit"):
        curve = problem.continuation(
            [1.0], "p", (0.0, 500.0), max_step=0.01, max_points=50_000, time_limit=0.3
        )
    assert curve.status is Status.TIME_LIMIT
    assert 1 <= len(curve) < 50_000
    with pytest.warns(PartialBranchWarning, match="out of time after"):
        found = problem.find_solutions([0.3], time_limit=0.06)
    assert all(result.success for result in found)
    values = np.linspace(0.0, 1.0, 500)
    with pytest.warns(PartialBranchWarning, match="out of time after .* of 500 values of 'p'"):
        sets = problem.deflated_continuation([0.3], "p", values, time_limit=0.3)
    assert len(sets.parameter) == len(sets.solutions) < 500


@pytest.mark.parametrize("name", SOLVERS)
def test_interrupt_at_any_call_hands_back_a_point(name):
    for at in (*range(4, 30, 7), *range(40, 1000, 311)):
        f = Interrupting(hard, at)
        result = Problem(f).solve([3.0, -2.0], SOLVERS[name], raise_on_failure=False)
        if f.left > 0:
            break
        assert result.status is Status.INTERRUPTED
        assert np.isfinite(result.x).all()
        assert np.array_equal(result.residual, hard(result.x))
        assert "interrupted from the keyboard" in result.message


def test_interrupt_raises_with_the_result():
    with pytest.raises(KeyboardInterrupt) as caught:
        Problem(Interrupting(hard, 12)).solve([3.0, -2.0])
    assert isinstance(caught.value, SolveInterrupted)
    assert caught.value.result.status is Status.INTERRUPTED
    assert np.abs(caught.value.result.residual).max() <= np.abs(hard([3.0, -2.0])).max()
    result = root(Interrupting(hard, 12), [3.0, -2.0])
    assert result.status is Status.INTERRUPTED


def test_interrupt_of_solutions_hands_back_those_that_are_known():
    def count(at):
        with pytest.warns(PartialBranchWarning, match="interrupted after"):
            return len(Problem(Interrupting(lambda x: x**3 - x, at)).find_solutions([0.3]))

    counts = [count(at) for at in (5, 30, 60)]
    assert counts == sorted(counts)
    assert counts[-1] >= 1


def test_interrupt_ends_a_sweep_at_once():
    f = Interrupting(lambda x, p: x**3 - x - p, 40)
    with pytest.warns(PartialBranchWarning, match="interrupted"):
        branch = Problem(f).sweep([1.5], "p", np.linspace(0.0, 5.0, 50))
    assert branch.status is Status.INTERRUPTED
    assert 0 < len(branch) < 50
    assert f.left >= -1  # machine code hands over to the solver, which evaluates once
