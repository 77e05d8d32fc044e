"""The rows with which equations answered in earlier solves, kept in the workspace for one pattern.

A contact of a device holds exactly at every solution of a sweep, and so does any linear equation
that Newton's method satisfies. It is no tail of a limit at infinity: such an equation is flat,
while this one answered once as its derivative says. An equation whose row has exactly the same
entries is therefore not asked again.
"""

from __future__ import annotations

import numpy as np

from ...arrays import Mask
from ...pattern import Pattern
from ..state.entries import entries_in
from ..state.iterate import Iterate
from ..state.workspace import Workspace


class AnsweredRows:
    """The rows with which equations last answered.

    Attributes
    ----------
    known : ndarray, shape (n,)
        1 for an equation that answered, otherwise 0; a number for compiled loops.
    data : ndarray, shape (nnz,)
        The values of their rows.
    """

    def __init__(self, pattern: Pattern) -> None:
        self.known, self.data = np.zeros(pattern.shape[0]), np.zeros(pattern.nnz)

    def add(self, it: Iterate, equations: Mask) -> None:
        """Keep the rows of some equations."""
        _, entries = entries_in(it, equations)
        self.data[entries] = it.J.data[entries]
        self.known[equations] = 1.0

    def same(self, it: Iterate, equations: Mask) -> Mask:
        """Return which of some equations have the rows with which they answered."""
        same: Mask = equations & (self.known == 1.0)
        rows, entries = entries_in(it, same)
        same[rows[it.J.data[entries] != self.data[entries]]] = False
        return same


def answered_rows(workspace: Workspace, pattern: Pattern) -> AnsweredRows:
    """Return the rows that are kept for a pattern."""
    rows: AnsweredRows = workspace.derived("answered rows", pattern, lambda: AnsweredRows(pattern))
    return rows
