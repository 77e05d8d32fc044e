"""Dense LAPACK for systems of a few unknowns, where sparse data structures cost more.

Reference: LAPACK Users' Guide; routines getrf and getrs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import lapack

from ....arrays import Vector
from ....errors import SingularMatrixError
from ..backend import is_complex
from .banded import SMALL_PIVOT

# So many right-hand sides, one by one, take about a microsecond each more than together. For two or
# more OpenBLAS uses its threads, and where other processes keep the cores busy, waiting for them
# takes milliseconds.
FEW_COLUMNS = 16


class Dense:
    """LU of a full matrix with partial pivoting; memory n^2.

    See Also
    --------
    Banded, Mumps, Pardiso, Multigrid, SuperLU

    Examples
    --------
    >>> from sgsolve import Problem
    >>> result = Problem(lambda x: x**2 - 4.0, backend="dense").solve([1.0, 3.0])
    >>> result.x
    array([2., 2.])
    """

    name = "dense"
    usable_alone = True
    dense_borders = True
    reads_values = False

    def __init__(self) -> None:
        self.doubtful: bool | None = False

    def fresh(self) -> Dense:
        """Return another back end of this kind."""
        return type(self)()

    def analyze(self, A: Any) -> None:
        """Find the place of every entry in a full, column-ordered matrix."""
        n = A.shape[0]
        rows = np.repeat(np.arange(n), np.diff(A.indptr))
        self._place = A.indices.astype(np.int64) * n + rows
        dtype = np.complex128 if is_complex(A) else np.float64
        routines: Any = (
            (lapack.zgetrf, lapack.zgetrs) if is_complex(A) else (lapack.dgetrf, lapack.dgetrs)
        )
        self._trf, self._trs = routines
        self._flat = np.zeros(n * n, dtype=dtype)
        self._full = self._flat.reshape(n, n).T
        self._diagonal = self._flat[:: n + 1]

    @property
    def memory(self) -> Vector:
        """The full matrix, column after column, and after `factorize` its factors."""
        return self._flat

    @property
    def predicted_bytes(self) -> float:
        """Bytes of the full matrix, which the system provides when it is first written to."""
        return float(self._flat.nbytes)

    @property
    def operations(self) -> float:
        """Multiplications and additions of a factorization."""
        return 2.0 / 3.0 * float(self._full.shape[0]) ** 3

    def factorize(self, A: Any) -> None:
        """Scatter and factorize in place."""
        self._flat.fill(0.0)
        self._flat[self._place] = A.data
        self.factorize_memory()
        pivots = np.abs(self._diagonal)
        small = np.minimum.reduce(pivots) < SMALL_PIVOT * np.maximum.reduce(pivots)
        self.doubtful = None if small else False

    def factorize_memory(self) -> None:
        """Factorize the matrix in `memory`; whoever wrote it there looks at the pivots."""
        self._lu, self._pivots, info = self._trf(self._full, overwrite_a=True)
        self.doubtful = False
        if info > 0:
            raise SingularMatrixError("dense LU met a zero pivot")

    def solve(self, b: Vector, transpose: bool) -> Vector:
        """Solve with the kept factors."""
        trs, lu, pivots, trans = self._trs, self._lu, self._pivots, int(transpose)
        if b.ndim == 2 and 0 < b.shape[1] <= FEW_COLUMNS:
            return np.array([trs(lu, pivots, column, trans)[0] for column in b.T]).T
        x: Vector = trs(lu, pivots, b, trans, True)[0]
        return x

    def alternatives(self, inaccurate: bool) -> tuple[()]:
        """Return no other back end: the pivoting here is as good as theirs."""
        return ()

    def slogdet(self) -> tuple[Any, float]:
        """Return sign (or phase) and log|det|, from the pivots."""
        size = np.abs(self._diagonal)
        swaps = np.count_nonzero(self._pivots != np.arange(len(self._pivots)))
        sign = np.prod(self._diagonal / size) * (-1 if swaps % 2 else 1)
        return sign, float(np.sum(np.log(size)))
