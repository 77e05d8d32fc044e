"""Points outside the model, at which an evaluation raises an arithmetic error, shorten the step."""

import numpy as np
import pytest

from sgsolve import Problem, Status, solvers
from sgsolve.errors import BackendError
from sgsolve.linear import Dense, fallback_driver


def test_a_jacobian_that_divides_by_zero_is_not_finite():
    def jacobian(x):
        if x[0] > 1.2:  # as the first iterate is, and the solution
            raise ZeroDivisionError
        return [[2.0 * x[0]]]

    problem = Problem(lambda x: x**2 - 2.0, jacobian=jacobian)
    result = problem.solve([1.0], solvers.Newton(), raise_on_failure=False)
    assert result.status is Status.NOT_FINITE


def test_products_outside_the_model_are_not_finite():
    def residual(x):
        if type(x) is not np.ndarray:
            raise OverflowError
        return x**2 - 2.0

    problem = Problem(residual)
    result = problem.solve([1.0], solvers.NewtonKrylov(), raise_on_failure=False)
    assert not result.success
    assert result.status in (Status.NOT_FINITE, Status.NO_LINEAR_CONVERGENCE)


def test_a_residual_that_is_finite_at_the_start_only():
    problem = Problem(lambda x: np.where(x == 1.0, x, np.nan * x))
    for damping in (solvers.FullStep(), solvers.Armijo(), solvers.NaturalMonotonicity()):
        method = solvers.NewtonMethod(damping=damping)
        result = problem.solve([1.0], method, raise_on_failure=False)
        assert result.status is Status.NOT_FINITE, damping
        assert result.x.tolist() == [1.0]


class NoAnswer(Dense):
    """Factorizes, and cannot solve."""

    name = "no answer"

    def fresh(self):
        return self

    def solve(self, b, transpose):
        raise BackendError("cannot solve")


@pytest.mark.parametrize("solver", [solvers.Newton(), solvers.PseudoTransient()])
def test_a_linear_system_that_no_back_end_solves_ends_the_solve(solver, monkeypatch):
    monkeypatch.setattr(fallback_driver, "fallbacks", lambda *arguments: iter(()))
    problem = Problem(lambda x: x**2 - 2.0, backend=NoAnswer())
    result = problem.solve([1.0], solver, raise_on_failure=False)
    assert result.status is Status.LINEAR_SOLVE_FAILED
    assert "no answer cannot solve" in result.message


def test_a_trust_region_without_linear_solves_descends():
    """Without Newton's step the dogleg is the steepest descent alone."""

    class Failing(NoAnswer):
        pass

    problem = Problem(lambda x: x - np.array([1.0, -2.0]), backend=Failing())
    result = problem.solve([0.0, 0.0], solvers.TrustRegion())
    np.testing.assert_allclose(result.x, [1.0, -2.0])


def test_robust_lists_its_stages():
    text = str(solvers.Robust())
    first, *stages = text.splitlines()
    assert first == f"Robust, {len(stages)} stages:"
    assert all(", from " in stage for stage in stages)
    assert any(stage.endswith("from the best point") for stage in stages)
    assert any(stage.endswith("from x0") for stage in stages)


def test_a_preconditioner_that_does_not_tell_its_arguments_takes_x():
    direction = solvers.KrylovDirection(preconditioner=max)
    assert not direction.forms_jacobian
