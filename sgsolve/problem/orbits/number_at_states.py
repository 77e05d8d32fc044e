"""Numbers that stand for their values at many states, for code that makes vectors of numbers.

Code for one state may put numbers into a vector: ``np.array([-x[1], x[0]])``. Rows of an array of
states would make a matrix of it, and AD arrays would lose their derivatives. A `NumberAtStates` is
a number to NumPy: vectors of them are arrays of objects, and functions of NumPy apply to the values
at all states at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

ELEMENTWISE = (np.where, np.clip, np.real, np.imag)  # beside ufuncs


class NumberAtStates(NDArrayOperatorsMixin):
    """A number at P states.

    Parameters
    ----------
    values : ndarray or ADArray, shape (P,)
    """

    __slots__ = ("values",)

    def __init__(self, values: Any) -> None:
        self.values = values

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Apply a ufunc at all states; with an array, to each of its elements."""
        if method != "__call__" or options:
            return NotImplemented
        if any(np.ndim(one) for one in inputs if not isinstance(one, NumberAtStates)):
            return np.frompyfunc(ufunc, ufunc.nin, ufunc.nout)(*map(_boxed, inputs))
        return _of(ufunc(*map(_inner, inputs)))

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """Apply a function that works element by element at all states."""
        whole = (*args, *kwargs.values())
        if function not in ELEMENTWISE or any(isinstance(one, list | np.ndarray) for one in whole):
            return NotImplemented
        named = {key: _inner(one) for key, one in kwargs.items()}
        return _of(function(*map(_inner, args), **named))

    def __bool__(self) -> bool:
        raise TypeError("a condition may hold at some states only")

    def __getattr__(self, name: str) -> Any:
        """Return the ufunc of a name: NumPy calls ``x.exp()`` for each object of an array."""
        ufunc = getattr(np, name, None)
        if not isinstance(ufunc, np.ufunc):
            raise AttributeError(f"a number has no attribute {name!r}")
        return lambda *others: ufunc(self, *others)


def numbers_at_states(rows: Any) -> Any:
    """Return a vector of numbers, shape (n,), for values of shape (n, P)."""
    return objects_of([NumberAtStates(row) for row in rows])


def values_at_states(y: Any) -> Any:
    """Return what a function of such a vector returned, with values in place of the numbers."""
    if isinstance(y, NumberAtStates):
        return y.values
    if isinstance(y, list | tuple) or (isinstance(y, np.ndarray) and y.dtype == object):
        return [values_at_states(part) for part in y]
    return y


def objects_of(parts: list[Any]) -> Any:
    """Return an array of objects of shape (n,)."""
    found = np.empty(len(parts), dtype=object)
    found[:] = parts
    return found


def _boxed(one: Any) -> Any:
    """Return a number as an array of one object, other arguments as they are."""
    return objects_of([one]).reshape(()) if isinstance(one, NumberAtStates) else one


def _inner(one: Any) -> Any:
    return one.values if isinstance(one, NumberAtStates) else one


def _of(found: Any) -> Any:
    return tuple(map(_of, found)) if isinstance(found, tuple) else NumberAtStates(found)
