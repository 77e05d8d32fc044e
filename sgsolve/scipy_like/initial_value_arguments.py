"""The arguments of `scipy.integrate.solve_ivp`, checked, and what they mean here."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..arrays import Vector, real_array
from ..errors import DataTypeError, InputError, NotFiniteError, ShapeError
from ..transient import Bdf, RungeKutta
from ..transient.methods.step_settings import is_method

Function = Callable[..., Any]

IVP_METHODS: dict[str, Any] = {
    "BDF": Bdf(),
    "ESDIRK4": RungeKutta("ESDIRK4"),
    "TR-BDF2": RungeKutta("TR-BDF2"),
}
# Methods of SciPy in whose place ESDIRK4 runs, which keeps to the tolerances at least as well.
REPLACED = ("RK45", "RK23", "LSODA")
FINER = ("Radau", "DOP853")  # their errors lie about ten times further below the tolerance
NOT_NEEDED = {"min_step": "a run ends where its steps reach the rounding of the time"}


def check_no_options(options: Mapping[str, Any]) -> None:
    """Raise `InputError` for options that have no meaning here."""
    for name, value in options.items():
        if name not in NOT_NEEDED:
            raise InputError(f"solve_ivp has no option {name!r}")
        if value:
            raise InputError(
                f"option {name!r} of SciPy has no counterpart: {NOT_NEEDED[name]}; leave it out"
            )


def checked_t_span(t_span: Any) -> tuple[float, float]:
    """Return the first and the last time."""
    try:
        begin, end = (float(t) for t in t_span)
    except (TypeError, ValueError):
        raise DataTypeError(f"t_span must be (t0, t1), two numbers, not {t_span!r}") from None
    if not np.isfinite(begin - end):
        raise NotFiniteError(f"t_span must be finite, not ({begin:g}, {end:g})")
    return begin, end


def checked_t_eval(t_eval: Any, begin: float, end: float) -> Vector | None:
    """Return the times to return, or None."""
    if t_eval is None:
        return None
    times = real_array(t_eval, "t_eval must be times")
    if times.ndim != 1:
        raise ShapeError(f"t_eval must be a sequence of times, not of shape {times.shape}")
    low, high = min(begin, end), max(begin, end)
    if len(times) and not (low <= times.min() and times.max() <= high):
        raise InputError(
            f"t_eval must lie within t_span, from {low:g} to {high:g}; it reaches from "
            f"{times.min():g} to {times.max():g}"
        )
    if np.any(np.diff(times) * (end - begin) <= 0.0):
        raise InputError(f"t_eval must go from {begin:g} to {end:g} in order")
    return times


def checked_y0(y0: Any) -> Vector:
    """Return the first state."""
    y = np.asarray(y0)
    if y.ndim != 1:
        raise ShapeError(f"y0 must be a vector of shape (n,), not {y.shape}")
    return y


def checked_atol(atol: Any) -> Any:
    """Return the absolute tolerance; zero leaves the relative one."""
    values = np.asarray(atol)
    if values.dtype.kind not in "iuf" or not np.all(values >= 0.0):
        raise InputError(f"atol must be zero or positive for every unknown, not {atol!r}")
    return np.maximum(values, np.finfo(float).tiny)


def checked_first_step(step: float | None, begin: float, end: float) -> float | None:
    """Return the length of the first step."""
    if isinstance(step, numbers.Real) and float(step) > abs(end - begin):
        raise InputError(f"first_step is {step:g}, longer than the run of {abs(end - begin):g}")
    return step


def method_settings(method: Any) -> Any:
    """Return the settings of a method by its name, or by that of SciPy's method it replaces."""
    names = ", ".join(map(repr, IVP_METHODS))
    if isinstance(method, str) and method in REPLACED:
        method = "ESDIRK4"
    if isinstance(method, str) and method not in IVP_METHODS:
        finer = ""
        if method in FINER:
            finer = f"; for the errors of {method} use 'ESDIRK4' with tolerances ten times smaller"
        raise InputError(
            f"there is no method {method!r}; there are {names}, which are implicit, and 'ESDIRK4' "
            f"runs for {', '.join(REPLACED)}{finer}"
        )
    if not isinstance(method, str) and not is_method(method):
        raise DataTypeError(
            f"method must be one of {names}, or settings such as Bdf(), not {method!r}"
        )
    return IVP_METHODS[method] if isinstance(method, str) else method
