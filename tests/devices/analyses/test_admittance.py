"""Capacitances and sensitivities: against theory and against differences."""

import numpy as np
import pytest

from sgsolve.errors import InputError, ParameterError
from tests.selection import slow


@pytest.fixture(scope="module")
def diode():
    from sgsolve.devices import Device, Ohmic, graded, interval, srh

    x = graded([0.0, 1e-4, 2e-4], 1e-6, 2e-8, 1.1)
    doping = np.where(x < 1e-4, -1e17, 1e16)
    values = {"eps_r": 11.7, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0}
    values |= {"tau_n": 1e-7, "tau_p": 2e-7, "n1": 1e10, "p1": 1e10}
    contacts = {"p": Ohmic(0), "n": Ohmic(-1)}
    return Device(interval(x), doping, contacts, values, recombination=[srh])


def test_depletion_capacitance_follows_theory(diode):
    from sgsolve.devices import SmallSignal

    vt, c = diode.thermal_voltage, diode.constants
    built_in = vt * np.log(1e17 * 1e16 / 1e20)
    doping = 1e17 * 1e16 / (1e17 + 1e16)
    small = SmallSignal(diode)
    sweep = diode.sweep("p", [0.0, -1.0, -4.0])
    for i in range(3):
        x, p = sweep.at(i)
        value = small.capacitance(x, "p", [1e5], **p)[0]
        barrier = built_in - p["V_p"] - 2 * vt
        theory = np.sqrt(c.q * 11.7 * c.eps0 * doping / (2 * barrier))
        assert value == pytest.approx(theory, rel=0.02)


@pytest.mark.parametrize("voltage", [0.0, -1.0, -4.0])
def test_capacitance_is_the_slope_of_the_stored_holes(diode, voltage):
    from sgsolve.devices import SmallSignal, densities

    def holes(x, **p):
        _, density = densities(diode, x, **p)
        return diode.constants.q * np.sum(diode.layout.volumes * density)

    x = diode.solve(V_p=voltage).x
    slope = diode.problem.at(V_p=voltage).sensitivity(x, "V_p", functional=holes)
    found = SmallSignal(diode).capacitance(x, "p", [1e-3, 1e3], V_p=voltage)
    assert found == pytest.approx([slope, slope], rel=1e-6)

    def difference(h):
        up, down = (holes(diode.solve(x, V_p=voltage + s).x) for s in (h, -h))
        return (up - down) / (2 * h)

    wide, narrow = difference(2e-3), difference(1e-3)
    assert slope == pytest.approx((4 * narrow - wide) / 3, rel=1e-7)


def test_pattern_is_analyzed_once_for_all_frequencies_and_biases(diode):
    from sgsolve.devices import SmallSignal

    small = SmallSignal(diode)
    sweep = diode.sweep("p", [0.0, 0.3, 0.6])
    for i in range(3):
        x, p = sweep.at(i)
        small.admittance(x, "p", np.logspace(0, 9, 4), **p)
    assert small.analyses == 1


def test_admittance_at_no_frequency_is_the_slope_of_the_current(diode):
    from sgsolve.devices import SmallSignal, conductance

    x = diode.solve(V_p=0.5).x
    slope = conductance(diode, x, "p", V_p=0.5)
    y = SmallSignal(diode).admittance(x, "p", [1e-6], V_p=0.5)[0]
    assert y.real == pytest.approx(slope, rel=1e-9)
    other = SmallSignal(diode).admittance(x, "p", [1e5], at="n", V_p=0.5)[0]
    same = SmallSignal(diode).admittance(x, "p", [1e5], V_p=0.5)[0]
    assert abs(other + same) < 1e-9 * abs(same)


def test_derivatives_by_every_parameter_match_differences(diode):
    from sgsolve.devices import derivatives

    names = ["V_p", "T", "G", "eps_r", "ni", "mu_n", "mu_p", "tau_n", "tau_p", "n1", "p1"]
    p = {"V_p": 0.5, "G": 1e15}
    x = diode.solve(**p).x
    adjoint = derivatives(diode, x, "p", names, **p)
    forward = derivatives(diode, x, "p", names, how="forward", **p)

    def current(q):
        return diode.current(diode.solve(x, **q).x, "p", **q)

    for name in names:
        value = (diode.parameters | p)[name]
        h = 1e-4 * abs(value)
        differences = [
            (current({**p, name: value + d}) - current({**p, name: value - d})) / (2 * d)
            for d in (h, 2 * h)
        ]
        expected = (4 * differences[0] - differences[1]) / 3
        assert adjoint[name] == pytest.approx(forward[name], rel=1e-8)
        assert adjoint[name] == pytest.approx(expected, rel=1e-5, abs=1e-7 * current(p) / value)


def test_all_contacts_together_take_no_current_at_any_frequency(diode):
    from sgsolve.devices import SmallSignal

    x, small = diode.solve(V_p=0.6).x, SmallSignal(diode)
    into, out = (
        small.admittance(x, "p", [0.0, 1e3, 1e9, 1e12], at=name, V_p=0.6) for name in ("p", "n")
    )
    assert (np.abs(into + out) < 1e-9 * np.abs(into)).all()
    assert small.analyses == 1


def test_charged_traps_are_refused():
    from sgsolve.devices import Device, Ohmic, SmallSignal, acceptor_traps, interval

    values = {"eps_r": 11.7, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0}
    values |= {"N_trap": 5e15, "c_n": 1e-8, "c_p": 1e-8, "n_trap": 1e10, "p_trap": 1e10}
    x = np.linspace(0, 1e-4, 11)
    bar = Device(interval(x), np.ones(11) * 1e16, {"a": Ohmic(0)}, values, traps=[acceptor_traps])
    with pytest.raises(InputError, match="traps: functions give their charge"):
        SmallSignal(bar)


def test_mos_capacitor():
    from mos_capacitor import DOPING, OXIDE, capacitor, main

    flat = -0.55 - 0.025852 * np.log(DOPING / 1e10)
    data = main([flat - 2.0, flat, 2.0])
    device = capacitor()
    vt, c = device.thermal_voltage, device.constants
    debye = np.sqrt(11.7 * c.eps0 * vt / (c.q * DOPING))
    theory = 1 / (1 + 3.9 * debye / (11.7 * OXIDE))
    assert data.high[1] / data.oxide == pytest.approx(theory, rel=0.01)
    widest = np.sqrt(4 * 11.7 * c.eps0 * vt * np.log(DOPING / 1e10) / (c.q * DOPING))
    least = 1 / (1 + 3.9 * widest / (11.7 * OXIDE))
    assert data.high[2] / data.oxide == pytest.approx(least, rel=0.1)
    assert np.abs(data.low[:2] / data.high[:2] - 1).max() < 1e-3
    assert data.low[2] / data.oxide == pytest.approx(0.97538, abs=1e-4)


@pytest.mark.parametrize("voltages", [np.linspace(-3.0, 2.0, 41), [-3.0, 2.0, 5.0]])
def test_an_inversion_layer_that_no_contact_reaches_costs_no_second_analysis(voltages):
    from mos_capacitor import capacitor

    device = capacitor()
    sweep = device.sweep("gate", voltages)
    assert sweep.success
    assert not sweep.rejected
    assert sweep.stats.n_analyze == 0  # the cold start made the only one
    # A third are of Poisson's equation alone; one for each point shows that it is determined.
    assert sweep.stats.n_factor < 17 * len(sweep)
    # There is no current, so both quasi-Fermi levels are flat: rounding did not move them.
    assert np.abs(sweep.x[device.layout.n :]).max() < 1e-9


def test_a_lumped_insulator_is_a_meshed_one():
    from mos_capacitor import DOPING, OXIDE, SILICON

    from sgsolve.devices import Device, Gate, Ohmic, SmallSignal, graded, interval

    layer = graded([0.0, 2 * SILICON], 2e-8, 2e-8, 1.06)
    x = np.concatenate([[0.0], layer[1:]])
    x = x[x <= SILICON]
    values = {"eps_r": 11.7, "ni": 1e10, "mu_n": 800.0, "mu_p": 300.0}
    gate = Gate(0, offset=0.55, capacitance=3.9 * 8.8541878128e-14 / OXIDE)
    doping = np.full(len(x), -DOPING)
    lumped = Device(interval(x), doping, {"gate": gate, "bulk": Ohmic(-1)}, values)

    mesh = interval(np.concatenate([np.linspace(0, OXIDE, 11)[:-1], OXIDE + x]))
    below = mesh.centers() > OXIDE
    values["eps_r"] = mesh.on_edges(np.where(below, 11.7, 3.9))
    meshed = Device(
        mesh,
        np.where(mesh.nodes >= OXIDE, -DOPING, 0.0),
        {"gate": Gate(0, offset=0.55), "bulk": Ohmic(-1)},
        values,
        active=mesh.part(below),
    )
    found = [
        SmallSignal(d).capacitance(d.solve(V_gate=-0.5).x, "gate", [1e7], V_gate=-0.5)[0]
        for d in (lumped, meshed)
    ]
    assert found[0] == pytest.approx(found[1], rel=1e-9)


def test_an_inversion_layer_is_filled_by_generation_at_its_own_slow_rate():
    from mos_capacitor import capacitor

    from sgsolve.devices import SmallSignal, quasi_static

    device = capacitor()
    x = device.solve(V_gate=2.0).x
    frequencies = [1e-6, 1e-3, 1e0, 1e3, 1e6, 1e8]
    found = SmallSignal(device).capacitance(x, "gate", frequencies, V_gate=2.0)
    slow = quasi_static(device, x, "gate", V_gate=2.0)
    assert found[0] == pytest.approx(slow, rel=1e-4)
    assert found[2] < found[1] < 0.98 * slow
    assert found[3:] == pytest.approx(found[-1], rel=1e-5)


@pytest.mark.parametrize("voltage", [-1.5, 1.0, *slow(-0.3, 0.2)])
def test_slow_capacitance_is_the_slope_of_the_charge(voltage):
    from mos_capacitor import capacitor

    from sgsolve.devices import quasi_static
    from sgsolve.devices.equations.carriers import carriers
    from sgsolve.devices.equations.transport.terminal import electrode_charge

    device = capacitor()

    def stored(v):
        p = device.parameters | {"V_gate": v}
        state = carriers(device, device.solve(V_gate=v).x, p)
        return electrode_charge(device, state, "gate", p)

    wide, narrow = ((stored(voltage + h) - stored(voltage - h)) / (2 * h) for h in (2e-3, 1e-3))
    found = quasi_static(device, device.solve(V_gate=voltage).x, "gate", V_gate=voltage)
    assert found == pytest.approx((4 * narrow - wide) / 3, rel=1e-7)


@pytest.mark.slow
def test_small_signals_of_a_transistor_in_two_dimensions():
    from mosfet import transistor

    from sgsolve.devices import SmallSignal, derivatives

    device, bias = transistor(), {"V_gate": 1.0, "V_drain": 1.0}
    x = device.solve(**bias).x
    small = SmallSignal(device)
    transconductance = derivatives(device, x, "drain", ["V_gate"], **bias)["V_gate"]
    y = [small.admittance(x, "gate", [1e3], at=name, **bias)[0] for name in device.contacts]
    at = dict(zip(device.contacts, y, strict=True))
    assert at["drain"].real == pytest.approx(transconductance, rel=1e-9)
    assert abs(sum(y)) < 1e-9 * abs(at["drain"])
    assert at["gate"].imag > 0


def test_a_photodetector_in_modulated_light():
    """Carriers of even generation cross a depleted layer at one speed: transit times."""
    from sgsolve.devices import Device, Ohmic, SmallSignal, derivatives, interval
    from sgsolve.devices import velocity_saturation as saturation

    L, speed, f = 1e-3, 1e7, np.array([1e3, 1e9, 3e9, 5e9])
    x = np.linspace(0.0, L + 2e-6, 202)
    doping = np.where(x < 1e-6, -1e18, np.where(x > L + 1e-6, 1e18, 1e10))
    values = {"eps_r": 11.7, "ni": 1e8, "mu_n": 1e4, "mu_p": 1e4, "G": 1e16}
    values |= {f"v_sat_{c}": speed for c in "np"} | {f"beta_{c}": 1.0 for c in "np"}
    absorbing = ((x > 1e-6) & (x < L + 1e-6)).astype(float)
    device = Device(
        interval(x), doping, {"p": Ohmic(0), "n": Ohmic(-1)}, values,
        mobility=saturation, profile=absorbing,
    )  # fmt: skip
    state = device.solve(V_p=-500.0).x
    found = SmallSignal(device).response(state, "G", f, "p", V_p=-500.0)
    slope = derivatives(device, state, "p", ["G"], V_p=-500.0)["G"]
    assert found[0].real == pytest.approx(slope, rel=1e-4)
    t = 2j * np.pi * f * L / speed
    transit = 2.0 * (1.0 / t - (1.0 - np.exp(-t)) / t**2)
    np.testing.assert_allclose(found / slope, transit, rtol=0.05)
    with pytest.raises(InputError, match="temperature"):
        SmallSignal(device).response(state, "T", f, "p", V_p=-500.0)
    with pytest.raises(ParameterError, match="mu_x"):
        SmallSignal(device).response(state, "mu_x", f, "p", V_p=-500.0)


@pytest.mark.parametrize(("largest", "error"), [(2.5e-6, 0.02), (np.inf, 0.2)])
def test_a_photodiode_loses_its_response_over_the_transit_time(largest, error):
    """Electrons from one side cross the layer at one velocity: sin(pi f tau) / (pi f tau)."""
    from sgsolve.devices import Device, Ohmic, SmallSignal, graded, interval

    across, speed, frequencies = 5e-4, 1e7, np.array([1e6, 3e9, 6e9, 9e9])
    x = graded([0.0, 1e-5, 1e-5 + across, 2e-5 + across], 5e-7, 2e-7, 1.2, largest)
    bias = {"V_p": -100.0, "G": 1e18}
    values = {"eps_r": 11.7, "ni": 1e10, "mu_n": speed * across / 100.8, "mu_p": 20.0}
    diode = Device(
        interval(x), np.select([x < 1e-5, x < 1e-5 + across], [-1e19, 1e12], 1e19),
        {"p": Ohmic(0), "n": Ohmic(-1)}, values,
        profile=np.where((x > 1.1e-5) & (x < 1.3e-5), 1.0, 0.0),
    )  # fmt: skip
    lit = diode.solve(**bias).x
    found = np.abs(SmallSignal(diode).response(lit, "G", frequencies, "p", **bias))
    off = found / found[0] - np.sinc(frequencies * across / speed)
    assert 0.1 * error < np.abs(off).max() < error
