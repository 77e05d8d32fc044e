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
    assert len(diagram) == 9  # u = 0, and four branches with their images by symmetry
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


def rates_of_the_ring(program, D):
    """The eigenvalues of the wave, of one 2 by 2 matrix for each wave number of a disturbance."""
    symbol = (2.0 * np.sin(0.5 * np.arange(program.N) * program.H) / program.H) ** 2
    k, one_a, one_b = program.K, 1.0 + 1j * program.ALPHA, 1.0 + 1j * program.BETA
    R2 = 1.0 - D * symbol[k]
    w = program.BETA * R2 + program.ALPHA * D * symbol[k]
    found = []
    for m in range(program.N):
        ahead, behind = symbol[(k + m) % program.N], symbol[(k - m) % program.N]
        own = 1.0 + 1j * w - one_a * D * ahead - 2.0 * one_b * R2
        mirrored = 1.0 - 1j * w - np.conj(one_a) * D * behind - 2.0 * np.conj(one_b) * R2
        block = [[own, -one_b * R2], [-np.conj(one_b) * R2, mirrored]]
        found += list(np.linalg.eigvals(block))
    return np.array(found)


def test_a_wave_that_rotates(tmp_path):
    program, picture = loaded("rotating_wave"), tmp_path / "ring.png"
    branch = program.main(str(picture))
    D = branch["D"]
    exact = program.BETA * (1.0 - D * program.WAVE) + program.ALPHA * D * program.WAVE
    assert branch["velocity"] == pytest.approx(exact, abs=1e-10)
    size = np.hypot(branch.field("a"), branch.field("b"))
    assert size == pytest.approx(np.sqrt(1.0 - D * program.WAVE)[:, None] + 0.0 * size, abs=1e-10)
    assert D[-1] == 0.2
    counts = [int((rates_of_the_ring(program, one).real > 1e-8).sum()) for one in D]
    assert branch["unstable"].tolist() == counts
    assert counts[0] == 0
    assert counts[-1] > 0
    assert picture.stat().st_size > 5000
