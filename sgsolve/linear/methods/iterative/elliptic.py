"""Whether a matrix is of elliptic kind, as multigrid needs it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from ....arrays import EPS
from .hierarchy import block_owners

# A row is of elliptic kind if its off-diagonal entries of the wrong sign are this small beside the
# others, and its sum exceeds zero to this part of the diagonal entry; and most rows have to be.
WRONG_SIGN, DOMINANCE, ELLIPTIC = 0.25, 0.05, 0.7
UNITS = 64.0  # of rounding of the diagonal entry, that a sum of the others may be off by
NO_PYAMG = "pyamg is not installed (`pip install 'sgsolve[pyamg]'`)"


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
    return not_elliptic(A, blocks) or ("" if find_spec("pyamg") else NO_PYAMG)


def not_elliptic(A: Any, blocks: Sequence[Any]) -> str:
    """Return why a matrix is not of elliptic kind, or an empty string; see `unsuited`."""
    if np.iscomplexobj(A.data):
        return "the matrix is complex"
    n, diagonal = A.shape[0], A.diagonal()
    if len(blocks) > 1:
        owner = block_owners(blocks, n)
        rows = np.repeat(np.arange(n), np.diff(A.indptr))
        within = np.where(owner[rows] == owner[A.indices], A.data, 0.0)
        A = csr_array((within, A.indices, A.indptr), shape=(n, n))
    # sums of the off-diagonal entries with the sign of the diagonal entry, and of their sizes
    one, size = np.ones(n), np.abs(diagonal)
    signed = np.where(diagonal < 0.0, -1.0, 1.0) * (A @ one - diagonal)
    total = abs(A) @ one - size
    wrong, right = 0.5 * (total + signed), 0.5 * (total - signed)
    elliptic = wrong <= WRONG_SIGN * right + UNITS * EPS * size
    elliptic &= right - wrong <= (1.0 + DOMINANCE) * size
    elliptic &= diagonal != 0.0
    share = np.count_nonzero(elliptic) / n
    if share < ELLIPTIC:
        return f"{100.0 * (1.0 - share):.0f} % of the equations are not of elliptic kind"
    return ""
