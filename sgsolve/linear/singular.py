"""Why a matrix is singular: equations and unknowns to look at, in numbers the user knows.

One idea: two different diseases. A *structurally* singular matrix has more equations than the
unknowns they contain can satisfy, whatever the values; a maximum matching finds them. A
*numerically* singular one has a vector v with A v = 0 and one u with u A = 0; the largest entries
of v are the unknowns that are not determined, those of u the equations that depend on each other.

Reference: A. Pothen, C.-J. Fan, ACM Trans. Math. Software 16 (1990) 303 (Dulmage-Mendelsohn).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import breadth_first_order, maximum_bipartite_matching
from scipy.sparse.linalg import splu

from ..errors import SingularMatrixError

# How many equations and unknowns are named.
NAMED = 8
# Entries below this part of the largest do not belong to the null vector.
SIGNIFICANT = 0.1
# Relative size of the change that makes the matrix regular enough to look for its null vectors.
CHANGE = 1e-10


def diagnose(A: Any, reason: str = "by its pattern") -> SingularMatrixError:
    """Return the error that describes why A cannot be solved with.

    Parameters
    ----------
    A : csr_array, shape (n, n)
        Equilibrated, finite.
    reason : str
        How it was noticed; part of the message.
    """
    entries = sp.csr_array(A, copy=True)
    entries.eliminate_zeros()
    message, rows, columns = _structural(entries)
    if not message:
        message, rows, columns = _numerical(A)
    return SingularMatrixError(
        f"the matrix is singular to working precision ({reason}): {message}", rows, columns
    )


def _structural(A: Any) -> tuple[str, list[int], list[int]]:
    """Match equations with unknowns; what stays unmatched cannot be solved."""
    partner_of_row = maximum_bipartite_matching(A, perm_type="column")
    free_rows = np.flatnonzero(partner_of_row < 0)
    if free_rows.size == 0:
        return "", [], []
    taken = np.zeros(A.shape[1], dtype=bool)
    taken[partner_of_row[partner_of_row >= 0]] = True
    free_columns = np.flatnonzero(~taken)
    row, column = int(free_rows[0]), int(free_columns[0])
    crowd = _alternating(A, partner_of_row, row)
    partner_of_column = np.full(A.shape[1], -1)
    partner_of_column[partner_of_row[partner_of_row >= 0]] = np.flatnonzero(partner_of_row >= 0)
    scarce = _alternating(sp.csr_array(A.T), partner_of_column, column)
    among = np.unique(A[crowd].indices)
    rows = np.unique(np.concatenate([crowd, free_rows]))
    columns = np.unique(np.concatenate([scarce, free_columns]))
    message = (
        f"structurally, {free_rows.size} equation(s) too many for the unknowns they contain. "
        f"Equations {listed(crowd)} contain only unknowns {listed(among) or 'none'}; "
        f"unknowns {listed(scarce)} are in too few equations"
    )
    return message, _first(row, rows), _first(column, columns)


def _alternating(A: Any, partner: NDArray[Any], start: int) -> NDArray[Any]:
    """Rows reached from an unmatched one by alternating paths: too many for their columns."""
    n = A.shape[0]
    owner = np.full(A.shape[1], -1)
    owner[partner[partner >= 0]] = np.flatnonzero(partner >= 0)
    rows = np.repeat(np.arange(n), np.diff(A.indptr))
    to = owner[A.indices]
    kept = to >= 0
    graph = sp.csr_array((np.ones(kept.sum()), (rows[kept], to[kept])), shape=(n, n))
    reached = breadth_first_order(graph, start, return_predecessors=False)
    return np.sort(reached)


def _numerical(A: Any) -> tuple[str, list[int], list[int]]:
    """Find null vectors by inverse iteration with a slightly changed matrix."""
    # Every entry is changed relative to itself, so that the structure and the scales stay.
    random = np.random.default_rng(0)
    changed = sp.csc_array(A)
    changed.data = changed.data * (1.0 + CHANGE * random.uniform(-1.0, 1.0, changed.nnz))
    try:
        lu = splu(changed)
    except RuntimeError:  # SuperLU: still exactly singular
        return "no equation can be singled out", [], []
    unknowns, equations = _null(lu, A.shape[0], "N"), _null(lu, A.shape[0], "T")
    message = (
        f"numerically, equations {listed(equations)} depend on each other, and unknowns "
        f"{listed(unknowns)} are not determined (most suspicious first)"
    )
    return message, equations.tolist()[:NAMED], unknowns.tolist()[:NAMED]


def _null(lu: Any, n: int, trans: str) -> NDArray[np.int64]:
    """Significant entries of the null vector, largest first."""
    v = np.random.default_rng(1).uniform(0.5, 1.0, n)
    with np.errstate(all="ignore"):
        for _ in range(3):
            v = lu.solve(v.astype(lu.U.dtype), trans)
            v = v / np.max(np.abs(v))
    size = np.abs(v)
    size[~np.isfinite(size)] = 0.0
    order = np.argsort(-size, kind="stable")
    return order[size[order] >= SIGNIFICANT]


def _first(chosen: int, others: NDArray[Any]) -> list[int]:
    return [chosen, *(int(k) for k in others if k != chosen)][:NAMED]


def listed(numbers: NDArray[Any]) -> str:
    """Return the first few numbers as text.

    >>> listed(np.arange(11))
    '0, 1, 2, 3, 4, 5, 6, 7 and 3 more'
    """
    text = ", ".join(str(int(k)) for k in numbers[:NAMED])
    return text + (f" and {len(numbers) - NAMED} more" if len(numbers) > NAMED else "")
