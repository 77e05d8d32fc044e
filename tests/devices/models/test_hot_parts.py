"""Self-heating with avalanches, metals, levels of traps, surfaces and steps of the bands."""

from dataclasses import replace

import numpy as np
import pytest

from sgsolve.devices import (
    CODATA2018,
    Device,
    Heat,
    Ohmic,
    Regions,
    Schottky,
    SheetCharge,
    SmallSignal,
    Surface,
    Thermionic,
    TrapLevel,
    conductance,
    densities,
    drive_current,
    graded,
    interval,
    ionization_values,
    materials,
    rectangle,
    srh,
    temperature,
    van_overstraeten,
)
from sgsolve.devices.equations.carriers import carriers
from sgsolve.devices.equations.transport.conduction import fluxes
from sgsolve.devices.equations.transport.heat_sources import heat_made
from sgsolve.devices.models.heat import heat_left, local_parameters
from sgsolve.devices.models.trap_levels import level_heat
from sgsolve.transient import RungeKutta
from tests.selection import slow

X = graded([0.0, 1e-4, 3e-4], 2e-5, 4e-7, 1.4)
NET = np.where(X < 1e-4, -1e18, 1e16)
ENDS = {"p": Ohmic(0), "n": Ohmic(-1)}
GOOD = 900.0  # W/(cm K): one temperature, about


def silicon(T):
    return materials.silicon.at(T, [srh])


def ionizing(T):
    return silicon(T) | ionization_values("Si van Overstraeten", T)


def avalanche(conductivity=None, mesh=None, **more):
    heat = conductivity and Heat(conductivity, ionizing, capacity=1.63)
    mesh = mesh or interval(X)
    at = mesh.nodes if mesh.dimension == 1 else mesh.nodes[:, 0]
    ends = {"p": Ohmic(mesh.where(at == 0.0)), "n": Ohmic(mesh.where(at == X[-1]))}
    net = np.where(at < 1e-4, -1e18, 1e16)
    return Device(mesh, net, ends, ionizing(300.0), recombination=[srh],
                  ionization=van_overstraeten, heat=heat, **more)  # fmt: skip


def metal(conductivity=None):
    heat = conductivity and Heat(conductivity, silicon, capacity=1.63)
    net = np.where(X < 1e-4, 1e16, 1e18)
    return Device(interval(X), net, {"p": Schottky(0, 0.7), "n": Ohmic(-1)}, silicon(300.0),
                  recombination=[srh], heat=heat)  # fmt: skip


def trapped(conductivity=None, T=300.0, n_trap=(1e10, 1e12)):
    heat = conductivity and Heat(conductivity, silicon, capacity=1.63)
    levels = {
        "bulk": TrapLevel("acceptor", 1e15, 1e-8, 1e-8, n_trap[0]),
        "sheet": TrapLevel("donor", 1e11, 1e-8, 1e-8, n_trap[1], nodes=6, area=1.0),
    }
    speeds = {"S_n": 1e4, "S_p": 2e4}
    return Device(interval(X), NET, ENDS, silicon(T) | speeds, recombination=[srh], heat=heat,
                  trap_levels=levels, surfaces={"cut": Surface([9])})  # fmt: skip


def stepped(conductivity=None):
    x = np.concatenate([np.linspace(0, 1e-5, 21), np.linspace(1e-5 + 1e-10, 2e-5, 21)])
    bands = {"Ec": np.repeat([0.0, 0.2], 21), "Ev": -1.5, "Nc": 1e19, "Nv": 1e19, "eps_r": 12.0}
    parts = {"step": Thermionic(20), "sheet": SheetCharge(10)}
    heat = conductivity and Heat(conductivity, capacity=1.0)
    values = bands | {"mu_n": 1000.0, "mu_p": 100.0, "sheet_sheet": 1e11}
    return Device(interval(x), np.full(42, 1e17), ENDS, values, interfaces=parts, heat=heat)


def power_and_heat(device, x, **volts):
    """Electric power, and the heat that arises; the sum of the currents; heat of free nodes."""
    p = local_parameters(device, x, device.parameters | volts)
    s = carriers(device, x, p)
    made = heat_made(device, s, fluxes(device, s, p), p)
    left = heat_left(device, s, made, p)
    currents = {name: device.current(x, name, **volts) for name in device.contacts}
    power = sum(volts.get(f"V_{name}", 0.0) * I for name, I in currents.items())
    total = sum(currents.values()) / max(np.abs(list(currents.values())))
    return power, -left.sum(), total, np.abs(left[device.layout.heat_free > 0.0]).max()


@pytest.mark.parametrize(
    ("make", "volts", "conductivity"),
    [
        *slow((avalanche, {"V_n": 33.0}, 0.01)),
        (metal, {"V_p": 1.5}, 0.02),
        *slow((metal, {"V_p": -20.0}, 0.02)),
        *slow((trapped, {"V_p": 1.2}, 0.02)),
        *slow((trapped, {"V_p": -20.0}, 0.02)),
        *slow((stepped, {"V_p": 0.5}, 0.01)),
    ],
)
def test_all_power_leaves_as_heat(make, volts, conductivity):
    hot, cool, plain = make(conductivity), make(GOOD), make()
    x = hot.solve(**volts).x
    power, heat, total, unbalanced = power_and_heat(hot, x, **volts)
    assert heat == pytest.approx(power, rel=1e-9)
    assert abs(total) < 1e-12
    assert unbalanced < 1e-8 * power
    name = next(iter(volts)).removeprefix("V_")
    alike = cool.current(cool.solve(**volts).x, name, **volts)
    expected = plain.current(plain.solve(**volts).x, name, **volts)
    assert alike == pytest.approx(expected, rel=2e-3)
    if power > 1.0:
        assert temperature(hot, x, **volts).max() > 300.1
        assert abs(hot.current(x, name, **volts) / expected - 1.0) > 1e-4


@pytest.mark.slow
def test_an_avalanche_that_warms_needs_more_volts():
    """Ionization falls with the temperature: so much the voltage of a current rises."""
    hot, plain = avalanche(0.05), avalanche()
    currents = [1.0, 3e3]
    warm, cold = (drive_current(one, "n", currents) for one in (hot, plain))
    assert warm.voltage[0] == pytest.approx(cold.voltage[0], rel=1e-4)
    V, x = warm.voltage[1], warm.states[1]
    power, heat, total, _ = power_and_heat(hot, x, V_n=V)
    assert heat == pytest.approx(power, rel=1e-9)
    assert abs(total) < 1e-12
    T = temperature(hot, x, V_n=V)
    assert T.max() > 310.0
    # Between the voltages at the lowest and at the highest temperature everywhere.
    even = Device(hot.mesh, NET, ENDS, ionizing(float(T.max())), recombination=[srh],
                  ionization=van_overstraeten)  # fmt: skip
    top = drive_current(even, "n", [currents[1]]).voltage[0]
    assert cold.voltage[1] < V < top


@pytest.mark.slow
def test_a_level_keeps_its_distance_to_the_conduction_band():
    """At 360 K everywhere, against levels given at that temperature."""
    T, vt = 360.0, [CODATA2018.thermal_voltage(t) for t in (300.0, 360.0)]
    states = [silicon(t)["Nc"] for t in (300.0, 360.0)]
    given = [states[1] * (n / states[0]) ** (vt[0] / vt[1]) for n in (1e10, 1e12)]
    warm, plain = trapped(GOOD), trapped(T=T, n_trap=given)
    for volts in (-2.0, 0.4):
        x = warm.solve(V_p=volts, T=T).x
        y = plain.solve(V_p=volts).x
        expected = plain.current(y, "p", V_p=volts)
        assert warm.current(x, "p", V_p=volts, T=T) == pytest.approx(expected, rel=1e-5)
        n = densities(warm, x, V_p=volts, T=T)[0]
        np.testing.assert_allclose(n, densities(plain, y, V_p=volts)[0], rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "volts", "steps"),
    [(avalanche, ("n", 33.0), None), (metal, ("p", 1.5), None), (trapped, ("p", 1.2), None),
     (stepped, ("p", 0.5), None), (stepped, ("p", 0.5), RungeKutta())],
    ids=["avalanche", "metal", "trapped", "stepped", "stepped, ESDIRK4"],
)  # fmt: skip
def test_time_ends_at_rest_and_small_signals_at_the_slope(make, volts, steps):
    name, last = volts
    device, V = make(0.02), {f"V_{name}": last}
    x = device.solve(**V).x
    current = device.current(x, name, **V)
    run = device.transient(
        {name: lambda t: last * min(t / 1e-8, 1.0)}, (0.0, 1e-2), device.equilibrium(), steps=steps
    )
    assert run.success
    if make is stepped:
        # Densities of holes of either sign, whose logarithms would differ by hundreds.
        assert len(run.rejected) < 30
        assert len(run) < 300
    assert run[f"I_{name}"][-1] == pytest.approx(current, rel=1e-5)
    assert run[f"I_{name}"][-1] == pytest.approx(-run["I_" + "np"[name == "n"]][-1], rel=1e-9)
    y = SmallSignal(device).admittance(x, name, [1e-3], **V)[0]
    assert y.real == pytest.approx(conductance(device, x, name, **V), rel=1e-6)


@pytest.mark.slow
def test_an_avalanche_of_two_dimensions_and_of_regions_is_that_of_the_line():
    line = avalanche(0.05)
    x = line.solve(V_n=30.0).x
    expected = line.current(x, "n", V_n=30.0)
    flat = avalanche(0.05, rectangle(X, np.array([0.0, 1e-5, 3e-5])))
    found = flat.current(flat.solve(V_n=30.0).x, "n", V_n=30.0)
    assert found == pytest.approx(3e-5 * expected, rel=1e-9)
    mesh = interval(X)
    regions = Regions(mesh, np.where(mesh.centers() < 1e-4, "left", "right"))
    heat = Heat(0.05, ionizing, capacity=1.63)
    net = np.where(regions.of("left"), -1e18, 1e16)
    parted = Device(mesh, net, ENDS, ionizing(300.0), recombination=[srh], regions=regions,
                    ionization=van_overstraeten, heat=heat)  # fmt: skip
    state = parted.solve(V_n=30.0).x
    assert power_and_heat(parted, state, V_n=30.0)[1] == pytest.approx(
        power_and_heat(parted, state, V_n=30.0)[0], rel=1e-9
    )
    assert parted.current(state, "n", V_n=30.0) == pytest.approx(expected, rel=0.1)


def test_traps_that_fill_warm_their_surroundings():
    """Of a level that is not at rest both captures give off heat, a rate times its affinity."""
    device = trapped(0.02)
    x = device.solve(V_p=0.5).x
    p = local_parameters(device, x, device.parameters | {"V_p": 0.5})
    s = carriers(device, x, p)
    steady = [level.steady(s, p) for level in device.trap_levels.values()]
    at_rest = level_heat(device, replace(s, filled=steady), steady, p)
    expected = sum(level.factor(s, p) for level in device.trap_levels.values()) * s.excess()
    expected = expected * (s.up - s.un)
    np.testing.assert_allclose(at_rest, expected, rtol=1e-6, atol=1e-12 * expected.max())
    for f in (1e-6, 0.3, 1.0 - 1e-6):
        filled = [np.full(len(part), f) for part in steady]
        assert (level_heat(device, replace(s, filled=filled), filled, p) >= 0.0).all()
