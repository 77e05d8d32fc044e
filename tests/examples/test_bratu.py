"""The Bratu problem of the first page of the docs, against its solution in closed form."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

PROGRAM = Path(__file__).resolve().parents[2] / "examples" / "bratu.py"


def test_sweep_and_fold_of_the_bratu_problem(tmp_path):
    spec = importlib.util.spec_from_file_location("bratu", PROGRAM)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    picture = tmp_path / "bratu.png"
    found = program.main(str(picture))
    # largest value 2 log cosh t, where strength = 8 (t / cosh t)^2; differences of second order
    t = np.arccosh(np.exp(found["curve"]["top"] / 2.0))
    assert found["curve"]["strength"] == pytest.approx(8.0 * (t / np.cosh(t)) ** 2, abs=5e-3)
    assert found["curve"]["top"][-1] > 5.0
    assert found["sweep"]["top"][:3] == pytest.approx([0.14054, 0.32895, 0.64024], abs=5e-4)
    assert [s.parameter for s in found["curve"].special_points] == pytest.approx(
        [3.51383], abs=1e-3
    )
    assert picture.stat().st_size > 5000
