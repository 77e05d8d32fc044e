"""Regions: parameters at pairs of a node and a region, against ChargeTransport.jl's examples."""

import numpy as np
import pytest

from sgsolve.devices import (
    CODATA2018,
    Device,
    Ion,
    Ohmic,
    Regions,
    Schottky,
    SmallSignal,
    Thermionic,
    auger,
    interval,
    radiative,
    rectangle,
    srh,
)
from sgsolve.errors import DataTypeError, InputError, ShapeError

EXCESS = {"flux": "excess_potential"}
VOLTS = [0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0, 1.1, 1.2]
CURRENTS = "14.969596 14.969546 14.969388 14.968961 14.966652 14.947054 14.820086 13.608690"
CURRENTS += " -12.929791"  # mA/cm^2
LEVELS = "0.0054379 0.0519540 0.0975340 0.1471029 0.1952664 0.2312054 0.2813734 0.3246287 0.3446623"


class Approximate:
    """The approximation of F_1/2 that the examples were computed with."""

    def log_gamma(self, eta, order=0):
        low = eta < 1.6107
        t = np.maximum(eta, 1.0)
        z = np.logaddexp(0.0, np.where(low, eta, t**0.75))
        s = -np.expm1(-z)
        a, b, c = (np.where(low, *two) for two in ((0.0, 0.3258), (1.0, -0.0321), (0.16, 0.7523)))
        value, first = a + (b + c * z) * z, (b + 2 * c * z) * s
        second = 2 * c * s**2 + (b + 2 * c * z) * s * (1.0 - s)
        inner = np.where(low, 1.0, 0.75 * t**-0.25), np.where(low, 0.0, -0.1875 * t**-1.25)
        if order == 0:
            return np.log(value) - eta
        if order == 1:
            return first / value * inner[0] - 1.0
        return (second * inner[0] ** 2 + first * inner[1]) / value - (first / value * inner[0]) ** 2


def layers(x, ends, names):
    mesh = interval(x)
    regions = Regions(mesh, np.array(names)[np.searchsorted(ends, mesh.centers())])
    return mesh, regions, np.array([names.index(name) for name in regions.names])


def table(name):
    return np.genfromtxt(f"tests/data/{name}.csv", delimiter=",", names=True)


def cell(x, density, compensation, **options):
    from perovskite import LAYERS, TRAPS

    mesh, regions, layer = layers(x, [1e-5, 5e-5], ["etl", "mapi", "htl"])
    vt = CODATA2018.thermal_voltage(298.0)
    values = {name: np.array(three)[layer] for name, three in LAYERS.items()}
    traps = np.array(TRAPS)[layer]
    values["n1"] = values["Nc"] * np.exp((traps - values["Ec"]) / vt)
    values["p1"] = values["Nv"] * np.exp((values["Ev"] - traps) / vt)
    light = np.where(layer == 1, 1.3e5 * np.exp(-1.3e5 * (x[regions.nodes] - 1e-5)), 0.0)
    return Device(
        mesh,
        np.array([1e18, -compensation, -1e18])[layer],
        {"n": Ohmic(0), "p": Ohmic(-1)},
        values | {"T": 298.0, "G": 9.4e16},
        recombination=[srh, radiative],
        ions={"v": Ion("mapi", 1, density, 3.93e-12, 1e21, compensated=compensation == 0.0)},
        statistics=Approximate(),
        regions=regions,
        profile=light,
        **options,
    )


@pytest.mark.filterwarnings("ignore:.*units")
def test_states_of_a_perovskite_with_vacancies():
    """Their level was pinned at 0; the mean density that belongs to it gives the same state."""
    data = table("perovskite_vacancies")
    x, psi, vt = 1e-7 * data["x_nm"], data["psi_V"], CODATA2018.thermal_voltage(298.0)
    inside = np.isfinite(data["phia_V"])
    filled = 1e21 / (1.0 + np.exp((psi[inside] + 4.437) / vt))
    h = np.diff(x[inside])
    mean = np.sum(0.5 * h * (filled[1:] + filled[:-1])) / np.sum(h)
    device = cell(x, mean, 1.6e19, **EXCESS)
    found = device.solve().x
    for i, name in enumerate(("psi_V", "phin_V", "phip_V")):
        np.testing.assert_allclose(found[97 * i : 97 * (i + 1)], data[name], rtol=0, atol=1e-11)
    # The level of the vacancies counts from where their density is the mean.
    level = found[-1] - vt * np.log((1e21 - mean) / mean)
    assert level == pytest.approx(-4.437, abs=1e-11)
    total = found[:291].sum()  # of the vacancies the sum is 0
    assert total / (4 * 97) == pytest.approx(-1.046195159158462, abs=1e-12)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*units")
@pytest.mark.parametrize("options", [EXCESS, {}])
def test_currents_of_a_perovskite_with_vacancies(options):
    """With the number of vacancies conserved: the reference has eight digits in the current."""
    device = cell(1e-7 * table("perovskite_vacancies")["x_nm"], 1.6e19, 0.0, **options)
    sweep = device.sweep("p", VOLTS)
    currents = np.array(CURRENTS.split(), dtype=float)
    np.testing.assert_allclose(-1e3 * device.currents(sweep, "p"), currents, atol=1.1e-6)
    levels = np.array(LEVELS.split(), dtype=float)
    np.testing.assert_allclose(np.diff(sweep.states[:, -1]), np.diff(levels), atol=1.1e-7)


def cigs():
    data = table("cigs_traps")
    x = 1e-4 * data["x_um"]
    names = ["zno", "near", "traps", "far"]
    mesh, regions, layer = layers(x, [0.5e-4, 1.5e-4, 1.6e-4], names)
    c, vt = CODATA2018, CODATA2018.thermal_voltage(300.0)
    Nc, Nv, Ec, Ev = 4.35195989587969e17, 9.139615903601645e18, 3.4, np.array([0.0, 2.3, 2.3, 2.3])
    n1 = Nc * np.exp((2.8 - Ec) / vt)
    tau = np.array([1e100, 1e100, 1e-12, 1e100])[layer]
    richardson = 4 * np.pi * c.q * 9.1093837015e-31 * c.k**2 / 6.62607015e-34**3 * 1e-4
    v_n, v_p = (richardson * 300.0**2 / (c.q * states) for states in (Nc, Nv))
    values = {"Nc": Nc, "Nv": Nv, "Ec": Ec, "Ev": Ev[layer], "mu_n": 100.0, "mu_p": 25.0}
    values |= {"B_rad": 1e-10, "C_n": 1e-29, "C_p": 1e-29, "tau_n": tau, "tau_p": tau}
    values |= {"n1": n1, "p1": Nc * Nv * np.exp((Ev[layer] - Ec) / vt) / n1}
    values["eps_r"] = np.array([9.0, 13.6, 13.6, 13.6])[layer]
    device = Device(
        mesh,
        np.array([1e18, -5.5e15, -5.5e15, -5.5e15])[layer],
        {"left": Ohmic(0), "right": Schottky(-1, barrier=0.7, v_n=v_n, v_p=v_p)},
        values,
        recombination=[srh, radiative, auger],
        statistics=Approximate(),
        regions=regions,
        **EXCESS,
    )
    return device, data


@pytest.mark.filterwarnings("ignore:.*units")
def test_states_and_currents_of_a_cigs_stack():
    device, data = cigs()
    sweep = device.sweep("right", [0.0, 26 / 51, 1.0])
    for i, name in enumerate(("psi_V", "phin_V", "phip_V")):
        np.testing.assert_allclose(sweep.x[33 * i : 33 * (i + 1)], data[name], atol=1e-8)
    assert sweep.x.mean() == pytest.approx(1.3561479172035813, abs=1e-10)
    currents = 1e4 * device.currents(sweep, "right")
    assert np.abs(currents[1:]) == pytest.approx([5.32148, 1572.267], rel=1e-6)
    assert abs(currents[0]) < 1e-14


SILICON = {"eps_r": 11.7, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0, "tau_n": 1e-7, "tau_p": 1e-7}
SILICON |= {"n1": 1e10, "p1": 1e10}


@pytest.mark.slow
def test_regions_of_one_material_change_nothing():
    """In two dimensions: states, currents, admittances and a transient are as without regions."""
    mesh = rectangle(np.linspace(0.0, 1e-4, 17), np.linspace(0.0, 5e-5, 4))
    x = mesh.nodes[:, 0]
    contacts = {"p": Ohmic(mesh.where(x == 0.0)), "n": Ohmic(mesh.where(x == 1e-4))}
    # The middle region touches no contact, and its borders are not those of the doping.
    names = np.array(["a", "b", "c"])[np.searchsorted([2.3e-5, 8e-5], mesh.centers()[:, 0])]
    regions = Regions(mesh, names)
    assert len(regions.nodes) == mesh.n + 8
    found = []
    for given in (None, regions):
        at = x if given is None else x[given.nodes]
        net = np.where(at < 4e-5, -1e17, 3e16)
        device = Device(mesh, net, contacts, SILICON, recombination=[srh], regions=given)
        sweep = device.sweep("p", [0.0, 0.4, 0.6])
        y = SmallSignal(device).admittance(sweep.x, "p", [1e3, 1e9], V_p=0.6)
        run = device.transient({"p": 0.3}, (0.0, 1e-9), device.equilibrium(), rtol=1e-5)
        found.append((sweep.x, device.currents(sweep, "p")[1:], y, run["I_p"][-1]))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-9, atol=1e-14)


def test_a_step_of_the_bands_converges_by_second_order():
    """With parameters at nodes half a control volume at the step is in the wrong material."""
    found = []
    for k in (20, 40, 80, 160):
        mesh, regions, layer = layers(np.linspace(0.0, 2e-5, 2 * k + 1), [1e-5], ["wide", "narrow"])
        values = {"Ec": np.array([0.3, 0.1])[layer], "Ev": np.array([-1.4, -1.2])[layer]}
        values |= {"Nc": np.array([3e18, 1e19])[layer], "Nv": 1e19, "eps_r": 12.0}
        values |= {"mu_n": np.array([400.0, 1000.0])[layer], "mu_p": 100.0}
        net = np.array([2e17, -1e17])[layer]
        device = Device(mesh, net, {"l": Ohmic(0), "r": Ohmic(-1)}, values, regions=regions)
        state = device.solve(V_r=0.5).x
        found.append(device.current(state, "r", V_r=0.5))
    steps = np.abs(np.diff(np.log(found)))
    assert (steps[:-1] / steps[1:] > 3.6).all()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*units")
def test_vacancies_are_conserved_in_time_between_regions():
    x = 1e-7 * table("perovskite_vacancies")["x_nm"]
    device = cell(x, 1.6e19, 0.0)
    rest = device.equilibrium(G=0.0)
    run = device.transient({"p": 0.4, "G": 0.0}, (0.0, 1.0), rest, rtol=1e-3)
    region = device.ions["v"]
    numbers = run.states[:, 3 * 97 :] @ region.volumes
    assert np.abs(numbers / region.total - 1.0).max() < 1e-13
    assert np.abs(run["I_p"] + run["I_n"]).max() <= 1e-12 * np.abs(run["I_p"]).max()
    steady = device.solve(V_p=0.4, G=0.0)
    late = device.transient({"p": 0.4, "G": 0.0}, (0.0, 1e4), run.x, rtol=1e-5)
    np.testing.assert_allclose(late.x[:97], steady.x[:97], atol=1e-4)


def test_wrong_use_is_refused_in_words():
    mesh = interval(np.linspace(0.0, 1e-4, 11))
    regions = Regions(mesh, ["a"] * 5 + ["b"] * 5)
    other = Regions(interval(np.linspace(0.0, 1e-4, 11)), ["a"] * 5 + ["b"] * 5)

    def made(where=regions, net=1e15, values=None, **options):
        options = {"recombination": [srh], **options}
        contacts = options.pop("contacts", {"l": Ohmic(0), "r": Ohmic(-1)})
        return Device(
            mesh,
            net if np.ndim(net) else np.full(12, net),
            contacts,
            SILICON | (values or {}),
            regions=where,
            **options,
        )

    for words, options in (
        ("made for another mesh", {"where": other}),
        ("node 5 is in several regions", {"contacts": {"m": Schottky(5, 0.7)}}),
        ("leave `active` away", {"active": (mesh.couples, mesh.volumes)}),
        ("must be the name of a region", {"ions": {"v": Ion([0, 1], 1, 1e16, 1e-10)}}),
        ("there is no region 'c'; there are a, b", {"ions": {"v": Ion("c", 1, 1e16, 1e-10)}}),
        ("interfaces: emission", {"interfaces": {"s": Thermionic(4)}}),
        ("flux: must be", {"flux": "sedan"}),
    ):
        with pytest.raises(InputError, match=words):
            made(**options)
    with pytest.raises(ShapeError, match="12 pairs of a node and a region"):
        made(net=np.ones(11))
    with pytest.raises(ShapeError, match="12 pairs of a node and a region"):
        made(values={"ni": np.ones(11)})
    with pytest.raises(DataTypeError, match="regions: must be Regions, not list"):
        made(where=["a"] * 10)
    with pytest.raises(InputError, match="none is in a region"):
        Regions(mesh, [""] * 10)
    with pytest.raises(ShapeError, match="10 cells"):
        Regions(mesh, ["a"] * 9)
    with pytest.raises(DataTypeError, match="need a mesh with cells"):
        Regions(None, ["a"])
    ion = Ion("a", 1, 1e16, 1e-10)
    with pytest.raises(InputError, match="the device has no regions"):
        made(where=None, net=np.ones(11), ions={"v": ion})
