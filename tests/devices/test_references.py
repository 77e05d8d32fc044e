"""Devices set up from outside, against an independent simulator in 64-digit arithmetic.

Each is written from the docstring of `Device` alone; nothing of the programs is used.
"""

import numpy as np
import pytest

from tests.devices.many_digits import Simulator, with_digits
from tests.selection import slow

SILICON = {"T": 300.0, "eps_r": 11.9, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0, "tau_n": 1e-7}
SILICON |= {"tau_p": 3e-7, "n1": 2e10, "p1": 0.5e10, "B_rad": 1e-14, "C_n": 3e-31, "C_p": 1e-31}


@pytest.fixture(autouse=True)
def many_digits():
    context = with_digits()
    yield
    context.__exit__(None, None, None)


def build(mesh, doping, nodes, values, constants, **models):
    from sgsolve.devices import Device, Ohmic, auger, radiative, srh

    return Device(
        mesh,
        doping,
        {name: Ohmic(where) for name, where in nodes.items()},
        values,
        recombination=[srh, radiative, auger],
        constants=constants,
        **models,
    )


def exact(device, nodes, values, bias, x=None, **options):
    """The simulator and its solution, from the device's as a start."""
    from sgsolve.devices import densities

    volts = {f"V_{name}": v for name, v in bias.items()}
    x = device.solve(x, **volts).x
    start = list(zip(x[: device.mesh.n], *densities(device, x, **volts), strict=True))
    doping = device.parameters["doping"]
    simulator = Simulator(
        device.mesh, doping, nodes, {"G": 0.0} | values, device.constants, **options
    )
    return simulator, simulator.solve(start, bias), x, volts


def compare(device, nodes, values, bias, contact, **options):
    """Relative difference of the two currents; of the other contact's, in units of this."""
    from decimal import Decimal

    simulator, free, x, volts = exact(device, nodes, values, bias, **options)
    decimals = {k: Decimal(float(v)) for k, v in bias.items()}
    reference = float(simulator.current(free, decimals, contact))
    return device.current(x, contact, **volts) / reference - 1


@pytest.mark.parametrize("bias", [0.9, *slow(-5.0, 0.05)])
def test_a_step_diode_with_every_recombination(bias, old_constants):
    from sgsolve.devices import graded, interval

    x = graded([0.0, 4e-5, 1e-4], 8e-6, 1e-6, 1.6)
    nodes = {"p": [0], "n": [len(x) - 1]}
    doping = np.where(x < 4e-5, -2e17, 5e16)
    device = build(interval(x), doping, nodes, SILICON, old_constants)
    assert abs(compare(device, nodes, SILICON, {"p": bias}, "p")) < 1e-11


@pytest.mark.parametrize("bias", [0.4, *slow(-1.0)])
def test_a_lit_diode_with_its_junction_the_other_way_round(bias, old_constants):
    from sgsolve.devices import interval

    x = np.linspace(0, 2e-4, 17)
    nodes = {"n": [0], "p": [16]}
    doping = np.where(x < 5e-5, 1e17, -1e15)
    values = SILICON | {"G": 1e20, "T": 350.0}
    device = build(interval(x), doping, nodes, values, old_constants)
    assert abs(compare(device, nodes, values, {"p": bias}, "p")) < 1e-11


@pytest.mark.slow
def test_a_wide_gap_diode(old_constants):
    from sgsolve.devices import interval

    x = np.linspace(0, 1e-4, 17)
    nodes = {"p": [0], "n": [16]}
    values = SILICON | {"ni": 5e-9, "n1": 5e-9, "p1": 5e-9}
    device = build(interval(x), np.where(x < 5e-5, -1e17, 1e17), nodes, values, old_constants)
    for bias in (-10.0, 0.5, 2.5):
        assert abs(compare(device, nodes, values, {"p": bias}, "p")) < 1e-11


@pytest.mark.parametrize(
    ("field", "beta", "bias"),
    [
        *slow(
            ("quasi_fermi", 2.0, 20.0),
            ("potential", 1.0, 20.0),
            ("potential", 1.3, 0.02),
            ("potential", 2.0, 1.0),
        ),
        *slow(("quasi_fermi", 1.0, 1.0)),
    ],
)
def test_a_bar_whose_velocity_saturates(field, beta, bias, old_constants):
    from sgsolve.devices import interval, velocity_saturation

    x = np.linspace(0, 1e-4, 17)
    nodes = {"a": [0], "b": [16]}
    doping = np.where(np.abs(x - 5e-5) > 3e-5, 1e18, 1e16)
    values = SILICON | {"v_sat_n": 1e7, "v_sat_p": 8e6, "beta_n": beta, "beta_p": 1.0}
    device = build(
        interval(x), doping, nodes, values, old_constants,
        mobility=velocity_saturation, field=field,
    )  # fmt: skip
    assert abs(compare(device, nodes, values, {"a": bias}, "a", driven_by=field)) < 1e-11


@pytest.mark.parametrize("bias", [0.55, *slow(-2.0, 0.0)])
def test_capacitance_and_conductance_of_a_diode(bias, old_constants):
    from sgsolve.devices import SmallSignal, interval

    x = np.linspace(0, 1e-4, 15)
    nodes = {"p": [0], "n": [14]}
    doping = np.where(x < 4e-5, -1e17, 2e16)
    device = build(interval(x), doping, nodes, SILICON, old_constants)
    simulator, free, state, volts = exact(device, nodes, SILICON, {"p": bias})
    small = SmallSignal(device)
    for frequency in (1e3, 1e9):
        reference = simulator.admittance(free, {"p": bias}, "p", frequency)
        y = small.admittance(state, "p", [frequency], **volts)[0]
        assert y.imag == pytest.approx(reference.imag, rel=1e-9)
        assert y.real == pytest.approx(reference.real, rel=1e-9)


@pytest.mark.slow
def test_two_dimensions_with_obtuse_triangles(old_constants):
    from scipy.spatial import Delaunay

    from sgsolve.devices import quality, triangulation

    rng = np.random.default_rng(5)
    t = np.linspace(0, 1, 5)
    square = np.stack(np.meshgrid(t, t, indexing="ij"), -1).reshape(-1, 2)
    inner = ((square > 0) & (square < 1)).all(axis=1)
    square[inner] += rng.uniform(-0.09, 0.09, (inner.sum(), 2))
    mesh = triangulation(1e-4 * square, Delaunay(square).simplices)
    assert quality(mesh).obtuse > 3
    at, height = mesh.nodes.T
    nodes = {
        "p": mesh.where((at == 0) & (height < 0.6e-4)),
        "n": mesh.where((at == 1e-4) & (height > 0.4e-4)),
    }
    device = build(mesh, np.where(at < 4e-5, -1e17, 1e16), nodes, SILICON, old_constants)
    for bias in (-2.0, 0.5):
        assert abs(compare(device, nodes, SILICON, {"p": bias}, "p")) < 1e-11


@pytest.mark.parametrize("bias", [-4.0, *slow(0.3, 5.0)])
def test_a_transistor_whose_base_floats(bias, old_constants):
    from sgsolve.devices import graded, interval

    x = graded([0.0, 3e-5, 6e-5, 1.2e-4], 1e-5, 2e-6, 1.7)
    nodes = {"e": [0], "c": [len(x) - 1]}
    doping = np.select([x < 3e-5, x < 6e-5], [1e18, -1e17], 2e16)
    device = build(interval(x), doping, nodes, SILICON, old_constants)
    assert abs(compare(device, nodes, SILICON, {"c": bias}, "c")) < 1e-10
