"""Which unknowns appear in which equations, by the entries of the Jacobian at an iterate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .iterate import Iterate


def unknowns_with(it: Iterate, equations: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which unknowns appear in some equations; without a matrix, any may."""
    any_equation = bool(equations.any())
    if it.J is None or not any_equation:
        return np.full(len(it.x), any_equation)
    found = np.zeros(len(it.x), dtype=bool)
    found[it.J.indices[entries_in(it, equations)[1]]] = True
    return found


def equations_with(
    it: Iterate, unknowns: NDArray[np.bool_], equations: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return in which of some equations some unknowns appear; without a matrix, they may in any."""
    if it.J is None:
        return equations & bool(unknowns.any())
    found = np.zeros(len(it.F), dtype=bool)
    rows, entries = entries_in(it, equations)
    found[rows[unknowns[it.J.indices[entries]]]] = True
    return found


def entries_in(
    it: Iterate, equations: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return row and position of each entry of the Jacobian in some equations."""
    rows = np.flatnonzero(equations)
    first, counts = it.J.indptr[rows], it.J.indptr[rows + 1] - it.J.indptr[rows]
    before = np.cumsum(counts) - counts
    return np.repeat(rows, counts), np.arange(counts.sum()) + np.repeat(first - before, counts)
