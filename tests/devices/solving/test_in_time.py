"""Devices in time: closed forms, steady states at the end, small signals, balances of currents."""

import numpy as np
import pytest

from sgsolve import linear
from sgsolve.devices.solving.kept_fluxes import form_of
from sgsolve.errors import DataTypeError, InputError, ParameterError
from tests.selection import slow

SILICON = {"eps_r": 11.7, "ni": 1e10, "mu_n": 1400.0, "mu_p": 450.0}
SILICON |= {"tau_n": 1e-8, "tau_p": 1e-8, "n1": 1e10, "p1": 1e10}
BANDS = {"Nc": 2.8e19, "Nv": 1.04e19, "Ec": 0.56, "Ev": -0.56}


def diode(n=101, statistics=None, **values):
    from sgsolve.devices import Device, Ohmic, interval, srh

    x = np.linspace(0.0, 3e-4, n)
    doping = np.where(x < 1e-4, -1e17, 1e16)
    return Device(
        interval(x), doping, {"p": Ohmic(0), "n": Ohmic(-1)}, SILICON | values,
        recombination=[srh], statistics=statistics,
    )  # fmt: skip


def switched(top=0.75, low=-1.0):
    from sgsolve.transient import PiecewiseLinear

    return PiecewiseLinear([0.0, 1e-10, 1e-9, 1e-8, 1.1e-8], [0.0, 0.0, top, top, low])


@pytest.mark.slow
def test_a_diode_of_1000_nodes_is_switched_with_one_analysis():
    device = diode(1000)
    run = device.transient({"p": switched()}, (0.0, 3e-8))
    assert run.success
    assert run.stats.n_analyze == 1
    assert 3 * run.stats.n_factor <= run.stats.nit
    total = np.abs(run["I_p"] + run["I_n"]).max()
    assert total <= 1e-12 * np.abs(run["I_p"]).max()
    on = device.current(device.solve(V_p=0.75).x, "p", V_p=0.75)
    assert np.interp(0.99e-8, run["t"], run["I_p"]) == pytest.approx(on, rel=0.01)


@pytest.mark.slow
def test_the_current_is_the_same_across_any_surface():
    """That is the equation of the total current, and not how the currents are read."""
    from sgsolve.devices import TimeForm

    device = diode()
    x = device.equilibrium()
    form = TimeForm(device, x, device.parameters)
    y, currents = form.unknowns(x, device.parameters), {}
    for k, other in enumerate((x, device.solve(V_p=-3.0).x, device.solve(V_p=0.7).x)):
        currents[f"I_{k}"] = TimeForm(device, other, device.parameters).current("p")
    side = np.zeros(device.mesh.n)
    side[:80] = 1.0  # in the neutral n layer
    far = TimeForm(device, x, device.parameters)
    far._surfaces._sides["p"] = side
    currents["far"] = far.current("p")
    run = form.problem.at(V_p=switched()).transient(y, (0.0, 3e-8), rtol=1e-6, outputs=currents)
    largest = np.abs(run["I_0"]).max()
    for name in ("I_1", "I_2", "far"):
        np.testing.assert_allclose(run[name], run["I_0"], rtol=0, atol=1e-4 * largest)


@pytest.mark.parametrize("kind", ["Fermi-Dirac", *slow("Boltzmann", "Blakemore")])
def test_the_end_is_the_steady_state(kind):
    from sgsolve.devices import Blakemore, fermi_dirac_half

    statistics = {"Blakemore": Blakemore(0.27), "Fermi-Dirac": fermi_dirac_half()}.get(kind)
    values = {k: v for k, v in SILICON.items() if k != "ni"} | BANDS
    device = diode()
    if statistics:
        from sgsolve.devices import Device, srh

        device = Device(
            device.mesh, 1e2 * device.parameters["doping"], device.contacts, values,
            recombination=[srh], statistics=statistics,
        )  # fmt: skip
    run = device.transient({"p": switched(0.6, 0.55)}, (0.0, 1e-6), rtol=1e-5)
    assert run.success
    steady = device.solve(V_p=0.55).x
    np.testing.assert_allclose(run.x, steady, rtol=0, atol=1e-6)
    assert run["I_p"][-1] == pytest.approx(device.current(steady, "p", V_p=0.55), rel=1e-4)


def test_excess_carriers_decay_with_their_lifetime():
    """Far from contacts dp/dt = G - p/tau: p = G tau (1 - exp(-t/tau)), then exp(-t/tau)."""
    from sgsolve.devices import Device, Ohmic, interval, srh
    from sgsolve.transient import Pulse

    tau, rate, x = 1e-8, 1e19, np.linspace(0.0, 0.1, 201)
    bar = Device(
        interval(x), np.full(201, 1e16), {"a": Ohmic(0), "b": Ohmic(-1)},
        SILICON | {"n1": 1.0, "p1": 1.0}, recombination=[srh],
    )  # fmt: skip
    light = Pulse(0.0, rate, width=5e-8)
    times = np.array([0.0, 1e-8, 3e-8, 6e-8, 8e-8])
    dark = bar.equilibrium()
    run = bar.transient({"G": light}, (0.0, 1e-7), dark, rtol=1e-6, times=times)
    vt, middle = bar.thermal_voltage, 100
    psi, phip = (run.states[:, k * 201 + middle] for k in (0, 2))
    holes = 1e10 * np.exp((phip - psi) / vt)
    full = rate * tau * (1 - np.exp(-5.0))
    expected = np.where(
        times < 5e-8, rate * tau * (1 - np.exp(-times / tau)), full * np.exp(-(times - 5e-8) / tau)
    )
    np.testing.assert_allclose(holes, expected + 1e4, rtol=1e-4, atol=2e7)


def test_the_current_of_a_gate_charges_its_capacitor():
    """Everything is displacement: I = dQ/dt of the gate, and the bulk gives it back."""
    from mos_capacitor import capacitor

    from sgsolve.devices import quasi_static

    device = capacitor()
    gate, bulk = device.contacts
    slope = 1e3  # V/s: accumulation follows
    run = device.transient({gate: lambda t: -1.0 - slope * t}, (0.0, 1e-3), rtol=1e-6)
    assert run.success
    total = np.abs(run[f"I_{gate}"] + run[f"I_{bulk}"]).max()
    assert total <= 1e-12 * np.abs(run[f"I_{gate}"]).max()
    x = device.solve(**{f"V_{gate}": -2.0}).x
    expected = quasi_static(device, x, gate, **{f"V_{gate}": -2.0})
    assert run[f"I_{gate}"][-1] / -slope == pytest.approx(expected, rel=1e-4)


@pytest.mark.slow
def test_a_transistor_in_two_dimensions_is_switched_by_its_gate():
    from mosfet import transistor

    from sgsolve.transient import PiecewiseLinear

    device = transistor()
    gate = PiecewiseLinear([0.0, 1e-10, 2e-9], [0.0, 0.0, 2.0])
    run = device.transient({"gate": gate, "drain": 0.5}, (0.0, 5e-9), rtol=1e-3)
    assert run.success
    assert run.stats.n_analyze == 1
    currents = np.array([run[f"I_{name}"] for name in device.contacts])
    assert np.abs(currents.sum(axis=0)).max() <= 1e-12 * np.abs(currents).max()
    bias = {"V_gate": 2.0, "V_drain": 0.5}
    steady = device.current(device.solve(**bias).x, "drain", **bias)
    assert run["I_drain"][-1] == pytest.approx(steady, rel=1e-4)


def test_a_schottky_diode_ends_at_its_steady_current():
    from sgsolve.devices import Device, Ohmic, Schottky, graded, interval, materials, srh

    x, models = graded([0.0, 2e-4], 2e-6, 1e-7), [srh]
    device = Device(
        interval(x), np.full(len(x), 1e16), {"m": Schottky(0, barrier=0.7), "o": Ohmic(-1)},
        materials.silicon.at(300.0, models), recombination=models,
    )  # fmt: skip
    run = device.transient({"m": lambda t: min(0.4, 1e9 * t)}, (0.0, 1e-8), breakpoints=[4e-10])
    steady = device.current(device.solve(V_m=0.4).x, "m", V_m=0.4)
    assert run["I_m"][-1] == pytest.approx(steady, rel=1e-6)


def test_outputs_and_events_are_of_the_state():
    device, n = diode(), 101
    run = device.transient(
        {"p": lambda t: 1e9 * t}, (0.0, 5e-10), outputs={"held": lambda x, V_p: x[n] - V_p},
        events={"half": lambda x: x[n] - 0.25}, stop="half",
    )  # fmt: skip
    assert np.abs(run["held"]).max() < 1e-9
    assert run["t"][-1] == pytest.approx(2.5e-10, rel=1e-9)
    assert run.states.shape[1] == 3 * n


@pytest.mark.slow
def test_a_light_pulse_on_a_solar_cell(tmp_path):
    from light_pulse import LIGHT, cell, main

    data = main(picture=str(tmp_path / "pulse.png"))
    lit = data.runs[0.0]
    steady = cell().solve(G=LIGHT).x
    short = cell().current(steady, "top", G=LIGHT)
    assert np.interp(5.5e-8, lit["t"], lit["I_top"]) == pytest.approx(short, rel=1e-5)
    assert data.decay[0.6] == pytest.approx(2.62e-9, rel=0.01)
    assert (tmp_path / "pulse.png").stat().st_size > 5000


def test_capacitance_of_a_ramp_is_that_of_small_signals(tmp_path):
    from voltage_ramp import main

    data = main(rtol=2e-7, picture=str(tmp_path / "ramp.png"))
    np.testing.assert_allclose(data.ramp, data.small_signal, rtol=1e-4)
    assert (tmp_path / "ramp.png").stat().st_size > 5000


def test_wrong_use_is_refused_in_words():
    device = diode(21)
    cases = [
        ({"q": 1.0}, (0.0, 1.0), ParameterError, "no contact 'q'"),
        ([1.0], (0.0, 1.0), DataTypeError, "must map contacts"),
        ({"doping": lambda t: 0.0}, (0.0, 1.0), InputError, "'doping' is an array"),
        ({"p": lambda t: np.nan}, (0.0, 1.0), InputError, "V_p: is not finite"),
        ({"tau_n": -1.0}, (0.0, 1.0), InputError, "tau_n: must be positive"),
        ({"p": 0.1}, 1.0, DataTypeError, "interval must be two times"),
        ({"p": 0.1}, (1.0, 0.0), InputError, "must increase"),
    ]
    for waveforms, interval, error, words in cases:
        with pytest.raises(error, match=words):
            device.transient(waveforms, interval)
    with pytest.raises(InputError, match="'I_p' is the current of a contact"):
        device.transient({"p": 0.1}, (0.0, 1.0), outputs={"I_p": lambda x: x[0]})


def test_traps_that_hold_charge_are_refused():
    from sgsolve.devices import Device, acceptor_traps

    plain = diode(21)
    traps = {"N_trap": 1e15, "c_n": 1e-8, "c_p": 1e-8, "n_trap": 1e10, "p_trap": 1e10}
    values = {k: SILICON[k] for k in ("eps_r", "ni", "mu_n", "mu_p")} | traps
    doping = plain.parameters["doping"]
    device = Device(plain.mesh, doping, plain.contacts, values, traps=[acceptor_traps])
    with pytest.raises(InputError, match="traps: functions give their charge"):
        device.transient({"p": 0.1}, (0.0, 1e-9))


@pytest.mark.parametrize("backend", ["superlu", linear.SuperLU])
def test_a_device_takes_the_back_end_of_all_its_linear_systems(backend):
    from sgsolve.devices import Device, Ohmic, interval

    x = np.linspace(0.0, 1e-4, 41)
    values = {"eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0}
    found = {}
    for given in ("auto", backend):
        device = Device(
            interval(x),
            np.where(x < 0.5e-4, -1e16, 1e16),
            {"a": Ohmic(0), "b": Ohmic(-1)},
            values,
            backend=given,
        )
        sweep = device.sweep("a", [0.0, 0.4])
        in_time = device.transient({"a": 0.1}, (0.0, 1e-12))
        problems = form_of(device).problem, device.poisson_problem
        for run in (sweep, in_time):
            assert (run.stats.backend == "superlu") == (given != "auto")
        assert all(one._definition.workspaces.backend == given for one in problems)
        found[given] = device.currents(sweep, "a")
    np.testing.assert_allclose(found[backend], found["auto"], rtol=1e-9, atol=1e-25)
