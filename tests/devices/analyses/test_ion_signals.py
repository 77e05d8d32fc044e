"""Small signals of mobile ions: against the form in time, a transient, slopes of steady states."""

import numpy as np
import pytest

from sgsolve.devices import (
    Device,
    Gate,
    Ion,
    Ohmic,
    SmallSignal,
    TimeForm,
    conductance,
    graded,
    interval,
    quasi_static,
)
from sgsolve.devices.equations.carriers import carriers
from sgsolve.devices.equations.potential_form import QUASI
from sgsolve.devices.equations.transport.terminal import charge
from tests.devices.models.test_ions import junction


def test_the_form_in_time_has_the_same_admittance():
    """Its ions have densities as unknowns, no levels and no fluxes."""
    device, f = junction(), [1e-4, 1e-2, 1.0, 1e3, 1e8]
    x, p = device.solve(V_p=0.5).x, device.parameters | {"V_p": 0.5}
    form = TimeForm(device, x, p)
    response = form.problem.at(V_p=0.5).small_signal(
        form.unknowns(x, p), "V_p", f, outputs={"current": form.current("p")}
    )
    small = SmallSignal(device)
    found = small.admittance(x, "p", f, V_p=0.5)
    np.testing.assert_allclose(found, response["current"], rtol=1e-9)
    other = small.admittance(x, "p", f, at="n", V_p=0.5)
    assert np.abs(found + other).max() <= 1e-11 * np.abs(found).max()


def test_a_small_step_in_time_has_the_same_transform():
    """Steps up and down: what is of second order in them cancels."""
    device, rise, step = junction(), 1e-3, 1e-3
    x, f = device.solve(V_p=0.5).x, np.array([1e-4, 1e-2, 0.1, 1.0])
    still, found = device.current(x, "p", V_p=0.5), []
    for size in (step, -step):
        run = device.transient(
            {"p": lambda t, size=size: 0.5 + size * min(t / rise, 1.0)},
            (0.0, 1e3), x, rtol=1e-5, breakpoints=[rise],
        )  # fmt: skip
        t, w = run["t"], 2j * np.pi * f[:, None]
        slope = np.diff(run["I_p"]) / np.diff(t)
        moved = (slope * (np.exp(-w * t[:-1]) - np.exp(-w * t[1:])) / w).sum(axis=1)
        moved = moved + run["I_p"][0] - still  # displacement begins with the ramp
        found.append(moved / (size * (1 - np.exp(-w[:, 0] * rise)) / (w[:, 0] * rise)))
    expected = SmallSignal(device).admittance(x, "p", f, V_p=0.5)
    mean = 0.5 * (found[0] + found[1])
    np.testing.assert_allclose(mean.real, expected.real, rtol=1e-3)
    assert np.abs(mean - expected).max() < 1e-3 * np.abs(expected).max()


def test_at_low_frequency_it_is_the_slope_of_the_steady_current():
    """The ions follow; at high frequency they stay where they are."""
    device = junction()
    for volts in (0.0, 0.3, 0.6):
        x = device.solve(V_p=volts).x
        y = SmallSignal(device).admittance(x, "p", [1e-9], V_p=volts)[0]
        assert y.real == pytest.approx(conductance(device, x, "p", V_p=volts), rel=1e-9)


@pytest.mark.parametrize("bias", [-0.15, 0.1])
def test_at_low_frequency_it_is_the_slope_of_the_charge(bias):
    """Ions between walls carry no current: dQ/dV at their number, by differences."""
    values = {"ni": 1e5, "eps_r": 24.1, "mu_n": 1.0, "mu_p": 1.0}
    ions = {"v": Ion(np.arange(101), 1, 1.6e19, 3.93e-12, 1e21)}
    contacts = {"left": Gate(0, offset=bias), "right": Ohmic(-1)}
    mesh = interval(np.linspace(0.0, 4e-5, 101))
    device = Device(mesh, np.zeros(101), contacts, values, ions=ions)
    x, k = device.equilibrium(), device.mesh.n
    small = SmallSignal(device)
    low, high = small.capacitance(x, "left", [1e-9, 1e9])
    assert quasi_static(device, x, "left") == pytest.approx(low, rel=1e-9)
    none, found = (np.zeros(k), np.zeros(k)), []
    form = small.device.electrostatic_problem
    for volts in (-1e-4, 1e-4):
        psi = form.at(**{QUASI: x[k : 3 * k]}, V_left=volts).solve(np.append(x[:k], x[-1])).x
        state = np.concatenate([psi[:k], x[k : 3 * k], psi[k:]])
        p = device.parameters | {"V_left": volts}
        found.append(charge(device, carriers(device, state, p), "left", p, none))
    assert low == pytest.approx((found[1] - found[0]) / 2e-4, rel=1e-5)
    geometric = 24.1 * device.constants.eps0 / 4e-5
    assert high == pytest.approx(geometric, rel=1e-6)


@pytest.mark.filterwarnings("ignore:.*units")
@pytest.mark.slow
def test_a_perovskite_cell_has_two_arcs():
    """The impedance of ions at 0.03 Hz, that of recombination at 2 kHz; C rises 1e4-fold."""
    from perovskite import cell

    device, f = cell(), np.logspace(-4, 7, 34)
    x = device.solve(V_p=0.9).x
    y = SmallSignal(device).admittance(x, "p", f, V_p=0.9)
    arc = -(1.0 / y).imag
    tops = f[1:-1][(arc[1:-1] > arc[:-2]) & (arc[1:-1] > arc[2:])]
    assert len(tops) == 2
    assert 0.01 < tops[0] < 0.1
    assert 1e3 < tops[1] < 1e4
    capacitance = y.imag / (2 * np.pi * f)
    assert capacitance[0] > 5e3 * capacitance[-4] > 0.0


def mos(ions):
    """A gate on p-type silicon of one doping: no contact reaches its inversion layer."""
    x = graded([0.0, 1e-4], 1e-7, 1e-6, 1.2)
    contacts = {"gate": Gate(0, capacitance=3.45e-7), "body": Ohmic(-1)}
    values = {"eps_r": 11.7, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0}
    given = {"na": Ion(x <= 5e-5, 1, 1e15, 1e-12, 1e19)} if ions else None
    return Device(interval(x), np.full(len(x), -1e16), contacts, values, ions=given)


def test_ions_under_a_gate():
    """From accumulation to inversion; their number is kept, and they raise the capacitance."""
    device, volts = mos(True), np.linspace(-1.0, 2.0, 4)
    sweep = device.sweep("gate", volts)
    assert sweep.success
    assert sweep.stats.nit < 60
    region, n, vt = device.ions["na"], device.mesh.n, device.thermal_voltage
    small = SmallSignal(device)
    for x, p in (sweep.at(i) for i in range(4)):
        density = region.density(x[:n] / vt, x[-1] / vt)
        assert np.sum(region.volumes * density) == pytest.approx(region.total, rel=1e-13)
        low, high = small.capacitance(x, "gate", [1e-8, 1e6], **p)
        assert low == pytest.approx(quasi_static(device, x, "gate", **p), rel=1e-8)
        assert low > high
    bare = mos(False)
    alone = SmallSignal(bare).capacitance(bare.solve(V_gate=0.5).x, "gate", [1e6], V_gate=0.5)
    shifted = small.capacitance(device.solve(V_gate=0.5).x, "gate", [1e6], V_gate=0.5)
    assert abs(shifted[0] / alone[0] - 1.0) > 0.01  # the charge of the ions bends the bands
