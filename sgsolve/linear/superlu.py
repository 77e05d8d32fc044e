"""SuperLU through SciPy, the back end that is always available.

SciPy's interface analyzes in every call. Partial pivoting uses the current values, so this back end
is the last fallback: a matrix on which it fails is reported as singular.

Reference: J. Demmel et al., SIAM J. Matrix Anal. Appl. 20 (1999) 720; `scipy.sparse.linalg.splu`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.linalg import splu

from .. import private_api
from ..errors import BackendError, SingularMatrixError
from .backend import Vector
from .ordering import permutation_sign


class SuperLU:
    """Sparse LU with partial pivoting and a COLAMD ordering.

    Attributes
    ----------
    doubtful : None
        SuperLU does not show its pivots cheaply; the solver computes one extra solve instead.

    See Also
    --------
    Banded, Dense, Mumps, Pardiso, Multigrid

    Examples
    --------
    >>> from sgsolve import Problem
    >>> result = Problem(lambda x: x**2 - 4.0, backend="superlu").solve([1.0, 3.0])
    >>> result.x
    array([2., 2.])
    """

    name = "superlu"
    reads_values = False
    doubtful = None

    def __init__(self) -> None:
        self._lu: Any = None
        self._csc: Any = None
        self._order: NDArray[np.int64] = np.empty(0, dtype=np.int64)

    def fresh(self) -> SuperLU:
        """Return another back end of this kind."""
        return type(self)()

    def analyze(self, A: Any) -> None:
        """Keep the index work of the conversion to columns."""
        numbered = sp.csr_array((np.arange(A.nnz), A.indices, A.indptr), shape=A.shape).tocsc()
        self._order = numbered.data.astype(np.int64)
        self._csc = sp.csc_array((np.ones(A.nnz), numbered.indices, numbered.indptr), shape=A.shape)
        self._csc.has_sorted_indices = True
        self._csc.has_canonical_format = True

    def factorize(self, A: Any) -> None:
        """Factorize; SciPy reports an exactly zero pivot as a RuntimeError."""
        self._lu = None
        self._csc.data = A.data[self._order]
        try:
            self._lu = splu(self._csc, permc_spec="COLAMD")
        except RuntimeError as error:
            cause = private_api.superlu_failure(error)
            if cause == "singular":
                raise SingularMatrixError(f"SuperLU met a zero pivot: {error}") from error
            if cause == "memory":
                raise MemoryError(str(error)) from error
            raise BackendError(f"SuperLU failed: {error}") from error

    def solve(self, b: Vector, transpose: bool) -> Vector:
        """Solve with the kept factors."""
        if np.iscomplexobj(self._csc.data):
            b = b.astype(np.complex128, copy=False)
        x: Vector = self._lu.solve(b, "T" if transpose else "N")
        return x

    def alternatives(self, inaccurate: bool) -> tuple[()]:
        """Return no other back end: the pivoting here is as good as theirs."""
        return ()

    def slogdet(self) -> tuple[Any, float]:
        """Return sign (or phase) and log|det|, from the diagonal of U and the permutations."""
        diagonal = self._lu.U.diagonal()
        sign = np.prod(diagonal / np.abs(diagonal))
        sign = sign * permutation_sign(self._lu.perm_r) * permutation_sign(self._lu.perm_c)
        return sign, float(np.sum(np.log(np.abs(diagonal))))
