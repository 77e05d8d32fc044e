"""Compare a Jacobian with differences, and compute derivatives along one direction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError, ShapeError
from .array import ADArray
from .derivatives.derivative import same_evaluation
from .derivatives.folded import Folded
from .derivatives.sparsity import begin
from .drivers import as_numeric, value_and_jacobian
from .function_calls import evaluate
from .structures.root import evaluation_of

Function = Callable[..., Any]


def jvp(f: Function, x: ArrayLike, v: ArrayLike, *args: Any, **kwargs: Any) -> Any:
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
    evaluation = evaluation_of(1, real=x.dtype.kind != "c" and v.dtype.kind != "c")
    begin(evaluation, all_branches=False)
    structure = evaluation.root.selection(np.zeros(x.size, dtype=np.int32))
    direction = v.ravel().astype(np.result_type(v, float))
    derivative = Folded(evaluation, {structure: (0.0, 1.0, direction, None)})
    y = evaluate(f, ADArray(x, derivative), *args, **kwargs)
    if not isinstance(y, ADArray):
        return np.asarray(y), np.zeros(np.shape(y))
    same_evaluation(y._derivative, derivative)
    return y.value, y.jacobian.toarray().reshape(y.shape)


def vjp(f: Function, x: ArrayLike, w: ArrayLike, *args: Any, **kwargs: Any) -> Any:
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


@dataclass(frozen=True)
class JacobianCheck:
    """Outcome of `check_jacobian`; true if the Jacobian agrees with the differences.

    Attributes
    ----------
    ok : bool
        Whether they agree.
    error : float
        Largest difference, relative to the largest entry of its column (or 1).
    row, column : int
        Where it is; -1 if there was nothing to compare.
    method : str
        "complex step" or "central differences", whichever agreed better in that column.
    columns : int
        Number of columns that were compared.

    See Also
    --------
    check_jacobian : Returns it.

    Examples
    --------
    >>> from sgsolve import ad
    >>> check = ad.check_jacobian(lambda x: x**2, [1.0, 2.0])
    >>> check.ok, check.columns
    (True, 2)
    """

    ok: bool
    error: float
    row: int
    column: int
    method: str
    columns: int

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        verdict = "agrees" if self.ok else "DISAGREES"
        return (
            f"Jacobian {verdict} with {self.method} in {self.columns} columns: largest relative "
            f"difference {self.error:.1e} at row {self.row}, column {self.column}"
        )


def check_jacobian(
    f: Function,
    x: ArrayLike,
    *args: Any,
    jacobian: Any = None,
    tol: float = 1e-5,
    columns: int = 100,
    seed: int = 0,
    **kwargs: Any,
) -> JacobianCheck:
    """Compare the Jacobian of f at x with complex steps and central differences.

    Parameters
    ----------
    f : callable
        ``f(x, *args, **kwargs)`` -> array.
    x : array_like of float
        The point.
    *args
        Passed to `f`.
    jacobian : sparse or dense matrix, optional
        The Jacobian to check; that of AD by default.
    tol : float
        Relative difference that counts as agreement. Central differences of a smooth function
        reach about 1e-8. The default, 1e-5, also admits functions that are less smooth.
    columns : int
        Compare all columns up to this many, else as many chosen at random.
    seed : int
        Of the random choice.
    **kwargs
        Passed to `f`.

    Returns
    -------
    JacobianCheck
        True if they agree.

    Raises
    ------
    InputError
        If x or f(x) is not finite.
    ShapeError
        If `jacobian` has another shape than df/dx.

    See Also
    --------
    Problem.check_jacobian : The same for the residual of a problem.
    jacobian : The Jacobian by automatic differentiation.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve import ad
    >>> bool(ad.check_jacobian(lambda x: x[1:] * np.sin(x[:-1]), [0.1, 0.2, 0.3]))
    True
    """
    x = as_numeric(x).astype(float)
    if not np.isfinite(x).all():
        raise InputError("check_jacobian: x is not finite")
    if jacobian is None:
        _, jacobian = value_and_jacobian(f, x, *args, **kwargs)
    y = np.asarray(evaluate(f, x, *args, **kwargs), dtype=float)
    if not np.isfinite(y).all():
        raise InputError("check_jacobian: f(x) is not finite; choose another x")
    J: Any = jacobian.tocsc() if hasattr(jacobian, "tocsc") else np.asarray(jacobian)
    if J.shape != (y.size, x.size):
        raise ShapeError(
            f"check_jacobian: the jacobian has shape {J.shape}, not ({y.size}, {x.size})"
        )
    n = x.size
    chosen = np.arange(n)
    if n > columns:
        chosen = np.sort(np.random.default_rng(seed).choice(n, columns, replace=False))
    worst = (-1.0, -1, -1, "central differences")
    for j in chosen:
        column = J[:, [j]].toarray().ravel() if hasattr(J, "toarray") else J[:, j]
        worst = max(worst, _compare(f, x, int(j), column, args, kwargs), key=lambda w: w[0])
    error = max(worst[0], 0.0)
    return JacobianCheck(error <= tol, error, worst[1], worst[2], worst[3], len(chosen))


def _compare(
    f: Function, x: NDArray[Any], j: int, column: Any, args: Any, kwargs: Any
) -> tuple[float, int, int, str]:
    """Return (error, row, column, method) of the better of two estimates of one column."""
    scale = max(1.0, float(np.abs(column).max(initial=0.0)))
    outcomes = []
    for method, estimate in (("complex step", _complex_step), ("central differences", _central)):
        other = estimate(f, x, j, args, kwargs)
        if other is None or not np.isfinite(other).all():
            continue
        difference = np.abs(other - column) / scale
        row = int(np.argmax(difference)) if len(difference) else -1
        outcomes.append((float(difference.max(initial=0.0)), row, j, method))
    return min(outcomes) if outcomes else (float("inf"), -1, j, "central differences")


def _complex_step(f: Function, x: NDArray[Any], j: int, args: Any, kwargs: Any) -> Any:
    z = x.astype(complex)
    z.reshape(-1)[j] += 1e-30j
    try:
        with np.errstate(all="ignore"):
            return np.imag(np.asarray(evaluate(f, z, *args, **kwargs))).ravel() / 1e-30
    except TypeError:
        return None  # f has no complex form: floor, arctan2, a Python float ...


def _central(f: Function, x: NDArray[Any], j: int, args: Any, kwargs: Any) -> Any:
    h = 6e-6 * max(1.0, abs(float(x.reshape(-1)[j])))
    ends = []
    for step in (h, -h):
        z = x.copy()
        z.reshape(-1)[j] += step
        with np.errstate(all="ignore"):
            ends.append(np.asarray(evaluate(f, z, *args, **kwargs), dtype=float).ravel())
    return (ends[0] - ends[1]) / (2.0 * h)
