"""The circuits of the gallery, against an integrator of SciPy and closed forms."""

import doctest
import importlib
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "circuits"


@pytest.fixture
def program(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module


def test_the_rectifier(program, tmp_path):
    rectifier = program("rectifier")
    picture = tmp_path / "rectifier.png"
    found = rectifier.main(str(picture), periods=2)

    def slope(t, v):  # one equation: the diode is between two known voltages
        source = rectifier.AMPLITUDE * np.sin(2 * np.pi * rectifier.FREQUENCY * t)
        with np.errstate(over="ignore"):  # in trial states
            current = 1e-9 * np.expm1(np.minimum((source - v) / 0.025852, 200.0))
        return (current - v / rectifier.LOAD) / rectifier.SMOOTHING

    theirs = solve_ivp(slope, (0, 0.04), [0.0], method="Radau", rtol=1e-8, atol=1e-10)
    assert found["run"].x[1] == pytest.approx(theirs.y[0, -1], abs=1e-3)
    assert found["high"] == pytest.approx(9.54, abs=0.02)
    assert picture.stat().st_size > 5000


def test_elements_follow_their_laws(program):
    module = program("nodal_analysis")
    assert doctest.testmod(module).failed == 0
    circuit = module.Circuit()  # R L C in series with a source of 1 V
    circuit.voltage("a", "0", 1.0)
    circuit.resistor("a", "b", 0.5)
    circuit.inductor("b", "c", 1.0)
    circuit.capacitor("c", "0", 1.0)
    problem = circuit.problem()
    run = problem.transient(circuit.zeros(), (0.0, 5.0), rtol=1e-7)
    assert circuit.at("c", run.x) == pytest.approx(1.036550787389, abs=1e-5)
    assert run.x[-1] == pytest.approx(-0.293448329903, abs=1e-5)
    steady = problem.at(t=0.0).solve(circuit.zeros())
    response = problem.at(t=0.0).small_signal(steady, "ac", [0.1]).states[0]
    w = 2 * np.pi * 0.1
    assert circuit.at("c", response) == pytest.approx(1 / (1 - w**2 + 0.5j * w), rel=1e-9)


@pytest.mark.slow
def test_the_ring_oscillator(program, tmp_path):
    found = program("ring_oscillator").main(str(tmp_path / "ring.png"))
    assert found["frequency"] == pytest.approx(56.4e6, rel=0.02)


@pytest.mark.slow
def test_a_bridge_of_diodes_with_a_floating_source(program):
    """Derivatives kept from a trial state deep in conduction would hide a wrong voltage."""
    module = program("nodal_analysis")
    bridge = module.Circuit()
    bridge.voltage("a", "b", lambda t: 10 * np.sin(100 * np.pi * t))
    bridge.resistor("b", "0", 1e6)
    for plus, minus in (("a", "out"), ("b", "out"), ("low", "a"), ("low", "b")):
        bridge.diode(plus, minus, 1e-9)
    bridge.resistor("low", "0", 1e-3)
    bridge.capacitor("out", "low", 1e-3)
    bridge.resistor("out", "low", 100.0)
    problem = bridge.problem()
    runs = [problem.transient(bridge.zeros(), (0.0, 0.025), rtol=rtol) for rtol in (1e-3, 1e-4)]
    for run in runs:
        assert run.success
        balance = [np.abs(problem.at(t=t).residual(x)[:2]).max() for t, x in run]
        assert np.max(balance[1:]) < 1.0  # A; at the nodes of the source, which store nothing
    outputs = [bridge.at("out", run.x) - bridge.at("low", run.x) for run in runs]
    assert outputs[0] == pytest.approx(outputs[1], abs=0.05)
    assert outputs[1] == pytest.approx(8.8, abs=0.4)


@pytest.mark.slow
def test_a_diode_of_1000_nodes_in_a_circuit(program, tmp_path):
    module = program("reverse_recovery")
    picture = tmp_path / "recovery.png"
    found = module.main(str(picture))
    run = found["run"]
    assert run.success
    assert run.stats.n_analyze == 1
    assert 3 * run.stats.n_factor <= run.stats.nit
    assert found["storage"] == pytest.approx(23.44e-9, rel=0.01)  # at rtol = 1e-6
    forward = np.interp(module.OFF, run["t"], run["current"])
    diode = module.diode(1000)
    voltage = module.FORWARD - module.SERIES * forward
    steady = diode.current(diode.solve(V_p=voltage).x, "p", V_p=voltage) * module.AREA
    assert forward == pytest.approx(steady, rel=1e-2)  # five lifetimes after it was turned on
    assert picture.stat().st_size > 5000


def test_a_device_is_what_its_resistance_says(program):
    assert doctest.testmod(program("device_element")).failed == 0


@pytest.mark.slow
def test_a_regulator_is_at_the_zener_diode_s_own_characteristic(program):
    """With ionization the fluxes are unknowns, which have no absolute tolerance of their own."""
    from sgsolve.devices import (
        Device,
        Ohmic,
        band_to_band,
        drive_current,
        graded,
        interval,
        ionization_values,
        materials,
        srh,
        van_overstraeten,
    )

    x = graded([0.0, 5e-6, 1.5e-5], 4e-7, 2e-8, 1.2)
    values = materials.silicon.at(300.0, [srh]) | ionization_values("Si van Overstraeten", T=300.0)
    values |= {"A_btb": 4e14, "E_btb": 1.9e7, "s_btb": 2.5, "mu_n": 200.0, "mu_p": 100.0}
    zener = Device(interval(x), np.where(x < 5e-6, -3e18, 3e18),
                   {"a": Ohmic(0), "k": Ohmic(-1)}, values,
                   recombination=[srh, band_to_band], ionization=van_overstraeten)  # fmt: skip
    circuit = program("device_element").DeviceCircuit()
    circuit.voltage("in", "0", lambda t: 10.0 * min(t / 1e-3, 1.0))
    circuit.resistor("in", "out", 500.0)
    circuit.resistor("out", "0", 1e3)
    circuit.device(zener, {"k": "out", "a": "0"}, area=1e-4)
    atol = circuit.tolerances(1e-4) | {"v": 1e-6, "i": 1e-9}
    run = circuit.problem().transient(circuit.zeros(), (0.0, 2e-3), rtol=1e-4, atol=atol)
    out = float(circuit.at("out", run.x))
    density = ((10.0 - out) / 500.0 - out / 1e3) / 1e-4
    assert drive_current(zener, "k", [density]).voltage[-1] == pytest.approx(out, rel=1e-6)
    assert 4.0 < out < 6.0
