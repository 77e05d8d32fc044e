"""Infiltration and phase separation: conservation, linear theory and a front of the literature."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.integrate import solve_ivp

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "time"


def load(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    return program


def test_water_is_conserved_and_the_front_arrives_where_it_should(tmp_path):
    program, picture = load("infiltration"), tmp_path / "front.png"
    found = program.main(str(picture), n=60, rtol=1e-3)
    assert found["inflow"] - found["outflow"] == pytest.approx(found["stored"], rel=1e-5)
    psi = found["run"].x[:60]
    front = program.DEPTH / 60 * (np.argmax(psi < -500.0) + 0.5)
    assert front == pytest.approx(57.0, abs=5.0)  # as in figure 4 of Celia et al. after one day
    assert np.all(np.diff(psi) < 1e-3)
    assert picture.stat().st_size > 5000


def test_waves_grow_as_linear_theory_says():
    """A small wave grows by exp(k^2 (1 - width^2 k^2) t) with the k of the differences."""
    program, n = load("cahn_hilliard"), 12
    wave = np.cos(2 * np.pi * np.arange(n) / n)[:, None] * np.ones(n)
    k2 = 2 * (1 - np.cos(2 * np.pi / n)) * n**2
    rate = k2 * (1 - program.WIDTH**2 * k2)
    x0 = np.concatenate([1e-5 * wave.ravel(), np.zeros(n * n)])
    run = program.mixture(n).transient(x0, (0.0, 0.02), rtol=1e-5, atol=1e-11)
    growth = np.log(np.abs(run.x[: n * n]).max() / 1e-5)
    assert growth == pytest.approx(rate * 0.02, rel=1e-3)


def test_phases_separate_while_the_energy_falls(tmp_path):
    program, picture = load("cahn_hilliard"), tmp_path / "phases.png"
    run = program.main(str(picture), n=16, end=0.05)
    assert np.all(np.diff(run["energy"]) < 0.0)
    assert np.ptp(run["total"]) < 1e-7
    assert run.stats.n_analyze == 1  # serves the start, which is moved, and all steps
    assert picture.stat().st_size > 5000


def test_the_energy_of_the_phases_is_that_of_other_methods():
    program, n = load("cahn_hilliard"), 16
    one, shift = sp.eye_array(n), np.roll(np.eye(n), 1, 0)
    line = sp.csr_array(shift + shift.T - 2.0 * np.eye(n)) * n**2
    laplace = (sp.kron(line, one) + sp.kron(one, line)).tocsc()
    stiff = program.WIDTH**2 * laplace
    start = 0.05 * np.random.default_rng(1).standard_normal(n * n)
    ode = solve_ivp(
        lambda t, c: laplace @ (c**3 - c - stiff @ c),
        (0.0, 0.05),
        start,
        method="Radau",
        jac=lambda t, c: (laplace @ (sp.diags_array(3.0 * c**2 - 1.0) - stiff)).tocsc(),
        rtol=1e-6,
        atol=1e-8,
    )
    expected = program.energy(ode.y[:, -1], n)
    x0 = np.concatenate([start, 0.0 * start])
    run = program.mixture(n).transient(x0, (0.0, 0.05), rtol=1e-5)
    assert program.energy(run.x, n) == pytest.approx(expected, rel=1e-6)


@pytest.mark.slow
def test_the_energy_of_the_example_is_the_one_it_states():
    program = load("cahn_hilliard")
    assert program.main()["energy"][-1] == pytest.approx(program.ENERGY, rel=3e-4)


@pytest.mark.slow
def test_the_charge_of_a_node_is_kept_by_differences_of_charges(tmp_path):
    program, picture = load("charge_form"), tmp_path / "drift.png"
    program.PERIODS = 4
    found = program.main(str(picture))
    kept = [error for name, error in found.items() if name.startswith("charge")]
    lost = [found[f"capacitance, backward Euler, {n} steps"] for n in (40, 80, 160)]
    assert len(kept) == 4
    assert max(kept) < 1e-13
    assert lost[0] > 2.0 * lost[1] > 4.0 * lost[2] > 0.01
    assert picture.stat().st_size > 5000
