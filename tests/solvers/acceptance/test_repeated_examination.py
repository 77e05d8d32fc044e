"""What a solve does not repeat at a solution: Jacobians, and questions to equations that hold."""

from __future__ import annotations

import numpy as np
import pytest

from sgsolve import Problem, Status, solvers


def contact_and_chain(x, voltage, flatness=0.0):
    """A contact that holds exactly, with equations of the other unknowns beside it."""
    contact = (1.0 - flatness) * (x[0] - voltage) + flatness * (1.0 - np.tanh(x[0]))
    return np.array([contact, x[1] + 0.1 * np.sin(x[0]) * x[1] ** 2 - 1.0])


def evaluations(problem, x, **p):
    """Solve, and return the result with the evaluations that it took beside its iterations."""
    result = problem.at(**p).solve(x, solvers.Newton())
    return result, result.stats.nfev


def test_a_contact_is_asked_once_whether_it_answers():
    problem = Problem(contact_and_chain)
    first, asked = evaluations(problem, [30.0, 0.5], voltage=30.0)
    again, not_asked = evaluations(problem, [30.0, 0.5], voltage=30.0)
    assert first.success
    assert again.success
    assert not_asked < asked


@pytest.mark.parametrize("x0", [25.0, 30.0, 300.0])
def test_an_equation_that_has_become_flat_is_asked_again(x0):
    problem = Problem(contact_and_chain)
    assert evaluations(problem, [x0, 0.5], voltage=x0)[0].success
    with np.errstate(all="ignore"):
        flat = problem.at(voltage=x0, flatness=1.0).solve(
            [x0, 0.5], solvers.Newton(), raise_on_failure=False
        )
    assert flat.status is Status.DIVERGED


@pytest.mark.parametrize("x0", [25.0, 30.0])
def test_a_row_of_zeros_is_never_taken_for_one_that_answered(x0):
    problem = Problem(contact_and_chain)
    for _ in range(2):
        flat = problem.at(voltage=0.0, flatness=1.0).solve(
            [x0, 0.5], solvers.Newton(), raise_on_failure=False
        )
        assert flat.status is Status.DIVERGED


@pytest.mark.parametrize("x0", [25.0, 30.0])
def test_a_start_with_another_jacobian_is_examined_again(x0):
    problem = Problem(lambda x, flatness: contact_and_chain(x, x0, flatness))
    x = problem.at(flatness=0.0).solve([x0, 0.5], solvers.Newton()).x
    assert problem.at(flatness=0.0).solve(x, solvers.Newton()).stats.nit == 0
    flat = problem.at(flatness=1.0).solve(x, solvers.Newton(), raise_on_failure=False)
    assert flat.status is Status.DIVERGED


def trace(x, factor):
    """An unknown, and another one that is next to nothing of the scale and changes with it."""
    return np.array([x[0] ** 3 - 8.0, x[1] - factor * (np.exp(40.0 * (x[0] - 2.0)) + 1.0)])


@pytest.mark.parametrize("of_scale", [True, False])
def test_the_scale_says_how_far_a_last_step_moved_where_the_criterion_takes_it(of_scale):
    test = solvers.ResidualTolerance(1e-7, of_scale=of_scale)
    method = solvers.Newton(termination=test)
    problem = Problem(trace, scale=1.0)
    result = problem.at(factor=1e-9).solve([2.01, 0.0], method)
    more = result.stats.njev - result.stats.nit
    assert result.success
    assert more == (0 if of_scale else 1)
