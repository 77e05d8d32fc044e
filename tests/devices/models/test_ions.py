"""Mobile ions: walls and relaxation in closed form, conservation, a cell of perovskite."""

import numpy as np
import pytest
from scipy.integrate import quad

from sgsolve.devices import CODATA2018, Device, Gate, Ion, Ohmic, interval, srh
from sgsolve.errors import DataTypeError, InputError
from tests.selection import slow

VT, Q = CODATA2018.thermal_voltage(300.0), CODATA2018.q
EPS, MEAN, LIMIT = 24.1, 1.6e19, 1e21
VALUES = {"ni": 1e-10, "eps_r": EPS, "mu_n": 1.0, "mu_p": 1.0}


def between_walls(x, charge=1, limit=LIMIT, bias=0.0):
    """An insulator with mobile ions between two electrodes that block them."""
    n = len(x)
    ions = {"v": Ion(np.arange(n), charge, MEAN, 3.93e-12, limit)}
    contacts = {"left": Gate(0, offset=bias), "right": Gate(n - 1)}
    return Device(interval(x), np.zeros(n), contacts, VALUES, ions=ions)


def charge_at_wall(drop, charge, limit):
    """First integral: eps E^2 / 2 is the integral of the charge over the potential, C/cm^2."""

    def rho(u):
        u = charge * u
        if limit is None:
            return charge * Q * MEAN * (np.exp(-u / VT) - 1.0)
        return charge * Q * (limit / (1 + (limit - MEAN) / MEAN * np.exp(u / VT)) - MEAN)

    inner = quad(rho, 0.0, drop, epsabs=0.0, epsrel=1e-11)[0]
    return -np.sign(drop) * np.sqrt(-2 * EPS * CODATA2018.eps0 * inner)


@pytest.mark.parametrize(
    ("drop", "expected"),
    [(-0.5, 0.1622701109), (-0.2, 0.0787002073), (0.2, -0.0137951306), (0.5, -0.0227705895)],
)
def test_the_first_integral_is_that_of_the_reference(drop, expected):
    assert 1e4 * charge_at_wall(drop, 1, LIMIT) == pytest.approx(expected, rel=5e-9)


@pytest.mark.parametrize(
    ("charge", "limit"), [(-1, LIMIT), (1, None), *slow((1, LIMIT), (2, LIMIT))]
)
def test_ions_at_a_wall(charge, limit):
    """Second order in the mesh, and their number is conserved."""
    errors = []
    for k in (201, 401):
        x = np.append(0.0, np.cumsum(np.geomspace(1.0, 1e4, k - 1)))
        for bias in (-0.15, 0.1):
            device = between_walls(1e-4 * x / x[-1], charge, limit, bias)
            state, n = device.equilibrium(), device.mesh.n
            region = device.ions["v"]
            density = region.density(state[:n] / VT, state[-1] / VT)
            assert np.sum(region.volumes * density) == pytest.approx(region.total, rel=1e-13)
            slope = (state[1] - state[0]) / device.mesh.nodes[1]
            wall = region.volumes[0] * Q * charge * (density[0] - MEAN)
            found = EPS * CODATA2018.eps0 * slope + wall
            expected = charge_at_wall(bias - state[-1], charge, limit)
            errors.append(abs(found / expected - 1.0))
    assert max(errors[2:]) < 1e-4
    assert errors[2] < 0.4 * errors[0]


@pytest.mark.slow
def test_relaxation_between_two_walls():
    """The slowest rate is a root of a transcendental equation: 0.034757334 /s."""
    k, length = 401, 4e-5
    x = 0.5 * length * (1 + np.tanh(np.linspace(-5, 5, k)) / np.tanh(5))
    device = between_walls(x, limit=None)
    times = np.linspace(0.0, 120.0, 25)
    run = device.transient(
        {"left": 1e-3}, (0.0, 120.0), device.equilibrium(), rtol=1e-6, times=times
    )
    density, region = run.states[:, 3 * k :], device.ions["v"]
    assert np.abs(density @ region.volumes / region.total - 1.0).max() < 1e-13
    change = np.diff(density[:, 0])  # 5 s apart: exp(-rate t) without a limit to be known
    rates = -np.diff(np.log(np.abs(change[8:16]))) / 5.0
    assert np.mean(rates) == pytest.approx(0.034757334, rel=2e-3)
    total = np.abs(run["I_left"] + run["I_right"]).max()
    assert total <= 1e-12 * np.abs(run["I_left"]).max()


def junction():
    """A p-i-n diode with ions in the middle layer."""
    x = np.linspace(0.0, 1e-4, 101)
    doping = np.where(x < 2e-5, -1e17, np.where(x > 8e-5, 1e17, 0.0))
    values = {"eps_r": 24.1, "ni": 1e8, "mu_n": 10.0, "mu_p": 10.0}
    values |= {"tau_n": 1e-8, "tau_p": 1e-8, "n1": 1e8, "p1": 1e8}
    ions = {
        "vacancies": Ion((x > 2e-5) & (x < 8e-5), 1, 1e17, 1e-10, 1e20),
        "interstitials": Ion((x > 2e-5) & (x < 8e-5), -1, 5e16, 1e-9),
    }
    contacts = {"p": Ohmic(0), "n": Ohmic(-1)}
    return Device(interval(x), doping, contacts, values, recombination=[srh], ions=ions)


@pytest.mark.slow
def test_the_end_in_time_is_the_steady_state_of_two_ions():
    device, n = junction(), 101
    assert device.current(device.equilibrium(), "p") == pytest.approx(0.0, abs=1e-25)
    steady = device.solve(V_p=0.5)
    run = device.transient({"p": 0.5}, (0.0, 1e3), device.equilibrium(), rtol=1e-5)
    np.testing.assert_allclose(run.x[: 3 * n], steady.x[: 3 * n], atol=1e-5)
    begin = 3 * n
    for i, region in enumerate(device.ions.values()):
        found = run.x[begin : begin + len(region.nodes)]
        begin += len(region.nodes)
        expected = region.density(steady.x[:n] / VT, steady.x[3 * n + i] / VT)
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * region.ion.density)
    current = device.current(steady.x, "p", V_p=0.5)
    assert run["I_p"][-1] == pytest.approx(current, rel=1e-3)
    assert device.current(steady.x, "n", V_p=0.5) == pytest.approx(-current, rel=1e-12)


@pytest.mark.filterwarnings("ignore:.*units")
@pytest.mark.slow
def test_steady_currents_of_a_perovskite_cell():
    """Those of an independent program with 3200 intervals."""
    from perovskite import cell

    from sgsolve.devices import open_circuit

    device = cell()
    currents = device.currents(device.sweep("p", [0.0, 0.4, 0.8, 0.9]), "p")
    np.testing.assert_allclose(
        -1e3 * currents, [14.957175, 14.957020, 14.954435, 14.934679], rtol=5e-5
    )
    assert open_circuit(device, "p", guess=1.1) == pytest.approx(1.1905, abs=5e-4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*units")
def test_the_hysteresis_of_a_perovskite_cell(tmp_path):
    from perovskite import TOP, main

    data = main([1.0], picture=str(tmp_path / "scan.png"))
    scan = data.scans[1.0]
    down, up = (np.interp(t, scan["t"], -1e3 * scan["I_p"]) for t in (TOP - 1.1, TOP + 1.1))
    assert down == pytest.approx(11.65, abs=0.05)
    assert up == pytest.approx(13.07, abs=0.05)
    region, n = data.device.ions["vacancies"], data.device.mesh.n
    numbers = scan.states[:, 3 * n :] @ region.volumes
    assert np.abs(numbers / region.total - 1.0).max() < 1e-13
    assert np.abs(scan["I_p"] + scan["I_n"]).max() <= 1e-12 * np.abs(scan["I_p"]).max()
    assert (tmp_path / "scan.png").stat().st_size > 5000


def test_wrong_use_is_refused_in_words():
    x = np.linspace(0.0, 1e-4, 11)

    def made(**changes):
        ion = {"nodes": np.arange(11), "charge": 1, "density": 1e18, "mobility": 1e-12} | changes
        contacts = {"a": Gate(0), "b": Gate(10)}
        return Device(interval(x), np.zeros(11), contacts, VALUES, ions={"v": Ion(**ion)})

    for changes, words in (
        ({"charge": 0}, "charge must be a whole number and not 0"),
        ({"density": -1.0}, "density must be positive"),
        ({"mobility": 0.0}, "mobility must be positive"),
        ({"limit": 1e17}, "limit must be above the mean density 1e[+]18"),
        ({"nodes": [3]}, "must be joined to another"),
        ({"nodes": [3, 4, 8]}, "must be joined to another"),
        ({"nodes": [99]}, "outside the mesh"),
    ):
        with pytest.raises(InputError, match=words):
            made(**changes)
    with pytest.raises(DataTypeError, match="must be Ion"):
        Device(interval(x), np.zeros(11), {"a": Ohmic(0)}, VALUES, ions={"v": 1e18})
