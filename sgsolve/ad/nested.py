"""Lists of AD arrays and numbers that stand for one array: results and arguments of functions."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import DataTypeError, DerivativeError
from . import refusals

LISTS = (list, tuple)

# What Python says of ``u, v = x``.
UNPACKED = "values to unpack"
OF_FIELDS = (
    "The argument is one vector of all unknowns. Problem(..., blocks={'u': (n, n), 'v': n}, "
    "fields=True) calls the residual with one argument for each block, residual(u, v)."
)

# What compiled functions say of an argument.
COMPILED = re.compile(r"must be .*, not ADArray")
# What NumPy says where a function has no form for an array of objects.
OF_OBJECTS = re.compile(r"dtype\('O'\)|no callable \w+ method|not supported for the input types")
# Its functions call methods of the elements, which the numbers among them do not have.
OF_A_NUMBER = re.compile(r"'(?:float|int)' object has no attribute '(\w+)'")


def array_of(y: Any) -> Any:
    """Return y, or the array that nested lists and tuples in y stand for.

    Parts of one shape give the array of ``np.array(y)``; parts of different shapes are raveled
    and joined one after the other. An array of objects is a list of them.
    """
    if is_array_of_objects(y):
        y = y.tolist()
    if not isinstance(y, LISTS):
        return y
    if hasattr(y, "__array__"):  # a tuple of a kind of its own, such as a sparse vector
        return np.asarray(y)
    parts = [array_of(part) for part in y]
    if not any(hasattr(part, "_derivative") for part in parts):
        return _plain(parts)
    shapes = {np.shape(part) for part in parts}
    if shapes == {()}:
        return np.hstack(parts)
    if len(shapes) == 1:
        return np.stack(parts)
    return np.concatenate([np.ravel(part) for part in parts])


def is_array_of_objects(y: Any) -> bool:
    """Whether y is an ndarray of Python objects, which may be AD arrays."""
    return type(y) is np.ndarray and y.dtype == object


def _plain(parts: list[Any]) -> Any:
    shapes = {np.shape(part) for part in parts}
    return np.concatenate([np.ravel(p) for p in parts]) if len(shapes) > 1 else np.asarray(parts)


def holds_derivatives(a: Any) -> bool:
    """Whether an argument is a list, tuple or array of objects with AD arrays in it."""
    if is_array_of_objects(a):
        return any(hasattr(part, "_derivative") for part in a.flat)
    return isinstance(a, LISTS) and any(
        hasattr(part, "_derivative") or holds_derivatives(part) for part in a
    )


def array_if_needed(a: Any) -> Any:
    """Return an argument; one that holds AD arrays, or an array of objects, as one array."""
    return array_of(a) if is_array_of_objects(a) or holds_derivatives(a) else a


def objects_as_arrays(a: Any) -> Any:
    """Return an argument with every array of objects in it, in nested lists too, as an array."""
    if type(a) in LISTS:
        return type(a)(map(objects_as_arrays, a))
    return array_of(a) if is_array_of_objects(a) else a


def evaluate(f: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Return ``f(*args, **kwargs)`` as one array.

    Raises
    ------
    DerivativeError
        If f writes an AD array into an ndarray; NumPy reports that as a ValueError.
    """
    y = _called(f, *args, **kwargs)
    if y is None:
        raise DataTypeError("the function returned None; is a return statement missing?")
    return array_of(y)


def evaluate_vector(f: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Return ``f(*args, **kwargs)``; a list of equations, nested or not, as one vector."""
    y = _called(f, *args, **kwargs)
    listed = isinstance(y, LISTS) or is_array_of_objects(y)
    return np.ravel(array_of(y)) if listed else y


def _is_of_objects(message: str) -> bool:
    """Whether an error says that a function of NumPy has no form for an array of objects."""
    called = OF_A_NUMBER.search(message)
    return bool(OF_OBJECTS.search(message)) or (
        called is not None and isinstance(vars(np).get(called[1]), np.ufunc)
    )


def _is_of(f: Callable[..., Any], error: Exception) -> bool:
    """Whether the code of a function itself raised an error, and not one that it called."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback is not None and traceback.tb_frame.f_code is getattr(f, "__code__", None)


def _called(f: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    try:
        return f(*args, **kwargs)
    except (TypeError, AttributeError) as error:
        if not callable(f):
            raise DataTypeError(f"a function of x is needed, not {f!r}") from None
        if any(hasattr(a, "_derivative") for a in args) and _is_of_objects(str(error)):
            raise DerivativeError(
                f"{refusals.STACK}: np.array([...]) of AD arrays is an array of objects, for which "
                f"NumPy has few functions ({error})"
            ) from error
        if refusals.swallowed(error) and not isinstance(error, DerivativeError):
            raise DerivativeError(refusals.ITERATED) from error
        if COMPILED.search(str(error)):
            raise DerivativeError(
                f"compiled code takes plain arrays only ({error}): {refusals.SOLVED}"
            ) from error
        raise
    except SystemError as error:  # compiled code that does not look for errors, such as brentq
        if isinstance(error.__cause__, DerivativeError):
            raise error.__cause__ from None
        raise
    except IndexError as error:
        if str(error).startswith("only integers"):
            if any(hasattr(a, "_derivative") for a in args):
                raise DerivativeError(
                    "an AD array cannot be an index; take it from constants, or choose with "
                    "np.where"
                ) from error
            error.add_note(OF_FIELDS)
        raise
    except ValueError as error:
        if UNPACKED in str(error) and _is_of(f, error):
            error.add_note(OF_FIELDS)
        if isinstance(error.__cause__, DerivativeError) or refusals.swallowed(error):
            raise DerivativeError(
                "the function writes AD arrays into an ndarray (F[i] = ..., np.fromiter), which "
                "holds numbers without derivatives; make F by np.zeros(n, like=x) or "
                "np.zeros_like(x), x being the argument, or return the list of equations, "
                "[F0, F1, ...]"
            ) from error
        advice = refusals.of_failed_call(error)
        if advice:
            raise DerivativeError(f"{advice} ({error})") from error
        raise
