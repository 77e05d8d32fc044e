"""Equations in time whose Jacobian changes its pattern in the run."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import Problem
from sgsolve.errors import InputError
from sgsolve.transient import Bdf, RungeKutta

METHODS = pytest.mark.parametrize("steps", [Bdf(), RungeKutta()], ids=repr)


def stored(v):
    return 1.0 * v


def exact():
    """v0' = -1 to t = 0.5, then v0' = -v0 + v1 with v1 = 2 for ever."""
    return 2.0 + (0.5 - 2.0) * np.exp(-0.5)


def switched(v, t):
    """Depends on the unknowns after the switch only."""
    if t <= 0.5:
        return np.array([1.0, 0.0])
    return np.stack([v[0] - v[1], 0.0 * v[1]])


@METHODS
def test_the_pattern_grows_where_an_evaluation_leaves_it(steps):
    problem = Problem(switched, storage=stored)
    run = problem.transient([1.0, 2.0], (0.0, 1.0), steps=steps, breakpoints=[0.5], rtol=1e-8)
    assert run.success
    assert run.x[0] == pytest.approx(exact(), rel=1e-6)


@METHODS
def test_the_users_jacobian_may_grow_as_well(steps):
    def jacobian(v, t):
        return sp.csr_array(np.array([[1.0, -1.0], [0.0, 0.0]]) if t > 0.5 else np.eye(2) * 0.0)

    problem = Problem(switched, storage=stored, jacobian=jacobian)
    run = problem.transient([1.0, 2.0], (0.0, 1.0), steps=steps, breakpoints=[0.5], rtol=1e-8)
    assert run.success
    assert run.x[0] == pytest.approx(exact(), rel=1e-6)


def test_sensitivities_need_the_derivatives_of_ad():
    problem = Problem(
        lambda v, k: k * v, storage=stored, jacobian=lambda v, k: [[k]], params={"k": 1.0}
    )
    with pytest.raises(InputError, match="leave jacobian out"):
        problem.transient_sensitivity([1.0], (0.0, 1.0), "k")


def test_a_steady_start_that_is_not_found_is_said():
    problem = Problem(lambda v: v**2 + 1.0, storage=stored)
    with pytest.raises(Exception, match="no steady state was found at t = 0"):
        problem.transient([1.0], (0.0, 1.0), start="steady")


def test_the_progress_bar_shows_the_part_of_the_interval(capsys):
    pytest.importorskip("tqdm")
    problem = Problem(lambda v: v, storage=stored)
    problem.transient([1.0], (0.0, 1.0), progress=True)
    assert "100%" in capsys.readouterr().err
