"""The nonlinear heat equation of the gallery: the solution of Barenblatt, and conservation."""

import importlib.util
from pathlib import Path

import numpy as np

PROGRAM = Path(__file__).resolve().parents[2] / "examples" / "time" / "nonlinear_heat.py"


def test_spreading_heat(tmp_path):
    spec = importlib.util.spec_from_file_location("nonlinear_heat", PROGRAM)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    picture = tmp_path / "heat.png"
    coarse, fine = program.main(n=16), program.main(str(picture), n=32)
    assert fine["run"].success
    assert fine["mean error"] < 1e-3 < coarse["mean error"]
    assert np.isclose(fine["u"].max(), 1.0 / np.sqrt(8.0), rtol=0.01)
    assert np.isclose(*fine["heat"], rtol=1e-10)
    assert fine["u"].min() > -1e-6
    assert picture.stat().st_size > 5000
