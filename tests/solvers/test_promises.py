"""Promises of the solvers that a plain success does not test: what is believed, and when."""

from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve import Problem, Status, solvers
from sgsolve.continuation import SecantPredictor, TangentPredictor
from sgsolve.continuation.stepper import Point
from sgsolve.continuation.steppers.solved_family import Solution
from sgsolve.results.blocks import Blocks
from sgsolve.solvers.acceptance.termination import error_estimate
from sgsolve.solvers.state.scaling import Scaling
from sgsolve.solvers.steps.damping import _parabola
from tests.presets import solved


def moved(**changes):
    """An iterate after a full step of Newton, as far as the error estimate looks at it."""
    state = {"correction": None, "newton": True, "limited": False, "damping": 1.0}
    state |= {"step_size": 1e-3, "contraction": 1e-4, "weights": np.array([1.0, 10.0])}
    return SimpleNamespace(**{**state, **changes})


class TestErrorEstimate:
    def test_full_step(self):
        assert error_estimate(moved()) == pytest.approx(1e-5)
        assert error_estimate(moved(contraction=2.0)) == 1e-3

    @pytest.mark.parametrize("change", [{"newton": False}, {"limited": True}, {"damping": 0.5}])
    def test_any_other_step_proves_no_more_than_its_size(self, change):
        assert error_estimate(moved(**change)) == 1e-3

    def test_known_correction(self):
        correction = np.array([1e-7, 2e-6])  # relative to the weights 1e-7 and 2e-7
        assert error_estimate(moved(correction=correction)) == pytest.approx(2e-7)

    def test_correction_with_an_old_jacobian_is_doubted(self):
        correction = np.array([1e-7, 2e-6])
        assert error_estimate(moved(correction=correction, newton=False)) == pytest.approx(1e-5)


class TestSizes:
    def test_own_scale_is_a_floor(self):
        sizes = Scaling(Blocks(2), np.array([1e-3, 1e-3]), 2)
        sizes.of_unknowns(np.array([1e3, 0.0]))
        assert sizes.weights.tolist() == [1e3, 1e-3]

    def test_equation_whose_terms_are_all_zero_allows_nothing(self):
        sizes = Scaling(Blocks(2), None, 2)
        sizes.of_unknowns(np.zeros(2))
        assert sizes.of_equations(sp.csr_array(np.eye(2)))
        assert sizes.scaled(np.array([1e-30, 0.0])).tolist() == [np.inf, 0.0]
        assert sizes.allowed(1.0).tolist() == [0.0, 0.0]

    def test_iterates_that_run_away_do_not_loosen_the_test(self):
        def residual(x):
            return [x[0] - 1e16, x[1] ** 2 - 1e-6]

        result = solved(
            residual, [1.0, 1.0], solvers.Newton(termination=solvers.ResidualTolerance())
        )
        assert result.x[1] == pytest.approx(1e-3)


class TestTermination:
    def test_decrease_from_a_start_at_zero(self):
        loose = solvers.Newton(termination=solvers.ResidualReduction(1e-8))
        result = solved(lambda x: x**3 + x - 10.0, [0.0], loose)  # scaled residual inf at 0
        assert result.x[0] == pytest.approx(2.0)

    def test_sizes_of_the_point_before_a_long_step_are_not_believed(self):
        loose = solvers.Newton(termination=solvers.ResidualTolerance(0.2))
        x = solved(lambda x: x**2 - 1.0, [1e6], loose).x[0]
        assert abs(x**2 - 1.0) <= 0.2 * 2.0 * x**2

    def test_a_small_gap_is_not_put_down_to_rounding(self):
        def gap(x):  # no root: jumps from -1e-7 to 1e-7 at 1
            return x - 1.0 + 1e-7 * np.where(x > 1.0, 1.0, -1.0)

        for solver in (solvers.Newton(), solvers.DampedNewton(), solvers.TrustRegion()):
            assert not solved(gap, [3.0], solver).success

    @pytest.mark.parametrize("damping", [solvers.Armijo(), solvers.NaturalMonotonicity()])
    def test_a_failed_step_at_rounding_is_a_success(self, damping):
        strict = solvers.NewtonMethod(damping=damping, termination=solvers.ResidualTolerance(1e-18))
        result = solved(lambda x: x**2 - 2.0, [1.0], strict)
        assert result.status is Status.CONVERGED_ROUNDOFF
        assert result.x[0] == pytest.approx(np.sqrt(2.0), rel=1e-15)


class TestDamping:
    def test_parabola(self):
        assert _parabola(1.0, 2.0, 1.0) == pytest.approx(0.2)  # 1 - 2 t + 5 t^2
        assert _parabola(1.0, 1e3, 1.0) == 0.1
        assert _parabola(1.0, 0.99, 1.0) == 0.5
        assert _parabola(1.0, np.inf, 1.0) == 0.1

    def test_a_cautious_first_step_grows_where_the_problem_is_linear(self):
        cautious = solvers.DampedNewton(damping=solvers.NaturalMonotonicity(first=1e-3))
        # tenfold for what the first trial shows, then as far as the last correction allows
        result = solved(lambda x: 2.0 * x - 6.0, [1.0], cautious)
        assert [step.damping for step in result.history[1:4]] == [0.01, 1.0]

    def test_an_astronomic_step_is_cut_as_far_as_it_takes(self):
        def residual(x):
            return np.where(np.abs(x) < 1e3, x**3 - 8.0, np.nan)

        result = solved(residual, [1e-8], solvers.Newton())  # the first step is 2.7e16 long
        assert result.success
        assert result.x[0] == pytest.approx(2.0)

    def test_a_step_that_overflows_is_named(self):
        result = solved(lambda x: 1e200 + 1e-200 * x, [1.0], solvers.Newton())
        assert result.status is Status.LINEAR_SOLVE_FAILED
        assert "the step of Newton overflows" in result.message


def test_a_small_gradient_is_no_local_minimum():
    # nearly dependent equations that contradict each other nearly: the gradient is 1e-4 of the
    # residual at the start, and there is a solution far away
    def residual(x):
        return [x[0] + x[1] - 1.0, x[0] + 1.0001 * x[1] - 3.0]

    result = solved(residual, [1.0, 1.0], solvers.TrustRegion())
    assert result.success
    assert result.x[1] == pytest.approx(2.0 / 1e-4, rel=1e-8)


def test_an_old_jacobian_of_the_wrong_sign_is_refreshed():
    kept = solvers.Shamanskii(np.inf, contraction=10.0)
    result = solved(np.sin, [1.4], solvers.NewtonMethod(damping=solvers.Armijo(), reuse=kept))
    assert "refreshed" in str(result.history)
    assert result.success


def test_a_ladder_counts_every_rung():
    result = solved(lambda x: x**2 + 1.0, [3.0])
    steps = [step for step in result.history if step.iteration > 0]
    assert result.stats.nit == len(steps) > 100


class TestLimits:
    blocks = Blocks(3)

    def test_log_damping_is_continuous_and_odd(self):
        limit = solvers.LogDamping(0.025)
        dx = np.array([0.025, -25.0, 0.02])
        damped = limit.apply(np.zeros(3), dx, self.blocks)
        assert damped[[0, 2]].tolist() == [0.025, 0.02]
        assert damped[1] == pytest.approx(-0.025 * (1.0 + np.log(1000.0)))

    def test_positive_keeps_its_share(self):
        limit, x = solvers.Positive(keep=0.25), np.array([4.0, 1.0, 2.0])
        dx = limit.apply(x, np.array([-100.0, -0.5, 3.0]), self.blocks)
        assert (x + dx).tolist() == [1.0, 0.5, 5.0]


class TestPredictors:
    here = Point(np.array([2.0]), 2.0, at=Solution(np.ones(1), np.array([3.0])))
    before = Point(np.array([0.0]), 1.0, at=Solution(np.ones(1)))

    @staticmethod
    def family(root):
        return SimpleNamespace(residual_or_none=lambda x, p: x - root)

    def test_secant_and_tangent_extrapolate(self):
        far = self.family(100.0)
        assert SecantPredictor().predict(far, self.here, self.before, 2.5).tolist() == [3.0]
        assert TangentPredictor().predict(far, self.here, self.before, 2.5).tolist() == [3.5]

    @pytest.mark.parametrize("predictor", [SecantPredictor(), TangentPredictor()])
    def test_the_last_solution_is_taken_where_it_is_better(self, predictor):
        near = self.family(2.1)
        assert predictor.predict(near, self.here, self.before, 2.5).tolist() == [2.0]

    def test_steps_of_a_sweep_grow_again(self):
        # hard up to a = 10 only; a sweep that kept the short steps would need a thousand Jacobians
        problem = Problem(lambda x, a: x**3 - np.exp(np.minimum(a, 10.0)))
        impatient = solvers.Newton(max_iterations=5)
        branch = problem.sweep([1.0], "a", [0.0, 1000.0], solver=impatient)
        assert branch.success
        assert len(branch.rejected) > 5
        assert branch.stats.njev < 200
