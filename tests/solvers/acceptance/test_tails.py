"""Systems whose residual only tends to zero have no solution; far and flat solutions are some.

The default solver is asked. In the first half an equation is the tail of a limit at infinity, of
unknowns that other equations move, next to large unknowns of which only a small difference counts.
"""

import numpy as np
import pytest
from scipy import special

from sgsolve import Problem, SgsolveError, ad, solvers
from tests.selection import slow

TAILS = {
    "exponential": lambda d: np.exp(-d),
    "softplus": lambda d: np.log1p(np.exp(-d)),
    "tanh": lambda d: 1.0 - np.tanh(d),
    "error function": lambda d: 1.0 - special.erf(d),
    "arctan": lambda d: np.arctan(d) - np.pi / 2.0,
    "lorentz": lambda d: 1.0 / (1.0 + d**2),
    "logistic": lambda d: 1.0 - 1.0 / (1.0 + np.exp(-d)),
    "gauss": lambda d: np.exp(-(d**2)),
    "algebraic": lambda d: d / np.sqrt(1.0 + d**2) - 1.0,
    "power": lambda d: (1.0 + 1.0 / (1.0 + d**4)) - 1.0,
}


def difference(tail):
    return lambda x: ad.stack([x[0] + x[1] - 1960.0, tail(x[0] - x[1]), x[2] ** 3 - 1.0])


def badly_scaled(tail):
    return lambda x: ad.stack(
        [x[0] + x[1] - 1.96e7, tail(x[0] - x[1]), x[2] ** 3 - 1.0, 1e-9 * x[3] - 1e3 * x[2]]
    )


def tied(tail):
    return lambda x: ad.stack([x[0] - x[1], tail(x[0]), x[2] + 0.1 * x[2] ** 3 - 1.0])


def extreme_factors(tail):
    return lambda x: ad.stack(
        [1e12 * (x[0] - 3.0), tail(x[1] - x[0]), 1e-12 * (x[2] ** 2 - 2.0 * x[2] + 0.5)]
    )


def three(tail):
    def residual(x):
        spread = tail((x[0] + x[1] - 2.0 * x[2]) / 7.0)
        return ad.stack([x[0] + x[1] + x[2] - 1e4, x[0] - 2.0 * x[1], spread])

    return residual


def product(tail):
    return lambda x: ad.stack([x[0] * x[1] - 1e6, tail(x[0] - x[1]), np.exp(x[2]) - 5.0])


def on_a_line(tail):
    n = 60

    def residual(x):
        u = x[:n]
        left, right = np.concatenate([np.zeros(1), u[:-1]]), np.concatenate([u[1:], np.zeros(1)])
        regular = 2.0 * u - left - right + 0.1 * u**3 - 0.01
        return ad.hstack([regular, tail(x[n] + u[3])])

    return residual


def many(tail):
    def residual(x):
        u, v = x[:100], x[100:]
        return ad.hstack([u + v - 2000.0, tail((u - v) / 3.0)])

    return residual


SYSTEMS = {
    "difference": (difference, 3),
    "badly scaled": (badly_scaled, 4),
    "tied": (tied, 3),
    "extreme factors": (extreme_factors, 3),
    "three": (three, 3),
    "product": (product, 3),
    "on a line": (on_a_line, 61),
    "many": (many, 200),
}
STARTS = [
    (100.0, 40.0, 1.5),
    (121.32715515, 85.8993122, 10.22499829),
    (3.0, -2.0, 5.0),
    (35.0, 0.0, 1.0),
    (1000.0, 960.0, 1.5),
]


def no_success(system, tail, starts):
    make, n = SYSTEMS[system]
    problem = Problem(make(TAILS[tail]))
    for start in starts:
        x = np.resize(np.array(start), n)
        with np.errstate(all="ignore"):
            result = problem.solve(x, raise_on_failure=False)
        assert not result.success, (start, result)


# Each of these was reported solved.
QUICK = [
    ("difference", "tanh", 2),
    ("difference", "error function", 2),
    ("badly scaled", "logistic", 1),
    ("badly scaled", "power", 3),
    ("three", "error function", 1),
]


@pytest.mark.parametrize(("system", "tail", "start"), QUICK)
def test_a_tail_that_rounding_hides_is_no_solution(system, tail, start):
    no_success(system, tail, [STARTS[start]])


@pytest.mark.slow
@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_no_tail_is_a_solution_from_any_start(system, tail):
    no_success(system, tail, STARTS)


@pytest.mark.parametrize("compiled", [False, True])
def test_a_tail_is_no_solution_of_many_members_or_short_solves(compiled):
    """The unknowns are large, and only a small difference of them counts."""

    if compiled:
        pytest.importorskip("llvmlite")

    def residual(x, a):
        return ad.stack([x[0] + x[1] - a, TAILS["logistic"](x[0] - x[1]), x[2] ** 3 - 1.0])

    start = np.array([121.32715515, 85.8993122, 10.22499829])
    problem = Problem(residual, params={"a": 1960.0}, compiled=compiled)
    many = problem.solve_many(start, {"a": np.array([1960.0, 1.96e5, 1.96e7])})
    assert not many.success.any()
    for a in (1960.0, 1.96e5, 1.96e7):
        for solver in (solvers.Newton(), solvers.DampedNewton()):
            assert not problem.at(a=a).solve(start, solver, raise_on_failure=False).success


# Far out the terms of these cancel, and rounding is all that is left of them and of their slopes.
CANCELING = {
    "reciprocals": (lambda d: 1.0 / d - 3.0 / (3.0 * d + 1e-3), [8e152, 1e60, 1e200]),
    "sevenths": (lambda d: 1.0 / d - 7.0 / (7.0 * d + 1e-3), [1e60, 1e100, 1e250]),
    "halves": (lambda d: 1.0 / d - 4.0 / (4.0 * d + 1e-3), [8e152, 1e60]),
    "arctan": (lambda d: np.arctan(d) - np.arctan(d + 1e-3), [1e10, 1e60]),
    "tanh": (lambda d: np.tanh(d) - np.tanh(d + 1e-3), [30.0, 1e60]),
    "exponentials": (lambda d: np.exp(-d) - np.exp(-d - 1e-3), [800.0, 1e60]),
    "ratios": (lambda d: (d + 1.0) / (d + 2.0) - (d + 2.0) / (d + 3.0), [1e60, 1e200]),
    "root": (lambda d: np.sqrt(d**2 + 1.0) - d, [1e60, 3.8e277]),
}


@pytest.mark.parametrize("name", CANCELING)
def test_terms_that_cancel_far_out_make_no_solution(name):
    tail, starts = CANCELING[name]
    problem = Problem(lambda x, p: tail(x) * p, params={"p": 1.0})
    for start in starts:
        for solver in (solvers.Newton(), solvers.DampedNewton()):
            assert not problem.solve([start], solver, raise_on_failure=False).success
        assert not problem.solve_many([[start]], {"p": [1.0]}, solvers.Newton()).success.any()
    with pytest.raises(SgsolveError):
        problem.sweep(starts[:1], "p", [1.0, 2.0], solver=solvers.Newton())


@pytest.mark.parametrize("name", CANCELING)
def test_an_unknown_that_other_terms_hide_is_not_solved(name):
    """Rounding of the other unknown hides the tail, and Newton's step does not move far."""
    tail, starts = CANCELING[name]
    problem = Problem(lambda x: ad.stack([tail(x[0]) + x[1] - 2.0, x[1] - 2.0]))
    for start in (starts[0], 1e20):
        for solver in (solvers.Newton(), solvers.TrustRegion(), solvers.LevenbergMarquardt()):
            assert not problem.solve([start, 3.0], solver, raise_on_failure=False).success


@pytest.mark.parametrize("tail", ["gauss", "tanh", *slow("error function", "logistic")])
def test_one_unit_of_rounding_is_no_reply(tail):
    """A small change of large unknowns changes the tail by one unit, by chance as J says."""
    problem = Problem(
        lambda x, a: ad.stack([x[0] + x[1] - a, TAILS[tail](x[0] - x[1]), x[2] ** 3 - 1.0])
    )
    for a in np.geomspace(1e5, 4e5, 12):
        start = [0.5 * a + 0.2, 0.5 * a - 0.2, 1.2]
        assert not problem.at(a=a).solve(start, solvers.Newton(), raise_on_failure=False).success


# Factor, slope and start: the slopes far out are a few units of rounding, and so are the values.
ROOTS = [
    (4.635, 1.557, 678.0),
    (1.803, 0.291, 769.8),
    (0.318, 2.037, 827.3),
    (1.564, 1.157, 285.7),
    (6.555, 1.979, 388.7),
]


def test_slopes_of_rounding_alone_are_no_evidence():
    for factor, slope, start in ROOTS:
        problem = Problem(
            lambda x, factor, slope: factor * (np.sqrt(1.0 + (slope * x) ** 2) - slope * x),
            params={"factor": factor, "slope": slope},
        )
        for solver in (solvers.Newton(), solvers.DampedNewton(), solvers.LevenbergMarquardt()):
            assert not problem.solve([start], solver, raise_on_failure=False).success
        factors = {"factor": [factor, 2.0 * factor]}
        many = problem.solve_many([[start]] * 2, factors, solvers.Newton())
        assert not many.success.any()


def leak(d, m):
    """Return exp(d) times what is left of 1, which is positive: far out huge terms cancel."""
    return np.exp(d) - np.exp(d) / (1.0 + np.exp(-m - d))


# The jump by which these depart from zero is larger than all their values.
LEAKS = {
    "alone": (lambda x: leak(18.8 * x, 3.4), [20.47]),
    "of a product": (
        lambda x: ad.stack([leak(0.25 * x[0] * x[1], 27.0), x[1] + 0.1 * x[1] ** 3 - 5.0]),
        [1700.0, 3.0],
    ),
    "of a difference": (
        lambda x: ad.stack([leak(2.5 * (x[0] - x[1]), 7.0), x[0] + x[1] - 400.0]),
        [268.3, 131.7],
    ),
}


@pytest.mark.parametrize("name", LEAKS)
def test_huge_terms_that_cancel_make_no_solution(name):
    residual, start = LEAKS[name]
    problem = Problem(residual)
    for solver in (solvers.Newton(), solvers.DampedNewton(), solvers.TrustRegion()):
        assert not problem.solve(start, solver, raise_on_failure=False).success


def test_a_tail_of_a_quotient_is_no_solution():
    """Along the line to zero it passes through other values; the unknowns differ much in size."""
    problem = Problem(
        lambda x: ad.stack([(106.0 + np.exp(-0.05 * x[0] / (1.0 + x[1] ** 2))) - 106.0, x[1] + 896])
    )
    method = solvers.LevenbergMarquardt()
    assert not problem.solve([4e8, -896.0], method, raise_on_failure=False).success


def test_a_quotient_without_a_slope_is_no_solution():
    """Underflow makes the slopes zero, and on the line through zero it changes on both sides."""
    problem = Problem(
        lambda x: ad.stack([np.exp(-((3.1 * x[0] / (1.0 + x[1] ** 2)) ** 2)), x[1] - 254.0])
    )
    for start in ([951729.99, 254.0], [951729.99, 250.0]):
        assert not problem.solve(start, solvers.Newton(), raise_on_failure=False).success


@pytest.mark.parametrize("start", [(1.73, 4.2, 829.1, 7.0), (1.02, 35.9, 5447.2, 14.3)])
def test_a_tail_of_a_quotient_is_seen_without_a_matrix(start):
    slope, size, *x0 = start
    problem = Problem(
        lambda x: ad.stack([1 - np.tanh(slope * x[0] / (1 + x[1] ** 2)), x[1] ** 3 - size**3])
    )
    assert not problem.solve(x0, solvers.NewtonKrylov(), raise_on_failure=False).success


# Any first unknown solves these, to rounding. Near zero they change as no derivative says.
IDENTITIES = {
    "constant": lambda y: (3.0 * y + 5.0) - 5.0 - 3.0 * y,
    "logarithm": lambda y: np.log(np.exp(3.0 * y)) - 3.0 * y,
    "step": lambda y: np.where(y > 1.0, 1.0 + y, 0.0 * y),
    "root": lambda y: np.sqrt(y**2) - np.abs(y),  # until the square underflows
    "hypotenuse": lambda y: np.sqrt(y**2 + (2.0 * y) ** 2) - np.sqrt(5.0 * y**2),
    "quotient": lambda y: y**2 / y - y,
}


@pytest.mark.parametrize("name", IDENTITIES)
def test_an_identity_is_no_tail(name):
    problem = Problem(lambda x: ad.stack([IDENTITIES[name](x[0]), x[1] ** 2 - 4.0]))
    result = problem.solve([0.5, 1.0])
    np.testing.assert_allclose(result.x[1], 2.0, rtol=1e-12)


@pytest.mark.parametrize("start", [0.1, 0.5, 3.0])
def test_a_plateau_of_rounding_alone_ends_as_a_failure_without_an_error(start):
    """Residual and slopes are exactly zero from 0.16 to 6.4, where curves of homotopies end too."""
    problem = Problem(lambda x: 1.0 - special.erf(40.0 * x / (1.0 + x**2)))
    assert not problem.solve([start], raise_on_failure=False).success


# Residual, start, solution and how exact: far out, flat, multiple, of zero slope, saturated.
SOLUTIONS = {
    "far out": (lambda x: ad.stack([x[0] - 1e8, x[1] - x[0] + 40.0]), [1.0, 1.0], [1e8, 1e8 - 40]),
    "small difference": (
        lambda x: ad.stack([x[0] + x[1] - 1.96e7, np.exp(-(x[0] - x[1])) - 1e-8]),
        [100.0, 40.0],
        [0.98e7 + 4.0 * np.log(10.0), 0.98e7 - 4.0 * np.log(10.0)],
    ),
    "on a tail": (
        lambda x: ad.stack([x[0] + x[1] - 1960.0, 1.0 - np.tanh(x[0] - x[1]) - 1e-6]),
        [981.0, 979.0],
        [980.0 + 0.25 * np.log(2e6 - 1.0), 980.0 - 0.25 * np.log(2e6 - 1.0)],
    ),
    "saturated with an equation of its own": (
        lambda x: ad.stack([x[0] - 1.0 / (1.0 + np.exp(x[2] - x[1])), x[1] - 60.0, x[2] ** 3 - 8]),
        [0.5, 50.0, 1.0],
        [1.0, 60.0, 2.0],
    ),
    "double": (lambda x: ad.stack([(x[0] - 1.0) ** 2, x[1] - 3.0]), [2.0, 0.0], [1.0, 3.0]),
    "double, expanded": (
        lambda x: ad.stack([x[0] ** 2 - 2.0 * x[0] + 1.0, x[1] - 3.0]),
        [3.0, 0.0],
        [1.0, 3.0],
    ),
    "double beside a large unknown": (
        lambda x: ad.stack([x[0] - 1e6, (x[1] - x[0] + 5.0) ** 2]),
        [1.0, 1.0],
        [1e6, 1e6 - 5.0],
    ),
    "ninth power": (lambda x: ad.stack([x[0] ** 9, x[1] - 1.0]), [1.0, 0.0], [0.0, 1.0]),
    "zero slope of another unknown": (
        lambda x: ad.stack([x[0] ** 3 - 8.0, x[1] + np.maximum(x[0] - 50.0, 0.0)]),
        [1.0, 0.0],
        [2.0, 0.0],
    ),
    "fold": (lambda x: ad.stack([np.cosh(x[0]) - 1.0, x[1] + x[0] - 2.0]), [1.0, 0.0], [0.0, 2.0]),
    "a start that is the solution": (
        lambda x: ad.stack([x[0] - 60.0, x[1] - 1.0 / (1.0 + np.exp(-x[0])), x[2] ** 2 - 4.0]),
        [60.0, 1.0, 2.0],
        [60.0, 1.0, 2.0],
    ),
    "cancellation of large constants": (
        lambda x: ad.stack([(x[0] + 1e8) - 1e8 - 1.0, x[1] ** 2 - 4.0]),
        [3.0, 1.0],
        [1.0, 2.0],
    ),
    "linear constraint": (
        lambda x: ad.stack([x[0] + x[1] - 4e6, x[0] ** 2 - x[1] ** 2, x[2] - x[0] + 2e6]),
        [1.0, 3.0, 1.0],
        [2e6, 2e6, 0.0],
    ),
    "rate that vanishes": (
        lambda x: ad.stack([x[0] * (1.0 + x[1] ** 2), x[1] - 1.0]), [1.0, 3.0], [0.0, 1.0]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SOLUTIONS)
def test_far_and_flat_solutions_are_found(name):
    residual, start, solution = SOLUTIONS[name]
    result = Problem(residual).solve(start, raise_on_failure=False)
    assert result.success, result
    # a double root is hidden by rounding within 1e-8
    np.testing.assert_allclose(result.x, solution, rtol=1e-7, atol=2e-6)
