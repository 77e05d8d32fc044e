"""Sums of sparse vectors, which write values at chosen positions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import ArrayLike

from ...errors import DataTypeError, DerivativeError, InputError, ShapeError
from ..array import ADArray
from ..derivatives.derivative import total
from ..indexing import broadcast
from ..programs.traced_arrays import TracedArray
from ..ufuncs.ufunc_calls import common_dtype

POSITION = np.dtype(np.int64)


class _Parts(NamedTuple):
    n: int
    idx: Any
    v: Any


class SparseVector(_Parts):
    """A vector of length n that is zero but for values v at positions idx.

    Attributes
    ----------
    n : int
        Length.
    idx : ndarray of int
        Positions of the values.
    v : ndarray or ADArray
        The values.

    See Also
    --------
    sparsevec : Make one.
    sparsesum : Add several.

    Examples
    --------
    >>> from sgsolve import ad
    >>> ad.sparsevec(4, [0, 3], 2.0).n
    4
    """

    __slots__ = ()

    def _not_an_array(self, *others: Any, **options: Any) -> NoReturn:
        """Raise: a tuple would be concatenated, repeated, or become an array of objects."""
        raise DataTypeError(
            f"a sparsevec is a term of ad.sparsesum, not an array (its length is {self.n}): write "
            "ad.sparsesum([a, ad.sparsevec(n, idx, v)]) for a + ad.sparsevec(n, idx, v); put a "
            "factor or a sign into v"
        )

    __array__ = _not_an_array
    __add__ = __radd__ = __sub__ = __rsub__ = __neg__ = _not_an_array
    __mul__ = __rmul__ = __truediv__ = __matmul__ = __rmatmul__ = _not_an_array


def sparsevec(n: int, idx: ArrayLike, v: Any) -> SparseVector:
    """Return the vector of length n with values v at positions idx, for `sparsesum`.

    Parameters
    ----------
    n : int
        The length.
    idx : array_like of int, shape (m,), a slice, or a mask of length n
        The positions.
    v : ndarray or AD array, shape (m,) or a scalar for all positions
        The values.

    Returns
    -------
    SparseVector
        A term of `sparsesum`.

    Raises
    ------
    DataTypeError
        If `idx` holds neither integers nor a mask.
    ShapeError
        If `v` and `idx` have different shapes.

    See Also
    --------
    sparsesum : Adds several.

    Examples
    --------
    >>> from sgsolve import ad
    >>> x = ad.seed([1.0, 2.0])
    >>> ad.sparsesum([ad.sparsevec(4, [1, 3], x)]).value
    array([0., 1., 0., 2.])
    """
    if type(idx) is np.ndarray and idx.dtype is POSITION and idx.ndim == 1 and idx.size:
        if type(v) is ADArray and v._value.shape == idx.shape:
            return SparseVector(n, idx, v)
    elif isinstance(idx, slice):
        idx = np.arange(*idx.indices(n))
    index = np.asarray(idx)
    if index.size == 0 and index.dtype != bool:
        index = index.astype(np.int64)
    if index.dtype.kind not in "iub":
        raise DataTypeError(f"sparsevec: idx must be integers or a mask, not {index.dtype}")
    if index.dtype == bool:
        index = np.flatnonzero(index)
    if index.ndim == 0:
        index = index.reshape(1)
    shape = v.shape if isinstance(v, ADArray) else np.shape(v)
    if shape not in ((), index.shape):
        raise ShapeError(f"sparsevec: v has shape {shape}, idx has shape {index.shape}")
    return SparseVector(int(n), index, v)


def sparsesum(
    terms: Iterable[Any], *, check_unique: bool = False, return_sparse: bool = False
) -> Any:
    """Return the sum of sparse vectors: how to write into chosen positions of an array.

    Parameters
    ----------
    terms : sequence of `sparsevec`, and of vectors of full length
        At least one; all of the same length.
    check_unique : bool
        Raise if a position is written twice (when the sum stands for an assignment).
    return_sparse : bool
        Return a `SparseVector` on the union of the positions, instead of the full vector.

    Returns
    -------
    ndarray, AD array or SparseVector
        The sum.

    Raises
    ------
    InputError
        If there are no terms, or a position is written twice under `check_unique`.
    ShapeError
        If lengths differ.

    See Also
    --------
    sparsevec : Makes a term.
    hstack : Joins vectors.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve import ad
    >>> x = ad.seed(np.array([2.0, 3.0]))
    >>> y = ad.sparsesum([ad.sparsevec(3, [0, 2], x), ad.sparsevec(3, [2], x[:1] * x[1:])])
    >>> y.value
    array([2., 0., 9.])
    """
    if type(terms) is not list and (
        isinstance(terms, SparseVector) or not isinstance(terms, Iterable)
    ):
        raise InputError(f"sparsesum takes a list of terms, not {type(terms).__name__}")
    parts = [t if type(t) is SparseVector else _term(t) for t in terms]
    if not parts:
        raise InputError("sparsesum needs at least one term; its length is unknown without")
    n = parts[0][0]
    for p in parts:
        if p[0] != n:
            lengths = sorted({p.n for p in parts})
            raise ShapeError(f"sparsesum: terms of different lengths {lengths}")
    if check_unique:
        _refuse_repeated(parts, n)
    if return_sparse:
        union = np.unique(np.concatenate([np.where(p.idx < 0, p.idx + n, p.idx) for p in parts]))
        local = [SparseVector(len(union), np.searchsorted(union, p.idx % n), p.v) for p in parts]
        return SparseVector(n, union, _dense_sum(local, len(union)))
    return _dense_sum(parts, n)


def _term(term: Any) -> SparseVector:
    """Return a term that is given as (n, idx, v) or as a whole vector."""
    if isinstance(term, tuple) and len(term) == 3:
        return sparsevec(*term)
    if not isinstance(term, (ADArray, np.ndarray)) or term.ndim != 1:
        raise InputError(
            "sparsesum: a term must be a sparsevec(n, idx, v) or a vector of full length, not "
            f"{type(term).__name__}"
            + (f" of shape {term.shape}" if isinstance(term, (ADArray, np.ndarray)) else "")
        )
    return SparseVector(len(term), np.arange(len(term)), term)


def _refuse_repeated(parts: list[SparseVector], n: int) -> None:
    count = np.zeros(n, dtype=np.int64)
    for p in parts:
        np.add.at(count, p.idx, 1)
    twice = np.flatnonzero(count > 1)
    if len(twice):
        raise InputError(f"sparsesum: position {twice[0]} is written {count[twice[0]]} times")


def _dense_sum(parts: list[SparseVector], n: int) -> Any:
    root, one = None, None
    values = []
    for _, _, v in parts:
        if type(v) is ADArray:
            root = v._derivative.root
            v = v._value
        if type(v) is not np.ndarray and isinstance(v, TracedArray):
            one = v  # of a traced evaluation, or a parameter of one
        values.append(v)
    dtype = common_dtype(values)
    if root is None:
        given = (n, dtype, tuple([p.idx for p in parts]), *values)
        return added_at(*given) if one is None else one.record(added_at, given)
    indices = tuple([root.index(p.idx, n) for p in parts])
    places = []
    for index, (_, idx, array), v in zip(indices, parts, values, strict=True):
        if type(array) is ADArray:
            d = array._derivative
            if v.shape != idx.shape:
                d = broadcast(d, v.shape, idx.shape)
            places.append(d.put(index, n))
    given = (n, dtype, indices, *values)
    result = sum_of_values(*given) if one is None else one.record(sum_of_values, given)
    return ADArray(result, total(places))


def added_at(n: int, dtype: Any, positions: tuple[Any, ...], *values: Any) -> Any:
    """Return the vector of length n that has values added at positions."""
    result = np.zeros(n, dtype)
    for idx, v in zip(positions, values, strict=True):
        np.add.at(result, idx, v)
    return result


def sum_of_values(n: int, dtype: Any, indices: Any, *values: Any) -> Any:
    """Return the vector of length n that has values added at the positions of each index."""
    result = np.zeros(n, dtype)
    for index, v in zip(indices, values, strict=True):
        if index.unique:
            result[index.range or index.values] += v
        else:
            np.add.at(result, index.values, v)
    return result


def bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Any:
    """Return sums of weights in bins; np.bincount for AD arrays of weights."""
    if isinstance(x, ADArray):
        raise DerivativeError(
            "np.bincount: the bins are an AD array; they must be constant whole numbers, only "
            "weights carries derivatives"
        )
    result = np.bincount(x, weights._value, minlength)
    if not len(result):
        return result
    term = SparseVector(len(result), np.asarray(x, dtype=np.int64), weights)
    return ADArray(result, _dense_sum([term], len(result))._derivative)


TABLE: dict[Any, Any] = {np.bincount: bincount}
