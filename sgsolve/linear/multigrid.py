"""Algebraic multigrid through pyamg, for large scalar elliptic problems in 3-D.

Its memory grows with n only, while the factors of a direct solver in 3-D grow faster. It is an
iteration, which converges for matrices of elliptic kind. On others the solver's accuracy check
calls another back end. A singular but consistent system is not noticed, because nothing is
eliminated.

Reference: P. Vanek, J. Mandel, M. Brezina, Computing 56 (1996) 179 (smoothed aggregation).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.linalg import cg, gmres

from ..errors import BackendError
from .backend import Vector, is_complex

# Relative residual and count at which an inner solve stops; refinement continues from there.
TOLERANCE = 1e-12
MAX_CYCLES = 200
RESTART = 50
SYMMETRIC = 1e-12


class PyAMG:
    """Smoothed aggregation as a preconditioner of CG (symmetric matrix) or GMRES.

    Equations with a negative diagonal entry change their sign first. A negative definite matrix,
    such as that of u'' = f, is therefore solved like its positive definite counterpart.

    Raises
    ------
    BackendError
        pyamg is not installed, or the matrix is complex.

    See Also
    --------
    Banded, Dense, Mumps, Pardiso, SuperLU

    Examples
    --------
    A program that runs with and without pyamg:

    >>> from importlib.util import find_spec
    >>> from sgsolve import Problem
    >>> backend = "pyamg" if find_spec("pyamg") else "auto"
    >>> Problem(lambda x: x**2 - 4.0, backend=backend).solve([1.0, 3.0]).x.round(6)
    array([2., 2.])
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
        self._levels: dict[bool, tuple[Any, Any]] = {}
        self._A: Any = None
        self._signs: NDArray[np.float64] = np.ones(0)
        self._symmetric = False

    def fresh(self) -> PyAMG:
        """Return another back end of this kind."""
        return type(self)()

    def analyze(self, A: Any) -> None:
        """Nothing depends on the pattern alone."""
        if is_complex(A):
            raise BackendError("pyamg serves real matrices only; use 'superlu' or 'pardiso'")

    def factorize(self, A: Any) -> None:
        """Set the levels up."""
        # pyamg wants the older class; its routines write into the index arrays.
        self._A = sp.csr_matrix(A, copy=True)
        self._signs = np.where(A.diagonal() < 0.0, -1.0, 1.0)
        self._A.data *= np.repeat(self._signs, np.diff(self._A.indptr))
        difference = abs(self._A - self._A.T)
        self._symmetric = difference.nnz == 0 or bool(difference.max() <= SYMMETRIC)
        self._levels = {}
        self._hierarchy(False)

    def solve(self, b: Vector, transpose: bool) -> Vector:
        """Iterate to a relative residual of 1e-12, column by column."""
        if b.ndim == 2:
            columns = [self.solve(column, transpose) for column in b.T]
            return np.asfortranarray(np.column_stack(columns))
        # (S A) x = S b, and its transpose A^T S y = b with x = S y.
        if transpose:
            return self._iterate(*self._hierarchy(not self._symmetric), b) * self._signs
        return self._iterate(*self._hierarchy(False), b * self._signs)

    def _iterate(self, A: Any, cycle: Any, b: Vector) -> Vector:
        """Run CG, and GMRES where the matrix is not symmetric or CG shows it to be indefinite."""
        limits = {"rtol": TOLERANCE, "atol": 0.0, "M": cycle}
        x: Vector
        if self._symmetric:
            x, info = cg(A, b, maxiter=MAX_CYCLES, **limits)
            if info == 0:
                return x
        restart = min(RESTART, len(b))
        x, _ = gmres(A, b, restart=restart, maxiter=-(-MAX_CYCLES // restart), **limits)
        return x

    def _hierarchy(self, transposed: bool) -> tuple[Any, Any]:
        """Return the matrix with positive diagonal, or its transpose, and one V-cycle for it."""
        if transposed not in self._levels:
            A = sp.csr_matrix(self._A.T) if transposed else self._A
            kind = "symmetric" if self._symmetric else "nonsymmetric"
            setup = self._module.smoothed_aggregation_solver
            try:
                levels = setup(A, symmetry=kind)
            except (ValueError, ArithmeticError) as error:  # LAPACK refuses levels with NaN
                raise BackendError(f"pyamg cannot set up its levels: {error}") from error
            self._levels[transposed] = A, levels.aspreconditioner(cycle="V")
        return self._levels[transposed]
