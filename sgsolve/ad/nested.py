"""Lists of AD arrays and numbers that stand for one array: results and arguments of functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..errors import DataTypeError, DerivativeError
from ..private_api import (
    is_of_argument,
    is_of_array_attribute,
    is_of_index,
    is_of_unpacking,
    is_without_form_for_objects,
)
from . import array_makers, refusals

LISTS = (list, tuple)
HOLDERS = frozenset({list, tuple, np.ndarray, np.matrix})  # what may hold AD arrays
ARRAYS_OF_OBJECTS = (np.ndarray, np.matrix)
PLAIN_NUMBERS = {float, int}

OF_FIELDS = (
    "The argument is one vector of all unknowns. Problem(..., blocks={'u': (n, n), 'v': n}, "
    "fields=True) calls the residual with one argument for each block, residual(u, v)."
)


def array_of(y: Any) -> Any:
    """Return y, or the array that nested lists and tuples in y stand for.

    Parts of one shape give the array of ``np.array(y)``; parts of different shapes are raveled
    and joined one after the other. An array of objects is a list of them.
    """
    if is_array_of_objects(y):
        _note_objects(y)
        y = y.tolist()
    if not isinstance(y, LISTS):
        return y
    if hasattr(y, "__array__"):  # a tuple of a kind of its own, such as a sparse vector
        return np.asarray(y)
    if {type(part) for part in y} <= PLAIN_NUMBERS:
        return np.asarray(y)
    parts = [array_of(part) for part in y]
    if not any(hasattr(part, "_derivative") for part in parts):
        return _plain(parts)
    shapes = {np.shape(getattr(part, "_value", part)) for part in parts}
    if shapes == {()}:
        return np.hstack(parts)
    if len(shapes) == 1:
        return np.stack(parts)
    return np.concatenate([np.ravel(part) for part in parts])


def _note_objects(y: Any) -> None:
    """Note that there is an array of objects; raise if its elements may be decisions of NumPy."""
    for part in y.flat:
        if hasattr(part, "_derivative"):
            evaluation = part._derivative.root
            if evaluation.decided:
                raise refusals.truth_value()
            evaluation.objects = True
            return


def is_array_of_objects(y: Any) -> bool:
    """Whether y is an ndarray or a matrix of Python objects, which may be AD arrays."""
    return type(y) in ARRAYS_OF_OBJECTS and y.dtype.kind == "O"


def _plain(parts: list[Any]) -> Any:
    shapes = {np.shape(part) for part in parts}
    return np.concatenate([np.ravel(p) for p in parts]) if len(shapes) > 1 else np.asarray(parts)


def any_may_hold(items: Any) -> bool:
    """Whether one of some items is a list or an array of objects, in which AD arrays may be."""
    for a in items:
        kind = type(a)
        if kind in HOLDERS and (kind is not np.ndarray or a.dtype.kind == "O"):
            return True
    return False


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
        return type(a)(map(objects_as_arrays, a)) if any_may_hold(a) else a
    return array_of(a) if is_array_of_objects(a) else a


def evaluate(f: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Return ``f(*args, **kwargs)`` as one array.

    Raises
    ------
    DerivativeError
        If f writes an AD array into an ndarray; NumPy reports that as a ValueError.
    """
    y = result_of(f, *args, **kwargs)
    if hasattr(y, "_derivative"):
        return y
    if y is None:
        raise DataTypeError("the function returned None; is a return statement missing?")
    return array_of(y)


def evaluate_vector(f: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Return ``f(*args, **kwargs)``; a list of equations, nested or not, as one vector."""
    y = result_of(f, *args, **kwargs)
    if type(y) is np.ndarray and y.dtype.kind != "O":
        return y
    listed = isinstance(y, LISTS) or is_array_of_objects(y)
    return np.ravel(array_of(y)) if listed else y


def _is_of(f: Callable[..., Any], error: Exception) -> bool:
    """Whether the code of a function itself raised an error, and not one that it called."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback is not None and traceback.tb_frame.f_code is getattr(f, "__code__", None)


def result_of(f: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Return ``f(*args, **kwargs)``, where ``np.zeros`` in f may make AD arrays.

    Raises
    ------
    DerivativeError
        As the first attempt, with the functions of NumPy, does.
    """
    needing = array_makers.needing
    if needing and array_makers.code_of_function(f) in needing:
        y = _with_arrays_made(f, args, kwargs)
        if y is not None:
            return y
    try:
        y = f(*args, **kwargs)
        if is_array_of_objects(y):
            _note_objects(y)
        if args and hasattr(args[0], "_derivative") and args[0]._derivative.root.objects:
            _compare_objects(y, f, args, kwargs)
        return y
    except Exception as error:
        y = _result_of_second_attempt(error, f, args, kwargs)
        if y is None:
            raise
        return y


def _result_of_second_attempt(
    error: Exception, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Return the result of f where arrays are made for derivatives; None if the error stands."""
    try:
        _explain(error, f, args)
    except refusals.WholeArrayError:
        raise
    except DerivativeError:
        y = _with_arrays_made(f, args, kwargs)
        if y is None:
            raise
        return y
    if not isinstance(error, DerivativeError) or isinstance(error, refusals.WholeArrayError):
        return None
    return _with_arrays_made(f, args, kwargs)


def _compare_objects(y: Any, f: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> None:
    """Raise if a result of arrays of objects differs from that of arrays of numbers."""
    code = array_makers.code_of_function(f)
    x = args[0]
    if code in array_makers.compared or hasattr(x._memory, "views") or hasattr(x._value, "record"):
        return
    plain = array_makers.plain_argument
    expected = f(*map(plain, args), **{k: plain(a) for k, a in kwargs.items()})
    found = np.asarray(plain(_as_one_array(y)))
    if not array_makers.values_close(found, np.asarray(_as_one_array(expected)) + 0.0):
        raise refusals.truth_value()
    if code is not None:
        array_makers.compared.add(code)


def _with_arrays_made(f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return ``f(*args, **kwargs)`` with ``np.zeros`` that makes AD arrays; None if it fails.

    The values must be those of f on plain numbers. Those of a trace are compared afterwards.
    """
    replaced = array_makers.replaced_function(f, args, kwargs)
    if replaced is None:
        return None
    traced = any(hasattr(getattr(a, "_value", a), "record") for a in (*args, *kwargs.values()))
    argument = array_makers.plain_argument
    plain: tuple[list[Any], dict[str, Any]] = [], {}
    if not traced:
        plain = [*map(argument, args)], {k: argument(a) for k, a in kwargs.items()}
    try:
        y = replaced(*args, **kwargs)
        if is_array_of_objects(y):
            _note_objects(y)
    except Exception as error:
        try:
            _explain(error, replaced, args)
        except DerivativeError:
            return None
        if isinstance(error, DerivativeError):
            return None
        raise
    joined = _as_one_array(y)
    if not hasattr(joined, "_derivative"):
        return None
    if not traced:
        try:
            expected = _as_one_array(f(*plain[0], **plain[1]))
        except (TypeError, ValueError):  # NumPy makes no such array
            return None
        if not array_makers.values_agree(joined, expected):
            return None
    code = array_makers.code_of_function(f)
    if code is not None:
        array_makers.needing.add(code)
    return y


def _as_one_array(y: Any) -> Any:
    """Return the arrays of a result as one array."""
    return array_of(list(y.values()) if isinstance(y, Mapping) else y)


def _explain(error: Exception, f: Callable[..., Any], args: tuple[Any, ...]) -> None:
    """Raise in place of an error of f one that says what to write, if there is something to say."""
    if isinstance(error, (TypeError, AttributeError)):
        if not callable(f):
            raise DataTypeError(f"a function of x is needed, not {f!r}") from None
        _explain_refused_argument(error, args)
    elif isinstance(error, SystemError):  # of compiled code that does not look for errors
        if isinstance(error.__cause__, DerivativeError):
            raise error.__cause__ from None
    elif isinstance(error, IndexError):
        if is_of_index(error):
            if _hold_derivative(args):
                raise DerivativeError(
                    "an AD array cannot be an index; take it from constants, or choose with "
                    "np.where"
                ) from error
            error.add_note(OF_FIELDS)
    elif isinstance(error, ValueError):
        if is_of_unpacking(error) and _is_of(f, error):
            error.add_note(OF_FIELDS)
        _explain_refused_value(error, args)


def _hold_derivative(args: tuple[Any, ...]) -> bool:
    return any(hasattr(a, "_derivative") for a in args)


def _explain_refused_argument(error: Exception, args: tuple[Any, ...]) -> None:
    """Raise in place of an error of a function that takes no AD array, or no array of them."""
    _explain_missing_form(error, args)
    if refusals.swallowed(error) and not isinstance(error, DerivativeError):
        raise DerivativeError(refusals.ITERATED) from error
    if is_of_argument(error, "ADArray"):
        raise DerivativeError(
            f"compiled code takes plain arrays only ({error}): {refusals.SOLVED}"
        ) from error


def _explain_missing_form(error: Exception, args: tuple[Any, ...]) -> None:
    """Raise in place of an error for an array of objects, which a function has no form for."""
    if isinstance(error, DerivativeError) or not _hold_derivative(args):
        return
    inside_numpy = is_of_array_attribute(error) and refusals.name_of_caller(error) is not None
    if inside_numpy or is_without_form_for_objects(error):
        raise DerivativeError(
            f"{refusals.STACK}: np.array([...]) of AD arrays is an array of objects, for which "
            f"NumPy has few functions ({error})"
        ) from error


def _explain_refused_value(error: ValueError, args: tuple[Any, ...]) -> None:
    """Raise in place of an error of NumPy or SciPy that an AD array caused."""
    _explain_missing_form(error, args)
    if isinstance(error.__cause__, DerivativeError) or refusals.swallowed(error):
        name = refusals.name_of_caller(error)
        if name is not None:
            raise DerivativeError(
                f"{name} writes elements of np.array([...]) of AD arrays into an ndarray, which "
                f"would lose the derivative: {refusals.OF_LISTS}"
            ) from error
        raise DerivativeError(
            "the function writes AD arrays into an ndarray (F[i] = ..., np.fromiter), which "
            "holds numbers without derivatives; make F by np.zeros(n, like=x) or "
            "np.zeros_like(x), x being the argument, or return the list of equations, "
            "[F0, F1, ...]"
        ) from error
    advice = refusals.of_failed_call(error)
    if advice:
        raise DerivativeError(f"{advice} ({error})") from error
