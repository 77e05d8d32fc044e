"""The other one-dimensional programs: a number each, and the theory that they must recover."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def gaas():
    from gaas_pin import main

    return main()


def test_gaas_potential_agrees_with_chargetransport_to_the_last_digit(gaas):
    assert gaas.potential["Boltzmann"][4] == pytest.approx(1.5068426833371802, abs=1e-14)


def test_degeneracy_lowers_the_current_of_the_gaas_diode(gaas):
    boltzmann, blakemore, fermi = (gaas.current[k][-1] for k in gaas.current)
    assert fermi < blakemore < boltzmann
    assert abs(gaas.current["Fermi-Dirac"][0]) < 1e-25


def test_silicon_carbide_from_minus_20_to_3_2_volts():
    from sic_diode import main

    data = main()
    assert data.sweep.success
    assert data.voltage[[0, -1]].tolist() == [-20.0, 3.2]
    assert abs(data.current[data.voltage == 0][0]) < 1e-25
    assert data.current[0] == pytest.approx(-4.588e-23, rel=1e-3)
    assert data.current[-1] == pytest.approx(407.3, rel=1e-3)
    # In reverse it is the generation in the depleted layer: it grows as the layer does.
    reverse = data.voltage <= -5
    width = np.sqrt(2.96 - data.voltage[reverse])
    slope, offset = np.polyfit(width, data.current[reverse], 1)
    assert np.abs(slope * width + offset - data.current[reverse]).max() < 0.1 * abs(slope)
    generation = -1.602e-19 * 5e-9 / 2e-9
    per_volt = np.sqrt(2 * 9.7 * 8.854e-14 / (1.602e-19 * 1e16))
    assert slope == pytest.approx(generation * per_volt, rel=0.1)


def test_space_charge_limit_recovers_mott_and_gurney():
    from space_charge_limited import main

    data = main([1.0, 10.0, 100.0])
    excess = data.current / data.law - 1
    # Diffusion at the cathode adds a part that falls as 1/sqrt(V): gone in the limit.
    limit = excess[2] - (excess[1] - excess[2]) / (np.sqrt(10) - 1)
    assert abs(limit) < 0.01
    assert data.current[2] == pytest.approx(315.84, rel=1e-3)


def test_space_charge_limited_current_converges_to_second_order():
    from space_charge_limited import LENGTH, MOBILITY

    from sgsolve.devices import Device, Ohmic, interval

    def current(cells):
        doping = np.zeros(cells + 1)
        doping[[0, -1]] = 1e17
        device = Device(
            interval(np.linspace(0, LENGTH, cells + 1)),
            doping,
            {"anode": Ohmic(0), "cathode": Ohmic(-1)},
            {"eps_r": 3.0, "ni": 1.0, "mu_n": MOBILITY, "mu_p": MOBILITY},
        )
        return device.current(device.solve(V_anode=1.0).x, "anode", V_anode=1.0)

    values = [current(n) for n in (50, 100, 200, 400)]
    # The doping is at the end nodes only, so its own extent halves with the mesh: take it out by
    # looking at differences.
    errors = np.abs(np.diff(values))
    assert np.all(np.log2(errors[:-1] / errors[1:]) > 1.5)


def test_heterojunction():
    from heterojunction import ALGAAS, GAAS, main

    data = main()
    device = data.device
    psi = device.equilibrium()[: device.mesh.n]
    vt = device.thermal_voltage
    # Built-in potential: difference of the Fermi levels, counted from the vacuum.
    expected = (
        vt * np.log(1e17 / GAAS["Nc"]) + GAAS["Ec"]
        - (ALGAAS["Ev"] - vt * np.log(1e17 / ALGAAS["Nv"]))
    )  # fmt: skip
    assert psi[-1] - psi[0] == pytest.approx(expected, abs=1e-6)
    assert data.ratio[0] < 1e-4 * data.ratio[1]
    assert data.current[-1] == pytest.approx(1237.2, rel=1e-3)
    assert abs(data.current[0]) < 1e-25


def test_many_volts_along_one_edge_do_not_overflow():
    from sgsolve.devices import Device, Ohmic, interval

    values = {"eps_r": 3.0, "ni": 1.0, "mu_n": 1.0, "mu_p": 1.0}
    contacts = {"a": Ohmic(0), "b": Ohmic(-1)}
    bar = Device(interval(np.linspace(0, 1e-2, 6)), np.full(6, 1e14), contacts, values)
    sweep = bar.sweep("a", [0.0, 100.0, 1000.0, -1000.0])
    assert sweep.success
    conductance = bar.constants.q * 1e14 / 1e-2
    assert bar.currents(sweep, "a") == pytest.approx(conductance * sweep.parameter, rel=1e-6)
