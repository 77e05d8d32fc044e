"""The values of matrices, brought onto one pattern and equilibrated, and the data for checks.

What depends on the pattern only is made once: the scaling plan, work arrays, the matrices A and
|A|. A new Jacobian costs one pass over its values.

A pattern may hold the diagonal only because some solver adds to it (pseudo-time steps, damping).
This costs nothing if the equations are in the order of their unknowns. If they are not, the zeros
couple unrelated unknowns, and fill-in grows: a five-point matrix of 22 500 unknowns with shuffled
equations took PARDISO 60 s with the zeros and 0.03 s without. A diagonal that is mostly zero in the
first matrix is therefore left out. The first matrix with an entry there restores it for good.

An equation of one unknown, such as a value on a boundary, is solved by itself. A factorization that
exchanges its row would leave rounding errors of other equations where the solution is zero.
"""

from __future__ import annotations

from enum import IntEnum
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..pattern import Pattern
from ..private_api import quiet
from .checks.accuracy import LinearSystem
from .checks.singular import diagnose
from .checks.validation import PatternMap
from .equilibration import Equilibration
from .structure.matching import has_full_rank

# Share of the diagonal that is stored but zero, from which the equations are out of order.
VACANT = 0.5


class PreparedMatrix:
    """The equilibrated matrix of one pattern and dtype, refilled in place.

    Parameters
    ----------
    dtype : dtype
        float64 or complex128.

    Attributes
    ----------
    n : int
    A : csr_array
        R J C with powers of two in the diagonal matrices R and C.
    magnitude : csr_array
        The absolute values of A.

    Raises
    ------
    SingularMatrixError
        The pattern is structurally singular.
    """

    def __init__(self, pattern: Pattern, dtype: Any) -> None:
        ones = pattern.matrix(np.ones(pattern.nnz))
        if pattern.empty_rows.size or pattern.empty_columns.size or not has_full_rank(ones):
            raise diagnose(ones)
        self.n = pattern.shape[0]
        self.scaling = Equilibration(pattern)
        self.values: NDArray[Any] = np.zeros(pattern.nnz, dtype=dtype)
        self.A = pattern.matrix(self.values)
        self.magnitude = pattern.matrix(self.scaling.magnitude)
        self._occupied: tuple[NDArray[np.bool_], bool] = np.ones(pattern.nnz, dtype=bool), True
        self._single_rows = np.flatnonzero(np.diff(pattern.indptr) == 1)
        self._single_places = pattern.indptr[self._single_rows]
        self._single_unknowns = pattern.indices[self._single_places]

    @cached_property
    def signs(self) -> NDArray[np.float64]:
        """Fixed random numbers of both signs and size near 1, for probes and error estimates."""
        # signs alone can be orthogonal to a null vector of few equal entries
        random, n = np.random.default_rng(0), self.n
        found: NDArray[np.float64] = random.choice([-1.0, 1.0], n) * random.uniform(0.5, 1.5, n)
        return found

    @cached_property
    def _transposed(self) -> tuple[Any, Any]:
        return self.A.T, self.magnitude.T

    def fill(self, data: NDArray[Any]) -> None:
        """Take the values of a new matrix."""
        self.scaling.apply(data, out=self.values)

    def has_full_structural_rank(self) -> bool:
        """Return whether the entries that are not zero can be matched, one in each row and column.

        The answer is kept until other entries are zero.
        """
        occupied = self.values != 0
        if not np.array_equal(occupied, self._occupied[0]):
            nonzero = self.A.copy()
            nonzero.eliminate_zeros()
            self._occupied = occupied, has_full_rank(nonzero)
        return self._occupied[1]

    def system(self, backend: Any, transpose: bool) -> LinearSystem:
        """Return what answers of this back end are judged by."""
        dtype = self.values.dtype

        def solve(b: NDArray[Any]) -> NDArray[Any]:
            return self.answer(backend, np.asarray(b, dtype=dtype, order="F"), transpose)

        if transpose:
            return LinearSystem(*self._transposed, solve)
        return LinearSystem(self.A, self.magnitude, solve)

    def answer(self, backend: Any, b: NDArray[Any], transpose: bool) -> NDArray[Any]:
        """Return what a back end answers, with exact solutions of equations of one unknown.

        b is overwritten.
        """
        if transpose or not len(self._single_rows):
            answer: NDArray[Any] = backend.solve(b, transpose)
            return answer
        own = b[self._single_rows]
        x: NDArray[Any] = backend.solve(b, False)
        with quiet():
            x[self._single_unknowns] = (own.T / self.values[self._single_places]).T
        return x

    def scale_right_hand_side(self, b: NDArray[Any], transpose: bool) -> NDArray[Any]:
        """Return R b, or C b for the transposed system; F-ordered, a copy."""
        factor = self.scaling.column if transpose else self.scaling.row
        if b.ndim == 1:
            return b * factor
        return np.asfortranarray(b * factor[:, None])

    def scale_solution(self, y: NDArray[Any], transpose: bool) -> NDArray[Any]:
        """Return x from the solution of the equilibrated system."""
        factor = self.scaling.row if transpose else self.scaling.column
        return y * (factor if y.ndim == 1 else factor[:, None])

    def log_scale(self) -> float:
        """Return log |det R C|."""
        return float(np.sum(np.log(self.scaling.row)) + np.sum(np.log(self.scaling.column)))


class Occupied:
    """The part of a pattern that is analyzed: all of it, or all but the vacant diagonal.

    Parameters
    ----------
    pattern : Pattern
        Square.

    Attributes
    ----------
    pattern : Pattern
        What is analyzed; look at it after every call of `values`.

    Examples
    --------
    >>> part = Occupied(Pattern([0, 2, 4], [0, 1, 0, 1], (2, 2)))
    >>> part.values(np.array([0.0, 1.0, 2.0, 0.0])), part.pattern.nnz
    (array([1., 2.]), 2)
    >>> part.values(np.array([0.0, 1.0, 2.0, 3.0])), part.pattern.nnz
    (array([0., 1., 2., 3.]), 4)
    """

    def __init__(self, pattern: Pattern) -> None:
        self.pattern = self._whole = pattern
        self._first = True
        self._left_out: NDArray[np.int64] | None = None
        self._kept: NDArray[np.int64] = np.empty(0, dtype=np.int64)

    def values(self, data: NDArray[Any]) -> NDArray[Any]:
        """Return the values on `pattern` from those on the whole pattern, shape (nnz,)."""
        if self._first:
            self._first = False
            self._leave_out(data)
        elif self._left_out is not None and np.any(data[self._left_out]):
            self.pattern, self._left_out = self._whole, None
        return data if self._left_out is None else data[self._kept]

    def _leave_out(self, data: NDArray[Any]) -> None:
        whole = self._whole
        n = whole.shape[0]
        diagonal = np.flatnonzero(whole.indices == whole.rows)
        vacant = diagonal[data[diagonal] == 0]
        if len(vacant) < VACANT * n:
            return
        kept = np.ones(whole.nnz, dtype=bool)
        kept[vacant] = False
        part, _ = Pattern.from_coordinates(whole.rows[kept], whole.indices[kept], whole.shape)
        # A row of zeros is reported as such, with the pattern of the caller.
        if not (part.empty_rows.size or part.empty_columns.size):
            self.pattern, self._left_out, self._kept = part, vacant, np.flatnonzero(kept)


class Novelty(IntEnum):
    """What is new about a matrix since the one before."""

    VALUES = 0
    DTYPE = 1  # also the first one
    PATTERN = 2
    GROWN = 3  # an entry outside of the pattern made it grow


class PreparedValues:
    """Takes matrices of one pattern, which grows if an entry lies outside of it.

    Attributes
    ----------
    matrix : PreparedMatrix or None
        The equilibrated matrix of the values that were taken last.
    """

    def __init__(self, pattern: Pattern) -> None:
        self._map = PatternMap(pattern)
        self._occupied = Occupied(pattern)
        self._novelty = Novelty.DTYPE
        self.matrix: PreparedMatrix | None = None

    @property
    def pattern(self) -> Pattern:
        """The pattern: as given, or grown."""
        return self._map.pattern

    @property
    def analyzed(self) -> Pattern:
        """The pattern that is analyzed: without a diagonal that is stored but mostly zero."""
        return self._occupied.pattern

    def take(self, A: Any) -> tuple[PreparedMatrix, Novelty]:
        """Return the equilibrated matrix of the values of A, and what is new about it.

        Raises
        ------
        SingularMatrixError
            The pattern is structurally singular.
        LinearSolveError, ShapeError, DataTypeError
            A is not a matrix of finite numbers of this shape.
        """
        whole, analyzed = self.pattern, self.analyzed
        data = self._map.values(A)
        if self.pattern is not whole:
            self._occupied = Occupied(self.pattern)
        data = self._occupied.values(data)
        if self.analyzed is not analyzed:
            grown = self.pattern is not whole or self.analyzed is self.pattern
            self._novelty = max(self._novelty, Novelty.GROWN if grown else Novelty.PATTERN)
            self.matrix = None
        if self.matrix is None or self.matrix.values.dtype != data.dtype:
            self._novelty = max(self._novelty, Novelty.DTYPE)
            self.matrix = PreparedMatrix(self.analyzed, data.dtype)
        self.matrix.fill(data)
        novelty, self._novelty = self._novelty, Novelty.VALUES
        return self.matrix, novelty
