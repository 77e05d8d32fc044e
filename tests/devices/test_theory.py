"""What textbooks say of a pn junction, recovered: fields, widths, idealities."""

import numpy as np
import pytest

EPS, NI, DOPING = 11.7, 1e10, 1e16


def diode(length=4e-4, doping=(DOPING, DOPING), recombination=(), **extra):
    """A step junction in the middle, fine there."""
    from sgsolve.devices import Device, Ohmic, graded, interval

    x = graded([0.0, length / 2, length], length / 50, 1e-7, 1.06)
    net = np.where(x < length / 2 - 1e-12, -doping[0], doping[1])
    net[np.argmin(np.abs(x - length / 2))] = 0.5 * (doping[1] - doping[0])
    values = {"eps_r": EPS, "ni": NI, "mu_n": 1000.0, "mu_p": 400.0} | extra
    contacts = {"p": Ohmic(0), "n": Ohmic(-1)}
    return Device(interval(x), net, contacts, values, recombination=recombination)


@pytest.mark.parametrize("voltage", [0.0, -1.0, -5.0])
def test_depletion_width_and_field(voltage):
    from sgsolve.devices import densities

    doping = (3e16, 1e16)
    device = diode(doping=doping)
    vt, c = device.thermal_voltage, device.constants
    x = device.solve(V_p=voltage).x
    n, p = densities(device, x, V_p=voltage)
    barrier = vt * np.log(doping[0] * doping[1] / NI**2) - voltage - 2 * vt
    reduced = doping[0] * doping[1] / sum(doping)
    width = np.sqrt(2 * EPS * c.eps0 * barrier / (c.q * reduced))
    # Majority carriers that are missing, over the doping: the width of each side.
    donors = device.parameters["doping"] > 0
    missing = [
        np.sum((device.mesh.volumes * (1 - d / N))[side])
        for side, d, N in ((~donors, p, doping[0]), (donors, n, doping[1]))
    ]
    assert sum(missing) == pytest.approx(width, rel=0.02)
    assert missing[0] / missing[1] == pytest.approx(doping[1] / doping[0], rel=0.02)
    psi, nodes = x[: device.mesh.n], device.mesh.nodes
    field = np.abs(np.diff(psi) / np.diff(nodes)).max()
    assert field == pytest.approx(c.q * reduced * width / (EPS * c.eps0), rel=0.02)


def test_ideality_one_is_shockleys_law():
    device = diode(length=2e-4)
    vt, q = device.thermal_voltage, device.constants.q
    sweep = device.sweep("p", [0.05, 0.1, 0.15, 0.2])
    current = device.currents(sweep, "p")
    ideality = 0.05 / vt / np.diff(np.log(current / -np.expm1(-sweep.parameter / vt)))
    # The depletion layer, which takes no part, shrinks with the voltage.
    assert ideality == pytest.approx(np.ones(3), abs=0.01)
    barrier = 2 * vt * np.log(DOPING / NI) - sweep.parameter - 2 * vt
    width = np.sqrt(4 * EPS * device.constants.eps0 * barrier / (q * DOPING))
    base = 1e-4 - width / 2
    law = q * NI**2 / DOPING * vt * 1400.0 / base * np.expm1(sweep.parameter / vt)
    assert current == pytest.approx(law, rel=0.02)


def test_ideality_two_is_recombination_in_the_depletion_layer():
    from sgsolve.devices import srh

    life = 1e-10
    device = diode(recombination=[srh], tau_n=life, tau_p=life, n1=NI, p1=NI)
    vt, q = device.thermal_voltage, device.constants.q
    voltage = np.array([0.25, 0.26])
    current = device.currents(device.sweep("p", voltage), "p")
    built_in = 2 * vt * np.log(DOPING / NI)

    def law(v):
        """U = ni exp(v / 2 vt) / (2 life cosh u), in a field that falls off from the middle."""
        half = (built_in - v) / (2 * vt)
        u = np.linspace(-half, half, 20001)[1:-1]
        middle = np.sqrt(q * DOPING * (built_in - v - 2 * vt) / (EPS * device.constants.eps0))
        extent = vt * np.sum((u[1] - u[0]) / np.cosh(u) / np.sqrt(1 - np.abs(u) / half)) / middle
        return q * NI / (2 * life) * np.exp(v / (2 * vt)) * extent

    expected = np.array([law(v) for v in voltage])
    assert current == pytest.approx(expected, rel=0.03)
    ideality = 0.01 / vt / np.log(current[1] / current[0])
    assert ideality == pytest.approx(0.01 / vt / np.log(expected[1] / expected[0]), rel=0.02)
    assert 1.8 < ideality < 2.0


def test_reverse_current_is_generation_over_the_depletion_layer():
    from sgsolve.devices import srh

    life = 1e-9
    device = diode(recombination=[srh], tau_n=life, tau_p=life, n1=NI, p1=NI)
    q, vt = device.constants.q, device.thermal_voltage
    sweep = device.sweep("p", [-4.0, -6.0])
    barrier = 2 * vt * np.log(DOPING / NI) - sweep.parameter - 2 * vt
    width = np.sqrt(4 * EPS * device.constants.eps0 * barrier / (q * DOPING))
    grown = np.diff(device.currents(sweep, "p"))[0]
    assert grown == pytest.approx(-q * NI / (2 * life) * np.diff(width)[0], rel=0.01)
