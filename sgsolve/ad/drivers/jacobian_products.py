"""Products of a Jacobian with a vector, from the right and from the left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ...errors import ShapeError
from ..array import ADArray
from ..derivatives.bounded import Bounded
from ..derivatives.derivative import same_evaluation
from ..derivatives.folded import Folded
from ..derivatives.sparsity import begin
from ..structures.root import evaluation_of
from .function_calls import evaluate
from .seeding import as_numeric, value_and_jacobian

Function = Callable[..., Any]


def jvp(f: Function, x: ArrayLike, v: ArrayLike, /, *args: Any, **kwargs: Any) -> Any:
    """Return f(x) and the directional derivative (df/dx) v, without forming the Jacobian.

    The cost is that of about two evaluations of f, whatever the number of unknowns.

    Parameters
    ----------
    f : callable
        ``f(x, *args, **kwargs)`` -> array, in NumPy.
    x : array_like
        The point.
    v : array_like, of the shape of x
        The direction.
    *args, **kwargs
        Passed to `f`.

    Returns
    -------
    value, derivative : ndarray, each of the shape of f(x)
        f(x), and its derivative in the direction v.

    Raises
    ------
    ShapeError
        If x and v have different shapes.

    See Also
    --------
    vjp : The product from the left.
    jacobian : The whole matrix.

    Examples
    --------
    >>> from sgsolve import ad
    >>> ad.jvp(lambda x: x[0] * x[1:], [2.0, 3.0, 4.0], [1.0, 0.0, 0.5])[1]
    array([3., 5.])
    """
    x, v = as_numeric(x), as_numeric(v)
    if x.shape != v.shape:
        raise ShapeError(f"jvp: x has shape {x.shape}, the direction {v.shape}")
    value, slopes = _directional(Folded, f, x, v, *args, **kwargs)
    lost = np.isnan(slopes) & np.isfinite(value)
    if lost.any():  # parts of f may have overflowed
        slopes = np.where(lost, _directional(Bounded, f, x, v, *args, **kwargs)[1], slopes)
    return value, slopes


def _directional(
    form: type[Folded], f: Function, x: Any, v: Any, /, *args: Any, **kwargs: Any
) -> Any:
    evaluation = evaluation_of(1, real=x.dtype.kind != "c" and v.dtype.kind != "c")
    begin(evaluation, all_branches=False)
    structure = evaluation.root.selection(np.zeros(x.size, dtype=np.int32))
    direction = v.ravel().astype(np.result_type(v, float))
    derivative = form(evaluation, {structure: (0.0, 1.0, direction, None)})
    y = evaluate(f, ADArray(x, derivative), *args, **kwargs)
    if not isinstance(y, ADArray):
        return np.asarray(y), np.zeros(np.shape(y))
    same_evaluation(y._derivative, derivative)
    return y.value, y.jacobian.toarray().reshape(y.shape)


def vjp(f: Function, x: ArrayLike, w: ArrayLike, /, *args: Any, **kwargs: Any) -> Any:
    """Return f(x) and w (df/dx), from the sparse Jacobian.

    Parameters
    ----------
    f : callable
        ``f(x, *args, **kwargs)`` -> array, in NumPy.
    x : array_like
        The point.
    w : array_like, of the shape of f(x)
        The weights of the rows.
    *args, **kwargs
        Passed to `f`.

    Returns
    -------
    value : ndarray
        f(x).
    product : ndarray, of the shape of x
        The product of w with the Jacobian.

    Raises
    ------
    ShapeError
        If w and f(x) have different shapes.

    See Also
    --------
    jvp : The product from the right.
    jacobian : The whole matrix.

    Examples
    --------
    >>> from sgsolve import ad
    >>> ad.vjp(lambda x: x[0] * x[1:], [2.0, 3.0, 4.0], [1.0, 1.0])[1]
    array([7., 2., 2.])
    """
    y, J = value_and_jacobian(f, x, *args, **kwargs)
    w = as_numeric(w)
    if w.shape != y.shape:
        raise ShapeError(f"vjp: f(x) has shape {y.shape}, w has shape {w.shape}")
    return y, (J.T @ w.ravel()).reshape(np.shape(x))
