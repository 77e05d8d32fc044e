"""GMRES with right preconditioning, and conjugate gradients.

GMRES stops by the norm of the true residual. Scalar products are sums on one thread. Threads of
BLAS wait busily between two of them, while the product with the matrix and the preconditioner run:
SciPy's conjugate gradients take up to three times the CPU time with two threads.

Reference: Saad, Iterative Methods for Sparse Linear Systems (2003), algorithms 6.9 and 9.1.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.linalg import solve_triangular

from ....arrays import Vector
from ....norms import linear_combination, norm2, scalar_product, scalar_products

Operator = Callable[[Vector], Vector]


def gmres(
    product: Operator,
    b: Vector,
    precondition: Operator,
    tolerance: float,
    restart: int,
    max_products: int,
) -> tuple[Vector, float, int]:
    """Solve A x = b roughly, with right preconditioning and restarts.

    Returns
    -------
    x : ndarray
    left : float
        Norm of the residual relative to that of b.
    products : int
    """
    x, r = np.zeros_like(b), b
    start = norm = norm2(b)
    used = 0
    while start > 0.0 and norm > tolerance * start and used < max_products:
        before = norm
        correction, count = _cycle(
            product, r, precondition, tolerance * start, min(restart, max_products - used)
        )
        x = x + correction
        r = b - product(x)
        used += count + 1
        norm = norm2(r)
        if not norm < 0.999 * before:
            break
    return x, (norm / start if start > 0.0 else 0.0), used


def _cycle(
    product: Operator, r: Vector, precondition: Operator, target: float, m: int
) -> tuple[Vector, int]:
    """Return the correction of one cycle of at most m products, and their number."""
    n, beta = len(r), norm2(r)
    basis = np.empty((m + 1, n))
    R = np.zeros((m, m))
    rotations: list[tuple[float, float]] = []
    basis[0], rhs = r / beta, [beta]
    for k in range(m):
        w = product(precondition(basis[k]))
        size, column = norm2(w), np.zeros(k + 1)
        for _ in range(2):  # orthogonalized twice: as good as it gets
            h = scalar_products(basis[: k + 1], w)
            w = w - linear_combination(h, basis[: k + 1])
            column += h
        below = norm2(w)
        for i, (c, s) in enumerate(rotations):
            column[i : i + 2] = (
                c * column[i] + s * column[i + 1],
                c * column[i + 1] - s * column[i],
            )
        length = math.hypot(column[k], below)
        if not length > 1e-14 * size:
            break  # a singular A: this product is a combination of those before
        c, s = column[k] / length, below / length
        rotations.append((c, s))
        column[k] = length
        R[: k + 1, k] = column
        rhs += [-s * rhs[k]]
        rhs[k] *= c
        if abs(rhs[k + 1]) <= target or not below > 1e-14 * length:
            break
        basis[k + 1] = w / below
    rank = len(rotations)
    if rank == 0:
        return np.zeros(n), 1
    y = solve_triangular(R[:rank, :rank], rhs[:rank], check_finite=False)
    return precondition(linear_combination(y, basis[:rank])), k + 1


def conjugate_gradients(
    product: Operator, b: Vector, precondition: Operator, tolerance: float, max_products: int
) -> tuple[Vector, float, int]:
    """Solve A x = b roughly; stop where A or the preconditioner is not positive definite.

    Returns
    -------
    x : ndarray
    left : float
        Norm of the residual of the recurrence relative to that of b.
    products : int
    """
    x, r = 0.0 * b, b
    start = norm = norm2(b)
    used, p, of_last = 0, x, 1.0
    while norm > tolerance * start and used < max_products:
        z = precondition(r)
        now = scalar_product(r, z)
        p = z + (now / of_last) * p if used else z
        q = product(p)
        curvature = scalar_product(p, q)
        used += 1
        if not (now > 0.0 and curvature > 0.0):
            break
        x = x + (now / curvature) * p
        r = r - (now / curvature) * q
        norm, of_last = norm2(r), now
    return x, (norm / start if start > 0.0 else 0.0), used
