"""Derivative rules that the user defines for a ufunc of another library."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ....errors import DataTypeError, InputError, ShapeError
from ...rules import scipy_parameters
from ...rules.numpy_ufuncs import BINARY, CHOICES, UNARY
from ...rules.quiet import quiet
from ...ufuncs.ufunc_calls import DECISIONS, DEFINED, SEVERAL

PartialFunction = Callable[..., Any]


def define_rule(
    ufunc: np.ufunc, partials: PartialFunction | Sequence[PartialFunction | None]
) -> None:
    """Define the derivative of a ufunc, so that it can be called with AD arrays.

    For ufuncs made by Numba's ``vectorize`` with signatures, by Cython or in C, and for functions
    of scipy.special without a rule. For any other function there is `elementwise`.

    Parameters
    ----------
    ufunc : numpy.ufunc
        Elementwise, with one result of floating type. A second call for the same ufunc replaces
        the rule.
    partials : callable, or sequence of callables
        Partial derivative with respect to each argument, called with the same arguments as the
        ufunc. It returns a number or an array of the shape of the result. None for an argument
        that is never differentiated.

    Raises
    ------
    DataTypeError
        If `ufunc` is not a ufunc.
    InputError
        If the ufunc has several results, acts on whole vectors, returns Python objects, or has a
        rule of this library. Or if there is not one partial derivative for each argument.

    See Also
    --------
    elementwise : The same for any function that is not a ufunc.
    check_jacobian : Compares the rule with differences.

    Examples
    --------
    >>> from scipy import special
    >>> from sgsolve import ad
    >>> def derivative(p):  # of the elliptic integral K at 1 - p
    ...     return (p * special.ellipkm1(p) - special.ellipe(1.0 - p)) / (2.0 * p * (1.0 - p))
    >>> ad.define_rule(special.ellipkm1, derivative)
    >>> special.ellipkm1(ad.seed([0.25])).jacobian.toarray().round(6)
    array([[-1.791806]])
    >>> print(ad.check_jacobian(special.ellipkm1, [0.25, 0.5]).ok)
    True
    """
    functions = list(partials) if isinstance(partials, Sequence) else [partials]
    _check_ufunc(ufunc)
    if len(functions) != ufunc.nin or not all(f is None or callable(f) for f in functions):
        raise InputError(
            f"define_rule: {ufunc.__name__} has {ufunc.nin} arguments and needs as many partial "
            f"derivatives, functions or None; {len(functions)} objects were given"
        )
    if all(f is None for f in functions):
        raise InputError(f"define_rule: no partial derivative of {ufunc.__name__} was given")
    DEFINED[ufunc] = _rule(ufunc, functions)


def _check_ufunc(ufunc: Any) -> None:
    if not isinstance(ufunc, np.ufunc):
        raise DataTypeError(
            f"define_rule: expected a numpy ufunc, not {type(ufunc).__name__}; for other functions "
            "use ad.elementwise(f, dfdx)"
        )
    name = ufunc.__name__
    if ufunc.nout != 1 or ufunc.signature is not None:
        raise InputError(
            f"define_rule: {name} has several results or acts on whole vectors; write it in terms "
            "of elementwise functions, or use ad.elementwise(f, dfdx) for each result"
        )
    if all(types.endswith("O") for types in ufunc.types):
        raise InputError(
            f"define_rule: {name} returns Python objects, not numbers; use "
            f"ad.elementwise(lambda x: {name}(x).astype(float), dfdx)"
        )
    of_parameters = (scipy_parameters.FUNCTIONS, scipy_parameters.SEVERAL)
    tables: Any = (UNARY, BINARY, CHOICES, DECISIONS, SEVERAL, *of_parameters)
    if any(ufunc in table for table in tables):
        raise InputError(
            f"define_rule: {name} has a rule already; to use another derivative, write "
            f"ad.elementwise({name}, dfdx) and call the function that it returns"
        )


def _rule(ufunc: np.ufunc, partials: Sequence[Any]) -> Any:
    def rule(y: Any, *arguments: Any) -> tuple[Any, ...]:
        return tuple(
            None if f is None else _checked_slope(ufunc, f(*arguments), y) for f in partials
        )

    return quiet(rule)


def _checked_slope(ufunc: np.ufunc, slope: Any, y: Any) -> Any:
    """Return a partial derivative as an array of its own; the user may keep and change his."""
    own = np.array(slope)
    if own.dtype.kind not in "biufc":
        raise DataTypeError(
            f"a partial derivative of {ufunc.__name__} has dtype {own.dtype}; it must be numbers"
        )
    if own.shape not in ((), np.shape(y)):
        raise ShapeError(
            f"a partial derivative of {ufunc.__name__} has shape {own.shape} where the result has "
            f"shape {np.shape(y)}"
        )
    return own if own.ndim else np.full(np.shape(y), own)
