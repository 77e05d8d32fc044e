"""Tunnel junctions against Kane's formula and integrals over the bands of a solution."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.interpolate import CubicSpline

from sgsolve.devices import (
    Device,
    Heat,
    Ohmic,
    Regions,
    TunnelJunction,
    conductance,
    fermi_dirac_half,
    graded,
    gummel,
    interval,
    rectangle,
    srh,
)
from sgsolve.devices.equations.carriers import carriers
from sgsolve.errors import InputError

Q, HBAR, M0 = 1.602176634e-19, 1.054571817e-34, 9.1093837015e-31
GAAS = {"eps_r": 12.9, "Nc": 4.35e17, "Nv": 8.5e18, "Ec": 1.42, "Ev": 0.0, "mu_n": 1500.0}
GAAS |= {"mu_p": 80.0, "tau_n": 1e-9, "tau_p": 1e-9, "n1": 2e6, "p1": 2e6}
MASS, MIDDLE = 0.06, 3e-6
NODES = graded([0.0, MIDDLE, 6e-6], 2e-7, 2e-8, 1.2)


def diode(mesh=None, paths=None, area=1.0, **options):
    mesh = interval(NODES) if mesh is None else mesh
    at = mesh.nodes.reshape(mesh.n, -1)[:, 0]
    paths = np.arange(2, len(NODES) - 2) if paths is None else paths
    net = np.where(at < MIDDLE, 2e19, np.where(at > MIDDLE, -2e19, 0.0))
    ends = {"n": Ohmic(np.flatnonzero(at == 0.0)), "p": Ohmic(np.flatnonzero(at == at.max()))}
    options = {"interfaces": {"tunnel": TunnelJunction(paths, MASS, area)}} | options
    return Device(mesh, net, ends, GAAS, recombination=[srh], statistics=fermi_dirac_half(),
                  **options)  # fmt: skip


def kane(window, across, exponent, bottom, fermi, vt):
    """A/cm^2: an integral over the window; `exponent` and `across` are functions of the energy."""

    def part(E):
        filled = [1.0 / (1.0 + np.exp((E - level) / vt)) for level in fermi]
        w, edge = across(E), min(E - bottom, bottom + window - E)
        share = 1.0 - np.exp(-2.0 * edge / w)
        return 0.5 * w * share * np.exp(-exponent(E)) * (filled[0] - filled[1])

    middle = bottom + 0.5 * window
    ends = (bottom, middle), (middle, bottom + window)
    total = sum(quad(part, *pair, epsabs=0, epsrel=1e-6, limit=200)[0] for pair in ends)
    return 1e-4 * Q * MASS * M0 * Q**2 / (2 * np.pi**2 * HBAR**3) * total


def test_the_rate_in_a_uniform_field_is_kanes():
    """Both exponents in closed form; the bands fall by 2 V over the path."""
    device, n = diode(), len(NODES)
    field = 2.0 / (NODES[-3] - NODES[2])  # V/cm
    psi = -field * (NODES - NODES[2])
    vt = device.thermal_voltage
    # Fermi levels 0.15 eV above one edge, 0.1 eV below the other.
    bottom, top = GAAS["Ec"] - psi[2], GAAS["Ev"] - psi[-3]
    fermi = bottom + 0.15, top - 0.1
    x = np.concatenate([psi, np.full(n, -fermi[0]), np.full(n, -fermi[1])])
    s = carriers(device, x, device.parameters)
    taken_n, taken_p = device.tunneling.taken(s, device.parameters)
    root = np.sqrt(MASS * M0 * 1.42 * Q)
    F = field * 100.0
    exponent = np.pi * root * 1.42 / (2.0 * np.sqrt(2.0) * HBAR * F)
    across = np.sqrt(2.0) * HBAR * F / (np.pi * root)  # eV
    expected = kane(top - bottom, lambda E: across, lambda E: exponent, bottom, fermi, vt)
    assert Q * taken_n.sum() == pytest.approx(expected, rel=1e-5)
    assert taken_n[2] == taken_p[-3] == taken_n.sum() == taken_p.sum()


def integral_over_bands(x, psi, phin, phip, vt):
    """The same from the bands at the nodes, straight between them."""
    bottom, top = GAAS["Ec"] - psi[0], GAAS["Ev"] - psi[-1]

    def exponent(E):
        fine = np.unique(np.concatenate([np.linspace(*pair, 400) for pair in pairwise(x)]))
        e = np.clip((E + np.interp(fine, x, psi)) / 1.42, 0.0, 1.0)
        inside = np.sqrt(2.0 * MASS * M0 * 1.42 * Q * e * (1.0 - e)) / HBAR
        return 0.02 * np.trapezoid(inside, fine)

    table = np.linspace(bottom, top, 200)
    smooth = CubicSpline(table, [exponent(E) for E in table])
    fermi = -phin, -phip
    return kane(top - bottom, lambda E: 0.71 / smooth(E), smooth, bottom, fermi, vt)


@pytest.mark.slow
def test_the_current_has_a_peak_and_a_valley():
    device, n = diode(), len(NODES)
    volts = np.array([0.0, 0.025, 0.05, 0.075, 0.1, 0.2, 0.3, 0.4, 0.45, 0.5, 0.7])
    sweep = device.sweep("p", volts)
    J = device.currents(sweep, "p")
    assert J[0] == 0.0
    np.testing.assert_allclose(device.currents(sweep, "n"), -J, rtol=1e-12)
    peak = int(np.argmax(J))
    assert volts[peak] == 0.075
    assert J[peak] == pytest.approx(10.82, rel=1e-2)
    assert (np.diff(J[peak:9]) < 0.0).all()
    assert (np.diff(J[8:]) > 0.0).all()
    assert J[peak] > 1e7 * J[8]
    # The tunneling current is the integral over the solution's bands; SRH is negligible.
    for i in (1, 4, 6):
        x = sweep.states[i]
        ends = x[n + 2], x[2 * n + n - 3]
        expected = integral_over_bands(NODES[2:-2], x[2 : n - 2], *ends, device.thermal_voltage)
        assert J[i] == pytest.approx(expected, rel=1e-3)
    # Beyond the valley no energies are left, and the current is that without tunneling.
    without = diode(interfaces=None)
    assert J[-1] == pytest.approx(without.current(without.solve(V_p=0.7).x, "p", V_p=0.7), rel=1e-9)
    back = device.sweep("p", [0.0, -0.1, -0.3])
    assert (device.currents(back, "p")[1:] < [-100.0, -1000.0]).all()


def test_the_slope_at_the_peak_is_exact():
    device = diode()
    for volts in 0.05, 0.2:
        start = device.solve(V_p=volts).x
        at = [device.solve(start, V_p=volts + d).x for d in (-1e-4, 0.0, 1e-4)]
        slope = conductance(device, at[1], "p", V_p=volts)
        low, high = (device.current(at[i], "p", V_p=volts + d) for i, d in ((0, -1e-4), (2, 1e-4)))
        assert slope == pytest.approx((high - low) / 2e-4, rel=1e-4)
        assert np.sign(slope) == (1.0 if volts < 0.1 else -1.0)


def of_two_regions(gap=1.42, mesh=None, **options):
    """The same with a region on each side, whose gaps may differ by the valence band."""
    mesh = interval(NODES) if mesh is None else mesh
    of = Regions(mesh, np.where(mesh.centers() < MIDDLE, "n", "p"))
    values = GAAS | {"Ev": np.where(of.names == "n", 0.0, 1.42 - gap)}
    ends = {"n": Ohmic(0), "p": Ohmic(len(NODES) - 1)}
    net = np.where(of.names == "n", 2e19, -2e19)
    options = {"interfaces": {"t": TunnelJunction(np.arange(2, len(NODES) - 2), MASS)}} | options
    return Device(mesh, net, ends, values, recombination=[srh], regions=of,
                  statistics=fermi_dirac_half(), **options)  # fmt: skip


def test_two_regions_of_one_material_are_one():
    plain, two = diode(), of_two_regions()
    for volts in 0.05, -0.1:
        expected = plain.current(plain.solve(V_p=volts).x, "p", V_p=volts)
        x = two.solve(V_p=volts).x
        assert two.current(x, "p", V_p=volts) == pytest.approx(expected, rel=1e-12)
        assert two.current(x, "n", V_p=volts) == pytest.approx(-expected, rel=1e-12)
    assert two.current(two.equilibrium(), "p") == 0.0


def test_a_path_across_a_step_of_the_valence_band():
    """In a uniform field, each side with its own gap; the exponents by quadrature."""
    device, gap, n = of_two_regions(1.2), 1.2, len(NODES)
    begin, end = NODES[2], NODES[-3]
    field = 2.0 / (end - begin)
    psi = -field * (NODES - begin)
    vt = device.thermal_voltage
    bottom, top = 1.42 - psi[2], 1.42 - gap - psi[-3]
    fermi = bottom + 0.15, top - 0.1
    x = np.concatenate([psi, np.full(n, -fermi[0]), np.full(n, -fermi[1])])
    taken_n, taken_p = device.tunneling.taken(
        carriers(device, x, device.parameters), device.parameters
    )

    def exponent(E):
        total = 0.0
        for part, Eg in ((begin, MIDDLE), 1.42), ((MIDDLE, end), gap):
            fine = np.linspace(*part, 20001)
            e = np.clip((E - (1.42 - Eg + field * (fine - begin))) / Eg, 0.0, 1.0)
            inside = np.sqrt(2.0 * MASS * M0 * Eg * Q * e * (1.0 - e)) / HBAR
            total += 0.02 * np.trapezoid(inside, fine)
        return total

    table = np.linspace(bottom, top, 400)
    S = CubicSpline(table, [exponent(E) for E in table])
    expected = kane(top - bottom, lambda E: 0.71 / S(E), S, bottom, fermi, vt)
    assert Q * taken_n.sum() == pytest.approx(expected, rel=1e-3)
    assert taken_n.sum() == taken_p.sum()
    assert (device.regions.names[taken_n != 0.0], device.regions.names[taken_p != 0.0]) == (
        "n",
        "p",
    )


@pytest.mark.slow
def test_a_junction_of_two_gaps_in_time_and_its_slope():
    device = of_two_regions(1.2)
    sweep = device.sweep("p", [0.0, 0.05, -0.1])
    assert device.currents(sweep, "p")[1] > 10.0
    np.testing.assert_allclose(
        device.currents(sweep, "n"), -device.currents(sweep, "p"), rtol=1e-12
    )
    at = [device.solve(V_p=0.05 + d).x for d in (-1e-4, 0.0, 1e-4)]
    low, high = (device.current(at[i], "p", V_p=0.05 + d) for i, d in ((0, -1e-4), (2, 1e-4)))
    slope = conductance(device, at[1], "p", V_p=0.05)
    assert slope == pytest.approx((high - low) / 2e-4, rel=1e-4)
    run = device.transient({"p": lambda t: 0.05 * min(t / 1e-9, 1.0)}, (0.0, 2e-8))
    assert run["I_p"][-1] == pytest.approx(device.current(at[1], "p", V_p=0.05), rel=1e-3)


@pytest.mark.slow
def test_paths_side_by_side_carry_what_one_does():
    y = np.array([0.0, 0.3, 1.0]) * 1e-5
    mesh = rectangle(NODES, y)
    paths = np.arange(mesh.n).reshape(len(NODES), 3).T[:, 2:-2]
    many, one = diode(mesh, paths, np.array([0.15, 0.5, 0.35]) * 1e-5), diode()
    expected = 1e-5 * one.current(one.solve(V_p=0.05).x, "p", V_p=0.05)
    assert many.current(many.solve(V_p=0.05).x, "p", V_p=0.05) == pytest.approx(expected, rel=1e-9)


@pytest.mark.slow
def test_in_time_the_current_comes_to_rest_at_the_steady_one():
    device = diode()
    run = device.transient({"p": lambda t: 0.1 * min(t / 1e-9, 1.0)}, (0.0, 2e-8))
    x = device.solve(V_p=0.1).x
    assert run["I_p"][-1] == pytest.approx(device.current(x, "p", V_p=0.1), rel=1e-4)
    np.testing.assert_allclose(run["I_n"], -run["I_p"], rtol=1e-12, atol=1e-12)
    assert run.field("psi").shape == run.field("phin").shape == (len(run["t"]), len(NODES))
    assert run.field("jn").shape == (len(run["t"]), len(NODES) - 1)


def test_wrong_use_of_a_tunnel_junction_is_refused_in_words():
    def refused(match, paths, mass=MASS, area=1.0, **options):
        with pytest.raises(InputError, match=match):
            diode(interfaces={"tunnel": TunnelJunction(paths, mass, area)}, **options)

    path = np.arange(2, len(NODES) - 2)
    refused("from n-doped to p-doped", path[::-1])
    refused("at least three node numbers", [3, 4])
    refused("no edge of the mesh joins nodes 2 and 30", [2, 30, 35])
    refused("mass must be positive.*got -0.1", path, -0.1)
    refused("area must be positive", path, MASS, 0.0)
    refused("heat: is not modeled with the tunnel junction", path, heat=Heat({"n": 300.0}, 0.5))
    with pytest.raises(InputError, match="Gummel"):
        gummel(diode(), diode().equilibrium(), V_p=0.1)
    with pytest.raises(InputError, match="needs Nc, Nv, Ec and Ev"):
        Device(interval(NODES), np.where(NODES < MIDDLE, 1e19, -1e19), {"n": Ohmic(0)},
               {"eps_r": 12.9, "ni": 2e6, "mu_n": 1e3, "mu_p": 1e2},
               interfaces={"t": TunnelJunction(path, MASS)})  # fmt: skip


@pytest.mark.slow
def test_the_program_of_the_tandem_cell(tmp_path):
    from tandem import main

    data = main(picture=str(tmp_path / "tandem.png"))
    assert data.open_circuit == pytest.approx(2.4276409, abs=2e-6)
    assert data.junction_current.max() > -1e3 * data.current[0]
    assert (tmp_path / "tandem.png").stat().st_size > 5000
