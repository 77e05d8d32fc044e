"""The depletion approximation: closed forms, and few linear solves on any mesh."""

import numpy as np
import pytest

VALUES = {"eps_r": 11.7, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0}


def device(x, net):
    from sgsolve.devices import Device, Ohmic, interval

    return Device(interval(x), net, {"a": Ohmic(0), "k": Ohmic(-1)}, VALUES)


def found(made, bias):
    """Potential between a p side at a bias and an n side at 0 V."""
    from sgsolve.devices.solving.estimates.depletion import depleted

    parameters = made.parameters | {"V_a": bias}
    electrons, holes = np.zeros(made.layout.n_s), np.full(made.layout.n_s, bias)
    return depleted(made, parameters, electrons, holes)


@pytest.mark.parametrize("bias", [-1.0, -30.0, -600.0])
def test_an_abrupt_junction_has_the_width_of_its_closed_form(bias):
    """One node is the p side; psi = V - q N (w - x)^2 / (2 eps), with w^2 = 2 eps V / (q N)."""
    doping, x = 1e15, np.linspace(0.0, 6e-3, 601)
    made = device(x, np.where(x == 0.0, -1e18, doping))
    psi = found(made, bias)
    curvature = made.constants.q * doping / (11.7 * made.constants.eps0)
    width = np.sqrt(2.0 * (psi[-1] - psi[0]) / curvature)
    expected = psi[-1] - 0.5 * curvature * np.maximum(width - x, 0.0) ** 2
    assert width < x[-1]
    np.testing.assert_allclose(psi, expected, rtol=0.0, atol=2.0 * made.thermal_voltage)


@pytest.mark.parametrize("cells", [100, 400, 1600])
def test_the_number_of_linear_solves_does_not_depend_on_the_mesh(cells, monkeypatch):
    """A set of nodes that grows by one node in each round takes as many rounds as there are."""
    from sgsolve.devices.solving.estimates import depletion

    solves, factorize = [], depletion.splu
    monkeypatch.setattr(depletion, "splu", lambda matrix: solves.append(1) or factorize(matrix))
    x = np.linspace(0.0, 1.5e-3, cells + 1)
    layers = [x < 2e-4, x < 1.1e-3]
    made = device(x, np.select(layers, [-1e17, 1e14], 1e17))
    psi = found(made, -600.0)
    assert len(solves) <= 25
    assert psi[-1] - psi[0] > 600.0
