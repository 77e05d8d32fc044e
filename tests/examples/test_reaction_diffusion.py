"""The Brusselator of the gallery: special points in closed form, and the stable patterns."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

PROGRAM = Path(__file__).resolve().parents[2] / "examples" / "reaction_diffusion.py"


@pytest.mark.slow
def test_branches_of_the_brusselator(tmp_path):
    spec = importlib.util.spec_from_file_location("reaction_diffusion", PROGRAM)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    picture = tmp_path / "patterns.png"
    found = program.main(str(picture), n=40)
    # Eigenvalues of the discrete Laplacian decide on the uniform state.
    kappa = 4.0 * 41**2 * np.sin(np.arange(1, 6) * np.pi / 82.0) ** 2
    A, dx, dy = program.A, program.DX, program.DY
    crossing = 1.0 + A**2 * dx / dy + dx * kappa + A**2 / (dy * kappa)
    points = [point.parameter for point in found["uniform"].branch_points]
    assert np.allclose(points, sorted(crossing[crossing < program.BOUNDS[1]]), atol=1e-8)
    (hopf,) = found["uniform"].hopf_points
    assert np.isclose(hopf.parameter, 1.0 + A**2 + (dx + dy) * kappa[0], atol=1e-8)
    folds = [fold.parameter for arm in found["crossing"] for fold in arm.folds]
    assert np.allclose(folds, [3.876103], atol=1e-5)
    ends = [arm["unstable"][-1] for kind in ("pitchfork", "crossing") for arm in found[kind]]
    assert ends == [0, 0, 0, 0]
    assert all(arm["unstable"].min() > 0 for arm in found["secondary"])
    first, second = (arm.field("X")[-1] for arm in found["pitchfork"])
    assert np.allclose(first, second[::-1], atol=1e-6)  # mirrored
    assert picture.stat().st_size > 5000
