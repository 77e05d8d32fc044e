"""Functions with derivatives given by the user."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ....errors import DerivativeError, InputError, ShapeError
from ...array import ADArray
from ...assignments.views import share_where_views
from ...ufuncs.ufunc_calls import raw_value, sum_of_parts

Function = Callable[..., Any]


def elementwise(f: Function, dfdx: Function | Sequence[Function]) -> Function:
    """Return f as a function of AD arrays, with derivatives that the user supplies.

    Parameters
    ----------
    f : callable
        Acts element by element on ndarrays of any one shape; any number of array arguments.
    dfdx : callable, or sequence of callables
        Partial derivative with respect to each argument, called with the same arguments as f;
        None for an argument that is never differentiated.

    Returns
    -------
    callable
        On plain ndarrays it is f itself.

    Raises
    ------
    InputError
        If f or a derivative is not callable.
    DerivativeError
        At a call with another number of arguments, or with an AD array for an argument that has no
        derivative.

    See Also
    --------
    define_rule : The same for a ufunc, which keeps its name.
    check_jacobian : Compares the derivatives with differences.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.special import jv
    >>> from sgsolve import ad
    >>> j2 = ad.elementwise(lambda x: jv(2, x), lambda x: 0.5 * (jv(1, x) - jv(3, x)))
    >>> j2(ad.seed([1.0])).jacobian.toarray().round(6)
    array([[0.210244]])
    """
    partials = list(dfdx) if isinstance(dfdx, Sequence) else [dfdx]
    if not callable(f) or not all(p is None or callable(p) for p in partials):
        raise InputError("elementwise: f and every dfdx must be callable")

    def rule(y: Any, which: list[bool], *values: Any) -> list[Any]:
        if len(values) != len(partials):
            raise DerivativeError(
                f"elementwise: f was called with {len(values)} arguments and has "
                f"{len(partials)} derivatives"
            )
        slopes = []
        for k, (partial, needed) in enumerate(zip(partials, which, strict=True)):
            if needed and partial is None:
                raise DerivativeError(f"elementwise: argument {k} has no derivative")
            slopes.append(partial(*values) if needed and partial is not None else None)
        return slopes

    return functools.wraps(f)(primitive(f, rule))


def primitive(f: Function, rule: Function) -> Function:
    """Return f as a function of AD arrays; ``rule(y, which, *values)`` gives the partials.

    `which` tells the arguments that carry derivatives; the partials of others are not used.
    """

    def applied(*args: Any) -> Any:
        which = [isinstance(a, ADArray) for a in args]
        if not any(which):
            return f(*args)
        values = [raw_value(a) for a in args]
        y = _values_of(f, values)
        shape = np.broadcast_shapes(*map(np.shape, values))
        if np.shape(y) != shape:
            raise ShapeError(
                f"an elementwise function returned shape {np.shape(y)} for arguments of "
                f"shape {shape}"
            )
        structure_only = any(a._derivative.is_sparsity for a in args if isinstance(a, ADArray))
        slopes = [1.0] * len(args) if structure_only else _slopes(rule, y, which, values)
        # A slope may be an array that the caller keeps and changes.
        own = [np.array(s) if isinstance(s, np.ndarray) else s for s in slopes]
        return share_where_views(from_partials(y, zip(args, own, strict=True)), args)

    return applied


def from_partials(value: Any, parts: Iterable[tuple[Any, Any]]) -> Any:
    """Return the AD array of a value and its partial derivatives.

    Parameters
    ----------
    value : ndarray
        Computed from the numbers of the arguments, see `raw_value`.
    parts : iterable of (argument, partial)
        Element by element. The partials are not copied. Arguments that are no AD arrays are left
        out; if none is one, the value itself is returned.
    """
    derivative = sum_of_parts(value, ((a, p) for a, p in parts if isinstance(a, ADArray)))
    return value if derivative is None else ADArray(value, derivative)


def _values_of(f: Function, values: list[Any]) -> Any:
    """Return ``f(*values)``; where values are traced, as one operation if f cannot be traced."""
    for v in values:
        if type(v) is not np.ndarray and hasattr(v, "record"):
            return v.record_partials(f, tuple(values))
    return f(*values)


def _slopes(rule: Function, y: Any, which: list[bool], values: list[Any]) -> Any:
    if type(y) is not np.ndarray and hasattr(y, "record"):
        return y.record_partials(rule, (y, tuple(which), *values))
    return rule(y, which, *values)
