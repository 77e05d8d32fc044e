"""Roessler's equations: the special points against the plane map of their cycles."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import scipy.integrate
import scipy.optimize

PROGRAM = Path(__file__).resolve().parents[2] / "examples" / "steady_to_chaos.py"


def loaded():
    spec = importlib.util.spec_from_file_location("steady_to_chaos", PROGRAM)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    return program


@pytest.mark.slow
def test_doublings_and_the_picture(tmp_path):
    program = loaded()
    picture = tmp_path / "chaos.png"
    found = program.main(str(picture))
    (hopf,) = found["steady"].hopf_points
    a = hopf.parameter

    def real_part(a):
        x = 2.0 - np.sqrt(4.0 - 2.0 * a)
        J = [[0.0, -1.0, -1.0], [1.0, a, 0.0], [x / a, 0.0, x - 4.0]]
        return np.sort(np.linalg.eigvals(J).real)[-1]

    assert a == pytest.approx(scipy.optimize.brentq(real_part, 0.1, 0.15, xtol=1e-13), abs=1e-9)
    points = [program.doubling(branch).parameter for branch in found["cycles"]]
    ratio = (points[1] - points[0]) / (points[2] - points[1])
    assert ratio == pytest.approx(4.669, abs=0.05)
    # shooting with the variational equations at the first doubling: a multiplier is -1
    branch = found["cycles"][0]
    orbit, a = branch.orbit(program.doubling(branch)), points[0]

    def flow(t, y):
        x, V = y[:3], y[3:].reshape(3, 3)
        J = np.array([[0.0, -1.0, -1.0], [1.0, a, 0.0], [x[2], 0.0, x[0] - 4.0]])
        return np.append(-np.array(program.roessler(x, a)), (J @ V).ravel())

    end = scipy.integrate.solve_ivp(
        flow,
        (0.0, orbit.period),
        np.append(orbit.states[0], np.eye(3).ravel()),
        method="DOP853",
        rtol=1e-12,
        atol=1e-12,
    ).y[:, -1]
    assert end[:3] == pytest.approx(orbit.states[0], abs=1e-6)
    values = np.linalg.eigvals(end[3:].reshape(3, 3))
    assert np.abs(values + 1.0).min() < 1e-5
    assert picture.stat().st_size > 5000
