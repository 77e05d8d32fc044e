"""What the iterative back ends share: their solves, and how long a preconditioner is kept."""

from __future__ import annotations

import math

import numpy as np

from .backend import Vector

# Relative residual at which an inner solve stops; refinement continues from there.
TOLERANCE = 1e-12
# A preconditioner made for other values serves until the iterations have grown by this factor.
GROWTH = 1.5


class IterativeSolves:
    """The solves of the protocol `Backend`, by a method ``_solved(b, transpose, tolerance)``."""

    def solve(self, b: Vector, transpose: bool) -> Vector:
        """Iterate to a relative residual of 1e-12, column by column."""
        if b.ndim == 2:
            columns = [self.solve(column, transpose) for column in b.T]
            return np.asfortranarray(np.column_stack(columns))
        return self._solved(b, transpose, TOLERANCE)

    def solve_to(self, b: Vector, tolerance: float) -> Vector:
        """Return x with ``|b - A x| <= tolerance |b|``, for b of shape (n,), if it is reached."""
        return self._solved(b, False, tolerance)

    def _solved(self, b: Vector, transpose: bool, tolerance: float) -> Vector:
        raise NotImplementedError


class Slowdown:
    """Whether a kept preconditioner needs half as many iterations again as a new one.

    Iterations are compared for one digit of the residual, since tolerances differ.

    Attributes
    ----------
    slow : bool
    """

    def __init__(self) -> None:
        self.slow = False
        self._fewest = 0.0

    @property
    def kept(self) -> bool:
        """Whether the preconditioner has served before."""
        return self._fewest > 0.0

    def count(self, iterations: int, tolerance: float) -> None:
        """Take the number of iterations of a solve; the first one is that of the new one."""
        per_digit = (iterations + 1.0) / -math.log10(tolerance)
        self._fewest = self._fewest or per_digit
        self.slow = self.slow or per_digit > GROWTH * self._fewest
