"""GMRES with the preconditioner of a user, as a back end.

Reference: Y. Saad, Iterative Methods for Sparse Linear Systems (2003), chapter 9.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ....arrays import Vector
from ....errors import BackendError, InputError, OutOfMemoryError
from ..backend import NUMERICAL, is_complex
from .inverse_operator import applied, is_fixed
from .iterative_backend import TOLERANCE, by_columns
from .krylov_methods import gmres

RESTART, MAX_PRODUCTS = 60, 600


class Krylov:
    """GMRES with an approximate inverse of the matrix.

    ``Problem(preconditioner=M)`` makes one. Steps of Newton's method are solved to a relative
    residual of 1e-4, all else to 1e-12, and answers are checked as those of all back ends. Where
    GMRES does not converge, the matrix is factorized, with a `FallbackWarning`.

    Parameters
    ----------
    preconditioner : matrix, LinearOperator, object with solve(v), or callable, optional
        An approximate inverse of J, in the units of your equations: a sparse or dense matrix or an
        operator that is applied to vectors, or an object whose ``solve(v)`` does it, such as that
        of `scipy.sparse.linalg.spilu`. Or a function of J, a ``csr_array`` that it may keep, which
        returns one of these, or a function v -> M^-1 v. It is called for each new J. Default: none.

    Attributes
    ----------
    iterations : int
        Products with J of the last solve.

    Raises
    ------
    InputError
        If it is none of these.

    See Also
    --------
    Multigrid : With a preconditioner of its own.
    solvers.KrylovDirection : Without the matrix, by products J v.

    Notes
    -----
    The transposed system, for `Problem.sensitivity`, needs that of the preconditioner: a matrix, or
    an operator with ``rmatvec``, or ``solve(v, "T")``.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse.linalg import spilu
    >>> from sgsolve import Problem, linear
    >>> backend = linear.Krylov(lambda J: spilu(J.tocsc()))
    >>> Problem(lambda x: x**2 - 4.0, backend=backend).solve(np.ones(50)).x[:2].round(6)
    array([2., 2.])
    """

    name = "krylov"
    iterative = True
    reads_values = False
    doubtful = False

    def __init__(self, preconditioner: Any = None) -> None:
        known = preconditioner is None or is_fixed(preconditioner)
        if not (known or callable(preconditioner)):
            raise InputError(
                "preconditioner must be a matrix, a LinearOperator, an object with solve(v), or a "
                f"function of J that returns one, not {preconditioner!r}"
            )
        self.preconditioner = preconditioner
        self.iterations = 0
        self._A: Any = None
        self._scales: tuple[Vector, Vector] = (np.ones(0), np.ones(0))
        self._inverse: Any = None

    def fresh(self) -> Krylov:
        """Return another back end with the same preconditioner."""
        return type(self)(self.preconditioner)

    def take_scaling(self, row: Vector, column: Vector) -> None:
        """Take the factors of the equilibrated matrix: A = R J C."""
        self._scales = row, column

    def analyze(self, A: Any) -> None:
        """Accept real matrices; nothing depends on the pattern alone."""
        if is_complex(A):
            raise BackendError("GMRES serves real matrices only here; use 'superlu' or 'pardiso'")

    def factorize(self, A: Any) -> None:
        """Take the values; call the user's function of J."""
        M = self.preconditioner
        self._A = A
        if M is not None and not is_fixed(M):
            row, column = self._scales
            J = A.copy()
            J.data /= np.repeat(row, np.diff(A.indptr)) * column[A.indices]
            M = _made_by(M, J)
        self._inverse = M

    def solve(self, b: Vector, transpose: bool) -> Vector:
        """Iterate to a relative residual of 1e-12, column by column."""
        return by_columns(b, lambda column: self._solved(column, transpose, TOLERANCE))

    def solve_to(self, b: Vector, tolerance: float) -> Vector:
        """Return x with ``|b - A x| <= tolerance |b|``, for b of shape (n,), if it is reached."""
        return self._solved(b, False, tolerance)

    def _solved(self, b: Vector, transpose: bool, tolerance: float) -> Vector:
        A = self._A.T if transpose else self._A
        x, _, self.iterations = gmres(
            A.dot, b, self._operator(transpose, len(b)), tolerance, RESTART, MAX_PRODUCTS
        )
        return x

    def _operator(self, transpose: bool, n: int) -> Callable[[Vector], Vector]:
        """Return v -> M^-1 v of the equilibrated matrix: C^-1 M^-1 R^-1, or its transpose."""
        M = self._inverse
        if M is None:
            return lambda v: v
        inner, outer = self._scales
        apply = applied(_transposed(M) if transpose else M, n)
        if transpose:
            inner, outer = outer, inner
        return lambda v: apply(v / inner) / outer


def _made_by(function: Callable[[Any], Any], J: Any) -> Any:
    """Return the preconditioner for J; a failure of its making is one of the back end."""
    try:
        return function(J)
    except OutOfMemoryError:
        raise
    except NUMERICAL as error:
        raise BackendError(f"the preconditioner cannot be made: {error}") from error


def _transposed(M: Any) -> Any:
    """Return the transpose of an approximate inverse."""
    if hasattr(M, "rmatvec"):
        return M.T
    if hasattr(M, "dot") and hasattr(M, "T"):
        return M.T
    if hasattr(M, "solve"):
        return lambda v: M.solve(v, "T")
    raise BackendError("the preconditioner is a function without a transpose")
