"""A reported success is a solution: by the own terms of each equation, and where there is one."""

from typing import ClassVar

import numpy as np
import pytest

from sgsolve import Problem, Status, ad, solvers
from tests.presets import ALL_SOLVERS, PRESETS, each_solver, solved
from tests.selection import slow

BIG = 1e17
each_preset = each_solver(PRESETS)


class TestOwnTerms:
    @each_preset
    @pytest.mark.parametrize(
        ("equation", "root"),
        [
            (lambda y: y**2 - 2.0, np.sqrt(2.0)),
            (lambda y: y**3 - 8.0, 2.0),
            (lambda y: np.exp(y) - 3.0, np.log(3.0)),
        ],
        ids=["square", "cube", "exponential"],
    )
    def test_a_large_unknown_loosens_no_other_equation(self, solver, equation, root):
        def residual(x):
            return np.stack([x[0] - BIG, equation(x[1])])

        result = solved(residual, [BIG, 1.0], solver)
        # in one block a step of x[1] is next to nothing for Levenberg-Marquardt, which may stall
        assert result.success == (result.status is not Status.STALLED)
        assert not result.success or result.x[1] == pytest.approx(root, rel=1e-8)
        assert solved(residual, [BIG, 1.0]).x[1] == pytest.approx(root, rel=1e-8)
        blocks = {"large": slice(0, 1), "small": slice(1, 2)}
        result = solved(residual, [BIG, 1.0], solver, blocks=blocks)
        assert result.success
        assert result.x[1] == pytest.approx(root, rel=1e-8)

    @each_preset
    @pytest.mark.parametrize(
        "rootless", [lambda y: y**2 + 1.0, lambda y: np.abs(y) + 1.0, np.cosh], ids="q|c"
    )
    def test_a_large_unknown_makes_no_root(self, solver, rootless):
        assert not solved(lambda x: np.stack([x[0] - BIG, rootless(x[1])]), [BIG, 3.0], solver)

    @each_solver(list(ALL_SOLVERS)[:4])
    def test_potential_and_density_in_one_block(self, solver):
        # neutrality of doped silicon in SI units: n - p = N, n p = ni^2, n = ni exp(psi / vt)
        ni, doping, vt = 1e16, 1e23, 0.02585

        def residual(x):
            psi, n, p = x[0], x[1], x[2]
            boltzmann = [n - ni * np.exp(psi / vt), p - ni * np.exp(-psi / vt)]
            return ad.hstack([n - p - doping, *boltzmann])

        result = solved(residual, [0.3, doping, ni**2 / doping], solver)
        exact = vt * np.arcsinh(doping / (2.0 * ni))
        assert not result.success or result.x[0] == pytest.approx(exact, rel=1e-8)

    def test_sizes_are_those_of_the_point_itself(self):
        # Biggs EXP6 as a square system: one unknown falls to nothing in a step beside one of 1e31
        t = 0.1 * np.arange(1, 7)
        y = np.exp(-t) - 5.0 * np.exp(-10.0 * t) + 3.0 * np.exp(-4.0 * t)

        def residual(x):
            first = x[2] * np.exp(-t * x[0]) - x[3] * np.exp(-t * x[1])
            return first + x[5] * np.exp(-t * x[4]) - y

        result = solved(residual, [1.0, 2.0, 1.0, 1.0, 1.0, 1.0], solvers.Newton())
        assert not result.success or np.abs(result.residual).max() < 1e-6

    def test_residuals_near_the_smallest_number(self):
        for factor in (1e-300, 1e300):
            result = solved(lambda x, c=factor: c * (x**2 - 2.0), [1.0])
            assert result.x[0] == pytest.approx(np.sqrt(2.0), rel=1e-9)

    @each_preset
    def test_unknowns_that_vanish_are_solutions(self, solver):
        def residual(x):
            return np.stack([x[0] * (1.0 + x[1] ** 2), x[1] - 1.0, x[2] ** 2 - 9.0])

        result = solved(residual, [1.0, 3.0, 2.0], solver)
        assert result.success
        assert result.x == pytest.approx([0.0, 1.0, 3.0], abs=1e-12)
        assert result.nit < 60


class TestScale:
    """A scale of the user measures steps; it does not decide whether an equation holds."""

    @each_preset
    @pytest.mark.parametrize("scale", [1e5, 1e12, 1e30])
    @pytest.mark.parametrize(
        ("equation", "start", "root"),
        [
            (lambda x: x**2 - 2.0, [1.0], [np.sqrt(2.0)]),
            (lambda x: np.exp(x) - 5.0, [1.0], [np.log(5.0)]),
            (lambda x: x**2 - 2e-24, [1e-12], [np.sqrt(2e-24)]),
            (lambda x: np.stack([x[0] - 1e10, x[1] ** 3 - 8.0]), [1e10, 1.5], [1e10, 2.0]),
        ],
        ids=["square", "exponential", "small", "two sizes"],
    )
    def test_one_far_too_large_makes_no_success(self, solver, scale, equation, start, root):
        result = solved(equation, start, solver, scale=scale)
        assert result.success == (result.status is not Status.STALLED)
        assert not result.success or result.x == pytest.approx(root, rel=1e-9)
        assert solved(equation, start, scale=scale).x == pytest.approx(root, rel=1e-9)

    @pytest.mark.parametrize("scale", [1.0, 1e300, *slow(1e8)])
    @each_solver()
    def test_no_scale_makes_a_root(self, solver, scale):
        assert not solved(lambda x: x**2 + 1.0, [3.0], solver, scale=scale).success
        assert not solved(lambda x: np.where(x < 1.0, -1.0, 1.5) + 0.1 * x, [3.0], solver).success

    @pytest.mark.parametrize("scale", [1.0, *slow(1e3, 1e30)])
    def test_no_scale_makes_a_root_of_a_limit_at_infinity(self, scale):
        for rootless in (
            lambda x: 1.0 - np.tanh(x),
            lambda x: 1.0 - np.tanh(x**3),
            lambda x: np.stack([1.0 - np.tanh(x[0]), x[1] - 3.0]),
        ):
            assert not solved(rootless, [1.0, 1.5], scale=scale).success

    def test_rounding_of_a_block_that_is_zero_is_success_with_a_scale(self):
        """The second equation has rounding errors of terms in u, but no derivative by u."""

        def residual(u, v):
            return {"u": u**3 - np.linspace(1.0, 9.0, 50), "v": v + np.exp(u) * np.exp(-u) - 1.0}

        problem = Problem(residual, blocks={"u": (50,), "v": (50,)}, fields=True, scale=1.0)
        result = problem.solve(problem.pack(u=1.0, v=0.0), solvers.Newton())
        assert np.abs(result["v"]).max() < 1e-15
        assert result["u"] == pytest.approx(np.cbrt(np.linspace(1.0, 9.0, 50)), rel=1e-9)

    @pytest.mark.parametrize("scale", [1e12, 1e30])
    def test_points_of_a_curve_solve_in_spite_of_it(self, scale):
        problem = Problem(lambda x, a: x**3 - 3.0 * x - a, params={"a": -3.0}, scale=scale)
        branch = problem.continuation([-2.1], "a", (-3.0, 3.0))
        x = branch.states.ravel()
        assert branch.success
        assert np.abs(x**3 - 3.0 * x - branch["a"]).max() < 1e-9
        assert [fold.parameter for fold in branch.folds] == pytest.approx([2.0, -2.0])


class TestRoundingOfTheScale:
    """Terms of constants that are larger than all unknowns, with a scale that fits."""

    @pytest.mark.parametrize("noise", [0.0, 3e-17, -2e-16])
    @pytest.mark.parametrize("n", [1, 20])
    @pytest.mark.parametrize(
        "solver", [solvers.Newton, solvers.DampedNewton, solvers.LineSearchNewton]
    )
    def test_a_solution_of_zeros_is_one(self, solver, n, noise):
        """The constants 0.1 + 0.2 - 0.3 cancel but for rounding, as those of a neutral plasma."""

        def residual(x):
            return np.sinh(x) + 0.3 * (x - np.roll(x, 1)) + (0.1 + 0.2 - 0.3)

        test = solvers.ResidualTolerance(1e-11, of_scale=True) & (
            solvers.ErrorTolerance(1e-12) | solvers.RoundingLevel(4.0, of_scale=True)
        )
        result = solved(residual, np.full(n, noise), solver(termination=test), scale=1.0)
        assert result.success
        assert np.abs(result.x).max() < 1e-15

    def test_the_scale_counts_beside_smaller_unknowns_as_well(self):
        test = solvers.RoundingLevel(4.0, of_scale=True)
        method = solvers.Newton(termination=test, max_iterations=0)
        far, near = (
            solved(lambda x, c=c: x - c, [1e-20], method, scale=1.0) for c in (1e-12, 1e-17)
        )
        assert near.success
        assert not far.success


class TestNoSolution:
    ASYMPTOTIC: ClassVar = {
        "tanh": lambda x: np.tanh(x) - 1.0,
        "shifted": lambda x: np.tanh(x - 1e6) - 1.0,
        "arctan": lambda x: np.arctan(x) - np.pi / 2.0,
        "fraction": lambda x: x / (1.0 + x) - 1.0,
        "logistic": lambda x: 1.0 / (1.0 + np.exp(-x)) - 1.0,
        "hyperbola": lambda x: 1.0 / x,
        "exponential": lambda x: np.exp(-x),
        "gauss": lambda x: np.exp(-(x**2)),
    }

    @each_preset
    @pytest.mark.parametrize("name", ASYMPTOTIC)
    def test_a_limit_at_infinity_is_no_root(self, solver, name):
        start = 1e6 + 1.0 if name == "shifted" else 1.0
        assert not solved(self.ASYMPTOTIC[name], [start], solver).success

    def test_one_giant_step_to_where_the_residual_is_flat(self):
        for start in (-30.0, -10.0):
            result = solved(self.ASYMPTOTIC["tanh"], [start], solvers.Newton())
            assert not result.success

    def test_a_regularized_step_from_where_the_slope_is_zero(self):
        assert not solved(self.ASYMPTOTIC["gauss"], [0.0], solvers.Newton()).success

    @pytest.mark.parametrize("name", ["tanh", "exponential"])
    def test_a_limit_is_no_root_where_a_stage_hands_over_the_point(self, name):
        # damped Newton ends one step before rounding hides the residual, the next stage begins
        residual = self.ASYMPTOTIC[name]
        for start in (1.0, 5.0):
            result = solved(lambda x: residual(x) + 1.0 - 1.0, [start])
            assert not result.success, result.stages

    @pytest.mark.parametrize("constant", [1.0, 1000.0])
    @pytest.mark.parametrize("m", [2, 3, 4, 5])
    def test_a_multiple_root_that_a_constant_hides_is_a_success(self, m, constant):
        # |x - 3|^m is rounded to zero, and stays so a few steps further on
        hidden = 2.0 * (2.3e-16 * constant) ** (1.0 / m) + 1e-6
        for solver in (solvers.Newton(), None):
            for start in (30.0, 31.622776, 1.7):
                result = solved(lambda x: (x - 3.0) ** m + constant - constant, [start], solver)
                assert result.success, (start, result.stages)
                assert abs(result.x[0] - 3.0) < hidden

    def test_a_giant_step_to_a_root_is_a_success(self):
        result = solved(lambda x: 1e-12 * x - 1.0, [1.0], solvers.Newton())
        assert result.success
        assert result.x[0] == pytest.approx(1e12)


class TestRoundingProved:
    @pytest.mark.parametrize("solver", [solvers.LevenbergMarquardt(), None])
    def test_a_valley_is_no_rounding(self, solver):
        def residual(x):
            low = x[1] - x[0] ** 2
            t = 10000.0 * low**2 + (1.0 - x[0]) ** 2 - 0.02
            first = 2.0 * (1.0 - x[0]) + 4e8 * t * ((1.0 - 20000.0 * low) * x[0] - 1.0)
            return ad.hstack([first, 2.0 * (1.0 - x[1]) + 4e12 * t * low])

        problem = Problem(residual)
        result = problem.solve([0.86, 0.72], solver, raise_on_failure=False)
        F, J = problem.linearize(result.x)
        rounding = 2.2e-16 * (abs(J) @ abs(result.x))
        step = np.abs(np.linalg.solve(J.toarray(), F) / result.x).max()
        assert not result.success or (np.abs(F) < 1e4 * rounding).all() or step < 1e-3

    @pytest.mark.parametrize("solver", [None, solvers.TrustRegion(), solvers.NewtonKrylov()])
    @pytest.mark.parametrize("start", [1e60, 1e100, -1e100])
    def test_a_jump_is_no_rounding_of_a_size_that_was_left(self, solver, start):
        """The point comes to zero, where rounding of the start would be far above the residual."""
        result = solved(lambda x: np.where(x > 0.3, x + 1.0, x - 1.0), [start], solver)
        assert not result.success

    @pytest.mark.parametrize("rows", [(1e20, 1e-20), (1e20, 1e20), (1e-20, 1e-20)])
    @pytest.mark.parametrize("columns", [(1e20, 1e-20), (1e-20, 1e15)])
    @pytest.mark.parametrize("away", [(1.5, 0.8, 1.2), (5.0, 5.0, 5.0), (0.1, 3.0, 2.0)])
    def test_each_equation_is_asked_by_its_own_terms_without_a_matrix(self, rows, columns, away):
        """The unknowns of one block differ by 1e40; the root is (1, 2, 4) over the columns."""
        a, b = rows
        sizes = np.array([*columns, 1.0])

        def residual(x):
            y = [x[0] * sizes[0], x[1] * sizes[1], x[2]]
            cubic, ratio = y[0] ** 3 + y[1] - 3.0, y[1] ** 2 - y[0] * y[2]
            return ad.stack([a * cubic, b * ratio, y[2] * y[0] - 4.0])

        start = np.array([1.0, 2.0, 4.0]) / sizes * np.array(away)
        result = solved(residual, start, solvers.NewtonKrylov())
        y = result.x * sizes
        left = [y[0] ** 3 + y[1] - 3.0, y[1] ** 2 - y[0] * y[2], y[2] * y[0] - 4.0]
        assert not result.success or np.abs(left).max() < 1e-6

    def test_a_residual_with_rounding_errors_of_its_own_is_a_success(self):
        hidden = 1e3  # cancels, and leaves errors of 1e-13
        strict = solvers.Newton(termination=solvers.ResidualTolerance(1e-15))
        result = solved(lambda x: (x**3 + hidden) - (8.0 + hidden), [3.0], strict)
        assert result.success
        assert result.x[0] == pytest.approx(2.0, rel=1e-12)


def test_no_stage_starts_from_a_point_that_diverged():
    saturation, vt = 1e-15, 0.02585

    def latch(v):
        b1, c1, b2, c2 = v[0], v[1], v[2], v[3]

        def collector(b, c):
            forward, back = np.exp(b / vt), np.exp((b - c) / vt)
            return saturation * (forward - 2.0 * back + 1.0)

        def base(b, c):
            forward, back = np.exp(b / vt) - 1.0, np.exp((b - c) / vt) - 1.0
            return saturation * (0.01 * forward + back)

        return np.stack(
            [
                (5.0 - c1) / 1e3 - collector(b1, c1) - (c1 - b2) / 1e4,
                (5.0 - c2) / 1e3 - collector(b2, c2) - (c2 - b1) / 1e4,
                (c2 - b1) / 1e4 - base(b1, c1),
                (c1 - b2) / 1e4 - base(b2, c2),
            ]
        )

    result = solved(latch, np.full(4, 5.0))
    assert not result.success or np.abs(latch(result.x)).max() < 1e-9
    assert np.abs(result.x).max() < 6.0


def test_what_diverged_is_never_the_best():
    result = solved(lambda x: np.tanh(x) - 1.0, [0.0], solvers.Robust())
    assert not result.success
    assert result.status is Status.DIVERGED or abs(result.x[0]) < 100.0


@each_solver(list(ALL_SOLVERS)[:6])
@pytest.mark.parametrize("gap", [1e-6, *slow(1e-200, 1e-20, 1e-30)])
def test_a_kink_just_above_zero_is_no_root(solver, gap):
    """The step of Newton's method passes the kink and doubles the residual, as rounding might."""
    for rootless, start in (
        (lambda x: np.abs(x) + gap, [1.0]),
        (lambda x: np.maximum(x, -2.0 * x) + gap, [-3.0]),
        (lambda x: np.stack([np.abs(x[0]) + np.abs(x[1]) + gap, x[0] - x[1]]), [0.37, 0.5]),
    ):
        assert not solved(rootless, start, solver).success
