"""Contacts, recombination and traps at nodes that are in two regions, in one and two dimensions."""

import numpy as np
import pytest

from sgsolve.devices import (
    Device,
    Ohmic,
    Regions,
    Schottky,
    SmallSignal,
    Surface,
    TrapLevel,
    derivatives,
    fermi_dirac_half,
    interval,
    rectangle,
)
from sgsolve.devices.equations.carriers import carriers
from sgsolve.devices.equations.transport.source_terms import space_charge
from sgsolve.devices.solving.kept_fluxes import form_of
from sgsolve.errors import InputError
from tests.selection import slow

BANDS = {
    "Ec": (0.3, 0.1), "Ev": (-1.4, -1.2), "Nc": (3e18, 1e19), "Nv": (2e19, 1e19),
    "eps_r": (10.0, 12.0), "mu_n": (400.0, 1000.0), "mu_p": (50.0, 100.0),
}  # fmt: skip
SPEEDS = {"S_n": 1e4, "S_p": 3e4, "n1": (1e3, 2e4), "p1": (3e2, 4e4)}
units = pytest.mark.filterwarnings("ignore:.*units")


def parameters(layer, names):
    values = {name: np.array(two)[layer] for name, two in BANDS.items()}
    return values | {k: np.array(v)[layer] if np.ndim(v) else v for k, v in names.items()}


def stack(contacts, mesh=None, width=0.0, names=None, **options):
    """Layers n and p, a step of both bands between them; a strip of them if it has a width."""
    x = np.linspace(0.0, 4e-5, 41)
    if mesh is None:
        mesh = rectangle(x, np.linspace(0.0, width, 3)) if width else interval(x)
    at = mesh.nodes if mesh.dimension == 1 else mesh.nodes[:, 0]
    middle = mesh.centers() if mesh.dimension == 1 else mesh.centers()[:, 0]
    regions = Regions(mesh, np.where(middle < 2e-5, "wide", "narrow"))
    layer = (regions.names == "narrow").astype(int)
    made = {
        name: kind(mesh.where(np.isin(at, x[where]))) for name, (kind, where) in contacts.items()
    }
    net = np.array([2e17, -1e17])[layer]
    values = parameters(layer, names or {})
    return Device(mesh, net, made, values, regions=regions, **options)


THREE = {"left": (Ohmic, [0]), "middle": (Ohmic, [20]), "right": (Ohmic, [40])}


@pytest.mark.parametrize("statistics", [None, fermi_dirac_half()])
def test_a_contact_at_an_interface_is_neutral_as_a_whole(statistics):
    device = stack(THREE, statistics=statistics)
    x = device.equilibrium()
    s = carriers(device, x, device.parameters)
    at = device.layout.pair_nodes == 20
    assert np.count_nonzero(at) == 2
    charge = space_charge(device, s, device.parameters)[at] * device.layout.volumes[at]
    assert abs(charge.sum()) < 1e-9 * np.abs(charge).max()
    for name in THREE:
        assert abs(device.current(x, name)) < 1e-16
    volts = {"V_left": 0.1, "V_middle": 0.05}
    state = device.solve(**volts).x
    currents = [device.current(state, name, **volts) for name in THREE]
    assert abs(sum(currents)) < 1e-12 * max(map(abs, currents))
    slope = derivatives(device, state, "middle", ["T"], **volts)["T"]
    up, down = (
        device.current(device.solve(state, T=T, **volts).x, "middle", T=T, **volts)
        for T in (300.01, 299.99)
    )
    assert slope == pytest.approx((up - down) / 0.02, rel=1e-5)


def test_a_contact_over_an_interface_in_two_dimensions_is_that_of_the_line():
    over = {"left": (Ohmic, [0]), "over": (Ohmic, [19, 20, 21]), "right": (Ohmic, [40])}
    volts, found = {"V_left": 0.2, "V_right": -0.1}, []
    for width in (0.0, 3e-5):
        device = stack(over, width=width)
        state = device.solve(**volts).x
        area = width or 1.0
        found.append([device.current(state, name, **volts) / area for name in over])
        y = SmallSignal(device).admittance(state, "over", [1e6], **volts)[0] / area
        found[-1] += [y.real, y.imag]
    np.testing.assert_allclose(found[1], found[0], rtol=1e-10)


def test_a_contact_at_the_border_of_two_regions_of_one_material_changes_nothing():
    one = {name: (two[0], two[0]) for name, two in BANDS.items()}
    found = []
    for split in (2e-5, 1.0):
        x = np.linspace(0.0, 4e-5, 41)
        mesh = interval(x)
        regions = Regions(mesh, np.where(mesh.centers() < split, "wide", "narrow"))
        values = {name: two[0] for name, two in one.items()}
        ends = {"left": Ohmic(0), "middle": Ohmic(20), "right": Ohmic(40)}
        device = Device(mesh, np.full(len(regions.nodes), 1e17), ends, values, regions=regions)
        found.append(device.solve(V_middle=0.05).x)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-13, atol=1e-15)


ENDS = {"left": (Ohmic, [0]), "right": (Ohmic, [40])}


@units
@pytest.mark.parametrize("width", [3e-5, *slow(0.0)])
@pytest.mark.parametrize(
    "region", ["wide", ("narrow", "wide"), *slow("narrow", (("wide", "narrow"),))]
)
def test_recombination_at_an_interface_is_that_of_the_named_densities(region, width):
    """What flows in less what flows out is its rate, electrons of one side and holes of one."""
    mesh = rectangle(np.linspace(0.0, 4e-5, 41), np.linspace(0.0, width, 3)) if width else None
    at = 20 if mesh is None else np.flatnonzero(mesh.nodes[:, 0] == np.linspace(0, 4e-5, 41)[20])
    area = 1.0 if mesh is None else np.array([0.25, 0.5, 0.25]) * width
    where = Surface([20] if mesh is None else at, area, region)
    device = stack(ENDS, mesh, names=SPEEDS, surfaces={"s": where})
    state = device.solve(V_left=-0.6).x
    p = device.parameters | {"V_left": -0.6}
    s, lay = carriers(device, state, p), device.layout
    names = (region, region) if isinstance(region, str) else region
    n, h = (
        density[
            (lay.pair_nodes == (20 if mesh is None else at[1])) & (device.regions.names == name)
        ]
        for density, name in zip((s.n, s.p), names, strict=True)
    )
    k = [("wide", "narrow").index(name) for name in names]
    row = 20 if mesh is None else at[1]
    splitting = (s.up - s.un)[lay.local[row]]
    excess = n * h * -np.expm1(-splitting)
    n1, p1 = SPEEDS["n1"][k[0]], SPEEDS["p1"][k[1]]
    rate = excess / ((n + n1) / SPEEDS["S_p"] + (h + p1) / SPEEDS["S_n"])
    rate = float(rate[0]) * (1.0 if mesh is None else area[1])
    assert rate > 0.0
    form = form_of(device)  # its balances have all their digits
    kept = form.problem.at(V_left=-0.6).solve(form.whole(state, p), form.method()).x
    np.testing.assert_allclose(form.potentials(kept), state, rtol=1e-10, atol=1e-13)
    if mesh is None:
        for flux, sign in zip(form.fluxes(kept), (1.0, -1.0), strict=True):
            left = (lay.carrier_divergence @ flux)[lay.local[row]]
            assert left * s.vt * sign == pytest.approx(rate, rel=1e-8)
    else:
        line = stack(ENDS, names=SPEEDS, surfaces={"s": Surface([20], 1.0, region)})
        expected = width * line.current(line.solve(V_left=-0.6).x, "left", V_left=-0.6)
        found = device.current(state, "left", V_left=-0.6)
        assert found == pytest.approx(expected, rel=1e-10)
    currents = [device.current(state, name, V_left=-0.6) for name in ENDS]
    assert abs(sum(currents)) < 1e-12 * abs(currents[0])
    dark = device.equilibrium()
    assert abs(device.current(dark, "left")) < 1e-20


@pytest.mark.parametrize("speeds", [(0.0, 0.0), (0.0, 1e4), (1e4, 0.0)])
def test_a_surface_without_a_velocity_recombines_nothing(speeds):
    names = SPEEDS | dict(zip(("S_n", "S_p"), speeds, strict=True))
    device = stack(ENDS, names=names, surfaces={"s": Surface([20], 1.0, "wide")})
    plain = stack(ENDS)
    volts = {"V_left": -0.6}
    found = [d.current(d.solve(**volts).x, "left", **volts) for d in (device, plain)]
    assert found[0] == pytest.approx(found[1], rel=1e-12)


@pytest.mark.parametrize("region", [*slow("wide"), ("wide", "narrow")])
def test_traps_at_an_interface(region):
    """Steady state, small signals and time have the same traps; an equal surface recombines."""
    level = TrapLevel("acceptor", 1e11, 1e-8, 3e-8, n_trap=1e9, nodes=20, area=1.0, region=region)
    device = stack(ENDS, trap_levels={"it": level})
    x = device.solve(V_left=-0.6).x
    I = device.current(x, "left", V_left=-0.6)
    y = SmallSignal(device).admittance(x, "left", [1e-3], V_left=-0.6)[0]
    up, down = (
        device.current(device.solve(x, V_left=v).x, "left", V_left=v) for v in (-0.5999, -0.6001)
    )
    assert y.real == pytest.approx((up - down) / 2e-4, rel=1e-5)
    run = device.transient({"left": -0.6}, (0.0, 1e-3), device.equilibrium(), rtol=1e-5)
    assert run["I_left"][-1] == pytest.approx(I, rel=1e-3)
    assert abs(device.current(device.equilibrium(), "left")) < 1e-20


@units
def test_traps_in_the_volume_of_one_region():
    """Named, they are in its part of the control volumes at the interface, and not in the other."""
    level = TrapLevel("donor", 1e15, 1e-8, 1e-8, n_trap=1e9, region="wide")
    nodes = stack(ENDS, trap_levels={"t": level}).trap_levels["t"]
    assert nodes.measure.sum() == pytest.approx(2e-5, rel=1e-12)
    listed = TrapLevel("donor", 1e15, 1e-8, 1e-8, n_trap=1e9, nodes=range(21), region="wide")
    same = stack(ENDS, trap_levels={"t": listed}).trap_levels["t"]
    np.testing.assert_array_equal(same.measure, nodes.measure)


@units
def test_wrong_use_is_refused_in_words():
    def made(contacts=None, names=None, **options):
        return stack(contacts or ENDS, names=names, **options)

    trap = {"kind": "acceptor", "density": 1e11, "c_n": 1e-8, "c_p": 1e-8, "n_trap": 1e9}
    for words, options in (
        ("'s': node 20 is in several regions; say whose", {"surfaces": {"s": Surface([20])}}),
        ("'s': node 10 is not in 'narrow'", {"surfaces": {"s": Surface([10], region="narrow")}}),
        ("'s': region must be one name or two", {"surfaces": {"s": Surface([20], 1.0, ("wide",))}}),
        ("'t': node 20 is in several", {"trap_levels": {"t": TrapLevel(**trap, nodes=20)}}),
        (
            "'t': is between two regions; give its area",
            {"trap_levels": {"t": TrapLevel(**trap, nodes=20, region=("wide", "narrow"))}},
        ),
        (
            "'t': is between two regions; name its nodes",
            {"trap_levels": {"t": TrapLevel(**trap, region=("wide", "narrow"))}},
        ),
        (
            "its barrier counts from the conduction band of one",
            {"contacts": {"left": (Ohmic, [0]), "m": (lambda k: Schottky(k, 0.7), [20])}},
        ),
    ):
        names = SPEEDS if "surfaces" in options else None
        with pytest.raises(InputError, match=words):
            made(names=names, **options)
    mesh = interval(np.linspace(0.0, 4e-5, 41))
    values = {name: two[0] for name, two in BANDS.items()}
    ends = {"left": Ohmic(0), "right": Ohmic(-1)}
    for words, options in (
        ("the device has no regions", {"trap_levels": {"t": TrapLevel(**trap, region="wide")}}),
        ("the device has no regions", {"surfaces": {"s": Surface([3], region="wide")}}),
    ):
        more = {} if "trap_levels" in options else {"S_n": 1.0, "S_p": 1.0, "n1": 1.0, "p1": 1.0}
        with pytest.raises(InputError, match=words):
            Device(mesh, np.full(41, 1e17), ends, values | more, **options)
