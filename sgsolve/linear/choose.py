"""Which back end serves a pattern: the automatic choice, and the choice by name.

One idea: decided once per pattern, from its size and the width of its band, never from values
(other than a diagonal of zeros, which is no part of the pattern).
The thresholds were measured (`benchmarks/linear_backends.py`, times of a factorisation with its
solve, one thread).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import BackendError, DataTypeError
from ..pattern import Pattern
from .backend import Backend
from .banded import Banded
from .dense import Dense
from .multigrid import PyAMG
from .mumps import Mumps
from .ordering import narrow_order, widest
from .pardiso import Pardiso, available
from .solver import LinearSolver
from .superlu import SuperLU

# Up to here a full matrix beats everything else, whatever its structure.
TINY = 40
# Up to here it beats the sparse factorisations, for a matrix without a narrow band.
SMALL = 200
# Sub- plus superdiagonals up to which band storage beats PARDISO, and SuperLU.
NARROW = 96
NARROW_WITHOUT_PARDISO = 192

BACKENDS: dict[str, Callable[[], Any]] = {
    "pardiso": Pardiso,
    "superlu": SuperLU,
    "banded": Banded,
    "dense": Dense,
    "mumps": Mumps,
    "pyamg": PyAMG,
}


def auto(pattern: Pattern, *, threads: int | None = None) -> LinearSolver:
    """Return a solver for systems of this pattern, with the back end that suits it.

    Dense for up to 40 unknowns; banded LAPACK where the band is narrow (in the given order or
    after reverse Cuthill-McKee, of unknowns and equations together or apart); dense for up to
    200; else PARDISO, or SuperLU where PARDISO is not installed.

    Parameters
    ----------
    pattern : Pattern
        Square.
    threads : int, optional
        Threads for PARDISO. Default: as MKL finds it (``OMP_NUM_THREADS``, or all cores).

    Examples
    --------
    >>> import numpy as np, scipy.sparse as sp
    >>> A = sp.diags_array([np.ones(99), np.full(100, -3.0), np.ones(99)], offsets=[-1, 0, 1])
    >>> A = sp.csr_array(A)
    >>> solver = auto(Pattern.of(A))
    >>> solver.factorize(A)
    >>> x = solver.solve(np.ones(100))
    >>> solver.name, bool(solver.backward_error < 1e-15)
    ('banded', True)
    """

    def choose(grown: Pattern) -> Any:
        return _suited(grown, threads)

    return LinearSolver(pattern, choose(pattern), choose)


def make(backend: Any, pattern: Pattern, *, threads: int | None = None) -> LinearSolver:
    """Return a solver with a named back end, or with one of your own.

    Parameters
    ----------
    backend : str or Backend
        ``"auto"``, ``"pardiso"``, ``"superlu"``, ``"banded"``, ``"dense"``, the extras
        ``"mumps"`` and ``"pyamg"``, or an object with the verbs of `Backend` (or a class or
        function that makes one).
    pattern : Pattern
    threads : int, optional
        For PARDISO only.

    Raises
    ------
    BackendError
        The name is unknown, or that back end is not installed.

    Examples
    --------
    >>> make("cholmod", Pattern([0, 1], [0], (1, 1)))
    Traceback (most recent call last):
        ...
    sgsolve.errors.BackendError: unknown back end 'cholmod'; known are 'auto', 'banded', 'dense', \
'mumps', 'pardiso', 'pyamg', 'superlu', or an object with analyse, factorize and solve
    """
    if isinstance(backend, str):
        if backend == "auto":
            return auto(pattern, threads=threads)
        if backend not in BACKENDS:
            names = ", ".join(repr(name) for name in known())
            raise BackendError(
                f"unknown back end {backend!r}; known are {names}, or an object with analyse, "
                "factorize and solve"
            )
        made = Pardiso(threads) if backend == "pardiso" else BACKENDS[backend]()
        return LinearSolver(pattern, made)
    if isinstance(backend, type) or not isinstance(backend, Backend):
        backend = backend() if callable(backend) else backend
    if not isinstance(backend, Backend):
        raise DataTypeError(
            f"a back end must be a name or have analyse, factorize and solve; "
            f"{type(backend).__name__} has not"
        )
    return LinearSolver(pattern, backend)


def known() -> tuple[str, ...]:
    """Return the names that `make` accepts."""
    return tuple(sorted(["auto", *BACKENDS]))


def _suited(pattern: Pattern, threads: int | None) -> Any:
    n = pattern.shape[0]
    if n <= TINY:
        return Dense()
    # A long row or column rules out a narrow band, so the search for an order is spared.
    order = narrow_order(pattern) if widest(pattern) <= NARROW_WITHOUT_PARDISO + 1 else None
    width = n if order is None else order.width
    # A band as wide as half the matrix is stored more densely by the full matrix.
    if width <= min(NARROW, n // 2):
        return Banded(order)
    if n <= SMALL:
        return Dense()
    if available():
        return Pardiso(threads)
    return Banded(order) if width <= NARROW_WITHOUT_PARDISO else SuperLU()
