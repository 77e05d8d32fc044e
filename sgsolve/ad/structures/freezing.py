"""Frozen operands: arrays and matrices that cannot change and need no comparison."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ...errors import InputError


def freeze(constant: Any) -> Any:
    """Return a read-only copy of an index array, constant array or matrix of a residual.

    Index arrays and matrices are compared with their contents at every use, so that a residual
    may change them. A frozen operand cannot change, and is not compared: 3 to 30 per cent less
    time, most where gathers and products are most of the work.

    Parameters
    ----------
    constant : ndarray, or sparse matrix or array
        Sparse formats other than CSR and CSC become CSR.

    Returns
    -------
    ndarray or sparse matrix
        With memory that cannot be written into nor made writeable; the same object if `constant`
        is frozen already.

    Raises
    ------
    InputError
        If it is neither an ndarray nor a sparse matrix, or an array of objects.

    See Also
    --------
    clear_cache : Frees the memory of cached patterns.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve import ad
    >>> left = ad.freeze(np.arange(3))
    >>> (ad.seed([1.0, 2.0, 3.0])[left] ** 2).jacobian.diagonal()
    array([2., 4., 6.])
    >>> left[0] = 1
    Traceback (most recent call last):
    ValueError: assignment destination is read-only
    """
    if sp.issparse(constant):
        matrix: Any = constant
        if matrix.format not in ("csr", "csc"):
            matrix = matrix.tocsr()
        names = ("indptr", "indices", "data")
        if not all(is_frozen(getattr(matrix, name)) for name in names):
            matrix = matrix.copy()
            for name in names:
                setattr(matrix, name, _frozen(getattr(matrix, name)))
        return matrix
    if not isinstance(constant, np.ndarray):
        raise InputError(
            f"freeze: {type(constant).__name__} is neither an ndarray nor a sparse matrix; use "
            "np.asarray first"
        )
    if is_frozen(constant):
        return constant
    return _frozen(constant)


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.hasobject:
        raise InputError(f"freeze: an array of {array.dtype} refers to objects that can change")
    # An array that owns its memory can be made writeable again, and views of it may be so still;
    # bytes cannot be changed by anybody.
    return np.ndarray(array.shape, array.dtype, buffer=array.tobytes())


def is_frozen(array: NDArray[Any]) -> bool:
    """Whether no code can write into the memory of an array, now or later."""
    base: Any = array.base
    while isinstance(base, np.ndarray):
        base = base.base
    return type(base) is bytes
