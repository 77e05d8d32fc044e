"""Functions for residuals that NumPy offers as a method or in another form.

They accept plain ndarrays too: one residual serves for values and for derivatives.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..array import ADArray
from .along_axes import joining
from .linear_algebra import products


def dot(A: Any, x: Any) -> Any:
    """Return the matrix-vector product ``A @ x`` with a constant (or AD) matrix or vector A.

    Parameters
    ----------
    A : SciPy sparse matrix or array in any format, dense matrix, or vector
        The left factor.
    x : ndarray or AD array
        The right factor.

    Returns
    -------
    ndarray or AD array
        The product.

    See Also
    --------
    freeze : A frozen matrix makes the product faster.

    Examples
    --------
    ``A @ x`` is the same for arrays and sparse arrays:

    >>> import scipy.sparse as sp
    >>> from sgsolve import ad
    >>> A = sp.csr_array([[1.0, 2.0], [0.0, 3.0]])
    >>> ad.dot(A, ad.seed([1.0, 1.0])).value
    array([3., 3.])
    """
    if isinstance(A, ADArray) or isinstance(x, ADArray):
        return products.dot_product(A, x)
    return A.dot(x) if hasattr(A, "dot") else np.dot(A, x)


def sum(x: Any, axis: Any = None) -> Any:
    """Return the sum of the elements, or along an axis: np.sum for AD arrays.

    Parameters
    ----------
    x : ndarray or AD array
        The array.
    axis : int or tuple of int, optional
        Axes to sum over; all by default.

    Returns
    -------
    ndarray or AD array
        The sum.

    See Also
    --------
    logsumexp : Sum of exponentials, as a logarithm.

    Examples
    --------
    ``np.sum`` is the same:

    >>> from sgsolve import ad
    >>> ad.sum(ad.seed([1.0, 2.0]) ** 2).jacobian.toarray()
    array([[2., 4.]])
    """
    return np.sum(x, axis=axis)


def hstack(arrays: Iterable[Any]) -> Any:
    """Return the arrays one after the other: np.hstack for AD arrays.

    Parameters
    ----------
    arrays : sequence of ndarray, AD array or number
        Joined along the first axis, or the second for arrays of more dimensions.

    Returns
    -------
    ndarray or AD array
        The joined array.

    See Also
    --------
    stack : Takes the arrays as separate arguments.
    sparsesum : Writes into chosen positions.

    Examples
    --------
    ``np.hstack`` and ``np.concatenate`` may be used as well:

    >>> from sgsolve import ad
    >>> x = ad.seed([1.0, 2.0])
    >>> ad.hstack([0.0, x, x**2]).value
    array([0., 1., 2., 1., 4.])
    """
    arrays = tuple(arrays)
    return joining.join_columns(arrays) if _any_ad(arrays) else np.hstack(arrays)


def stack(*arrays: Any) -> Any:
    """Return vectors (or scalars) one after the other, given as separate arguments.

    With one list or tuple as its only argument it is np.stack: a new first axis.

    Parameters
    ----------
    *arrays : ndarray, AD array or number
        Vectors to join; or one list of arrays of equal shapes.

    Returns
    -------
    ndarray or AD array
        The joined vector, or the array with a new first axis.

    See Also
    --------
    hstack : Takes one sequence.

    Examples
    --------
    >>> from sgsolve import ad
    >>> x = ad.seed([1.0, 2.0])
    >>> ad.stack(x, x[0]).value
    array([1., 2., 1.])
    >>> ad.stack([x, x]).shape
    (2, 2)
    """
    if len(arrays) == 1 and isinstance(arrays[0], (list, tuple)):
        return joining.join_along_new_axis(arrays[0]) if _any_ad(arrays[0]) else np.stack(arrays[0])
    return hstack(arrays)


def _any_ad(arrays: Iterable[Any]) -> bool:
    return ADArray in set(map(type, arrays))
