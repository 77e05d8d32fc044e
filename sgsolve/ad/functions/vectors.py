"""Functions for residuals that NumPy offers as a method or in another form.

They accept plain ndarrays too: one residual serves for values and for derivatives.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..array import ADArray
from . import joining, products


def dot(A: Any, x: Any) -> Any:
    """Return the matrix-vector product ``A @ x`` with a constant (or AD) matrix or vector A.

    Parameters
    ----------
    A : SciPy sparse matrix or array in any format, dense matrix, or vector
    x : ndarray or AD array
    """
    if isinstance(A, ADArray) or isinstance(x, ADArray):
        return products.dot_product(A, x)
    return A.dot(x) if hasattr(A, "dot") else np.dot(A, x)


def sum(x: Any, axis: Any = None) -> Any:
    """Return the sum of the elements, or along an axis: np.sum for AD arrays."""
    return np.sum(x, axis=axis)


def hstack(arrays: Iterable[Any]) -> Any:
    """Return the arrays one after the other: np.hstack for AD arrays."""
    arrays = tuple(arrays)
    return joining.join_columns(arrays) if _any_ad(arrays) else np.hstack(arrays)


def stack(*arrays: Any) -> Any:
    """Return vectors (or scalars) one after the other, given as separate arguments.

    With one list or tuple as its only argument it is np.stack: a new first axis.
    """
    if len(arrays) == 1 and isinstance(arrays[0], (list, tuple)):
        return joining.join_along_new_axis(arrays[0]) if _any_ad(arrays[0]) else np.stack(arrays[0])
    return hstack(arrays)


def _any_ad(arrays: Iterable[Any]) -> bool:
    return ADArray in set(map(type, arrays))
