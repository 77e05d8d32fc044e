"""`fsolve`: `root` with the signature and the results of `scipy.optimize.fsolve`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import ArrayLike

from ..results.result import Result
from ..user_warnings import warn
from .root_finding import root

XTOL = 1.49012e-08  # SciPy's default, beside which its steps are more accurate: no limit here
FACTOR = 100  # SciPy's default, of a step limit that the solvers here have no use for


class NoSolutionWarning(RuntimeWarning):
    """`fsolve` returned a point that does not solve the equations."""


def fsolve(
    func: Callable[..., Any],
    x0: ArrayLike,
    args: Any = (),
    fprime: Callable[..., Any] | None = None,
    full_output: bool = False,
    col_deriv: bool = False,
    xtol: float = XTOL,
    maxfev: int = 0,
    band: Any = None,
    epsfcn: float | None = None,
    factor: float = FACTOR,
    diag: Any = None,
) -> Any:
    """Find a root of a vector function, as `scipy.optimize.fsolve`; only the import changes.

    Parameters
    ----------
    func : callable
        ``func(x, *args)`` -> array of shape (n,), in NumPy.
    x0 : array_like
        Flattened.
    args : tuple
        Further arguments of `func` and `fprime`.
    fprime : callable, optional
        ``fprime(x, *args)``, the Jacobian; by default automatic differentiation.
    full_output : bool
        Return ``(x, infodict, ier, mesg)``. A failure then gives no warning, as in SciPy.
    col_deriv : bool
        Whether `fprime` has derivatives down the columns.
    xtol : float
        Relative error of x. At SciPy's default the solve ends as `Problem.solve` does, since the
        solutions of SciPy are mostly as accurate as that.
    maxfev : int
        Largest number of calls of `func`; 0 for no limit.
    band, epsfcn, factor, diag : optional
        Of SciPy's finite differences and step limits; raise an error if they are set.

    Returns
    -------
    x : ndarray, shape (n,)
        The solution, or after a failure the best point.
    infodict : dict
        ``nfev``, ``njev``, ``fvec`` (the residual at x) and ``result`` (the `Result`). SciPy's
        factors of its last approximate Jacobian, ``fjac``, ``r`` and ``qtf``, are not there: take
        `numpy.linalg.qr` of that of `ad.jacobian`.
    ier : int
        1 for a solution, 2 if `maxfev` was reached, 5 for other failures.
    mesg : str
        The reason.

    Raises
    ------
    InputError
        If an argument is wrong or has no counterpart.

    Warns
    -----
    NoSolutionWarning
        If x is no solution and `full_output` is False.

    See Also
    --------
    root : The same with all options.
    Problem.solve : Raises an exception that explains a failure.

    Examples
    --------
    >>> import numpy as np
    >>> from sgsolve import fsolve
    >>> def equations(x):
    ...     return np.array([x[0] * np.cos(x[1]) - 4, x[1] * x[0] - x[1] - 5])
    >>> fsolve(equations, [1, 1]).round(6)
    array([6.504097, 0.908414])
    >>> x, info, ier, mesg = fsolve(lambda x, a: x**2 - a, [1.0], args=2.0, full_output=True)
    >>> ier, x.round(6).tolist()
    (1, [1.414214])
    """
    options = {
        "maxfev": maxfev,
        "col_deriv": col_deriv,
        "band": band,
        "epsfcn": epsfcn,
        "factor": None if factor == FACTOR else factor,
        "diag": diag,
    }
    result = root(func, x0, args, jac=fprime, tol=None if xtol == XTOL else xtol, options=options)
    if full_output:
        info = {"nfev": result.nfev, "njev": result.njev, "fvec": result.fun, "result": result}
        return result.x, info, _ier(result, maxfev), result.message
    if not result.success:
        warn(f"fsolve: {result.message}", NoSolutionWarning)
    return result.x


def _ier(result: Result, maxfev: int) -> int:
    """Return SciPy's number for the outcome of a solve."""
    if result.success:
        return 1
    return 2 if 0 < maxfev <= result.nfev else 5
