"""Inertia: the number of eigenvalues on either side of a number, for symmetric matrices.

With a symmetric permutation and no exchange of rows, the triangular factors of a symmetric matrix
are L and D L^T. By Sylvester's law the positive elements of D are as many as the positive
eigenvalues. For J - sigma M with a positive diagonal M they are the eigenvalues mu > sigma of
J v = mu M v. So a system of any size has a certain count of unstable eigenvalues.

Reference: B. N. Parlett, The Symmetric Eigenvalue Problem (1998), section 3.3.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

SYMMETRIC = 1e-12  # relative asymmetry that is rounding
BACKWARD = 1e-8  # backward error of the factors above which their signs are not trusted


def is_symmetric(A: Any) -> bool:
    """Whether a matrix, sparse or dense, is symmetric up to rounding."""
    return float(abs(A - A.T).max()) <= SYMMETRIC * float(abs(A).max())


def count_above(J: Any, M: Any, sigma: float) -> int | None:
    """Return how many eigenvalues of J v = mu M v are above sigma; None if it is not certain.

    Parameters
    ----------
    J : sparse array, shape (n, n)
    M : sparse array, shape (n, n)
        A diagonal matrix without zeros, of one sign.
    """
    mass = M.diagonal()
    if M.nnz != len(mass) or not (mass.all() and (np.sign(mass) == np.sign(mass[0])).all()):
        return None
    A = sp.csc_array(J - sigma * M) * np.sign(mass[0])
    if not is_symmetric(A):
        return None
    size = float(abs(A).max())
    options = {"SymmetricMode": True, "DiagPivotThresh": 0.0}
    try:
        factors = splu(A, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options)
    except RuntimeError:  # a pivot is zero
        return None
    if not np.array_equal(factors.perm_r, factors.perm_c):
        return None
    b = np.random.default_rng(0).standard_normal(len(mass))
    x = factors.solve(b)
    error = float(np.abs(A @ x - b).max()) / (
        size * float(np.abs(x).max()) + float(np.abs(b).max())
    )
    if not error <= BACKWARD:
        return None
    return int((factors.U.diagonal() > 0.0).sum())
