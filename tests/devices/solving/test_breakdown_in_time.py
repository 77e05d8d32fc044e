"""Impact ionization in time and beside mobile ions."""

import numpy as np
import pytest

from sgsolve.devices import (
    Device,
    Ion,
    Ohmic,
    SmallSignal,
    TimeForm,
    TrapLevel,
    conductance,
    drive_current,
    graded,
    interval,
    ionization_values,
    quasi_static,
    srh,
    van_overstraeten,
)

X = graded([0.0, 1e-4, 6e-4], 4e-6, 2e-7, 1.15)
SILICON = {"eps_r": 11.7, "ni": 1e10, "mu_n": 800.0, "mu_p": 300.0}
SILICON |= {"tau_n": 1e-6, "tau_p": 1e-6, "n1": 1e10, "p1": 1e10}
SILICON |= ionization_values("Si van Overstraeten")
DOPING = np.where(X < 1e-4, -1e19, 1e16)
SODIUM = {"sodium": Ion(X > 1.5e-4, 1, 1e15, 1e-9)}


def diode(doping=DOPING, ions=None, **options):
    contacts = {"p": Ohmic(0), "n": Ohmic(-1)}
    return Device(
        interval(X), doping, contacts, SILICON, recombination=[srh],
        ionization=van_overstraeten, ions=ions, **options,
    )  # fmt: skip


def admittance_in_time(device, x, f, **bias):
    """That of the equations in time: densities are unknowns there, not potentials."""
    p = device.parameters | bias
    form = TimeForm(device, x, p)
    response = form.problem.at(**bias).small_signal(
        form.unknowns(x, p), "V_n", f, outputs={"current": form.current("n")}
    )
    return response["current"]


@pytest.mark.parametrize("ions", [None, pytest.param(SODIUM, marks=pytest.mark.slow)])
def test_the_form_in_time_has_the_admittance_of_the_avalanche(ions):
    device, bias = diode(ions=ions), {"V_n": 44.0}
    x, f = device.solve(**bias).x, [1e-6, 1.0, 1e6, 1e9, 1e11]
    found = SmallSignal(device).admittance(x, "n", f, **bias)
    np.testing.assert_allclose(found, admittance_in_time(device, x, f, **bias), rtol=1e-7)
    assert found[0].real == pytest.approx(conductance(device, x, "n", **bias), rel=1e-7)


@pytest.mark.slow
def test_an_avalanche_grows_to_its_steady_current():
    device = diode()
    low, high = (device.solve(V_n=V).x for V in (50.0, 51.0))
    run = device.transient(
        {"n": lambda t: 50.0 + min(t / 1e-10, 1.0)}, (0.0, 1e-6), low, breakpoints=[1e-10]
    )
    assert run.success
    expected = device.current(high, "n", V_n=51.0)
    assert run["I_n"][-1] == pytest.approx(expected, rel=1e-6)
    assert expected > 2.0 * device.current(low, "n", V_n=50.0)
    assert np.abs(run["I_n"] + run["I_p"]).max() <= 1e-12 * np.abs(run["I_n"]).max()
    # A state in time has the fluxes after the potentials, and is a start for another run.
    assert device.current(run.x, "n", V_n=51.0) == pytest.approx(expected, rel=1e-5)
    again = device.transient({"n": 51.0}, (1e-6, 2e-6), run.x)
    assert again["I_n"][-1] == pytest.approx(expected, rel=1e-6)


def test_an_absolute_tolerance_of_one_block_leaves_the_others():
    run = diode().transient({"n": 1.0}, (0.0, 1e-9), atol={"psi": 1e-6})
    assert run.success


@pytest.mark.slow
def test_resting_ions_are_doping_to_an_avalanche():
    """With the charge of its ions as doping, a device without ions has the same currents."""
    device = diode(ions=SODIUM)
    region, first = device.ions["sodium"], 3 * len(X) + 2 * (len(X) - 1)
    sweep = device.sweep("n", [0.0, 10.0, 30.0, 44.0])
    for i in range(1, len(sweep)):
        x, bias = sweep.at(i)[0], {"V_n": sweep["V_n"][i]}
        level = x[first : first + 1] / device.thermal_voltage
        ions = region.density(x[: len(X)] / device.thermal_voltage, level)
        assert ions @ region.volumes == pytest.approx(region.total, rel=1e-12)
        fixed = diode(DOPING + region.charge(ions))
        expected = fixed.current(fixed.solve(**bias).x, "n", **bias)
        assert device.current(x, "n", **bias) == pytest.approx(expected, rel=1e-9)
    few = diode(ions={"sodium": Ion(X > 1.5e-4, 1, 1.0, 1e-9)})
    bare = drive_current(diode(), "n", [1.0], guess=44.0).voltage
    assert drive_current(few, "n", [1.0], guess=44.0).voltage == pytest.approx(bare, rel=1e-9)
    assert drive_current(device, "n", [1.0], guess=44.0).voltage[0] < bare[0] - 3.0


@pytest.mark.slow
def test_ions_move_in_an_avalanche():
    """Their number is conserved, and the end is the steady state."""
    device = diode(ions=SODIUM, trap_levels={"deep": TrapLevel("donor", 1e13, 1e-8, 1e-8, 1e10)})
    start, end = (device.solve(V_n=V).x for V in (40.0, 44.0))
    run = device.transient(
        {"n": lambda t: 40.0 + 4.0 * min(t / 1e-6, 1.0)}, (0.0, 1.0), start, breakpoints=[1e-6]
    )
    assert run.success
    region, first = device.ions["sodium"], 3 * len(X) + 2 * (len(X) - 1)
    ions = run.states[:, first : first + len(region.nodes)]
    assert np.ptp(ions @ region.volumes) <= 1e-13 * region.total * len(run)
    steady = device.current(end, "n", V_n=44.0)
    assert run["I_n"][-1] == pytest.approx(steady, rel=1e-5)
    assert device.current(run.x, "n", V_n=44.0) == pytest.approx(steady, rel=1e-5)
    at_rest, alone = (quasi_static(d, d.equilibrium(), "n") for d in (device, diode()))
    assert abs(at_rest / alone - 1.0) < 0.1


def test_ions_at_rest_under_a_low_voltage_are_doping_too():
    device, bias = diode(ions=SODIUM), {"V_n": 1.0}
    x, vt = device.solve(**bias).x, device.thermal_voltage
    region, first = device.ions["sodium"], 3 * len(X) + 2 * (len(X) - 1)
    ions = region.density(x[: len(X)] / vt, x[first : first + 1] / vt)
    fixed = diode(DOPING + region.charge(ions))
    expected = fixed.current(fixed.solve(**bias).x, "n", **bias)
    assert device.current(x, "n", **bias) == pytest.approx(expected, rel=1e-9)


@pytest.mark.slow
def test_a_fast_ramp_before_a_long_time():
    """The start does not depend on how long the run is."""
    device = diode()
    run = device.transient(
        {"n": lambda t: 45.0 * min(t / 1e-9, 1.0)}, (0.0, 1.0), breakpoints=[1e-9]
    )
    assert run.success
    assert run["t"][1] < 1e-15
    expected = device.current(device.solve(V_n=45.0).x, "n", V_n=45.0)
    assert run["I_n"][-1] == pytest.approx(expected, rel=1e-6)
