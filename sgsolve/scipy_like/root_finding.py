"""`root`: the solvers of this package with the signature of `scipy.optimize.root`.

Code written for SciPy changes one import and gets exact sparse Jacobians. The result has SciPy's
names and those of this package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..errors import InputError
from ..problem import Problem
from ..results.result import Result
from ..solvers import (
    DampedNewton,
    LevenbergMarquardt,
    Newton,
    NewtonKrylov,
    PseudoTransient,
    Robust,
    TrustRegion,
)
from .counted import Counted
from .scipy_options import Limits, translated

METHODS: dict[str, type[Any]] = {
    "robust": Robust,
    "newton": Newton,
    "damped": DampedNewton,
    "hybr": TrustRegion,
    "lm": LevenbergMarquardt,
    "krylov": NewtonKrylov,
    "ptc": PseudoTransient,
}
APPROXIMATE = (
    "broyden1", "broyden2", "anderson", "linearmixing", "diagbroyden", "excitingmixing", "df-sane",
)  # fmt: skip
SCIPYS = ("maxiter", "maxfev", "xtol", "ftol", "fatol", "xatol", "disp", "col_deriv")


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
        Flattened, as for SciPy's "hybr" and "lm". With "krylov" x has the shape of x0, in `fun`
        and in the result.
    args : tuple
        Further arguments of `fun` and `jac`.
    method : str or solver
        "robust", "newton", "damped", "hybr" (`TrustRegion`), "lm", "krylov", "ptc", or a solver
        of `sgsolve.solvers`.
    jac : callable or bool, optional
        Jacobian, sparse or dense; by default automatic differentiation.
    tol : float, optional
        Relative error of x, and residual relative to the size of the terms of each equation: a
        loose one ends the solve early.
    callback : callable, optional
        ``callback(x, f)`` after every iteration.
    options : mapping, optional
        SciPy's ``maxiter, maxfev, xtol, ftol, fatol, xatol, disp, col_deriv``, or parameters of
        the solver, such as ``{"limits": solvers.Positive()}``. ``maxfev`` and ``maxiter`` are
        looked at after every iteration.

    Returns
    -------
    Result
        With SciPy's x, success, status, message, fun, nfev, njev, nit, as attributes and as
        ``result["x"]``. ``nfev`` counts all calls of `fun`, ``njev`` those of `jac` or those of
        `fun` that gave derivatives.

    Raises
    ------
    InputError
        If an argument or an option is wrong, or `fun` does not return real numbers, one for each
        unknown.

    See Also
    --------
    Problem.solve : More options, and a report.
    ad.jacobian_function : Exact Jacobians for SciPy's own solvers.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve import root
    >>> root(lambda x: np.cos(x) - x, [1.0]).x.round(6).tolist()
    [0.739085]
    >>> root(lambda x, a: x**2 - a, 1.0, args=2.0, tol=1e-3)["x"].round(2).tolist()
    [1.41]
    """
    if not (options is None or isinstance(options, Mapping)):
        raise InputError(f"options must map names to values, not {options!r}")
    if not (callback is None or callable(callback)):
        raise InputError(f"callback must be a function of x and f, not {callback!r}")
    args = args if isinstance(args, tuple) else (args,)
    solver, limits = _solver(method, tol, dict(options or {}))
    shape = np.shape(x0) if method == "krylov" and np.ndim(x0) > 1 else (-1,)
    counted = Counted(fun, args, jac, limits.col_deriv, shape)
    blocks = {"x": shape} if len(shape) > 1 else None
    problem = Problem(counted.residual, jacobian=counted.jacobian, blocks=blocks)
    watch = _Watch(counted, limits, callback)
    result = problem.solve(
        np.asanyarray(x0).ravel(),
        solver,
        raise_on_failure=False,
        callback=watch,
        verbose=limits.disp,
    )
    if watch.reached and not result.success:
        result.message = f"{watch.reached}; the best point so far is returned"
    result.x = result.x.reshape(shape)
    result.stats.nfev, result.stats.njev = counted.nfev, counted.njev
    return result


class _Watch:
    """Calls the user's callback after an iteration, and ends the solve at a limit."""

    def __init__(self, counted: Counted, limits: Limits, callback: Any) -> None:
        self._counted, self._limits, self._callback = counted, limits, callback
        self._iterations = 0
        self.reached = ""

    def __call__(self, it: Any) -> bool:
        self._iterations += 1
        if self._callback is not None:
            shape = self._counted.shape
            if self._callback(it.x.reshape(shape), it.F.reshape(shape)) is True:
                return True
        limits = self._limits
        if limits.maxfev is not None and self._counted.nfev >= limits.maxfev:
            self.reached = f"fun was called {self._counted.nfev} times (maxfev = {limits.maxfev})"
        elif limits.maxiter is not None and self._iterations >= limits.maxiter:
            self.reached = f"maxiter = {limits.maxiter} iterations were made"
        return bool(self.reached)


def _solver(method: Any, tol: float | None, options: dict[str, Any]) -> tuple[Any, Limits]:
    if not isinstance(method, str):
        if options or tol is not None:
            raise InputError("tol and options go with a method's name; set them in the solver")
        return method, Limits()
    if method in APPROXIMATE:
        raise InputError(
            f"method {method!r} of SciPy approximates the Jacobian, which is exact here; use "
            f"'robust', or one of {', '.join(METHODS)}"
        )
    if method not in METHODS:
        raise InputError(f"unknown method {method!r}; known are {', '.join(METHODS)}")
    settings, limits = translated(tol, options)
    known = {f.name for f in fields(METHODS[method])} - {"stages"}
    unknown = [name for name in settings if name not in known]
    if unknown:
        raise InputError(
            f"options of method {method!r}: there is no {unknown[0]!r}; there are "
            f"{', '.join(SCIPYS)} and {', '.join(sorted(known))}"
        )
    return METHODS[method](**settings), limits
