"""Impact ionization and tunneling, against integrals and a simulator of 128 bits."""

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp
from scipy.optimize import brentq
from scipy.spatial import Delaunay

from sgsolve.devices import (
    CODATA2018,
    Device,
    Mesh,
    Ohmic,
    Regions,
    SmallSignal,
    UnitsWarning,
    band_to_band,
    box,
    chynoweth,
    densities,
    drive_current,
    graded,
    gummel,
    interval,
    ionization_values,
    okuto_crowell,
    rectangle,
    srh,
    trap_assisted,
    triangulation,
    van_overstraeten,
)
from sgsolve.devices.equations.carriers import carriers
from sgsolve.devices.equations.transport.ionization import ionized
from sgsolve.devices.models.tunneling import field_effect
from sgsolve.errors import DataTypeError, InputError, ParameterError
from tests.selection import slow

BARE = {"eps_r": 11.7, "ni": 1e10, "mu_n": 800.0, "mu_p": 300.0}
SILICON = BARE | {"tau_n": 1e-6, "tau_p": 1e-6, "n1": 1e10, "p1": 1e10}
TUNNELING = {"A_btb": 4e14, "E_btb": 1.9e7, "s_btb": 2.5}
ONE_RANGE = {"a_ii_n": 7.03e5, "b_ii_n": 1.231e6, "m_ii_n": 1.0}
ONE_RANGE |= {"a_ii_p": 1.582e6, "b_ii_p": 2.036e6, "m_ii_p": 1.0}
NODES = graded([0.0, 1e-4, 6e-4], 2e-6, 1e-7, 1.08)


def diode(x=NODES, values=ONE_RANGE, model=chynoweth, **options):
    net = np.where(x < 1e-4, -1e19, 1e16)
    contacts = {"p": Ohmic(0), "n": Ohmic(-1)}
    options = {"recombination": [srh], **options}
    return Device(interval(x), net, contacts, SILICON | values, ionization=model, **options)


def test_currents_of_an_avalanche_diode():
    """Those of a simulator of 128 bits on the same mesh, to all digits that are known of them."""
    volts = [0.0, 1.0, 10.0, 30.0, 45.0, 50.0, 51.0, 51.5, 51.65]
    expected = [1.740754181e-8, 7.753273212e-8, 1.651069477e-7, 4.231326618e-7]
    expected += [1.583299898e-6, 3.797840096e-6, 1.395618781e-5, 7.6007179e-5]
    device = diode()
    sweep = device.sweep("n", volts)
    currents = device.currents(sweep, "n")
    assert currents[1:-1] == pytest.approx(expected[:-1], rel=1e-9)
    assert currents[-1] == pytest.approx(expected[-1], rel=1e-8)
    assert abs(currents[0]) < 1e-25
    np.testing.assert_allclose(device.currents(sweep, "p"), -currents, rtol=1e-12, atol=1e-25)
    # The slope of the current is that of two solutions.
    two = [51.65 - 1e-6, 51.65 + 1e-6]
    pair = [device.solve(sweep.x, V_n=V) for V in two]
    pair = [device.current(r.x, "n", V_n=V) for r, V in zip(pair, two, strict=True)]
    y = SmallSignal(device).admittance(sweep.x, "n", [1e-3], V_n=51.65)[0]
    assert y.real == pytest.approx((pair[1] - pair[0]) / 2e-6, rel=1e-6)


def integral_over_layer(
    volts, density, holes_start, values=ONE_RANGE, model=chynoweth, eps_r=SILICON["eps_r"]
):
    """Ionization integral of a one-sided junction in the depletion approximation."""
    eps = eps_r * CODATA2018.eps0
    peak = np.sqrt(2 * CODATA2018.q * density * volts / eps)
    width = eps * peak / (CODATA2018.q * density)

    def alpha(x, carrier):
        names = {k[:-2]: v for k, v in values.items() if k.endswith(carrier)}
        return float(model(max(peak * (1 - x / width), 1e3), **names))

    def slope(way, y):  # of the inner integral and of the outer, along the carrier's way
        x = width - way if holes_start else way
        a, b = (alpha(x, carrier) for carrier in ("pn" if holes_start else "np"))
        return [a - b, a * np.exp(-y[0])]

    run = solve_ivp(slope, (0.0, width), [0.0, 0.0], rtol=1e-10, atol=1e-12)
    return run.y[1, -1]


@pytest.mark.parametrize(
    ("values", "model", "expected"),
    [
        (ONE_RANGE, chynoweth, 52.504),
        *slow((ionization_values("Si Okuto-Crowell"), okuto_crowell, 55.9645)),
        *slow((ionization_values("Si van Overstraeten"), van_overstraeten, 52.507)),
    ],
)
def test_breakdown_is_where_the_ionization_integral_is_one(values, model, expected):
    """The device has the built-in voltage less 2 kT/q beside the applied one."""

    def off(V):
        return integral_over_layer(V, 1e16, True, values, model) - 1.0

    breakdown = brentq(off, 0.5 * expected, 1.5 * expected, xtol=1e-6)
    assert integral_over_layer(breakdown, 1e16, False, values, model) == pytest.approx(
        1.0, abs=1e-5
    )
    assert breakdown == pytest.approx(expected, rel=2e-5)
    vt = CODATA2018.thermal_voltage(300.0)
    device = diode(values=values, model=model)
    driven = drive_current(device, "n", [1.0], guess=breakdown - 3.0)
    added = vt * np.log(1e19 * 1e16 / 1e20) - 2 * vt
    assert driven.voltage[0] + added == pytest.approx(breakdown, rel=1e-3)


def triangles(x, y):
    """All rectangles of a grid cut in two."""
    corner = (np.arange(len(x) - 1)[:, None] * len(y) + np.arange(len(y) - 1)).ravel()
    right = corner + len(y)
    halves = [np.stack([corner, right, right + 1], 1), np.stack([corner, right + 1, corner + 1], 1)]
    points = np.stack([part.ravel() for part in np.meshgrid(x, y, indexing="ij")], axis=1)
    return triangulation(points, np.concatenate(halves))


COARSE = graded([0.0, 1e-4, 4e-4], 8e-6, 1e-6, 1.2)


@pytest.mark.parametrize(
    ("mesh", "area"),
    [
        (rectangle(COARSE, np.linspace(0.0, 1e-4, 3)), 1e-4),
        *slow((triangles(COARSE, np.array([0.0, 0.3e-4, 1e-4])), 1e-4)),
        pytest.param(box(COARSE, *2 * [np.linspace(0.0, 1e-4, 3)]), 1e-8, marks=pytest.mark.slow),
    ],
)
def test_the_avalanche_of_a_strip_is_that_of_a_line(mesh, area):
    one, at = diode(COARSE), mesh.nodes[:, 0]
    ends = {"p": Ohmic(mesh.where(at == 0.0)), "n": Ohmic(mesh.where(at == at.max()))}
    net = np.where(at < 1e-4, -1e19, 1e16)
    many = Device(mesh, net, ends, SILICON | ONE_RANGE, recombination=[srh], ionization=chynoweth)
    line, strip = (d.solve(V_n=50.0).x for d in (one, many))
    expected = one.current(line, "n", V_n=50.0)
    without = diode(COARSE, {}, None)
    assert expected > 2.0 * without.current(without.solve(V_n=50.0).x, "n", V_n=50.0)
    found = [many.current(strip, name, V_n=50.0) / area for name in "np"]
    assert found[0] == pytest.approx(expected, rel=1e-12)
    assert found[0] == pytest.approx(-found[1], rel=1e-12)


def test_a_current_oblique_to_the_mesh_makes_as_many_pairs():
    """A uniform field and uniform fluxes in any direction, on triangles of all shapes."""
    x = np.linspace(0.0, 1e-4, 5)
    grid = triangles(x, x).nodes
    moved = grid + 5e-6 * np.sin(np.pi * 1e4 * grid) * np.cos(7e4 * grid[:, ::-1])
    mesh = triangulation(moved, Delaunay(moved).simplices)
    device = Device(mesh, np.full(25, 1e15), {"a": Ohmic(0)}, BARE | ONE_RANGE,
                    ionization=chynoweth)  # fmt: skip
    for angle, parallel in (0.0, 1.0), (0.6, 1.0), (2.1, 1.0), (0.6, 0.5), (0.6, -1.0):
        way = np.array([np.cos(angle), np.sin(angle)])
        turn = np.arccos(parallel)
        flow = np.array([np.cos(angle + turn), np.sin(angle + turn)])
        psi = -4e5 * moved @ way
        state = carriers(device, np.concatenate([psi, psi, psi]), device.parameters)
        step = moved[mesh.edges[:, 1]] - moved[mesh.edges[:, 0]]
        kept = device.layout.kept
        flux = 1e-150 * ((step @ flow) * mesh.couples / mesh.lengths)[kept]
        made = ionized(device, state, (flux, 2.0 * flux), device.parameters)
        field = max(4e5 * parallel, 1.0)
        alphas = [
            chynoweth(field, **{k[:-2]: v for k, v in ONE_RANGE.items() if k.endswith(c)})
            for c in "np"
        ]
        expected = 1e-150 * (alphas[0] + 2.0 * alphas[1]) * mesh.volumes.sum()
        assert made.sum() == pytest.approx(expected, rel=1e-9)
        assert (made >= 0.0).all()


def test_a_current_against_the_field_makes_no_pairs():
    """At a junction in forward bias the field is 3e5 V/cm, and the carriers diffuse against it."""
    x = graded([0.0, 1e-4, 2e-4], 4e-6, 1e-7, 1.2)
    currents = []
    for model, values in (chynoweth, ONE_RANGE), (None, {}):
        device = Device(interval(x), np.where(x < 1e-4, -2e18, 2e18), {"p": Ohmic(0),
                        "n": Ohmic(-1)}, SILICON | values, recombination=[srh],
                        ionization=model)  # fmt: skip
        currents.append(device.current(device.solve(V_p=0.3).x, "p", V_p=0.3))
    assert currents[0] == pytest.approx(currents[1], rel=1e-9)


@pytest.mark.slow
def test_a_current_of_breakdown_is_found_without_a_guess():
    """With about 1000 calls of the model; steps of the current alone take 16000."""
    calls = []

    def counted(field, *, a_ii, b_ii, m_ii):
        calls.append(1)
        return chynoweth(field, a_ii=a_ii, b_ii=b_ii, m_ii=m_ii)

    found = drive_current(diode(COARSE, model=counted), "n", [1.0])
    number = len(calls)
    near = drive_current(diode(COARSE), "n", [1.0], guess=47.0)
    assert found.voltage == pytest.approx(near.voltage, rel=1e-9)
    assert number < 2000


@pytest.mark.slow
def test_tunneling_in_two_dimensions_is_that_of_the_line():
    """The field of a node is that of its cells; regions of one material change nothing."""
    x = graded([0.0, 5e-6, 1e-5, 1.5e-5], 5e-7, 1e-7, 1.2)
    values = BARE | TUNNELING
    mesh = rectangle(x, np.linspace(0.0, 1e-4, 4))
    names = np.where(mesh.centers()[:, 0] < 7.5e-6, "left", "right")
    found = []
    for one, regions in (interval(x), None), (mesh, None), (mesh, Regions(mesh, names)):
        at = one.nodes if one.dimension == 1 else one.nodes[:, 0]
        ends = {"p": Ohmic(one.where(at == 0.0)), "n": Ohmic(one.where(at == at.max()))}
        where = at if regions is None else at[regions.nodes]
        net = np.select([where < 5e-6, where > 1e-5], [-1e19, 1e19], 0.0)
        device = Device(one, net, ends, values, recombination=[band_to_band], regions=regions)
        found.append(device.current(device.solve(V_n=4.0).x, "n", V_n=4.0))
    assert found[0] > 1e-7
    assert found[1] == pytest.approx(1e-4 * found[0], rel=1e-9)
    assert found[2] == pytest.approx(found[1], rel=1e-9)


def test_coefficients_at_other_temperatures():
    half = 0.063 / (2 * 8.617333262e-5)
    gamma = np.tanh(half / 300.0) / np.tanh(half / 400.0)
    warm = ionization_values("Si van Overstraeten", 400.0)
    assert warm["b_low_n"] == pytest.approx(1.231e6 * gamma, rel=1e-12)
    assert ionization_values("Si Okuto-Crowell", 350.0)["b_lin_p"] == pytest.approx(
        6.53e5 * 1.02835, rel=1e-12
    )
    with pytest.raises(InputError, match="for 300 K, got 400"):
        ionization_values("GaAs", 400.0)
    with pytest.raises(InputError, match="between 1 and 1500 K"):
        ionization_values("Si Okuto-Crowell", 0.5)
    with pytest.raises(InputError, match="there is no set 'Ge'"):
        ionization_values("Ge")


def mean_at_nodes(potential, h):
    """Root of the mean square of a gradient over the intervals of each node, V/cm."""
    halves = 0.5 * h * (np.diff(potential) / h) ** 2
    total = np.append(halves, 0.0) + np.append(0.0, halves)
    return np.sqrt(total / (0.5 * (np.append(h, 0.0) + np.append(0.0, h))) + 1.0)


@pytest.mark.parametrize("current", [100.0, *slow(1.0)])
@pytest.mark.parametrize("mirrored", [False, *slow(True)])
def test_a_zener_diode_at_currents_whose_carriers_fill_it(current, mirrored):
    """Carriers that drift through it do not recombine there: the current is Kane's, summed."""
    x = graded([0.0, 5e-6, 1e-5], 2e-7, 1e-8, 1.15)
    contacts = {"p": Ohmic(-1 if mirrored else 0), "n": Ohmic(0 if mirrored else -1)}
    net = np.where((x < 5e-6) != mirrored, -3e18, 3e18)
    device = Device(interval(x), net, contacts, BARE | TUNNELING, recombination=[band_to_band])
    found = drive_current(device, "n", [current], guess=5.0)
    field = np.abs(np.diff(found.states[0][: len(x)])) / np.diff(x)
    a, e0, s = TUNNELING.values()
    kane = 1.602176634e-19 * np.sum(np.diff(x) * a * field**s * np.exp(-e0 / field))
    assert current == pytest.approx(kane, rel=0.02)


def test_tunneling_currents_of_a_pin_diode():
    """Kane's rate and the densities at the ends, by hand; no current at zero bias."""
    x = graded([0.0, 5e-6, 1.5e-5, 2e-5], 2e-7, 1e-8, 1.1)
    net = np.select([x < 5e-6, x > 1.5e-5], [-1e20, 1e20], 0.0)
    contacts, ni = {"p": Ohmic(0), "n": Ohmic(-1)}, 1e10
    values = BARE | TUNNELING
    device = Device(interval(x), net, contacts, values, recombination=[band_to_band])
    assert abs(device.current(device.equilibrium(), "n")) < 1e-25
    sweep = device.sweep("n", [0.0, 4.0, 8.0])
    for i, volts in ((1, 4.0), (2, 8.0)):
        state, h, k = sweep.states[i], np.diff(x), len(x)
        field, *slopes = (mean_at_nodes(state[j * k : (j + 1) * k], h) for j in range(3))
        ends = []  # over n_i
        for density, slope in zip(densities(device, state, V_n=volts), slopes, strict=True):
            ends.append(density / ni * (ni / 2.5094e19) ** ((slope - 1.0) / field))
        few = (1.0 - ends[0] * ends[1]) / ((1.0 + ends[0]) * (1.0 + ends[1]))
        rate = 4e14 * field**2.5 * np.exp(-1.9e7 / field) * few
        halves = 0.5 * (np.append(h, 0.0) + np.append(0.0, h))
        expected = CODATA2018.q * np.sum((halves * rate)[1:-1])
        assert device.current(state, "n", V_n=volts) == pytest.approx(expected, rel=1e-6)
        middle = field[len(x) // 2]
        whole = CODATA2018.q * 1e-5 * 4e14 * middle**2.5 * np.exp(-1.9e7 / middle)
        assert 0.6 * whole < expected < whole


def test_the_field_effect_function():
    for field, expected in (
        (1e5, 1.354843626), (3e5, 8.564643969), (5e5, 50.39461599), (1e6, 11767.62477)
    ):  # fmt: skip
        assert field_effect(field, 300.0, 0.56, 0.25) == pytest.approx(expected, rel=1e-9)
    c = CODATA2018
    for field, T in ((1e3, 300.0), (2e4, 300.0), (3e5, 77.0)):
        d = 0.56 / c.thermal_voltage(T)
        K = (
            4
            / 3
            * np.sqrt(0.5 * 9.1093837015e-31 * c.q * 0.56**3)
            / (1.054571817e-34 * field * 100)
        )
        top = min((2 * d / 3 / K) ** 2, 1.0)
        exact = d * sum(
            quad(lambda u, d=d, K=K: np.exp(d * u - K * u**1.5), *ends, epsabs=0, epsrel=1e-10)[0]
            for ends in ((0.0, top), (top, min(8 * top + 0.1, 1.0)))
        )
        assert field_effect(field, T, 0.56, 0.25) == pytest.approx(exact, rel=1e-5)


def test_traps_leak_more_in_a_field():
    values = {"depth": 0.56, "m_tunnel": 0.25, "T": 300.0}
    x = graded([0.0, 1e-5, 3e-5], 5e-7, 1e-8, 1.1)
    found = []
    for model, more in ((srh, {}), (trap_assisted, values)):
        net = np.where(x < 1e-5, -1e19, 1e18)
        contacts = {"p": Ohmic(0), "n": Ohmic(-1)}
        device = Device(interval(x), net, contacts, SILICON | more, recombination=[model])
        assert abs(device.current(device.equilibrium(), "n")) < 1e-25
        found.append(device.current(device.solve(V_n=1.0).x, "n", V_n=1.0))
    assert 20.0 < found[1] / found[0] < 1e5


def test_wrong_use_of_breakdown_models_is_refused_in_words():
    with pytest.raises(ParameterError, match="a_ii_n"):
        diode(values={})
    with pytest.raises(InputError, match="b_ii_n: must be positive"):
        diode(values=ONE_RANGE | {"b_ii_n": -1e6})
    with pytest.raises(InputError, match="a_ii_p: must not be negative"):
        diode(values=ONE_RANGE | {"a_ii_p": -1.0})
    with pytest.warns(UnitsWarning, match="critical fields"):
        diode(values=ONE_RANGE | {"b_ii_n": 1.231})
    mesh = rectangle(np.linspace(0.0, 1e-4, 5), np.linspace(0.0, 1e-4, 5))
    bare = Mesh(mesh.nodes, mesh.edges, mesh.couples, mesh.volumes)
    for models in {"ionization": chynoweth}, {"recombination": [band_to_band]}:
        values = ONE_RANGE if "ionization" in models else TUNNELING
        with pytest.raises(InputError, match="models with a field need the cells of a mesh"):
            Device(bare, np.full(25, 1e15), {"a": Ohmic(0)}, BARE | values, **models)
    with pytest.raises(DataTypeError, match="ionization: must be a function"):
        diode(model="chynoweth")
    device = diode()
    with pytest.raises(InputError, match="Gummel"):
        gummel(device, device.equilibrium(), V_n=0.1)


@pytest.mark.slow
def test_the_program_of_the_avalanche_diode(tmp_path):
    from avalanche_diode import main

    data = main(picture=str(tmp_path / "breakdown.png"))
    assert data.driven.voltage[5] == pytest.approx(51.68699, abs=2e-5)
    assert (tmp_path / "breakdown.png").stat().st_size > 5000


@pytest.mark.slow
def test_the_program_of_the_thyristor(tmp_path):
    from thyristor import main

    data = main(picture=str(tmp_path / "thyristor.png"))
    assert data.breakover == pytest.approx(76.638155, abs=1e-4)
    assert data.driven.voltage[12] == pytest.approx(0.75668540, abs=1e-6)  # 1 A/cm^2
    assert (tmp_path / "thyristor.png").stat().st_size > 5000


def test_multiplication_of_a_photocurrent():
    """Electrons injected into the junction: the integral over the fields of the solution."""
    light = np.where(NODES < 0.5e-4, 1.0, 0.0)
    photocurrents = []
    for values, model in (ONE_RANGE, chynoweth), ({}, None):
        device = diode(NODES, values, model, profile=light)
        dark = device.solve(V_n=40.0).x
        lit = device.solve(dark, V_n=40.0, G=1e20).x
        with_light = device.current(lit, "n", V_n=40.0, G=1e20)
        photocurrents.append(with_light - device.current(dark, "n", V_n=40.0))
        if model is not None:
            h = np.diff(NODES)
            field = np.maximum(np.abs(np.diff(lit[: len(NODES)])) / h, 1e3)
    alpha, beta = 7.03e5 * np.exp(-1.231e6 / field), 1.582e6 * np.exp(-2.036e6 / field)
    inner = np.cumsum((alpha - beta) * h) - 0.5 * (alpha - beta) * h
    expected = 1.0 / (1.0 - np.sum(alpha * np.exp(-inner) * h))
    assert photocurrents[0] / photocurrents[1] == pytest.approx(expected, rel=3e-4)
