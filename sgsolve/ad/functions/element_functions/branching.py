"""Choose between two expressions element by element: `where` and `branch`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ....arrays import DOUBLE
from ....errors import DataTypeError, InputError, ShapeError
from ...array import ADArray
from ...derivatives.sparsity import all_branches_wanted
from ...derivatives.symbols import UntraceableError
from ...indexing import broadcast
from ...programs.traced_arrays import TracedArray
from ...programs.traced_branches import BranchIndex, TracedPositions
from ...structures.operands import PASSING, Index
from ...ufuncs.ufunc_calls import array_of_values, common_dtype, of_choice, raw_value
from .sides import merge_branches


def where(cond: Any, a: Any, b: Any) -> Any:
    """Return elements of a where `cond` holds, of b elsewhere; np.where for AD arrays.

    Both sides are evaluated. A NaN or infinity on the side not taken does not enter the value or
    the derivative. A pattern from `seed_sparsity` counts both sides.

    Parameters
    ----------
    cond : bool or array_like of bool
        The condition, for each element.
    a, b : ndarray, AD array or number
        The two sides.

    Returns
    -------
    ndarray or AD array
        Of the broadcast shape.

    See Also
    --------
    branch : Evaluates each side only where it is taken.

    Examples
    --------
    ``np.where`` is the same for AD arrays:

    >>> from sgsolve import ad
    >>> x = ad.seed([-1.0, 2.0])
    >>> ad.where(x > 0.0, x**2, 0.0).jacobian.diagonal()
    array([0., 4.])
    """
    cond = array_of_values(raw_value(cond))
    if not (isinstance(a, ADArray) or isinstance(b, ADArray)):
        return np.where(cond, a, b)
    va, vb = raw_value(a), raw_value(b)
    y = np.where(cond, va, vb)
    _must_be_numbers(y, "where: the choice")
    return ADArray(y, of_choice(y, cond.astype(bool), ((a, True), (b, False))))  # a copy


def _must_be_numbers(y: Any, what: str) -> None:
    if y.dtype.kind not in "biufc":
        raise DataTypeError(f"{what} has dtype {y.dtype}; it must be numbers")


def branch(cond: Any, iftrue: Callable[[Any], Any], iffalse: Callable[[Any], Any]) -> Any:
    """Return ``iftrue(i)`` where `cond` holds and ``iffalse(i)`` elsewhere, evaluated only there.

    Parameters
    ----------
    cond : bool, or array_like of bool
        The condition, for each element.
    iftrue, iffalse : callable
        Called with the positions i where their side is taken: an index array for a
        one-dimensional `cond`, a tuple of them for more dimensions, ``...`` for a scalar. Use it as
        ``x[i]``. Return one value for each position, or a scalar for all. A side that no element
        takes is not called.

    Returns
    -------
    ndarray or AD array
        Of the shape of `cond`.

    Raises
    ------
    InputError
        If a side is no function.

    See Also
    --------
    where : Evaluates both sides; simpler, and faster for cheap expressions.
    seed_sparsity : Finds the pattern of both sides.

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
    if not (callable(iftrue) and callable(iffalse)):
        raise InputError(
            "branch: both sides must be functions of the positions, such as lambda i: x[i]; for "
            "numbers and arrays there is np.where"
        )
    cond = raw_value(cond)
    if isinstance(cond, TracedArray):
        if cond.ndim == 1 and cond.graph.open_branches:
            return _traced_sides(cond, iftrue, iffalse)
        cond = cond.decided()
    cond = np.asarray(cond, dtype=bool)
    if all_branches_wanted():
        return _both_sides(cond, iftrue, iffalse)
    if cond.ndim == 0:
        return iftrue(...) if cond else iffalse(...)
    flat = cond.ravel()
    sides = []
    for side, chosen in ((iftrue, flat), (iffalse, ~flat)):
        positions = chosen.nonzero()[0]
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


def _traced_sides(cond: TracedArray, iftrue: Any, iffalse: Any) -> Any:
    """Evaluate both sides of a traced branch for positions that differ between evaluations."""
    cond = cond.astype(bool)
    sides = []
    for side, value in ((iftrue, True), (iffalse, False)):
        mask: Any = cond if value else np.logical_not(cond)
        count = np.count_nonzero(mask)
        if count == 0 and cond.size:
            continue
        if count == 1:  # coefficients of one element are numbers, multiplied in another order
            raise UntraceableError("a side of a branch with one element")
        positions = mask.record(np.flatnonzero, (mask,))
        index = BranchIndex(positions.value, cond.node, value, mask.record)
        positions = TracedPositions(index, positions.node, cond.graph)
        sides.append((index, _call_side(side, positions, cond.shape)))
    return _merge_sides(sides, cond.shape)


def _call_side(side: Callable[[Any], Any], positions: Any, shape: tuple[int, ...]) -> Any:
    result = side(positions if len(shape) == 1 else np.unravel_index(positions, shape))
    value = raw_value(result)
    if not hasattr(value, "dtype"):
        value = np.asarray(value)
    if value.dtype is not DOUBLE:
        _must_be_numbers(value, "branch: a side")
    if value.shape not in ((), positions.shape):
        raise ShapeError(
            f"branch: a side returned shape {value.shape} for {len(positions)} positions"
        )
    return result


def _merge_sides(sides: list[Any], shape: tuple[int, ...]) -> Any:
    size = math.prod(shape)
    of_sides = [raw_value(v) for _, v in sides]
    values: Any
    traced = [v for v in of_sides if type(v) is not np.ndarray and isinstance(v, TracedArray)]
    if traced:
        indices = tuple(index for index, _ in sides)
        given = (size, common_dtype(of_sides), indices, *of_sides)
        values = traced[0].record(merged_values, given)
    else:
        values = np.empty(size, dtype=common_dtype(of_sides))
    pieces = []
    for (index, v), part in zip(sides, of_sides, strict=True):
        if type(values) is np.ndarray:
            values[index.values] = part
        if isinstance(v, ADArray):
            d = v._derivative
            pieces.append((index, d if part.ndim else broadcast(d, (), (len(index),))))
    if len(shape) != 1:
        values = values.reshape(shape)
    return ADArray(values, merge_branches(pieces, size)) if pieces else values


def merged_values(size: int, dtype: Any, indices: tuple[Index, ...], *values: Any) -> Any:
    """Return an array of `size` elements with values at the positions of each index."""
    merged = np.empty(size, dtype=dtype)
    for index, v in zip(indices, values, strict=True):
        merged[index.present] = v
    return merged


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
    used = [raw_value(v) for v, count in ((a, flat.any()), (b, not flat.all())) if count]
    values = array_of_values(raw_value(result)).astype(
        np.result_type(*used or map(raw_value, (a, b)))
    )
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
    # A scalar stays one: NumPy rounds powers of arrays without axes in another way.
    v = raw_value(taken)
    return ADArray(v if hasattr(v, "dtype") else np.asarray(v)[()], derivative)
