"""Self-heating: bars in closed form, power that leaves as heat, a diode at two temperatures."""

import numpy as np
import pytest

from sgsolve.devices import (
    CODATA2018,
    Device,
    Heat,
    Ion,
    Ohmic,
    Regions,
    SmallSignal,
    TunnelJunction,
    auger,
    conductance,
    derivatives,
    drive_current,
    graded,
    gummel,
    interval,
    materials,
    rectangle,
    srh,
    temperature,
)
from sgsolve.devices.equations.carriers import carriers
from sgsolve.devices.equations.transport.conduction import fluxes
from sgsolve.devices.models.heat import local_parameters
from sgsolve.errors import DataTypeError, InputError
from tests.selection import slow

LENGTH, DENSITY, K = 0.01, 1e21, 1.5  # cm, cm^-3, W/(cm K)
MU = 10.0 / (CODATA2018.q * DENSITY)  # conductivity 10 S/cm
BANDS = {"eps_r": 11.9, "Nc": 2.8e19, "Nv": 3e19, "Ec": 0.0, "Ev": -1.1, "mu_p": 1e-3}
units = pytest.mark.filterwarnings("ignore:.*units")


def bar(factor, k=200, conductivity=K):
    heat = Heat(conductivity, lambda T: {"mu_n": MU * factor(T - 300.0)})
    x = np.linspace(0.0, LENGTH, k + 1)
    contacts = {"a": Ohmic(0), "b": Ohmic(-1)}
    return Device(interval(x), np.full(k + 1, DENSITY), contacts, BANDS, heat=heat)


def linear(rise):
    return 1.0 / (1.0 + 5e-3 * rise)


def exponential(rise):
    return np.exp(0.02 * rise)


@units
@pytest.mark.parametrize(
    ("factor", "volts", "current", "top", "on_200"),
    [
        (linear, 10.0, 8104.9877998, 70.801280155, 8105.042910370),
        (exponential, 5.0, 7116.2744538, 26.949825037, 7116.296087982),
    ],
)
def test_bars_in_closed_form(factor, volts, current, top, on_200):
    """The closed form by second order, and a simulator on the same nodes to 1e-10."""
    errors = []
    for k in (100, 200, 400):
        device = bar(factor, k)
        state = device.solve(V_a=volts).x
        found = device.current(state, "a", V_a=volts)
        errors.append([found / current - 1.0, temperature(device, state).max() - 300.0 - top])
        if k == 200:
            assert found == pytest.approx(on_200, rel=1e-10)
    errors = np.array(errors)
    np.testing.assert_allclose(errors[:-1] / errors[1:], 4.0, rtol=2e-3)
    assert np.abs((4 * errors[2] - errors[1]) / 3).max() < 2e-9 * top


@units
def test_voltage_of_a_bar_that_conducts_better_when_hot():
    """It saturates: V^2 / 8 is the integral of k / sigma up to the highest temperature."""
    device = bar(exponential)
    driven = drive_current(device, "a", [5e3, 2e4, 1e5])
    for volts, state in zip(driven.voltage, driven.states, strict=True):
        top = temperature(device, state).max() - 300.0
        expected = np.sqrt(8 * K / (10.0 * 0.02) * (1.0 - np.exp(-0.02 * top)))
        assert volts == pytest.approx(expected, rel=4e-3)
    assert driven.voltage.max() < 7.745966692


@units
def test_the_conductivity_of_heat_follows_the_temperature():
    """With k / sigma constant the law of V and the highest temperature is the square root."""
    device = bar(linear, conductivity=lambda T: K / (1.0 + 5e-3 * (T - 300.0)))
    state = device.solve(V_a=6.0).x
    top = temperature(device, state).max() - 300.0
    assert np.sqrt(8 * K * top / 10.0) == pytest.approx(6.0, rel=1e-4)


def diode(T=300.0, conductivity=1.5, heated=True):
    models = [srh, auger]
    x = graded([0.0, 1e-4, 3e-4], 1e-5, 2e-7, 1.3)
    heat = Heat(conductivity, lambda T: materials.silicon.at(T, models)) if heated else None
    values = materials.silicon.at(T, models)
    net = np.where(x < 1e-4, -1e18, 1e16)
    contacts = {"p": Ohmic(0), "n": Ohmic(-1)}
    return Device(interval(x), net, contacts, values, recombination=models, heat=heat)


def heat_of_ends(device, state, volts):
    """Halves of the first and of the last edge warm the contacts themselves, W/cm^2."""
    p = local_parameters(device, state, device.parameters | {"V_p": volts})
    s = carriers(device, state, p)
    jn, jp = fluxes(device, s, p)
    drops = jn * -np.diff(s.un) + jp * -np.diff(s.up)
    return 0.5 * CODATA2018.q * s.vt**2 * (drops[0] + drops[-1])


@pytest.mark.parametrize("volts", [0.6, 1.2, *slow(-2.0)])
def test_power_leaves_as_heat(volts):
    device = diode(conductivity=0.01)
    state = device.solve(V_p=volts).x
    current = device.current(state, "p", V_p=volts)
    rise = temperature(device, state, V_p=volts) - 300.0
    flows = 0.01 * np.diff(rise) / np.diff(device.mesh.nodes)
    ends = heat_of_ends(device, state, volts)
    # Temperatures are solved to 1e-13 of themselves: 1e-10 W/cm^2.
    assert flows[0] - flows[-1] + ends == pytest.approx(current * volts, rel=1e-9, abs=1e-10)
    assert rise.min() > -1e-12


def test_in_equilibrium_nothing_flows_and_nothing_warms():
    device = diode()
    state = device.equilibrium()
    assert abs(device.current(state, "p")) < 1e-25
    solved = device.solve(V_p=0.0)
    assert np.abs(temperature(device, solved.x) - 300.0).max() < 1e-12


@pytest.mark.parametrize("T", [300.0, 350.0])
def test_a_device_that_conducts_heat_well_has_one_temperature(T):
    """All that depends on the temperature is that of a device at this one temperature."""
    hot, plain = diode(conductivity=1e3), diode(T, heated=False)
    states = [d.solve(V_p=0.7, T=T) for d in (hot, plain)]
    one, other = (
        d.current(s.x, "p", V_p=0.7, T=T) for d, s in zip((hot, plain), states, strict=True)
    )
    assert one == pytest.approx(other, rel=1e-6)


def test_derivatives_of_a_heated_current():
    device = diode(conductivity=0.005)
    state = device.solve(V_p=0.9).x
    slope = derivatives(device, state, "p", ["V_p"], V_p=0.9)["V_p"]
    pair = [device.current(device.solve(state, V_p=v).x, "p", V_p=v) for v in (0.8999, 0.9001)]
    assert slope == pytest.approx((pair[1] - pair[0]) / 2e-4, rel=1e-6)


@units
def test_in_two_dimensions_and_with_regions_it_is_the_line():
    mesh = rectangle(np.linspace(0.0, LENGTH, 41), np.linspace(0.0, 1e-3, 3))
    at = mesh.nodes[:, 0]
    contacts = {"a": Ohmic(mesh.where(at == 0.0)), "b": Ohmic(mesh.where(at == LENGTH))}
    line = bar(linear, 40)
    expected = 1e-3 * line.current(line.solve(V_a=10.0).x, "a", V_a=10.0)
    names = np.where(mesh.centers()[:, 0] < 0.3 * LENGTH, "one", "two")
    for regions in (None, Regions(mesh, names)):
        heat = Heat(K, lambda T: {"mu_n": MU * linear(T - 300.0)})
        many = mesh.n if regions is None else len(regions.nodes)
        net = np.full(many, DENSITY)
        device = Device(mesh, net, contacts, BANDS, heat=heat, regions=regions)
        state = device.solve(V_a=10.0).x
        assert device.current(state, "a", V_a=10.0) == pytest.approx(expected, rel=1e-9)


@units
def test_wrong_use_of_heat_is_refused_in_words():
    x = np.linspace(0.0, 1e-2, 11)

    def made(contacts=None, heat=None, **options):
        ends = contacts or {"a": Ohmic(0), "b": Ohmic(-1)}
        values = BANDS | {"mu_n": 1e-2}
        return Device(interval(x), np.full(11, 1e19), ends, values, heat=heat or Heat(K), **options)

    for words, options in (
        ("conductivity must be positive", {"heat": Heat(-1.0)}),
        (r"is 1.5e\+06 W/\(cm K\)", {"heat": Heat(1.5e6)}),
        ("tunnel junction 'j'", {"interfaces": {"j": TunnelJunction([0, 1, 2], 0.1)}}),
        (r"capacity is 1.63e\+06 J", {"heat": Heat(K, capacity=1.63e6)}),
        ("capacity must be positive", {"heat": Heat(K, capacity=-1.0)}),
        ("one for each of the 11 nodes", {"heat": Heat(K, capacity=np.ones(10))}),
        ("not modeled with ions", {"ions": {"v": Ion(np.arange(2, 8), 1, 1e15, 1e-10)}}),
    ):
        with pytest.raises(InputError, match=words):
            made(**options)
    with pytest.raises(DataTypeError, match="heat: must be Heat"):
        made(heat=1.5)
    device = made()
    with pytest.raises(InputError, match="small signals need its capacity"):
        SmallSignal(device)
    with pytest.raises(InputError, match="transients need its capacity"):
        device.transient({"a": 1.0}, (0.0, 1e-9))
    with pytest.raises(InputError, match="Gummel"):
        gummel(device, device.equilibrium())
    plain = Device(interval(x), np.full(11, 1e19), {"a": Ohmic(0), "b": Ohmic(-1)},
                   BANDS | {"mu_n": 1e-2})  # fmt: skip
    with pytest.raises(InputError, match="give it heat"):
        temperature(plain, plain.equilibrium())


def test_thermal_admittance_of_a_bar():
    """A small voltage warms an even bar by 0.2 K: waves of heat in it, in closed form."""
    L, k, capacity, N, V, f = 1e-2, 1.5, 1.63, 1e17, 0.5, np.array([1e-2, 1e3, 1e4, 1e5])

    def mobilities(T):
        return {"mu_n": 600.0 * (T / 300.0) ** -2.3, "mu_p": 400.0}

    values = {"eps_r": 11.7, "Nc": 2.86e19, "Nv": 3.1e19, "Ec": 0.0, "Ev": -1.12}
    device = Device(
        interval(np.linspace(0.0, L, 201)), np.full(201, N), {"a": Ohmic(0), "b": Ohmic(-1)},
        values | mobilities(300.0), heat=Heat(k, mobilities, capacity=capacity),
    )  # fmt: skip
    x, small = device.solve(V_a=V).x, SmallSignal(device)
    found = small.admittance(x, "a", f, V_a=V)
    assert found[0].real == pytest.approx(conductance(device, x, "a", V_a=V), rel=1e-9)
    frozen = device.current(x, "a", V_a=V) / V  # a temperature that does not follow
    wave = 0.5 * L * np.sqrt(2j * np.pi * f * capacity / k)
    sigma = 1.602176634e-19 * N * 600.0
    rise = (2.0 * sigma * V / L**2) * (0.5 * L / wave) ** 2 / k * (1.0 - np.tanh(wave) / wave)
    expected = sigma / L * V * (-2.3 / 300.0) * rise
    assert np.abs(found - frozen - expected).max() < 5e-3 * np.abs(expected).max()
    other = small.admittance(x, "a", f, at="b", V_a=V)
    assert np.abs(found + other).max() <= 1e-11 * np.abs(found).max()


def test_small_signals_of_a_diode_that_stays_cool():
    """The two forms of the equations have the same admittance."""
    f, volts, plain = [1.0, 1e6, 1e9], {"V_p": 0.1}, diode(heated=False)
    names = [k for k in plain.parameters if k not in ("doping", "profile") and k[:2] != "V_"]
    values = {k: plain.parameters[k] for k in names}
    cool = Device(plain.mesh, plain.parameters["doping"], plain.contacts, values,
                  recombination=plain.recombination, heat=Heat(1e3, capacity=1.63))  # fmt: skip
    found = [SmallSignal(d).admittance(d.solve(**volts).x, "p", f, **volts) for d in (cool, plain)]
    np.testing.assert_allclose(found[0], found[1], rtol=1e-6)


@units
@pytest.mark.parametrize("rtol", [1e-4, *slow(1e-6)])
def test_a_bar_warms_up_by_its_modes(rtol):
    """Even heat: nodes that are joined to two others decay by sines, to the tolerance in time."""
    k, capacity, volts = 20, 1.63, 4.0
    x, t = np.linspace(0.0, LENGTH, k + 1), np.array([0.0, 2e-6, 5e-6, 1.1e-5, 3e-5])
    heat = Heat(K, capacity=capacity)
    ends = {"a": Ohmic(0), "b": Ohmic(-1)}
    device = Device(interval(x), np.full(k + 1, DENSITY), ends, BANDS | {"mu_n": MU}, heat=heat)
    run = device.transient({"a": volts}, (0.0, t[-1]), device.equilibrium(), rtol=rtol, times=t)
    found = np.array([temperature(device, state, V_a=volts) for state in run.states]) - 300.0
    even = 10.0 * (volts / LENGTH) ** 2  # W/cm^3
    m, h = np.arange(1, k, 2)[:, None, None], LENGTH / k
    shapes = np.sin(m * np.pi * x / LENGTH)
    amounts = 2.0 / k / np.tan(m * np.pi / (2 * k))  # of a function that is 1 inside
    rates = 4.0 * K / (capacity * h**2) * np.sin(m * np.pi / (2 * k)) ** 2
    modes = amounts * (1.0 - np.exp(-rates * t[:, None])) / rates * shapes
    expected = even / capacity * modes.sum(axis=0)
    assert np.abs(found - expected).max() < 20.0 * rtol * expected.max()
    tau = capacity * LENGTH**2 / (np.pi**2 * K)  # of the slowest mode
    assert rates[0, 0, 0] * tau == pytest.approx(1.0, rel=3e-3)
    top = even * LENGTH**2 / (8 * K) * (1.0 - 32 / np.pi**3 * np.exp(-t[-1] / tau))
    assert found[-1, k // 2] == pytest.approx(top, rel=3e-3)


@pytest.mark.slow
def test_a_heated_diode_in_time_ends_at_its_steady_state_and_keeps_energy():
    """What the voltage supplies is stored or leaves by the contacts.

    Newton's method tries temperatures for which the material has no values; these are no errors.
    """
    models, x = [srh, auger], graded([0.0, 1e-4, 3e-4], 1e-5, 2e-7, 1.6)
    heat = Heat(0.01, lambda T: materials.silicon.at(T, models), materials.silicon.heat_capacity)
    device = Device(
        interval(x), np.where(x < 1e-4, -1e18, 1e16), {"p": Ohmic(0), "n": Ohmic(-1)},
        materials.silicon.at(300.0, models), recombination=models, heat=heat,
    )  # fmt: skip
    volts, start = 1.0, device.equilibrium()
    run = device.transient({"p": volts}, (0.0, 3e-5), start, rtol=1e-3)
    steady = device.solve(V_p=volts).x
    rises = np.array([temperature(device, s, V_p=volts) for s in run.states]) - 300.0
    final = temperature(device, steady, V_p=volts) - 300.0
    np.testing.assert_allclose(rises[-1], final, atol=1e-3 * final.max())
    assert final.max() > 5.0
    assert run["I_p"][-1] == pytest.approx(device.current(steady, "p", V_p=volts), rel=1e-4)
    assert np.abs(run["I_p"] + run["I_n"]).max() < 1e-12 * np.abs(run["I_p"]).max()
    late = run["t"] > 1e-8  # the junction is charged
    t, power = run["t"][late], volts * run["I_p"][late]
    h = np.diff(x)
    out = 0.01 * (rises[late, 1] / h[0] + rises[late, -2] / h[-1])
    out = out + [heat_of_ends(device, state, volts) for state in run.states[late]]
    stored = 1.63 * rises[late] @ device.mesh.volumes
    kept = np.sum(0.5 * np.diff(t) * ((power - out)[1:] + (power - out)[:-1]))
    assert stored[-1] - stored[0] == pytest.approx(kept, rel=0.02)
    with pytest.raises(InputError, match="T: must be between 1 and 1500 K, got 1600"):
        device.solve(T=1600.0)


@pytest.mark.slow
def test_the_program_of_the_self_heated_bar(tmp_path):
    """V^2 / 8 is the integral of k / sigma up to the highest temperature, 529.1302 K."""
    from self_heated_bar import main

    data = main(picture=str(tmp_path / "bar.png"))
    assert data.temperature.max() == pytest.approx(529.130214753, rel=2e-5)
    assert data.current[-1] == pytest.approx(16358.544568, rel=1e-7)
    assert (tmp_path / "bar.png").stat().st_size > 5000
