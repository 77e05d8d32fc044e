"""The finite volumes of the gallery: order, conservation, and positive concentrations."""

import importlib.util
from pathlib import Path

import numpy as np

PROGRAM = Path(__file__).resolve().parents[2] / "examples" / "pdes" / "finite_volumes.py"


def test_conduction_and_convection(tmp_path):
    spec = importlib.util.spec_from_file_location("finite_volumes", PROGRAM)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    picture = tmp_path / "volumes.png"
    found = program.main(str(picture), rings=8)
    plane = found["disk"]
    assert np.isclose(plane["error"], 2.14e-3, rtol=0.01)
    assert np.isclose(np.log2(plane["error"] / program.conduction(16)["error"]), 2.0, atol=0.05)
    assert np.isclose(plane["outflow"], plane["inflow"], rtol=1e-12)
    x = (np.arange(10) + 0.5) / 10
    exact = np.expm1(x / 0.02) / np.expm1(1.0 / 0.02)
    assert np.allclose(found["exponential"], exact, atol=1e-12)
    assert found["upwind"].min() > 0.0
    assert found["central"].min() < -0.5
    back = program.convection("exponential", velocity=-1.0)  # from the other end
    assert np.allclose(1.0 - back[::-1], exact, atol=1e-12)
    assert picture.stat().st_size > 5000
