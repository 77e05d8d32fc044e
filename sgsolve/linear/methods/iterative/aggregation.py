"""Levels of a matrix by smoothed aggregation, with the aggregates of pyamg.

Interpolation is damped row by row (weights by Gershgorin's circles). pyamg's own set-up takes
eigenvalues by Arnoldi's method, with random starts, and with scalar products for which threads of
BLAS wait busily.

Reference: P. Vanek, J. Mandel, M. Brezina, Computing 56 (1996) 179.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from ....arrays import Vector

DAMPING = 4.0 / 3.0
# Sweeps by which the constant becomes a vector that the matrix takes to nearly zero.
SWEEPS, DIVERGED = 4, 10.0
COARSE, MOST_LEVELS = 10, 10


class Level(NamedTuple):
    """A matrix, and the interpolation P from the next coarser level and the restriction R to it."""

    A: Any
    P: Any = None
    R: Any = None


def aggregated_levels(A: Any, pyamg: Any, symmetric: bool) -> list[Level]:
    """Return the levels, the finest first; the last has no interpolation.

    Parameters
    ----------
    A : csr_matrix, shape (n, n)
    pyamg : module
    symmetric : bool
        Whether the restriction is the transposed interpolation; it comes from A^T otherwise.
    """
    levels: list[Level] = []
    A.eliminate_zeros()
    right = left = _nearly_null(A, pyamg)
    if not symmetric:
        left = _nearly_null(sp.csr_matrix(A.T), pyamg)
    while A.shape[0] > COARSE and len(levels) < MOST_LEVELS - 1:
        aggregates, _ = pyamg.aggregation.standard_aggregation(A)
        if not 0 < aggregates.shape[1] < A.shape[0]:
            break
        P, right = _interpolation(A, aggregates, right)
        if symmetric:
            R = sp.csr_matrix(P.T)
        else:
            Q, left = _interpolation(sp.csr_matrix(A.T), aggregates, left)
            R = sp.csr_matrix(Q.T)
        levels.append(Level(A, P, R))
        A = sp.csr_matrix(R @ (A @ P))
        A.sort_indices()
    return [*levels, Level(A)]


def _nearly_null(A: Any, pyamg: Any) -> Vector:
    """Return a vector that A takes to nearly zero; the constant where sweeps do not converge."""
    x = np.ones(A.shape[0])
    zero = np.zeros_like(x)
    pyamg.relaxation.relaxation.gauss_seidel(A, x, zero, iterations=SWEEPS, sweep="symmetric")
    return x if np.abs(x).max() <= DIVERGED else np.ones_like(x)


def _interpolation(A: Any, aggregates: Any, vector: Vector) -> tuple[Any, Vector]:
    """Return the interpolation whose range has a vector nearly in it, and the vector's values."""
    T = sp.csr_matrix(aggregates, dtype=float)
    T.data = vector[np.repeat(np.arange(len(vector)), np.diff(T.indptr))]
    norms = np.sqrt(np.bincount(T.indices, T.data**2, T.shape[1]))
    T.data /= np.where(norms > 0.0, norms, 1.0)[T.indices]
    sums = np.bincount(np.repeat(np.arange(len(vector)), np.diff(A.indptr)), np.abs(A.data))
    weights = np.divide(DAMPING, sums, out=np.zeros_like(sums), where=sums > 0.0)
    P = T - sp.diags_array(weights) @ (A @ T)
    return sp.csr_matrix(P), norms
