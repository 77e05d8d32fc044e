"""Distance of a factorized matrix from the nearest singular one.

The measure is the smallest relative change of single entries that makes the matrix singular. It
does not depend on the scaling of rows and columns, nor on a right-hand side. Matrices that are
singular but for the rounding of their entries have a distance below the unit roundoff. A matrix
of condition number 1e14 has one above 10 of them.

References: J. Demmel, SIAM J. Matrix Anal. Appl. 13 (1992) 10 (componentwise distance);
N. Higham, "Accuracy and Stability of Numerical Algorithms", 2nd ed., chapter 7.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...arrays import Vector
from .accuracy import MAX_REFINE, REFINE_ABOVE, LinearSystem, Singularity, largest_ratio

# The search direction becomes the null vector in the first solve; the second confirms it where
# rows and columns are graded.
ROUNDS = 2
# With a larger backward error the factors say nothing about the matrix.
USELESS = 1e-6
# Smaller components of a null vector are rounding.
TAKES_PART = 1e-8
TINY = 1e-300


def distance_to_singularity(
    system: LinearSystem, transposed: LinearSystem, signs: NDArray[np.float64]
) -> Singularity:
    """Estimate the relative componentwise distance from the nearest singular matrix.

    Parameters
    ----------
    system, transposed : LinearSystem
        The equilibrated matrix and its transpose, with the solves of one factorization.
    signs : ndarray, shape (n,)
        Random numbers of both signs and size near 1.

    Returns
    -------
    Singularity
        Its distance is 0 if the factors give no solution that satisfies its equations.

    Notes
    -----
    The estimate is ``|w A v| / (|w| |A| |v|)``, where v is a solution with a right-hand side that
    excites every equation, and w is the row of the inverse that belongs to the component of v that
    grew most. A component that is rounding beside the others does not count, since its row of the
    inverse is no left null vector.

    An error of the factors enters by its square only, because w and v approximate the left and
    the right null vector of a nearly singular matrix.
    """
    n = len(signs)
    size = np.ones(n)
    v: Vector
    for k in range(ROUNDS):
        found = _solution(system, (system.magnitude @ size) * np.roll(signs, k))
        if found is None:
            return singular_matrix(n, known=False)
        v = found
        grown = np.abs(v)
        most = int(np.argmax(np.where(grown > TAKES_PART * np.max(grown), grown / size, 0.0)))
        size = np.maximum(grown, size)
        size = np.maximum(size / np.max(size), TINY)
    unit = np.zeros(n)
    unit[most] = 1.0
    w = transposed.solve(unit)
    w, v = w / np.max(np.abs(w)), v / np.max(np.abs(v))
    terms = float(np.abs(w) @ (system.magnitude @ np.abs(v)))
    if not (terms > 0.0 and np.isfinite(terms)):
        return singular_matrix(n, known=False)
    distance = float(np.abs(w @ (system.A @ v))) / terms
    return Singularity(distance, np.abs(w) > TAKES_PART, np.abs(v) > TAKES_PART)


def singular_matrix(n: int, known: bool = True) -> Singularity:
    """Return that a matrix is singular, or assumed to be one because its factors say nothing."""
    every = np.ones(n, dtype=bool)
    return Singularity(0.0, every, every, known)


def _solution(system: LinearSystem, b: NDArray[np.float64]) -> Vector | None:
    """Solve and refine until each equation holds; None if some do not."""
    size = np.abs(b)
    v, r = np.zeros_like(b), b
    error = np.inf
    for _ in range(1 + MAX_REFINE):
        v = v + system.solve(r.copy())
        r, scale = system.residual(v, b, size)
        error = largest_ratio(r, scale)
        if error <= REFINE_ABOVE or not np.isfinite(error):
            break
    return v if error <= USELESS else None
