"""Multigrid levels of one matrix, and Gauss-Seidel over blocks with levels for each.

Reference for the sweep over blocks: K. Stueben, J. Comput. Appl. Math. 128 (2001) 281, section 3
(unknown-based multigrid of systems); A. Brandt, in: Multigrid Methods (Springer, 1982), page 220.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
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
        self._factors: Any = None
        self._trans = "N"
        if A.shape[0] <= COARSEST and not aggregation:
            self._factors = splu(sp.csc_matrix(A))
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

    def transposed(self) -> Hierarchy:
        """Return the transposed cycle, which serves the transposed matrix."""
        other = copy(self)
        if self._factors is not None:
            other._trans = "T"
            return other
        # A backward sweep, transposed, is a forward one of the transposed matrix.
        other._levels = [
            Level(*(None if B is None else sp.csr_matrix(B.T) for B in (A, R, P)))
            for A, P, R in self._levels
        ]
        if self._levels[-1].A.shape[0] <= COARSEST:
            other._inverse = self._inverse.T
        return other

    def apply(self, r: NDArray[Any]) -> NDArray[Any]:
        """Return an approximation of A^-1 r."""
        if self._factors is None:
            return self._v_cycle(r)
        x: NDArray[Any] = self._factors.solve(r, self._trans)
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

    The levels of a block are made for unknowns in the user's units and equations with a diagonal
    of one. Interpolation is exact for constants only. These are smooth in the user's units, while
    the equilibration of all equations scales neighbors of one block by different factors: those
    of the potential by the density beside it.

    Parameters
    ----------
    A : csr_matrix, shape (n, n)
    rows : sequence of integer arrays
        The unknowns of each block; together all, none twice.
    pyamg : module
    units : ndarray, shape (n,)
        Factors of the columns, by which A was equilibrated.
    """

    def __init__(
        self, A: Any, rows: Sequence[NDArray[Any]], pyamg: Any, units: NDArray[Any]
    ) -> None:
        self._A, self._rows = A, rows
        self._strips = [A[index] for index in rows]
        self._solvers, self._scales = [], []
        for strip, index in zip(self._strips, rows, strict=True):
            block, unit = sp.csr_matrix(strip[:, index]), units[index]
            diagonal = block.diagonal() / unit
            diagonal[diagonal == 0.0] = 1.0
            block.data /= np.repeat(diagonal, np.diff(block.indptr)) * unit[block.indices]
            self._scales.append((diagonal, unit))
            self._solvers.append(Hierarchy(block, pyamg, aggregation=False, symmetric=False))

    def transposed(self) -> BlockGaussSeidel:
        """Return the transposed sweep, which serves the transposed matrix."""
        other = copy(self)
        other._A = sp.csr_matrix(self._A.T)
        other._strips = [other._A[index] for index in self._rows]
        other._solvers = [solver.transposed() for solver in self._solvers]
        other._scales = [(unit, diagonal) for diagonal, unit in self._scales]
        return other

    def apply(self, r: NDArray[Any]) -> NDArray[Any]:
        """Return an approximation of A^-1 r: forwards over the blocks, then backwards."""
        x = np.zeros(len(r))
        last = len(self._rows) - 1
        for k in [*range(last + 1), *range(last - 1, -1, -1)]:
            index, (before, after) = self._rows[k], self._scales[k]
            left = r[index] - self._strips[k] @ x
            x[index] += self._solvers[k].apply(left / before) / after
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
