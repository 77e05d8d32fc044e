"""What examinations of earlier solves found, kept in the workspace for one pattern.

A start that was found to be a solution is not examined again where x, the residual and the Jacobian
are exactly the same: several sweeps often begin at the same solution, and an examination takes a
residual and a factorization.

A contact of a device holds exactly at every solution of a sweep, and so does any linear equation
that Newton's method satisfies. It is no tail of a limit at infinity: such an equation is flat,
while this one answered once as its derivative says. An equation whose row has exactly the same
entries is therefore not asked again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...arrays import Mask
from ..state.entries import entries_in
from ..state.iterate import Iterate


class AnsweredRows:
    """The rows with which equations last answered.

    Parameters
    ----------
    shape : tuple of int
        Numbers of equations and of entries of the Jacobian.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self._known = np.zeros(shape[0], dtype=bool)
        self._data: NDArray[Any] = np.zeros(shape[1])

    def add(self, it: Iterate, equations: Mask) -> None:
        """Keep the rows of some equations."""
        _, entries = entries_in(it, equations)
        self._data[entries] = it.J.data[entries]
        self._known |= equations

    def same(self, it: Iterate, equations: Mask) -> Mask:
        """Return which of some equations have the rows with which they answered."""
        same: Mask = equations & self._known
        rows, entries = entries_in(it, same)
        same[rows[it.J.data[entries] != self._data[entries]]] = False
        return same


def answered_rows(it: Iterate) -> AnsweredRows:
    """Return the rows that are kept for the pattern of an iterate."""
    pattern = it.system.pattern

    def empty() -> AnsweredRows:
        return AnsweredRows((pattern.shape[0], pattern.nnz))

    rows: AnsweredRows = it.workspace.derived("answered rows", pattern, empty)
    return rows


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
