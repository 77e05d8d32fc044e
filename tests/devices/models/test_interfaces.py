"""Thermionic emission against a series of resistances, sheet charge against a first integral."""

import numpy as np
import pytest
from scipy.integrate import quad

from sgsolve.devices import CODATA2018, Device, Ohmic, SheetCharge, Thermionic, interval
from sgsolve.errors import DataTypeError, InputError
from tests.selection import slow

VT = CODATA2018.thermal_voltage(300.0)
A_STAR = 120.173
pytestmark = pytest.mark.filterwarnings("ignore:.*units")


def step(gap=1e-10, k=21, Ec=(0.1, 0.3), Nc=(1e19, 1e19), carrier="n"):
    """Two layers of 100 nm in a potential that is linear: nothing screens it."""
    x = np.concatenate([np.linspace(0, 1e-5, k), np.linspace(1e-5 + gap, 2e-5 + gap, k)])
    edge, states = np.repeat(Ec, k), np.repeat(Nc, k)
    doping = states * np.exp(-edge / VT)
    bands = {"Ec": edge, "Ev": -3.0, "Nc": states, "Nv": 1e19}
    if carrier == "p":
        doping, bands = -doping, {"Ec": 3.0, "Ev": -edge, "Nc": 1e19, "Nv": states}
    values = bands | {"T": 300.0, "eps_r": 1e12, "mu_n": 1000.0, "mu_p": 1000.0}
    contacts = {"l": Ohmic(0), "r": Ohmic(-1)}
    return Device(interval(x), doping, contacts, values, interfaces={"s": Thermionic(k - 1)})


def in_series(V, gap=1e-10, Ec=(0.1, 0.3), Nc=(1e19, 1e19)):
    """Electrons: J = (exp(0) - exp(-V / vt)) over the resistances of layers and step."""
    length, q = 2e-5 + gap, CODATA2018.q

    def psi(x):
        return -V * x / length

    total = 0.0
    for begin, edge, states in ((0.0, Ec[0], Nc[0]), (1e-5 + gap, Ec[1], Nc[1])):
        inner = quad(
            lambda x, e=edge: np.exp((e - psi(x)) / VT), begin, begin + 1e-5, epsabs=0, epsrel=1e-12
        )
        total += inner[0] / (q * 1000.0 * VT * states)
    top = max(Ec[0] - psi(1e-5), Ec[1] - psi(1e-5 + gap))
    total += np.exp(top / VT) / (A_STAR * 300.0**2)
    return (np.exp(V / VT) - 1.0) / total


@pytest.mark.parametrize(
    ("V", "expected"), [(-0.1, -309.68841823), (0.1, 74.353187453), (0.3, 218.48353628)]
)
def test_two_layers_and_a_step(V, expected):
    device = step(1e-11)
    x = device.solve(V_r=-V).x
    assert device.current(x, "l", V_r=-V) == pytest.approx(expected, rel=3e-6)


@pytest.mark.parametrize("k", [60, *slow(7)])
@pytest.mark.parametrize(
    ("Ec", "Nc"),
    [((0.3, 0.1), (1e19, 4e18)), *slow(((0.1, 0.3), (1e19, 1e19)), ((0.2, 0.2), (1e18, 1e19)))],
)
def test_any_step_is_a_resistance_in_series(k, Ec, Nc):
    for V in (-0.2, 0.05, 0.25):
        device = step(k=k, Ec=Ec, Nc=Nc)
        # the quasi-Fermi level rises where the potential falls
        left = device.current(device.solve(V_r=-V).x, "l", V_r=-V)
        right = device.current(device.solve(V_r=-V).x, "r", V_r=-V)
        assert left == pytest.approx(in_series(V, Ec=Ec, Nc=Nc), rel=1e-7)
        assert left + right == pytest.approx(0.0, abs=1e-12 * abs(left))


def test_no_voltage_no_current_and_holes_alike():
    for carrier in "np":
        device = step(carrier=carrier)
        assert device.current(device.equilibrium(), "l") == 0.0
    found = [step(carrier=c) for c in "np"]
    n, p = (
        d.current(d.solve(V_r=s * 0.1).x, "l", V_r=s * 0.1)
        for d, s in zip(found, (1, -1), strict=True)
    )
    assert n == pytest.approx(-p, rel=1e-9)


def test_small_signals_and_transients_see_the_step():
    from sgsolve.devices import SmallSignal, conductance

    device = step(gap=1e-9)
    x = device.solve(V_l=0.1).x
    slope = conductance(device, x, "l", V_l=0.1)
    slow = SmallSignal(device).admittance(x, "l", [0.0], V_l=0.1)[0].real
    assert slow == pytest.approx(slope, rel=1e-6)
    run = device.transient({"l": lambda t: min(1e9 * t, 0.1)}, (0.0, 1e-8), breakpoints=[1e-10])
    assert run["I_l"][-1] == pytest.approx(device.current(x, "l", V_l=0.1), rel=1e-4)


def test_a_sheet_of_charge_bends_the_field():
    """Gauss: the dielectric flux jumps by q times the density."""
    x = np.linspace(0.0, 1e-5, 41)
    values = {"ni": 1e-3, "eps_r": 10.0, "mu_n": 1.0, "mu_p": 1.0, "sheet_plane": 1e11}
    device = Device(
        interval(x), np.zeros(41), {"a": Ohmic(0), "b": Ohmic(-1)}, values,
        interfaces={"plane": SheetCharge(20)},
    )  # fmt: skip
    psi = device.equilibrium()[:41]
    top = CODATA2018.q * 1e11 / (10.0 * CODATA2018.eps0) * 0.5e-5 / 2
    np.testing.assert_allclose(psi, top * (1 - np.abs(x / 0.5e-5 - 1)), atol=1e-9)
    sweep = device.sweep("sheet_plane", [0.0, 1e10, 1e11])
    np.testing.assert_allclose(sweep.x[:41], psi, atol=1e-12)


@pytest.mark.slow
def test_the_electron_gas_of_a_hemt(tmp_path):
    """First integral with the Fermi-Dirac integral of order 3/2."""
    from hemt import main

    data = main([0.0, -1.0], nodes=600, picture=str(tmp_path / "hemt.png"))
    np.testing.assert_allclose(data.states[:, 0], [0.237380415, 0.181013880], atol=1e-4)
    gas = 9e12 - np.array([9e12 - 7.1757216e12, 9e12 - 5.2357981e12])
    np.testing.assert_allclose(data.sheet, gas, rtol=5e-3)
    assert (tmp_path / "hemt.png").stat().st_size > 5000


def test_wrong_use_is_refused_in_words():
    device = step()
    bands = {k: device.parameters[k] for k in ("Ec", "Ev", "Nc", "Nv", "eps_r", "mu_n", "mu_p")}
    doping = device.parameters["doping"]

    def made(interfaces, values=bands):
        return Device(device.mesh, doping, device.contacts, values, interfaces=interfaces)

    for interfaces, error, words in (
        ({"s": Thermionic(5)}, InputError, "5e-07 cm long"),
        ({"s": Thermionic(90)}, InputError, "edges outside the mesh"),
        ({"s": Thermionic(20, richardson_n=-1.0)}, InputError, "richardson_n must be positive"),
        ({"s": SheetCharge(99)}, InputError, "nodes outside the mesh"),
        ({"s": Thermionic([])}, InputError, "edges must be numbers of edges"),
        ({"s": Thermionic([0.5])}, InputError, "edges must be numbers of edges"),
        ({"s": 20}, DataTypeError, "must be Thermionic, SheetCharge or TunnelJunction"),
        ([Thermionic(20)], DataTypeError, "interfaces: must be a dictionary"),
    ):
        with pytest.raises(error, match=words):
            made(interfaces)
    ni = {"ni": 1e10, "eps_r": 12.0, "mu_n": 1.0, "mu_p": 1.0}
    with pytest.raises(InputError, match="needs Nc, Nv, Ec and Ev"):
        made({"s": Thermionic(20)}, ni)
