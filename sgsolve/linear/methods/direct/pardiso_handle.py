"""Calls of MKL's PARDISO through ctypes: the library, and the memory it keeps for one pattern.

Reference: Intel oneMKL developer reference, "oneMKL PARDISO parameters".
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
import threading
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .... import private_api
from ....arrays import Vector
from ....errors import BackendError
from ...memory import GIB, address_space_left
from ..backend import is_complex

ANALYZE, FACTORIZE, SOLVE, RELEASE = 11, 22, 33, -1
# The phase without which MKL would end the process.
NEEDED = {FACTORIZE: ANALYZE, SOLVE: FACTORIZE}
REAL, COMPLEX = 11, 13
OUT_OF_MEMORY = (-2, -9)
INSTALL = "install it with `pip install 'sgsolve[pardiso]'`, or use 'superlu'"

# Address space for the libraries that MKL loads at its first call; 0.2 GiB for MKL 2026.2.
LIBRARIES = 0.4 * GIB
# Concurrent calls crash on Windows (pypardiso says so in its source); elsewhere they are safe.
_LOCK: Any = threading.Lock() if sys.platform == "win32" else contextlib.nullcontext()


@cache
def load_mkl() -> tuple[Any, Any]:
    """Load MKL once, from the library that pypardiso found."""
    try:
        import pypardiso
    except (ImportError, OSError) as error:  # OSError: a damaged shared library
        raise BackendError(f"PARDISO cannot be loaded ({error}); {INSTALL}") from error
    library, function = private_api.mkl_pardiso(pypardiso)
    function.argtypes = [ctypes.c_void_p] * 16
    function.restype = None
    return library, function


@cache
def require_room() -> None:
    """Raise before the first call of MKL if its libraries do not fit: MKL would end the process.

    Raises
    ------
    BackendError
    """
    left = address_space_left()
    if left < LIBRARIES:
        raise BackendError(
            f"PARDISO cannot be loaded into the {left / GIB:.2f} GiB that the limit of the address "
            f"space leaves; it takes {LIBRARIES / GIB:.1f} GiB. Raise `ulimit -v`, or use 'superlu'"
        )


class PardisoHandle:
    """The memory of PARDISO for one pattern, apart from `Pardiso` so that it can outlive it."""

    def __init__(self, A: Any, function: Any, order: NDArray[np.int64] | None = None) -> None:
        self._function = function
        self._n = ctypes.c_int32(A.shape[0])
        self._mtype = ctypes.c_int32(COMPLEX if is_complex(A) else REAL)
        self._pt = np.zeros(64, dtype=np.int64)
        self.iparm = np.zeros(64, dtype=np.int32)
        self._ia: NDArray[np.int32] = A.indptr.astype(np.int32) + 1
        self._ja: NDArray[np.int32] = A.indices.astype(np.int32) + 1
        self._one, self._zero = ctypes.c_int32(1), ctypes.c_int32(0)
        self._order = None if order is None else (order + 1).astype(np.int32)
        self._perm = None if self._order is None else self._order.ctypes.data
        self._addresses = [array.ctypes.data for array in (self._ia, self._ja, self.iparm)]
        self._used = False
        self._reached = 0  # the last phase whose results are there

    def call(
        self, phase: int, values: Vector, b: Vector | None = None, x: Vector | None = None
    ) -> None:
        """Call PARDISO; raise its error code as `MemoryError` or `BackendError`."""
        if phase in NEEDED and self._reached < NEEDED[phase]:
            raise BackendError(f"PARDISO has no phase {NEEDED[phase]} for its phase {phase}")
        if not self._used:
            require_room()
        ia, ja, iparm = self._addresses
        by, one, zero = ctypes.byref, self._one, self._zero
        error = ctypes.c_int32(0)
        count = ctypes.c_int32(1 if b is None or b.ndim == 1 else b.shape[1])
        self._used, self._reached = True, min(self._reached, phase - 1)
        with _LOCK:
            self._function(
                self._pt.ctypes.data, by(one), by(one), by(self._mtype),
                by(ctypes.c_int32(phase)), by(self._n), values.ctypes.data, ia, ja, self._perm,
                by(count), iparm, by(zero),
                None if b is None else b.ctypes.data, None if x is None else x.ctypes.data,
                by(error),
            )  # fmt: skip
        if error.value in OUT_OF_MEMORY:
            raise MemoryError(_meaning(phase, error.value))
        if error.value:
            raise BackendError(_meaning(phase, error.value))
        self._reached = max(self._reached, phase)

    def release(self) -> None:
        """Phase -1."""
        if self._used:
            with contextlib.suppress(BackendError, MemoryError):  # nothing can be done about it
                self.call(RELEASE, np.zeros(1))
            self._used = False


def _meaning(phase: int, code: int) -> str:
    reasons = {
        -1: "inconsistent input",
        -2: "not enough memory",
        -3: "the reordering failed, often for lack of memory",
        -4: "zero pivot",
        -7: "diagonal matrix problem",
        -8: "the factors have too many entries for 32-bit integers; use an iterative solver",
        -9: "not enough memory for out-of-core factors",
        -15: "two-level factorization refused",
    }
    return f"PARDISO failed in phase {phase}: {reasons.get(code, 'unexplained')} (code {code})"
