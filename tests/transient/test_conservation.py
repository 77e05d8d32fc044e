"""What the equations conserve, the steps conserve to rounding: differences of charges."""

from functools import partial

import numpy as np
import pytest

from sgsolve.transient.methods.bdf import BdfStepper
from sgsolve.transient.methods.runge_kutta import RungeKuttaStepper
from sgsolve.transient.methods.tableaus import ESDIRK4
from tests.transient.equations import Equations, Run


def porous(n=200):
    """u_t = (u^2)_xx without flux through the ends, in the unknown w = u^2: Q = sqrt(w)."""
    h = 20 / n
    centers = -10 + h * (np.arange(n) + 0.5)

    def flow(t, w):
        flux = np.concatenate([[0.0], (w[1:] - w[:-1]) / h, [0.0]])
        return -(flux[1:] - flux[:-1]) / h

    u = np.maximum(1 - centers**2 / 12, 0) + 0.1
    return Equations(flow, np.sqrt, u**2, 1.0), h


@pytest.mark.parametrize("method", ["bdf", "esdirk"])
@pytest.mark.parametrize("rtol", [1e-3, 1e-4, 1e-6])
def test_a_nonlinear_charge_keeps_its_sum(method, rtol):
    equations, h = porous()
    make = BdfStepper
    if method == "esdirk":
        make = partial(RungeKuttaStepper, tableau=ESDIRK4, stores=equations.stores)
    run = Run(equations, 1.0, 8.0, rtol, rtol / 100, make)
    sums = h * np.array(run.charges).sum(axis=1)
    assert np.abs(sums - 6.618541666667).max() < 1e-11  # digits of the reference
    assert np.ptp(sums) < 1e-12 * sums[0]
    assert abs(np.sqrt(run.x[100]) - 0.564494940) < 50 * rtol


def test_the_charge_of_a_floating_node_stays_zero():
    """Two capacitors in series, q(v) = v + v^3 and 2 v, driven by sin t."""
    equations = Equations(
        lambda t, u: np.stack([0 * u[0], u[1] - np.sin(t)]),
        lambda u: np.stack([2 * u[0] - (u[1] - u[0]) - (u[1] - u[0]) ** 3, 0 * u[1]]),
        [0.0, 0.0],
    )
    for step in (0.1, 0.02):
        run = Run(
            equations, 0.0, 2.0, 1e-8, 1e-8, lambda i: BdfStepper(i, 1, False, fixed=True), step
        )
        assert np.abs(np.array(run.charges)[:, 0]).max() < 1e-14
        assert run.x[0] == pytest.approx(0.358729462346, abs=1e-7)


def test_a_linear_charge_keeps_its_sum_to_rounding_from_the_first_step():
    """Order 2 is stable where steps double; higher orders would amplify rounding there."""
    equations = Equations(
        lambda t, u: np.stack([u[0] - u[1], u[1] - u[0]]), lambda u: 1.0 * u, [1.0, 0.0]
    )
    for rtol in (1e-3, 1e-5, 1e-8):
        run = Run(equations, 0.0, 1.0, rtol, rtol)
        sums = np.array(run.charges).sum(axis=1)
        assert np.abs(sums - 1.0).max() < 1e-13
