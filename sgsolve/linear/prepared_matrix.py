"""The equilibrated matrix of one pattern, and the data for the checks of its solutions.

What depends on the pattern only is made once: the scaling plan, work arrays, the matrices A and
|A|. A new Jacobian costs one pass over its values.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..pattern import Pattern
from .accuracy import LinearSystem
from .equilibration import Equilibration
from .matching import has_full_rank
from .singular import diagnose


class PreparedMatrix:
    """The equilibrated matrix of one pattern and dtype, refilled in place.

    Parameters
    ----------
    pattern : Pattern
    dtype : dtype
        float64 or complex128.

    Attributes
    ----------
    A : csr_array
        R J C with powers of two in the diagonal matrices R and C.
    magnitude : csr_array
        The absolute values of A.
    signs : ndarray, shape (n,)
        Fixed random numbers of both signs and size near 1, for probes and error estimates.

    Raises
    ------
    SingularMatrixError
        The pattern is structurally singular.
    """

    def __init__(self, pattern: Pattern, dtype: Any) -> None:
        ones = pattern.matrix(np.ones(pattern.nnz))
        if pattern.empty_rows.size or pattern.empty_columns.size or not has_full_rank(ones):
            raise diagnose(ones)
        self.scaling = Equilibration(pattern)
        self.values: NDArray[Any] = np.zeros(pattern.nnz, dtype=dtype)
        self.A = pattern.matrix(self.values)
        self.magnitude = pattern.matrix(self.scaling.magnitude)
        self._transposed = self.A.T, self.magnitude.T
        self._occupied: tuple[NDArray[np.bool_], bool] = np.ones(pattern.nnz, dtype=bool), True
        # Signs alone can be orthogonal to a null vector of few equal entries.
        random, n = np.random.default_rng(0), pattern.shape[0]
        self.signs = random.choice([-1.0, 1.0], n) * random.uniform(0.5, 1.5, n)

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
            x: NDArray[Any] = backend.solve(np.asarray(b, dtype=dtype, order="F"), transpose)
            return x

        if transpose:
            return LinearSystem(*self._transposed, solve)
        return LinearSystem(self.A, self.magnitude, solve)

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
