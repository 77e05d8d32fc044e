"""Call a residual: its result as one array, or an error that says what to write.

Where the function fails, or catches an error of an AD array, it is evaluated once more on arrays
made for derivatives (see `array_makers`). Its values are compared with those on plain numbers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from types import CodeType
from typing import Any

import numpy as np

from ...errors import DataTypeError, DerivativeError, derivative_errors
from ..assignments import array_makers
from ..assignments.assignment import is_written
from ..assignments.in_place import ViewsInUseError
from ..conversions import refusals
from ..conversions.nested import LISTS, array_of, is_array_of_objects, note_objects
from ..derivatives.symbols import UntraceableError
from .failed_calls import explain

STEP = 1e-3
# Code, or classes of objects, that write into arrays while they use views of them.
writing_viewed: set[CodeType | type] = set()


def evaluate(f: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Return ``f(*args, **kwargs)`` as one array.

    Raises
    ------
    DerivativeError
        If f writes an AD array into an ndarray; NumPy reports that as a ValueError.
    """
    return as_array(result_of(f, *args, **kwargs))


def as_array(y: Any) -> Any:
    """Return a result of a function as one array."""
    if y is None:
        raise DataTypeError("the function returned None; is a return statement missing?")
    return array_of(y)


def evaluate_vector(f: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Return ``f(*args, **kwargs)``; a list of equations, nested or not, as one vector."""
    y = result_of(f, *args, **kwargs)
    if hasattr(y, "_derivative") or (type(y) is np.ndarray and y.dtype.kind != "O"):
        return y  # at once: AD arrays take long to answer isinstance
    listed = isinstance(y, LISTS) or is_array_of_objects(y)
    return np.ravel(array_of(y)) if listed else y


def result_of(f: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Return ``f(*args, **kwargs)``, where ``np.zeros`` in f may make AD arrays.

    Raises
    ------
    DerivativeError
        As the first attempt, with the functions of NumPy, does.
    """
    if writing_viewed and _code_or_class(f) in writing_viewed:
        _note_views(args, kwargs)
    needing = array_makers.needing
    if needing and array_makers.code_of_function(f) in needing:
        y = _with_arrays_made(f, args, kwargs)
        if y is not None:
            return y
    errors = derivative_errors.number
    try:
        y = f(*args, **kwargs)
        if is_array_of_objects(y):
            note_objects(y)
        if args and hasattr(args[0], "_derivative") and args[0]._derivative.root.objects:
            _compare_objects(y, f, args, kwargs)
    except Exception as error:
        y = _result_of_second_attempt(error, f, args, kwargs)
        if y is None:
            raise
    else:
        if derivative_errors.number == errors:
            return y
        y = _result_in_spite_of_caught(y, f, args, kwargs)
    derivative_errors.number = errors  # for who called the function that called this one
    return y


def _result_in_spite_of_caught(
    y: Any, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Return the result of f, which caught an error of an AD array and took another way.

    Raises
    ------
    DerivativeError
        If the values are not those on plain numbers, where the error does not occur.
    """
    given = [a for a in (*args, *kwargs.values()) if hasattr(a, "_derivative")]
    if not given:
        return y
    if any(hasattr(a._value, "record") for a in given):
        raise UntraceableError
    made = _with_arrays_made(f, args, kwargs)
    if made is not None:
        return made
    if not any(is_written(a) for a in given):
        with contextlib.suppress(Exception):
            moved = _moved_arguments(args)
            others = dict(zip(kwargs, _moved_arguments(kwargs.values()), strict=True))
            near = f(*moved, **others)
            if _has_values_of(y, f, args, kwargs) and _has_values_of(near, f, moved, others):
                return y
    raise DerivativeError(
        "the function caught an error that an AD array raised (try: ... except), and its values "
        "are others than those on plain numbers: the derivative would be that of another "
        "function. Take the try statement away to see the error, and what to write"
    )


def _has_values_of(y: Any, f: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> bool:
    """Whether y has the values of f on plain numbers."""
    plain = array_makers.plain_argument
    expected = f(*map(plain, args), **{k: plain(a) for k, a in kwargs.items()})
    found, exact = np.asarray(plain(_as_one_array(y))), np.asarray(_as_one_array(expected))
    return array_makers.values_close(found, exact + 0.0)


def _moved_arguments(args: Iterable[Any]) -> list[Any]:
    """Return arguments a little beside AD arrays: at zero, different functions may be equal."""
    return [
        a + STEP * np.cos(np.arange(a.size)).reshape(a.shape) * (1.0 + abs(np.real(a)))
        if hasattr(a, "_derivative")
        else a
        for a in args
    ]


def _result_of_second_attempt(
    error: Exception, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Return the result of f where arrays are made for derivatives; None if the error stands."""
    if _knows_views_now(error, f, args, kwargs):
        return result_of(f, *args, **kwargs)
    try:
        explain(error, f, args, kwargs)
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


def _note_views(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Let the views of all arrays be known from now on; whether they were not so far."""
    arrays = [a for a in (*args, *kwargs.values()) if hasattr(a, "_derivative")]
    evaluations = [a._derivative.root for a in arrays]
    if all(e.notes_views for e in evaluations) or any(is_written(a) for a in arrays):
        return False
    for evaluation in evaluations:
        evaluation.notes_views = True
    return True


def _knows_views_now(
    error: Exception, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> bool:
    """Whether f failed for unknown views, which the next evaluation knows."""
    if not isinstance(error, ViewsInUseError) or not _note_views(args, kwargs):
        return False
    writing_viewed.add(_code_or_class(f))
    return True


def _code_or_class(f: Callable[..., Any]) -> CodeType | type:
    code = array_makers.code_of_function(f)
    return type(f) if code is None else code


def _compare_objects(y: Any, f: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> None:
    """Raise if a result of arrays of objects differs from that of arrays of numbers."""
    code = array_makers.code_of_function(f)
    x = args[0]
    if code in array_makers.compared or is_written(x) or hasattr(x._value, "record"):
        return
    if not _has_values_of(y, f, args, kwargs):
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
    errors = derivative_errors.number
    try:
        y = replaced(*args, **kwargs)
        if is_array_of_objects(y):
            note_objects(y)
    except Exception as error:
        try:
            explain(error, f, args, kwargs)
        except DerivativeError:
            return None
        if _knows_views_now(error, f, args, kwargs):
            return _with_arrays_made(f, args, kwargs)
        if isinstance(error, DerivativeError):
            return None
        raise
    joined = _as_one_array(y)
    if not hasattr(joined, "_derivative") or derivative_errors.number != errors:
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
