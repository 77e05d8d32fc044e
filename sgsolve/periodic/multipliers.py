"""Floquet multipliers: the eigenvalues of a product of matrices, small ones as exact as large ones.

The product is never formed where its entries range over more than a few powers of ten. Orthogonal
iteration on its factors, S_j Q_(j-1) = Q_j R_j, turns them into block triangular ones; the
eigenvalues are those of the products of the diagonal blocks, whose sizes are kept as logarithms. Of
a large product, such as that of a discretized field, eigenvalues 1e30 times below the leading one
are computed in size only.

References: A. Bojanczyk, G. Golub, P. Van Dooren, Proc. SPIE 1770 (1992) 31; K. Lust, Int. J.
Bifurcation and Chaos 11 (2001) 2389.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ..arrays import Vector

GROUP = 1e3  # largest condition of factors that are multiplied before the iteration
SPREAD = 7.0  # logarithm of the range of a diagonal block up to which its product is formed
SWEEPS = 200
FEW = 20  # up to this size all eigenvalues are computed to their digits
RANGE = 70.0  # logarithm of the range of those that are, of larger products
NEGLIGIBLE = 1e-14  # part of an orthogonal matrix that is rounding


def product_eigenvalues(factors: Vector) -> Vector:
    """Return the eigenvalues of S_N ... S_1, shape (n,), largest modulus first.

    Parameters
    ----------
    factors : ndarray, shape (N, n, n)
        S_1 first.
    """
    n = factors.shape[1]
    groups = _grouped(factors) if n <= FEW else list(factors)
    Q, rest = np.eye(n), np.empty(0)
    for sweep in range(SWEEPS):
        start, triangles = Q, []
        for S in groups:
            Q, R = np.linalg.qr(S @ Q)
            triangles.append(R)
        closing = start.T @ Q
        cuts = _cuts(closing)
        logs = _sizes(triangles)
        kept = _leading_columns(logs) if sweep and n > FEW else len(logs)
        if kept < len(logs):  # the leading columns do not depend on those behind them
            rest = np.append(np.exp(logs[kept:]), rest)
            Q = Q[:, :kept]
            continue
        if all(_narrow(logs[a:b]) for a, b in pairwise(cuts)):
            break
    found = [
        _block_eigenvalues(closing[a:b, a:b], [R[a:b, a:b] for R in triangles])
        for a, b in pairwise(cuts)
    ]
    values = np.concatenate([*found, rest])
    return values[np.argsort(-np.abs(values), kind="stable")]


def _leading_columns(logs: Vector) -> int:
    """Return how many leading columns of the iteration belong to eigenvalues that matter."""
    large = np.flatnonzero(logs >= logs.max() - RANGE)
    return int(large[-1]) + 1


def _grouped(factors: Vector) -> list[Vector]:
    """Multiply 2, 4, 8, ... neighboring factors as long as the product is well conditioned."""
    levels, fits = [factors], [np.ones(len(factors), dtype=bool)]
    while len(levels[-1]) > 1:
        even, odd = (levels[-1][k : len(levels[-1]) // 2 * 2 : 2] for k in (0, 1))
        products = odd @ even
        allowed = fits[-1][: 2 * len(even)].reshape(-1, 2).all(axis=1)
        allowed &= np.isfinite(products).all(axis=(1, 2))
        with np.errstate(invalid="ignore"):
            allowed[allowed] = np.linalg.cond(products[allowed]) <= GROUP
        if not allowed.any():
            break
        levels.append(products)
        fits.append(allowed)
    groups, k = list[Vector](), 0
    while k < len(factors):
        level = 0
        while k % 2 ** (level + 1) == 0 and _has_product(fits, level + 1, k >> (level + 1)):
            level += 1
        groups.append(levels[level][k >> level])
        k += 2**level
    return groups


def _has_product(fits: list[Vector], level: int, place: int) -> bool:
    """Whether there is a product at a place of a level."""
    return level < len(fits) and place < len(fits[level]) and bool(fits[level][place])


def _cuts(closing: Vector) -> list[int]:
    """Return where the diagonal blocks of an orthogonal matrix begin, and its size at the end."""
    n = len(closing)
    inner = [k for k in range(1, n) if np.abs(closing[k:, :k]).max() <= NEGLIGIBLE * n]
    return [0, *inner, n]


def _sizes(triangles: list[Vector]) -> Vector:
    """Return the logarithm of each diagonal element of the product of triangular matrices."""
    with np.errstate(divide="ignore"):
        found: Vector = sum(np.log(np.abs(np.diag(R))) for R in triangles)
    return found


def _narrow(logs: Vector) -> bool:
    """Whether the eigenvalues of a block may be computed from its product."""
    finite = logs[np.isfinite(logs)]
    return len(logs) == 1 or (len(finite) == len(logs) and float(np.ptp(logs)) <= SPREAD)


def _block_eigenvalues(closing: Vector, triangles: list[Vector]) -> Vector:
    """Return the eigenvalues of the product of diagonal blocks, scaled on the way."""
    product, log = np.eye(len(closing)), 0.0
    for R in triangles:
        product = R @ product
        size = float(np.abs(product).max())
        if size == 0.0:
            return np.zeros(len(closing))
        product, log = product / size, log + np.log(size)
    values = np.linalg.eigvals(closing @ product)
    with np.errstate(under="ignore", over="ignore"):
        found: Vector = values * np.exp(log)
    return found
