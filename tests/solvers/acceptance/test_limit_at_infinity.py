"""A residual that only tends to zero has no root, where rounding hides it; a flat root is one."""

import numpy as np
import pytest
from scipy import sparse, special

from sgsolve import Problem, Status, ad, linear, solvers
from sgsolve.solvers.acceptance import determination
from sgsolve.solvers.state.iterate import Iterate
from tests.families import bratu
from tests.presets import ALL_SOLVERS, PRESETS, each_solver, solved
from tests.selection import slow

SOLVERS = list(ALL_SOLVERS.values())

# Residual and starts: before the limit, near to where rounding hides it, and far beyond.
LIMITS = {
    "tanh of a cube": (lambda x: 1.0 - np.tanh(x**3), (0.5, 1.0, 2.0, 2.2, 3.0, 10.0)),
    "tanh": (lambda x: 1.0 - np.tanh(x), (-30.0, 17.0, 18.9, 20.0, 1e6)),
    "error function": (lambda x: 1.0 - special.erf(x), (0.0, 3.0, 5.8, 5.9, 8.0)),
    "gauss": (lambda x: np.exp(-(x**2)), (20.0, 26.0, 28.0, -40.0, 1e5)),
    "logistic": (lambda x: 1.0 - 1.0 / (1.0 + np.exp(-x)), (5.0, 36.0, 37.0, 50.0)),
    "algebraic": (lambda x: x / np.sqrt(1.0 + x**2) - 1.0, (1e3, 1e7, 1e8, 3.3055271057e10, 1e12)),
    "softplus": (lambda x: np.log(1.0 + np.exp(-x)), (1.0, 30.0, 36.0, 60.0)),
    "fraction": (lambda x: 1.0 / (1.0 + x**2), (1e3, 1e120, 1e150)),
    "tanh of a fifth power": (lambda x: 1.0 - np.tanh(x**5), (0.8, 1.5, 3.0)),
    # so far out that only points within 1e-100 of zero show a difference, or no slope is finite
    "exponential": (np.exp, (-745.0, -1e30, -1e300)),
    "fraction, far": (lambda x: 1.0 / (1.0 + x * x), (1e160, -1e300)),
    "fraction of a fourth power": (lambda x: 1.0 / (1.0 + x**4), (1e30, 1e160)),
    "reciprocal": (lambda x: 1.0 / x, (1e300, 1e308)),
    # terms cancel to one unit of rounding, as do their slopes
    "reciprocals": (lambda x: 1.0 / x - 1.0 / (x + 1e-3), (1.0, 1e10, 1e154)),
    "root of a square": (lambda x: np.sqrt(x * x + 1.0) - x, (1e6, 1e8)),
    "root of a square and seven": (lambda x: np.sqrt(x * x + 7.0) - x, (1e6, 3.3e7)),
    "root of a cube": (lambda x: np.cbrt(x**3 + 1.0) - x, (1.0, 1e3)),
}


# One of each kind; the slow tests take all.
FEW = ("tanh of a cube", "error function", "algebraic", "fraction", "exponential")
FEW += ("fraction, far", "reciprocals", "root of a cube")


@each_solver()
@pytest.mark.parametrize("name", [*FEW, *slow(*(name for name in LIMITS if name not in FEW))])
def test_no_root_where_rounding_hides_the_residual(name, solver):
    residual, starts = LIMITS[name]
    for start in starts if solver is not None else starts[1:4:2]:
        result = solved(residual, [start], solver)
        assert not result.success, (start, result)


SATURATIONS = {
    "tanh": lambda y, u: 1.0 - np.tanh(y + u),
    "cube": lambda y, u: 1.0 - np.tanh(y**3 + u),
    "gauss": lambda y, u: np.exp(-(y**2)) * (1.0 + u),
    "logistic": lambda y, u: 1.0 - 1.0 / (1.0 + np.exp(u - y)),
}


@each_solver()
@pytest.mark.parametrize("name", ["cube", "gauss", *slow("tanh", "logistic")])
def test_one_unknown_runs_away_from_a_regular_system(name, solver):
    n = 12

    def residual(x):
        u, y = x[:n], x[n]
        left, right = np.concatenate([np.zeros(1), u[:-1]]), np.concatenate([u[1:], np.zeros(1)])
        regular = 2.0 * u - left - right + 0.1 * u**3 - 0.01
        return ad.hstack([regular, SATURATIONS[name](y, u[3])])

    for start in (2.0, 40.0) if solver is not None else (40.0,):
        result = solved(residual, np.append(np.zeros(n), start), solver)
        assert not result.success, (start, result)


def test_an_unknown_that_saturates_in_an_equation_with_other_terms():
    residual = lambda x: ad.hstack([x[0] - 1.0, x[0] - np.tanh(x[1])])  # noqa: E731
    for start in ([1.0, 20.0], [0.0, 1.0], [3.0, 12.0]):
        for solver in (solvers.Newton(), solvers.DampedNewton()):
            assert not solved(residual, start, solver).success, (start, solver.name)


@pytest.mark.parametrize("start", [3.0, 300.0])
def test_a_start_where_nothing_in_reach_differs_is_said_to_be_singular(start):
    """The residual is 0.0 and flat as far as tests reach, as that of a half line of solutions."""
    for residual in (
        lambda x: np.exp(-((x - 1e4) ** 2)),
        lambda x: np.maximum(x - 1e4, 0.0),
        lambda x: 0.0 * x,
    ):
        result = solved(residual, [start], None)
        assert result.success
        assert "all derivatives of equation x[0] are zero there" in result.remark


def test_contradictory_equations_that_hold_by_rounding_are_said_to_be_singular():
    def residual(x):
        return np.stack([x[0] + x[1] - 1.0, x[0] + x[1] - 2.0])

    for size in (1e16, 1e150, 1e300):
        for solver in (None, solvers.TrustRegion(), solvers.LevenbergMarquardt()):
            assert "singular" in solved(residual, [size, -size], solver).remark
    assert not solved(residual, [1.0, -1.0], None).success


def test_the_message_says_why_a_start_with_zero_residual_is_no_root():
    result = solved(lambda x: 1.0 - np.tanh(x), [20.0], solvers.Newton())
    assert result.status is Status.DIVERGED
    assert result.residual[0] == 0.0
    assert "only tends to zero" in result.message


class TestRootsThatAreFlat:
    """What looks similar at the point alone, and is a solution."""

    def test_a_ninth_power(self):
        for start in (0.0, 1e-3, 1.0):
            result = solved(lambda x: x**9, [start], None)
            assert result.success
            assert abs(result.x[0]) < 1e-6

    @each_solver()
    @pytest.mark.parametrize("power", [9, 30])
    def test_a_start_at_a_multiple_root(self, solver, power):
        result = solved(lambda x: (x - 1.0) ** power, [1.0], solver)
        assert result.success
        assert result.x[0] == 1.0

    def test_a_start_where_a_high_power_underflows(self):
        assert solved(lambda x: x**9, [1e-40], solvers.Newton()).success

    @each_solver()
    @pytest.mark.parametrize("start", [1.0, -1.0, -1e6])
    def test_a_half_line_of_solutions(self, solver, start):
        result = solved(lambda x: np.maximum(x, 0.0), [start], solver)
        assert result.success
        assert result.x[0] <= 0.0

    @each_solver()
    def test_an_expanded_ninth_power(self, solver):
        # rounding hides the root in an interval of width 0.05, with noise of 1e-14
        coefficients = np.poly(np.ones(5))

        def residual(x):
            value = 0.0 * x
            for c in coefficients:
                value = value * x + c
            return value

        result = solved(residual, [3.0], solver)
        assert not result.success or abs(result.x[0] - 1.0) < 0.01

    @pytest.mark.parametrize("size", [1e-200, 1e-12, 1e12, 1e200])
    def test_a_start_at_a_root_of_any_size(self, size):
        for solver in SOLVERS:
            result = solved(lambda x: (x / size - 1.0) * (1.0 + (x / size) ** 2), [size], solver)
            assert result.success
            assert result.nit == 0

    def test_a_start_at_the_solution_of_a_diode_circuit(self):
        residual = lambda v: (5.0 - v) / 1e3 - 1e-15 * (np.exp(v / 0.025852) - 1.0)  # noqa: E731
        first = solved(residual, [0.0], None)
        assert solved(residual, first.x, None).success

    def test_a_saturated_state_with_an_equation_of_its_own(self):
        # the occupancy f is 1 within rounding, as its equation says
        def residual(x):
            f, y = x[0], x[1]
            return ad.hstack([f - 1.0 / (1.0 + np.exp(-y)), y - 50.0])

        for start in ([0.0, 0.0], [1.0, 50.0]):
            for solver in SOLVERS:
                result = solved(residual, start, solver)
                assert result.success
                assert result.x == pytest.approx([1.0, 50.0])

    def test_fast_convergence_costs_one_evaluation_at_most(self):
        # one of the equations holds exactly before the others, or by chance at the end
        def residual(x):
            return 3.0 * x + np.exp(x) - 0.5 * np.roll(x, 1) - 2.0

        for n in (4, 40, 41, 60):
            result = solved(residual, np.linspace(0.1, 1.0, n), solvers.Newton())
            assert result.nit <= result.stats.nfev <= result.nit + 1


class Counted:
    """A residual of two species on a line that counts its evaluations with plain numbers.

    The ends of both are fixed. The equation of a fixed end has coefficients of zero for the other
    species, and it holds exactly from the start or from the first step.
    """

    def __init__(self, n, left):
        self.n, self.plain = n, 0
        self.laplacian = sparse.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(n, n))
        self.inside = np.ones(n)
        self.inside[[0, -1]] = 0.0
        self.left = left

    def __call__(self, x):
        self.plain += type(x) is np.ndarray
        u, v = x[: self.n], x[self.n :]
        exchange = np.exp(u) - np.exp(v)
        wanted = np.zeros(self.n)
        wanted[0] = self.left
        ends = 1.0 - self.inside
        return ad.hstack(
            [
                self.inside * (self.laplacian @ u + 0.1 * exchange) + ends * (u - wanted),
                self.inside * (self.laplacian @ v - 0.1 * exchange) + ends * (v - 2.0 * wanted),
            ]
        )


@pytest.mark.parametrize("left", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("start", [0.0, 0.7])
def test_equations_that_hold_exactly_cost_one_residual(left, start):
    residual = Counted(30, left)
    x = np.full(60, start)
    x[[29, 59]] = start, 0.0
    result = Problem(residual).solve(x, solvers.Newton())
    assert result.success
    # one to check the start, one for each step, at the end a small change to each side
    assert residual.plain <= result.nit + 3


def test_a_start_that_is_a_solution_costs_two_residuals_more_at_most():
    residual = Counted(30, 1.0)
    problem = Problem(residual)
    x = problem.solve(np.full(60, 0.5)).x
    residual.plain = 0
    again = problem.solve(x, solvers.Newton())
    assert again.success
    assert again.nit == 0
    # a small change to each side, for an equation whose terms are next to nothing
    assert residual.plain <= 3


def krylov(J):
    return sparse.linalg.splu(J.tocsc()).solve


@pytest.mark.parametrize(
    "backend", ["superlu", "dense", linear.Krylov(krylov)], ids=["superlu", "dense", "krylov"]
)
def test_kept_factors_are_asked_for_both_errors_together(monkeypatch, backend):
    """Of the residual's rounding; the factors of a large matrix are read from memory once."""
    asked = []

    def spied(it, F):
        found = simplified(it, F)
        if F.ndim == 2:
            asked.append((F.shape, np.abs(it.J @ found + F).max() / np.abs(F).max()))
        return found

    simplified = Iterate.simplified
    monkeypatch.setattr(Iterate, "simplified", spied)
    problem = Problem(bratu, backend=backend)
    loose = solvers.ResidualTolerance(relative=0.0, absolute=1e-2)
    near = 1.001 * problem.solve(np.zeros(50)).x
    result = problem.solve(near, solvers.Newton(termination=loose))
    assert result.success
    assert result.nit == 0
    ((shape, error),) = asked
    assert shape == (50, 2)
    assert error <= 1e-4  # an iteration stops there


@pytest.mark.parametrize("weak", [1e-10, 1e-11])
def test_an_unknown_with_weak_terms_costs_no_residual(weak):
    """Its terms are next to nothing beside the others, but rounding moves it by little."""
    plain = [0]

    def residual(x):
        plain[0] += type(x) is np.ndarray
        return ad.stack([weak * (x[0] - 3.0) + x[1] - 2.0, x[1] ** 3 - 8.0])

    result = Problem(residual, compiled=False).solve([1.0, 3.0], solvers.Newton())
    assert result.success
    assert result.x == pytest.approx([3.0, 2.0], rel=1e-2)
    assert plain[0] <= result.nit + 3


COUPLED = {
    "gauss": lambda x: np.exp(-(x**2)),
    "tanh": lambda x: 1.0 - np.tanh(x),
    "logistic": lambda x: 1.0 - 1.0 / (1.0 + np.exp(-x)),
}


@each_solver()
@pytest.mark.parametrize("name", ["gauss", "tanh", *slow("logistic")])
def test_unknowns_that_run_away_together_are_not_determined_by_each_other(name, solver):
    flat = COUPLED[name]

    def residual(x):
        return ad.stack([x[0] - x[1], flat(x[0]), x[2] + 0.1 * x[2] ** 3 - 1.0])

    for start in (100.0, 40.0):
        result = solved(residual, [start, start, 3.0], solver)
        assert not result.success, (start, result)


@pytest.mark.parametrize(
    "start", [(121.3, 145.9, 11.7), *slow(((187.0, 163.2, -96.5),), ((35.1, 172.6, 11.3),))]
)
def test_an_unknown_that_another_equation_moves_along_a_flat_one(start):
    """exp(-x0^2) is zero at the start and at the end; x0 = x1 moves x0 in between."""

    def residual(x):
        return ad.stack([x[0] - x[1], np.exp(-(x[0] ** 2)), x[2] + 0.1 * x[2] ** 3 - 1.0])

    for solver in (solvers.TrustRegion(), solvers.LevenbergMarquardt(), None):
        assert not solved(residual, start, solver).success


def test_an_equation_that_holds_at_start_and_end_while_its_unknowns_move():
    """A difference that is kept at zero, and a bound that is not reached, are no flat equations."""

    def residual(x):
        return ad.stack([x[0] - x[1], x[0] ** 3 + x[1] - 10.0, np.maximum(x[0] - 5.0, 0.0) + x[2]])

    result = solved(residual, [1.0, 1.0, 0.0], solvers.TrustRegion())
    assert result.success
    np.testing.assert_allclose(result.x[:2], 2.0, rtol=1e-10)


# An equation that holds at the start, and stays zero where its unknowns grow by the same part, or
# change by equal amounts of some signs. One of the unknowns is in no other term that shows.
TIED = {
    "equal": (lambda u, v: u - v, 1.0),
    "opposite": (lambda u, v: u + v, -1.0),
    "twice": (lambda u, v: 2.0 * u - v, 0.5),
    "curved": (lambda u, v: np.sinh(u - v), 1.0),
}


@each_solver()
@pytest.mark.parametrize("gap", [1, 2, 3])
@pytest.mark.parametrize("name", TIED)
def test_an_unknown_that_is_only_tied_to_another_one(name, gap, solver):
    """As the potential of a contact is to its voltage: a carrier that hardly counts has it too."""
    tie, ratio = TIED[name]

    def residual(x):
        u, v = x[0], x[gap]
        F = [x[i] ** 3 - 27.0 for i in range(1, gap)]
        return ad.stack(
            [tie(u, v), *F, v**3 - 64000.0, x[gap + 1] + np.exp(-2.0 * np.sign(ratio) * u) - 1.0]
        )

    between = np.full(gap - 1, 2.9)
    for v in (30.0, 39.0, 39.9999, 45.0):
        start = np.hstack([ratio * v, between, v, 0.9])
        result = solved(residual, start, solver)
        assert result.success, (v, result)
        np.testing.assert_allclose(result.x[[0, gap, -1]], [40.0 * ratio, 40.0, 1.0], rtol=1e-9)


@pytest.mark.parametrize("start", [(1100.0, 1060.0), (1000.0, 960.0)])
def test_unknowns_that_run_far_beyond_the_start_are_no_solution(start):
    """At 1e90 the first equation holds within the rounding of its terms."""

    def residual(x):
        return ad.stack([x[0] + x[1] - 1960.0, COUPLED["logistic"](x[0] - x[1]), x[2] ** 3 - 1.0])

    result = solved(residual, [*start, 1.5], SOLVERS[0])
    assert not result.success


def test_far_solutions_that_are_determined_are_solutions():
    result = solved(lambda x: ad.stack([x[0] - 1e60, x[0] * x[1] - 3e60]), [1.0, 1.0], SOLVERS[0])
    assert result.success
    np.testing.assert_allclose(result.x, [1e60, 3.0], rtol=1e-12)


@each_solver(PRESETS)
@pytest.mark.parametrize("start", [(1100.0, 1060.0), (1000.0, 960.0), (100.0, 40.0)])
def test_a_small_difference_of_large_unknowns_that_runs_away(start, solver):
    """It stays hidden where both grow by the same part, but not where they grow by others."""

    def residual(x):
        return ad.stack([x[0] + x[1] - 1960.0, COUPLED["logistic"](x[0] - x[1]), x[2] ** 3 - 1.0])

    assert not solved(residual, [*start, 1.5], solver).success


KINKS = np.arange(1.0, 25.0) * 1e-7  # closer than a small change, and than two


@pytest.mark.parametrize(
    ("equation", "start", "answers"),
    [
        (lambda x: 3.0 * (x - 1.0) + np.abs(x - 1.0), 1.0, True),  # slopes 2 and 4, and 3 between
        (lambda x: 25.0 * (x - 1.0) + np.abs(x - 1.0 - KINKS).sum() - KINKS.sum(), 1.0, True),
        (lambda x: np.tanh(x) - 1.0, 30.0, False),  # a slope that rounding hides
        # noise of large terms that cancel, which has slopes of its own
        (lambda x: (np.exp(x) - np.exp(x) / (1.0 + np.exp(-x)) - 1.0) ** 2, 25.0, False),
    ],
)
def test_an_equation_at_a_kink_answers_as_its_slope_beside_it_says(
    equation, start, answers, monkeypatch
):
    found = []

    def recorded(it):
        found.append(determination._answered(it, it.J, it.F, np.ones(2, dtype=bool)))
        return False

    monkeypatch.setattr("sgsolve.solvers.acceptance.convergence.at_limit", recorded)
    Problem(lambda x: [x[0] - 2.0, equation(x[1])]).solve([2.0, start])
    assert found == [answers]


def difference_of_exponentials(x):
    """Positive, of slopes 0 times infinity where it underflows."""
    grown = np.exp(0.17 * (x - 14.0))
    return grown - grown / (1.0 + np.exp(-14.0 - 0.17 * x))


@pytest.mark.parametrize(
    ("residual", "start"),
    [
        (difference_of_exponentials, [-1e6]),
        (difference_of_exponentials, [-10.0]),
        # the line to x[0] = 0 passes from one tail straight to the other
        (
            lambda x: ad.stack([1.0 + np.tanh(0.1 * x[1] ** 2 - 12.0 * x[0]), x[0] - 21.0]),
            [21, -26],
        ),
    ],
)
@pytest.mark.parametrize("solver", [None, solvers.Newton()])
def test_a_tail_without_slopes_or_next_to_another_one_is_no_root(residual, start, solver):
    with np.errstate(all="ignore"):
        assert not solved(residual, start, solver).success


@pytest.mark.parametrize("start", [-1.0, -1e5])
@pytest.mark.parametrize("solver", [None, solvers.Newton()])
def test_a_half_line_of_solutions_without_slopes_is_one_of_solutions(start, solver):
    with np.errstate(all="ignore"):
        assert solved(lambda x: np.sqrt(np.maximum(x, 0.0)), [start], solver).success


HIDDEN = {
    "error function": lambda x: 1.0 - special.erf(40.0 * x / (1.0 + x**2)),
    "hyperbolic tangent": lambda x: 1.0 - np.tanh(30.0 * x / (1.0 + 0.01 * x**2)),
    "difference": lambda x: (1.0 + np.exp(-60.0 * x / (1.0 + 0.01 * x**2))) ** 2 - 1.0,
}


@pytest.mark.parametrize("name", HIDDEN)
@pytest.mark.parametrize("beside", [False, True])
def test_zero_by_rounding_alone_between_two_slopes_is_said(name, beside):
    """Zero to rounding on an interval with values of one sign on both sides: x is any of these."""
    hidden = HIDDEN[name]

    def residual(x):
        rest = [x[1] ** 3 - 8.0] if beside else []
        return np.stack([hidden(x[0]), *rest])

    start = 20.0 if name == "error function" else 400.0
    result = Problem(residual).solve([start, 1.0][: 1 + beside], raise_on_failure=False)
    assert not result.success or "rounding alone makes equation x[0] hold" in result.remark
    assert result.remark.count("equation x[") <= 1


@pytest.mark.parametrize(
    ("residual", "start"),
    [
        (lambda x: x**3, 1.0),
        (lambda x: (x - 1.0) ** 3, 2.0),
        (lambda x: 1e-12 * (x - 1.0) + (x - 1.0) ** 3, 30.0),
        (lambda x: np.exp(20.0 * x) - 1.0, 3.0),
        (lambda x: np.exp(x) - np.exp(x**3), 3.0),
    ],
)
def test_equations_with_a_slope_hold_by_themselves(residual, start):
    result = Problem(residual).solve([start])
    assert "rounding alone" not in result.remark


@pytest.mark.parametrize("start", [[0.0, 1.0], [0.7, 1.0]])
def test_an_unknown_that_is_zero_is_determined(start):
    result = Problem(lambda x: np.stack([x[0] + 0.0 * x[1], x[1] ** 3 - 8.0])).solve(start)
    assert "rounding alone" not in result.remark


def test_a_linear_equation_is_asked_once_for_each_pattern():
    """It holds exactly at every solution: one residual shows that it answers as its row says."""
    problem = Problem(lambda x: ad.hstack([x[:1] - 0.1, x[1:] ** 2 - x[:1]]))
    solver = solvers.LineSearchNewton()  # no step of it is made in machine code
    first, second = (problem.solve([1.0, 1.0], solver).stats for _ in range(2))
    assert first.nit == second.nit
    assert first.nfev == second.nfev + 1
