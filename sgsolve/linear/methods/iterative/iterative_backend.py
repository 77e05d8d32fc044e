"""What iterative back ends share: solves by columns, and how long a preconditioner is kept."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ....arrays import Vector

# Relative residual at which an inner solve stops; refinement continues from there.
TOLERANCE = 1e-12
# A preconditioner made for other values serves until the iterations have grown by this factor.
GROWTH = 1.5


def by_columns(b: Vector, solve: Callable[[Vector], Vector]) -> Vector:
    """Return the solution for b of shape (n,) or (n, k), one column after the other."""
    if b.ndim == 2:
        return np.asfortranarray(np.column_stack([solve(column) for column in b.T]))
    return solve(b)


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
