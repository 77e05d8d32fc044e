"""Algebraic multigrid through pyamg, an opt-in extra for large scalar elliptic problems in 3-D.

One idea: memory grows with n only, where the factors of a direct solver do not fit. It is an
iteration: it converges for matrices of elliptic kind and is refused by the accuracy check on
others. A singular but consistent system is not noticed, because nothing is eliminated.

Reference: P. Vanek, J. Mandel, M. Brezina, Computing 56 (1996) 179 (smoothed aggregation).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from ..errors import BackendError
from .backend import Vector, is_complex

# Relative residual and count at which an inner solve stops; refinement goes on from there.
TOLERANCE = 1e-12
MAX_CYCLES = 200
SYMMETRIC = 1e-12


class PyAMG:
    """Smoothed aggregation as a preconditioner of CG (symmetric matrix) or GMRES.

    Raises
    ------
    BackendError
        pyamg is not installed, or the matrix is complex.
    """

    name = "pyamg"
    reads_values = False
    doubtful = False

    def __init__(self) -> None:
        try:
            import pyamg
        except ImportError as error:
            raise BackendError(
                f"pyamg cannot be loaded ({error}); `pip install 'sgsolve[pyamg]'`, or use "
                "'superlu'"
            ) from error
        self._module: Any = pyamg
        self._levels: dict[bool, Any] = {}
        self._A: Any = None
        self._symmetric = False

    def analyse(self, A: Any) -> None:
        """Nothing depends on the pattern alone."""
        if is_complex(A):
            raise BackendError("pyamg serves real matrices only; use 'superlu' or 'pardiso'")

    def factorize(self, A: Any) -> None:
        """Set the levels up."""
        # pyamg wants the older class; its routines write into the index arrays.
        self._A = sp.csr_matrix(A, copy=True)
        difference = abs(self._A - self._A.T)
        self._symmetric = difference.nnz == 0 or bool(difference.max() <= SYMMETRIC)
        self._levels = {}
        self._hierarchy(False)

    def solve(self, b: Vector, transpose: bool) -> Vector:
        """Iterate to a relative residual of 1e-12, column by column."""
        levels = self._hierarchy(transpose and not self._symmetric)
        if b.ndim == 1:
            return self._iterate(levels, b)
        return np.asfortranarray(np.column_stack([self._iterate(levels, c) for c in b.T]))

    def _iterate(self, levels: Any, b: Vector) -> Vector:
        accel = "cg" if self._symmetric else "gmres"
        x: Vector = levels.solve(
            np.ascontiguousarray(b), tol=TOLERANCE, maxiter=MAX_CYCLES, accel=accel
        )
        return x

    def _hierarchy(self, transposed: bool) -> Any:
        if transposed not in self._levels:
            A = sp.csr_matrix(self._A.T) if transposed else self._A
            kind = "symmetric" if self._symmetric else "nonsymmetric"
            setup = self._module.smoothed_aggregation_solver
            try:
                self._levels[transposed] = setup(A, symmetry=kind)
            except (ValueError, ArithmeticError) as error:  # LAPACK refuses levels with NaN
                raise BackendError(f"pyamg cannot set up its levels: {error}") from error
        return self._levels[transposed]
