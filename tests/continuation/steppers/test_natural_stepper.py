"""Steps of a sweep: rejections, special points, interruptions, and what a checkpoint holds."""

import time
from functools import partial

import numpy as np
import pytest

from sgsolve import ConvergenceError, InputError, PartialBranchWarning, Problem, Status
from sgsolve.continuation import ConstantPredictor, Natural, TangentPredictor
from sgsolve.solvers import NewtonMethod


def pitchfork(x, p):
    return p * x - x**3


def shifted(x, p):
    """A transcritical bifurcation at p = 0.3 on the branch x = 1, beside a second unknown."""
    return np.stack([(x[0] - 1.0) * (p - 0.3 - (x[0] - 1.0)), x[1] - p])


def test_branch_points_are_found_between_the_values_of_a_sweep():
    branch = Problem(shifted).sweep(
        [1.0, 0.0], "p", np.linspace(-1.0, 1.0, 9), detect="branch point"
    )
    assert branch.success
    assert branch["p"].tolist() == np.linspace(-1.0, 1.0, 9).tolist()
    (point,) = branch.branch_points
    assert point.parameter == pytest.approx(0.3, abs=1e-9)
    assert np.allclose(point.x, [1.0, 0.3])
    other = point.other_tangent / point.other_tangent[-1]
    assert np.allclose(other, [1.0, 1.0, 1.0])  # along x = 1 + p - 0.3


def test_a_resumed_sweep_finds_the_branch_point_that_lies_ahead(tmp_path):
    def run(**options):
        return Problem(shifted).sweep(
            [1.0, 0.0], "p", np.linspace(-1.0, 1.0, 9), detect="branch point", **options
        )

    whole = run()
    path = tmp_path / "run.npz"
    assert not run(max_points=4, checkpoint=path).branch_points
    resumed = run(checkpoint=path, resume=True)
    assert np.array_equal(resumed.states, whole.states)
    assert [s.parameter for s in resumed.branch_points] == pytest.approx([0.3], abs=1e-9)


def test_a_sweep_that_starts_at_a_branch_point_says_so():
    with pytest.raises(ConvergenceError, match="sweep over 'p' failed: no tangent at the start"):
        Problem(pitchfork).sweep([0.0], "p", [0.0, 1.0], detect="branch point")


def test_where_the_residual_is_not_finite_at_any_guess_the_step_is_shortened():
    """sqrt(1.5 - p) ends at p = 1.5: from 1, a step of 1/2 reaches it, one of 1 does not."""
    problem = Problem(lambda x, p: x - np.sqrt(1.5 - p))
    with pytest.warns(PartialBranchWarning, match="the residual is not finite at the guess"):
        branch = problem.sweep([1.0], "p", [0.0, 1.0, 2.0])
    assert branch["p"].tolist() == [0.0, 1.0]
    assert 1.49 < branch.reached <= 1.5


def interrupt():
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("within", "options", "status", "words"),
    [
        (interrupt, {}, Status.INTERRUPTED, "interrupted"),
        (partial(time.sleep, 0.4), {"time_limit": 0.3}, Status.TIME_LIMIT, "time limit"),
    ],
)
def test_what_ends_a_sweep_within_a_solve_leaves_its_points(within, options, status, words):
    def residual(x, p):
        if p == 3.0:
            within()
        return x - p

    with pytest.warns(PartialBranchWarning, match=words):
        branch = Problem(residual).sweep([0.0], "p", [1.0, 2.0, 3.0, 4.0], **options)
    assert branch.status is status
    assert branch["p"].tolist() == [1.0, 2.0]


def test_limit_on_solves():
    branch = None
    with pytest.warns(PartialBranchWarning, match="limit on the number of solves"):
        branch = Problem(lambda x, p: x - p).sweep(
            [0.0], "p", np.arange(9.0), steps=Natural(max_solves=4)
        )
    assert branch.status is Status.MAX_POINTS
    assert len(branch) == 4


def test_limit_on_failures_before_a_fold():
    """x^2 = 1.1 - p has no solution beyond p = 1.1: the steps fail there, the fold is found."""
    problem, branches = Problem(lambda x, p: x**2 + p - 1.1), []
    for most in (None, 20):
        steps = Natural(max_failed=most)
        with pytest.warns(PartialBranchWarning, match="turns back at a fold"):
            branches.append(problem.sweep([1.0], "p", [0.0, 2.0], steps=steps, detect="fold"))
    free, limited = branches
    assert free.status is Status.STEP_TOO_SMALL
    assert limited.status is Status.MAX_POINTS
    assert 1 <= len(limited.rejected) < len(free.rejected)
    assert limited.stats.n_factor < free.stats.n_factor
    for branch in branches:
        assert branch.folds[0].parameter == pytest.approx(1.1, abs=1e-9)


def test_limit_on_failures_counts_from_each_value():
    """Four steps to each of eight values fail, by six factorizations: 24, and 192 for all."""
    problem, rejected = Problem(lambda x, p: np.arctan(4.0 * (x - p))), []
    for most in (None, 60):
        steps = Natural(predictor=ConstantPredictor(), max_failed=most)
        solver = NewtonMethod(max_iterations=6)
        branch = problem.sweep([0.0], "p", np.arange(9.0), solver=solver, steps=steps)
        assert branch.success
        rejected.append(branch.rejected)
    assert rejected[0] == rejected[1]
    assert 6 * len(rejected[0]) > 120


def test_limit_on_failures_where_there_is_no_fold():
    def residual(x, p):
        return x - p if p < 1.0 else x**2 + 1.0

    with pytest.warns(PartialBranchWarning, match="limit on the factorizations of failed solves"):
        branch = Problem(residual).sweep([0.0], "p", [0.0, 2.0], steps=Natural(max_failed=1))
    assert branch.status is Status.MAX_POINTS
    assert len(branch.rejected) == 1


def test_stability_of_a_sweep_counts_unstable_eigenvalues():
    """dx/dt = p x - x^3 along x = 0: the eigenvalue is p."""
    branch = Problem(pitchfork).sweep([0.0], "p", [-1.0, -0.5, 0.5, 1.0], stability=True)
    assert branch["unstable"].tolist() == [0, 0, 1, 1]


def test_tangents_that_cannot_be_computed_leave_the_secant():
    """J = 3 x^2 is singular at the first value; the tangent there is infinite."""
    branch = Problem(lambda x, p: x**3 - p).sweep(
        [0.0], "p", [0.0, 1.0, 8.0], steps=Natural(predictor=TangentPredictor(), jump=np.inf)
    )
    assert branch.states[-1, 0] == pytest.approx(2.0)


@pytest.mark.parametrize("limit", ["max_solves", "max_failed"])
def test_limits_that_are_no_numbers_above_zero(limit):
    for wrong in (0, -1, "many"):
        with pytest.raises(InputError, match=limit):
            Natural(**{limit: wrong})
