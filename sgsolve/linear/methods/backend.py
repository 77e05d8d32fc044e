"""The protocol of back ends, which `LinearSolver` drives.

A back end analyzes a pattern once, with the first real values, because the matching of PARDISO
reads them. It then factorizes many values. It gets equilibrated matrices, and `LinearSolver` checks
finiteness, structural rank, accuracy and singularity.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np

from ...arrays import Vector
from ...errors import LinearSolveError

# What a back end may raise for numerical reasons. RuntimeError is the way of SciPy and
# python-mumps, LinAlgError the way of NumPy, ArithmeticError covers overflow.
NUMERICAL: tuple[type[Exception], ...] = (
    LinearSolveError,
    RuntimeError,
    ArithmeticError,
    np.linalg.LinAlgError,
)


@runtime_checkable
class Backend(Protocol):
    """Interface of a back end; an object of your own with these methods serves `LinearSolver`.

    A is an equilibrated ``csr_array``, float64 or complex128, sorted, without duplicates, and the
    same object in every call of one pattern: its values are overwritten before the next
    `factorize`, so copy what you keep. Raise `SingularMatrixError` for a zero pivot and
    `BackendError` for other failures.

    Optional attributes:

    * ``name`` (str): shown in results. Default: the name of the class.
    * ``doubtful`` (bool, after `factorize`): the pivots hint at a singular matrix. Without it, or
      if None, one extra solve per factorization finds out.
    * ``perturbed`` (int, after `factorize`): number of pivots that were replaced. Another back end
      then confirms that a matrix is singular.
    * ``reads_values`` (bool): whether an analysis can go stale when values change. Default: True.
    * ``dense_borders`` (bool): a few dense rows and columns cost nothing. Default: False.
    * ``usable_alone`` (bool): small systems may call `factorize` and `solve` without the fallbacks
      of `LinearSolver`. It then has ``memory`` too: None, or the full matrix as a vector, column
      after column; ``factorize_memory()`` factorizes what is written there. Default: False.
    * ``alternatives(inaccurate)``: makers of the back ends to try before SuperLU if this one fails,
      or gives too large a backward error (``inaccurate``). Default: PARDISO, if it is installed.
    * ``blocks`` (tuple): if empty, the indices of the blocks of the problem are put there, and
      their names in ``block_names``, if there is such an attribute.
    * ``iterative`` (bool): it has ``solve_to(b, tolerance)`` too, which stops at that relative
      residual; steps of Newton's method are computed by it. Default: False.
    * ``obstacle(A)``: what about a matrix keeps an iteration from converging, for the warning that
      another back end serves; an empty string if it is not known.
    * ``take_scaling(row, column)``: called before `factorize` with the factors of the equilibrated
      matrix, A = R J C, two vectors.
    * ``predicted_bytes`` (float, after `analyze`): what the factors will need. Factors that do not
      fit into the free memory are not computed.
    * ``operations`` (float, after `analyze`): of a factorization.
    * ``fewest_entries`` (bool): no other direct back end has fewer entries in its factors, so none
      is advised where they do not fit. Default: False.
    * ``fresh()``: another object with the same settings; one object then serves many patterns.
    * ``slogdet()``: sign and log|det| of A.

    See Also
    --------
    register : Give it a name.
    LinearSolver : Uses it.
    """

    def analyze(self, A: Any) -> None:
        """Look at the pattern of A, and at its values where pivoting needs them."""

    def factorize(self, A: Any) -> None:
        """Factorize the values of A, whose pattern was analyzed."""

    def solve(self, b: Vector, transpose: bool) -> Vector:
        """Return the solution of A x = b, or of the transposed (not conjugated) system.

        b has shape (n,) or (n, k), the latter in Fortran order; it may be overwritten.
        """


def is_complex(A: Any) -> bool:
    """Whether the values of A are complex."""
    return bool(np.iscomplexobj(A.data))


def name_of(backend: Any) -> str:
    """Return what a back end calls itself."""
    return str(getattr(backend, "name", type(backend).__name__))
