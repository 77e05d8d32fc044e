"""Choice of a solver if the factors of a matrix do not fit into the memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import OutOfMemoryError
from ..pattern import Pattern
from ..user_warnings import warn
from .memory import GIB, require_memory
from .methods.backend import NUMERICAL, name_of
from .methods.iterative.elliptic import NO_PYAMG, unsuited
from .methods.iterative.multigrid import Multigrid
from .prepared_matrix import PreparedMatrix
from .structure.foreseen import extrapolated_operations

ADVICE_ITERATIVE = (
    "Use a coarser mesh, or spread the matrix over several computers (backend=petsc.Petsc(...))"
)
# Fewer unknowns than this are not worth a look: their factors take a second at most.
FEW = 20_000
# Multigrid is tried from so many operations of a factorization for each entry of the matrix. The
# factorization then takes as long as 300 cycles, or as 20 solutions by multigrid to 12 digits.
# Measured: 3-D Bratu reaches it at 44^3 nodes, a grid in 2-D at 10^8 nodes.
FAR_ABOVE = 7e4
# So many cycles may take four digits of a right-hand side that excites all equations.
QUICK, QUICK_TOLERANCE = 40, 1e-4
FAILURES: tuple[type[Exception], ...] = (*NUMERICAL, MemoryError)


class LargeFactorsWarning(UserWarning):
    """Factors do not fit into the memory or are expensive; multigrid serves instead, or could."""


@dataclass(frozen=True)
class Prediction:
    """What a factorization would take.

    Attributes
    ----------
    backend : str
        The one that would serve.
    operations, factor_bytes : float
        Of the first choice; NaN where it cannot predict them.
    remark : str
        Why the first choice cannot serve; empty if it can.
    """

    backend: str
    operations: float
    factor_bytes: float
    remark: str


def prediction(
    backend: Any, prepared: PreparedMatrix, automatic: Any, blocks: Sequence[Any]
) -> Prediction:
    """Return what an analyzed back end would take to factorize, and what would serve instead."""
    name, A = name_of(backend), prepared.A
    other, text = None, ""
    try:
        require_memory(backend, name, A.shape[0], A.nnz)
    except OutOfMemoryError as error:
        other, text = substitute(error, backend, A, automatic, blocks)
    else:
        if automatic is not None:
            other, text = Contest(backend, prepared, blocks).after_the_analysis()
    return Prediction(
        name if other is None else other.name,
        float(getattr(backend, "operations", math.nan)),
        float(getattr(backend, "predicted_bytes", math.nan)),
        text,
    )


def substitute(
    error: OutOfMemoryError, backend: Any, A: Any, automatic: Any, blocks: Sequence[Any]
) -> tuple[Multigrid | None, str]:
    """Return the back end that serves where factors do not fit, and what to tell the user.

    Parameters
    ----------
    error : OutOfMemoryError
        It holds the numbers.
    backend : Backend
        The one whose factors do not fit.
    A : csr_array, shape (n, n)
        Equilibrated.
    automatic : object
        None if the user chose the back end: another one then never serves.
    blocks : sequence of integer arrays
    """
    reason = unsuited(A, blocks)
    advice = _remedies(backend, multigrid=reason in ("", NO_PYAMG))
    if automatic is None:
        return None, f"{error}. {advice}"
    if reason:
        return None, f"{error}. Multigrid cannot serve instead: {reason}. {advice}"
    return Multigrid(blocks), (
        f"{error}. Multigrid serves instead (choose it by backend='multigrid'). It does not notice "
        "a singular matrix"
    )


def out_of_memory(phase: str, backend: Any, pattern: Pattern) -> OutOfMemoryError:
    """Return the error that a back end found no memory in the phase "factor" or "solve"."""
    verb = "factorize" if phase == "factor" else "solve with"
    iterative = getattr(backend, "iterative", False)
    advice = ADVICE_ITERATIVE if iterative else _remedies(backend, multigrid=True)
    return OutOfMemoryError(
        f"not enough memory to {verb} a matrix of {pattern.shape[0]} unknowns and {pattern.nnz} "
        f"entries by {name_of(backend)}. {advice}"
    )


def _remedies(backend: Any, multigrid: bool) -> str:
    """Return what else to use in place of a direct back end; multigrid where it may serve."""
    iterative = "backend='multigrid'" if multigrid else "Problem(..., preconditioner=M)"
    advice = f"an iterative solver ({iterative}, or solvers.NewtonKrylov()), or a coarser mesh"
    if getattr(backend, "fewest_entries", False):
        return f"Use {advice}"
    return (
        "Use a back end with fewer entries in its factors ('pardiso'; 'banded' and 'dense' need "
        f"most), {advice}"
    )


def taking_less(
    backend: Any, prepared: PreparedMatrix, analyze: Callable[[], None], blocks: Sequence[Any]
) -> Multigrid | None:
    """Return multigrid, set up, where it takes far less than a factorization, and tell the user.

    Parameters
    ----------
    backend : Backend
        The first choice.
    analyze : callable
        It lets the first choice analyze the matrix. It is not called where a part of the matrix
        shows that a factorization takes far more: the analysis takes as long as multigrid then.
    blocks : sequence of integer arrays
    """
    contest = Contest(backend, prepared, blocks)
    other, text = contest.before_the_analysis()
    if other is None:
        analyze()
        other, text = contest.after_the_analysis()
    if text:
        warn(text, LargeFactorsWarning)
    return other


class Contest:
    """The comparison of a factorization with multigrid, for the values of one matrix.

    Parameters
    ----------
    backend : Backend
        The one that would factorize.
    blocks : sequence of integer arrays
    """

    def __init__(self, backend: Any, prepared: PreparedMatrix, blocks: Sequence[Any]) -> None:
        self._backend, self._prepared, self._blocks = backend, prepared, blocks
        large = prepared.A.shape[0] >= FEW and hasattr(type(backend), "operations")
        self._reason = unsuited(prepared.A, blocks) if large else "small"
        self._tried = False

    def before_the_analysis(self) -> tuple[Multigrid | None, str]:
        """Return multigrid if parts of the matrix foretell enough operations, and what to tell."""
        if self._reason:
            return None, ""
        try:
            foreseen = extrapolated_operations(self._backend, self._prepared.A)
        except FAILURES:  # the analysis says why
            return None, ""
        if not self._far_above(foreseen.operations, foreseen.threads):
            return None, ""
        return self._outcome(f"about {foreseen.operations:.1g} operations")

    def after_the_analysis(self) -> tuple[Multigrid | None, str]:
        """Return multigrid if the analysis counts enough operations, and what to tell the user.

        There is something to tell also where pyamg is missing.
        """
        backend = self._backend
        if self._reason not in ("", NO_PYAMG) or self._tried:
            return None, ""
        if not self._far_above(backend.operations, getattr(backend, "threads_used", 1)):
            return None, ""
        return self._outcome(
            f"{backend.operations:.1g} operations and {backend.predicted_bytes / GIB:.1f} GiB"
        )

    def _far_above(self, operations: float, threads: int) -> bool:
        """Whether a factorization takes far more than an iteration."""
        return operations > FAR_ABOVE * max(threads, 1) * float(self._prepared.A.nnz)

    def _outcome(self, cost: str) -> tuple[Multigrid | None, str]:
        """Try multigrid; say why it serves, or could."""
        takes = (
            f"a factorization of the {self._prepared.A.shape[0]} unknowns by "
            f"{name_of(self._backend)} takes {cost}"
        )
        if self._reason:
            return None, f"{takes}. Multigrid is likely to take less, but {self._reason}"
        self._tried = True
        other = _quickly_converging(self._prepared, self._blocks)
        if other is None:
            return None, ""
        return other, (
            f"{takes}. Multigrid serves instead, because it takes less. It does not notice a "
            "singular matrix. Choose backend='multigrid', or a direct back end, to leave no choice"
        )


def _quickly_converging(prepared: PreparedMatrix, blocks: Sequence[Any]) -> Multigrid | None:
    """Return multigrid, set up, if it solves with these values in few cycles.

    A singular matrix does not pass: the right-hand side excites all equations.
    """
    multigrid = Multigrid(blocks)
    try:
        multigrid.analyze(prepared.A)
        multigrid.take_scaling(prepared.scaling.row, prepared.scaling.column)
        multigrid.factorize(prepared.A)
        quick = multigrid.converges(prepared.signs + 1.0, QUICK_TOLERANCE, QUICK)
    except FAILURES:  # the factorization serves
        return None
    return multigrid if quick else None
