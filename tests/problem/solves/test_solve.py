"""Solves that the keyboard interrupts, and what is said of a Jacobian that cannot be had."""

import numpy as np
import pytest

from sgsolve import ConvergenceError, PartialBranchWarning, Problem, SolveInterrupted, Status
from sgsolve.solvers import Newton


def interrupted(count):
    """Return a residual that raises KeyboardInterrupt when it is called that often."""
    calls = []

    def residual(x, p=2.0):
        calls.append(1)
        if len(calls) > count:
            raise KeyboardInterrupt
        return x**2 - p

    return residual


def test_an_interrupted_solve_raises_with_its_best_point():
    with pytest.raises(SolveInterrupted) as caught:
        Problem(interrupted(4)).solve([9.0], Newton())
    assert caught.value.result.status is Status.INTERRUPTED
    assert 1.0 < caught.value.result.x[0] <= 9.0
    result = Problem(interrupted(4)).solve([9.0], Newton(), raise_on_failure=False)
    assert result.status is Status.INTERRUPTED


def test_a_continuation_that_is_interrupted_at_its_start_has_no_points():
    with pytest.warns(PartialBranchWarning, match="0 points along 'p': it was interrupted"):
        branch = Problem(interrupted(5)).continuation([9.0], "p", (1.0, 3.0), solver=Newton())
    assert branch.status is Status.INTERRUPTED
    assert len(branch) == 0


def test_a_branch_without_the_special_point_asked_for_is_an_error():
    branch = Problem(lambda x, p: x - p, params={"p": 0.0}).continuation([0.0], "p", (0.0, 1.0))
    with pytest.raises(ValueError, match="the branch has no branch point; follow it"):
        Problem(lambda x, p: x - p).switch_branch(branch)


def test_a_problem_and_a_response_describe_themselves():
    def diode(v, vt=0.025):
        return v - vt

    assert repr(Problem(diode)).startswith("Problem(diode, parameters: vt)")
    problem = Problem(lambda v, s: v - s, params={"s": 1.0}, storage=lambda v: 1.0 * v)
    response = problem.small_signal([1.0], "s", [1.0, 2.0])
    assert repr(response) == "SmallSignalResponse(2 frequencies: all unknowns)"


def test_outputs_and_what_they_store_have_one_shape():
    problem = Problem(lambda v, s: v - s, params={"s": 1.0}, storage=lambda v: 1.0 * v)
    outputs = {"i": (lambda v: v[0], lambda v: np.stack([v[0], v[0]]))}
    with pytest.raises(ValueError, match="returns shape"):
        problem.small_signal([1.0], "s", [1.0], outputs=outputs)


def test_a_failure_outside_the_model_is_told_without_a_jacobian():
    """The Jacobian cannot be evaluated where the solver ends; the message does without."""

    def jacobian(x):
        if abs(x[0]) < 1.5:
            raise ZeroDivisionError
        return [[2.0 * x[0]]]

    problem = Problem(lambda x: x**2 + 1.0, jacobian=jacobian)
    with pytest.raises(ConvergenceError):
        problem.solve([2.0], Newton(max_iterations=2))


def test_an_interrupt_at_the_first_point_of_a_continuation_leaves_a_branch_without_points():
    problem = Problem(interrupted(5), params={"p": 2.0})
    with pytest.warns(PartialBranchWarning, match="0 points along 'p': it was interrupted"):
        branch = problem.continuation([9.0], "p", (2.0, 3.0))
    assert (len(branch), branch.status) == (0, Status.INTERRUPTED)
