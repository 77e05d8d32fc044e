"""PARDISO of Intel MKL, driven through its handle.

There is one handle per pattern: phase 11 (analysis) once, on the first real values, then phases 22
(factorize) and 33 (solve). pypardiso supplies the library; its own `solve` would analyze again for
every matrix. PARDISO reports no numerical failure, so its results need the checks of
`LinearSolver`.

Reference: Intel oneMKL developer reference, "oneMKL PARDISO parameters" (iparm numbers 1-based).
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....arrays import Vector
from ....errors import BackendError
from ...structure.node_order import node_orders, nodes_of_unknowns
from .pardiso_handle import ANALYZE, FACTORIZE, SOLVE, PardisoHandle, load_mkl

# What every analysis starts from, stated in full because defaults differ between MKL versions.
# 1: own values; 2: nested dissection; 8: no refinement unless pivots were replaced (the solver's
# own check decides whether it is needed: half the time of a solve); 10: perturb pivots below 1e-13;
# 11 and 13: scaling and matching; 18 and 19: report the fill and the operations.
IPARM = {1: 1, 2: 2, 8: 0, 10: 13, 11: 1, 13: 1, 18: -1, 19: -1}
# More fill than this, compared with the matched factorization, and diagonal pivoting is no help.
FILL_RATIO = 10.0
# From so many unknowns on, an order of the nodes is compared with that of PARDISO. A comparison
# takes the time of about COMPARISON entries of the factors for each unknown (measured: 40 to 150).
# It saves the share SAVING of every later factorization: the mean of what `python
# benchmarks/linear_backends.py nodes` measures, 0.04 to 0.26. It is made once so many
# factorizations have been asked for that it would have paid by now.
ORDERED_FROM, COMPARISON, SAVING = 5000, 100.0, 0.2
# Where an order of the nodes takes less than this share of the operations, no other one is tried.
SATISFYING = 0.8
# PARDISO takes as long for two right-hand sides together as for 2 to 15 single ones, and for ten as
# long as for 8 to 50 (1000 to 33 000 unknowns, one thread): so few are solved for one by one. Where
# threads share the work they would wait for each other at each one; factors of at most so many
# entries are left to one thread.
FEW_COLUMNS, SMALL_FACTORS = 10, 100_000


def available() -> bool:
    """Whether PARDISO can serve: pypardiso is there and SGSOLVE_NO_PARDISO is not set."""
    if switched_off():
        return False
    try:
        load_mkl()
    except BackendError:
        return False
    return True


def switched_off() -> bool:
    """Whether the environment variable SGSOLVE_NO_PARDISO asks to do without."""
    return os.environ.get("SGSOLVE_NO_PARDISO", "0") not in {"", "0"}


class Pardiso:
    """Sparse LU with nested dissection, matching and static pivoting.

    Parameters
    ----------
    threads : int, optional
        Threads of PARDISO. MKL has one number per process, not per handle: it is set before
        each factorization and solve of this object. Default: as MKL finds it.
    pivoting : {"matching", "diagonal"}
        ``"diagonal"`` switches to the two-level factorization without matching (iparm 24 = 10),
        which serves a weak diagonal on which matching fails; it needs every diagonal entry.
    fill_limit : float, optional
        Raise after the analysis if the factors would hold more entries than this.

    Attributes
    ----------
    doubtful : bool
        Some pivot was replaced: the matrix may be singular, or the analysis stale.
    fill : int
        Entries of the factors, from the analysis.
    blocks : tuple of ndarray of int
        Blocks of unknowns; those of equal length may have one unknown at each node. Where they
        have, an order of the nodes is analyzed too, and the one with fewer operations is kept. That
        happens before the first factorization of large factors, later with small ones.
    predicted_bytes : float
        Memory that a factorization will need, from the analysis.
    operations : float
        Additions and multiplications of a factorization, from the analysis.

    Raises
    ------
    BackendError
        If pypardiso is not installed, or PARDISO is switched off by SGSOLVE_NO_PARDISO.

    See Also
    --------
    Banded, Dense, Mumps, Multigrid, SuperLU

    Examples
    --------
    A program that runs with and without PARDISO:

    >>> from importlib.util import find_spec
    >>> from sgsolve import Problem, linear
    >>> backend = linear.Pardiso(threads=1) if find_spec("pypardiso") else "auto"
    >>> Problem(lambda x: x**2 - 4.0, backend=backend).solve([1.0, 3.0]).x
    array([2., 2.])
    """

    predicted_bytes = operations = 0.0  # until the analysis
    fewest_entries = True

    def __init__(
        self,
        threads: int | None = None,
        pivoting: str = "matching",
        fill_limit: float | None = None,
    ) -> None:
        if switched_off():
            raise BackendError("PARDISO is switched off by SGSOLVE_NO_PARDISO; use 'superlu'")
        self._library, self._function = load_mkl()
        self._threads = threads
        self._matching = pivoting == "matching"
        self._fill_limit = fill_limit
        self.name = "pardiso" if self._matching else "pardiso (diagonal pivoting)"
        # Diagonal pivoting cannot eliminate the last block of a bordered matrix, which may be zero.
        self.dense_borders = self._matching
        self.doubtful = False
        self.blocks: tuple[Any, ...] = ()
        self.fill = 0
        self._handle: PardisoHandle
        self._finalizer: Any = None
        self._factorized, self._compared = 0, False

    def fresh(self) -> Pardiso:
        """Return another one with the same settings, for another pattern."""
        other = Pardiso(self._threads, "matching" if self._matching else "diagonal")
        other.blocks = self.blocks
        return other

    def analyze(self, A: Any) -> None:
        """Phase 11, in a handle of its own."""
        if not self._matching and not np.all(A.diagonal()):
            raise BackendError("diagonal pivoting of PARDISO needs every diagonal entry")
        self.release()
        self._set_threads()
        self._take(self._analyzed(A, None), "pardiso" if self._matching else self.name)
        self._factorized, self._compared = 0, not self._matching or A.shape[0] < ORDERED_FROM
        self._compare_orders(A)
        if self._fill_limit is not None and self.fill > self._fill_limit:
            raise BackendError(f"PARDISO would fill {self.fill} entries, too many")

    def _take(self, handle: PardisoHandle, name: str) -> None:
        """Let an analyzed handle serve in place of the present one."""
        self.release()
        self._handle, self.name = handle, name
        self._finalizer = weakref.finalize(self, handle.release)
        self.fill = int(handle.iparm[17]) % 2**32  # MKL counts in 32 bits
        # In kB: peak of the analysis; what is kept of it, and factors with their work arrays.
        peak, kept, factors = (float(handle.iparm[i]) for i in (14, 15, 16))
        self.predicted_bytes = 1024.0 * max(peak, kept + factors)
        self.operations = 1e6 * float(handle.iparm[18])

    def _analyzed(self, A: Any, order: NDArray[np.int64] | None) -> PardisoHandle:
        """Return a handle after phase 11, with an order of elimination of ours or of PARDISO."""
        handle = PardisoHandle(A, self._function, order)
        for number, value in IPARM.items():
            handle.iparm[number - 1] = value
        if order is not None:
            handle.iparm[4] = 1
        if not self._matching:
            handle.iparm[[10, 12, 23]] = 0, 0, 10
        handle.iparm[26] = 1  # MKL checks the indices itself, during the analysis only
        handle.call(ANALYZE, A.data)
        handle.iparm[26] = 0
        return handle

    def _compare_orders(self, A: Any) -> None:
        """Take the order of nodes if it needs fewer operations, once the comparison pays."""
        asked = self._factorized + 1
        if self._compared or SAVING * asked * self.fill < COMPARISON * A.shape[0]:
            return
        self._compared = True
        node = nodes_of_unknowns(A, self.blocks)
        if int(node.max()) + 1 == A.shape[0]:
            return
        own = int(self._handle.iparm[18])
        for order in node_orders(A, node):
            try:
                other = self._analyzed(A, order)
            except (BackendError, MemoryError):
                return  # the present order serves
            if 0 < other.iparm[18] < self._handle.iparm[18]:
                self._take(other, "pardiso (order by nodes)")
            else:
                other.release()
            if self._handle.iparm[18] < SATISFYING * own:
                return

    def factorize(self, A: Any) -> None:
        """Phase 22."""
        self._set_threads()
        self._compare_orders(A)
        self._factorized += 1
        self._values = A.data
        self._handle.call(FACTORIZE, A.data)
        # Meaningless with two-level factorization, where the accuracy check alone decides.
        self.doubtful = self._matching and self.perturbed > 0

    @property
    def perturbed(self) -> int:
        """Number of pivots that PARDISO replaced in the last factorization."""
        return int(self._handle.iparm[13])

    @property
    def threads_used(self) -> int:
        """Number of threads of the last call, as MKL reports it."""
        return int(self._handle.iparm[2])

    def solve(self, b: Vector, transpose: bool) -> Vector:
        """Phase 33."""
        self._set_threads()
        b = np.asarray(b, dtype=self._values.dtype, order="F")
        self._handle.iparm[11] = 2 if transpose else 0
        x = np.zeros_like(b, order="F")
        if b.ndim == 2 and 1 < b.shape[1] <= FEW_COLUMNS and self._solves_on_one_thread():
            for own, answer in zip(b.T, x.T, strict=True):
                self._handle.call(SOLVE, self._values, own, answer)
        else:
            self._handle.call(SOLVE, self._values, b, x)
        return x

    def _solves_on_one_thread(self) -> bool:
        """Whether a single right-hand side is solved for without waiting for other threads."""
        return self.threads_used == 1 or self.fill <= SMALL_FACTORS

    def alternatives(self, inaccurate: bool) -> Iterator[Callable[[], Any]]:
        """Yield a maker of a solver with diagonal pivoting, unless this one has it already."""
        if inaccurate and self._matching:
            limit = FILL_RATIO * max(self.fill, 1)
            yield lambda: Pardiso(self._threads, pivoting="diagonal", fill_limit=limit)

    def release(self) -> None:
        """Give the memory of the factors back to MKL; also happens when the object is dropped."""
        if self._finalizer is not None:
            self._finalizer()
            self._finalizer = None

    def _set_threads(self) -> None:
        if self._threads is not None:
            domain_pardiso = 4
            self._library.MKL_Domain_Set_Num_Threads(int(self._threads), domain_pardiso)
