"""Cycles of models from the literature, against shooting and universal numbers."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import fsolve

from sgsolve import Problem
from tests.periodic.oscillators import one
from tests.periodic.shooting import after, doubling, fold_of_cycles, special_cycle


def hodgkin_huxley(x, current):
    """A. L. Hodgkin, A. F. Huxley (1952), with the signs of today and rest at V = 0."""
    V, m, h, n = x
    rate_m = (25.0 - V) / 10.0
    rate_n = (10.0 - V) / 10.0
    opening_m, opening_n = rate_m / np.expm1(rate_m), 0.1 * rate_n / np.expm1(rate_n)
    closing_h = 1.0 / (1.0 + np.exp((30.0 - V) / 10.0))
    sodium, potassium = 120.0 * m**3 * h * (V - 115.0), 36.0 * n**4 * (V + 12.0)
    return [
        -(current - sodium - potassium - 0.3 * (V - 10.599)),
        -((1.0 - m) * opening_m - m * 4.0 * np.exp(-V / 18.0)),
        -((1.0 - h) * 0.07 * np.exp(-V / 20.0) - h * closing_h),
        -((1.0 - n) * opening_n - n * 0.125 * np.exp(-V / 80.0)),
    ]


@pytest.mark.slow
def test_the_hopf_points_of_hodgkin_and_huxley():
    """Proven enclosures for a leak at 10.613, which move by 0.3 times the change of the leak.

    C. Hendrick, Hopf Bifurcations and Bistability in the Hodgkin-Huxley Equations at the 1952
    Parameters: Computer-Assisted Proofs (github.com/ChaseHendrick/hh-dynamics).
    """
    problem = Problem(hodgkin_huxley, params={"current": 0.0}, storage=one)
    branch = problem.continuation([0.0, 0.05, 0.6, 0.3], "current", (0.0, 200.0), stability=True)
    first, last = branch.hopf_points
    moved = 0.3 * (10.613 - 10.599)
    assert first.parameter == pytest.approx(9.7754379953935 + moved, abs=1e-9)
    assert last.parameter == pytest.approx(154.5224336658085 + moved, abs=1e-8)
    assert (first.nature, last.nature) == ("subcritical", "supercritical")


@pytest.mark.slow
def test_orbits_end_at_a_saddle_node_on_the_circle():
    """The angle grows with the rate w - sin: the period is 2 pi / sqrt(w^2 - 1), infinite at 1."""

    def circle(x, w):
        u, v = x
        growth = 1.0 - u * u - v * v
        return [-(u * growth - (w - v) * v), -(v * growth + (w - v) * u)]

    problem = Problem(circle, params={"w": 2.0}, storage=one)
    run = problem.transient([1.0, 0.0], (0.0, 30.0), rtol=1e-7)
    orbit = problem.periodic_orbit(run)
    cycles = problem.orbit_continuation(orbit, "w", (0.5, 2.0), step=-0.05, max_period=300.0)
    exact = 2.0 * np.pi / np.sqrt(cycles["w"] ** 2 - 1.0)
    assert cycles["period"] == pytest.approx(exact, rel=1e-7)
    assert "homoclinic" in cycles.message
    assert not cycles.special_points


@pytest.mark.slow
def test_folds_of_the_spikes_of_hodgkin_and_huxley():
    """Spikes appear at the last fold, below the Hopf point, which is subcritical."""

    def flow(x, current):
        return [-f for f in hodgkin_huxley(x, current)]

    problem = Problem(hodgkin_huxley, params={"current": 0.0}, storage=one)
    branch = problem.continuation([0.0, 0.05, 0.6, 0.3], "current", (0.0, 20.0), stability=True)
    assert branch.hopf_points[0].nature == "subcritical"
    cycles = problem.orbit_continuation(branch, bounds=(0.0, 12.0), intervals=100)
    assert len(cycles.folds) == 3
    first, second = cycles.special_points_of("period doubling")  # each beside a fold
    assert cycles.folds[0].parameter < first.parameter
    assert second.parameter < cycles.folds[1].parameter
    orbit = cycles.orbit(first)
    T, exact = special_cycle(flow, orbit.states[0], orbit.period, first.parameter, doubling)
    assert first.parameter == pytest.approx(exact, abs=1e-8)
    assert orbit.period == pytest.approx(T, rel=1e-8)
    parts = np.linspace(0.0, 1.0, 11)[:-1]
    for point in cycles.folds:
        orbit = cycles.orbit(point)
        beside = cycles.orbit(point.index)  # the next row gives the direction of the branch
        near, away = (cycle(parts * cycle.period) for cycle in (orbit, beside))
        change = np.full((1, 4), beside.period - orbit.period)
        T, exact = fold_of_cycles(
            flow, near, np.concatenate([away - near, change]), orbit.period, point.parameter
        )
        assert point.parameter == pytest.approx(exact, abs=2e-9)
        assert orbit.period == pytest.approx(T, rel=1e-8)


def rossler(x, c):
    X, Y, Z = x
    return [Y + Z, -(X + 0.2 * Y), -(0.2 + Z * (X - c))]


@pytest.mark.slow
def test_the_cascade_of_rossler_has_the_ratio_of_feigenbaum():
    problem = Problem(rossler, params={"c": 2.5}, storage=one)
    run = problem.transient([1.0, 1.0, 0.1], (0.0, 300.0), rtol=1e-7)
    cycles = problem.orbit_continuation(problem.periodic_orbit(run), "c", (2.0, 6.0))
    places = [cycles.special_points_of("period doubling")[0].parameter]
    for _ in range(4):
        cycles = problem.orbit_continuation(
            cycles, bounds=(2.0, 6.0), stop="period doubling", max_step=0.1
        )
        places.append(cycles.special_points_of("period doubling")[-1].parameter)
    gaps = np.diff(places)
    assert gaps[-2] / gaps[-1] == pytest.approx(4.669201609, abs=0.05)
    assert (gaps > 0.0).all()


def catalyst(x, q2):
    """CO on a catalyst, after Bykov, Yablonskii and Kim, at k = 0.4."""
    X, Y, s = x
    free = 1.0 - X - Y - s
    return [
        -(5.0 * free**2 - 2.0 * X**2 - 10.0 * X * Y),
        -(q2 * free - 0.1 * Y - 10.0 * X * Y),
        -0.0675 * (free - 0.4 * s),
    ]


@pytest.mark.slow
def test_canards_of_long_period_connect_the_hopf_points_of_the_catalyst():
    """The same branch from either end, past periods above 500 and multipliers of 1e26."""
    problem = Problem(catalyst, params={"q2": 1.0}, storage=one)
    steady = problem.continuation([0.0016, 0.755, 0.17], "q2", (0.5, 1.5), stability=True)
    ends = [point.parameter for point in steady.hopf_points]
    folds = []
    for number, other in ((0, ends[1]), (1, ends[0])):
        cycles = problem.orbit_continuation(
            steady, bounds=(0.5, 1.5), special_point=number, intervals=100
        )
        assert "ends at a Hopf point" in cycles.message
        assert cycles["q2"][-1] == pytest.approx(other, abs=2e-6)  # beside the point itself
        assert {point.kind for point in cycles.special_points} == {"fold"}
        folds.append(sorted(point.parameter for point in cycles.special_points))
    assert folds[0] == pytest.approx(folds[1], abs=1e-9)


def hindmarsh_rose(x, current):
    """J. L. Hindmarsh, R. M. Rose (1984), with the slow current of bursts."""
    V, w, z = x
    return [
        -(w - V**3 + 3.0 * V**2 - z + current),
        -(1.0 - 5.0 * V**2 - w),
        -0.001 * (4.0 * (V + 1.6) - z),
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("current", "spikes"), [(1.5, 6), (2.0, 9), (2.5, 13)])
def test_bursts_of_hindmarsh_and_rose(current, spikes):
    """The period is that between two returns of DOP853; the orbit attracts strongly."""

    def flow(t, x):
        return [-f for f in hindmarsh_rose(x, current)]

    settings = {"method": "DOP853", "rtol": 1e-11, "atol": 1e-11}
    first = solve_ivp(flow, (0.0, 2000.0), [-1.6, -12.0, 1.8], dense_output=True, **settings)
    level = first.sol(np.linspace(1000.0, 2000.0, 1001))[2].mean()

    def slow(t, x):
        return x[2] - level

    slow.direction = 1.0
    reference = solve_ivp(flow, (0.0, 1100.0), first.y[:, -1], events=slow, **settings)
    exact = np.diff(reference.t_events[0])[-1]
    problem = Problem(hindmarsh_rose, params={"current": current}, storage=one)
    run = problem.transient([-1.6, -12.0, 1.8], (0.0, 3000.0), rtol=1e-6)
    orbit = problem.periodic_orbit(run)
    assert orbit.period == pytest.approx(exact, rel=1e-8)
    assert orbit.stable
    V = orbit(np.linspace(0.0, orbit.period, 20001))[:, 0]
    assert ((V[:-1] < 0.5) & (V[1:] >= 0.5)).sum() == spikes


def lorenz(x, r):
    """E. N. Lorenz, J. Atmos. Sci. 20 (1963) 130, with sigma = 10 and b = 8/3."""
    return [10.0 * (x[0] - x[1]), x[1] + x[0] * x[2] - r * x[0], 8.0 / 3.0 * x[2] - x[0] * x[1]]


def pitchfork_of_symmetric_cycles(flow, x, half, r):
    """Where a cycle with x(t + T/2) = S x(t) loses its symmetry: S M(T/2) has the eigenvalue -1."""
    turn = np.diag([-1.0, -1.0, 1.0])

    def equations(unknowns):
        state = np.array([x[0], *unknowns[:2]])
        there, map_ = after(flow, state, unknowns[2], unknowns[3])
        return [*(there - turn @ state), np.linalg.det(turn @ map_ + np.eye(3))]

    *_, time, exact = fsolve(equations, [x[1], x[2], half, r], xtol=1e-12)
    return 2.0 * time, exact


@pytest.mark.slow
def test_symmetric_cycles_of_lorenz():
    """Two mirrored cycles end in a pitchfork: followed along them it is no fold.

    The mesh has no symmetry and parts the pitchfork into a fold and a branch point.
    """

    def flow(x, r):
        return [-f for f in lorenz(x, r)]

    problem = Problem(lorenz, params={"r": 280.0}, storage=one)
    run = problem.transient([50.0, 60.0, 270.0], (0.0, 15.0), rtol=1e-7)
    arms = problem.orbit_continuation(problem.periodic_orbit(run), "r", (200.0, 340.0), step=5.0)
    crossing, period_doubling = arms.special_points
    assert (crossing.kind, period_doubling.kind) == ("branch point", "period doubling")
    orbit = arms.orbit(crossing)
    T, exact = pitchfork_of_symmetric_cycles(
        flow, orbit.states[0], 0.5 * orbit.period, crossing.parameter
    )
    assert crossing.parameter == pytest.approx(exact, rel=1e-8)
    assert orbit.period == pytest.approx(T, rel=1e-8)
    orbit = arms.orbit(period_doubling)
    T, exact = special_cycle(
        flow, orbit.states[0], orbit.period, period_doubling.parameter, doubling
    )
    assert period_doubling.parameter == pytest.approx(exact, rel=1e-8)
    assert arms["r"][-1] == 200.0
