"""Orbits of equations that conserve a quantity: one family at one value of the parameter."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import ellipk

from sgsolve import ConvergenceError, Problem
from tests.periodic.oscillators import one


def pendulum(x, c):
    """The energy grows with the rate c v^2."""
    return [-x[1], np.sin(x[0]) - c * x[1]]


def lotka_volterra(x, c):
    """The rate of change of u - log u + v - log v is c times the square of its gradient."""
    u, v = x
    return [-(u * (1.0 - v) + c * (1.0 - 1.0 / u)), -(v * (u - 1.0) + c * (1.0 - 1.0 / v))]


def family(model, x0, longest):
    problem = Problem(model, params={"c": 0.1}, storage=one)
    steady = problem.continuation(x0, "c", (-0.5, 0.5), stability=True, step=-0.05)
    return problem.orbit_continuation(steady, "c", (-0.5, 0.5), max_period=longest)


def check_is_conserved(orbits):
    assert np.abs(orbits["c"]).max() < 1e-12
    assert not orbits.special_points  # rounding turns the parameter, and is no fold
    assert orbits.message.endswith("the equations may conserve a quantity")


def test_the_pendulum():
    orbits = family(pendulum, [0.0, 0.0], 20.0)
    check_is_conserved(orbits)
    for i in (3, len(orbits) // 2, -1):
        orbit = orbits.orbit(i)
        fast = np.abs(orbit(np.linspace(0.0, orbit.period, 4001))[:, 1]).max()
        exact = 4.0 * ellipk((0.5 * fast) ** 2)
        assert orbit.period == pytest.approx(exact, rel=1e-5 if i == -1 else 1e-6)


@pytest.mark.slow
def test_predators_and_prey():
    """The period at an energy is the integral of du / (u (v - 1)) over both halves."""
    orbits = family(lotka_volterra, [1.0, 1.0], 15.0)
    check_is_conserved(orbits)
    orbit = orbits.orbit(-1)
    u, v = orbit.states[0]
    energy = u - np.log(u) + v - np.log(v)

    def halves(angle):
        """Return the rate of log u at the two v on a level curve, by the angle in log u."""
        w = middle + half * np.sin(angle)
        left = energy - np.exp(w) + w
        low = brentq(lambda y: y - np.log(y) - left, 1e-30, 1.0)
        high = brentq(lambda y: y - np.log(y) - left, 1.0, 1e3)
        return half * np.cos(angle) * (1.0 / (1.0 - low) + 1.0 / (high - 1.0))

    ends = [brentq(lambda w: np.exp(w) - w - (energy - 1.0), *b) for b in ((-60, 0), (0, 5))]
    middle, half = 0.5 * sum(ends), 0.5 * (ends[1] - ends[0])
    cut = 0.5 * np.pi - 1e-5
    exact = quad(halves, -cut, cut, limit=200)[0] * (0.5 * np.pi / cut)
    assert orbit.period == pytest.approx(exact, rel=1e-4)


def test_without_a_parameter_for_it_the_reason_is_told():
    def conservative(x, a):
        return [-(x[0] * (1.0 - x[1])), -(x[1] * (x[0] - a))]

    problem = Problem(conservative, params={"a": 1.0}, storage=one)
    run = problem.transient([1.2, 1.0], (0.0, 14.0), rtol=1e-4)
    with pytest.raises(ConvergenceError, match="If the equations conserve a quantity"):
        problem.periodic_orbit(run, intervals=10)
