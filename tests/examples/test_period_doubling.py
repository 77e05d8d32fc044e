"""The period doublings of a feedback loop."""

import importlib.util
from pathlib import Path

import pytest

PROGRAM = Path(__file__).resolve().parents[2] / "examples" / "period_doubling.py"


@pytest.mark.slow
def test_the_first_doublings(tmp_path):
    spec = importlib.util.spec_from_file_location("period_doubling", PROGRAM)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    picture = tmp_path / "doubling.png"
    found = program.main(str(picture), doublings=3)
    assert found["doublings"][0] == pytest.approx(0.63030200616, abs=1e-10)
    assert found["doublings"][1] == pytest.approx(0.5796298, abs=1e-6)
    periods = [branch["period"][-1] for branch in found["cascade"]]
    assert periods[0] == pytest.approx(6.36407133944, abs=1e-8)
    assert periods[2] / periods[0] == pytest.approx(4.0, abs=0.02)
    assert found["ratios"][0] == pytest.approx(4.3, abs=0.6)
    assert picture.stat().st_size > 5000
