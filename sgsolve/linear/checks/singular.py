"""Diagnosis of a singular matrix: its equations and unknowns, in the user's numbering.

A *structurally* singular matrix has a set of equations with fewer unknowns, whatever the values; a
maximum matching finds them. A *numerically* singular matrix has a vector v with A v = 0 and a
vector u with u A = 0. The largest entries of v are the unknowns that are not determined, those of u
the equations that depend on each other.

Reference: A. Pothen, C.-J. Fan, ACM Trans. Math. Software 16 (1990) 303 (Dulmage-Mendelsohn).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import breadth_first_order
from scipy.sparse.linalg import splu

from ...errors import BackendError, SingularMatrixError
from ..methods.backend import NUMERICAL
from ..structure.matching import maximum_matching

# How many equations and unknowns are named.
NAMED = 8
# A null vector with more significant entries is a level that is open, not a wrong equation.
SPREAD = 20
# Entries below this part of the largest do not belong to the null vector.
SIGNIFICANT = 0.1
# Relative size of the change that makes the matrix regular enough to look for its null vectors.
CHANGE = 1e-10
# Larger systems are not factorized once more only to name unknowns.
SEARCHED_UP_TO = 50_000

Solve = Callable[[NDArray[Any], bool], NDArray[Any]]


def diagnose(
    A: Any, reason: str = "by its pattern", solve: Solve | None = None
) -> SingularMatrixError:
    """Return the error that describes why A cannot be solved with.

    Parameters
    ----------
    A : csr_array, shape (n, n)
        Equilibrated, finite.
    reason : str
        How it was noticed; part of the message.
    solve : callable, optional
        ``solve(b, transpose)`` by nearly singular factors, if there are any.
    """
    entries = sp.csr_array(A, copy=True)
    entries.eliminate_zeros()
    message, rows, columns = _structural(entries)
    if not message:
        message, rows, columns = _numerical(A, solve)
    return SingularMatrixError(
        f"the matrix is singular to working precision ({reason}): {message}", rows, columns
    )


def _structural(A: Any) -> tuple[str, list[int], list[int]]:
    """Match equations with unknowns; what stays unmatched cannot be solved."""
    partner_of_row, partner_of_column = maximum_matching(A)
    free_rows, free_columns = (
        np.flatnonzero(partner < 0) for partner in (partner_of_row, partner_of_column)
    )
    if free_rows.size == 0:
        return "", [], []
    dependent = _alternating(A, partner_of_column, int(free_rows[0]))
    transposed = sp.csr_array(A.T)
    scarce = _alternating(transposed, partner_of_row, int(free_columns[0]))
    found = [_dependent_set(A, dependent, "equations", "contain only unknowns")]
    found += [_dependent_set(transposed, scarce, "unknowns", "enter only equations")]
    message = (
        f"structurally, whatever the values, {free_rows.size} of its equations cannot be matched "
        f"with an unknown of their own. {'; '.join(filter(None, found))}"
    )
    rows = free_rows if _is_all(dependent, A) else np.union1d(dependent, free_rows)
    columns = free_columns if _is_all(scarce, A) else np.union1d(scarce, free_columns)
    return message, _first_shown(free_rows, rows), _first_shown(free_columns, columns)


def _dependent_set(A: Any, members: NDArray[Any], who: str, share: str) -> str:
    """Describe rows that have too few columns between them; nothing if it is nearly all rows."""
    if _is_all(members, A):
        return ""
    shared = np.unique(A[members].indices)
    return f"{who} {listed(members)} {share} {listed(shared) if shared.size else 'none'}"


def _is_all(members: NDArray[Any], A: Any) -> bool:
    """Whether a set of rows is too large a part of the system to be worth naming."""
    return bool(len(members) > max(NAMED, A.shape[0] // 2))


def _alternating(A: Any, owner: NDArray[Any], start: int) -> NDArray[Any]:
    """Rows reached from an unmatched one by alternating paths: too many for their columns.

    `owner` is the row that each column is matched with, -1 for none.
    """
    n = A.shape[0]
    rows = np.repeat(np.arange(n), np.diff(A.indptr))
    to = owner[A.indices]
    kept = to >= 0
    graph = sp.csr_array((np.ones(kept.sum()), (rows[kept], to[kept])), shape=(n, n))
    reached = breadth_first_order(graph, start, return_predecessors=False)
    return np.sort(reached)


def _numerical(A: Any, solve: Solve | None) -> tuple[str, list[int], list[int]]:
    """Find the null vectors of A and of its transpose by inverse iteration."""
    n = A.shape[0]
    try:
        solve = solve or _nearly(A)
        unknowns, equations = _null(solve, A, False), _null(solve, A, True)
    except NUMERICAL:
        return "no equation can be singled out", [], []
    message = (
        f"numerically, equations {listed(equations)} depend on each other, and unknowns "
        f"{listed(unknowns)} are not determined (most suspicious first)"
    )
    if min(len(unknowns), len(equations)) > min(n // 2, SPREAD):
        message += (
            ". Is something determined up to a constant only? Then prescribe one value of it, or "
            "declare Problem(null_space=...)"
        )
    return message, equations.tolist()[:NAMED], unknowns.tolist()[:NAMED]


def _nearly(A: Any) -> Solve:
    """Factorize a matrix close to A, each entry changed relative to itself to keep the scales."""
    if A.shape[0] > SEARCHED_UP_TO:
        raise BackendError("too many unknowns to factorize once more")
    changed = sp.csc_array(A)
    random = np.random.default_rng(0)
    changed.data = changed.data * (1.0 + CHANGE * random.uniform(-1.0, 1.0, changed.nnz))
    lu: Any = splu(changed)  # RuntimeError: still exactly singular

    def solve(b: NDArray[Any], transpose: bool) -> NDArray[Any]:
        return np.asarray(lu.solve(b, "T" if transpose else "N"))

    return solve


def _null(solve: Solve, A: Any, transpose: bool) -> NDArray[np.int64]:
    """Significant entries of the null vector, largest first."""
    v = np.random.default_rng(1).uniform(0.5, 1.0, A.shape[0]).astype(A.dtype)
    with np.errstate(all="ignore"):
        for _ in range(3):
            v = solve(v, transpose)
            v = v / np.max(np.abs(v))
    size = np.abs(v)
    size[~np.isfinite(size)] = 0.0
    order = np.argsort(-size, kind="stable")
    significant: NDArray[np.int64] = order[size[order] >= SIGNIFICANT]
    return significant


def _first_shown(chosen: NDArray[Any], others: NDArray[Any]) -> list[int]:
    """Return the chosen numbers, then the others, no more than can be read."""
    rest = np.setdiff1d(others, chosen)
    return [int(k) for k in np.concatenate([chosen, rest])[:NAMED]]


def listed(numbers: NDArray[Any]) -> str:
    """Return the first few numbers as text.

    >>> listed(np.arange(11))
    '0, 1, 2, 3, 4, 5, 6, 7 and 3 more'
    """
    text = ", ".join(str(int(k)) for k in numbers[:NAMED])
    return text + (f" and {len(numbers) - NAMED} more" if len(numbers) > NAMED else "")
