"""What is certain of the unstable eigenvalues of J v = mu M v, for systems of any size.

The number on either side of a number, for symmetric matrices: with a symmetric permutation and no
exchange of rows, the triangular factors of a symmetric matrix are L and D L^T. By Sylvester's law
the positive elements of D are as many as the positive eigenvalues. For J - sigma M with a positive
diagonal M they are the eigenvalues mu > sigma.

The region of the complex plane in which all of them lie: with a diagonal M they are the eigenvalues
of a matrix A = H + K, H symmetric and K skew. The real part of each is at most the largest
eigenvalue of H, the imaginary part at most that of K / i. Sums over rows bound both. Of a diffusion
the sums cancel: the region is as large as the rates of the reactions. If all eigenvalues near 0 are
known as far as this region reaches, the number of unstable ones is certain.

References: B. N. Parlett, The Symmetric Eigenvalue Problem (1998), section 3.3; I. Bendixson, Acta
Mathematica 25 (1902) 359.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from ...arrays import Vector

SYMMETRIC = 1e-12  # relative asymmetry that is rounding
BACKWARD = 1e-8  # backward error of the factors above which their signs are not trusted
SWEEPS = 5  # of the balance of rows and columns, for unknowns of different units


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
    mass = _mass_of_one_sign(M)
    if mass is None:
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


def _mass_of_one_sign(M: Any) -> Vector | None:
    """Return the diagonal of M; None if M is not diagonal, has zeros, or has both signs."""
    mass = M.diagonal()
    one_sign = mass.all() and (np.sign(mass) == np.sign(mass[0])).all()
    return mass if M.nnz == len(mass) and one_sign else None


def farthest_unstable(J: Any, M: Any, shift: complex) -> float:
    """Return how far from a shift an unstable eigenvalue can be; infinite if it is not known.

    Parameters
    ----------
    J : sparse array, shape (n, n)
    M : sparse array, shape (n, n)
        A diagonal matrix without zeros, of one sign.
    """
    mass = _mass_of_one_sign(M)
    if mass is None:
        return np.inf
    root = sp.diags_array(1.0 / np.sqrt(np.abs(mass)))
    A = sp.csr_array(root @ J @ root) * np.sign(mass[0])
    balance = _balance(A)
    scaled = sp.csr_array(sp.diags_array(balance) @ A @ sp.diags_array(1.0 / balance))
    return min(_reach_of_rectangle(one, shift) for one in (A, scaled))


def _reach_of_rectangle(A: Any, shift: complex) -> float:
    """Return the distance of a shift from the corners of the rectangle; 0 without unstable ones."""
    H, K = 0.5 * (A + A.T), 0.5 * (A - A.T)
    diagonal = H.diagonal()
    real = float((diagonal + abs(H).sum(axis=1) - np.abs(diagonal)).max())
    imaginary = float(abs(K).sum(axis=1).max())
    if not np.isfinite(real + imaginary):
        return np.inf
    if real < 0.0:
        return 0.0
    return max(abs(complex(a, b) - shift) for a in (0.0, real) for b in (-imaginary, imaginary))


def _balance(A: Any) -> Vector:
    """Return powers of 2 that make the sums of rows and columns alike, by similarity."""
    size = abs(A)
    size = sp.csr_array(size - sp.diags_array(size.diagonal()))
    d = np.ones(A.shape[0])
    for _ in range(SWEEPS):
        rows, columns = d * (size @ (1.0 / d)), (size.T @ d) / d
        ratio = np.divide(columns, rows, out=np.ones_like(d), where=(rows > 0.0) & (columns > 0.0))
        d = d * np.exp2(np.round(0.5 * np.log2(ratio)))
    return d
