"""SuperLU through SciPy, the back end that is always available.

SciPy's interface analyzes in every call, unless it is given an order of elimination. If the pattern
is nearly symmetric, pivots on the diagonal in an order by nodes leave half the entries in the
factors. If one kind of pivots is not accurate, the checks of `LinearSolver` try the other kind.
Neither is always better. Partial pivoting works with any diagonal. Pivots on the diagonal of a
balance of fluxes keep the small sums of its columns. Partial pivoting loses these sums by
cancellation where only leakage determines a region.

Reference: J. Demmel et al., SIAM J. Matrix Anal. Appl. 20 (1999) 720; `scipy.sparse.linalg.splu`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from .... import private_api
from ....arrays import IndexArray, Vector
from ....errors import BackendError, InputError, SingularMatrixError
from ...structure.node_order import column_order, degree_order, node_order, nodes_of_unknowns
from ...structure.ordering import permutation_sign
from ...structure.symbolic import FactorCounts, factor_counts, partial_pivoting_counts

# From so many unknowns on, the order by nodes is worth its analysis.
ORDERED_FROM = 2000
# Pivots on the diagonal are taken where no larger share of it is zero. A row is exchanged for each
# such pivot, and the order of elimination does not foresee that: 1 % of zeros leave 1.2 times the
# entries, 3 % leave 1.5 times; a third, as the pressure has in a flow, 10 to 100 times.
ZERO_SHARE = 0.01
# Memory for each entry of the factors: value, index, and the copy that is made when arrays grow.
ENTRY_BYTES = 20.0


class SuperLU:
    """Sparse LU with partial pivoting and a COLAMD ordering, or with pivots on the diagonal.

    Parameters
    ----------
    pivoting : {"partial", "diagonal", "auto"}
        ``"diagonal"`` takes the pivots from the diagonal, in an order by nodes where the pattern
        is nearly symmetric and large enough. ``"auto"`` does so only where there is such an order
        and hardly any zero on the diagonal, and pivots partially otherwise.
        ``backend="superlu"`` uses it.

    Attributes
    ----------
    blocks : tuple of ndarray of int
        Blocks of unknowns; those of equal length have one unknown at each node.
    doubtful : None
        SuperLU does not show its pivots cheaply; the solver computes one extra solve instead.

    Raises
    ------
    InputError
        If `pivoting` is another one.
    BackendError
        By a factorization with ``"diagonal"`` of 2000 unknowns or more, if more than 1 % of the
        diagonal is zero.

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

    def __init__(self, pivoting: str = "partial") -> None:
        if pivoting not in {"partial", "diagonal", "auto"}:
            raise InputError(f"pivoting must be 'partial', 'diagonal' or 'auto', not {pivoting!r}")
        self.pivoting = pivoting
        self.blocks: tuple[Any, ...] = ()
        self._places: IndexArray | None = None
        self._lu: Any = None
        self._csc: Any = None
        self._order: IndexArray = np.empty(0, dtype=np.int64)
        self._pattern: Any = None
        self._counts: FactorCounts | None = None

    def fresh(self) -> SuperLU:
        """Return another back end of this kind."""
        other = type(self)(self.pivoting)
        other.blocks = self.blocks
        return other

    def analyze(self, A: Any) -> None:
        """Choose the order, and keep the index work of the conversion to columns."""
        self._pattern, self._counts = A, None
        numbered: Any = sp.csr_array((np.arange(A.nnz), A.indices, A.indptr), shape=A.shape)
        self._places = None
        n = A.shape[0]
        zeros = n - np.count_nonzero(A.diagonal())
        if self.pivoting == "diagonal" and n >= ORDERED_FROM and zeros > ZERO_SHARE * n:
            raise BackendError(f"SuperLU cannot pivot on a diagonal with {zeros} zeros of {n}")
        if self.pivoting != "partial" and n >= ORDERED_FROM and zeros <= ZERO_SHARE * n:
            self._places = node_order(A, nodes_of_unknowns(A, self.blocks))
        if self._places is not None:
            numbered = numbered[self._places][:, self._places]
        numbered = sp.csc_array(numbered)
        numbered.sort_indices()
        self._order = numbered.data.astype(np.int64)
        self._csc = sp.csc_array((np.ones(A.nnz), numbered.indices, numbered.indptr), shape=A.shape)
        self._csc.has_sorted_indices = True
        self._csc.has_canonical_format = True

    @property
    def counts(self) -> FactorCounts:
        """Entries of the factors and operations; of partial pivoting by their bound."""
        if self._counts is None:
            A = self._pattern
            if self._places is not None:
                self._counts = factor_counts(A, self._places)
            elif self._on_diagonal:
                self._counts = factor_counts(A, degree_order(A))
            else:
                self._counts = partial_pivoting_counts(A, column_order(A))
        return self._counts

    @property
    def predicted_bytes(self) -> float:
        """Bytes that a factorization will need."""
        size = 2.0 if np.iscomplexobj(self._pattern.data) else 1.0
        return size * ENTRY_BYTES * self.counts.entries

    @property
    def operations(self) -> float:
        """Multiplications and additions of a factorization."""
        return self.counts.operations

    def factorize(self, A: Any) -> None:
        """Factorize; SciPy reports an exactly zero pivot as a RuntimeError."""
        self._lu = None
        self._csc.data = A.data[self._order]
        how: dict[str, Any] = {"permc_spec": "COLAMD"}
        if self._on_diagonal:
            order = "MMD_AT_PLUS_A" if self._places is None else "NATURAL"
            how = {"permc_spec": order, "diag_pivot_thresh": 0.0}
            how["options"] = {"SymmetricMode": True}
        try:
            self._lu = splu(self._csc, **how)
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
        how, places = "T" if transpose else "N", self._places
        if places is None:
            x: Vector = self._lu.solve(b, how)
            return x
        x = np.empty(b.shape, dtype=b.dtype, order="F")
        x[places] = self._lu.solve(np.asfortranarray(b[places]), how)
        return x

    def alternatives(self, inaccurate: bool) -> Iterator[Callable[[], Any]]:
        """Yield a maker of a solver with the other kind of pivots."""
        if self._on_diagonal:
            yield SuperLU
        elif inaccurate:
            yield lambda: SuperLU("diagonal")

    @property
    def _on_diagonal(self) -> bool:
        return self.pivoting == "diagonal" or self._places is not None

    def slogdet(self) -> tuple[Any, float]:
        """Return sign (or phase) and log|det|, from the diagonal of U and the permutations."""
        diagonal = self._lu.U.diagonal()
        sign = np.prod(diagonal / np.abs(diagonal))
        sign = sign * permutation_sign(self._lu.perm_r) * permutation_sign(self._lu.perm_c)
        return sign, float(np.sum(np.log(np.abs(diagonal))))
