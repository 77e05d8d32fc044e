"""The null space of a sparse matrix, where it has a small dimension.

Let B = A + E be a regular matrix close to A. Then v = B^-1 E v for every v with A v = 0, since
B v = E v. A few iterations with B^-1 E take a random basis to the null space of A, to rounding: the
components along other directions shrink by the size of E in each.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from ..arrays import Vector

MOST = 4  # dimension of a null space that is looked for
CHANGE = 1e-8  # relative size of E
ITERATIONS = 4
NULL = 1e-12  # of the terms of a row, that A v may be
NEGLIGIBLE = 1e-9  # entries below this part of the largest are set to zero


def null_basis(A: Any) -> Vector | None:
    """Return an orthonormal basis of the null space of a matrix.

    Parameters
    ----------
    A : csr_array of float, shape (n, n)
        Finite.

    Returns
    -------
    V : ndarray, shape (n, k), or None
        None if the matrix is regular, if k exceeds 4 or n / 2, or if no regular matrix is near.
    """
    n = A.shape[0]
    largest = np.abs(A).max(axis=1).toarray()
    if n < 2 or not (largest > 0.0).all():
        return None
    A = sp.csc_array(sp.diags_array(1.0 / largest) @ A)
    E = A.copy()
    random = np.random.default_rng(0)
    E.data = CHANGE * A.data * random.uniform(-1.0, 1.0, A.nnz)
    try:
        lu: Any = splu(sp.csc_array(A + E))
    except RuntimeError:  # exactly singular, whatever its values
        return None
    Q = np.linalg.qr(random.standard_normal((n, min(MOST + 1, n))))[0]
    with np.errstate(all="ignore"):
        for _ in range(ITERATIONS):
            V = lu.solve(E @ Q)
            if not np.isfinite(V).all():
                return None
            Q = np.linalg.qr(V)[0]
    _, sizes, W = np.linalg.svd(A @ Q, full_matrices=False)
    V = Q @ W[sizes <= NULL * np.sqrt(n)].T
    k = V.shape[1]
    if not 0 < k <= min(MOST, n // 2):
        return None
    V[np.abs(V) < NEGLIGIBLE * np.abs(V).max()] = 0.0
    found: Vector = np.linalg.qr(V)[0]
    return found


def annihilates(A: Any, V: Vector, tolerance: float) -> bool:
    """Return whether A V vanishes beside its terms, in every row."""
    with np.errstate(all="ignore"):
        return bool((np.abs(A @ V) <= tolerance * (np.abs(A) @ np.abs(V))).all())


def annihilated(A: Any, V: Vector, tolerance: float) -> Vector | None:
    """Return an orthonormal basis of the part of span V that A maps to zero; None if there is none.

    Parameters
    ----------
    A : csr_array, shape (n, n)
    V : ndarray, shape (n, k)
        Orthonormal.
    tolerance : float
        Of the terms of a row, that A v may be.
    """
    with np.errstate(all="ignore"):
        terms = np.abs(A) @ np.abs(V).max(axis=1)
        product = (A @ V) / np.where(terms > 0.0, terms, 1.0)[:, None]
    if not np.isfinite(product).all():
        return None
    W = np.linalg.svd(product, full_matrices=False)[2]
    for k in range(V.shape[1]):  # the last vectors belong to the smallest singular values
        found: Vector = V @ W[k:].T
        if annihilates(A, found, tolerance):
            return found
    return None
