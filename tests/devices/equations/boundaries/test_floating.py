"""Regions that no contact reaches: found, and resolved to all digits."""

import numpy as np
import pytest

from tests.selection import slow

VALUES = {"eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0}
VALUES |= {"tau_n": 1e-7, "tau_p": 1e-7, "n1": 1e10, "p1": 1e10}


def layers(ends, doping):
    from sgsolve.devices import Device, Ohmic, graded, interval, srh

    x = graded(ends, 2e-6, 3e-7, 1.2)
    net = np.select([x < end for end in ends[1:-1]], doping[:-1], doping[-1])
    contacts = {"left": Ohmic(0), "right": Ohmic(-1)}
    return Device(interval(x), net, contacts, VALUES, recombination=[srh])


def transistor():
    return layers([0.0, 1e-4, 1.5e-4, 3e-4], [1e19, -1e17, 1e16])


def thyristor():
    return layers([0.0, 1e-4, 3e-4, 4e-4, 5e-4], [-1e18, 1e15, -1e17, 1e19])


def test_regions_are_those_without_a_contact():
    from pn_diode import diode

    from sgsolve.devices.equations.boundaries.floating import regions

    assert regions(diode()) == {"n": [], "p": []}
    device = thyristor()
    found, x = regions(device), device.mesh.nodes
    for name, low, high in (("n", 1e-4, 3e-4), ("p", 3e-4, 4e-4)):
        (part,) = found[name]
        np.testing.assert_array_equal(part, np.flatnonzero((x >= low) & (x < high)))


@pytest.mark.parametrize(
    ("make", "top", "cost"),
    [(transistor, 5.0, 8), *slow((transistor, -5.0, 8), (thyristor, -10.0, 15))],
)
@pytest.mark.slow
def test_coarse_and_fine_sweeps_agree_to_all_digits(make, top, cost):
    device = make()
    name = "right" if make is transistor else "left"
    fine = device.sweep(name, np.linspace(0, top, 41))
    coarse = device.sweep(name, [0.0, top / 2, top])
    assert fine.success
    assert coarse.success
    assert not fine.rejected
    assert fine.stats.n_factor < cost * len(fine)
    currents = [device.currents(sweep, name)[-1] for sweep in (fine, coarse)]
    assert currents[0] == pytest.approx(currents[1], rel=1e-11)
    other = {"left": "right", "right": "left"}[name]
    out = device.current(fine.x, other, **{f"V_{name}": top})
    assert currents[0] + out == pytest.approx(0, abs=1e-12 * abs(out))


@pytest.mark.parametrize("backend", ["dense", "banded", "superlu"])
def test_partial_pivoting_is_not_the_last_word_on_balances_of_leakage(backend):
    """Columns sum to what leaks, 1e-15 of their entries, which partial pivoting loses."""
    from sgsolve import linear

    device = thyristor()
    x = device.sweep("left", [0.0, -5.0]).x
    A = device.problem.at(V_left=-5.0).linearize(x)[1]
    solver = linear.LinearSolver(device.problem.sparsity(x), backend)
    solver.factorize(A)
    b = A @ np.random.default_rng(0).uniform(0.5, 1.0, len(x))
    y = solver.solve(b)
    assert (np.abs(A @ y - b) / (np.abs(A) @ np.abs(y) + np.abs(b))).max() < 1e-12


@pytest.mark.parametrize(("make", "bias"), [(transistor, 50.0), *slow((thyristor, -30.0))])
def test_one_long_step_gives_what_short_ones_give(make, bias):
    device = make()
    name = "right" if make is transistor else "left"
    fine, coarse = (device.sweep(name, np.linspace(0, bias, k)) for k in (11, 2))
    assert not coarse.rejected
    assert coarse.stats.n_factor < 60
    np.testing.assert_allclose(coarse.x, fine.x, rtol=0, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "bias", "cost"),
    [(transistor, 100.0, 90), (transistor, -60.0, 90), (thyristor, -60.0, 1500)],
)
def test_one_long_step_beyond_punch_through(make, bias, cost):
    """Space charge limits the current there: the last solution is a better guess than levels."""
    device = make()
    name = "right" if make is transistor else "left"
    fine, coarse = (device.sweep(name, np.linspace(0, bias, k)) for k in (41, 2))
    assert coarse.stats.n_factor < cost
    found, expected = (device.currents(sweep, name)[-1] for sweep in (coarse, fine))
    assert found == pytest.approx(expected, rel=1e-9)


def test_levels_of_floating_regions_are_those_of_their_forward_junctions():
    from sgsolve.devices.solving.estimates.levels import levels

    device = thyristor()
    x = device.mesh.nodes
    bases = (x >= 1e-4) & (x < 3e-4), (x >= 3e-4) & (x < 4e-4)
    n, h = levels(device, device.parameters | {"V_left": 10.0})
    assert (n[bases[0]] == 10.0).all()
    assert (h[bases[1]] == 0.0).all()


def test_the_level_between_two_contacts_is_that_of_a_resistor():
    from sgsolve.devices import Device, Ohmic, interval, srh
    from sgsolve.devices.solving.estimates.levels import levels

    x, contacts = np.linspace(0.0, 1e-3, 101), {"a": Ohmic(0), "b": Ohmic(-1)}
    bar = Device(interval(x), np.full(101, 1e15), contacts, VALUES, recombination=[srh])
    n, h = levels(bar, bar.parameters | {"V_a": 3.0})
    np.testing.assert_allclose(n, 3.0 * (1 - x / 1e-3), atol=1e-12)
    np.testing.assert_allclose(h, n, atol=1e-12)


@pytest.mark.slow
def test_a_floating_ring_in_two_dimensions():
    from sgsolve.devices import Device, Ohmic, rectangle, srh

    x, y = np.linspace(0, 4e-4, 41), np.linspace(0, 2e-4, 15)
    mesh = rectangle(x, y)
    at, depth = mesh.nodes.T
    anode, ring = (depth < 4e-5) & (at < 1e-4), (depth < 4e-5) & (at > 1.6e-4) & (at < 2.2e-4)
    doping = np.where(anode | ring, -1e18, 3e15)
    contacts = {
        "anode": Ohmic(mesh.where((depth == 0) & (at < 8e-5))),
        "cathode": Ohmic(mesh.where(depth == y[-1])),
    }
    device = Device(mesh, doping, contacts, VALUES, recombination=[srh])
    fine = device.sweep("anode", np.linspace(0, -20, 11))
    coarse = device.sweep("anode", [0.0, -20.0])
    found = [device.currents(sweep, "anode")[-1] for sweep in (fine, coarse)]
    assert found[0] == pytest.approx(found[1], rel=1e-11)
    out = device.current(fine.x, "cathode", V_anode=-20.0)
    assert found[0] + out == pytest.approx(0, abs=1e-12 * abs(out))
    inside = mesh.where(ring & (depth == 0))[2:-2]
    level = fine.x[2 * mesh.n :][inside]
    assert np.ptp(level) < 1e-9
    assert -20 < level[0] < -1


@pytest.mark.parametrize("contact", ["left", "right"])
def test_conductance_of_a_device_that_blocks(contact):
    from sgsolve.devices import SmallSignal, conductance

    device = transistor()
    x = device.solve(V_right=2.0).x

    def slope(h):
        ends = ({"V_right": 2.0 + s} for s in (h, -h))
        up, down = (device.current(device.solve(x, **p).x, contact, **p) for p in ends)
        return (up - down) / (2 * h)

    expected = (4 * slope(1e-3) - slope(2e-3)) / 3
    slow = SmallSignal(device).admittance(x, "right", [0.0], at=contact, V_right=2.0)[0].real
    assert slow == pytest.approx(expected, rel=1e-7)
    if contact == "right":
        assert conductance(device, x, "right", V_right=2.0) == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
def test_two_cells_in_series_are_lit_from_the_dark():
    device = layers([0.0, 1e-4, 2e-4, 3e-4, 4e-4], [-1e18, 1e17, -1e17, 1e18])
    x = device.solve(G=1e21).x
    slowly = device.sweep("G", np.concatenate([[0.0], 1e21 * 10.0 ** np.arange(-12, 1)]))
    expected = device.currents(slowly, "left")[-1]
    assert expected < 0
    assert device.current(x, "left", G=1e21) == pytest.approx(expected, rel=1e-11)
    field = device.solve(G=np.full(device.mesh.n, 1e21)).x
    assert device.current(field, "left", G=1e21) == pytest.approx(expected, rel=1e-11)


def test_light_on_an_inversion_layer_that_no_contact_reaches():
    from mos_capacitor import capacitor

    from sgsolve.devices.solving.resolved import errors_of_level

    device = capacitor()
    coarse = device.sweep("G", [0.0, 1e18, 1e22], V_gate=2.0)
    fine = device.sweep("G", np.concatenate([[0.0], 10.0 ** np.arange(8, 23)]), V_gate=2.0)
    assert coarse.success
    assert fine.success
    assert not fine.rejected
    assert fine.stats.n_factor < 8 * len(fine)
    np.testing.assert_allclose(coarse.x, fine.x, atol=1e-12)
    np.testing.assert_allclose(device.solve(V_gate=2.0, G=1e22).x, fine.x, atol=1e-12)
    lay = device.layout
    levels = fine.states[:, lay.n]
    assert np.all(np.diff(levels[1:]) < 0)  # electrons pile up
    for i in range(len(fine)):
        assert max(errors_of_level(device, *fine.at(i)).values()) < 1e-12
    gates = device.sweep("gate", np.linspace(-3, 3, 13), G=1e18)
    assert gates.success
    assert gates.stats.n_factor < 10 * len(gates)


@pytest.mark.slow
def test_a_voltage_just_beyond_a_fold_is_told():
    """A thyristor whose branch folds at 2.317419 V: the eliminated balances hold to rounding."""
    from sgsolve import PartialBranchWarning
    from sgsolve.devices import Device, Ohmic, SwitchedWarning, graded, interval, srh

    values = VALUES | {"eps_r": 11.7, "tau_n": 1e-6, "tau_p": 1e-6}
    x = graded([0.0, 2e-4, 17e-4, 20e-4, 22e-4], 22e-4 / 60, 1e-6, 1.3)
    net = np.select([x < 2e-4, x < 17e-4, x < 20e-4], [-1e19, 3e15, -1e17], 1e19)
    contacts = {"a": Ohmic(0), "k": Ohmic(-1)}
    device = Device(interval(x), net, contacts, values, recombination=[srh])
    below = device.sweep("a", [0.0, 1.25, 2.0, 2.25, 2.3])
    assert below.success  # without a warning
    # Newton's method fails, so the device switches on, or finds what rounding imitates: an end.
    with pytest.warns((PartialBranchWarning, SwitchedWarning)):
        beyond = device.sweep("a", [2.3, 2.3176], x0=below.x)
    currents = device.currents(beyond, "a")
    assert (len(currents) == 2) == beyond.success
    assert (currents[1:] > 1e6 * currents[0]).all()


def test_what_is_not_confirmed_is_no_success(monkeypatch):
    """The form with the fluxes as unknowns decides; here it confirms nothing beyond 0.3 V."""
    from sgsolve import ConvergenceError, PartialBranchWarning
    from sgsolve.devices import Device, Ohmic, graded, interval, srh
    from sgsolve.devices.solving.kept_fluxes import KeptFluxes

    x = graded([0.0, 1e-4, 2e-4, 3e-4], 2e-5, 1e-6, 1.3)
    net = np.select([x < 1e-4, x < 2e-4], [1e18, -1e17], 1e18)
    contacts = {"a": Ohmic(0), "k": Ohmic(-1)}
    values = VALUES | {"eps_r": 11.7, "tau_n": 1e-6, "tau_p": 1e-6}
    device = Device(interval(x), net, contacts, values, recombination=[srh])
    volts = [0.0, 0.2, 0.4, 0.6]
    assert device.sweep("a", volts).success
    known = KeptFluxes.polished
    monkeypatch.setattr(
        KeptFluxes, "polished", lambda form, x, p: known(form, x, p) if p["V_a"] < 0.3 else None
    )
    words = r"2 of 4 values of 'V_a'.*state at 0\.4 is not confirmed.*drive_current"
    with pytest.warns(PartialBranchWarning, match=words):
        part = device.sweep("a", volts)
    assert not part.success
    assert part["V_a"].tolist() == [0.0, 0.2]
    assert (len(part.states), part.reached) == (2, 0.2)
    with pytest.raises(ConvergenceError, match=r"is not confirmed.*drive_current") as failed:
        device.solve(V_a=0.4)
    assert not failed.value.result.success
    with pytest.raises(ConvergenceError, match="0 of 1 values"):
        device.sweep("a", [0.4], x0=part.x)


def test_levels_that_doubles_do_not_resolve_are_told():
    from mos_capacitor import capacitor
    from mosfet import transistor as mosfet

    from sgsolve.devices import UnresolvedWarning
    from sgsolve.devices.solving.resolved import errors_of_level, warn_if_unresolved

    device = capacitor()
    for voltage in (-2.0, 0.5, 3.0):
        x = device.solve(V_gate=voltage).x
        assert max(errors_of_level(device, x, {"V_gate": voltage}).values()) < 1e-12
    # Shifted by hand in the dark, the layer is off by as much.
    lay, off = device.layout, x.copy()
    depleted = np.flatnonzero(device.mesh.nodes[lay.nodes] < 1.2e-5)
    off[lay.n + depleted] -= 1e-2 * device.thermal_voltage
    errors = errors_of_level(device, off, {"V_gate": 3.0})
    assert 1e-3 < errors["electrons"] < 2e-2
    assert errors["holes"] < 1e-12
    with pytest.warns(UnresolvedWarning, match="electrons: the balance of the whole device"):
        warn_if_unresolved(device, [(x, {"V_gate": 3.0}), (off, {"V_gate": 3.0})])
    reached, bias = mosfet(), {"V_gate": 2.0, "V_drain": 1.0}
    assert max(errors_of_level(reached, reached.solve(**bias).x, bias).values()) < 1e-12
