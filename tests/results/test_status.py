"""Statuses declare what they mean."""

import pytest

from sgsolve import Problem, Status


def test_a_status_is_written_as_it_is_named():
    assert repr(Status.SINGULAR_JACOBIAN) == "Status.SINGULAR_JACOBIAN"


@pytest.mark.parametrize("status", Status)
def test_no_status_is_success_and_in_need_of_another_solver(status):
    assert status.text
    assert not (status.success and status.final)
    if not status.success and status is not Status.STOPPED:
        assert status.advice


def test_a_callback_ends_a_solve_without_success_and_a_run_with_it():
    problem = Problem(lambda x, a=4.0: x**2 - a)
    solved = problem.solve([9.0], callback=lambda it: True, raise_on_failure=False)
    assert solved.status is Status.STOPPED
    assert not solved.success
    run = problem.sweep([2.0], "a", [4.0, 5.0], callback=lambda point: True)
    assert run.status is Status.STOP_CONDITION
    assert run.success
