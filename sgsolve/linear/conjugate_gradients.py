"""Conjugate gradients with a symmetric, positive definite preconditioner.

Scalar products are sums on one thread. Threads of BLAS wait busily between two of them, while the
product with the matrix and the preconditioner run: SciPy's iteration takes up to three times the
CPU time with two threads.

Reference: Saad, Iterative Methods for Sparse Linear Systems (2003), algorithm 9.1.
"""

from __future__ import annotations

from ..arrays import Vector
from ..norms import norm2, scalar_product
from .gmres import Operator


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
