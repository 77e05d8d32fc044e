"""Seed the unknowns, and compute Jacobians, their values and their sparsity patterns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import DataTypeError, DerivativeError, ShapeError
from ...pattern import Pattern
from ..array import ADArray
from ..derivatives.coefficients import UNIT
from ..derivatives.derivative import same_evaluation
from ..derivatives.sparsity import Sparsity, begin
from ..programs.computation import pattern_and_values, pattern_of_derivative
from ..programs.recorded import Recorded
from ..programs.tape import Tape
from ..structures.root import evaluation_of
from .function_calls import as_array, result_of


def seed(x: ArrayLike) -> ADArray:
    """Return x as an AD array: its elements are the unknowns.

    Parameters
    ----------
    x : array_like, any shape
        Integers, floats or complex numbers of any precision; copied. For more than one
        dimension the unknowns are numbered in C order.

    Returns
    -------
    ADArray
        It begins an evaluation: arrays made from two seeds cannot be combined.

    Raises
    ------
    DataTypeError
        If x is not numeric.

    See Also
    --------
    value_and_jacobian : Seeds, evaluates and reads in one call.
    seed_all : Several arguments with derivatives of their own.
    seed_sparsity : The sparsity pattern only.

    Examples
    --------
    >>> from sgsolve import ad
    >>> x = ad.seed([3.0, 4.0])
    >>> (x[0] * x[1]).jacobian.toarray()
    array([[4., 3.]])
    """
    value = as_numeric(x)
    evaluation = evaluation_of(value.size, value.dtype.kind != "c")
    begin(evaluation, all_branches=False)
    tape = Tape(evaluation)
    return ADArray(value, Recorded(tape, tape.graph.start))


def seed_sparsity(x: ArrayLike) -> ADArray:
    """Return x as an AD array that records the sparsity pattern only, for every branch at once.

    In ``f(seed_sparsity(x)).sparsity`` both sides of `where` and `branch` count, and factors that
    happen to be zero. The pattern holds at every x if Python ``if`` on values takes the same way.

    Parameters
    ----------
    x : array_like, any shape
        A point at which the code can run.

    Returns
    -------
    ADArray
        Its ``jacobian`` has no values; read ``sparsity``.

    See Also
    --------
    sparsity_pattern : Reads the pattern.
    seed : The derivatives.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve import ad
    >>> x = ad.seed_sparsity([1.0, 2.0])
    >>> np.where(x > 0.0, x, x[::-1]).sparsity.toarray().tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    value = as_numeric(x)
    evaluation = evaluation_of(value.size, value.dtype.kind != "c")
    begin(evaluation, all_branches=True)
    return ADArray(value, Sparsity(evaluation, {evaluation.root: UNIT}))


def as_numeric(x: ArrayLike) -> NDArray[Any]:
    """Return x as an array of numbers; raise `DataTypeError` if it is none."""
    if type(x) is not np.ndarray:
        _must_have_values(x)
    try:
        value = np.array(x)
    except (TypeError, ValueError) as error:
        raise DataTypeError(f"x cannot become an array of numbers: {error}") from error
    if value.dtype.kind not in "iufc":
        raise DataTypeError(f"x must be numbers, not dtype {value.dtype}")
    return value


def _must_have_values(x: Any) -> None:
    if isinstance(x, ADArray):
        raise DerivativeError("x is an AD array already; nested derivatives are not supported")
    if np.ma.is_masked(x):
        raise DataTypeError("x is a masked array; give every unknown a value, x.filled(value)")


def value(y: Any) -> Any:
    """Return the numbers of an AD array (read-only); anything else comes back unchanged.

    Parameters
    ----------
    y : ADArray or anything else
        What may be an AD array.

    Returns
    -------
    ndarray, or y itself
        The numbers.

    See Also
    --------
    ADArray : ``y.value`` is the same.

    Examples
    --------
    >>> from sgsolve import ad
    >>> ad.value(ad.seed([1.0, 2.0])), ad.value(3.0)
    (array([1., 2.]), 3.0)
    """
    return y.value if isinstance(y, ADArray) else y


def jacobian_values(y: ADArray, pattern: Pattern) -> NDArray[Any]:
    """Return the values of dy/dx on a given pattern.

    Parameters
    ----------
    y : ADArray
        The result of a function of `seed`.
    pattern : Pattern, shape (y.size, n)
        Where the values go.

    Returns
    -------
    data : ndarray, shape (pattern.nnz,)
        For ``pattern.matrix(data)``; entries that y does not have are zero.

    Raises
    ------
    DataTypeError
        If `pattern` is no `Pattern`.
    ShapeError
        If the pattern has another shape than dy/dx.
    StructureError
        If y depends on an unknown that the pattern does not hold.

    See Also
    --------
    sparsity_pattern : Makes the pattern.

    Examples
    --------
    >>> from sgsolve import ad
    >>> def f(x):
    ...     return x[1:] * x[:-1]
    >>> pattern = ad.sparsity_pattern(f(ad.seed_sparsity([1.0, 2.0, 3.0])))
    >>> ad.jacobian_values(f(ad.seed([1.0, 2.0, 3.0])), pattern)
    array([2., 1., 3., 2.])
    """
    must_be_ad("y", y, "evaluate f(seed(x))")
    if not isinstance(pattern, Pattern):
        raise DataTypeError(
            f"jacobian_values: pattern must be a Pattern, not {type(pattern).__name__}"
        )
    y._needs_coefficients()
    shape = (y.size, len(y._derivative.root.cols))
    if pattern.shape != shape:
        raise ShapeError(f"the pattern has shape {pattern.shape}, the derivative {shape}")
    _, data = pattern_and_values(y._derivative, y.size, y._jacobian_dtype(), pattern)
    return data


def sparsity_pattern(y: ADArray) -> Pattern:
    """Return the pattern of dy/dx. After `seed_sparsity` it holds on every branch.

    Parameters
    ----------
    y : ADArray
        The result of a function of `seed_sparsity` or `seed`.

    Returns
    -------
    Pattern, shape (y.size, n)
        Where dy/dx may have entries.

    See Also
    --------
    seed_sparsity : Makes the argument of the function.
    jacobian_values : The values on a pattern.
    Problem.sparsity : The pattern of a problem.

    Examples
    --------
    >>> from sgsolve import ad
    >>> x = ad.seed_sparsity([1.0, 2.0, 3.0])
    >>> ad.sparsity_pattern(x[1:] - x[:-1] ** 2).indices.tolist()
    [0, 1, 1, 2]
    """
    must_be_ad("y", y, "evaluate f(seed(x))")
    return pattern_of_derivative(y._derivative, y.size)


def must_be_ad(name: str, y: Any, advice: str) -> None:
    """Raise DataTypeError if something is no AD array."""
    if not isinstance(y, ADArray):
        raise DataTypeError(f"{name} must be an AD array, not {type(y).__name__}: {advice}")


def jacobian(f: Callable[..., Any], x: ArrayLike, /, *args: Any, **kwargs: Any) -> Any:
    """Return the sparse Jacobian df/dx at x.

    Parameters
    ----------
    f : callable
        ``f(x, *args, **kwargs)`` -> array, in NumPy.
    x : array_like
        The point.
    *args, **kwargs
        Passed to `f`.

    Returns
    -------
    csr_array, shape (f(x).size, x.size)
        The Jacobian.

    See Also
    --------
    value_and_jacobian : The value too, from one evaluation.
    jvp, vjp : Products with a vector.
    jacobian_function : The Jacobian as a function, for SciPy.

    Examples
    --------
    >>> from sgsolve import ad
    >>> ad.jacobian(lambda x: x[1:] - x[:-1] ** 2, [1.0, 2.0, 3.0]).toarray()
    array([[-2.,  1.,  0.],
           [ 0., -4.,  1.]])
    """
    return value_and_jacobian(f, x, *args, **kwargs)[1]


class DifferentiatesItself(Protocol):
    """A function that computes its Jacobian by compiled kernels."""

    def value_and_jacobian(
        self, x: ArrayLike, /, *args: Any, **kwargs: Any
    ) -> tuple[NDArray[Any], Any]:
        """Return the value at x and the sparse Jacobian."""
        ...


def has_kernels(f: Any) -> TypeGuard[DifferentiatesItself]:
    """Whether a function computes its Jacobian by compiled kernels."""
    return getattr(f, "has_kernels", False) is True


def value_and_jacobian(
    f: Callable[..., Any], x: ArrayLike, /, *args: Any, **kwargs: Any
) -> tuple[NDArray[Any], Any]:
    """Return f(x) and its sparse Jacobian from one evaluation.

    Parameters
    ----------
    f : callable
        ``f(x, *args, **kwargs)`` -> array, in NumPy. What `compiled` returned uses its kernels.
    x : array_like
        The point.
    *args, **kwargs
        Passed to `f`.

    Returns
    -------
    value : ndarray
        f(x).
    jacobian : csr_array, shape (f(x).size, x.size)
        df/dx at x.

    Raises
    ------
    DerivativeError
        If f does not return an AD array: it does not depend on x, or drops the derivative.

    See Also
    --------
    jacobian : The Jacobian only.
    value_and_jacobian_blocks : Derivatives with respect to several arguments.

    Examples
    --------
    >>> from sgsolve import ad
    >>> F, J = ad.value_and_jacobian(lambda x, a: a * x**2, [1.0, 2.0], 3.0)
    >>> F, J.toarray().tolist()
    (array([ 3., 12.]), [[6.0, 0.0], [0.0, 12.0]])
    """
    if has_kernels(f):
        return f.value_and_jacobian(x, *args, **kwargs)
    y = differentiated(f, x, *args, **kwargs)
    return y.value, y.jacobian


def differentiated(f: Callable[..., Any], x: ArrayLike, /, *args: Any, **kwargs: Any) -> ADArray:
    """Return f(x) with its derivative; raises `DerivativeError` without one."""
    unknowns = seed(x)
    y = result_of(f, unknowns, *args, **kwargs)
    if type(y) is not ADArray:
        y = as_array(y)
    if not isinstance(y, ADArray):
        raise DerivativeError(
            f"f returned {type(y).__name__}, not an AD array: it does not depend on x, or it "
            "converted x to plain numbers"
        )
    if y._derivative.root is not unknowns._derivative.root:
        same_evaluation(y._derivative, unknowns._derivative)
    return y
