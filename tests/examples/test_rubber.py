"""The rubber block of the gallery: the force of one equation, and mirror symmetry."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

PROGRAM = Path(__file__).resolve().parents[2] / "examples" / "pdes" / "rubber.py"


@pytest.mark.slow
def test_a_block_that_slides_deforms_as_one_equation_says(tmp_path):
    spec = importlib.util.spec_from_file_location("rubber", PROGRAM)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    picture = tmp_path / "rubber.png"
    found = program.main(str(picture), nx=8, ny=4)
    np.testing.assert_allclose(found["sliding"], found["exact"], rtol=1e-10, atol=1e-12)
    assert np.isclose(found["exact"][-1], 1.826702, atol=1e-6)
    assert np.isclose(found["fixed"][-1], 1.942100, atol=1e-6)  # the finest meshes tend to 1.913
    assert (found["fixed"][1:] > found["sliding"][1:]).all()
    assert picture.stat().st_size > 5000
