"""Choice of a solver if the factors of a matrix do not fit into the memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from ..errors import OutOfMemoryError
from .memory import GIB, require_memory
from .multigrid import Multigrid

ADVICE = (
    "Use a back end with fewer entries in its factors ('pardiso'; 'banded' and 'dense' need most), "
    "an iterative solver (backend='multigrid', or solvers.NewtonKrylov()), or a coarser mesh"
)
# A row is of elliptic kind if its off-diagonal entries of the wrong sign are this small beside the
# others, and its sum exceeds zero to this part of the diagonal entry; and most rows have to be.
WRONG_SIGN, DOMINANCE, ELLIPTIC = 0.25, 0.05, 0.7


# From so many operations on, multigrid is the better choice for a matrix of elliptic kind in 3-D.
EXPENSIVE = 3e11
# Below this number of unknowns no grid takes so many operations, with eight unknowns a node too.
FEW = 50_000


class LargeFactorsWarning(UserWarning):
    """The factors do not fit into the memory, and multigrid serves instead, or would be cheaper."""


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
    backend: Any, name: str, A: Any, automatic: Any, blocks: Sequence[Any]
) -> Prediction:
    """Return what an analyzed back end would take to factorize A, and what would serve instead."""
    remark = ""
    try:
        require_memory(backend, name, A.shape[0], A.nnz)
    except OutOfMemoryError as error:
        other, remark = substitute(error, A, automatic, blocks)
        name = name if other is None else other.name
    return Prediction(
        name,
        float(getattr(backend, "operations", math.nan)),
        float(getattr(backend, "predicted_bytes", math.nan)),
        remark,
    )


def substitute(
    error: OutOfMemoryError, A: Any, automatic: Any, blocks: Sequence[Any]
) -> tuple[Multigrid | None, str]:
    """Return the back end that serves where factors do not fit, and what to tell the user.

    Parameters
    ----------
    error : OutOfMemoryError
        It holds the numbers.
    A : csr_array, shape (n, n)
        Equilibrated.
    automatic : object
        None if the user chose the back end: another one then never serves.
    blocks : sequence of integer arrays
    """
    if automatic is None:
        return None, f"{error}. {ADVICE}"
    reason = unsuited(A, blocks)
    if reason:
        return None, f"{error}. Multigrid cannot serve instead: {reason}. {ADVICE}"
    return Multigrid(blocks), (
        f"{error}. Multigrid serves instead (choose it by backend='multigrid'). It does not notice "
        "a singular matrix"
    )


def advice(backend: Any, A: Any, blocks: Sequence[Any]) -> str:
    """Return what to tell the user about an expensive factorization, or an empty string."""
    if A.shape[0] < FEW:
        return ""
    operations = float(getattr(backend, "operations", 0.0))
    if operations < EXPENSIVE or unsuited(A, blocks):
        return ""
    return (
        f"a factorization of the {A.shape[0]} unknowns takes {operations:.1g} operations and "
        f"{backend.predicted_bytes / GIB:.1f} GiB; backend='multigrid' is likely to take less"
    )


def unsuited(A: Any, blocks: Sequence[Any]) -> str:
    """Return why multigrid cannot serve in place of factors, or an empty string.

    It serves matrices of elliptic kind: on each block of unknowns, the off-diagonal entries of
    nearly all rows have the sign opposite to the diagonal entry and do not outweigh it.

    Parameters
    ----------
    A : csr_array, shape (n, n)
        Equilibrated.
    blocks : sequence of integer arrays
    """
    if find_spec("pyamg") is None:
        return "pyamg is not installed (`pip install 'sgsolve[pyamg]'`)"
    if np.iscomplexobj(A.data):
        return "the matrix is complex"
    n = A.shape[0]
    owner = np.zeros(n, dtype=np.int64)
    for k, index in enumerate(blocks, 1):
        owner[index[index < n]] = k
    rows = np.repeat(np.arange(n), np.diff(A.indptr))
    within = owner[rows] == owner[A.indices]
    diagonal = A.diagonal()
    entries = A.data * np.where(diagonal < 0.0, -1.0, 1.0)[rows]
    off = np.where(within & (rows != A.indices), entries, 0.0)
    wrong = np.bincount(rows, np.maximum(off, 0.0), n)
    right = np.bincount(rows, np.maximum(-off, 0.0), n)
    elliptic = wrong <= WRONG_SIGN * right
    elliptic &= right - wrong <= (1.0 + DOMINANCE) * np.abs(diagonal)
    elliptic &= diagonal != 0.0
    share = np.count_nonzero(elliptic) / n
    if share < ELLIPTIC:
        return f"{100.0 * (1.0 - share):.0f} % of the equations are not of elliptic kind"
    return ""
