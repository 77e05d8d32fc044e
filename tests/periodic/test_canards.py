"""Multipliers where a change grows and shrinks by many powers of ten along an orbit."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest

from sgsolve import PartialBranchWarning, Problem
from sgsolve.periodic.transverse import _frames, transverse_multipliers
from tests.periodic.oscillators import feedback, one

EPSILON = 0.05


def canard(x, a):
    """The equation of van der Pol with a slow force: orbits along the repelling part."""
    return [-(x[1] - x[0] ** 3 / 3.0 + x[0]) / EPSILON, -(a - x[0])]


def with_followers(x, a):
    """Two more unknowns that relax to x: their multipliers are exp(-T) and exp(-3 T)."""
    return [*canard(x[:2], a), x[2] - x[0] ** 2, 3.0 * x[3] - x[1] * x[2]]


def rated(x, a, rate):
    """The feedback loop with dx/dt as an argument."""
    return [rate[0] - x[1], rate[1] - x[2], rate[2] + a * x[2] + x[1] + x[0] - x[0] ** 2]


def squared(x, a):
    """The feedback loop with the square as an unknown that stores nothing."""
    return [-x[1], -x[2], a * x[2] + x[1] + x[0] - x[3], x[3] - x[0] ** 2]


def ring(size):
    t = np.linspace(0.0, 2.0 * np.pi, 60, endpoint=False)
    return 0.3 * size * np.column_stack([np.cos(t), -np.sin(t), -np.cos(t)])


def orbits(residual, start, points):
    problem = Problem(residual, params={"a": 1.05}, storage=one)
    steady = problem.continuation(start, "a", (0.9, 1.05), step=-0.01, stability=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PartialBranchWarning)
        return problem.orbit_continuation(steady, bounds=(0.9, 1.05), max_points=points, step=1.0)


def divergence(orbit):
    """The logarithm of the product of both multipliers of a planar orbit (Liouville)."""
    t = orbit.fine_times(80)
    return np.trapezoid((1.0 - orbit(t)[:, 0] ** 2) / EPSILON, t)


def test_the_multipliers_of_canards():
    branch = orbits(canard, [1.05, 1.05**3 / 3.0 - 1.05], 17)
    assert branch["accuracy"].max() < 1e-4
    assert (branch["unstable"] == 0).all()
    seen = 0
    for i in range(len(branch)):
        values = np.sort(np.abs(branch["multipliers"][i]))
        exact = divergence(branch.orbit(i))
        assert values[1] == pytest.approx(1.0, abs=1e-4)
        if exact > -60.0:
            assert np.log(values[0]) == pytest.approx(exact, rel=1e-4)
            seen += exact < -15.0
    assert seen >= 2  # where the product of the maps gave -0.77, 817 and -19 for the trivial one


@pytest.mark.slow
def test_canards_of_a_larger_system():
    """The default call passes the explosion: the parameter is monotonic, and nothing is lost."""
    x = 1.05
    y = x**3 / 3.0 - x
    problem = Problem(with_followers, params={"a": x}, storage=one)
    steady = problem.continuation(
        [x, y, x**2, x**2 * y / 3.0], "a", (0.9, 1.05), step=-0.01, stability=True
    )
    branch = problem.orbit_continuation(steady, bounds=(0.9, 1.05))
    assert branch.success
    assert branch["a"][-1] == 0.9
    assert branch.special_points == []  # 41 intervals show a fold where the branch is nearly steep
    assert np.diff(branch["a"]).max() < 1e-10
    assert branch["period"][-1] == pytest.approx(3.5547050, rel=1e-6)  # of the planar system
    known = np.flatnonzero(branch["accuracy"] < 1e-2)
    assert len(known) >= len(branch) - 2
    assert (branch["unstable"][known] == 0).all()
    for i in known:
        T, values = branch["period"][i], np.log(np.abs(branch["multipliers"][i]))
        for exact in (-T, -3.0 * T, divergence(branch.orbit(i))):
            if exact > -60.0:
                assert np.abs(values - exact).min() <= 5e-3 * abs(exact)


@pytest.mark.parametrize("form", ["storage", "rate", "algebraic"])
def test_across_the_flow_where_nothing_is_lost(form, monkeypatch):
    """The feedback loop, as F + dx/dt, as F(x, dx/dt), and with an unknown without storage."""
    guess = ring(1.2)
    if form == "storage":
        problem = Problem(feedback, params={"a": 0.9}, storage=one)
    elif form == "rate":
        problem = Problem(rated, params={"a": 0.9, "rate": np.zeros(3)}, storage="rate")
    else:
        problem = Problem(squared, params={"a": 0.9}, storage=lambda x: [x[0], x[1], x[2], 0.0])
        guess = np.column_stack([guess, guess[:, 0] ** 2])
    orbit = problem.periodic_orbit(guess, period=6.2, tolerance=1e-10)
    monkeypatch.setattr(
        "sgsolve.problem.orbits.periodic_orbit.monodromy",
        lambda *at: SimpleNamespace(multipliers=lambda: transverse_multipliers(*at)[0]),
    )
    apart = problem.periodic_orbit(orbit, tolerance=1e-10).multipliers[:3]
    assert np.abs(apart - orbit.multipliers).max() < 1e-5


def test_frames_are_orthogonal():
    rates = np.random.default_rng(3).standard_normal((5, 4))
    rates[1] = [1.0, 0.0, 0.0, 0.0]
    rates[2] = [-1.0, 0.0, 0.0, 0.0]
    rates[3] = 0.0
    frames = _frames(rates)
    for rate, frame in zip(rates, frames, strict=True):
        assert frame.T @ frame == pytest.approx(np.eye(4), abs=1e-14)
        if rate.any():
            assert frame[:, 0] == pytest.approx(rate / np.linalg.norm(rate), abs=1e-14)
