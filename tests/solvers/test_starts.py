"""Starts at which a slope or the residual is not finite, though the problem is smooth enough."""

import numpy as np
import pytest
from scipy.optimize import brentq

from sgsolve import NotFiniteError, Problem, ad, solvers
from tests.presets import ALL_SOLVERS

METHODS = {name: solver for name, solver in ALL_SOLVERS.items() if name != "Newton"}
MOVED = "the Jacobian is not finite at the start, which was moved by 1e-8"


def pipes(z):
    """Five pipes in a loop, Hazen-Williams: head loss R |Q|^0.852 Q; heads, then flows."""
    i, j = np.array([0, 1, 1, 2, 3]), np.array([1, 2, 3, 4, 4])
    R, demand = np.array([10.0, 100, 100, 50, 50]), np.array([0.1, 0.1, 0.1, 0.2])
    M = np.zeros((5, 5))
    M[j, np.arange(5)] += 1
    M[i, np.arange(5)] -= 1
    H, Q = np.concatenate([[100.0], z[:4]]), z[4:]
    return np.concatenate([H[i] - H[j] - R * np.abs(Q) ** 0.852 * Q, (M @ Q)[1:] - demand])


def length(u):
    """A minimal length: |grad u| + u^2 / 2, in a chain of points in the plane, fixed ends."""
    x, y = np.hstack([0.0, u[:3], 1.0]), np.hstack([0.0, u[3:], 2.0])
    s = np.sqrt((x[1:] - x[:-1]) ** 2 + (y[1:] - y[:-1]) ** 2) + 0.1
    fx, fy = (x[1:] - x[:-1]) * s, (y[1:] - y[:-1]) * s
    return np.hstack([fx[1:] - fx[:-1], fy[1:] - fy[:-1]])


SMOOTH = {
    "pipes": (pipes, np.zeros(9)),
    "lengths": (length, np.zeros(6)),
    "x |x|^0.5": (lambda x: x * np.abs(x) ** 0.5 + 0.2 * x - 1.2, np.zeros(3)),
    "sqrt(x^2)": (lambda x: np.sqrt(x**2) * x + x - 2.0, np.zeros(2)),
    "cube root": (lambda x: np.cbrt(x) + x - 2.0, np.zeros(2)),
    "turbulent and laminar": (
        lambda q: 2.0 * q + np.sign(q) * np.abs(q) ** 1.75 * np.abs(q) ** 0.1 - 3.0,
        np.zeros(2),
    ),
    "away from zero": (lambda x: x + (x - 1.0) * np.sqrt(np.abs(x - 1.0)) - 3.0, np.ones(2)),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", SMOOTH)
def test_start_where_slopes_are_not_finite(name, method):
    f, start = SMOOTH[name]
    result = Problem(f).solve(start, METHODS[method], raise_on_failure=False)
    if method == "default" or name not in ("pipes", "lengths"):  # hard for the parts alone
        assert result.success
        assert np.abs(f(result.x)).max() < 1e-8
    assert result.remark.startswith(MOVED)
    assert MOVED in result.message
    again = Problem(f).solve(start, METHODS[method], raise_on_failure=False)
    assert np.array_equal(again.x, result.x)


def test_good_starts_are_left_alone():
    result = Problem(lambda x: x**3 - 8.0).solve([1.0])
    assert result.remark == ""


def test_product_free_method_needs_no_move_where_its_products_are_finite():
    assert Problem(pipes).solve(np.full(9, 0.1)).remark == ""


def test_limits_hold_for_the_move():
    seen = []

    def f(x):
        seen.append(float(np.min(ad.value(x))))
        return np.sqrt(x) * x + x - 2.0 + 0.01 * np.sqrt(x)

    limits = (solvers.Positive(),)
    assert Problem(f).solve(np.zeros(3), solvers.DampedNewton(limits=limits)).success
    assert min(seen) >= 0.0
    seen.clear()
    bounds = (solvers.Bounds(lower=0.0),)
    assert Problem(f).solve(np.zeros(3), solvers.DampedNewton(limits=bounds)).success
    assert min(seen) >= 0.0


def test_a_point_on_the_way_is_moved_too():
    """The first step of Newton from 1 leads to 0 exactly, where |x|^1.5 / x has no slope."""
    result = Problem(lambda x: x + 0.5 * x * np.abs(x) ** 0.25 * np.abs(x - 1.0) - 0.5).solve([0.0])
    f = brentq(lambda x: x + 0.5 * x * abs(x) ** 0.25 * abs(x - 1.0) - 0.5, 0.0, 1.0)
    assert result.x[0] == pytest.approx(f, rel=1e-9)


def test_sweep_and_solutions_start_there_too():
    problem = Problem(lambda x, p: x * np.abs(x) ** 0.5 - p, params={"p": 1.0})
    branch = problem.sweep([0.0], "p", [1.0, 4.0])
    assert branch.states.ravel() == pytest.approx([1.0, 4.0 ** (2.0 / 3.0)])
    found = problem.find_solutions([0.0])
    assert [r.x[0] for r in found] == pytest.approx([1.0])


def circuit(x, source):
    """A source, 1 kOhm, two diodes in series."""
    i = 1e-14 * np.expm1((x[0] - x[1]) / 0.02585)
    return np.stack([(source - x[0]) / 1e3 - i, i - 1e-14 * np.expm1(x[1] / 0.02585)])


@pytest.mark.parametrize("start", [[50.0, 0.0], [100.0, 50.0], [0.0, 50.0], [1e300, 0.0]])
def test_infinite_residual_shrinks_the_start(start):
    result = Problem(circuit, params={"source": 5.0}).solve(start)
    assert result.x[0] == pytest.approx(2.0 * result.x[1])
    assert np.abs(circuit(result.x, 5.0)).max() < 1e-12
    assert "the residual is not finite at the start given, which was multiplied by" in result.remark


def test_unknowns_of_other_equations_are_not_shrunk():
    """The temperature 300 stays: it is in no equation that overflows."""
    first = []

    def f(x):
        if not isinstance(x, ad.ADArray) and np.isfinite(np.exp(x[0])):
            first.append(x.copy())
        return np.stack([np.exp(x[0]) - 2.0, 1.0 / x[1] - 1.0 / 310.0])

    result = Problem(f).solve([1000.0, 300.0])
    assert first[0][1] == 300.0
    assert result.x == pytest.approx([np.log(2.0), 310.0])


def test_nan_at_zero_moves_the_start():
    result = Problem(lambda x: 0.05 * x * np.log(x) + x - 1.0).solve([0.0])
    assert result.x[0] == pytest.approx(1.0)
    assert "the residual is not finite at the start given, which was moved" in result.remark


def test_curves_and_solutions_shrink_their_start():
    problem = Problem(circuit, params={"source": 5.0})
    assert problem.sweep([50.0, 0.0], "source", [5.0, 6.0]).success
    assert problem.continuation([50.0, 0.0], "source", (4.0, 6.0)).success
    assert len(problem.find_solutions([50.0, 0.0])) == 1


def test_residual_that_is_nowhere_finite_is_refused_with_advice():
    problem = Problem(lambda x, s: np.exp((s - x) / 0.02585) - 1.0, params={"s": 50.0})
    with pytest.raises(NotFiniteError, match=r"x\[0\] = inf.*sweep.*from 0"):
        problem.solve([0.0])
    assert problem.sweep([0.0], "s", np.linspace(0.0, 50.0, 11)).states[-1] == pytest.approx(50.0)
    with pytest.raises(NotFiniteError, match="nor is it at smaller values"):
        Problem(lambda x: np.log(x)).solve([-1.0], solvers.Newton(limits=(solvers.Bounds(-2, -1),)))


def test_bounds_hold_for_a_shrunk_start():
    f = lambda x: np.exp(x) - np.exp(450.0)  # noqa: E731
    result = Problem(f).solve([1000.0], solvers.Newton(limits=(solvers.Bounds(lower=400.0),)))
    assert result.x[0] == pytest.approx(450.0)
    assert "multiplied by 0.5 in 1 unknown" in result.remark
