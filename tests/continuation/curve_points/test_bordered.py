"""Bordered systems by both methods, against dense linear algebra."""

import numpy as np
import pytest
import scipy.sparse as sp

from sgsolve.continuation.curve_points.bordered import Bordered
from sgsolve.errors import LinearSolveError
from sgsolve.pattern import Pattern
from sgsolve.solvers.state.workspace import Workspace

N = 30


def system(k, shift=0.0, seed=0):
    """Return a tridiagonal J with the eigenvalue `shift`, borders, and the whole matrix."""
    rng = np.random.default_rng(seed)
    J = sp.csr_array(sp.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(N, N)))
    smallest = 2.0 - 2.0 * np.cos(np.pi / (N + 1))
    J = sp.csr_array(J - (smallest - shift) * sp.eye_array(N))
    B, below = rng.normal(size=(N, k)), rng.normal(size=(k, N + k))
    whole = np.vstack([np.hstack([J.toarray(), B]), below])
    return J, B, below, whole


@pytest.mark.parametrize("backend", ["banded", "superlu", "dense"])
@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("shift", [0.5, 1e-9, 0.0])
def test_solutions_are_those_of_the_whole_matrix(backend, whole, shift):
    """Also where J is singular, or nearly so: the borders make the whole matrix regular."""
    for k in (1, 2):
        J, B, below, A = system(k, shift)
        bordered = Bordered(Workspace(backend), k, whole)
        bordered.factorize(J, B, below, Pattern.of(J))
        b = np.random.default_rng(1).normal(size=(N + k, 2))
        for transpose in (False, True):
            M = A.T if transpose else A
            for right in (b, b[:, 0]):
                x = bordered.solve(right, transpose=transpose)
                np.testing.assert_allclose(x, np.linalg.solve(M, right), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("whole", [True, False])
def test_the_determinant_is_that_of_the_whole_matrix(whole):
    J, B, below, A = system(2, 0.3)
    bordered = Bordered(Workspace("superlu"), 2, whole)
    bordered.factorize(J, B, below, Pattern.of(J))
    assert bordered.determinant() == pytest.approx(tuple(np.linalg.slogdet(A)))


@pytest.mark.parametrize("whole", [True, False])
def test_borders_that_leave_the_matrix_singular_are_an_error(whole):
    J, _, _, _ = system(1, 0.3)
    bordered = Bordered(Workspace("dense"), 1, whole)
    column = J @ np.ones(N)
    row = np.append(np.ones(N), np.ones(N).sum())  # of the vector (1, -1) in the null space

    def solved():
        bordered.factorize(J, column[:, None], row[None, :], Pattern.of(J))
        return bordered.solve(np.ones(N + 1))

    with pytest.raises(LinearSolveError):
        solved()
