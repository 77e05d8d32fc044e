"""Stiff systems from chemistry and electronics, run by a new user: without a word on tolerances.

Source: E. Hairer and G. Wanner, Solving Ordinary Differential Equations II (1996), IV.10; the test
set for IVP solvers of Bari (HIRES, VDPOL, ROBER). Values by Radau IIA at a tolerance of 1e-11.
"""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from sgsolve import Problem
from sgsolve.transient import Bdf, RungeKutta
from tests.selection import slow


def hires(y):
    back, forth = 280.0 * y[5] * y[7], 0.69 * y[6]
    return [
        -1.71 * y[0] + 0.43 * y[1] + 8.32 * y[2] + 0.0007,
        1.71 * y[0] - 8.75 * y[1],
        -10.03 * y[2] + 0.43 * y[3] + 0.035 * y[4],
        8.32 * y[1] + 1.71 * y[2] - 1.12 * y[3],
        -1.745 * y[4] + 0.43 * y[5] + 0.43 * y[6],
        -back + 0.69 * y[3] + 1.71 * y[4] - 0.43 * y[5] + forth,
        back - 1.81 * y[6],
        -back + 1.81 * y[6],
    ]


def van_der_pol(y):
    return [y[1], 1e3 * (1.0 - y[0] ** 2) * y[1] - y[0]]


def robertson(y):
    slow, fast = 0.04 * y[0] - 1e4 * y[1] * y[2], 3e7 * y[1] ** 2
    return [-slow, slow - fast, fast]


def oregonator(y):
    """y[0] has peaks of 1e5, and is 1 in between."""
    return [
        77.27 * (y[1] + y[0] * (1.0 - 8.375e-6 * y[0] - y[1])),
        (y[2] - (1.0 + y[0]) * y[1]) / 77.27,
        0.161 * (y[0] - y[2]),
    ]


# Start, time, which unknowns, their values, and the error over the tolerance that is allowed.
SYSTEMS = {
    hires: (
        [1.0, 0, 0, 0, 0, 0, 0, 0.0057],
        321.8122,
        [0, 1, 2, 3, 4, 5, 6, 7],
        [7.371312573326e-4, 1.442485726316e-4, 5.888729740967e-5, 1.175651343283e-3]
        + [2.386356198831e-3, 6.238968252741e-3, 2.849998395186e-3, 2.850001604814e-3],
        30,
    ),
    van_der_pol: ([2.0, 0.0], 2000.0, [0], [1.70616773217], 40),
    oregonator: ([1.0, 2.0, 3.0], 360.0, [0, 1, 2], [1.0008148703, 1228.17852, 132.055494], 60),
    robertson: ([1.0, 0, 0], 40.0, [0, 1, 2], [0.715827068718, 9.185534764e-6, 0.284163745747], 30),
}


@pytest.mark.parametrize("f", SYSTEMS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("rtol", [1e-4, *slow(1e-6)])
def test_errors_follow_the_tolerance_for_unknowns_of_all_sizes(f, rtol):
    y0, end, which, expected, allowed = SYSTEMS[f]
    problem = Problem(lambda y: -np.stack(f(y)), storage=lambda y: 1.0 * y)
    run = problem.transient(y0, (0.0, end), rtol=rtol)
    assert np.abs(run.x[which] / expected - 1.0).max() < allowed * rtol


@pytest.mark.parametrize("blocks", [None, {"motion": 4, "force": 1}])
@pytest.mark.parametrize("rtol", [1e-4, 1e-8])
def test_a_force_that_begins_at_zero_is_as_exact_as_the_motion_allows(blocks, rtol):
    """A pendulum at rest: the force in the rod is 1e-17 after the first step, of errors of y."""

    def motion(w):
        x, y, u, v, force = w
        rest = u * u + v * v - force * (x * x + y * y) - 9.81 * y
        return [-u, -v, force * x, force * y + 9.81, rest]

    pendulum = Problem(motion, storage=lambda w: [*w[:4], 0.0 * w[4]], blocks=blocks)
    run = pendulum.transient([1.0, 0.0, 0.0, 0.0, 0.0], (0.0, 1.0), rtol=rtol)
    assert run.success
    assert len(run.rejected) < 5
    angle = solve_ivp(
        lambda t, z: [z[1], -9.81 * np.cos(z[0])], (0.0, 1.0), [0.0, 0.0], rtol=1e-11, atol=1e-11
    ).y[0, -1]
    assert np.abs(run.x[:2] - [np.cos(angle), np.sin(angle)]).max() < 100.0 * rtol


@pytest.mark.parametrize(("steps", "allowed"), [(Bdf(), 30.0), (RungeKutta(), 10.0)])
@pytest.mark.parametrize("rtol", [1e-4, 1e-6])
def test_fields_are_exact_to_thirty_times_the_tolerance(rtol, steps, allowed):
    """A wave into an unstable state amplifies errors; reference: the same at rtol = 1e-10."""
    x = np.linspace(-20.0, 60.0, 201)

    def flow(u):
        inner = (u[2:] - 2.0 * u[1:-1] + u[:-2]) / 0.16 + u[1:-1] * (1.0 - u[1:-1])
        return np.concatenate([np.zeros(1), -inner, np.zeros(1)])

    wave = Problem(flow, storage=lambda u: 1.0 * u)
    u0 = (1.0 + np.exp(x / np.sqrt(6.0))) ** -2
    exact = solve_ivp(lambda t, u: -flow(u), (0.0, 10.0), u0, rtol=1e-10, atol=1e-12).y[:, -1]
    run = wave.transient(u0, (0.0, 10.0), rtol=rtol, steps=steps)
    assert np.abs(run.x - exact).max() < allowed * rtol


def test_the_start_of_ordinary_equations_takes_no_jacobian():
    """C alone says that they are ordinary; J is evaluated where the first step needs it."""
    seeded = []

    def flow(y):
        seeded.append(type(y) is not np.ndarray)
        return y

    problem = Problem(flow, storage=lambda y: 1.0 * y)
    problem.transient([1.0, 2.0], (0.0, 1.0), max_steps=1)
    assert sum(seeded) == 2  # for the sparsity pattern, and for the first step


def test_an_unknown_that_ends_below_its_tolerance_is_told():
    decay = Problem(lambda y: [y[0], y[1] - 1.0], storage=lambda y: 1.0 * y)
    run = decay.transient([1.0, 1.0], (0.0, 40.0), rtol=1e-6)
    assert "x[0] ended at" in run.message
    assert "give atol" in run.message
    run = decay.transient([1.0, 1.0], (0.0, 40.0), rtol=1e-6, atol=1e-25)
    assert "ended at" not in run.message
    assert run.x[0] == pytest.approx(np.exp(-40.0), rel=1e-4)
    run = decay.transient([1.0, 1.0], (0.0, 4.0), rtol=1e-6)
    assert "ended at" not in run.message


def test_steps_grow_fast_from_a_state_that_is_zero():
    """Errors are tiny there: the order is chosen by how fast its steps may grow."""

    def circuit(u):
        e1, e2, e3, current, source = u
        through = 2.0 * (e1 - e2)
        return [through + source, current - through, -current, e3 - e2, e1 - 1.0]

    def charge(u):
        return [0.0 * u[0], 0.0 * u[1], u[2], u[3], 0.0 * u[4]]

    run = Problem(circuit, storage=charge).transient(np.zeros(5), (0.0, 1.0), rtol=1e-4)
    assert run.x[2:4] == pytest.approx([0.392945150833, 0.662691588008], abs=1e-4)
    assert len(run) < 73  # 78, if it is chosen by the error alone
