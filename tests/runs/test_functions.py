"""Outputs, events and conditions: what a user's functions may do, and what they may not."""

import numpy as np
import pytest

from sgsolve import Problem

ROOT = Problem(lambda x, a=1.0: x**2 - a)
RUNS = {
    "sweep": lambda **options: ROOT.sweep([1.0, 3.0], "a", [1.0, 2.0, 4.0], **options),
    "continuation": lambda **options: ROOT.continuation([1.0, 1.0], "a", (1.0, 4.0), **options),
}
both = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)


def spoil(x):
    x[:] = 0.0
    return 1.0


@both
def test_a_function_that_changes_x_spoils_nothing(run):
    functions = {"outputs": {"spoilt": spoil, "first": lambda x: x[0]}, "events": {"e": spoil}}
    branch, clean = run(**functions), run()
    assert np.array_equal(branch.states, clean.states)
    assert np.array_equal(branch["first"], clean.states[:, 0])
    assert np.allclose(branch.x**2, 4.0)


def test_a_condition_that_changes_x_spoils_nothing():
    branch = RUNS["continuation"](until=lambda x: spoil(x) < 0.0)
    assert np.array_equal(branch.states, RUNS["continuation"]().states)


@both
def test_an_output_may_hand_out_part_of_x(run):
    branch = run(outputs={"part": lambda x: x[:1]})
    assert np.array_equal(branch["part"], branch.states[:, :1])
