"""The last start that was found to be a solution, which needs no second examination.

Several sweeps often begin at the same solution. The examination of a start takes a residual and a
factorization. It is not repeated where x, the residual and the Jacobian are exactly the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .iterate import Iterate


class ExaminedStart:
    """A start that is a solution, kept in the workspace for one pattern."""

    def __init__(self) -> None:
        self._point: tuple[NDArray[Any], ...] | None = None

    def keep(self, it: Iterate) -> None:
        """Keep the start of an iterate, by copies."""
        self._point = tuple(array.copy() for array in _arrays(it))

    def same(self, it: Iterate) -> bool:
        """Whether an iterate is at the start that is kept."""
        return self._point is not None and all(
            np.array_equal(kept, now) for kept, now in zip(self._point, _arrays(it), strict=True)
        )


def _arrays(it: Iterate) -> tuple[NDArray[Any], ...]:
    return it.x, it.F, it.J.data


def examined_starts(it: Iterate) -> ExaminedStart:
    """Return what is kept for the pattern of an iterate."""
    kept: ExaminedStart = it.workspace.derived("examined start", it.system.pattern, ExaminedStart)
    return kept
