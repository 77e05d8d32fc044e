"""A thin arch: terms of stretching that are 1e10 times those of bending."""

import numpy as np
import pytest

from sgsolve import Problem
from tests.selection import slow

RADIUS, ELEMENTS = 100.0, 40
BENDING, STRETCHING, SHEAR = 1e6, 1e8, 5e7
TOP = ELEMENTS // 2


def deep_arch(unit, **options):
    """Return an arch of 215 degrees, clamped and hinged, under a load P at its top.

    Reissner's rod by linear elements with one integration point, in lengths of a unit.
    """
    angle = np.radians(215.0 / 2.0) * np.linspace(-1.0, 1.0, ELEMENTS + 1)
    X = unit * RADIUS * np.column_stack([np.sin(angle), np.cos(angle)])
    edges = X[1:] - X[:-1]
    L, slope = np.hypot(*edges.T), np.arctan2(edges[:, 1], edges[:, 0])

    def balance(place, turn, P):
        d = edges + place[1:] - place[:-1]
        t = slope + 0.5 * (turn[1:] + turn[:-1])
        along = (np.cos(t) * d[:, 0] + np.sin(t) * d[:, 1]) / L
        across = (np.cos(t) * d[:, 1] - np.sin(t) * d[:, 0]) / L
        N, V = STRETCHING * (along - 1.0), SHEAR * across
        M = unit**2 * BENDING * (turn[1:] - turn[:-1]) / L
        force = np.stack([np.cos(t) * N - np.sin(t) * V, np.sin(t) * N + np.cos(t) * V], axis=1)
        lever = 0.5 * L * (across * N - along * V)
        forces, moments = np.zeros_like(place), np.zeros_like(turn)
        forces[1:] += force
        forces[:-1] -= force
        moments[1:] += lever + M
        moments[:-1] += lever - M
        forces[TOP, 1] += P
        forces[0], forces[-1], moments[0] = place[0], place[-1], turn[0]
        return {"place": forces, "turn": moments}

    blocks = {"place": (ELEMENTS + 1, 2), "turn": ELEMENTS + 1}
    return Problem(balance, params={"P": 0.0}, blocks=blocks, fields=True, **options)


@pytest.mark.parametrize("unit", [1e-3, *slow(1.0)])
def test_points_are_solutions_and_the_limit_load_is_that_of_simo_and_vu_quoc(unit):
    """Points a step away passed: their residual was small beside the terms of stretching.

    905.28: J. C. Simo, L. Vu-Quoc, Comput. Methods Appl. Mech. Eng. 58 (1986) 79, section 5.
    """
    problem = deep_arch(unit)
    curve = problem.continuation(np.zeros(3 * ELEMENTS + 3), "P", (-500.0, 1300.0), stop="fold")
    assert curve.folds[0].parameter == pytest.approx(905.28, abs=0.5)
    assert len(curve) < 100
    for k in np.flatnonzero(curve["P"] < 700.0):
        x, params = curve.at(k)
        exact = problem.at(**params).solve(x).x
        np.testing.assert_allclose(x, exact, rtol=0, atol=1e-6 * np.abs(exact).max())
