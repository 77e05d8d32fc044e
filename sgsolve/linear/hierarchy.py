"""Multigrid levels of one matrix, and Gauss-Seidel over blocks with levels for each.

Reference for the sweep over blocks: K. Stueben, J. Comput. Appl. Math. 128 (2001) 281, section 3
(unknown-based multigrid of systems); A. Brandt, in: Multigrid Methods (Springer, 1982), page 220.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, splu

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
        self.shape = A.shape
        if A.shape[0] <= COARSEST and not aggregation:
            self._apply: Any = splu(sp.csc_matrix(A)).solve
            return
        with _fixed_random_numbers():
            if aggregation:
                kind = "symmetric" if symmetric else "nonsymmetric"
                levels = pyamg.smoothed_aggregation_solver(A, symmetry=kind)
                _relax_rows(levels, pyamg)
            else:
                levels = pyamg.ruge_stuben_solver(A)
        self._apply = levels.aspreconditioner(cycle="V").matvec

    def apply(self, r: NDArray[Any]) -> NDArray[Any]:
        """Return an approximation of A^-1 r."""
        x: NDArray[Any] = self._apply(r)
        return x

    def operator(self) -> LinearOperator:
        """Return it in the form of SciPy's iterations."""
        return LinearOperator(self.shape, matvec=self.apply, dtype=np.float64)


@contextmanager
def _fixed_random_numbers() -> Iterator[None]:
    """Give pyamg the same random numbers each time, and leave those of the user's program alone.

    pyamg takes those of NumPy's global state, for its estimates of spectral radii.
    """
    state = np.random.get_state()  # noqa: NPY002 - the generator that pyamg reads
    np.random.seed(0)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002


def _relax_rows(levels: Any, pyamg: Any) -> None:
    """Relax by rows, forwards before the coarse correction and backwards after it.

    pyamg stores the coarse matrices by blocks of size 1 and relaxes each level twice in both
    directions. This takes half the time, and the cycle stays symmetric.
    """
    for level in levels.levels:
        level.A = sp.csr_matrix(level.A)
    before, after = (("gauss_seidel", {"sweep": sweep}) for sweep in ("forward", "backward"))
    pyamg.relaxation.smoothing.change_smoothers(levels, before, after)


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
        self._A, self._rows = A, rows
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

    def operator(self) -> LinearOperator:
        """Return it in the form of SciPy's iterations."""
        return LinearOperator(self._A.shape, matvec=self.apply, dtype=np.float64)


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
