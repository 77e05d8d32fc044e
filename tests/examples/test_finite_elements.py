"""The finite elements of the gallery: orders of convergence, and scikit-fem's own assembly."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

PROGRAM = Path(__file__).resolve().parents[2] / "examples" / "pdes" / "finite_elements.py"


@pytest.mark.slow
def test_orders_of_convergence(tmp_path):
    skfem = pytest.importorskip("skfem", reason="no scikit-fem")
    spec = importlib.util.spec_from_file_location("finite_elements", PROGRAM)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    picture = tmp_path / "elements.png"
    found = program.main(str(picture), levels=(3, 4, 5))
    assert np.allclose(np.log2(found["linear"][:-1] / found["linear"][1:]), 2.0, atol=0.05)
    assert np.allclose(np.log2(found["quadratic"][:-1] / found["quadratic"][1:]), 3.0, atol=0.15)
    assert np.isclose(found["linear"][0], 0.01828, rtol=0.01)
    basis, u, _ = program.solve(skfem.ElementTriP2(), 2)
    field = basis.interpolate(u + 0.1)
    theirs = skfem.LinearForm(program.weak).assemble(basis, u=field, slope=field.grad)
    assert np.allclose(program.assemble(program.weak, basis, u + 0.1), theirs, atol=1e-13)
    assert picture.stat().st_size > 5000
