"""Test problems with reference values that two independent codes agree on.

Sources: E. Hairer and G. Wanner, Solving Ordinary Differential Equations II (1996), IV.10 (OREGO,
CUSP); values by Radau IIA and by a BDF code at tolerances of 1e-10 and below, or in closed form.
"""

import numpy as np
import pytest

from sgsolve import ad
from tests.selection import slow
from tests.transient.equations import Equations, Run
from tests.transient.methods.test_fixed_steps import exact, linear


def oregonator():
    def flow(t, y):
        return ad.hstack(
            [
                -77.27 * (y[1] + y[0] * (1 - 8.375e-6 * y[0] - y[1])),
                -(y[2] - (1 + y[0]) * y[1]) / 77.27,
                -0.161 * (y[0] - y[2]),
            ]
        )

    expected = np.array([1.0008148703, 1228.17852, 132.055494])
    equations = Equations(flow, lambda y: 1 * y, [1.0, 2.0, 3.0])
    return equations, (0.0, 360.0), lambda x: np.abs(x / expected - 1).max()


def barenblatt():
    n, h = 400, 20 / 400
    centers = -10 + h * (np.arange(n) + 0.5)

    def flow(t, u):
        flux = np.concatenate([[0.0], (u[1:] ** 2 - u[:-1] ** 2) / h, [0.0]])
        return -(flux[1:] - flux[:-1]) / h

    equations = Equations(flow, lambda u: 1 * u, np.maximum(1 - centers**2 / 12, 0))
    expected = np.array([0.499999001774, 0.433589629029, 0.236964402629])
    return equations, (1.0, 8.0), lambda x: np.abs(x[[200, 250, 300]] - expected).max()


def cusp():
    n, D = 32, 32**2 / 144
    i = np.arange(1, n + 1)

    def diffusion(y):
        return D * (np.roll(y, 1) - 2 * y + np.roll(y, -1))

    def flow(t, w):
        y, a, b = w[:n], w[n : 2 * n], w[2 * n :]
        u = (y - 0.7) * (y - 1.3)
        v = u / (u + 0.1)
        return -np.concatenate(
            [
                -1e4 * (y**3 + a * y + b) + diffusion(y),
                b + 0.07 * v + diffusion(a),
                (1 - a * a) * b - a - 0.4 * y + 0.035 * v + diffusion(b),
            ]
        )

    angle = 2 * np.pi * i / n
    equations = Equations(
        flow, lambda w: 1 * w, np.concatenate([0 * i, -2 * np.cos(angle), 2 * np.sin(angle)])
    )
    places = [0, 32, 64, 15, 47, 79]
    expected = np.array(
        [-1.335038235, -0.141920661, 2.189999851, 1.037877442, 0.545036627, -1.683821754]
    )
    return equations, (0.0, 1.1), lambda x: np.abs(x[places] - expected).max()


def fisher():
    x = np.linspace(-20, 60, 401)
    root = np.sqrt(6)

    def wave(x, t):
        return (1 + np.exp((x - 5 * t / root) / root)) ** -2

    def flow(t, u):
        inner = (u[2:] - 2 * u[1:-1] + u[:-2]) / 0.04 + u[1:-1] * (1 - u[1:-1])
        return np.concatenate([u[:1] - wave(x[0], t), -inner, u[-1:] - wave(x[-1], t)])

    inside = np.ones(401)
    inside[[0, -1]] = 0
    equations = Equations(flow, lambda u: u * inside, wave(x, 0.0))
    expected = np.array([0.29434978, 0.17718760])
    return equations, (0.0, 10.0), lambda x: np.abs(x[[200, 206]] - expected).max()


# Error over tolerance that is allowed, and the most factorizations, evaluations and steps at 1e-6.
# The steps are those of IDA of SUNDIALS. The oregonator amplifies errors, rounding among them.
PROBLEMS = {
    oregonator: (60, 260, 4000, 1950),
    barenblatt: (30, 60, 2000, 1056),
    cusp: (30, 130, 1500, 683),
    fisher: (30, 25, 220, 160),
}


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: p.__name__)
@pytest.mark.parametrize("rtol", [1e-4, *slow(1e-6, 1e-8)])
def test_the_error_follows_the_tolerance(problem, rtol):
    equations, times, error = problem()
    run = Run(equations, *times, rtol, rtol / 100)
    allowed, factorizations, evaluations, steps = PROBLEMS[problem]
    assert error(run.x) < allowed * rtol
    assert run.stats.n_analyze == 1
    if rtol == 1e-6:
        assert run.stats.n_factor < factorizations
        assert run.implicit.counters.nfev < evaluations
        assert run.accepted < steps


def test_a_linear_system_of_index_one():
    for rtol in (1e-4, 1e-6, 1e-8):
        run = Run(linear(1000.0), 0.0, 10.0, rtol, rtol / 100)
        assert np.abs(run.x - exact(1000.0, 10.0)).max() < 50 * rtol


def test_the_reference_of_the_linear_system_is_the_published_one():
    assert exact(1000.0, 1.0) == pytest.approx([0.465814183, 7.5089091e-5, 0.074638301], rel=1e-6)
