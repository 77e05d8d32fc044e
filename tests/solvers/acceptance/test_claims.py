"""More problems of each kind that once ended in a false success, most of them with hard starts."""

import numpy as np
import pytest

from sgsolve import Problem, Status, ad, solvers
from tests.flow import cavity
from tests.linear.random_matrices import singular
from tests.presets import solved
from tests.selection import slow

VT = 0.02585
t = 0.1 * np.arange(1, 9)


def transistor(base, collector, emitter):
    """Collector and base current of an npn transistor, A."""
    forward, back = np.expm1((base - emitter) / VT), np.expm1((base - collector) / VT)
    return 1e-15 * (forward - 2.0 * back), 1e-15 * (0.01 * forward + back)


def schmitt_trigger(v):
    c1, c2, b2, e = v[0], v[1], v[2], v[3]
    (i1, j1), (i2, j2) = transistor(6.0, c1, e), transistor(b2, c2, e)
    first = (12.0 - c1) / 4.7e3 - i1 - (c1 - b2) / 1e4
    base = (c1 - b2) / 1e4 - b2 / 2.2e4 - j2
    return np.stack([first, (12.0 - c2) / 1e3 - i2, base, e / 220.0 - i1 - i2 - j1 - j2])


def ring_of_inverters(v):
    bases, collectors = v[0::2], v[1::2]
    currents, into = transistor(bases, collectors, 0.0)
    following, before = np.roll(bases, -1), np.roll(collectors, 1)
    outputs = (5.0 - collectors) / 1e3 - currents - (collectors - following) / 1e4
    return np.concatenate([outputs, (before - bases) / 1e4 - into])


def rectifier(v):
    def diode(u):
        return 1e-14 * np.expm1(u / VT)

    a, b, plus, minus = v[0], v[1], v[2], v[3]
    up, down = (diode(a - plus), diode(b - plus)), (diode(minus - a), diode(minus - b))
    load = (plus - minus) / 1e3
    source = [(12.0 - a) / 10.0 - up[0] + down[0], -b / 10.0 - up[1] + down[1]]
    return np.stack([*source, up[0] + up[1] - load, load - down[0] - down[1] + 1e-9 * minus])


CIRCUITS = {  # equations, supply in V, number of nodes
    "Schmitt trigger": (schmitt_trigger, 12.0, 4),
    "ring of inverters": (ring_of_inverters, 5.0, 6),
    "rectifier": (rectifier, 12.0, 4),
}


@pytest.mark.parametrize("name", CIRCUITS)
def test_no_stage_continues_from_nodes_far_outside_the_supply(name):
    equations, supply, nodes = CIRCUITS[name]
    result = Problem(equations).solve(np.full(nodes, supply))
    assert np.abs(equations(result.x)).max() < 1e-9  # A
    assert np.abs(result.x).max() < 1.01 * supply


VALLEYS = {  # a curve g = 0 and the derivatives of g
    "circle": (lambda x, y: x**2 + y**2 - 2.1, lambda x, y: (2.0 * x, 2.0 * y)),
    "sine": (lambda x, y: y - np.sin(3.0 * x), lambda x, y: (-3.0 * np.cos(3.0 * x), 1.0)),
    "cubic": (lambda x, y: y - x**3 + x, lambda x, y: (1.0 - 3.0 * x**2, 1.0)),
}


@pytest.mark.parametrize("name", VALLEYS)
@pytest.mark.parametrize(
    "solver", [None, *slow(solvers.LevenbergMarquardt(), solvers.TrustRegion())]
)
def test_no_rounding_is_claimed_in_a_thin_valley(name, solver):
    """(x - 1)^2 + (y - 1.3)^2 + weight g^2 is to be smallest, with weights of 1e8 and 1e13."""
    g, slopes = VALLEYS[name]
    for weight in (1e8, 1e13):

        def gradient(z, weight=weight):
            a, b = slopes(z[0], z[1])
            pull = 2.0 * weight * g(z[0], z[1])
            return ad.stack([2.0 * (z[0] - 1.0) + pull * a, 2.0 * (z[1] - 1.3) + pull * b])

        problem = Problem(gradient)
        result = problem.solve([0.86, 0.72], solver, raise_on_failure=False)
        F, J = problem.linearize(result.x)
        rounding = 2.2e-16 * (abs(J) @ np.abs(result.x))
        step = np.abs(np.linalg.solve(J.toarray(), F) / result.x).max()
        assert result.success or solver is not None
        assert not result.success or (np.abs(F) < 1e4 * rounding).all() or step < 1e-6


MODELS = {  # model, data, number of unknowns
    "two exponentials": (
        lambda x, t: x[0] * np.exp(-t * x[1]) - x[2] * np.exp(-t * x[3]),
        lambda t: np.exp(-t) - 5.0 * np.exp(-10.0 * t),
        4,
    ),
    "two powers": (
        lambda x, t: x[0] * t ** x[1] + x[2] * t ** x[3],
        lambda t: t**2 + 3.0 * np.sqrt(t),
        4,
    ),
    "quotient": (
        lambda x, t: (x[0] + x[1] * t) / (1.0 + x[2] * t + x[3] * t**2),
        lambda t: 1.0 / (1.0 + t**2) - 0.2 * t,
        4,
    ),
    "two bells": (
        lambda x, t: (
            x[0] * np.exp(-x[2] * (t - x[1]) ** 2) + x[3] * np.exp(-x[5] * (t - x[4]) ** 2)
        ),
        lambda t: np.exp(-20.0 * (t - 0.3) ** 2) + 0.3 * np.exp(-90.0 * (t - 0.6) ** 2),
        6,
    ),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("solver", [solvers.Newton(), *slow(solvers.TrustRegion())])
def test_no_sizes_of_an_earlier_point_are_used_where_unknowns_run_away(name, solver):
    """Curves through as many points as they have unknowns, from starts of 1 to 30."""
    model, data, n = MODELS[name]
    random = np.random.default_rng(1)
    for size in (1.0, 3.0, 10.0, 30.0):
        start = size * random.normal(size=n)

        def residual(x):
            return model(x, t[:n]) - data(t[:n])

        result = Problem(residual).solve(start, solver, raise_on_failure=False)
        assert not result.success or np.abs(residual(result.x)).max() < 1e-6


@pytest.mark.parametrize("factor", [lambda J: J.T, lambda J: 2.5 * J, lambda J: 0.6 * J])
def test_no_rounding_is_claimed_of_a_wrong_jacobian(factor):
    """The steps gain a factor, and a residual that changes along them is no rounding error."""

    def residual(x):
        return np.array([x[0] ** 2 + x[1] - 3.0, x[1] ** 2 - x[0] - 1.0])

    def jacobian(x):
        return factor(np.array([[2.0 * x[0], 1.0], [-1.0, 2.0 * x[1]]]))

    result = Problem(residual, jacobian=jacobian).solve([1.0, 1.0])
    assert np.abs(result.residual).max() < 1e-10


@pytest.mark.parametrize("unit", [1e120, 1e200])
def test_unknowns_of_large_units_do_not_run_away(unit):
    problem = Problem(lambda x: [(x[0] / unit) ** 2 - 2.0, x[1] * (x[0] / unit) - 1.0])
    result = problem.solve([unit, 1.0])
    np.testing.assert_allclose(result.x, [np.sqrt(2.0) * unit, np.sqrt(0.5)])


@pytest.mark.parametrize("declared", [False, True])
def test_pressures_of_large_units_up_to_a_constant_do_not_run_away(declared):
    """Above 1e12 all unknowns must be determined; their free level made five steps 419."""
    level = {"null_space": lambda u, v, p: {"u": 0.0 * u, "v": 0.0 * v, "p": 1.0 + 0.0 * p}}
    start = {"u": 0.0, "v": 0.0, "p": 0.0}
    result = cavity(8, 1e6, **(level if declared else {})).solve(start, solvers.DampedNewton())
    expected = cavity(8).solve(start)
    assert np.abs(result["p"]).max() > 1e17
    np.testing.assert_allclose(result["u"], 1e6 * expected["u"], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(result["p"], 1e18 * expected["p"], rtol=1e-9, atol=1e6)


@pytest.mark.parametrize("method", [None, solvers.DampedNewton(), *slow(solvers.TrustRegion())])
def test_no_local_minimum_is_claimed_where_the_residual_falls_on(method):
    """Each step divides x, and takes a thousandth of the residual: the root is at 1e-261."""
    for residual, start in (
        (lambda x: np.log(x) + 600.0, [1.0]),
        (lambda x: [np.log(x[0]) + 600.0, x[1] - 3.0], [1.0, 1.0]),
    ):
        result = Problem(residual).solve(start, method, raise_on_failure=False)
        assert result.status in (Status.MAX_ITERATIONS, Status.STALLED)


def rods(u, excess):
    """Steady heat of a bar without losses: the sources must have no excess."""
    ends = np.concatenate([u[:1], u, u[-1:]])
    sources = np.sin(2.0 * np.pi * (np.arange(len(u)) + 0.5) / len(u))
    return (ends[2:] - 2.0 * ends[1:-1] + ends[:-2]) * len(u) ** 2 + sources + excess


def twice(x, excess):
    total = x[0] + x[1]
    return np.stack([total - 2.0, total**2 + 3.0 * total - 10.0 - excess])


@pytest.mark.parametrize("solver", [solvers.Newton(), solvers.DampedNewton(), *slow(None)])
@pytest.mark.parametrize(("f", "n"), [(rods, 20), (twice, 2)])
def test_equations_that_contradict_each_other_a_little_are_not_put_down_to_rounding(f, n, solver):
    """No step closes them, because the Jacobian is singular, and not because of rounding."""
    for excess in (1e-6, 1e-7, 3e-8):
        result = Problem(lambda x, e=excess: f(x, e)).solve(
            np.zeros(n), solver, raise_on_failure=False
        )
        assert not result.success, (excess, result)
    assert Problem(lambda x: f(x, 0.0)).solve(np.zeros(n), solver).success


@pytest.mark.parametrize("start", [-1.0, 5e3, *slow(0.5, 2.0, 10.0, 100.0, 1e3, 3e3, 1e4)])
@pytest.mark.parametrize("n", [5, *slow(20, 40, 60)])
def test_terms_that_grow_hide_no_contradiction(n, start):
    """Rounding of ``u**2`` hides the sources where u is 1e5, and no u balances them.

    Where the terms are 1e11 times the sources, a regularized step is short though Newton's is long.
    """

    def heated(u):
        ends = np.concatenate([u[:1], u, u[-1:]])
        sources = 1.0 + np.cos(np.linspace(0.0, 6.0, n))
        return (ends[2:] - 2.0 * u + ends[:-2]) * (1.0 + u**2) + sources

    for solver in (None, solvers.Newton()):
        result = Problem(heated).solve(np.full(n, start), solver, raise_on_failure=False)
        assert not result.success, result


def repeated(bend, factor, gap):
    """Two equations that say the same but for a gap of their constants."""

    def F(x):
        y = bend(x[0])
        return np.stack([y + x[1] - 2.0, factor * y + factor * x[1] - (2.0 * factor + gap)])

    return F


BENT = {"cubic": lambda y: y**3, "kink": lambda y: abs(y) * y**2}


@pytest.mark.parametrize(
    ("solver", "bend", "factor", "start"),
    [
        (solvers.PseudoTransient(), "cubic", 2.0, 1e3),
        (solvers.LevenbergMarquardt(), "cubic", 2.0, 1e6),
        (solvers.LevenbergMarquardt(), "cubic", 0.7, 1e6),
        (solvers.LevenbergMarquardt(), "kink", 2.0, 1e6),
        *slow((None, "cubic", 2.0, 1e3), (None, "cubic", 0.7, 1e6), (None, "kink", 2.0, 1e6)),
    ],
)
def test_no_regularized_step_hides_a_contradiction_beside_large_terms(solver, bend, factor, start):
    """The start has terms of 1e9; J is singular, which its regularized factors do not show."""
    x0 = [start, -start]
    result = Problem(repeated(BENT[bend], factor, 4e-5)).solve(x0, solver, raise_on_failure=False)
    assert not result.success, result
    assert Problem(repeated(BENT[bend], factor, 0.0)).solve(x0, solver).success


def test_a_tolerance_of_ones_own_allows_a_contradiction():
    own = solvers.LevenbergMarquardt(termination=solvers.ResidualTolerance(1e-11, absolute=1e-3))
    result = Problem(repeated(BENT["cubic"], 2.0, 4e-5)).solve([1e6, -1e6], own)
    assert abs(result.residual).max() < 1e-3


@pytest.mark.parametrize("solver", [solvers.PseudoTransient(), solvers.LevenbergMarquardt()])
@pytest.mark.parametrize("power", [1, 2, 3])
@pytest.mark.parametrize("size", [1.0, 1e6])
def test_roots_after_regularized_steps_are_successes(solver, power, size):
    """The Jacobian is singular, or almost, at a multiple root."""
    result = Problem(
        lambda x: [(x[0] / size - 1.0) ** power * (x[0] / size + 3.0), x[0] + x[1] - 3.0 * size]
    ).solve([2.0 * size, 0.0], solver)
    assert result.x == pytest.approx([size, 2.0 * size], rel=1e-3)


@pytest.mark.parametrize("size", [1e3, 1e8, 1e12])
@pytest.mark.parametrize("gap", [1e-3, 1e-8])
def test_a_random_start_hides_no_contradiction(size, gap):
    """The unknowns are of 1 / size; beside a start of 1 the gap of the sources is small."""
    result = Problem(
        lambda x: [size * (x[0] + x[1]) - 1.0, size * (x[0] + x[1]) - 1.0 - gap]
    ).solve([0.0, 0.0], raise_on_failure=False)
    assert not result.success, result


@pytest.mark.parametrize("solver", [None, solvers.Newton()])
def test_a_solution_far_from_the_start_may_keep_its_residual(solver):
    """Rounding of large terms is more than the residual of the start, but x is determined."""
    result = Problem(lambda x: [1e9 * (x[0] - x[1] / 3.0), 1e-9 * x[1] - 1.0]).solve(
        [0.0, 0.0], solver
    )
    assert result.x == pytest.approx([1e9 / 3.0, 1e9], rel=1e-14)
    assert abs(result.residual).max() > result.history[0].residual


@pytest.mark.parametrize("solver", [solvers.Newton(), solvers.LineSearchNewton(), *slow(None)])
@pytest.mark.parametrize("offset", [1e3, *slow(1e4, 1e5)])
def test_noise_of_constants_is_no_contradiction(offset, solver):
    """The Jacobian is singular at the solution, and the residual is rounding of the offset."""

    def level(u):
        v = (u + offset) - offset
        bent = np.roll(v, 1) - 2.0 * v + np.roll(v, -1)
        return 100.0 * bent + v**3 - np.roll(v, 2) ** 3

    start = 1.0 + 0.1 * np.cos(np.arange(12.0))
    result = Problem(level).solve(start, solver)
    assert np.ptp(result.x) < 1e-9
    assert result.stats.nit < 20


@pytest.mark.parametrize("units", [1.0, *slow(2.0**40, 2.0**-40)])
@pytest.mark.parametrize(
    "seed", [212, *slow(6, 30)], ids=["2 unknowns", "5 unknowns of many units", "of rank 1"]
)
def test_no_start_of_a_stage_hides_that_linear_equations_contradict_each_other(seed, units):
    """Curves of homotopies and random starts reach points where rounding hides all constants."""
    A, b = singular(seed)
    result = solved(lambda x: A @ (x / units) - b, np.zeros(len(b)))
    assert not result.success, result
