"""Dopants that are not fully ionized: levels of traps, which ohmic contacts count as well."""

import numpy as np
import pytest

from sgsolve.devices import CODATA2018

K_OVER_Q = CODATA2018.k / CODATA2018.q
# kind, density (cm^-3), depth (eV), degeneracy, temperature (K), share from the closed form
IONIZED_SHARES = [
    ("donor", 1e16, 0.045, 2.0, 300.0, 0.99596054328),
    ("donor", 1e16, 0.045, 2.0, 77.0, 0.362734502589),
    ("donor", 1e16, 0.045, 2.0, 20.0, 1.05012944e-5),
    ("donor", 1e16, 0.045, 2.0, 4.2, 1.52703270e-27),
    ("acceptor", 1e18, 0.2, 4.0, 300.0, 0.0507953030),
    ("acceptor", 1e18, 0.2, 4.0, 600.0, 0.449888216),
]


def doped(T, kind, density, depth, degeneracy, statistics=None, n=11, gap=1.12, **more):
    """A bar of silicon with one kind of dopants, their level `depth` eV inside the gap."""
    from sgsolve.devices import Device, Ohmic, TrapLevel, interval

    vt, t = K_OVER_Q * T, (T / 300.0) ** 1.5
    bands = {"T": T, "eps_r": 11.7, "Nc": 2.8e19 * t, "Nv": 2.49e19 * t, "Ec": 0.0, "Ev": -gap}
    if kind == "donor":
        n_trap = bands["Nc"] * np.exp(-depth / vt) / degeneracy
    else:
        p_trap = bands["Nv"] * np.exp(-depth / vt) / degeneracy
        n_trap = bands["Nc"] * bands["Nv"] * np.exp(-gap / vt) / p_trap
    level = TrapLevel(kind, density, 1e-8, 1e-8, n_trap)
    return Device(
        interval(np.linspace(0.0, 1e-4, n)), np.zeros(n), {"a": Ohmic(0), "b": Ohmic(-1)},
        bands | {"mu_n": 1000.0, "mu_p": 400.0}, trap_levels={"dopants": level},
        statistics=statistics, **more,
    )  # fmt: skip


@pytest.mark.filterwarnings("ignore:check the units")
@pytest.mark.parametrize(("kind", "density", "depth", "g", "T", "expected"), IONIZED_SHARES)
def test_the_ionized_share_is_that_of_the_closed_form(kind, density, depth, g, T, expected):
    from sgsolve.devices import densities

    device = doped(T, kind, density, depth, g)
    majority = densities(device, device.equilibrium())[0 if kind == "donor" else 1]
    states = device.parameters["Nc" if kind == "donor" else "Nv"]
    half = states * np.exp(-depth / (K_OVER_Q * T)) / g / density
    share = 2.0 / (1.0 + np.sqrt(1.0 + 4.0 / half))  # of x^2/(1 - x) = half
    intrinsic = states * np.exp(-0.56 / (K_OVER_Q * T)) / density
    if intrinsic < 1e-6:  # the minority does not count
        assert majority / density == pytest.approx(share, rel=1e-9)
    assert majority / density == pytest.approx(expected, rel=1e-7 if T < 500 else 1e-4)


def test_a_bar_conducts_as_its_ionized_dopants():
    from sgsolve.devices import derivatives

    device = doped(77.0, "donor", 1e16, 0.045, 2.0)
    current = device.current(device.solve(V_a=1e-4).x, "a", V_a=1e-4)
    by_hand = CODATA2018.q * 0.362734502589e16 * 1000.0 * 1e-4 / 1e-4
    assert current == pytest.approx(by_hand, rel=1e-6)
    # Twice the dopants: the derivative goes through the contacts, too.
    x, step = device.solve(V_a=1e-4).x, 1e10
    exact = derivatives(device, x, "a", ["N_dopants"], V_a=1e-4)["N_dopants"]
    ends = [1e16 - step, 1e16 + step]
    low, high = (device.solve(V_a=1e-4, N_dopants=N).x for N in ends)
    change = device.current(high, "a", V_a=1e-4, N_dopants=ends[1])
    change -= device.current(low, "a", V_a=1e-4, N_dopants=ends[0])
    assert float(np.sum(exact)) == pytest.approx(change / (2.0 * step), rel=1e-5)


@pytest.mark.parametrize("given", ["statistics", "function", "ni"])
def test_contacts_are_neutral_with_traps(given):
    """The potential is flat: contacts and the material between them ask for the same."""
    from sgsolve.devices import Device, Ohmic, donor_traps, fermi_dirac_half, interval

    if given == "statistics":
        device = doped(300.0, "donor", 1e19, 0.045, 2.0, statistics=fermi_dirac_half())
    else:
        bands = {"ni": 1e10} if given == "ni" else {"Nc": 2.8e19, "Nv": 1e19, "Ec": 0.6, "Ev": -0.5}
        traps = {"N_trap": 1e15, "c_n": 1e-8, "c_p": 1e-8, "n_trap": 1e13, "p_trap": 1e7}
        device = Device(
            interval(np.linspace(0.0, 1e-4, 11)), np.full(11, -2e14),
            {"a": Ohmic(0), "b": Ohmic(-1)},
            {"eps_r": 11.7, "mu_n": 1e3, "mu_p": 400.0} | bands | traps, traps=[donor_traps],
        )  # fmt: skip
    psi = device.equilibrium()[: device.mesh.n]
    assert np.ptp(psi) < 1e-12
    assert abs(device.current(device.equilibrium(), "a")) < 1e-25


@pytest.mark.filterwarnings("ignore:check the units")
def test_pure_material_at_4_kelvin_has_a_neutral_potential():
    from sgsolve.devices import Device, Ohmic, interval, materials

    device = Device(
        interval(np.linspace(0.0, 1e-4, 11)), np.zeros(11), {"a": Ohmic(0), "b": Ohmic(-1)},
        materials.silicon.at(4.0),
    )  # fmt: skip
    x, p = device.equilibrium(), device.parameters
    middle = 0.5 * (p["Ec"] + p["Ev"]) + 0.5 * K_OVER_Q * 4.0 * np.log(p["Nv"] / p["Nc"])
    assert x[:11] == pytest.approx(middle, abs=1e-9)


def test_level_dopants_stay_at_rest_in_time():
    device = doped(77.0, "donor", 1e16, 0.045, 2.0)
    run = device.transient({"a": 0.0}, (0.0, 1e-6))
    assert np.abs(run.states - run.states[0]).max() < 1e-8 * 1e16
    assert np.abs(run["I_a"]).max() < 1e-9
