"""Statistics, models and contacts, each against what is known of it."""

import numpy as np
import pytest

from tests.selection import slow


def device(x, doping, contacts, statistics=None, **changed):
    from sgsolve.devices import Device, interval, srh

    values = {"eps_r": 11.7, "Nc": 2.8e19, "Nv": 1.04e19, "Ec": 0.56, "Ev": -0.56}
    values |= {"mu_n": 1000.0, "mu_p": 400.0, "tau_n": 1e-7, "tau_p": 1e-7, "n1": 1e10, "p1": 1e10}
    models = {k: changed.pop(k) for k in ("mobility", "surfaces", "traps") if k in changed}
    extra = changed.pop("recombination", [])
    return Device(
        interval(x),
        doping,
        contacts,
        values | changed,
        recombination=[srh, *extra],
        statistics=statistics,
        **models,
    )


def all_statistics():
    from sgsolve.devices import Blakemore, Boltzmann, fermi_dirac_half, gauss_fermi

    return [Boltzmann(), Blakemore(0.27), fermi_dirac_half(), gauss_fermi(4.0)]


def test_fermi_dirac_integral_by_two_other_ways():
    from scipy.integrate import quad

    from sgsolve.devices import fermi_dirac_half

    half = fermi_dirac_half()
    for eta in (-12.3, -1.03, 0.57, 4.21, 23.7):
        exact, _ = quad(
            lambda t, eta=eta: 4 / np.sqrt(np.pi) * t**2 / (1 + np.exp(min(t * t - eta, 700.0))),
            0, np.sqrt(max(eta, 0) + 60), points=[np.sqrt(max(eta, 0.01))], epsabs=0, epsrel=1e-13,
            limit=400,
        )  # fmt: skip
        value = np.exp(eta + half.log_gamma(np.array([eta]))[0])
        assert value == pytest.approx(exact, rel=1e-11)
    degenerate = 4 / (3 * np.sqrt(np.pi)) * 90.0**1.5 * (1 + np.pi**2 / 8 / 90.0**2)
    assert np.exp(90 + half.log_gamma(np.array([90.0]))[0]) == pytest.approx(degenerate, rel=1e-6)


def test_gauss_fermi_integral():
    from scipy.integrate import quad

    from sgsolve.devices import gauss_fermi

    sigma = 4.0
    statistics = gauss_fermi(sigma)
    for eta in (-40.0, -9.7, 0.0, 12.3):
        exact, _ = quad(
            lambda e, eta=eta: np.exp(-0.5 * (e / sigma) ** 2) / (1 + np.exp(e - eta)),
            -60, 60, points=[-16.0, 0.0, eta], epsabs=0, epsrel=1e-12, limit=400,
        )  # fmt: skip
        exact /= sigma * np.sqrt(2 * np.pi)
        value = np.exp(eta + statistics.log_gamma(np.array([eta]))[0])
        assert value == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("index", range(4))
def test_derivatives_of_statistics(index):
    statistics = all_statistics()[index]
    eta = np.linspace(-20, 15, 41) + 0.013
    h = 1e-4
    for order in (0, 1):
        up, down = statistics.log_gamma(eta + h, order), statistics.log_gamma(eta - h, order)
        assert np.allclose((up - down) / (2 * h), statistics.log_gamma(eta, order + 1), atol=1e-7)


@pytest.mark.parametrize("index", [1, *slow(0, 2, 3)])
def test_equilibrium_carries_no_current_with_any_statistics(index):
    from sgsolve.devices import Ohmic

    x = np.linspace(0, 1e-4, 61)
    doping = np.where(x < 5e-5, -5e18, 5e18)
    contacts = {"p": Ohmic(0), "n": Ohmic(-1)}
    diode = device(x, doping, contacts, all_statistics()[index])
    assert abs(diode.current(diode.equilibrium(), "p")) < 1e-25
    y = diode.solve(V_p=0.6).x
    into, out = (diode.current(y, c, V_p=0.6) for c in ("p", "n"))
    assert into > 0
    assert into + out == pytest.approx(0, abs=1e-12 * into)


@pytest.mark.parametrize("index", range(4))
def test_jacobian_is_exact_with_any_statistics(index):
    from sgsolve import ad
    from sgsolve.devices import Ohmic

    x = np.linspace(0, 1e-4, 21)
    contacts = {"p": Ohmic(0), "n": Ohmic(-1)}
    diode = device(x, np.where(x < 5e-5, -5e18, 5e18), contacts, all_statistics()[index])
    y = diode.solve(V_p=0.6).x
    jacobian = diode.residual(ad.seed(y), V_p=0.6).jacobian.toarray()
    direction = np.random.default_rng(1).standard_normal(len(y))
    h = 1e-6
    difference = (
        diode.residual(y + h * direction, V_p=0.6) - diode.residual(y - h * direction, V_p=0.6)
    ) / (2 * h)
    scale = np.abs(jacobian) @ np.abs(direction)
    assert np.abs(jacobian @ direction - difference).max() < 1e-6 * scale.max()


def test_schottky_diode_is_limited_by_thermionic_emission():
    from sgsolve.devices import Ohmic, Schottky, graded

    x = graded([0.0, 2e-4], 1e-8, 2e-6, 1.1)
    barrier, velocity = 0.7, 2.6e6
    contacts = {"metal": Schottky(0, barrier, v_n=velocity), "bulk": Ohmic(-1)}
    diode = device(x, np.full(len(x), 1e16), contacts)
    assert abs(diode.current(diode.equilibrium(), "metal")) < 1e-25
    vt, q = diode.thermal_voltage, diode.constants.q
    saturation = q * velocity * 2.8e19 * np.exp(-barrier / vt)
    sweep = diode.sweep("metal", [0.1, 0.15, 0.2])
    current = diode.currents(sweep, "metal")
    ideal = saturation * np.expm1(sweep.parameter / vt)
    # Drift and diffusion through the barrier are in series: a little below the ideal law.
    assert np.all((current / ideal > 0.6) & (current / ideal < 1.0))
    out = diode.current(sweep.x, "bulk", V_metal=0.2)
    assert current[-1] + out == pytest.approx(0, abs=1e-12 * current[-1])


def test_velocity_saturates_in_a_bar():
    from sgsolve.devices import Ohmic, velocity_saturation

    x = np.linspace(0, 1e-3, 101)
    contacts = {"a": Ohmic(0), "b": Ohmic(-1)}
    values = {"v_sat_n": 1e7, "v_sat_p": 8e6, "beta_n": 2.0, "beta_p": 1.0}
    bar = device(x, np.full(101, 1e16), contacts, mobility=velocity_saturation, **values)
    q = bar.constants.q
    for voltage in (0.1, 10.0, 100.0):
        field = voltage / 1e-3
        velocity = 1000.0 * field / np.sqrt(1 + (1000.0 * field / 1e7) ** 2)
        current = bar.current(bar.solve(V_a=voltage).x, "a", V_a=voltage)
        assert current == pytest.approx(q * 1e16 * velocity, rel=1e-6)


def test_traps_hold_charge():
    from sgsolve.devices import Ohmic, acceptor_traps

    x = np.linspace(0, 1e-4, 51)
    traps = {"N_trap": 5e15, "c_n": 1e-8, "c_p": 1e-8, "n_trap": 1e10, "p_trap": 1e10}
    bar = device(
        x, np.full(51, 1e16), {"a": Ohmic(0), "b": Ohmic(-1)},
        traps=[acceptor_traps], **traps,
    )  # fmt: skip
    from sgsolve.devices import densities

    n, _ = densities(bar, bar.equilibrium())
    # Filled acceptors take half of the donors' electrons away, far from the contacts.
    assert n[25] == pytest.approx(5e15, rel=1e-3)


def test_surface_recombination_collects_what_is_generated():
    from sgsolve.devices import Ohmic, Surface

    x = np.linspace(0, 1e-3, 201)
    values = {"S_n": 1e3, "S_p": 1e3, "tau_n": 1e-3, "tau_p": 1e-3, "G": 1e17}
    bar = device(
        x, np.full(201, 1e15), {"b": Ohmic(-1)}, surfaces={"front": Surface([0])}, **values
    )
    from sgsolve.devices import densities

    _, dark = densities(bar, bar.equilibrium())
    y = bar.solve().x
    _, holes = densities(bar, y)
    diffusion = bar.thermal_voltage * 400.0
    # Diffusion with generation: D p'' = -G, D p'(0) = S p(0), p(L) = 0.
    length, rate = 1e-3, 1e17
    slope = rate * length**2 / (2 * diffusion) / (diffusion / 1e3 + length)
    expected = diffusion / 1e3 * slope
    assert holes[0] - dark[0] == pytest.approx(expected, rel=0.02)


def test_light_of_beer_and_lambert_gives_its_photons_as_current(reference):
    from sgsolve.devices import Device, Ohmic, beer_lambert, interval, srh

    x = np.linspace(0, 2e-4, 201)
    mesh = interval(x)
    cell = Device(
        mesh, np.where(x < 2e-5, -1e18, np.where(x > 1.8e-4, 1e18, 0.0)),
        {"p": Ohmic(0), "n": Ohmic(-1)},
        {"eps_r": 12.0, "ni": 1e8, "mu_n": 100.0, "mu_p": 50.0, "tau_n": 1e-6, "tau_p": 1e-6,
         "n1": 1e8, "p1": 1e8, "G": 1e17},
        recombination=[srh], profile=beer_lambert(x, mesh.volumes, 1e4),
    )  # fmt: skip
    short = -cell.current(cell.solve(V_p=-1.0).x, "p", V_p=-1.0)
    absorbed = 1.602176634e-19 * 1e17 * (1 - np.exp(-2.0))
    assert 0.85 < short / absorbed < 1.0


def test_more_doping_than_states_is_refused():
    from sgsolve.devices import Ohmic, gauss_fermi
    from sgsolve.errors import InputError

    with pytest.raises(InputError, match="fewer carriers than the doping"):
        device(np.linspace(0, 1e-5, 21), np.full(21, 1e21), {"a": Ohmic(0)}, gauss_fermi(4.0))


def test_statistics_end_where_their_table_does():
    from sgsolve.devices import gauss_fermi
    from sgsolve.errors import DomainError

    with pytest.raises(DomainError, match="eta = 61"):
        gauss_fermi(4.0).log_gamma(np.array([0.0, 61.0]))


@pytest.mark.parametrize("index", [0, 2, *slow(1, 3)])
@pytest.mark.parametrize("level", [3e15, *slow(1e12)])
def test_many_volts_along_one_edge_do_not_overflow_with_any_statistics(index, level):
    from sgsolve.devices import Ohmic

    contacts = {"a": Ohmic(0), "b": Ohmic(-1)}
    values = {"Nc": 1e15, "Nv": 1e15, "mu_n": 1.0, "mu_p": 1.0}  # 3e15 is degenerate
    statistics = all_statistics()[index]
    level = min(level, 5e14) if index == 3 else level  # a Gaussian holds no more than Nc
    bar = device(np.linspace(0, 1e-2, 6), np.full(6, level), contacts, statistics, **values)
    sweep = bar.sweep("a", [0.0, 100.0, 1000.0, -1000.0])  # up to 7700 kT/q an edge
    assert sweep.success
    conductance = bar.constants.q * level / 1e-2
    assert bar.currents(sweep, "a") == pytest.approx(conductance * sweep.parameter, rel=1e-6)


@pytest.mark.parametrize("splitting", [-30.0, -0.4, -1e-9, 0.0, 1e-6, 0.7, 9.0, 20.0])
def test_losses_are_the_excess_over_each_density(splitting):
    # 20 V in reverse is beyond the exponential that the usual form has
    from sgsolve.devices import Device, Ohmic, interval
    from sgsolve.devices.equations.carriers import carriers

    device = Device(
        interval(np.linspace(0.0, 1e-4, 5)),
        np.full(5, 1e16),
        {"left": Ohmic(0), "right": Ohmic(-1)},
        {"eps_r": 11.7, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0},
    )
    psi = np.linspace(0.1, 0.4, 5)
    x = np.concatenate([psi, psi - 0.1 - 0.5 * splitting, psi - 0.1 + 0.5 * splitting])
    state = carriers(device, x, device.parameters)
    us, un, up = (part.astype(np.longdouble) for part in (state.us, state.un, state.up))
    part = -np.expm1(un - up) / np.longdouble(state.vt)
    expected = [3.0 * 1e10 * np.exp(eta) * part for eta in (up - us, us - un)]
    for found, value in zip(state.losses(np.full(5, 3.0)), expected, strict=True):
        np.testing.assert_allclose(found, value.astype(float), rtol=1e-12)


def test_contacts_follow_their_voltages_and_the_temperature():
    from sgsolve.devices import Device, Ohmic, interval
    from sgsolve.devices.equations.boundaries.boundary import fixed_potentials

    device = Device(
        interval(np.linspace(0.0, 1e-4, 5)),
        np.array([-1e16, -1e16, 1e16, 1e16, 1e16]),
        {"left": Ohmic(0), "right": Ohmic(-1)},
        {"eps_r": 11.7, "ni": 1e10, "mu_n": 1000.0, "mu_p": 400.0},
    )
    vt = device.thermal_voltage
    wide = device.parameters | {"doping": 10.0 * device.parameters["doping"]}
    for p in (device.parameters, wide, device.parameters):
        for volt, t in ((0.0, vt), (0.3, vt), (0.3, 1.1 * vt), (0.3, vt), (0.0, vt)):
            found = fixed_potentials(device, p | {"V_left": volt}, t)
            neutral = np.arcsinh(p["doping"][0] / 2e10)
            expected = [neutral + volt / t, -neutral, volt / t, 0.0, volt / t, 0.0]
            np.testing.assert_allclose(found[device.layout.fixed_rows], expected, rtol=1e-12)
