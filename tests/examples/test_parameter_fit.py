"""The fits of the gallery: the published optimum of a solar cell, and a conductivity."""

import importlib.util
from pathlib import Path

import numpy as np

PROGRAM = Path(__file__).resolve().parents[2] / "examples" / "fits" / "parameter_fit.py"


def test_cell_and_conductivity(tmp_path):
    spec = importlib.util.spec_from_file_location("parameter_fit", PROGRAM)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    picture = tmp_path / "fit.png"
    found = program.main(str(picture))
    # The optimum in the literature for these data, where the current is solved for exactly.
    assert np.isclose(found["cell"]["rms"], 7.7301e-4, rtol=1e-4)
    best = {"photo": 0.760788, "ideality": 1.47727, "series": 0.036547, "shunt": 52.8898}
    values = found["cell"]["values"]
    assert all(np.isclose(values[name], best[name], rtol=1e-4) for name in best)
    assert np.isclose(np.exp(values["log_sat"]), 3.1068e-7, rtol=1e-3)  # A
    rod = found["rod"]
    assert abs(np.log(rod["found"] / rod["true"])).max() < 0.2
    assert abs(rod["x"][rod["found"].argmax()] - 0.65) < 0.03
    assert picture.stat().st_size > 5000
