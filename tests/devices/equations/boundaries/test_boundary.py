"""Boundaries in two dimensions: what one dimension does, and limits that are known."""

import numpy as np
import pytest

from tests.selection import slow

WIDTH = 1e-5
VALUES = {"eps_r": 11.7, "Nc": 2.8e19, "Nv": 1.04e19, "Ec": 0.56, "Ev": -0.56}
VALUES |= {"mu_n": 1000.0, "mu_p": 400.0, "n1": 1e10, "p1": 1e10, "tau_n": 1e-7, "tau_p": 1e-7}


def meshes(x):
    """The line, and two meshes of a strip over it: rectangles, and triangles cut askew."""
    from sgsolve.devices import interval, rectangle, triangulation

    grid = rectangle(x, np.linspace(0, WIDTH, 4))
    a, b, c, d = grid.cells.T
    odd = (np.arange(len(a)) % 2).astype(bool)
    one = np.where(odd[:, None], np.stack([a, b, c], 1), np.stack([a, b, d], 1))
    two = np.where(odd[:, None], np.stack([a, c, d], 1), np.stack([b, c, d], 1))
    return interval(x), grid, triangulation(grid.nodes, np.concatenate([one, two]))


def ends(mesh):
    x = mesh.nodes if mesh.dimension == 1 else mesh.nodes[:, 0]
    return mesh.where(x == 0), mesh.where(x == x.max())


def same_per_width(currents):
    """Whether strips carry what the line does, times their width."""
    return currents[1:] == pytest.approx([WIDTH * currents[0]] * 2, rel=1e-11)


@pytest.mark.parametrize("voltage", [0.4, *slow(-1.0, 0.2)])
def test_schottky_contacts(voltage):
    from sgsolve.devices import Device, Ohmic, Schottky, graded, srh

    currents = []
    for mesh in meshes(graded([0.0, 2e-4], 2e-8, 4e-6, 1.3)):
        left, right = ends(mesh)
        metal = Schottky(left, 0.7, v_n=2.6e6, area=mesh.boundary(left))
        contacts = {"metal": metal, "bulk": Ohmic(right)}
        device = Device(mesh, np.full(mesh.n, 1e16), contacts, VALUES, recombination=[srh])
        x = device.solve(V_metal=voltage).x
        currents.append(device.current(x, "metal", V_metal=voltage))
    assert same_per_width(currents)


@pytest.mark.parametrize("speed", [1e5, *slow(1e2, 1e9)])
def test_recombining_surfaces(speed):
    from sgsolve.devices import Device, Ohmic, Surface, graded, srh

    currents = []
    x = graded([0.0, 5e-5, 1e-4], 2e-6, 1e-6, 1.3)
    for mesh in meshes(x):
        left, right = ends(mesh)
        at = mesh.nodes if mesh.dimension == 1 else mesh.nodes[:, 0]
        device = Device(
            mesh,
            np.where(at < 5e-5, -1e15, 1e17),
            {"n": Ohmic(right)},
            VALUES | {"S_n": speed, "S_p": 0.5 * speed, "G": 1e20, "tau_n": 1e-5},
            recombination=[srh],
            surfaces={"front": Surface(left, mesh.boundary(left))},
        )
        y = device.solve().x
        n = device.layout.n
        # No terminal carries this current: it is what recombines at the surface.
        from sgsolve.devices.equations.boundaries.boundary import surface_factor
        from sgsolve.devices.equations.carriers import carriers

        state = carriers(device, y, device.parameters)
        rate = surface_factor(device, state, device.parameters) * state.excess()
        currents.append(float(rate.sum()))
        assert np.ptp(y[n:][left]) < 1e-12
    assert currents[0] > 0
    assert same_per_width(currents)


def test_gates_behind_an_insulator_that_is_not_meshed():
    from sgsolve.devices import Device, Gate, Ohmic, graded, quasi_static, srh

    found = []
    x = graded([0.0, 1e-4], 1e-7, 5e-6, 1.3)
    for mesh in meshes(x):
        left, right = ends(mesh)
        gate = Gate(left, offset=0.5, capacitance=3e-7, area=mesh.boundary(left))
        contacts = {"gate": gate, "bulk": Ohmic(right)}
        device = Device(mesh, np.full(mesh.n, -1e16), contacts, VALUES, recombination=[srh])
        y = device.solve(V_gate=1.0).x
        found.append(quasi_static(device, y, "gate", V_gate=1.0))
    assert same_per_width(found)


def half_covered(front):
    """A strip with a junction; its n side has the same boundary on top, of some kind."""
    from sgsolve.devices import Device, Ohmic, Surface, rectangle, srh

    x, y = np.linspace(0, 2e-4, 41), np.linspace(0, 1e-4, 11)
    mesh = rectangle(x, y)
    at, height = mesh.nodes.T
    top = mesh.where((height == y[-1]) & (at >= 9e-5) & (at < 2e-4))
    contacts = {"p": Ohmic(mesh.where(at == 0)), "n": Ohmic(mesh.where(at == 2e-4))}
    surfaces = {}
    if front == "ohmic":
        contacts["top"] = Ohmic(top)
    elif front is not None:
        surfaces["top"] = Surface(top, mesh.boundary(top))
    values = VALUES | {"tau_n": 1e-3, "tau_p": 1e-3}
    if surfaces:
        values |= {"S_n": front, "S_p": front}
    doping = np.where(at < 4e-5, -1e18, 1e17)
    device = Device(mesh, doping, contacts, values, recombination=[srh], surfaces=surfaces)
    return device.current(device.solve(V_p=0.3).x, "p", V_p=0.3)


def test_a_surface_that_recombines_at_once_is_an_ohmic_contact_without_current():
    ohmic, closed = half_covered("ohmic"), half_covered(None)
    slow, fast, fastest = (half_covered(speed) for speed in (1e-3, 1e8, 1e16))
    assert ohmic > 1.2 * closed
    assert slow == pytest.approx(closed, rel=1e-6)
    assert fast == pytest.approx(ohmic, rel=5e-3)
    assert fastest == pytest.approx(ohmic, rel=1e-8)
    assert closed < fast < fastest


def test_a_metal_that_takes_carriers_at_once_is_an_ohmic_contact():
    from sgsolve.devices import Device, Ohmic, Schottky, interval, srh

    x = np.linspace(0, 1e-4, 81)
    doping, currents = np.where(x < 5e-5, -1e17, 1e17), []
    ohmic = {"p": Ohmic(0), "n": Ohmic(-1)}
    level = Device(interval(x), doping, ohmic, VALUES, recombination=[srh]).equilibrium()[80]
    for contact in (Ohmic(-1), Schottky(-1, 0.56 - level, v_n=1e14, v_p=1e14)):
        contacts = {"p": Ohmic(0), "n": contact}
        device = Device(interval(x), doping, contacts, VALUES, recombination=[srh])
        state = device.solve(V_p=0.5).x
        currents.append(device.current(state, "p", V_p=0.5))
    assert currents[1] == pytest.approx(currents[0], rel=1e-6)
