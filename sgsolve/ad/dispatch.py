"""Dispatch of NumPy's functions and methods to the implementations for AD arrays.

The tables are filled when the package `functions` is imported, and `array` looks functions up
here. A function that is in no table raises `DerivativeError`, and the message names it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import DerivativeError
from .conversions import refusals
from .conversions.nested import any_may_hold, array_if_needed, objects_as_arrays

Function = Callable[..., Any]

TABLE: dict[Function, Function] = {}
OF_SEQUENCES: set[Function] = set()  # those that take several arrays in one list
OF_SHAPES: dict[Function, Function] = {}  # np.zeros, np.empty: with ``like=y``
UFUNC_METHODS: dict[str, Function] = {}  # reduce, accumulate, ...: (ufunc, name, inputs, kwargs)

# Compiled functions, of which older versions of NumPy do not tell the arguments.
WITHOUT_SIGNATURE: dict[Function, tuple[str, ...]] = {
    np.array: ("object",),
    np.asarray: ("a",),
    np.asanyarray: ("a",),
    np.fromiter: ("iter", "dtype"),
}

_SOLVE = "use an unknown for the solution: its equation is A @ x - b"
_FACTORS = "use unknowns for eigenvalues and factors, with the equations that define them"
_DECOMPOSITIONS = ("eig", "eigvals", "eigh", "eigvalsh", "svd", "svdvals", "qr", "cholesky", "cond")
_ASSIGN = "use y[mask] = v, or np.where(mask, new, old)"
_VALUES = "use it on ad.value(y), and index y with the positions that it gives"
INSTEAD: dict[Function, str] = {
    **dict.fromkeys((np.linalg.lstsq, np.linalg.pinv), _SOLVE),
    **{getattr(np.linalg, name): _FACTORS for name in _DECOMPOSITIONS},
    **dict.fromkeys((np.copyto, np.putmask, np.place, np.put_along_axis), _ASSIGN),
    np.put: "use y[idx] = v",
    **dict.fromkeys((np.unique, np.partition, np.intersect1d, np.setdiff1d, np.union1d), _VALUES),
    np.percentile: "use np.sort(y) and the elements between which it lies",
    np.quantile: "use np.sort(y) and the elements between which it lies",
    **dict.fromkeys(
        (np.histogram_bin_edges, np.histogram2d, np.histogramdd),
        "use it on ad.value(y) for counts, and ad.sparsesum for weights",
    ),
    np.unwrap: "use np.arctan2 of sines and cosines of the differences, and np.cumsum",
    np.logspace: "use base ** np.linspace(start, stop, num)",
    np.geomspace: "use np.exp(np.linspace(np.log(start), np.log(stop), num))",
    **{
        getattr(np.emath, name): f"use np.{name}, of y + 0j where y may be out of its range"
        for name in ("sqrt", "log", "log2", "log10", "power", "arccos", "arcsin", "arctanh")
    },
    np.apply_along_axis: "use functions with an axis, or np.stack([f(row) for row in y])",
    np.apply_over_axes: "use the function with its axis= once for each axis",
}


def call(func: Function, args: Any, kwargs: Any) -> Any:
    """Return ``func(*args, **kwargs)`` where some argument is an AD array.

    Raises
    ------
    DerivativeError
        If the function is not supported; the message names it and what to use instead.
    """
    ours = TABLE.get(func)
    if ours is None:
        short = getattr(func, "__name__", str(func))
        instead = INSTEAD.get(func) or refusals.INSTEAD.get(
            short, "use operators, indexing, A @ y or ad.sparsesum"
        )
        name = f"{getattr(func, '__module__', 'numpy')}.{short}"
        raise DerivativeError(f"{name} is not supported on AD arrays: {instead}")
    if kwargs.pop("out", None) is not None:
        raise DerivativeError(
            f"np.{func.__name__}(..., out=F) cannot write an AD array into an ndarray F: make it "
            f"by F = np.zeros(n, like=y), or use the result, y = np.{func.__name__}(...)"
        )
    if not args:
        args = _positional(func, kwargs)
    joined = objects_as_arrays if func in OF_SEQUENCES else array_if_needed
    if any_may_hold(args):
        args = tuple(map(joined, args))
    if kwargs:
        kwargs = {k: joined(a) for k, a in kwargs.items()}
    try:
        return ours(*args, **kwargs)
    except TypeError as error:
        if error.__traceback__ is None or error.__traceback__.tb_next is not None:
            raise
        raise DerivativeError(  # the call itself does not fit our function
            f"np.{func.__name__} on AD arrays does not take these arguments ({error}); leave out "
            "what is not needed"
        ) from error


def _positional(func: Function, kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """Take the arguments that a function needs out of its keywords, in their order."""
    args = []
    for name in _required_names(func):
        if name not in kwargs:
            break
        args.append(kwargs.pop(name))
    return tuple(args)


@functools.cache
def _required_names(func: Function) -> tuple[str, ...]:
    """Return the names of the arguments that a function cannot be called without."""
    if func in WITHOUT_SIGNATURE:
        return WITHOUT_SIGNATURE[func]
    try:
        parameters = inspect.signature(func).parameters.values()
    except ValueError:  # compiled
        return ()
    usual = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return tuple(p.name for p in parameters if p.default is p.empty and p.kind is usual)
