"""Self-heating of transistors with gates, and of bars whose donors freeze out."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

from sgsolve.devices import (
    CODATA2018,
    Device,
    Gate,
    Heat,
    Ohmic,
    conductance,
    donor_traps,
    interval,
    rectangle,
    srh,
    temperature,
)
from sgsolve.devices.equations.carriers import carriers
from sgsolve.devices.equations.transport.conduction import fluxes
from sgsolve.devices.equations.transport.heat_sources import heat_made
from sgsolve.devices.models.heat import heat_left, local_parameters
from sgsolve.errors import InputError

OXIDE, VOLTS = 1e-6, {"V_gate": 5.0, "V_drain": 3.0}  # cm, V
VALUES = {"T": 300.0, "Nc": 2.86e19, "Nv": 3.1e19, "Ec": 0.0, "Ev": -1.12, "eps_r": 11.7}
VALUES |= {"mu_n": 600.0, "mu_p": 200.0, "tau_n": 1e-6, "tau_p": 1e-6, "n1": 1e10, "p1": 1e10}


def mobilities(T):
    return {"mu_n": 600.0 * (T / 300.0) ** -2.2, "mu_p": 200.0 * (T / 300.0) ** -2.2}


def transistor(meshed, heat=None):
    """With an oxide on the mesh, or a capacitance for it."""
    x = np.concatenate([np.linspace(0, 0.9e-4, 4), np.linspace(1e-4, 2e-4, 9)])
    x = np.concatenate([x, np.linspace(2.1e-4, 3e-4, 4)])
    y = np.concatenate([[0.0], np.geomspace(4e-7, 2e-4, 11)])
    y = np.concatenate([np.linspace(-OXIDE, 0.0, 3)[:-1], y]) if meshed else y
    mesh = rectangle(x, y)
    at, depth = mesh.nodes.T
    ends = (at <= 1e-4) | (at >= 2e-4)
    net = np.where(depth < 0, 0.0, np.where((depth <= 2e-5) & ends, 1e19, -1e16))
    under = mesh.where((depth == y[0]) & (at >= 1e-4) & (at <= 2e-4))
    oxide = {} if meshed else {"capacitance": 3.9 * 8.854e-14 / OXIDE, "area": mesh.boundary(under)}
    contacts = {
        "source": Ohmic(mesh.where((depth == 0) & (at <= 8e-5))),
        "drain": Ohmic(mesh.where((depth == 0) & (at >= 2.2e-4))),
        "gate": Gate(under, offset=0.55, **oxide),
        "bulk": Ohmic(mesh.where(depth == y[-1])),
    }
    below = mesh.centers()[:, 1] > 0
    values = VALUES | {"eps_r": mesh.on_edges(np.where(below, 11.7, 3.9))}
    return Device(mesh, net, contacts, values, recombination=[srh], heat=heat,
                  active=mesh.part(below) if meshed else None)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("meshed", [False, True])
def test_power_leaves_by_the_ohmic_contacts_and_none_by_the_gate(meshed):
    hot = transistor(meshed, Heat(0.05, mobilities))
    x = hot.solve(**VOLTS).x
    T, p = temperature(hot, x, **VOLTS), local_parameters(hot, x, hot.parameters | VOLTS)
    currents = {name: hot.current(x, name, **VOLTS) for name in hot.contacts}
    assert abs(sum(currents.values())) < 1e-12 * currents["drain"]
    s = carriers(hot, x, p)
    left = heat_left(hot, s, heat_made(hot, s, fluxes(hot, s, p), p), p)
    power = currents["drain"] * VOLTS["V_drain"]
    assert left.sum() == pytest.approx(-power, rel=1e-9)  # conduction between nodes cancels
    sinks = np.concatenate([hot.layout.contacts[name] for name in ("source", "drain", "bulk")])
    assert np.abs(np.delete(left, sinks)).max() < 1e-9 * power
    assert (T[sinks] == 300.0).all()
    under = hot.layout.contacts["gate"]
    assert T[under].max() > 0.9 * (T.max() - 300.0) + 300.0
    assert 450.0 < T.max() < 700.0


def test_a_good_conductor_of_heat_is_as_cold_as_its_contacts():
    cold, best = transistor(False), transistor(False, Heat(900.0, mobilities))
    expected = cold.current(cold.solve(**VOLTS).x, "drain", **VOLTS)
    x = best.solve(**VOLTS).x
    rise = float(temperature(best, x, **VOLTS).max()) - 300.0
    assert 0.0 < rise < 0.1
    found = best.current(x, "drain", **VOLTS)
    assert -2.2 * rise / 300.0 < found / expected - 1.0 < 0.0


@pytest.mark.slow
def test_the_slope_of_a_hot_transistor_is_negative_and_time_ends_at_rest():
    hot = transistor(True, Heat(0.05, mobilities, capacity=1.6))
    x = hot.solve(**VOLTS).x
    current = hot.current(x, "drain", **VOLTS)
    low, high = (VOLTS | {"V_drain": 3.0 + d} for d in (-1e-3, 1e-3))
    difference = [hot.current(hot.solve(**p).x, "drain", **p) for p in (low, high)]
    slope = conductance(hot, x, "drain", **VOLTS)
    assert slope == pytest.approx((difference[1] - difference[0]) / 2e-3, rel=1e-5)
    assert slope < 0.0
    start = hot.solve(V_gate=5.0, V_drain=1.0).x
    drain = {"gate": 5.0, "drain": lambda t: 1.0 + 2.0 * min(t / 1e-9, 1.0)}
    run = hot.transient(drain, (0.0, 1e-2), start)
    assert run["I_drain"][-1] == pytest.approx(current, rel=1e-6)
    assert run["I_drain"].max() > 2.0 * current  # before it is hot


def freezing(T):
    """Densities at a donor 0.12 eV deep, with twice as many states."""
    states, vt = 2.8e19 * (T / 300.0) ** 1.5, CODATA2018.thermal_voltage(T)
    return {"Nc": states, "n_trap": 0.5 * states * np.exp(-0.12 / vt), "p_trap": 1e-30 * states}


def test_a_bar_with_donors_that_freeze_out_in_closed_form():
    """The largest T: int k / sigma dT = V^2 / 8; the current: J L = int sigma dphi."""
    L, k, volts, N = 0.01, 1.5, 3.0, 1e17

    def conductivity(T):
        few = freezing(T)["n_trap"]
        return CODATA2018.q * 1000.0 * 2.0 * N / (1.0 + np.sqrt(1.0 + 4.0 * N / few))

    def drop(T, last):  # squared, from the hottest place
        return 2.0 * quad(lambda t: k / conductivity(t), T, last)[0]

    top = brentq(lambda T: drop(300.0, T) - volts**2 / 4.0, 300.001, 900.0)
    points, weights = np.polynomial.legendre.leggauss(20)
    phi = 0.25 * volts * (1.0 + points)
    at = [brentq(lambda T, u=u: drop(T, top) - (0.5 * volts - u) ** 2, 299.99, top) for u in phi]
    expected = 0.5 * volts / L * (weights @ [conductivity(T) for T in at])

    def solved(m):
        values = {"eps_r": 11.7, "Ec": 0.0, "Ev": -1.12, "mu_n": 1000.0, "mu_p": 1e-9, "N_trap": N}
        values |= {"T": 300.0, "Nv": 1e19, "c_n": 1e-8, "c_p": 1e-12} | freezing(300.0)
        bar = Device(interval(np.linspace(0, L, m + 1)), np.zeros(m + 1),
                     {"a": Ohmic(0), "b": Ohmic(-1)}, values, traps=[donor_traps],
                     heat=Heat(k, freezing))  # fmt: skip
        x = bar.solve(V_a=volts).x
        return bar.current(x, "a", V_a=volts), temperature(bar, x, V_a=volts).max()

    coarse, fine = solved(100), solved(200)
    assert fine[0] + (fine[0] - coarse[0]) / 3.0 == pytest.approx(expected, rel=1e-7)
    assert fine[1] == pytest.approx(top, abs=1e-5)


def test_densities_of_traps_must_follow_the_temperature():
    values = VALUES | {"N_trap": 1e16, "c_n": 1e-8, "c_p": 1e-8, "n_trap": 1e10, "p_trap": 1e10}
    x = np.linspace(0, 1e-4, 11)
    with pytest.raises(InputError, match=r"heat: n_trap must follow the temperature"):
        Device(interval(x), np.full(11, 1e17), {"a": Ohmic(0), "b": Ohmic(-1)}, values,
               traps=[donor_traps], heat=Heat(1.5, mobilities))  # fmt: skip
