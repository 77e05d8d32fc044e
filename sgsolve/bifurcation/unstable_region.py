"""Region of the complex plane in which all unstable eigenvalues lie.

With a diagonal M, J v = mu M v has the eigenvalues of a matrix A = H + K, H symmetric and K skew.
The real part of each is at most the largest eigenvalue of H, the imaginary part at most that of
K / i. Sums over rows bound both. Of a diffusion the sums cancel: the region is as large as the
rates of the reactions. If all eigenvalues near 0 are known as far as this region reaches, the
number of unstable ones is certain.

Reference: I. Bendixson, Acta Mathematica 25 (1902) 359.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from ..arrays import Vector

SWEEPS = 5  # of the balance of rows and columns, for unknowns of different units


def farthest_unstable(J: Any, M: Any, shift: complex) -> float:
    """Return how far from a shift an unstable eigenvalue can be; infinite if it is not known.

    Parameters
    ----------
    J : sparse array, shape (n, n)
    M : sparse array, shape (n, n)
        A diagonal matrix without zeros, of one sign.
    """
    mass = M.diagonal()
    if M.nnz != len(mass) or not (mass.all() and (np.sign(mass) == np.sign(mass[0])).all()):
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
