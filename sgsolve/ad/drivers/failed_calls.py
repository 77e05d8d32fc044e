"""Errors of a function that an AD array caused: name the call, and what to write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...errors import DataTypeError, DerivativeError, SgsolveError
from ...private_api import (
    is_of_argument,
    is_of_array_attribute,
    is_of_hash,
    is_of_index,
    is_of_unpacking,
    is_without_form_for_objects,
)
from ..assignments import array_makers
from ..assignments.assignment import is_written
from ..conversions import refusals
from ..conversions.library_callers import name_of_caller
from ..derivatives.symbols import UntraceableError

OF_FIELDS = (
    "The argument is one vector of all unknowns. Problem(..., blocks={'u': (n, n), 'v': n}, "
    "fields=True) calls the residual with one argument for each block, residual(u, v)."
)


def _is_of(f: Callable[..., Any], error: Exception) -> bool:
    """Whether the code of a function itself raised an error, and not one that it called."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback is not None and traceback.tb_frame.f_code is getattr(f, "__code__", None)


def explain(
    error: Exception, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    """Raise in place of an error of f one that says what to write, if an AD array caused it.

    It did if f of plain numbers raises no error.
    """
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
                raise refusals.AsIndexError from error
            error.add_note(OF_FIELDS)
    elif isinstance(error, ValueError):
        if is_of_unpacking(error) and _is_of(f, error):
            error.add_note(OF_FIELDS)
        _explain_refused_value(error, args)
    _explain_by_numbers(error, f, args, kwargs)


def _explain_by_numbers(
    error: Exception, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    """Raise in place of an error that f of plain numbers does not raise."""
    given = [a for a in (*args, *kwargs.values()) if hasattr(a, "_derivative")]
    if isinstance(error, (SgsolveError, UntraceableError)) or not given:
        return
    if any(hasattr(a._value, "record") or is_written(a) for a in given):
        return  # an argument that f has written into is another one
    name = name_of_caller(error)
    if name is None and not isinstance(error, (TypeError, AttributeError)):
        return
    plain = array_makers.plain_argument
    try:
        f(*map(plain, args), **{k: plain(a) for k, a in kwargs.items()})
    except Exception:  # of whatever kind: f fails by itself, and its own error stands
        return
    said = f"{type(error).__name__}: {error}"
    raise DerivativeError(
        f"{refusals.of_plain_arrays(name)} ({said})"
        if name
        else f"{said}. An AD array stands for an ndarray or a number here, which raises no error; "
        "use operators and functions of NumPy, y = y.reshape(shape) in place of y.shape = shape"
    ) from error


def _hold_derivative(args: tuple[Any, ...]) -> bool:
    return any(hasattr(a, "_derivative") for a in args)


def _explain_refused_argument(error: Exception, args: tuple[Any, ...]) -> None:
    """Raise in place of an error of a function that takes no AD array, or no array of them."""
    _explain_missing_form(error, args)
    if refusals.swallowed(error) and not isinstance(error, DerivativeError):
        raise DerivativeError(refusals.ITERATED) from error
    if is_of_hash(error, "ADArray"):
        name = name_of_caller(error)
        raise DerivativeError(
            refusals.of_plain_arrays(name)
            if name
            else "an AD array cannot be a key of a dictionary or an element of a set; use its "
            "position, or a constant"
        ) from error
    if is_of_argument(error, "ADArray"):
        raise DerivativeError(
            f"compiled code takes plain arrays only ({error}): {refusals.SOLVED}"
        ) from error


def _explain_missing_form(error: Exception, args: tuple[Any, ...]) -> None:
    """Raise in place of an error for an array of objects, which a function has no form for."""
    if isinstance(error, DerivativeError) or not _hold_derivative(args):
        return
    inside_numpy = is_of_array_attribute(error) and name_of_caller(error) is not None
    if inside_numpy or is_without_form_for_objects(error):
        raise DerivativeError(
            f"{refusals.STACK}: np.array([...]) of AD arrays is an array of objects, for which "
            f"NumPy has few functions ({error})"
        ) from error


def _explain_refused_value(error: ValueError, args: tuple[Any, ...]) -> None:
    """Raise in place of an error of NumPy or SciPy that an AD array caused."""
    _explain_missing_form(error, args)
    if isinstance(error.__cause__, DerivativeError) or refusals.swallowed(error):
        name = name_of_caller(error)
        if name is not None and name.startswith("scipy."):
            raise DerivativeError(refusals.of_plain_arrays(name)) from error
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
