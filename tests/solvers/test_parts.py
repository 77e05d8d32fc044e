"""The parts: what each promises."""

from types import SimpleNamespace

import numpy as np
import pytest

from sgsolve import DomainError, InputError, Problem, Status, solvers
from sgsolve.problem.equations.residual_system import ResidualSystem
from sgsolve.solvers.state.iterate import observed_order
from tests.families import bratu
from tests.presets import PRESETS
from tests.problems import brusselator, freudenstein_roth, rosenbrock, wood


def circle(x):
    return np.stack([x[0] ** 2 + x[1] ** 2 - 2.0, np.exp(x[0] - 1.0) + x[1] ** 2 - 2.0])


def solve(residual, start, solver=None, **options):
    return Problem(residual, **options).solve(start, solver, raise_on_failure=False)


def test_newton_is_quadratic():
    errors = []
    solve(
        circle, [2.0, 0.5], solvers.Newton()
    )  # the exact root is (1, 1); orders from successive errors
    Problem(circle).solve(
        [2.0, 0.5], solvers.Newton(), callback=lambda it: errors.append(np.abs(it.x - 1.0).max())
    )
    errors = [e for e in errors if e > 1e-13]
    orders = np.log(np.array(errors[2:])) / np.log(np.array(errors[1:-1]))
    assert np.all(orders[-2:] > 1.8)


def test_order_is_observed():
    history = solve(bratu, np.zeros(50), solvers.Newton()).history
    assert np.nanmax(history.column("order")) > 1.5


@pytest.mark.parametrize("residual", [rosenbrock, wood])
def test_damped_newton_is_invariant_under_row_scaling(residual):
    start = np.r_[-1.2, np.ones(9)] if residual is rosenbrock else np.array([-3.0, -1, -3, -1])
    factors = 2.0 ** np.arange(-20, 20, 40 / len(start))[: len(start)]
    method = solvers.DampedNewton(reuse=solvers.NoReuse())
    plain = solve(residual, start, method)
    scaled = solve(lambda x: factors * residual(x), start, method)
    assert plain.nit == scaled.nit
    assert np.allclose(
        plain.history.column("damping"), scaled.history.column("damping"), 1e-6, equal_nan=True
    )
    assert np.allclose(plain.x, scaled.x)


def test_every_armijo_step_satisfies_armijo():
    checked = []

    def callback(it):
        if it.k:
            assert it.phi <= (1.0 - 1e-4 * it.damping) * before[0] * (1 + 1e-12)
            checked.append(it.damping)
        # the merit of the next step uses the sizes at this point
        J = problem.jacobian(it.x)
        S = abs(J) @ np.maximum(np.abs(it.x), 0.0)
        before[0] = np.linalg.norm(it.F / S)

    before = [0.0]
    problem = Problem(wood)
    problem.solve([-3.0, -1.0, -3.0, -1.0], solvers.LineSearchNewton(), callback=callback)
    assert min(checked) < 1.0


@pytest.mark.parametrize("solver", PRESETS.values(), ids=lambda s: s.name)
class TestBadTrialPoints:
    def test_nan(self, solver):
        result = solve(lambda x: np.log(x) + 0.01 * x, [50.0], solver)
        assert result.success
        assert abs(np.log(result.x[0]) + 0.01 * result.x[0]) < 1e-9

    def test_domain_error(self, solver):
        def residual(x):
            if np.any(np.asarray(getattr(x, "value", x)) < 0.0):
                raise DomainError("negative")
            return np.log(x + 1e-300) + 0.01 * x

        result = solve(residual, [50.0], solver)
        assert result.success

    def test_overflow(self, solver):
        result = solve(lambda x: np.exp(x) - 2.0, [-6.0], solver)
        if solver.name != "PseudoTransient":
            assert result.success
            assert abs(result.x[0] - np.log(2.0)) < 1e-9

    def test_no_solution_is_no_success(self, solver):
        result = solve(lambda x: x**2 + 1.0, [3.0], solver)
        assert not result.success
        assert np.isfinite(result.residual).all()


def test_local_minimum_is_named():
    result = solve(freudenstein_roth, [0.5, -2.0], solvers.LevenbergMarquardt())
    assert result.status is Status.LOCAL_MINIMUM


def test_singular_start():
    result = solve(lambda x: x**2 - 4.0, [0.0])  # J = 0 at the start
    assert result.success


def test_singular_without_help():
    method = solvers.Newton(direction=solvers.NewtonDirection(regularize=0.0))
    assert solve(lambda x: x**2 - 4.0, [0.0], method).status is Status.SINGULAR_JACOBIAN


def test_nan_in_the_jacobian_around_the_start():
    """sqrt(x^2 - |x|^2) is zero everywhere, and its slope is NaN everywhere."""
    result = solve(lambda x: x - 1.0 + np.sqrt(x**2 - x * x), [0.0], solvers.Newton())
    assert result.status is Status.NOT_FINITE


def test_robust_survives_a_jacobian_that_is_not_finite():
    result = solve(lambda x: x - 1.0 + np.sqrt(x**2 - x * x), [0.0])
    assert result.status is Status.NOT_FINITE
    assert len(result.stages) >= 2


def test_rounding_is_accepted_and_named():
    method = solvers.Newton(termination=solvers.ResidualTolerance(relative=0.0, absolute=1e-30))
    result = solve(bratu, np.zeros(400), method)
    assert result.status is Status.CONVERGED_ROUNDOFF
    assert result.scaled_residual.max() < 1e-12


def test_zero_solution_is_found():
    result = solve(lambda x: np.sin(x) + x**2, [0.3, 0.2], solvers.Newton())
    assert result.success
    assert np.abs(result.x).max() < 1e-12


def test_units_do_not_matter():
    charge = 1.6e-19
    result = solve(lambda x: charge * (x**3 - 8e-30), [1e-9])
    assert result.success
    assert abs(result.x[0] / 2e-10 - 1.0) < 1e-9


class TestTermination:
    def test_absolute_per_block(self):
        blocks = {"a": slice(0, 1), "b": slice(1, 2)}
        test = solvers.ResidualTolerance(relative=0.0, absolute={"a": 1e-3, "b": 1e-9})
        result = solve(
            lambda x: x**2 - 2.0, [1.0, 1.0], solvers.Newton(termination=test), blocks=blocks
        )
        assert abs(result.residual[1]) <= 1e-9

    def test_or_takes_the_weaker(self):
        loose = solvers.ResidualTolerance(1e-2) | solvers.ResidualTolerance(1e-14)
        tight = solvers.ResidualTolerance(1e-2) & solvers.ResidualTolerance(1e-14)
        few = solve(bratu, np.ones(20), solvers.Newton(termination=loose)).nit
        many = solve(bratu, np.ones(20), solvers.Newton(termination=tight)).nit
        assert few < many

    def test_decrease(self):
        test = solvers.ResidualReduction(1e-3)
        history = solve(bratu, np.ones(20), solvers.Newton(termination=test)).history
        assert history[-1].scaled <= 1e-3 * history[0].scaled < history[-2].scaled

    def test_step_size_with_residual(self):
        test = solvers.ResidualTolerance(1e-3) & solvers.StepTolerance(relative=1e-4, absolute=1e-8)
        history = solve(bratu, np.ones(20), solvers.Newton(termination=test)).history
        assert history[-1].step < 1e-3


class TestLimits:
    def test_max_change(self):
        steps = []
        limit = solvers.MaxChange({"a": 0.1})
        result = Problem(lambda x: x**2 - 4.0, blocks={"a": slice(0, 2)}).solve(
            [1.0, 1.5],
            solvers.Newton(limits=(limit,)),
            callback=lambda it: steps.append(np.abs(it.step).max()),
        )
        assert result.success
        assert max(steps) <= 0.1 + 1e-12
        assert "limited by MaxChange" in str(result.history)

    def test_bounds_keep_the_iterates_inside(self):
        seen = []
        for how in ("shorten", "clip"):
            Problem(lambda x: x**3 - 1.0).solve(
                [0.1],
                solvers.Newton(limits=(solvers.Bounds(0.0, 3.0, how=how),)),
                callback=lambda it: seen.append(it.x[0]),
            )
        assert min(seen) >= 0.0
        assert max(seen) <= 3.0

    def test_positive(self):
        seen = []
        Problem(lambda x: 1.0 / x - 10.0 + 0.0 * x).solve(
            [0.19],
            solvers.Newton(limits=(solvers.Positive(),)),
            callback=lambda it: seen.append(it.x[0]),
        )
        assert min(seen) > 0.0

    def test_log_damping_leaves_small_steps_alone(self):
        limit = solvers.LogDamping(0.025)
        blocks = Problem(circle).solve([1.1, 1.1]).blocks
        small = np.array([0.01, -0.02])
        assert limit.apply(small, small, blocks) is small
        large = limit.apply(small, np.array([25.0, -0.01]), blocks)
        assert 0.1 < large[0] < 0.25
        assert large[1] == -0.01

    def test_function(self):
        result = solve(
            lambda x: x**2 - 4.0, [1.0], solvers.Newton(limits=(lambda x, dx: 0.5 * dx,))
        )
        assert result.success
        assert result.nit > 10

    @pytest.mark.parametrize("solver", [solvers.TrustRegion, solvers.LevenbergMarquardt])
    def test_other_methods_obey(self, solver):
        steps = []
        Problem(lambda x: x**2 - 4.0).solve(
            [1.0, 1.5],
            solver(limits=(solvers.MaxChange(0.1),)),
            callback=lambda it: steps.append(np.abs(it.step).max()),
        )
        assert max(steps) <= 0.1 + 1e-12


class TestReuse:
    def test_chord_has_one_jacobian(self):
        method = solvers.Newton(reuse=solvers.Shamanskii(np.inf))
        result = solve(bratu, np.zeros(50), method)
        assert result.success
        assert result.stats.n_factor == 1

    def test_old_jacobian_is_never_the_cause_of_failure(self):
        method = solvers.DampedNewton(reuse=solvers.Shamanskii(np.inf, contraction=10.0))
        result = solve(lambda x: np.arctan(x - 3.0), [-2.0], method)
        assert result.success

    def test_measured_costs_decide(self):
        class It:
            damping, limited, contraction, phi = 1.0, False, 1e-3, 1e-6
            x = np.zeros(2000)
            counted = SimpleNamespace(
                residual_cost=1.0, solve_cost=1.0, jacobian_cost=1.0, factor_cost=1.0
            )

        it = It()
        assert not solvers.CostBasedReuse().keep(it)
        it.counted.factor_cost = 100.0
        assert solvers.CostBasedReuse().keep(it)
        it.x = np.zeros(20)
        assert not solvers.CostBasedReuse().keep(it)  # a small solve does not depend on the clock
        it.x = np.zeros(2000)
        it.contraction = 0.5
        assert not solvers.CostBasedReuse().keep(it)


class TestKrylov:
    def test_without_matrix(self):
        residual, start = brusselator(8)
        result = solve(residual, start, solvers.NewtonKrylov())
        assert result.success
        assert result.stats.n_factor == 0

    def test_preconditioner_saves_products(self):
        residual, start = brusselator(16)
        problem = Problem(residual)

        def precondition(x):
            from scipy.sparse.linalg import splu

            return splu(problem.jacobian(x).tocsc()).solve

        direction = solvers.KrylovDirection(preconditioner=precondition)
        plain = problem.solve(start, solvers.NewtonKrylov())
        helped = problem.solve(start, solvers.NewtonKrylov(direction=direction))
        assert np.allclose(plain.x, helped.x, atol=1e-6)
        assert helped.njev < 0.2 * plain.njev

    def test_dense_jacobian_is_never_formed(self, monkeypatch):
        monkeypatch.setattr(ResidualSystem, "linearize", None)
        n = 200
        result = solve(
            lambda x: x + np.sum(x) / n - 1.0 + 0.1 * x**3, np.zeros(n), solvers.NewtonKrylov()
        )
        assert result.success

    def test_needs_a_damping_without_factorization(self):
        with pytest.raises(InputError, match="does not form"):
            solvers.NewtonKrylov(damping=solvers.NaturalMonotonicity())


@pytest.mark.slow
def test_memory_is_flat_over_many_solves():
    import gc
    import tracemalloc

    problem = Problem(bratu)
    for _ in range(250):  # the loops of short solves are printed and compiled on the way
        problem.solve(np.zeros(100))
    gc.collect()
    tracemalloc.start()
    for _ in range(200):
        problem.solve(np.zeros(100))
    gc.collect()
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 200_000


@pytest.mark.parametrize(
    ("steps", "order"),
    [((1e-320, 1e-4, 1e-2), 158.5), ((1e-9, 1e-3, np.nextafter(1e-3, 1)), np.nan)],
)
def test_the_order_of_extreme_steps_is_a_number_or_nothing(steps, order):
    found = observed_order(*steps)
    assert found == pytest.approx(order, rel=1e-2, nan_ok=True)
