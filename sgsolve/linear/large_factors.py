"""Choice of a solver if the factors of a matrix do not fit into the memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import OutOfMemoryError
from ..pattern import Pattern
from ..user_warnings import warn
from .backend import NUMERICAL, name_of
from .elliptic import NO_PYAMG, unsuited
from .memory import GIB, require_memory
from .multigrid import Multigrid
from .prepared_matrix import PreparedMatrix

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
        other, text = substitute(error, name, A, automatic, blocks)
    else:
        if automatic is not None:
            other, text = cheaper(backend, prepared, blocks)
    return Prediction(
        name if other is None else other.name,
        float(getattr(backend, "operations", math.nan)),
        float(getattr(backend, "predicted_bytes", math.nan)),
        text,
    )


def substitute(
    error: OutOfMemoryError, name: str, A: Any, automatic: Any, blocks: Sequence[Any]
) -> tuple[Multigrid | None, str]:
    """Return the back end that serves where factors do not fit, and what to tell the user.

    Parameters
    ----------
    error : OutOfMemoryError
        It holds the numbers.
    name : str
        Of the back end whose factors do not fit.
    A : csr_array, shape (n, n)
        Equilibrated.
    automatic : object
        None if the user chose the back end: another one then never serves.
    blocks : sequence of integer arrays
    """
    reason = unsuited(A, blocks)
    advice = _remedies(name, multigrid=reason in ("", NO_PYAMG))
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
    advice = ADVICE_ITERATIVE if iterative else _remedies(name_of(backend), multigrid=True)
    return OutOfMemoryError(
        f"not enough memory to {verb} a matrix of {pattern.shape[0]} unknowns and {pattern.nnz} "
        f"entries by {name_of(backend)}. {advice}"
    )


def _remedies(name: str, multigrid: bool) -> str:
    """Return what else to use in place of a direct back end; multigrid where it may serve."""
    iterative = "backend='multigrid'" if multigrid else "Problem(..., preconditioner=M)"
    advice = f"an iterative solver ({iterative}, or solvers.NewtonKrylov()), or a coarser mesh"
    if name.startswith("pardiso"):
        return f"Use {advice}"
    return (
        "Use a back end with fewer entries in its factors ('pardiso'; 'banded' and 'dense' need "
        f"most), {advice}"
    )


def taking_less(backend: Any, prepared: PreparedMatrix, blocks: Sequence[Any]) -> Multigrid | None:
    """Return what `cheaper` finds, and tell the user."""
    other, text = cheaper(backend, prepared, blocks)
    if text:
        warn(text, LargeFactorsWarning)
    return other


def cheaper(
    backend: Any, prepared: PreparedMatrix, blocks: Sequence[Any]
) -> tuple[Multigrid | None, str]:
    """Return multigrid, set up for a matrix, where it takes far less than a factorization.

    Parameters
    ----------
    backend : Backend
        Analyzed, so that it predicts the operations.
    prepared : PreparedMatrix
    blocks : sequence of integer arrays

    Returns
    -------
    Multigrid or None
    str
        What to tell the user; also where pyamg is missing.
    """
    A = prepared.A
    reason = unsuited(A, blocks) if A.shape[0] >= FEW else "small"
    if reason not in ("", NO_PYAMG) or not _far_above(backend, A):
        return None, ""
    takes = (
        f"a factorization of the {A.shape[0]} unknowns by {name_of(backend)} takes "
        f"{backend.operations:.1g} operations and {backend.predicted_bytes / GIB:.1f} GiB"
    )
    if reason:
        return None, f"{takes}. Multigrid is likely to take less, but {reason}"
    other = _quickly_converging(prepared, blocks)
    if other is None:
        return None, ""
    return other, (
        f"{takes}. Multigrid serves instead, because it takes less. It does not notice a singular "
        "matrix. Choose backend='multigrid', or a direct back end, to leave no choice"
    )


def _quickly_converging(prepared: PreparedMatrix, blocks: Sequence[Any]) -> Multigrid | None:
    """Return multigrid, set up, if it solves with these values in few cycles.

    A singular matrix does not pass: the right-hand side excites all equations.
    """
    multigrid = Multigrid(blocks)
    try:
        multigrid.analyze(prepared.A)
        multigrid.factorize(prepared.A)
        quick = multigrid.converges(prepared.signs + 1.0, QUICK_TOLERANCE, QUICK)
    except FAILURES:  # the factorization serves
        return None
    return multigrid if quick else None


def _far_above(backend: Any, A: Any) -> bool:
    """Whether a factorization takes far more than an iteration."""
    threads = max(int(getattr(backend, "threads_used", 1)), 1)
    operations = float(getattr(backend, "operations", 0.0))
    return operations > FAR_ABOVE * threads * float(A.nnz)
