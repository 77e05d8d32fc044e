"""A Jacobian that the user gives: its values on a sparsity pattern, and the pattern from values.

An entry of a dense matrix may be zero at the start and not elsewhere, such as 2 x at x = 0. If rows
or columns are empty at the start, the Jacobian is therefore evaluated at points around it too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp

from ... import ad
from ...arrays import Vector
from ...errors import DataTypeError, ShapeError
from ...pattern import Pattern

PROBES = (1e-8, 1e-2, 1.0, 1.0)  # distances from the start, relative to the size of the unknowns


def checked(J: Any, n: int) -> Any:
    """Validate what the user's Jacobian returned, and return it as a ``csr_array``."""
    if J is None:
        raise DataTypeError("jacobian returned None; is a return statement missing?")
    if isinstance(J, ad.ADArray):
        raise DataTypeError(
            "jacobian returned an AD array; return a matrix, y.jacobian, or leave jacobian out: "
            "the derivatives of the residual are computed without it"
        )
    if np.ma.is_masked(J):
        raise DataTypeError("jacobian returned a masked array; every entry needs a value")
    J = _matrix(J)
    if J.shape != (n, n):
        raise ShapeError(f"jacobian returned shape {J.shape}, not ({n}, {n})")
    if J.dtype.kind not in "fiub":
        raise DataTypeError(f"jacobian returned dtype {J.dtype}; it must be real")
    if not J.has_canonical_format:
        J.sum_duplicates()
    return J


def _matrix(J: Any) -> Any:
    """Return a sparse or dense matrix as a ``csr_array``; raise if it is none."""
    if not sp.issparse(J):
        try:
            J = np.asarray(J)
        except ValueError as error:
            raise ShapeError(f"jacobian returned no regular matrix: {error}") from None
        if J.ndim != 2:
            what = f"shape {J.shape}" if J.ndim else f"{J.item()!r}"
            raise ShapeError(f"jacobian returned {what}; it must return a matrix, sparse or dense")
        if J.dtype.kind not in "fiub":
            raise DataTypeError(f"jacobian returned dtype {J.dtype}; it must be real")
    return sp.csr_array(J)


def pattern_from_values(jacobian: Callable[[Vector], Any], x: Vector) -> Pattern:
    """Return the pattern of J(x), with that at points around x if rows or columns are empty.

    Parameters
    ----------
    jacobian : callable
        ``jacobian(x)`` -> csr_array of shape (n, n).
    """
    pattern = Pattern.of(jacobian(x))
    random = np.random.default_rng(0)
    size = np.where(x == 0.0, float(np.abs(x).max()) or 1.0, np.abs(x))
    for distance in PROBES:
        if not (len(pattern.empty_rows) or len(pattern.empty_columns)):
            break
        try:
            with np.errstate(all="ignore"):
                J = jacobian(x + distance * size * random.uniform(-1.0, 1.0, len(x)))
        except (ArithmeticError, ValueError):  # the point is outside the model
            continue
        if np.isfinite(J.data).all():
            pattern = pattern.union(Pattern.of(J))
    return pattern


def on_pattern(J: Any, pattern: Pattern) -> Any:
    """Return the same matrix on a pattern; None if it has entries outside."""
    if (
        J.nnz == pattern.nnz
        and np.array_equal(J.indptr, pattern.indptr)
        and np.array_equal(J.indices, pattern.indices)
    ):
        return pattern.matrix(J.data.astype(np.float64, copy=False))
    place = pattern.positions(Pattern(J.indptr, J.indices, J.shape))
    if (place < 0).any():
        return None
    data = np.zeros(pattern.nnz)
    data[place] = J.data
    return pattern.matrix(data)
