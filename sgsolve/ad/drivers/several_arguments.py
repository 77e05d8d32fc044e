"""Derivatives with respect to several arguments: one block of the Jacobian for each argument.

All arguments are parts of one vector of unknowns, one after the other. A block consists of the
columns of one argument. Computing dF/dx and dF/dp together costs little more than dF/dx alone.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from ...errors import DerivativeError, InputError
from ..array import ADArray
from ..derivatives.derivative import same_evaluation
from .function_calls import evaluate
from .seeding import as_numeric, has_kernels, must_be_ad, seed


def seed_all(*arguments: ArrayLike) -> tuple[ADArray, ...]:
    """Return all arguments as AD arrays in one common vector of unknowns.

    Parameters
    ----------
    *arguments : array_like, any shapes, scalars too
        Numbered in the order given; their dtypes are promoted to a common one.

    Returns
    -------
    tuple of ADArray
        Each of the shape of its argument.

    Raises
    ------
    InputError
        If there are no arguments.

    See Also
    --------
    jacobian_blocks : Reads the derivatives.
    value_and_jacobian_blocks : Does both for a function.
    seed : One argument.

    Examples
    --------
    >>> from sgsolve import ad
    >>> x, p = ad.seed_all([1.0, 2.0], 3.0)
    >>> dx, dp = ad.jacobian_blocks(p * x ** 2, x, p)
    >>> dx.toarray(), dp.toarray()
    (array([[ 6.,  0.],
           [ 0., 12.]]), array([[1.],
           [4.]]))
    """
    if not arguments:
        raise InputError("seed_all needs at least one argument")
    arrays = [as_numeric(a) for a in arguments]
    edges = np.cumsum([0, *(a.size for a in arrays)])
    unknowns: Any = seed(np.concatenate([a.ravel() for a in arrays]))
    parts = [
        unknowns[int(begin) : int(end)].reshape(a.shape)
        for a, begin, end in zip(arrays, edges[:-1], edges[1:], strict=True)
    ]
    # Copies: what is written into one of them does not concern the others.
    return tuple(map(copy.copy, parts))


def jacobian_blocks(y: ADArray, *arguments: ADArray) -> tuple[Any, ...]:
    """Return the Jacobian of y as one ``csr_array`` for each of the seeded arguments.

    Parameters
    ----------
    y : ADArray
        A result of arrays from `seed_all`.
    *arguments : ADArray
        What `seed_all` returned, all or some of them, in any order.

    Returns
    -------
    tuple of csr_array
        One of shape (y.size, argument.size) for each argument.

    Raises
    ------
    DerivativeError
        If an argument is not a seed: not a part of the unknowns, as they were.
    DataTypeError
        If y or an argument is no AD array, a function for example.

    See Also
    --------
    seed_all : Makes the arguments.
    value_and_jacobian_blocks : Does both for a function.

    Examples
    --------
    >>> from sgsolve import ad
    >>> x, p = ad.seed_all([1.0, 2.0], 3.0)
    >>> (dp,) = ad.jacobian_blocks(p * x, p)
    >>> dp.toarray().tolist()
    [[1.0], [2.0]]
    """
    must_be_ad("y", y, "evaluate f, or use value_and_jacobian_blocks")
    for number, argument in enumerate(arguments):
        must_be_ad(f"argument {number}", argument, "give the arrays that seed_all returned")
    J = y.jacobian.tocsc()
    parts = []
    for number, argument in enumerate(arguments):
        begin = _first_unknown(argument, y, number)
        parts.append(sp.csr_array(J[:, begin : begin + argument.size]))
    return tuple(parts)


def _first_unknown(argument: ADArray, y: ADArray, number: int) -> int:
    """Return the number of the first unknown of a seed; raise if it is no seed."""
    J = argument.jacobian
    begin = int(J.indices[0]) if J.nnz else 0
    same = argument._derivative.root is y._derivative.root
    whole = same and J.nnz == argument.size and bool((J.data == 1).all())
    if not (whole and np.array_equal(J.indices, np.arange(begin, begin + J.nnz))):
        raise DerivativeError(
            f"jacobian_blocks: argument {number} is not one of the arrays that seed_all returned"
        )
    return begin


def value_and_jacobian_blocks(
    f: Callable[..., Any], arguments: Sequence[ArrayLike], /, *args: Any, **kwargs: Any
) -> tuple[Any, tuple[Any, ...]]:
    """Return ``f(*arguments, *args, **kwargs)`` and its Jacobian blocks, from one evaluation.

    Parameters
    ----------
    f : callable
        The function, in NumPy.
    arguments : sequence of array_like
        The arguments to differentiate; they come first.
    *args, **kwargs
        Further arguments of `f`, constants.

    Returns
    -------
    value : ndarray
        The value of f.
    blocks : tuple of csr_array
        One for each differentiated argument.

    Raises
    ------
    DerivativeError
        If f does not return an AD array.

    See Also
    --------
    value_and_jacobian : One argument.
    seed_all, jacobian_blocks : The two steps of it.

    Examples
    --------
    >>> from sgsolve import ad
    >>> def line(x, p):
    ...     return p[0] * x + p[1]
    >>> F, (dx, dp) = ad.value_and_jacobian_blocks(line, ([1.0, 2.0], [3.0, 4.0]))
    >>> dx.toarray(), dp.toarray()
    (array([[3., 0.],
           [0., 3.]]), array([[1., 1.],
           [2., 1.]]))
    """
    seeds = seed_all(*arguments)
    y = evaluate(f, *map(copy.copy, seeds), *args, **kwargs)  # f may write into its arguments
    if not isinstance(y, ADArray):
        raise DerivativeError(f"f returned {type(y).__name__}, not an AD array")
    return y.value, jacobian_blocks(y, *seeds)


def jacobian_function(
    f: Callable[..., Any], argnum: int = 0, dense: bool = False
) -> Callable[..., Any]:
    """Return the function that gives the Jacobian of f, for SciPy's ``jac=`` arguments.

    Parameters
    ----------
    f : callable
        The function, in NumPy.
    argnum : int
        Which argument to differentiate: 1 for ``f(t, y)`` of `scipy.integrate.solve_ivp`.
    dense : bool
        Return an ndarray, for solvers that take no sparse matrix (`scipy.optimize.root`,
        ``minimize``), with one axis only where f returns a scalar.

    Returns
    -------
    callable
        With the arguments of `f`; returns a ``csr_array``, or an ndarray. It can be pickled if f
        can, as for a fit in several processes.

    Raises
    ------
    InputError
        At a call with too few arguments for `argnum`.

    See Also
    --------
    jacobian : The Jacobian at one point.
    sgsolve.root : Solves with this Jacobian, with the arguments of SciPy.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import integrate, optimize
    >>> from sgsolve import ad

    A stiff system, with a sparse Jacobian in each implicit step:

    >>> def rhs(t, y):
    ...     return np.stack([-1000.0 * y[0] + y[1] ** 2, -y[1]])
    >>> run = integrate.solve_ivp(rhs, (0, 1), [1.0, 1.0], method="BDF", rtol=1e-8,
    ...                           jac=ad.jacobian_function(rhs, argnum=1))
    >>> print(f"{run.y[1, -1]:.4f}")
    0.3679

    Least squares, a system of equations, and a constrained minimum:

    >>> def residual(x):
    ...     return np.hstack([10 * (x[1:] - x[:-1] ** 2), 1 - x[:-1]])
    >>> fit = optimize.least_squares(residual, [2.0, 2.0, 2.0], jac=ad.jacobian_function(residual))
    >>> fit.x.round(6)
    array([1., 1., 1.])
    >>> def equations(x):
    ...     return x ** 3 + x[::-1] - 2.0
    >>> J = ad.jacobian_function(equations, dense=True)
    >>> optimize.root(equations, [0.5, 2.0], jac=J).x.round(6)
    array([1., 1.])
    >>> def cost(x):
    ...     return np.sum((x - 2.0) ** 2)
    >>> def circle(x):
    ...     return np.sum(x * x) - 2.0
    >>> on_circle = {"type": "eq", "fun": circle, "jac": ad.jacobian_function(circle, dense=True)}
    >>> best = optimize.minimize(cost, [1.0, 0.0], jac=ad.jacobian_function(cost, dense=True),
    ...                          constraints=on_circle, method="SLSQP")
    >>> best.x.round(5)
    array([1., 1.])
    """
    return partial(_jacobian_at, f, argnum, dense)


def _jacobian_at(
    f: Callable[..., Any], argnum: int, dense: bool, /, *args: Any, **kwargs: Any
) -> Any:
    """Return the Jacobian of f at its arguments; see `jacobian_function`."""
    J: Any
    if not -len(args) <= argnum < len(args):
        raise InputError(
            f"jacobian_function: argument {argnum} of {len(args)} cannot be differentiated"
        )
    if has_kernels(f) and argnum % len(args) == 0:
        try:
            y, J = f.value_and_jacobian(*args, **kwargs)
            return J.toarray().reshape((*y.shape, J.shape[1])) if dense else J
        except DerivativeError:  # perhaps a constant
            pass
    given = list(args)
    given[argnum] = seed(args[argnum])
    y = evaluate(f, *given, **kwargs)
    if not isinstance(y, ADArray):
        # A constant: the solver may ask at a point where f does not depend on x.
        J = sp.csr_array((np.size(y), np.size(args[argnum])))
        return J.toarray().reshape(np.shape(y) + (-1,)) if dense else J
    same_evaluation(y._derivative, given[argnum]._derivative)
    J = y.jacobian
    return J.toarray().reshape((*y.shape, J.shape[1])) if dense else J
