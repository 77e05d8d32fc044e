"""Leave a stored diagonal of zeros out of the pattern that is analyzed.

A pattern may hold the diagonal only because some solver adds to it (pseudo-time steps, damping).
This costs nothing if the equations are in the order of their unknowns. If they are not, the zeros
couple unrelated unknowns, and fill-in grows: a five-point matrix of 22 500 unknowns with shuffled
equations took PARDISO 60 s with the zeros and 0.03 s without. A diagonal that is mostly zero in the
first matrix is therefore left out. The first matrix with an entry there restores it for good.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..pattern import Pattern

# Share of the diagonal that is stored but zero, from which the equations are out of order.
VACANT = 0.5


class Occupied:
    """The part of a pattern that is analyzed: all of it, or all but the vacant diagonal.

    Parameters
    ----------
    pattern : Pattern
        Square.

    Attributes
    ----------
    pattern : Pattern
        What is analyzed; look at it after every call of `values`.

    Examples
    --------
    >>> part = Occupied(Pattern([0, 2, 4], [0, 1, 0, 1], (2, 2)))
    >>> part.values(np.array([0.0, 1.0, 2.0, 0.0])), part.pattern.nnz
    (array([1., 2.]), 2)
    >>> part.values(np.array([0.0, 1.0, 2.0, 3.0])), part.pattern.nnz
    (array([0., 1., 2., 3.]), 4)
    """

    def __init__(self, pattern: Pattern) -> None:
        self.pattern = self._whole = pattern
        self._first = True
        self._left_out: NDArray[np.int64] | None = None
        self._kept: NDArray[np.int64] = np.empty(0, dtype=np.int64)

    def values(self, data: NDArray[Any]) -> NDArray[Any]:
        """Return the values on `pattern` from those on the whole pattern, shape (nnz,)."""
        if self._first:
            self._first = False
            self._leave_out(data)
        elif self._left_out is not None and np.any(data[self._left_out]):
            self.pattern, self._left_out = self._whole, None
        return data if self._left_out is None else data[self._kept]

    def _leave_out(self, data: NDArray[Any]) -> None:
        whole = self._whole
        n = whole.shape[0]
        diagonal = np.flatnonzero(whole.indices == whole.rows)
        vacant = diagonal[data[diagonal] == 0]
        if len(vacant) < VACANT * n:
            return
        kept = np.ones(whole.nnz, dtype=bool)
        kept[vacant] = False
        part, _ = Pattern.from_coordinates(whole.rows[kept], whole.indices[kept], whole.shape)
        # A row of zeros is reported as such, with the pattern of the caller.
        if not (part.empty_rows.size or part.empty_columns.size):
            self.pattern, self._left_out, self._kept = part, vacant, np.flatnonzero(kept)
