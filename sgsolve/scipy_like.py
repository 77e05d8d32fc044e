"""root: this package behind the signature of `scipy.optimize.root`.

One idea: whoever comes from SciPy changes an import, keeps the call, and gets exact sparse
Jacobians; the result answers to SciPy's names and to ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .continuation import default_ladder
from .errors import InputError
from .problem import Problem
from .result.result import Result
from .solvers import (
    DampedNewton,
    Error,
    LevenbergMarquardt,
    Newton,
    NewtonKrylov,
    PseudoTransient,
    Residual,
    Rounding,
    TrustRegion,
)

METHODS: dict[str, Callable[..., Any]] = {
    "robust": default_ladder,
    "newton": Newton,
    "damped": DampedNewton,
    "hybr": TrustRegion,
    "lm": LevenbergMarquardt,
    "krylov": NewtonKrylov,
    "ptc": PseudoTransient,
}


def root(
    fun: Callable[..., Any],
    x0: ArrayLike,
    args: Any = (),
    method: Any = "robust",
    jac: Any = None,
    tol: float | None = None,
    callback: Callable[[Any, Any], Any] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Result:
    """Find a root of a vector function; never raises for a failure to converge, as SciPy.

    Parameters
    ----------
    fun : callable
        ``fun(x, *args)`` -> array of shape (n,), in NumPy; or (F, J) if `jac` is True.
    x0 : array_like
        Flattened.
    args : tuple
        Further arguments of `fun` and `jac`.
    method : str or solver
        "robust", "newton", "damped", "hybr" (`TrustRegion`), "lm", "krylov", "ptc", or a solver
        of `sgsolve.solvers`.
    jac : callable or bool, optional
        Jacobian, sparse or dense; by default automatic differentiation.
    tol : float, optional
        Relative error of x.
    callback : callable, optional
        ``callback(x, f)`` after every iteration.
    options : mapping, optional
        Parameters of the solver, such as ``{"max_iterations": 20}``.

    Returns
    -------
    Result
        With SciPy's x, success, status, message, fun, nfev, njev, nit.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve import root
    >>> root(lambda x: np.cos(x) - x, [1.0]).x.round(6).tolist()
    [0.739085]
    """
    args = args if isinstance(args, tuple) else (args,)
    solver = _solver(method, tol, dict(options or {}))
    watch = None if callback is None else lambda it: callback(it.x, it.F)
    problem = Problem(_residual(fun, args, jac), jacobian=_jacobian(fun, args, jac))
    start = np.asarray(x0).ravel()
    return problem.solve(start, solver, raise_on_failure=False, callback=watch)


def _solver(method: Any, tol: float | None, options: dict[str, Any]) -> Any:
    if not isinstance(method, str):
        if options or tol is not None:
            raise InputError("tol and options go with a method's name; set them in the solver")
        return method
    if method not in METHODS:
        raise InputError(f"unknown method {method!r}; known are {', '.join(METHODS)}")
    if tol is not None:
        if not tol > 0.0:
            raise InputError(f"tol must be positive, not {tol}")
        options.setdefault("termination", Residual() & (Error(tol) | Rounding()))
    try:
        return METHODS[method](**options)
    except TypeError as error:
        raise InputError(f"options of method {method!r}: {error}") from None


def _residual(fun: Any, args: tuple[Any, ...], jac: Any) -> Callable[[Any], Any]:
    if jac is True:
        return lambda x: fun(x, *args)[0]
    return lambda x: fun(x, *args)


def _jacobian(fun: Any, args: tuple[Any, ...], jac: Any) -> Callable[[Any], Any] | None:
    if jac is True:
        return lambda x: fun(x, *args)[1]
    if jac is None or jac is False:
        return None
    if not callable(jac):
        raise InputError(f"jac must be a function, True, False or None, not {jac!r}")
    return lambda x: jac(x, *args)
