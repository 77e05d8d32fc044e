"""One long step of a voltage: what short steps give, at a bounded number of factorizations."""

import numpy as np
import pytest

from tests.selection import slow

VALUES = {"eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0}
VALUES |= {"tau_n": 1e-7, "tau_p": 1e-7, "n1": 1e10, "p1": 1e10}
SATURATION = {"v_sat_n": 1e7, "v_sat_p": 8e6, "beta_n": 2.0, "beta_p": 1.0}  # cm/s, cm/s, 1, 1
FIELDS = ["potential", "quasi_fermi"]


def diode(field):
    from sgsolve.devices import Device, Ohmic, graded, interval, srh, velocity_saturation

    x = graded([0.0, 1e-4, 3e-4], 1e-5, 1e-7)
    return Device(
        interval(x), np.where(x < 1e-4, -1e18, 1e16), {"p": Ohmic(0), "n": Ohmic(-1)},
        VALUES | SATURATION, recombination=[srh], mobility=velocity_saturation, field=field,
    )  # fmt: skip


def field_effect_transistor(field):
    """A channel between two contacts, and a p-type gate on it."""
    from sgsolve.devices import Device, Ohmic, rectangle, srh, velocity_saturation

    x, y = np.linspace(0, 4e-4, 33), np.linspace(0, 1e-4, 17)
    mesh = rectangle(x, y)
    at, depth = mesh.nodes.T
    gate = (depth < 3e-5) & (at > 1.2e-4) & (at < 2.8e-4)
    contacts = {
        "source": Ohmic(mesh.where(at == 0)),
        "drain": Ohmic(mesh.where(at == x[-1])),
        "gate": Ohmic(mesh.where((depth == 0) & gate)),
    }
    return Device(
        mesh, np.where(gate, -1e18, 2e16), contacts, VALUES | SATURATION, recombination=[srh],
        mobility=velocity_saturation, field=field,
    )  # fmt: skip


def check(device, name, coarse, fine):
    """Currents of a coarse and of a fine sweep agree."""
    assert coarse.success
    assert fine.success
    found, expected = (device.currents(sweep, name)[-1] for sweep in (coarse, fine))
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("field", FIELDS)
def test_reverse_bias_where_velocities_saturate(field):
    device = diode(field)
    coarse, fine = (device.sweep("p", np.linspace(0.0, -25.0, k)) for k in (2, 5))
    assert not coarse.rejected
    assert coarse.stats.n_factor < 20
    check(device, "p", coarse, fine)


@pytest.mark.parametrize("field", ["quasi_fermi", *slow("potential")])
@pytest.mark.parametrize(("name", "bias"), [("drain", 7.0), *slow(("gate", -50.0))])
def test_a_channel_where_velocities_saturate(field, name, bias):
    device = field_effect_transistor(field)
    coarse, fine = (device.sweep(name, np.linspace(0.0, bias, k)) for k in (2, 5))
    assert not coarse.rejected
    assert coarse.stats.n_factor < 40
    check(device, "drain", coarse, fine)


def insulated_gate_bipolar_transistor(finest):
    """Half a cell of 60 um; the p-type body is reached by the emitter, the drift region by none."""
    from sgsolve.devices import Device, Gate, Ohmic, graded, materials, rectangle, srh

    x = graded([0.0, 4e-4, 6e-4, 1e-3], 2e-4, 20 * finest, 1.8)
    y = graded([0.0, 1e-4, 3e-4, 60e-4, 63e-4], finest, 10 * finest, 2.0)
    mesh = rectangle(x, np.concatenate([[-1e-5, -5e-6], y]))
    at, depth = mesh.nodes.T
    silicon = mesh.centers()[:, 1] > 0
    source = (depth <= 1e-4) & (at >= 2e-4) & (at <= 4e-4)
    layers = [depth < 0, source, (depth <= 3e-4) & (at <= 6e-4), depth < 60e-4]
    contacts = {
        "emitter": Ohmic(mesh.where((depth == 0) & (at <= 3e-4))),
        "collector": Ohmic(mesh.where(depth == depth.max())),
        "gate": Gate(mesh.where((depth == depth.min()) & (at >= 4e-4)), offset=-4.1),
    }
    values = materials.silicon.at(300.0, [srh]) | {"tau_n": 1e-6, "tau_p": 1e-6}
    values["eps_r"] = mesh.on_edges(np.where(silicon, 11.7, 3.9))
    net = np.select(layers, [0.0, 1e19, -1e17, 1e14], -1e18)
    return Device(
        mesh, net, contacts, values, recombination=[srh], active=mesh.part(silicon)
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("finest", [2e-6, 3e-6])
@pytest.mark.parametrize("bias", [60.0, 100.0, 150.0])
def test_a_blocked_transistor_whose_collector_rounds_to_currents(finest, bias):
    """At 100 V rounding of a potential is a current, which circulates in the collector."""
    device = insulated_gate_bipolar_transistor(finest)
    sweep = device.sweep("collector", [0.0, bias])
    assert sweep.success
    into, out = (device.currents(sweep, name)[-1] for name in ("collector", "emitter"))
    assert 1e-9 < into < 1e-7
    assert into == pytest.approx(-out, rel=1e-12)
