"""MUMPS through python-mumps, an opt-in extra: multifrontal LU with numerical pivoting.

Like PARDISO it keeps an analysis for many values. It pivots numerically within its fronts and
reports singular matrices. It is useful where MKL is not available.

Reference: P. Amestoy et al., SIAM J. Matrix Anal. Appl. 23 (2001) 15; MUMPS users' guide, ICNTL.
"""

from __future__ import annotations

import ctypes
import importlib
import re
from pathlib import Path
from typing import Any

import numpy as np

from .... import private_api
from ....arrays import Vector
from ....errors import BackendError, SingularMatrixError

# INFOG(1) where memory does not suffice: work space, an allocation, the limit that was set.
OUT_OF_MEMORY = (-8, -9, -11, -13, -19)
# INFOG(1) of a structurally and of a numerically singular matrix.
SINGULAR = (-6, -10)


class Mumps:
    """LU of MUMPS, analyzed once per pattern.

    Attributes
    ----------
    predicted_bytes : float
        What a factorization will need, by the analysis.
    operations : float
        Of a factorization, by the analysis.

    Raises
    ------
    BackendError
        python-mumps is not installed, or is linked with a parallel MUMPS and mpi4py is missing.

    See Also
    --------
    Banded, Dense, Pardiso, Multigrid, SuperLU

    Examples
    --------
    A program that runs with and without MUMPS:

    >>> from importlib.util import find_spec
    >>> from sgsolve import Problem
    >>> backend = "mumps" if find_spec("mumps") else "auto"
    >>> Problem(lambda x: x**2 - 4.0, backend=backend).solve([1.0, 3.0]).x
    array([2., 2.])
    """

    name = "mumps"
    dense_borders = True
    # Its ordering may use a matching that reads the values, as PARDISO's does.
    reads_values = True
    # Pivots are not handed out; the solver finds out with one extra solve.
    doubtful = None

    def __init__(self) -> None:
        try:
            import mumps
        except ImportError as error:
            raise BackendError(
                f"python-mumps cannot be loaded ({error}); install the MUMPS library, then "
                "`pip install 'sgsolve[mumps]'`, or use 'superlu'"
            ) from error
        require_mpi()
        self._module: Any = mumps
        self._context: Any = None
        self.predicted_bytes = self.operations = 0.0
        self._coo: Any = None

    def fresh(self) -> Mumps:
        """Return another back end of this kind."""
        return type(self)()

    def analyze(self, A: Any) -> None:
        """Order the matrix, in a context of its own."""
        self._context = self._module.Context()
        self._coo = A.tocoo()
        self._call(self._context.analyze, self._coo)
        self.predicted_bytes, self.operations = private_api.mumps_prediction(self._context)

    def factorize(self, A: Any) -> None:
        """Factorize by the kept analysis."""
        self._coo.data = A.data.copy()
        self._call(self._context.factor, self._coo, reuse_analysis=True)

    def solve(self, b: Vector, transpose: bool) -> Vector:
        """Solve with the kept factors."""
        private_api.set_mumps_transpose(self._context, transpose)
        x: Vector = np.asarray(self._call(self._context.solve, b))
        return x

    def _call(self, function: Any, *arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except self._module.MUMPSError as error:
            if error.error in SINGULAR:
                raise SingularMatrixError(str(error)) from error
            if error.error in OUT_OF_MEMORY:
                raise MemoryError(str(error)) from error
            raise BackendError(str(error)) from error


def require_mpi(maps: str = "/proc/self/maps") -> None:
    """Initialize MPI where its library is loaded: a parallel MUMPS ends the process without.

    Parameters
    ----------
    maps : str
        The list of the libraries of this process, as Linux gives it.

    Raises
    ------
    BackendError
        MPI is not initialized, and mpi4py is missing.
    """
    try:
        found = re.search(r"/\S*/libmpi(ch)?\.so\S*", Path(maps).read_text())
    except OSError:  # not Linux
        return
    if found is None:
        return
    initialized = ctypes.c_int(0)
    ctypes.CDLL(found[0]).MPI_Initialized(ctypes.byref(initialized))
    if initialized.value:
        return
    try:
        importlib.import_module("mpi4py.MPI")
    except ImportError as error:
        raise BackendError(
            f"python-mumps is linked with a parallel MUMPS ({found[0]}), which ends the process "
            "where MPI is not initialized. `pip install mpi4py`, or link python-mumps with the "
            "sequential library (libmumps-seq-dev of Debian), or use 'superlu'"
        ) from error
