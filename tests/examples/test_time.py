"""Infiltration and phase separation: conservation, linear theory and a front of the literature."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

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
