"""Functions for residuals that NumPy has no good name for, or has in another form.

All of them work on plain ndarrays too, so that one residual serves for values and derivatives.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..errors import DataTypeError, InputError, ShapeError
from .array import ADArray
from .elementwise import value
from .indexing import broadcast
from .operands import PASSING, Index
from .operators import numpy_call
from .sides import put_back
from .sparsity import tracing


class SparseVector(NamedTuple):
    """A vector of length n that is zero but for values v at positions idx."""

    n: int
    idx: Any
    v: Any


def sparsevec(n: int, idx: ArrayLike, v: Any) -> SparseVector:
    """Return the vector of length n with values v at positions idx, for `sparsesum`.

    Parameters
    ----------
    n : int
    idx : array_like of int, shape (m,), a slice, or a boolean mask of length n
    v : ndarray or AD array, shape (m,) or a scalar for all positions
    """
    if isinstance(idx, slice):
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
    terms: Iterable[SparseVector | tuple[Any, ...]],
    *,
    check_unique: bool = False,
    return_sparse: bool = False,
) -> Any:
    """Return the sum of sparse vectors: how to write into chosen positions of an array.

    Parameters
    ----------
    terms : sequence of `sparsevec`
        At least one; all of the same length.
    check_unique : bool
        Refuse positions that are written twice (when the sum stands for an assignment).
    return_sparse : bool
        Return a `SparseVector` on the union of the positions, instead of the full vector.

    Raises
    ------
    InputError
        If there are no terms, lengths differ, or a position is written twice under `check_unique`.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve import ad
    >>> x = ad.seed(np.array([2.0, 3.0]))
    >>> y = ad.sparsesum([ad.sparsevec(3, [0, 2], x), ad.sparsevec(3, [2], x[:1] * x[1:])])
    >>> y.value
    array([2., 0., 9.])
    """
    parts = [t if isinstance(t, SparseVector) else sparsevec(*t) for t in terms]
    if not parts:
        raise InputError("sparsesum needs at least one term; its length is unknown without")
    n = parts[0].n
    if any(p.n != n for p in parts):
        raise ShapeError(f"sparsesum: terms of different lengths {sorted({p.n for p in parts})}")
    if check_unique:
        _refuse_repeated(parts, n)
    if return_sparse:
        union = np.unique(np.concatenate([np.where(p.idx < 0, p.idx + n, p.idx) for p in parts]))
        local = [SparseVector(len(union), np.searchsorted(union, p.idx % n), p.v) for p in parts]
        return SparseVector(n, union, _dense_sum(local, len(union)))
    return _dense_sum(parts, n)


def _refuse_repeated(parts: list[SparseVector], n: int) -> None:
    count = np.zeros(n, dtype=np.int64)
    for p in parts:
        np.add.at(count, p.idx, 1)
    twice = np.flatnonzero(count > 1)
    if len(twice):
        raise InputError(f"sparsesum: position {twice[0]} is written {count[twice[0]]} times")


def _dense_sum(parts: list[SparseVector], n: int) -> Any:
    carriers = [p.v for p in parts if isinstance(p.v, ADArray)]
    dtype = np.result_type(*[value(p.v) for p in parts])
    result = np.zeros(n, dtype=dtype)
    derivative = None
    for p in parts:
        v = value(p.v)
        if not carriers:
            np.add.at(result, p.idx, v)
            continue
        index = carriers[0]._derivative.root.index(p.idx, n)
        if not index.unique:
            np.add.at(result, index.values, v)
        elif index.range is not None:
            result[index.range] += v
        else:
            result[index.values] += v
        if isinstance(p.v, ADArray):
            d = broadcast(p.v._derivative, np.shape(v), p.idx.shape).put(index, n)
            derivative = d if derivative is None else derivative.plus(d)
    return result if derivative is None else ADArray(result, derivative)


def where(cond: Any, a: Any, b: Any) -> Any:
    """Return elements of a where `cond` holds, of b elsewhere; np.where for AD arrays.

    Both sides are evaluated; a NaN or infinity on the side not taken does not leak into the
    value or the derivative. A pattern from `seed_sparsity` counts both sides.
    """
    cond = np.asarray(value(cond))
    if not (isinstance(a, ADArray) or isinstance(b, ADArray)):
        return np.where(cond, a, b)
    va, vb = value(a), value(b)
    y = np.where(cond, va, vb)
    mask = np.broadcast_to(cond.astype(bool), y.shape).ravel()
    derivative = None
    for side, chosen in ((a, mask), (b, None)):
        if not isinstance(side, ADArray):
            continue
        d = broadcast(side._derivative, side.shape, y.shape)
        d = d if d.is_sparsity else d.masked(~mask if chosen is None else chosen)
        derivative = d if derivative is None else derivative.plus(d)
    assert derivative is not None
    return ADArray(y, derivative)


def branch(cond: Any, iftrue: Callable[[Any], Any], iffalse: Callable[[Any], Any]) -> Any:
    """Return ``iftrue(i)`` where `cond` holds and ``iffalse(i)`` elsewhere, evaluated only there.

    Parameters
    ----------
    cond : bool, or array_like of bool
    iftrue, iffalse : callable
        Called with the positions i where their side is taken: an index array for a
        one-dimensional `cond`, a tuple of them for more dimensions, ``...`` for a scalar. To be
        used as ``x[i]``; the result has one value a position, or is a scalar for all. A side
        that no element takes is not called.

    Notes
    -----
    In the run of `seed_sparsity` both sides are called, each with all positions, so that the
    pattern holds whatever the condition turns out to be.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve import ad
    >>> x = np.array([0.0, 2.0])
    >>> ad.branch(x == 0, lambda i: 1.0 + x[i], lambda i: np.sin(x[i]) / x[i]).round(4)
    array([1.    , 0.4546])
    """
    cond = np.asarray(value(cond), dtype=bool)
    if tracing():
        return _both_sides(cond, iftrue, iffalse)
    if cond.ndim == 0:
        return iftrue(...) if cond else iffalse(...)
    flat = cond.ravel()
    sides = []
    for side, chosen in ((iftrue, flat), (iffalse, ~flat)):
        positions = np.flatnonzero(chosen)
        if not (len(positions) or not flat.size):
            continue
        positions.flags.writeable = False
        index = PASSING[id(positions)] = Index(positions, None, True, 0)
        index.unique = True
        try:
            sides.append((index, _call_side(side, positions, cond.shape)))
        finally:
            del PASSING[id(positions)]
    return _merge_sides(sides, cond.shape)


def _call_side(side: Callable[[Any], Any], positions: Any, shape: tuple[int, ...]) -> Any:
    result = side(positions if len(shape) == 1 else np.unravel_index(positions, shape))
    found = result.shape if isinstance(result, ADArray) else np.shape(result)
    if found not in ((), positions.shape):
        raise ShapeError(f"branch: a side returned shape {found} for {len(positions)} positions")
    return result


def _merge_sides(sides: list[Any], shape: tuple[int, ...]) -> Any:
    size = math.prod(shape)
    values = np.empty(size, dtype=np.result_type(*[value(v) for _, v in sides]))
    pieces = []
    for index, v in sides:
        values[index.values] = value(v)
        if isinstance(v, ADArray):
            pieces.append((index, broadcast(v._derivative, v.shape, index.values.shape)))
    if len(shape) != 1:
        values = values.reshape(shape)
    return ADArray(values, put_back(pieces, size)) if pieces else values


def _both_sides(cond: Any, iftrue: Any, iffalse: Any) -> Any:
    """Evaluate both sides, for the union of their structures and the value of the one taken."""
    with np.errstate(all="ignore"):
        if cond.ndim == 0:
            taken, other = (iftrue, iffalse) if cond else (iffalse, iftrue)
            return _united(taken(...), other(...))
        everywhere = np.arange(cond.size)
        a, b = (_call_side(side, everywhere, cond.shape) for side in (iftrue, iffalse))
    flat = cond.ravel()
    result = where(flat, a, b)
    # The dtype is that of the sides which an ordinary evaluation would have called.
    used = [value(v) for v, count in ((a, flat.any()), (b, not flat.all())) if count]
    values = np.asarray(value(result)).astype(np.result_type(*used or map(value, (a, b))))
    values = values.reshape(cond.shape)
    return ADArray(values, result._derivative) if isinstance(result, ADArray) else values


def _united(taken: Any, other: Any) -> Any:
    """Return `taken` with the structures of both, if `other` has any."""
    if not isinstance(other, ADArray):
        return taken
    shape = np.shape(taken)
    if np.broadcast_shapes(other.shape, shape) != shape:
        raise ShapeError(f"branch: the sides have shapes {shape} and {other.shape}")
    derivative = broadcast(other._derivative, other.shape, shape)
    if isinstance(taken, ADArray):
        derivative = taken._derivative.plus(derivative)
    return ADArray(np.asarray(value(taken)), derivative)


def dot(A: Any, x: Any) -> Any:
    """Return the matrix-vector product ``A @ x`` with a constant (or AD) matrix or vector A.

    Parameters
    ----------
    A : SciPy sparse matrix or array in any format, dense matrix, or vector
    x : ndarray or AD array
    """
    if isinstance(A, ADArray) or isinstance(x, ADArray):
        return numpy_call("dot" if isinstance(A, (ADArray, np.ndarray)) else "matmul", (A, x))
    return A.dot(x) if hasattr(A, "dot") else np.dot(A, x)


def sum(x: Any, axis: Any = None) -> Any:
    """Return the sum of the elements, or along an axis: np.sum for AD arrays."""
    return np.sum(x, axis=axis)


def hstack(arrays: Iterable[Any]) -> Any:
    """Return the arrays one after the other: np.hstack for AD arrays."""
    arrays = tuple(arrays)
    return numpy_call("hstack", (arrays,)) if _any_ad(arrays) else np.hstack(arrays)


def stack(*arrays: Any) -> Any:
    """Return vectors (or scalars) one after the other, given as separate arguments.

    With one list or tuple as its only argument it is np.stack: a new first axis.
    """
    if len(arrays) == 1 and isinstance(arrays[0], (list, tuple)):
        return numpy_call("stack", (arrays[0],)) if _any_ad(arrays[0]) else np.stack(arrays[0])
    return hstack(arrays)


def _any_ad(arrays: Iterable[Any]) -> bool:
    return any(isinstance(a, ADArray) for a in arrays)
