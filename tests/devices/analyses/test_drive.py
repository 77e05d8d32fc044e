"""Devices driven by current, to a compliance, by Gummel's iteration; order of convergence."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def diode():
    from pn_diode import diode

    return diode()


def test_currents_asked_for_are_met(diode):
    from sgsolve.devices import drive_current

    driven = drive_current(diode, "top", [1e-6, 1e-2, 10.0])
    assert driven.current == pytest.approx([1e-6, 1e-2, 10.0], rel=1e-9)
    assert np.all(np.diff(driven.voltage) > 0.1)
    there = diode.current(diode.solve(V_top=driven.voltage[1]).x, "top", V_top=driven.voltage[1])
    assert there == pytest.approx(1e-2, rel=1e-9)


def test_a_resistor_is_driven_too():
    from sgsolve.devices import Device, Ohmic, at_current, interval

    values = {"eps_r": 11.7, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0}
    x = np.linspace(0, 1e-2, 101)
    bar = Device(interval(x), np.full(101, 1e15), {"a": Ohmic(0), "b": Ohmic(-1)}, values)
    conductance = bar.constants.q * 1e15 * 1000.0 / 1e-2
    assert at_current(bar, "a", 100.0)[0] == pytest.approx(100.0 / conductance, rel=1e-6)


THYRISTORS = {  # layers in um, doping in cm^-3, lifetime in s, generation in 1/(cm^3 s), A/cm^2
    "thick n base": ([5, 60, 20, 5], [-1e19, 1e14, -1e16, 1e19], 3e-7, 3e18),
    "thick p base": ([5, 20, 60, 5], [-1e19, 1e16, -1e14, 1e19], 3e-7, 3e18),
    "from the n side": ([5, 20, 60, 5], [1e19, -1e16, 1e14, -1e19], 3e-7, 3e18),
    "shorter lifetime": ([5, 60, 20, 5], [-1e19, 1e14, -1e16, 1e19], 2.5e-7, 3e18),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", THYRISTORS)
def test_current_through_a_snap_back(name):
    """The voltage of a lit four-layer diode turns back; a solve at that voltage has the current."""
    from sgsolve.devices import Device, Ohmic, drive_current, graded, interval, srh

    layers, doping, lifetime, light = THYRISTORS[name]
    edges = 1e-4 * np.cumsum([0, *layers])
    values = {"eps_r": 11.7, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0}
    values |= {"tau_n": lifetime, "tau_p": lifetime, "n1": 1e10, "p1": 1e10}
    x = graded(edges.tolist(), 5e-6, 3e-7, 1.25)
    profile = np.array(doping)[np.clip(np.searchsorted(edges, x, side="right") - 1, 0, 3)]
    contacts = {"a": Ohmic(0), "k": Ohmic(-1)}
    device = Device(interval(x), profile, contacts, values, recombination=[srh])
    targets = -np.sign(doping[0]) * np.array([0.03, 0.0457422022, 0.0860063899, 0.158460180])
    driven = drive_current(device, "a", targets, G=light)
    assert driven.current == pytest.approx(targets, rel=1e-9)
    if name == "thick n base":  # values of arclength
        assert driven.voltage[1:] == pytest.approx([6.379, 4.1239, 1.0483], abs=5e-4)
    assert np.abs(driven.voltage[-1]) < 0.8 * np.abs(driven.voltage).max()
    for voltage, current, state in zip(driven.voltage, targets, driven.states, strict=True):
        at = device.solve(state, V_a=voltage, G=light)
        assert device.current(at.x, "a", V_a=voltage, G=light) == pytest.approx(current, rel=1e-5)


def test_a_diode_that_blocks_is_driven_forward_at_once(diode):
    from sgsolve.devices import at_current

    x = diode.solve(V_top=-10.0).x
    voltage, _ = at_current(diode, "top", 1e-3, -10.0, x)
    assert voltage == pytest.approx(at_current(diode, "top", 1e-3)[0], abs=1e-9)


def test_no_current_can_be_driven_where_none_flows():
    from sgsolve.devices import Device, Ohmic, at_current, interval
    from sgsolve.errors import InputError

    x = np.linspace(0, 1e-4, 51)
    values = {"T": 4.2, "eps_r": 12.0, "Nc": 4e16, "Nv": 4e16, "Ec": 0.58, "Ev": -0.58}
    contacts = {"a": Ohmic(0), "b": Ohmic(-1)}
    doping = np.where(x < 5e-5, -1e17, 1e17)
    cold = Device(interval(x), doping, contacts, values | {"mu_n": 500.0, "mu_p": 200.0})
    with pytest.raises(InputError, match=r"the current into 'a' near .* is zero"):
        at_current(cold, "a", 1e-3)


def test_a_sweep_ends_at_the_compliance(diode):
    from sgsolve.devices import to_compliance

    driven = to_compliance(diode, "top", [0.0, 0.2, 0.4, 0.6, 0.8, 1.0], 5.0)
    assert driven.current[-1] == pytest.approx(5.0, rel=1e-9)
    assert 0.6 < driven.voltage[-1] < 0.8
    assert len(driven.voltage) == 5


def test_gummel_agrees_with_newton_and_takes_longer_at_high_injection():
    from gummel_or_newton import main

    data = main([0.2, 0.5, 0.8, 0.9])
    assert data.currents[:, 0] == pytest.approx(data.currents[:, 1], rel=1e-9)
    assert data.rounds[-1] > 2 * data.rounds[0]
    assert data.steps.max() < 10


def test_current_of_a_smooth_diode_converges_to_second_order():
    from sgsolve.devices import Device, Ohmic, interval, srh

    values = {"eps_r": 11.7, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0}
    values |= {"tau_n": 1e-9, "tau_p": 1e-9, "n1": 1e10, "p1": 1e10}

    def current(cells):
        x = np.linspace(0, 1e-4, cells + 1)
        doping = 1e16 * np.tanh((x - 5e-5) / 1e-5)
        contacts = {"p": Ohmic(0), "n": Ohmic(-1)}
        device = Device(interval(x), doping, contacts, values, recombination=[srh])
        return device.current(device.solve(V_p=0.4).x, "p", V_p=0.4)

    values_at = np.array([current(n) for n in (100, 200, 400, 800)])
    errors = np.abs(np.diff(values_at))
    orders = np.log2(errors[:-1] / errors[1:])
    assert orders == pytest.approx([2.0, 2.0], abs=0.1)


def test_light_is_turned_on_at_once_and_any_parameter_is_swept():
    from pin_solar_cell import cell

    from sgsolve.devices import TemperatureWarning

    device = cell()
    lit = device.sweep("G", [0.0, 2.5e21])
    assert lit.success
    short = device.currents(lit, "top")
    assert short[1] == pytest.approx(-0.07094, rel=1e-3)
    lifetimes = device.sweep("tau_n", [2e-8, 2e-10, 2e-12], G=2.5e21)
    assert np.all(np.diff(device.currents(lifetimes, "top")) > 0)
    with pytest.warns(TemperatureWarning, match="ni stays that of 300 K"):
        warm = device.sweep("T", [300.0, 330.0], V_top=0.5)
    assert device.currents(warm, "top")[1] != device.currents(warm, "top")[0]


def test_twenty_volts_at_once_and_back():
    from sic_diode import diode

    device = diode()
    sweep = device.sweep("anode", [0.0, -20.0, 0.0, 3.0])
    assert sweep.success
    current = device.currents(sweep, "anode")
    assert current[1] == pytest.approx(-4.58783e-23, rel=1e-4)
    assert abs(current[2]) < 1e-25
