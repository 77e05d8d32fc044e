"""Traps whose occupation takes time: admittance, emission in time, the trap-filled limit."""

import numpy as np
import pytest

from sgsolve.devices import (
    CODATA2018,
    Device,
    Gate,
    Ohmic,
    SmallSignal,
    TrapLevel,
    acceptor_traps,
    densities,
    graded,
    interval,
    quasi_static,
    srh,
)
from sgsolve.errors import DataTypeError, InputError

VT, Q = CODATA2018.thermal_voltage(300.0), CODATA2018.q
SILICON = {"eps_r": 11.7, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0}
OXIDE = 3.9 * CODATA2018.eps0 / 1e-6  # F/cm^2


def capacitor(level):
    x = graded([0.0, 2e-4], 1e-7, 1e-8, 1.1)
    contacts = {"gate": Gate(0, capacitance=OXIDE), "body": Ohmic(-1)}
    net = np.full(len(x), -1e16)
    return Device(interval(x), net, contacts, SILICON, trap_levels={"it": level})


@pytest.mark.parametrize("kind", ["donor", "acceptor"])
def test_admittance_of_interface_states(kind):
    """In depletion they are C_it in series with a resistance: 1 / (1/(i w C_it) + tau/C_it)."""
    n_trap, c, number = 1e6, 1e-10, 1e11
    device = capacitor(TrapLevel(kind, number, c_n=c, c_p=c, n_trap=n_trap, nodes=0, area=1.0))
    volts = -0.2 if kind == "donor" else 0.0
    state = device.solve(V_gate=volts).x
    n, p = (density[0] for density in densities(device, state, V_gate=volts))
    assert n < 1e-3 * p
    filled = (n + 1e20 / n_trap) / (n + n_trap + p + 1e20 / n_trap)
    stored = Q * number * filled * (1.0 - filled) / VT
    tau = 1.0 / (c * (n + n_trap + p + 1e20 / n_trap))
    small, corner = SmallSignal(device), 1.0 / (2 * np.pi * tau)
    frequencies = corner * np.array([0.1, 1.0, 10.0, 3e3])
    y = small.admittance(state, "gate", frequencies, V_gate=volts)
    w = 2 * np.pi * frequencies
    assert w[-1] < 1e8
    inner = 1.0 / (1.0 / y - 1.0 / (1j * w * OXIDE))  # the silicon, without the oxide
    depletion = inner[-1].imag / w[-1]
    expected = 1j * w * stored / (1.0 + 1j * w * tau)
    np.testing.assert_allclose((inner - 1j * w * depletion)[:3], expected[:3], rtol=2e-3)
    body = small.admittance(state, "gate", frequencies, at="body", V_gate=volts)
    assert np.abs(y + body).max() < 1e-12 * np.abs(y).max()


@pytest.mark.parametrize("volts", [-1.0, -0.2, 0.3, 1.0])
def test_the_lowest_frequency_is_quasi_static(volts):
    device = capacitor(TrapLevel("donor", 1e11, 1e-8, 1e-8, n_trap=1e6, nodes=0, area=1.0))
    state = device.solve(V_gate=volts).x
    slow = SmallSignal(device).capacitance(state, "gate", [1e-9], V_gate=volts)[0]
    assert slow == pytest.approx(quasi_static(device, state, "gate", V_gate=volts), rel=1e-6)


def junction(**levels):
    x = graded([0.0, 1e-4, 3e-4], 5e-6, 2e-7, 1.2)
    net = np.where(x < 1e-4, -1e17, 1e16)
    return Device(interval(x), net, {"p": Ohmic(0), "n": Ohmic(-1)}, SILICON, **levels)


def test_the_steady_state_is_that_of_the_functions():
    """Charge of `acceptor_traps`, and recombination of `srh` with the lifetimes 1 / (c N)."""
    x = graded([0.0, 1e-4, 3e-4], 5e-6, 2e-7, 1.2)
    net = np.where(x < 1e-4, -1e17, 1e16)
    values = SILICON | {"N_trap": 3e15, "c_n": 1e-8, "c_p": 3e-9, "n_trap": 1e11, "p_trap": 1e9}
    values |= {"tau_n": 1.0 / 3e7, "tau_p": 1.0 / 9e6, "n1": 1e11, "p1": 1e9}
    old = Device(
        interval(x), net, {"p": Ohmic(0), "n": Ohmic(-1)}, values,
        recombination=[srh], traps=[acceptor_traps],
    )  # fmt: skip
    new = junction(trap_levels={"t": TrapLevel("acceptor", 3e15, 1e-8, 3e-9, n_trap=1e11)})
    for volts in (-2.0, 0.4, 0.7):
        one, other = (d.current(d.solve(V_p=volts).x, "p", V_p=volts) for d in (old, new))
        assert other == pytest.approx(one, rel=1e-9)
    assert abs(new.current(new.equilibrium(), "p")) < 1e-25


def test_admittance_in_the_volume_at_low_frequency_is_the_slope():
    device = junction(trap_levels={"t": TrapLevel("donor", 3e15, 1e-8, 3e-9, n_trap=1e11)})
    state = device.solve(V_p=0.5).x
    y = SmallSignal(device).admittance(state, "p", [1e-6], V_p=0.5)[0]
    pair = [device.current(device.solve(state, V_p=v).x, "p", V_p=v) for v in (0.4999, 0.5001)]
    assert y.real == pytest.approx((pair[1] - pair[0]) / 2e-4, rel=1e-5)


@pytest.mark.slow
def test_emission_from_a_depletion_layer():
    """Traps empty at the sum of both rates of emission, c_n n_t and c_p n_i^2 / n_t."""
    n_trap, c = 1e12, 1e-9
    device = junction(trap_levels={"t": TrapLevel("acceptor", 1e13, c, c, n_trap=n_trap)})
    rate = c * n_trap + c * 1e20 / n_trap
    times = np.array([1.0, 2.0, 3.0, 4.0]) / rate
    wave = {"p": lambda t: -5.0 * min(t / (1e-3 / rate), 1.0)}
    run = device.transient(
        wave, (0.0, times[-1]), device.equilibrium(), rtol=1e-6, times=times,
        breakpoints=[1e-3 / rate],
    )  # fmt: skip
    n, x = device.mesh.n, device.mesh.nodes
    middle = int(np.argmin(np.abs(x - 1.25e-4)))
    filled = run.states[:, 3 * n + middle]
    final = c * 1e20 / n_trap / rate
    slope = np.diff(np.log(filled - final))
    np.testing.assert_allclose(slope[-2:], -1.0, rtol=1e-3)
    assert np.abs(run["I_p"] + run["I_n"]).max() <= 1e-12 * np.abs(run["I_p"]).max()


def test_the_end_in_time_is_the_steady_state_with_traps():
    device = junction(trap_levels={"t": TrapLevel("acceptor", 3e15, 1e-8, 3e-9, n_trap=1e11)})
    run = device.transient({"p": 0.5}, (0.0, 1e3), device.equilibrium(), rtol=1e-5)
    steady, n = device.solve(V_p=0.5).x, device.mesh.n
    assert len(run) < 500  # a start in which charges have moved takes 1122 restarts
    np.testing.assert_allclose(run.x[: 3 * n], steady, atol=1e-5)
    assert run["I_p"][-1] == pytest.approx(device.current(steady, "p", V_p=0.5), rel=1e-3)
    again = device.transient({"p": 0.5}, (0.0, 1.0), run.x, rtol=1e-5)
    np.testing.assert_allclose(again.x, run.x, atol=1e-5)


@pytest.mark.slow
def test_the_trap_filled_limit():
    """Deep empty traps hold the current back up to q N L^2 / (2 eps)."""
    length, number = 1e-3, 1e15
    x = graded([0.0, 1e-5, 1.01e-3, 1.02e-3], 5e-6, 5e-8, 1.15)
    inside = (x > 1e-5) & (x < 1.01e-3)
    level = TrapLevel("acceptor", number, 1e-9, 1e-15, n_trap=1.0, nodes=inside)
    net = np.where(inside, 0.0, 1e18)
    device = Device(
        interval(x), net, {"a": Ohmic(0), "b": Ohmic(-1)}, SILICON | {"ni": 1e-3},
        trap_levels={"t": level},
    )  # fmt: skip
    limit = Q * number * length**2 / (2 * 11.7 * CODATA2018.eps0)
    volts = limit * np.linspace(0.0, 1.6, 33)
    sweep = device.sweep("b", volts)
    current = np.abs(device.currents(sweep, "b"))[1:]
    # Electrons of the doped layers fill a few micrometers of the traps: a bit below the limit.
    assert volts[17] / limit == pytest.approx(0.85)
    assert current[15] < 1e-8  # at 0.8 of the limit
    assert current[19] > 1e2  # at the limit
    free = 9 / 8 * 11.7 * CODATA2018.eps0 * 1000.0 * (volts[-1] - limit) ** 2 / length**3
    assert free < current[-1] < 4.0 * free


def test_wrong_use_of_trap_levels_is_refused_in_words():
    good = {"kind": "donor", "density": 1e15, "c_n": 1e-8, "c_p": 1e-8, "n_trap": 1e10}
    for change, words in (
        ({"kind": "deep"}, "kind must be 'acceptor' or 'donor'"),
        ({"density": -1.0}, "density must be positive"),
        ({"c_n": 0.0}, "c_n must be positive"),
        ({"n_trap": np.nan}, "n_trap is not finite"),
        ({"c_p": 1e-2}, "cross sections"),
        ({"area": 1.0}, "name the nodes of the interface"),
        ({"nodes": [999]}, "outside the mesh"),
    ):
        with pytest.raises(InputError, match=words):
            junction(trap_levels={"t": TrapLevel(**(good | change))})
    with pytest.raises(DataTypeError, match="must be TrapLevel"):
        junction(trap_levels={"t": 1e15})
    with pytest.raises(InputError, match="N_t: must not be negative"):
        junction(trap_levels={"t": TrapLevel(**good)}).solve(N_t=-1e15)
    values = {"N_trap": 1e15, "c_n": 1e-8, "c_p": 1e-8, "n_trap": 1e10, "p_trap": 1e10}
    x = np.linspace(0.0, 1e-4, 11)
    old = Device(interval(x), np.full(11, 1e16), {"a": Ohmic(0), "b": Ohmic(-1)},
                 SILICON | values, traps=[acceptor_traps])  # fmt: skip
    with pytest.raises(InputError, match="give `trap_levels`"):
        SmallSignal(old)
    with pytest.raises(InputError, match="give `trap_levels`"):
        old.transient({"a": 0.1}, (0.0, 1e-9))


def test_the_program_of_the_interface_states(tmp_path):
    from interface_states import main

    data = main([-0.2], picture=str(tmp_path / "states.png"))
    curve = data.by_voltage[-0.2]
    n, p = (a[0] for a in densities(data.device, data.device.solve(V_gate=-0.2).x, V_gate=-0.2))
    filled = (n + 1e14) / (n + 1e6 + p + 1e14)
    assert curve.max() == pytest.approx(0.5 * Q * 1e11 * filled * (1 - filled) / VT, rel=1e-2)
    assert data.frequency[curve.argmax()] == pytest.approx(1e-8 * (p + 1e14) / 2 / np.pi, rel=0.3)
    assert (tmp_path / "states.png").stat().st_size > 5000
