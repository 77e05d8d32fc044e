"""The bifurcation diagram of the docs."""

import importlib.util
from pathlib import Path

import numpy as np

PROGRAM = Path(__file__).resolve().parents[2] / "examples" / "bifurcation.py"


def test_diagram_of_the_elastica(tmp_path):
    spec = importlib.util.spec_from_file_location("bifurcation", PROGRAM)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    picture = tmp_path / "diagram.png"
    found = program.main(str(picture), n=39)
    loads = [point.parameter for point in found["straight"].special_points]
    exact = 80.0 * np.sin(np.arange(1, 4) * np.pi / 80.0)
    assert np.allclose(loads, exact, atol=1e-9)
    first = [arm["unstable"].max() for arm in found["arms"]]
    assert first[:2] == [0, 0]
    assert min(first[2:]) > 0
    assert len(found["solutions"]) == 3
    folds = {round(s.parameter, 6) for b in found["bent"] for s in b.folds}
    assert len(folds) == 1
    assert picture.stat().st_size > 5000
