"""`Origin`: where a solve began, which may be elsewhere than where one of its solvers starts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...arrays import Vector


@dataclass(frozen=True)
class Origin:
    """The start of the user.

    Unknowns that ran away are those far beyond it, whichever solver moved them.

    Parameters
    ----------
    x, F : ndarray, shape (n,)
        The start and its residual.
    terms : ndarray, shape (n,), or None
        The sizes of the own terms of the equations there, if they are known.
    by_own_terms : bool
        Whether equations are judged by their own terms, without the scale of a problem.
    """

    x: Vector
    F: Vector
    terms: Vector | None = None
    by_own_terms: bool = True

    @property
    def size(self) -> float:
        """The largest magnitude of an unknown, but 1 at least."""
        return max(1.0, float(np.abs(self.x).max(initial=0.0)))

    @property
    def residual(self) -> float:
        """The largest magnitude of a residual."""
        return float(np.abs(self.F).max(initial=0.0))
