"""solve_ivp: this package behind the signature of `scipy.integrate.solve_ivp`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import DenseOutput, OdeSolution
from scipy.optimize import OptimizeResult

from ..ad.nested import evaluate_vector
from ..errors import ConvergenceError, DataTypeError, InputError
from ..problem.definition import ProblemDefinition
from ..problem.null_space import NullSpace
from ..problem.signature import Signature
from ..problem.transient import transient_run
from ..problem.unknowns import Unknowns
from ..results.branch import Branch
from ..solvers.workspace import Pool
from ..transient import Bdf, RungeKutta, TimeEvent
from ..transient.dense_solution import DenseSolution

IVP_METHODS: dict[str, Any] = {
    "BDF": Bdf(),
    "ESDIRK4": RungeKutta("ESDIRK4"),
    "TR-BDF2": RungeKutta("TR-BDF2"),
}
Function = Callable[..., Any]


def solve_ivp(
    fun: Function,
    t_span: Sequence[float],
    y0: ArrayLike,
    method: Any = "BDF",
    t_eval: ArrayLike | None = None,
    dense_output: bool = False,
    events: Function | Sequence[Function] | None = None,
    *,
    args: Any = (),
    rtol: float = 1e-3,
    atol: ArrayLike = 1e-6,
    first_step: float | None = None,
    max_step: float = np.inf,
    jac: Any = None,
) -> OptimizeResult:
    """Solve y' = fun(t, y) from y(t0) = y0, with an exact sparse Jacobian by default.

    The arguments are those of `scipy.integrate.solve_ivp`. The methods are implicit, for stiff
    equations. The tolerances mean the same.

    Parameters
    ----------
    fun : callable
        ``fun(t, y, *args)`` -> (n,), written in NumPy: it is differentiated automatically.
    t_span : (float, float)
        First and last time; the last may be the earlier one.
    y0 : array_like, shape (n,)
        State at the first time.
    method : {"BDF", "ESDIRK4", "TR-BDF2"} or settings
        Or the settings of a method, such as ``Bdf(max_order=2)``; see `sgsolve.transient`.
    t_eval : array_like, optional
        Times to return; by default the end of every step.
    dense_output : bool
        Return ``sol``, the solution as a function of time.
    events : callable or sequence of callable, optional
        ``event(t, y, *args)`` -> number, with attributes ``terminal`` (bool) and ``direction``.
    args : tuple
        Passed on to all functions.
    rtol, atol : float or array_like
        Tolerances of the local error.
    first_step, max_step : float, optional
        The first step, and the longest one.
    jac : callable, matrix or None
        ``jac(t, y, *args)``, or a constant matrix; None, the default, for automatic
        differentiation.

    Returns
    -------
    OptimizeResult
        ``t``, ``y`` (n, times), ``sol``, ``t_events``, ``y_events``, ``nfev``, ``njev``, ``nlu``,
        ``status`` (0: reached the end, 1: a terminal event, -1: failed), ``message``, ``success``.

    Raises
    ------
    InputError
        An argument is wrong.

    See Also
    --------
    Problem.transient : Also differential-algebraic equations.

    Examples
    --------
    The equation of van der Pol, which is stiff:

    >>> from sgsolve import solve_ivp
    >>> def van_der_pol(t, y):
    ...     return [y[1], 1000.0 * (1.0 - y[0] ** 2) * y[1] - y[0]]
    >>> run = solve_ivp(van_der_pol, (0.0, 2000.0), [2.0, 0.0], rtol=1e-6, atol=1e-8)
    >>> print(f"{run.y[0, -1]:.3f}")
    1.706
    """
    begin, end = _span(t_span)
    sign = 1.0 if end > begin else -1.0
    given = [events] if callable(events) else list(events or ())
    parameters = tuple(args) if isinstance(args, tuple | list) else (args,)
    problem = _problem(fun, jac, parameters, sign)
    names = [f"event {i}" for i in range(len(given))]
    options = {
        "steps": _method_settings(method),
        "rtol": rtol,
        "atol": atol,
        "first_step": first_step,
        "max_step": None if max_step == np.inf else max_step,
        "times": None if t_eval is None else sign * np.asarray(t_eval, dtype=float),
        "events": {
            name: _event(event, parameters, sign) for name, event in zip(names, given, strict=True)
        },
        "stop": [name for name, event in zip(names, given, strict=True) if _is_terminal(event)],
        "raise_on_failure": True,
        "progress": False,
    }
    with problem.workspaces.lend() as workspace:
        run, stepper = transient_run(problem, workspace, y0, (sign * begin, sign * end), **options)
        stepper.dense = DenseSolution(sign * begin) if dense_output else None
        try:
            branch = run.go()
        except ConvergenceError as error:
            if not isinstance(error.result, Branch) or not len(error.result):
                raise
            branch = error.result
    sol = None if stepper.dense is None else _dense(stepper.dense, sign)
    return _result(branch, sol, names, (sign * end, sign), t_eval)


def _span(t_span: Any) -> tuple[float, float]:
    try:
        begin, end = (float(t) for t in t_span)
    except (TypeError, ValueError):
        raise DataTypeError(f"t_span must be (t0, t1), two numbers, not {t_span!r}") from None
    return begin, end


def _method_settings(method: Any) -> Any:
    """Return the settings of a method by its name."""
    if not isinstance(method, str):
        return method
    if method not in IVP_METHODS:
        raise InputError(
            f"there is no method {method!r}; there are {', '.join(map(repr, IVP_METHODS))}, which "
            "are implicit. For equations that are not stiff use scipy.integrate.solve_ivp"
        )
    return IVP_METHODS[method]


def _problem(fun: Function, jac: Any, args: tuple[Any, ...], sign: float) -> ProblemDefinition:
    """Return y' = f as -f + dy/ds = 0 in the time s = t, or s = -t for a run backward."""
    if not callable(fun):
        raise DataTypeError(f"fun must be a function fun(t, y), not {fun!r}")

    def residual(y: Any, t: float) -> Any:
        return -sign * evaluate_vector(fun, sign * t, y, *args)

    def jacobian(y: Any, t: float) -> Any:
        return -sign * (jac(sign * t, y, *args) if callable(jac) else jac)

    return ProblemDefinition(
        Signature(residual, None if jac is None else jacobian, None),
        Unknowns(None, None),
        lambda y: 1.0 * y,
        NullSpace(None),
        Pool("auto"),
    )


def _event(event: Any, args: tuple[Any, ...], sign: float) -> TimeEvent:
    if not callable(event):
        raise DataTypeError(f"an event must be a function event(t, y), not {event!r}")
    return TimeEvent(
        lambda y, t: event(sign * t, y, *args), float(getattr(event, "direction", 0.0))
    )


def _is_terminal(event: Any) -> bool:
    terminal = getattr(event, "terminal", False)
    if terminal not in (False, True):
        raise InputError(f"event.terminal must be True or False, not {terminal!r}")
    return bool(terminal)


class _Within(DenseOutput):
    """The solution within one step."""

    def __init__(self, begin: float, end: float, curve: Function, sign: float) -> None:
        super().__init__(begin, end)
        self.curve, self.sign = curve, sign

    def _call_impl(self, t: Any) -> NDArray[Any]:
        if np.ndim(t) == 0:
            value: NDArray[Any] = self.curve(self.sign * t)
            return value
        return np.stack([self.curve(self.sign * time) for time in t], axis=1)


def _dense(dense: DenseSolution, sign: float) -> OdeSolution | None:
    """Return the solution as a function of time, over the steps that were made."""
    if not dense.pieces:
        return None
    times = [sign * dense.begin, *(sign * t for t, _ in dense.pieces)]
    pairs = zip(times[:-1], times[1:], dense.pieces, strict=True)
    return OdeSolution(times, [_Within(a, b, curve, sign) for a, b, (_, curve) in pairs])


def _result(
    branch: Branch,
    sol: OdeSolution | None,
    names: Sequence[str],
    end: tuple[float, float],
    t_eval: Any,
) -> OptimizeResult:
    """Return SciPy's result."""
    s, sign = branch["t"], end[1]
    wanted = np.ones(len(s), dtype=bool)
    if t_eval is not None:
        wanted = np.isin(s, sign * np.asarray(t_eval, dtype=float))
    found = [[one for one in branch.special_points if one.kind == name] for name in names]
    status = -1 if not branch.success else int(branch.reached != end[0])
    fields: Any = {
        "t": sign * s[wanted],
        "y": branch.states[wanted].T,
        "sol": sol,
        "t_events": [np.array([sign * one.parameter for one in ones]) for ones in found] or None,
        "y_events": [np.array([one.x for one in ones]) for ones in found] or None,
        "nfev": branch.stats.nfev,
        "njev": branch.stats.njev,
        "nlu": branch.stats.n_factor,
        "status": status,
        "message": branch.message,
        "success": branch.success,
    }
    return OptimizeResult(**fields)
