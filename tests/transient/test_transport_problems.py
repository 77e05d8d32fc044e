"""Fronts, a melting body and salt water: errors and sums against Radau IIA of SciPy.

The enthalpy method has a kink where the body melts; the storage of salt water is not linear in the
unknown, so that SciPy integrates what is stored.
"""

import numpy as np
import pytest
from scipy.integrate import solve_ivp as solve_by_scipy
from scipy.sparse import csc_matrix

from sgsolve import Problem, ad
from sgsolve.transient import Bdf, RungeKutta

METHODS = pytest.mark.parametrize("steps", [Bdf(), RungeKutta()], ids=["BDF", "ESDIRK4"])
TOLERANCES = pytest.mark.parametrize("rtol", [1e-4, 1e-6])


def divergence(flux):
    """Return what leaves each cell of a closed row by the flux through its inner faces."""
    none = 0.0 * flux[:1]
    return np.concatenate([flux, none]) - np.concatenate([none, flux])


def by_scipy(flow, start, end):
    """Return the solution of du/dt = -flow(u) at the end."""

    def jacobian(t, u):
        return -csc_matrix(ad.jacobian(flow, u))

    tight = {"method": "Radau", "rtol": 1e-9, "atol": 1e-11, "jac": jacobian}
    found = solve_by_scipy(lambda t, u: -flow(u), (0.0, end), start, **tight)
    assert found.success
    return found.y[:, -1]


def error(x, exact):
    return np.abs(x - exact).max() / np.abs(exact).max()


def melting(enthalpy):
    """Return what leaves each cell: one end is held at 1, where the other one is insulated."""
    n = len(FROZEN)
    above = np.where(enthalpy > 1.0, enthalpy - 1.0, 0.0 * enthalpy)
    temperature = np.where(enthalpy < 0.0, enthalpy, above)
    heat = n * (temperature[:-1] - temperature[1:])
    entering = 2.0 * n * (1.0 - temperature[:1])
    return n * (divergence(heat) - np.concatenate([entering, 0.0 * heat]))


FROZEN = np.full(30, -0.2)


@pytest.fixture(scope="module")
def molten():
    return by_scipy(melting, FROZEN, 0.3)


@METHODS
@TOLERANCES
def test_a_melting_body_by_its_enthalpy(steps, rtol, molten):
    """Its temperature stays while it melts."""
    problem = Problem(melting, storage=lambda enthalpy: 1.0 * enthalpy)
    run = problem.transient(FROZEN, (0.0, 0.3), steps=steps, rtol=rtol)
    assert run.success, run.message
    assert np.sum(molten > 1.0) > 10
    assert error(run.x, molten) < 5.0 * rtol


@METHODS
@TOLERANCES
def test_a_front_in_a_porous_medium_keeps_its_mass(steps, rtol):
    """u_t = (u^4)_xx: the front moves at finite speed into an empty medium."""
    n, h = 80, 0.25
    x = h * (np.arange(n) + 0.5) - 10.0

    def flow(u):
        power = u**4
        return divergence((power[:-1] - power[1:]) / h) / h

    start = np.maximum(1.0 - 0.25 * x**2, 0.0)
    problem = Problem(flow, storage=lambda u: 1.0 * u)
    run = problem.transient(start, (0.0, 20.0), steps=steps, rtol=rtol)
    assert run.success, run.message
    assert error(run.x, by_scipy(flow, start, 20.0)) < 5.0 * rtol
    assert run.x.sum() == pytest.approx(start.sum(), rel=1e-12)


@METHODS
@TOLERANCES
def test_salt_water_that_sorbs_keeps_its_salt(steps, rtol):
    """The density and the salt on the grains make the storage nonlinear; the ends are closed."""
    n, h = 40, 0.025

    def storage(c):
        return 0.3 * (1.0 + 0.2 * c) * c + 0.2 * c / (1.0 + 2.0 * c)

    def flow(c):
        carried = 0.15 * (c[1:] + c[:-1]) * (1.0 - 0.5 * (c[1:] + c[:-1]))
        return divergence(carried - 0.01 * (c[1:] - c[:-1]) / h) / h

    def rates(c):
        slope = 0.3 + 0.12 * c + 0.2 / (1.0 + 2.0 * c) ** 2
        return flow(c) / slope

    x = h * (np.arange(n) + 0.5)
    start = 0.05 + 0.9 * np.exp(-50.0 * (x - 0.3) ** 2)
    problem = Problem(flow, storage=storage)
    run = problem.transient(start, (0.0, 1.0), steps=steps, rtol=rtol)
    assert run.success, run.message
    assert error(run.x, by_scipy(rates, start, 1.0)) < 5.0 * rtol
    # the sum that is kept is that of the linearized charge of Newton's last update
    salt = storage(start).sum()
    assert storage(run.x).sum() == pytest.approx(salt, rel=0.1 * rtol)
