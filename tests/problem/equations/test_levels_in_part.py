"""Levels that no equation determines in a part of the space only, and totals that cannot vanish."""

import numpy as np
import pytest
from scipy.optimize import brentq

from sgsolve import PartialBranchWarning, Problem, Status

N = 20
ONES = np.ones(N)
SOURCE = 1.0 + np.cos(np.pi * (np.arange(N) + 0.5) / N)  # its mean is 1


def diffusion(u):
    edges = np.pad(u, 1, mode="edge")
    return edges[2:] - 2.0 * u + edges[:-2]


def leaking(u, s):
    """Nothing leaves below 1."""
    return diffusion(u) - np.maximum(u - 1.0, 0.0) + s * SOURCE


def unbalanced(u, s):
    return diffusion(u) + s * SOURCE


def bent(u, s):
    """The weights of the total that cannot vanish depend on u."""
    return diffusion(u) * (1.0 + u**2) + s * SOURCE


def conductivity(h):
    """Of an unsaturated soil, in m/day (van Genuchten and Mualem)."""
    m = 1.0 - 1.0 / 1.56
    S = (1.0 + (3.6 * np.maximum(-h, 0.0)) ** 1.56) ** -m
    return 0.25 * np.sqrt(S) * (1.0 - (1.0 - S ** (1.0 / m)) ** m) ** 2


def infiltration(h, rain):
    """Water through a column of soil that drains freely; full of water, no equation has a level."""
    k = conductivity(h)
    between = 0.5 * (k[1:] + k[:-1]) * (1.0 - (h[1:] - h[:-1]) / 0.1)
    flux = np.hstack([rain, between, k[-1]])
    return flux[1:] - flux[:-1]


def test_a_level_found_where_a_soil_is_full_is_determined_where_it_is_not():
    problem = Problem(infiltration, params={"rain": 0.01})
    values = [0.01, 0.1, 0.2, 0.24]  # the line through the first two leads to a full soil
    branch = problem.sweep(np.full(N, -0.3), "rain", values)
    assert branch.success
    heads = [brentq(lambda h, r=r: conductivity(h) - r, -5.0, -1e-9) for r in values]
    np.testing.assert_allclose(branch.states, np.outer(heads, ONES), rtol=1e-8)


def test_a_solution_lies_where_the_level_is_determined():
    problem = Problem(leaking, params={"s": 1.0})
    result = problem.solve(0.5 * ONES)
    assert abs(np.maximum(result.x - 1.0, 0.0).mean() - 1.0) < 1e-12  # what leaks is what flows in
    assert result.null_space is None
    assert not result.remark
    assert result.nit < 30


def test_a_sweep_goes_on_where_the_level_is_determined():
    branch = Problem(leaking, params={"s": 0.0}).sweep(0.5 * ONES, "s", [0.0, 0.1, 1.0])
    assert branch.success
    leaks = np.maximum(branch.states - 1.0, 0.0).mean(axis=1)
    np.testing.assert_allclose(leaks, [0.0, 0.1, 1.0], atol=1e-12)


@pytest.mark.parametrize("null_space", [None, ONES])
@pytest.mark.parametrize("residual", [leaking, unbalanced])
def test_a_continuation_does_not_record_what_solves_no_equation(residual, null_space):
    problem = Problem(residual, params={"s": 0.0}, null_space=null_space)
    with pytest.warns(PartialBranchWarning, match="contradict each other: their total"):
        branch = problem.continuation(0.5 * ONES, "s", (0.0, 1.0))
    assert branch.status is Status.STEP_TOO_SMALL
    for u, s in zip(branch.states, branch["s"], strict=True):
        assert np.abs(residual(u, s)).max() < 1e-8


def test_a_continuation_says_where_the_level_begins_to_be_determined():
    def residual(u, s):
        return diffusion(u) - np.maximum(u - 1.0, 0.0) + s * (SOURCE - 1.0)

    problem = Problem(residual, params={"s": 0.0}, null_space=ONES)
    with pytest.warns(PartialBranchWarning, match="the equations determine the level here"):
        branch = problem.continuation(0.5 * ONES, "s", (0.0, 1.0))
    assert len(branch) > 3
    assert 1.0 - 1e-3 < branch.x.max() < 1.0 + 1e-3


def test_a_continuation_with_a_total_that_cannot_vanish_and_changes_with_u():
    problem = Problem(bent, params={"s": 0.0}, null_space=ONES)
    with pytest.warns(PartialBranchWarning):
        branch = problem.continuation(0.5 * ONES, "s", (0.0, 1.0))
    for u, s in zip(branch.states, branch["s"], strict=True):
        assert np.abs(bent(u, s)).max() < 1e-8
