"""Two circuits and coupled pendula against AUTO-07p, and cycles that end between two saddles.

AUTO's values are those of ``test/hyper.all`` in its repository.
"""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from sgsolve import Problem
from tests.periodic.oscillators import one


def chua(x, alpha):
    """`chu`, with a smooth characteristic of the diode."""

    def step(u):
        return 2.0 * u * np.arctan(10.0 * u) / np.pi

    diode = 2.0 / 7.0 * x[0] - 3.0 / 14.0 * (step(x[0] + 1.0) - step(x[0] - 1.0))
    return [-alpha * (x[1] - diode), -(x[0] - x[1] + x[2]), 14.3 * x[1]]


def test_chu():
    problem = Problem(chua, params={"alpha": 5.0}, storage=one)
    start = problem.solve([1.5, 0.0, -1.5])
    assert start.x[0] == pytest.approx(1.49940, abs=1e-5)
    branch = problem.continuation(start.x, "alpha", (5.0, 9.0), stability=True)
    (hopf,) = branch.hopf_points
    assert hopf.parameter == pytest.approx(6.80443, rel=2e-5)  # to AUTO's tolerance
    J = problem.at(alpha=hopf.parameter).jacobian(hopf.x).toarray()
    assert np.abs(np.linalg.eigvals(J) - 1j * hopf.frequency).min() < 1e-9
    cycles = problem.orbit_continuation(branch, stop="period doubling")
    (doubling,) = cycles.special_points
    assert doubling.parameter == pytest.approx(8.19600, rel=2e-6)
    assert cycles.orbit(doubling).period == pytest.approx(2.28355, rel=2e-6)


@pytest.mark.slow
def test_chu_from_the_state_at_rest():
    """At alpha = 0 the first equation vanishes: a line of steady states, which others leave."""
    problem = Problem(chua, params={"alpha": -1.0}, storage=one)
    diagram = problem.bifurcation_diagram([0.0, 0.0, 0.0], "alpha", (-1.0, 9.0), max_step=0.5)
    on_line = [branch for branch in diagram if np.abs(branch["alpha"]).max() < 1e-9]
    assert len(on_line) == 2
    for branch in on_line:  # nothing but rounding moves alpha: no side is named
        assert {point.nature for point in branch.branch_points} == {""}
    crossings = [abs(point.x[0]) for branch in on_line for point in branch.branch_points]
    assert crossings == pytest.approx([1.49940] * 2, abs=1e-5)
    hopf = diagram.special_points_of("hopf")
    assert [point.parameter for point in hopf] == pytest.approx([6.80443] * 2, rel=2e-5)


def electronic_oscillator(x, nu):
    """`tor`, odd in all unknowns; symmetric cycles lose their symmetry, then become a torus."""
    u, v, w = x
    between = 0.933578 * (v - u) ** 3
    return [
        -(-(0.5 + nu) * u + 0.5 * v - 0.328578 * u**3 + between) / 0.6,
        -(0.5 * u + 0.1 * v - w - between),
        -v,
    ]


@pytest.mark.slow
def test_tor():
    """Folds and doublings lie side by side towards a homoclinic orbit of a saddle-focus."""
    problem = Problem(electronic_oscillator, params={"nu": -0.9}, storage=one)
    steady = problem.continuation([0.0, 0.0, 0.0], "nu", (-0.9, -0.4), stability=True)
    assert steady.hopf_points[0].parameter == pytest.approx(-0.589337, abs=1e-6)
    symmetric = problem.orbit_continuation(steady, max_points=8)
    fold, crossing = symmetric.special_points
    found = [(p.parameter, symmetric.orbit(p).period) for p in (fold, crossing)]
    assert np.ravel(found) == pytest.approx([-0.584335, 8.42647, -0.587029, 8.68967], rel=2e-6)
    other = problem.orbit_continuation(
        symmetric, special_point=crossing, until=lambda orbit: orbit.period > 30.0
    )
    (torus,) = other.special_points_of("torus")
    first = other.special_points_of("period doubling")[0]
    found = [(p.parameter, other.orbit(p).period) for p in (torus, first)]
    assert np.ravel(found) == pytest.approx([-0.591650, 8.79415, -0.614955, 9.26630], rel=2e-6)
    folds = [point.parameter for point in other.folds]
    assert folds == pytest.approx([-0.760407, -0.718842, -0.731636, -0.728154], abs=5e-7)


def pendula(x, current):
    """`pen`: two angles by their mean on a circle, their difference, and the rates of both."""
    c, s, d, mean, difference = x
    inward = 1.0 - c**2 - s**2
    return [
        s * mean - c * inward,
        -c * mean - s * inward,
        -difference,
        0.1 * mean + s * np.cos(0.5 * d) - current,
        0.1 * difference + 2.0 * c * np.sin(0.5 * d) + 0.35 * d,
    ]


@pytest.mark.slow
def test_pen():
    problem = Problem(pendula, params={"current": 0.4}, storage=one)
    run = problem.transient([1.0, 0.0, 0.01, 4.0, 0.0], (0.0, 100.0), rtol=1e-6)
    orbit = problem.periodic_orbit(run)
    assert orbit.period == pytest.approx(1.57388, rel=3e-6)
    ends = {"events": {"long": lambda orbit: orbit.period - 30.0}, "stop": "long"}
    together = problem.orbit_continuation(orbit, "current", (0.1, 0.5), step=-0.01, **ends)
    (doubling,) = together.special_points_of("period doubling")
    assert doubling.parameter == pytest.approx(0.179163, rel=6e-6)
    assert together.orbit(doubling).period == pytest.approx(3.70528, rel=6e-6)
    assert together["current"][-1] == pytest.approx(0.127009, abs=1e-6)
    apart = problem.orbit_continuation(together, bounds=(0.1, 0.5), **ends)
    found = [(p.parameter, apart.orbit(p).period) for p in apart.branch_points]
    assert np.ravel(found) == pytest.approx([0.331445, 9.72615, 0.175511, 13.4389], rel=6e-6)
    assert apart["current"][-1] == pytest.approx(0.173146, abs=3e-6)


def between_saddles(x, p):
    """x'' = -x + x^3 + 0.1 (p - x^2) x': a center at 0 where p = 0, and saddles at 1 and -1."""
    return [-x[1], x[0] - x[0] ** 3 - 0.1 * (p - x[0] ** 2) * x[1]]


def gap(p):
    """How far the orbit that leaves one saddle is from its mirror image at x = 0.

    The equations are odd. The orbit that comes to the other saddle leaves it in reversed time.
    """
    ends = []
    for way in (1.0, -1.0):
        slope = 0.1 * (p - 1.0)
        rate = 0.5 * (slope + way * np.sqrt(slope**2 + 8.0))
        start = 1e-6 * np.array([1.0, rate]) - [1.0, 0.0]
        if way < 0.0:
            start = -start

        def flow(t, x, way=way):
            return -way * np.array(between_saddles(x, p))

        def center(t, x):
            return x[0]

        center.terminal = True
        run = solve_ivp(
            flow, (0.0, 60.0), start, method="DOP853", events=center, rtol=1e-12, atol=1e-14
        )
        ends.append(float(run.y[1, -1]))
    return ends[0] - ends[1]


@pytest.mark.slow
def test_cycles_that_end_at_connections_between_two_saddles():
    problem = Problem(between_saddles, params={"p": -0.2}, storage=one)
    branch = problem.continuation([0.0, 0.0], "p", (-0.2, 0.5), stability=True)
    cycles = problem.orbit_continuation(branch, max_period=60.0)
    exact = brentq(gap, 0.1, 0.3, xtol=1e-12)
    assert exact == pytest.approx(0.2, abs=2e-3)  # by Melnikov's integral, to first order
    assert cycles["p"][-1] == pytest.approx(exact, abs=1e-8)
    assert "heteroclinic cycle" in cycles.message
    orbit = cycles.orbit(-1)
    assert np.sort(orbit.states[:, 0])[[0, -1]] == pytest.approx([-1.0, 1.0], abs=1e-6)
