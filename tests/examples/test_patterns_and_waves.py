"""The patterns of the Swift-Hohenberg equation, and a front that travels."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

PROGRAMS = Path(__file__).resolve().parents[2] / "examples" / "pdes"


def loaded(name):
    spec = importlib.util.spec_from_file_location(name, PROGRAMS / f"{name}.py")
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    return program


@pytest.mark.slow
def test_stripes_and_hexagons(tmp_path):
    program = loaded("swift_hohenberg")
    picture = tmp_path / "patterns.png"
    diagram = program.main(str(picture))
    # mode (m, n) of u = 0 has the eigenvalue r - (1 - kappa)^2 with the discrete kappa
    m, n = np.meshgrid(np.arange(program.NX), np.arange(program.NY))
    kappa = (2.0 * np.sin(0.5 * np.pi * m / program.NX) / program.HX) ** 2
    kappa = kappa + (2.0 * np.sin(0.5 * np.pi * n / program.NY) / program.HY) ** 2
    exact = np.sort(((1.0 - kappa) ** 2).ravel())
    uniform = [point.parameter for point in diagram[0].branch_points]
    assert uniform == pytest.approx(exact[exact < 0.3], abs=1e-9)
    at = diagram[0]["r"]
    assert diagram[0]["unstable"].tolist() == [int((exact < r).sum()) for r in at]
    assert len(diagram) == 7
    folds = sorted({round(point.parameter, 8) for point in diagram.special_points_of("fold")})
    assert folds == pytest.approx([-0.17473466, -0.06010361, -0.00944598], abs=1e-7)
    # hexagons are stable between their fold and r = 0, where u = 0 is stable too
    hexagons = [b for b in diagram if any(abs(f.parameter + 0.174734662) < 1e-8 for f in b.folds)]
    assert all(0 in b["unstable"][b["r"] < 0.0] for b in hexagons)
    assert picture.stat().st_size > 5000


def test_a_front_that_travels(tmp_path):
    picture = tmp_path / "front.png"
    branch = loaded("traveling_wave").main(str(picture))
    exact = (1.0 - 2.0 * branch["a"]) / np.sqrt(2.0)
    assert branch["velocity"] == pytest.approx(exact, abs=2e-6)
    assert branch["a"][-1] == pytest.approx(0.9)
    assert (branch["unstable"] == 0).all()
    assert picture.stat().st_size > 5000
