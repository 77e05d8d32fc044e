"""Levels of blocks that a Jacobian does not determine."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve.results.blocks import Blocks
from sgsolve.solvers.steps.open_directions import open_levels

N = 30
LAPLACIAN = sp.diags_array(
    [np.ones(N - 1), np.array([-1.0, *[-2.0] * (N - 2), -1.0]), np.ones(N - 1)], offsets=[-1, 0, 1]
)
UNIT = sp.eye_array(N)
BLOCKS = Blocks(2 * N, {"u": slice(0, N), "v": slice(N, None)})

OPEN = {
    "one level": ([[LAPLACIAN, None], [None, UNIT]], [1.0, 0.0]),
    "a level of both": ([[LAPLACIAN - UNIT, UNIT], [UNIT, LAPLACIAN - UNIT]], [1.0, 1.0]),
    "a ratio of levels": ([[LAPLACIAN - 3 * UNIT, UNIT], [3 * UNIT, LAPLACIAN - UNIT]], [1.0, 3.0]),
}


@pytest.mark.parametrize("scale", [1e-150, 1.0, 1e150])
@pytest.mark.parametrize("name", OPEN)
def test_levels_that_are_not_determined(name, scale):
    parts, levels = OPEN[name]
    J = scale * sp.csr_array(sp.block_array(parts, format="csr"))
    expected = np.repeat(levels, N)
    V = open_levels(J, BLOCKS)
    assert V.shape == (2 * N, 1)
    np.testing.assert_allclose(
        V[:, 0] * np.sign(V[0, 0]), expected / np.linalg.norm(expected), atol=1e-13
    )


@pytest.mark.parametrize("change", [1e-9, 1e-3, 1.0])
@pytest.mark.parametrize("name", OPEN)
def test_one_equation_that_determines_the_level(name, change):
    J = sp.csr_array(sp.block_array(OPEN[name][0], format="csr"))
    J[0, 0] += change
    assert open_levels(J, BLOCKS) is None


def test_two_levels_that_are_not_determined():
    J = sp.csr_array(sp.block_diag([LAPLACIAN, LAPLACIAN], format="csr"))
    V = open_levels(J, BLOCKS)
    assert V.shape == (2 * N, 2)
    assert np.abs(J @ V).max() < 1e-13
    np.testing.assert_allclose(V.T @ V, np.eye(2), atol=1e-13)
