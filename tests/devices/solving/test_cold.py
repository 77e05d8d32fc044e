"""Cold devices and wide gaps: densities far below the range of floating-point numbers."""

import numpy as np
import pytest

from tests.selection import slow

K = 1.380649e-23 / 1.602176634e-19  # eV/K
LIFETIMES = {"tau_n": 1e-8, "tau_p": 1e-8, "n1": 0.0, "p1": 0.0}
LOSSES = {"B_rad": 1e-10, "C_n": 1e-30, "C_p": 1e-30}
# Gap (eV), temperature (K), level from which energies are counted (eV below the conduction band)
COLD = [(1.17, 4.2, 0.585), (1.17, 20.0, 0.0), (0.3, 4.0, 0.3), (3.4, 77.0, 0.0), (3.4, 4.0, 1.7)]
COLD += [(5.47, 77.0, 2.735), (6.0, 4.0, 0.0), (0.3, 700.0, 0.15), (6.0, 700.0, 3.0)]


def junction(gap, T, Ec, doping=1e17, statistics=None, x=None, **values):
    from sgsolve.devices import Device, Ohmic, auger, graded, interval, radiative, srh

    x = graded([0.0, 1e-4, 2e-4], 1e-6, 5e-8, 1.15) if x is None else x
    states = 2.5e19 * (T / 300) ** 1.5
    net = np.where(x < 1e-4, -doping, doping)
    bands = {"T": T, "eps_r": 10.0, "Nc": states, "Nv": states, "Ec": Ec, "Ev": Ec - gap}
    bands |= {"mu_n": 500.0, "mu_p": 200.0} | LIFETIMES | LOSSES
    return Device(
        interval(x), net, {"p": Ohmic(0), "n": Ohmic(-1)}, bands | values,
        recombination=[srh, radiative, auger], statistics=statistics,
    )  # fmt: skip


@pytest.mark.filterwarnings("ignore:check the units")
@pytest.mark.parametrize(("gap", "T", "Ec"), COLD)
def test_built_in_potential_of_boltzmann(gap, T, Ec):
    device = junction(gap, T, Ec)
    x, vt = device.equilibrium(), K * T
    states = device.parameters["Nc"]
    intrinsic = states * np.exp(-gap / (2 * vt))
    expected = 2 * vt * np.arcsinh(0.5e17 / intrinsic) if intrinsic > 1e10 else None
    if expected is None:
        expected = gap - 2 * vt * np.log(states / 1e17)
    assert np.ptp(x[: device.mesh.n]) == pytest.approx(expected, abs=1e-9)
    assert not x[device.mesh.n :].any()
    assert abs(device.current(x, "p")) < 1e-25


def test_freeze_out_reference_junction():
    """1.170901528 V: silicon at 4.2 K, 1e17 on both sides, all dopants ionized."""
    factor, gap = (4.2 / 300) ** 1.5, 1.17 - 4.73e-4 * 4.2**2 / (4.2 + 636)
    device = junction(gap, 4.2, 0.0, Nc=2.8e19 * factor, Nv=1.04e19 * factor)
    expected = gap + K * 4.2 * np.log(1e34 / (2.8e19 * 1.04e19 * factor**2))
    assert expected == pytest.approx(1.170901528, abs=1e-9)
    assert np.ptp(device.equilibrium()[: device.mesh.n]) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("T", [4.2, 20.0, 77.0])
def test_built_in_potential_of_other_statistics(T):
    """From the inverse of Blakemore's distribution; Fermi-Dirac by Sommerfeld's expansion."""
    from sgsolve.devices import Blakemore, fermi_dirac_half

    vt, states = K * T, 2.5e19 * (T / 300) ** 1.5
    doping = 0.5 * states
    device = junction(1.17, T, 0.0, doping, Blakemore(0.27))
    level = -np.log(states / doping - 0.27)
    found = np.ptp(device.equilibrium()[: device.mesh.n])
    assert found == pytest.approx(1.17 + 2 * vt * level, abs=1e-9)
    doping = 1e20
    device = junction(1.17, T, 0.0, doping, fermi_dirac_half())
    found = np.ptp(device.equilibrium()[: device.mesh.n])
    filled = (0.75 * np.sqrt(np.pi) * doping / states) ** (2 / 3)  # of a metal at T = 0
    level = filled * (1 - np.pi**2 / 12 / filled**2 - np.pi**4 / 80 / filled**4)
    assert found == pytest.approx(1.17 + 2 * vt * level, abs=200 * vt / filled**5)


@pytest.mark.parametrize(
    ("gap", "T", "bias"), [(1.17, 4.2, 1.1), (1.17, 4.2, 1.0), (1.17, 20.0, 1.0), (3.4, 77.0, 3.0)]
)
def test_current_of_a_cold_diode_is_that_of_moll_and_ross(gap, T, bias):
    """``J_n = q D_n n_i^2 (exp(V/vt) - 1) / (integral of p)``, exact without recombination."""
    from sgsolve.devices.equations.carriers import carriers

    zero = {
        "n1": 1.0,
        "p1": 1.0,
        "tau_n": 1e30,
        "tau_p": 1e30,
        "B_rad": 0.0,
        "C_n": 0.0,
        "C_p": 0.0,
    }
    device = junction(gap, T, gap / 2, **zero)
    x, vt = device.solve(V_p=bias).x, K * T
    s = carriers(device, x, device.parameters | {"V_p": bias})
    log_product = 2 * np.log(device.parameters["Nc"]) - gap / vt + bias / vt
    lengths = device.mesh.volumes
    expected = sum(
        device.constants.q * vt * mobility * np.exp(log_product) / np.sum(lengths * np.exp(log))
        for mobility, log in ((500.0, s.log_p), (200.0, s.log_n))
    )
    assert device.current(x, "p", V_p=bias) == pytest.approx(expected, rel=0.02)
    assert device.current(x, "n", V_p=bias) == pytest.approx(-expected, rel=0.02)


@pytest.mark.parametrize(
    ("gap", "T", "bias"),
    [
        *((1.17, 4.2, -100.0), (1.17, 300.0, 0.7), *slow((6.0, 300.0, -200.0))),
        *slow((3.4, 77.0, -200.0), (1.17, 4.2, -10.0), (1.17, 20.0, -100.0), (5.47, 77.0, -100.0)),
        *slow((1.17, 300.0, -200.0)),
    ],
)
def test_one_long_step_gives_what_short_ones_give(gap, T, bias):
    """At 5 to 12 factorizations; the equations hold in between as well."""
    device = junction(gap, T, gap / 2, n1=1e-3, p1=1e-3)
    fine = device.sweep("p", np.linspace(0.0, bias, 9))
    coarse = device.sweep("p", [0.0, bias])
    assert not coarse.rejected
    assert coarse.stats.n_factor < 25
    np.testing.assert_allclose(coarse.x, fine.x, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("gap", "T", "bias"),
    [
        (5.47, 77.0, 5.6),
        *slow((1.17, 4.2, 1.2), (1.17, 20.0, 1.3), (1.17, 77.0, 2.0), (3.4, 77.0, 3.6)),
    ],
)
def test_a_step_past_the_built_in_potential(gap, T, bias):
    """The current is that of short steps, at few factorizations."""
    device = junction(gap, T, gap / 2, n1=1e-3, p1=1e-3)
    coarse = device.sweep("p", [0.0, bias])
    short = device.sweep("p", [gap - 0.1, gap, 0.5 * (gap + bias), bias])
    assert coarse.stats.n_factor < 150
    found, expected = (device.currents(sweep, "p")[-1] for sweep in (coarse, short))
    assert found == pytest.approx(expected, rel=1e-9)


def test_the_depletion_layer_is_that_of_the_textbook():
    """Width sqrt(2 eps (Vbi - V) / q (1/Na + 1/Nd)), before any carrier is computed."""
    from sgsolve.devices.solving.estimates.depletion import depleted
    from sgsolve.devices.solving.estimates.levels import levels

    device = junction(1.17, 4.2, 0.585)
    p = device.parameters | {"V_p": -10.0}
    x, psi = device.mesh.nodes, depleted(device, p, *levels(device, p))
    built_in = 1.17 - 2 * K * 4.2 * np.log(device.parameters["Nc"] / 1e17)
    width = np.sqrt(2 * 10.0 * 8.8541878128e-14 / 1.602176634e-19 * (10.0 + built_in) * 2e-17)
    parabola = 0.5 * (10.0 + built_in) * (1 - (2 * np.abs(x - 1e-4) / width).clip(0, 1)) ** 2
    expected = np.where(x < 1e-4, psi[0] + parabola, psi[-1] - parabola)
    np.testing.assert_allclose(psi, expected, rtol=0, atol=0.02)


def test_fermi_dirac_integral_far_inside_the_band():
    """The expansion joins the quadrature; both derivatives agree with differences."""
    from sgsolve.devices.models.tabulated_statistics import _fermi_dirac_half, fermi_dirac_half

    statistics, eta = fermi_dirac_half(), np.array([100.0, 100.5, 150.0, 400.0])
    np.testing.assert_allclose(statistics.log_gamma(eta), _fermi_dirac_half(eta), atol=2e-12)
    for order in (0, 1):
        up, down = (statistics.log_gamma(np.array([200.0 + h]), order) for h in (1e-3, -1e-3))
        slope = statistics.log_gamma(np.array([200.0]), order + 1)
        assert slope == pytest.approx((up - down) / 2e-3, rel=1e-6)


@pytest.mark.filterwarnings("ignore:check the units")
@pytest.mark.parametrize(
    ("gap", "T", "Ec"), [*COLD[:3], *slow(*(c for c in COLD[3:] if c[:2] != (0.3, 700.0)))]
)
def test_capacitance_of_a_depletion_layer(gap, T, Ec):
    """Between densities that underflow fluxes are 0: the levels are still determined."""
    from sgsolve.devices import SmallSignal

    device, f, reverse = junction(gap, T, Ec, x=np.linspace(0.0, 2e-4, 401)), [1e7], 2.0
    state = device.solve(V_p=-reverse).x
    found = SmallSignal(device).capacitance(state, "p", f, V_p=-reverse)[0]
    vt, p = K * T, device.parameters
    barrier = gap - 2 * vt * np.log(p["Nc"] / 1e17) + reverse - 2 * vt
    expected = np.sqrt(1.602e-19 * 10 * 8.854e-14 * 1e17 / (4 * barrier))
    assert found == pytest.approx(expected, rel=0.03)


@pytest.mark.filterwarnings("ignore:check the units")
@pytest.mark.parametrize(
    ("gap", "T", "volts", "degenerate"),
    slow((3.4, 77.0, 3.35, False), (1.17, 20.0, 1.17, True), (1.17, 4.2, 1.17, False)),
)
def test_a_cold_device_in_time_ends_at_its_steady_state(gap, T, volts, degenerate):
    """Its contacts hold minority densities of 1e-200 cm^-3 and less."""
    from sgsolve.devices import fermi_dirac_half

    device = junction(gap, T, 0.0, statistics=fermi_dirac_half() if degenerate else None)
    steady = device.current(device.solve(V_p=volts).x, "p", V_p=volts)
    run = device.transient({"p": lambda t: volts * min(t / 1e-9, 1.0)}, (0.0, 1e-6))
    assert run.success
    assert steady > 1.0
    assert run["I_p"][-1] == pytest.approx(steady, rel=1e-6)
