"""Multigrid levels of one matrix, and Gauss-Seidel over blocks with levels for each.

Reference for the sweep over blocks: K. Stueben, J. Comput. Appl. Math. 128 (2001) 281, section 3
(unknown-based multigrid of systems); A. Brandt, in: Multigrid Methods (Springer, 1982), page 220.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.linalg import splu

from .aggregation import Level, aggregated_levels

# Blocks of up to this many unknowns are factorized; levels would cost more.
COARSEST = 500


class Hierarchy:
    """One V-cycle of a matrix, or its factors where it is small.

    Parameters
    ----------
    A : csr_matrix, shape (m, m)
    pyamg : module
    aggregation : bool
        Smoothed aggregation; otherwise classical coarsening.
    symmetric : bool
        Used by aggregation.
    """

    def __init__(self, A: Any, pyamg: Any, *, aggregation: bool, symmetric: bool) -> None:
        if A.shape[0] <= COARSEST and not aggregation:
            self._apply: Any = splu(sp.csc_matrix(A)).solve
            return
        self._relax = pyamg.relaxation.relaxation.gauss_seidel
        if aggregation:
            self._levels = aggregated_levels(A, pyamg, symmetric)
            self._sweeps = "forward", "backward"
        else:
            levels = pyamg.ruge_stuben_solver(A).levels
            self._levels = [Level(*(getattr(one, name, None) for name in "APR")) for one in levels]
            self._sweeps = "symmetric", "symmetric"
        coarsest = self._levels[-1].A
        if coarsest.shape[0] <= COARSEST:
            self._inverse = np.linalg.pinv(coarsest.toarray())
        self._apply = self._v_cycle

    def apply(self, r: NDArray[Any]) -> NDArray[Any]:
        """Return an approximation of A^-1 r."""
        x: NDArray[Any] = self._apply(r)
        return x

    def _v_cycle(self, b: NDArray[Any], at: int = 0) -> NDArray[Any]:
        """Return the result of a V-cycle from zero, at a level and those below it."""
        A, P, R = self._levels[at]
        before, after = self._sweeps
        if P is None and A.shape[0] <= COARSEST:
            solved: NDArray[Any] = self._inverse @ b
            return solved
        x = np.zeros_like(b)
        self._relax(A, x, b, sweep=before)
        if P is not None:
            x += P @ self._v_cycle(R @ (b - A @ x), at + 1)
        self._relax(A, x, b, sweep=after)
        return x


class BlockGaussSeidel:
    """One symmetric sweep over the blocks, each solved by one V-cycle.

    Parameters
    ----------
    A : csr_matrix, shape (n, n)
    rows : sequence of integer arrays
        The unknowns of each block; together all, none twice.
    pyamg : module
    """

    def __init__(self, A: Any, rows: Sequence[NDArray[Any]], pyamg: Any) -> None:
        self._rows = rows
        self._strips = [A[index] for index in rows]
        self._solvers = [
            Hierarchy(sp.csr_matrix(strip[:, index]), pyamg, aggregation=False, symmetric=False)
            for strip, index in zip(self._strips, rows, strict=True)
        ]

    def apply(self, r: NDArray[Any]) -> NDArray[Any]:
        """Return an approximation of A^-1 r: forwards over the blocks, then backwards."""
        x = np.zeros(len(r))
        last = len(self._rows) - 1
        for k in [*range(last + 1), *range(last - 1, -1, -1)]:
            index = self._rows[k]
            x[index] += self._solvers[k].apply(r[index] - self._strips[k] @ x)
        return x


def block_rows(blocks: Sequence[NDArray[Any]], n: int) -> list[NDArray[np.int64]]:
    """Return the unknowns of each block among n, and the rest as one more block.

    Of blocks that overlap, the first keeps an unknown. Unknowns from n on are left out, so that the
    blocks of a problem serve its bordered systems too.
    """
    owner = block_owners(blocks, n)
    found = [np.flatnonzero(owner == k) for k in range(len(blocks) + 1)]
    return [index for index in found if index.size]


def block_owners(blocks: Sequence[NDArray[Any]], n: int) -> NDArray[np.int64]:
    """Return the number of the block of each unknown, shape (n,); that of the rest is the last."""
    owner = np.full(n, len(blocks))
    for k in range(len(blocks) - 1, -1, -1):
        index = blocks[k]
        owner[index[index < n]] = k
    return owner
