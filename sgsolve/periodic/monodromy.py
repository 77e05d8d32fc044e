"""Monodromy: how a small change of the first state of an orbit returns after one period.

On each interval the changes at its nodes follow from that of the first one: a dense linear system
per interval. The product of the maps from start to start is the monodromy matrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import LinearSolveError
from .multipliers import product_eigenvalues
from .orbit_family import OrbitFamily

Vector = NDArray[Any]


@dataclass(eq=False)
class Monodromy:
    """The linear maps of all intervals.

    Attributes
    ----------
    inner : ndarray, shape (N, stored, n, n)
        From the start of an interval to its other nodes; the last one is the next start.
    algebraic : int
        How many multipliers are zero because equations store nothing.
    """

    inner: Vector
    algebraic: int = 0

    def multipliers(self) -> Vector:
        """Return the Floquet multipliers, largest modulus first."""
        values = product_eigenvalues(self.inner[:, -1])
        return values[: len(values) - self.algebraic]

    def along(self, start: Vector) -> Vector:
        """Return the change at every state of the orbit, shape (P, n), from that at the first."""
        found = [start]
        for maps in self.inner:
            first = found[-1]
            found += [step @ first for step in maps]
        return np.array(found[:-1])


def monodromy(family: OrbitFamily, x: Vector, p: float) -> Monodromy:
    """Return the monodromy of an orbit.

    Raises
    ------
    LinearSolveError
        If an interval is so long that its equations are singular.
    """
    grid, T = family.grid, family.split(x)[1]
    now = family.evaluated(x, p)
    blocks = grid.blocks(now, family.mesh, T)
    n = grid.n
    try:
        solved = np.linalg.solve(blocks[:, :, n:], -blocks[:, :, :n])
    except np.linalg.LinAlgError:
        raise LinearSolveError("the equations of an interval are singular") from None
    return Monodromy(solved.reshape(grid.N, grid.stored, n, n), family.equations.algebraic)
