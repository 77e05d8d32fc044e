"""The power flow of the gallery: published voltages and the loading limit."""

import importlib.util
from pathlib import Path

import numpy as np

PROGRAM = Path(__file__).resolve().parents[2] / "examples" / "circuits" / "power_flow.py"


def test_voltages_and_nose_of_the_14_bus_case(tmp_path):
    spec = importlib.util.spec_from_file_location("power_flow", PROGRAM)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    picture = tmp_path / "nose.png"
    found = program.main(str(picture))
    V, published = found["V"], program.PUBLISHED
    # The archive gives three digits, from a solution with a coarse tolerance.
    assert abs(abs(V) - abs(published)).max() < 2e-3
    assert abs(np.degrees(np.angle(V / published))).max() < 0.02
    # The balance that is no equation: losses of the lines, computed branch by branch.
    i, j = program.LINES[:, :2].astype(int).T - 1
    tap, end = program.LINES[:, 5], V[j]
    series = (V[i] / tap - end) / (program.LINES[:, 2] + 1j * program.LINES[:, 3])
    losses = np.sum(abs(series) ** 2 * program.LINES[:, 2])
    generated = (V * np.conj(program.Y @ V) + program.LOAD).real
    assert np.isclose(generated.sum() - program.LOAD.real.sum(), losses, rtol=1e-9)
    assert np.isclose(100 * generated[0], 232.4, atol=0.05)  # MW, published
    fold = found["branch"].special_points[0]
    assert np.isclose(fold.parameter, 4.060253, atol=1e-5)
    assert found["branch"]["loading"][-1] == 1.0  # the branch came back below the fold
    assert picture.stat().st_size > 5000
