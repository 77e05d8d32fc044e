"""SciPy's names of options of `root`, and what they mean here.

Tolerances become a termination criterion, limits of iterations and evaluations end the solve.
Options of finite differences and of approximate Jacobians have no meaning where the Jacobian is
exact; they raise an error with their name.
"""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InputError
from ..solvers import (
    ErrorTolerance,
    ResidualTolerance,
    RoundingLevel,
    StepTolerance,
    TerminationTest,
)

TOLERANCES = ("xtol", "ftol", "fatol", "xatol")
NO_DIFFERENCES = "the Jacobian is exact, without finite differences"
METHODS_OF_STEPS = "choose the steps by a solver: method=solvers.DampedNewton(damping=...)"
REFUSED = {
    "eps": NO_DIFFERENCES,
    "band": NO_DIFFERENCES,
    "epsfcn": NO_DIFFERENCES,
    "jac_options": NO_DIFFERENCES,
    "factor": METHODS_OF_STEPS,
    "line_search": METHODS_OF_STEPS,
    "diag": "the unknowns are scaled by their own sizes; Problem has scale=",
    "gtol": "a small gradient is no solution; use ftol",
    "tol_norm": "tolerances hold for each equation; use ftol or fatol",
}
# Below this a residual relative to its terms is rounding.
TIGHTEST = 1e-11


@dataclass(frozen=True)
class Limits:
    """What ends a solve besides convergence, None for no limit, and whether it prints."""

    maxiter: int | None = None
    maxfev: int | None = None
    disp: bool = False
    col_deriv: bool = False


def translated(tol: float | None, options: Mapping[str, Any]) -> tuple[dict[str, Any], Limits]:
    """Return settings of our solvers, and the limits, from SciPy's options and ours.

    Raises
    ------
    InputError
        If an option has no meaning here or its value is wrong; the message names it.
    """
    rest = dict(options)
    for name, reason in REFUSED.items():
        if rest.pop(name, None) is not None:
            raise InputError(f"option {name!r} of SciPy has no counterpart: {reason}; leave it out")
    given = {name: rest.pop(name) for name in TOLERANCES if name in rest}
    tolerances = {
        name: _positive(name, value) for name, value in given.items() if value is not None
    }
    if tol is not None:
        tolerances.setdefault("xtol", _positive("tol", tol))
    if tolerances and "termination" in rest:
        raise InputError(f"give either termination or {', '.join(tolerances)}, not both")
    if tolerances:
        rest["termination"] = termination(**tolerances)
    maxiter = _limit_count("maxiter", rest.pop("maxiter", None))
    nit = _limit_count("nit", rest.pop("nit", None))
    maxiter = maxiter if nit is None else min(nit, maxiter or nit)
    if maxiter is not None:
        rest.setdefault("max_iterations", maxiter)
    return rest, Limits(
        maxiter,
        _limit_count("maxfev", rest.pop("maxfev", None)),
        bool(rest.pop("disp", False)),
        bool(rest.pop("col_deriv", False)),
    )


def termination(
    xtol: float | None = None,
    ftol: float | None = None,
    fatol: float = 0.0,
    xatol: float | None = None,
) -> TerminationTest:
    """Return the criterion: every residual is small, and so is the error of x.

    Parameters
    ----------
    xtol : float, optional
        Relative error of x. Without `ftol` it holds for the residual relative to its terms too.
    ftol : float, optional
        Residual relative to the size of the terms of each equation.
    fatol : float
        Residual in its own units; what satisfies either this or `ftol` is small.
    xatol : float, optional
        Length of the last step in each unknown.
    """
    relative = ftol if ftol is not None else max(xtol or 0.0, TIGHTEST)
    test: TerminationTest = ResidualTolerance(relative=relative, absolute=fatol)
    if xtol is not None:
        test = test & (ErrorTolerance(xtol) | RoundingLevel())
    if xatol is not None:
        test = test & (StepTolerance(relative=0.0, absolute=xatol) | RoundingLevel())
    return test


def _positive(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise InputError(f"{name} must be a positive number, not {value!r}")
    if not 0.0 < float(value) < np.inf:
        raise InputError(f"{name} must be positive and finite, not {value!r}")
    return float(value)


def _limit_count(name: str, value: Any) -> int | None:
    """Return a limit; None and 0 stand for no limit, as in SciPy."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 0:
        raise InputError(f"{name} must be a whole number of at least 1, not {value!r}")
    return int(value) or None
