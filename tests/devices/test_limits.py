"""Devices that no program shows, against closed forms and limits."""

import numpy as np
import pytest

from sgsolve.devices import (
    Device,
    Ohmic,
    Schottky,
    densities,
    graded,
    interval,
    materials,
    open_circuit,
    radiative,
    rectangle,
    srh,
)

Q = 1.602176634e-19


def test_a_corner_of_a_resistor_has_0_5587_squares():
    """A right-angled bend between two arms of two squares each, by conformal mapping."""
    side = np.concatenate([graded([0.0, 1e-4], 5e-6, 1e-6, 1.3), np.linspace(1e-4, 3e-4, 41)[1:]])
    mesh = rectangle(side, side)
    x, y = mesh.nodes.T
    part = mesh.part((mesh.centers() < 1e-4).any(axis=1))
    ends = {
        "top": Ohmic(mesh.where((y == side[-1]) & (x < 1.001e-4))),
        "right": Ohmic(mesh.where((x == side[-1]) & (y < 1.001e-4))),
    }
    values = {"eps_r": 11.7, "ni": 1e10, "mu_n": 1400.0, "mu_p": 450.0}
    device = Device(mesh, np.full(mesh.n, 1e16), ends, values, active=part)
    conductance = device.current(device.solve(V_top=1e-3).x, "top", V_top=1e-3) / 1e-3
    assert Q * 1e16 * 1400.0 / conductance == pytest.approx(4.5587, rel=2e-3)


def test_the_open_circuit_of_an_organic_cell_is_that_of_flat_levels():
    """Undoped, with contacts that select: n = p everywhere, and G = B n p."""
    B, G, states = 1.2e-10, 1e21, 1e21
    values = {"eps_r": 3.0, "Nc": states, "Nv": states, "Ec": -3.0, "Ev": -5.0, "mu_n": 1e-4}
    ends = {"a": Schottky(0, 1.8, 1e7, 1e7), "c": Schottky(-1, 0.2, 1e7, 1e7)}
    cell = Device(
        interval(np.linspace(0.0, 1e-5, 201)), np.zeros(201), ends,
        values | {"mu_p": 1e-4, "G": G, "B_rad": B}, recombination=[radiative],
    )  # fmt: skip
    flat = 2.0 + cell.thermal_voltage * np.log(G / B / states**2)
    assert open_circuit(cell, "a") == pytest.approx(flat, abs=5e-4)
    x = cell.solve(V_a=0.9 * flat).x
    assert open_circuit(cell, "a", 0.9 * flat, x) == pytest.approx(flat, abs=5e-4)


def test_a_thick_base_is_flooded_by_both_carriers():
    """The n base of a power device in forward bias: 1e14 donors, 1e16 electrons and holes."""
    x = graded([0.0, 2e-4, 1e-2, 1.02e-2], 2e-4, 1e-6, 1.3)
    doping = np.select([x < 2e-4, x < 1e-2], [-1e19, 1e14], 1e19)
    device = Device(
        interval(x), doping, {"p": Ohmic(0), "n": Ohmic(-1)}, materials.silicon.at(300.0, [srh]),
        recombination=[srh],
    )  # fmt: skip
    sweep = device.sweep("p", [0.0, 1.0, -600.0])
    n, p = densities(device, sweep.states[1], V_p=1.0)
    middle = (x > 1e-3) & (x < 9e-3)
    np.testing.assert_allclose(n[middle] - p[middle], 1e14, rtol=0.1)
    assert n[middle].min() > 1e16
    assert -1e-5 < device.currents(sweep, "p")[2] < 0.0


@pytest.mark.slow
def test_a_gunn_diode_oscillates():
    """A mobility of one's own whose velocity falls in high fields; domains cross at 1e7 cm/s."""

    def falling(mu, field, *, E_peak, v_high):
        strength = np.sqrt(field**2 + 1.0)
        ratio = (strength / E_peak) ** 4
        return (mu + v_high * strength**3 / E_peak**4) / (1.0 + ratio)

    x = np.linspace(0.0, 1e-3, 501)
    doping = np.where((x > 1e-4) & (x < 1.5e-4), 5e14, 1e15)
    doping[(x < 3e-5) | (x > 9.7e-4)] = 1e17
    values = {"eps_r": 12.9, "ni": 2e6, "mu_n": 8500.0, "mu_p": 400.0}
    values |= {f"{k}_{c}": v for c in "np" for k, v in (("E_peak", 4e3), ("v_high", 8.5e6))}
    ends = {"a": Ohmic(0), "c": Ohmic(-1)}
    device = Device(interval(x), doping, ends, values, mobility=falling)
    run = device.transient(
        {"a": lambda t: 10.0 * min(t / 1e-11, 1.0)}, (0.0, 5e-10), breakpoints=[1e-11]
    )
    assert run.success
    late = run["t"] > 2e-10
    t, current = run["t"][late], run["I_a"][late]
    assert current.max() > 1.5 * current.min()
    above = current > current.mean()
    period = np.diff(t[1:][~above[:-1] & above[1:]])
    assert np.ptp(period) < 0.05 * period.mean()
    assert 5e6 < 8.5e-4 / period.mean() < 2e7
