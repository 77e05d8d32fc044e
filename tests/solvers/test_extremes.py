"""Numbers from 1e-300 to 1e300 in starts, residuals, slopes and scales: every solver ends."""

import itertools
import math

import numpy as np
import pytest

from sgsolve import NotFiniteError, Problem, SgsolveError, Status, solvers
from sgsolve.continuation import Homotopy, Natural
from sgsolve.norms import LONGEST, is_finite, norm2, unit
from tests.presets import ALL_SOLVERS, each_solver
from tests.selection import slow

HUGE = (1e150, 1e200, 1e250, 1e300)
# Evaluations; 140 halvings from 1e300 to 1e150 in each of 100 iterations take 14 000.
MOST = 20_000


class Counted:
    """A residual that fails when it is called without end."""

    def __init__(self, function):
        self.function, self.calls = function, 0

    def __call__(self, x):
        self.calls += 1
        assert self.calls < MOST, "the solver does not end"
        return self.function(x)


def ends(function, start, solver, **given):
    """Solve; return the result or None for an input that is refused."""
    with np.errstate(all="ignore"):
        try:
            return Problem(Counted(function), **given).solve(start, solver, raise_on_failure=False)
        except NotFiniteError:
            return None


@pytest.mark.parametrize("size", [1e-300, 1e-200, 1e-155, 1.0, 1e155, 1e200, 1e299])
@np.errstate(all="ignore")  # as within a solve
def test_norms_of_extreme_vectors(size):
    vector = size * np.array([3.0, -4.0])
    assert norm2(vector) == pytest.approx(5.0 * size, rel=1e-14)
    assert unit(vector) == pytest.approx([0.6, -0.8], rel=1e-14)


@np.errstate(all="ignore")
def test_norms_of_zero_nan_and_overflow():
    assert norm2(np.zeros(3)) == 0.0
    assert unit(np.zeros(3)).tolist() == [0.0, 0.0, 0.0]
    assert math.isnan(norm2(np.array([1.0, math.nan])))
    assert norm2(np.full(10_000, 1e308)) == LONGEST
    assert norm2(np.array([math.inf, 0.0])) == LONGEST


@each_solver()
@pytest.mark.parametrize("huge", [HUGE[0], HUGE[-1], *slow(*HUGE[1:-1])])
def test_every_solver_ends_from_huge_starts(solver, huge):
    functions = (
        lambda x: x - 1.0,
        lambda x: np.arctan(x) - 1.0,
        lambda x: np.tanh(x / huge) - 0.5,
        lambda x: np.stack([x[0] - x[1], x[0] + 1e-8 * x[1] - 1.0]),
        lambda x: np.exp(-(x / huge)) - 0.5,
    )
    for f, sign in itertools.product(functions, (1.0, -1.0)):
        ends(f, sign * huge * np.array([1.0, 0.5]), solver)


@each_solver()
@pytest.mark.parametrize("huge", [HUGE[0], HUGE[-1], *slow(*HUGE[1:-1])])
def test_every_solver_ends_with_huge_residuals_and_slopes(solver, huge):
    functions = (
        lambda x: huge * (x**2 - 2.0),
        lambda x: huge * np.arctan(x) - 1.0,
        lambda x: x / huge + np.tanh(x) / huge - 1.0 / huge,
        lambda x: np.stack([huge * (x[0] - x[1]), (x[0] ** 2 + x[1]) / huge - 2.0 / huge]),
        lambda x: huge + x * x,
        lambda x: 1e-14 * np.expm1(x / 0.02585) - 1e-3,
    )
    for f in functions:
        ends(f, np.array([-10.0, 3.0]), solver)


@each_solver()
@pytest.mark.parametrize("scale", [1e-300, 1e-150, 1e150, 1e300])
def test_every_solver_ends_with_extreme_scales(solver, scale):
    for f in (lambda x: x**3 - 2.0 * x - 5.0, lambda x: np.exp(-(x**2)) - 0.5):
        ends(f, np.array([20.0, -3.0]), solver, scale=scale)


@pytest.mark.parametrize(
    ("f", "start", "root"),
    [
        # a diode at -10 V that is to carry 1 mA: V = VT log(1 + I / Is)
        (lambda v: 1e-14 * np.expm1(v / 0.02585) - 1e-3, -10.0, 0.02585 * math.log1p(1e11)),
        (lambda x: 10.0 ** (-x) - 1.0, 200.0, 0.0),
        (lambda T: 1e13 * np.exp(-4e4 / T) - 1.0, 100.0, 4e4 / (13.0 * math.log(10.0))),
        (lambda x: np.exp(x) - 2.0, -600.0, math.log(2.0)),
        (lambda x: np.exp(-x) - 0.25, 400.0, math.log(4.0)),
    ],
)
def test_steps_longer_than_the_square_root_of_the_largest_number(f, start, root):
    result = Problem(f).solve([start])
    assert result.x[0] == pytest.approx(root, rel=1e-9, abs=1e-9)


@np.errstate(all="ignore")
def test_trust_region_step_has_the_length_of_the_radius():
    from sgsolve.solvers.steps.trust_region import Model

    model = object.__new__(Model)
    for factor in (1.0, 1e160, 1e-160):
        model.cauchy = factor * np.array([1.0, 0.0])
        model.newton = factor * np.array([3.0, 4.0])
        model.newton_length = 5.0 * factor
        step = model.step(2.0 * factor)
        assert norm2(step) == pytest.approx(2.0 * factor, rel=1e-13)
        # between the Cauchy point and Newton's: (1, 0) + t (2, 4) with |.| = 2
        t = (-4.0 + math.sqrt(16.0 + 4.0 * 20.0 * 3.0)) / 40.0
        assert step / factor == pytest.approx([1.0 + 2.0 * t, 4.0 * t], rel=1e-13)


def test_sweep_ends_where_its_step_is_lost_to_rounding():
    """Values 1e-6 apart at 1e6: half of a ten-thousandth of that is below rounding."""
    values = [1e6, 1e6 + 1e-6]
    calls = [0]

    def f(x, p):
        calls[0] += 1
        assert calls[0] < 5000, "the sweep does not end"
        return x * x - (1.0 if p <= values[0] else -1.0)

    with pytest.raises(SgsolveError) as caught:
        Problem(f).sweep([1.0], "p", values, steps=Natural(min_step=1e-12), raise_on_failure=True)
    assert caught.value.result.status is Status.STEP_TOO_SMALL


def test_deflation_ends_close_to_known_solutions_and_far_from_them():
    from sgsolve.continuation.deflation import DeflatedDirection, Deflation

    for power in (0.5, 2.0, 4.0):
        direction = DeflatedDirection(known=(np.array([0.0]),), power=power)
        for away in (1e-300, 1e-120, 1e-30, 1e30, 1e150):
            with np.errstate(all="ignore"):
                slope = direction.slope(np.array([away]), np.array([away]))
            # m = 1 + 1 / r^p has the slope -p / (r (1 + r^p)), here times dx = r
            right = -power / (1.0 + away**power) if away < 1.0 else 0.0
            assert slope == pytest.approx(right, rel=1e-9, abs=1e-12) or away == 1e-300
    problem = Problem(lambda x: x * (x - 1e-120) * (x - 1.0))
    assert len(problem.find_solutions([0.5], deflation=Deflation(power=4.0), time_limit=20.0)) >= 1


@pytest.mark.parametrize(
    ("f", "start", "name"),
    [
        (
            lambda x: np.stack([np.exp(-x[0]) - x[1], x[0] * x[1] - 1e200]),
            [2.31e179, -2.04e-159],
            "LevenbergMarquardt",
        ),
        (lambda x: x**3 - 1.0, [-3.39e-156, -1.84e228], "TrustRegion"),
    ],
)
def test_overflow_where_a_solve_ended_raises_no_warning(f, start, name):
    result = Problem(f).solve(start, ALL_SOLVERS[name], raise_on_failure=False)
    assert str(result)
    assert result.explain()


@pytest.mark.parametrize("size", [1e80, 1e152])
def test_continuation_of_huge_unknowns_ends(size):
    """x = 1e152 p: the squares of x overflow."""
    problem = Problem(lambda x, p: x / size - p, params={"p": 1.0})
    branch = problem.continuation([size], "p", (1.0, 2.0), detect=(), max_points=100)
    assert branch.at(-1)[0] == pytest.approx(2.0 * size)


@pytest.mark.parametrize(
    ("vector", "finite"),
    [([], True), ([1e200, -1e308], True), ([0.0, np.inf], False), ([1.0, np.nan], False)],
)
def test_components_are_finite_also_where_their_squares_are_not(vector, finite):
    with np.errstate(over="ignore"):
        assert is_finite(np.array(vector)) is finite


@pytest.mark.parametrize("solver", [solvers.DampedNewton(), Homotopy()], ids=["damped", "homotopy"])
def test_a_predicted_step_below_the_shortest_one_is_the_shortest_one(solver):
    """After a first step of 1e-16 none was tried, and the residual was called not finite."""
    problem = Problem(lambda x: [x[0] ** 3 - 1e24, x[0] * x[1] - 2e8])
    result = problem.solve([1.0, 1.0], solver)
    np.testing.assert_allclose(result.x, [1e8, 2.0], rtol=1e-9)
