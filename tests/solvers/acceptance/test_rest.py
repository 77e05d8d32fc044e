"""Structures and layers at rest: unknowns are zero, residuals are rounding errors of constants."""

from __future__ import annotations

import numpy as np
import pytest

from sgsolve import Problem, solvers

ANGLES = np.arange(6) * np.pi / 3
RING, FOOT = np.exp(1j * ANGLES) * 25.0, np.exp(1j * (ANGLES + np.pi / 6)) * 43.3
NODES = np.vstack(
    [
        [[0.0, 0.0, 8.216]],
        np.column_stack([RING.real, RING.imag, np.full(6, 6.216)]),
        np.column_stack([FOOT.real, FOOT.imag, np.zeros(6)]),
    ]
)
BARS = np.array(
    [(0, 1 + k) for k in range(6)]
    + [(1 + k, 1 + (k + 1) % 6) for k in range(6)]
    + [(1 + k, 7 + k) for k in range(6)]
    + [(1 + k, 7 + (k - 1) % 6) for k in range(6)]
)
LENGTHS = np.linalg.norm(NODES[BARS[:, 1]] - NODES[BARS[:, 0]], axis=1)
STIFFNESS = 3.03e5


def dome(u, load):
    """Return the forces on the free nodes of a star dome under a load on its top."""
    x = NODES + np.vstack([u.reshape(7, 3), np.zeros((6, 3))])
    d = x[BARS[:, 1]] - x[BARS[:, 0]]
    strain = ((d**2).sum(axis=1) - LENGTHS**2) / (2 * LENGTHS**2)
    tension = (STIFFNESS * strain / LENGTHS)[:, None] * d
    force = np.zeros_like(x)
    np.add.at(force, BARS[:, 0], -tension)
    np.add.at(force, BARS[:, 1], tension)
    force[0, 2] += load
    return force[:7].ravel()


def arch(u):
    """Return the forces in a half circle of stiff beams, hinged at both ends."""
    n, radius = 20, 3.7
    turn = np.pi / n
    place = turn * np.arange(n + 1)
    points = radius * np.stack([np.cos(place), np.sin(place)], axis=1)
    x = points + np.concatenate([np.zeros((1, 2)), u.reshape(-1, 2), np.zeros((1, 2))])
    d = np.diff(x, axis=0)
    length, angle = np.hypot(d[:, 0], d[:, 1]), np.arctan2(-d[:, 0], d[:, 1])
    along = d / length[:, None]
    across = np.stack([-along[:, 1], along[:, 0]], axis=1) / length[:, None]
    tension = 1e7 * (length / (2 * radius * np.sin(turn / 2)) - 1)[:, None] * along
    moment = 1e3 * (angle[1:] - angle[:-1] - turn)[:, None]
    force = np.zeros_like(x)
    force[:-1] -= tension
    force[1:] += tension
    force[1:-1] -= moment * (across[1:] + across[:-1])
    force[2:] += moment * across[1:]
    force[:-2] += moment * across[:-1]
    return force[1:-1].ravel()


def atmosphere(r):
    """Return how far a change r of an isothermal density is from hydrostatic balance."""
    z = np.linspace(0.0, 1e4, 30)
    density = 1.2 * np.exp(-z / 8400.0) + r
    rise = density[1:] - density[:-1]
    balance = rise * 8400.0 / (z[1] - z[0]) + rise / np.log(density[1:] / density[:-1])
    return np.concatenate([r[:1], 9.81 * balance])


@pytest.mark.parametrize("start", [0.0, 1e-6, 1e-2])
@pytest.mark.parametrize("solver", [None, solvers.Newton()])
def test_a_dome_without_load_stays_at_rest(start, solver):
    x0 = start * np.random.default_rng(1).standard_normal(21)
    result = Problem(dome, params={"load": 0.0}).solve(x0, solver)
    assert result.success
    assert result.nit < 20
    assert abs(result.x).max() < 1e-12


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e20])
def test_a_scale_does_not_change_that(scale):
    result = Problem(dome, params={"load": 0.0}, scale=scale).solve(np.zeros(21))
    assert result.nit < 20
    assert abs(result.x).max() < 1e-12


@pytest.mark.parametrize(("residual", "n"), [(arch, 38), (atmosphere, 30)])
def test_other_systems_at_rest(residual, n):
    result = Problem(residual).solve(np.zeros(n))
    assert result.nit < 30
    assert abs(result.x).max() < 1e-12


def test_a_branch_begins_at_rest():
    branch = Problem(dome, params={"load": 0.0}).continuation(
        np.zeros(21), "load", (0.0, 600.0), step=10.0, max_points=12, outputs={"w": lambda u: -u[2]}
    )
    assert abs(branch["w"][0]) < 1e-12
    assert 0.0 < branch["w"][1] < 0.05
    assert [point.kind for point in branch.special_points] in ([], ["fold"])


@pytest.mark.parametrize("c", [1e-10, 1e-13])
@pytest.mark.parametrize(
    "residual",
    [
        lambda x, c: x + c * np.sign(x) + c / 2,
        lambda x, c: x + c * np.sign(x - c / 10) + c / 2,
        lambda x, c: abs(x) + c,
        lambda x, c: (25.0 + x**2) - 25.0 + c,
        lambda x, c: (25.0 + abs(x)) - 25.0 + c,
        lambda x, c: np.sqrt(x**2 + c**2) + c,
    ],
)
def test_jumps_and_kinks_without_a_root_are_no_noise(residual, c):
    problem = Problem(residual, params={"c": c})
    assert not problem.solve([0.0], solvers.DampedNewton(), raise_on_failure=False).success
