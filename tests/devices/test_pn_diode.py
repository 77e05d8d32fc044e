"""The diode against curves of an independent program in 128-bit arithmetic, and against theory."""

import numpy as np
import pytest

from sgsolve.devices.equations.transport import terminal


@pytest.fixture(scope="module")
def curve(reference):
    from pn_diode import main

    nodes, iv = reference("pn_diode_nodes"), reference("pn_diode_iv")
    return main(nodes["x_cm"], nodes["NetDoping_cm3"], iv["V_top"]), iv


def test_every_current_agrees_with_the_reference_to_1e_9(curve):
    data, iv = curve
    away = iv["V_top"] != 0
    ratio = data.current[away] / iv["J_top_total_A_cm2"][away]
    assert np.abs(ratio - 1).max() < 1e-9
    assert away.sum() == 36


def test_no_current_without_voltage(curve):
    data, _ = curve
    # Reached from -0.05 V, potentials are zero to 1e-16 V and so are currents; cold, exactly.
    assert abs(data.current[data.voltage == 0][0]) < 1e-22
    assert abs(data.device.current(data.device.equilibrium(), "top")) < 1e-25


def test_the_sweep_analyses_the_pattern_once_and_needs_no_help(curve):
    data, iv = curve
    assert data.sweep.success
    assert data.sweep.stats.n_analyze <= 1
    assert data.sweep.stats.nit < 10 * len(iv["V_top"])


def largest_term(device, x, voltage):
    """The largest magnitude among the terms that a terminal current adds up."""
    p, lay, q = device.parameters | voltage, device.layout, device.constants.q
    s = terminal.carriers(device, x, p)
    sides = terminal.cuts(device, x, "top", p)
    steps = [side[lay.carrier_a] - side[lay.carrier_b] for side in sides]
    fluxes = terminal.fluxes(device, s, p)
    between = (sides[1] - sides[0]) * lay.pair_free * terminal.recombination(device, s, p)
    crossing = [np.abs(a * b).max() for a, b in zip(steps, fluxes, strict=True)]
    return max(*crossing) * q * s.vt + np.abs(between).max() * q


def test_what_flows_in_flows_out(curve):
    data, _ = curve
    for x, v in zip(data.sweep.states, data.voltage, strict=True):
        into = data.device.current(x, "top", V_top=v)
        out = data.device.current(x, "bottom", V_top=v)
        assert abs(into + out) <= 1e-12 * largest_term(data.device, x, {"V_top": v})


def test_built_in_potential(curve):
    data, _ = curve
    device = data.device
    psi = device.equilibrium()[: device.mesh.n]
    expected = 2 * device.thermal_voltage * np.log(1e18 / 1e10)
    assert psi[-1] - psi[0] == pytest.approx(expected, rel=1e-12)


def test_ideality_runs_from_two_to_one(curve):
    data, _ = curve
    vt = data.device.thermal_voltage

    def ideality(low, high):
        i, j = (int(np.argmin(np.abs(data.voltage - v))) for v in (low, high))
        slope = np.log(data.current[j] / data.current[i])
        return (data.voltage[j] - data.voltage[i]) / vt / slope

    assert 1.6 < ideality(0.1, 0.2) < 2.0
    assert ideality(0.6, 0.7) == pytest.approx(1.02, abs=0.02)


@pytest.mark.slow
def test_program_on_its_own_mesh(tmp_path, capsys):
    from pn_diode import main

    data = main(biases=[0.0, 0.5], picture=str(tmp_path / "diode.png"))
    assert "J (A/cm^2)" in capsys.readouterr().out
    assert (tmp_path / "diode.png").stat().st_size > 10_000
    assert data.current[1] == pytest.approx(0.018155, rel=2e-3)


def test_the_capacitance_is_negative_where_injected_carriers_raise_the_conductivity():
    from pn_diode import diode

    from sgsolve.devices import SmallSignal, densities

    device = diode()
    small, p = SmallSignal(device), {"V_top": 1.0}
    x = device.solve(**p).x
    slow, fast = small.admittance(x, "top", [1e6, 1e12], **p)
    assert slow.imag < 0.0
    assert slow.real > 1.1 * fast.real
    n, holes = densities(device, x, **p)  # too slow for 1 THz: an ohmic resistor is left
    conductivity = 1.6e-19 * (400.0 * n + 200.0 * holes)
    resistor = 1.0 / np.sum(device.mesh.volumes / conductivity)
    assert fast.real == pytest.approx(resistor, rel=0.02)
    below = device.solve(V_top=0.9).x
    assert small.capacitance(below, "top", [1e6], V_top=0.9)[0] > 0.0
