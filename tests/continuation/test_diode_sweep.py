"""A hundred bias points on the diode: one analysis, fewer than three factorizations a point."""

import numpy as np
import pytest

from sgsolve.continuation import Natural, TangentPredictor

TANGENT = Natural(predictor=TangentPredictor())


@pytest.mark.parametrize("nodes", [500, pytest.param(10000, marks=pytest.mark.slow)])
def test_hundred_bias_points(nodes):
    import pn_diode

    from sgsolve.devices import coupled_method

    t = np.linspace(-1.0, 1.0, nodes)
    device = pn_diode.diode(5e-6 * (1.0 + np.sinh(3.0 * t) / np.sinh(3.0)))
    start = device.sweep("top", [0.0]).x
    device = pn_diode.diode(5e-6 * (1.0 + np.sinh(3.0 * t) / np.sinh(3.0)))
    solver, values = coupled_method(device.thermal_voltage), np.linspace(0.0, 1.0, 100)
    branch = device.problem.sweep(start, "V_top", values, solver=solver, steps=TANGENT)
    assert branch.success
    assert branch["V_top"].tolist() == values.tolist()
    assert branch.stats.n_analyze == 1
    assert branch.stats.n_factor < 300
    current = device.currents(branch, "top")
    assert np.all(np.diff(np.abs(current[5:])) > 0.0)
