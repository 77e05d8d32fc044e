"""solve_ivp: this package behind the signature of `scipy.integrate.solve_ivp`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from ..ad.drivers.function_calls import evaluate_vector
from ..arrays import Vector
from ..errors import ConvergenceError, DataTypeError
from ..problem.equations.definition import ProblemDefinition
from ..problem.equations.null_space import NullSpace
from ..problem.inputs.signature import Signature
from ..problem.inputs.unknowns import Unknowns
from ..problem.time_runs.transient import transient_run
from ..results.branch import Branch
from ..results.status import Status
from ..solvers.state.workspace import Pool
from ..transient.dense_solution import DenseSolution
from .initial_value_arguments import (
    REPLACED,
    check_no_options,
    checked_atol,
    checked_first_step,
    checked_t_eval,
    checked_t_span,
    checked_y0,
    method_settings,
)
from .initial_value_events import Zeros
from .initial_value_forms import RealParts, check_declared, of_columns

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
    jac_sparsity: Any = None,
    lband: int | None = None,
    uband: int | None = None,
    vectorized: bool = False,
    **options: Any,
) -> scipy.optimize.OptimizeResult:
    """Solve y' = fun(t, y) from y(t0) = y0, with an exact sparse Jacobian by default.

    The arguments are those of `scipy.integrate.solve_ivp`. The methods are implicit, for stiff
    equations. The tolerances mean the same.

    Parameters
    ----------
    fun : callable
        ``fun(t, y, *args)`` -> (n,), written in NumPy: it is differentiated automatically.
    t_span : (float, float)
        First and last time; the last may be the earlier one, or the same.
    y0 : array_like, shape (n,)
        State at the first time. If it is complex, the real and the imaginary parts are unknowns:
        fun need not be analytic, and each part meets the tolerances.
    method : {"BDF", "ESDIRK4", "TR-BDF2"} or settings
        Or the settings of a method, such as ``Bdf(max_order=2)``; see `sgsolve.transient`. For
        "RK45", "RK23" and "LSODA" of SciPy ESDIRK4 runs, which keeps to the tolerances at least as
        well; the message says so.
    t_eval : array_like, optional
        Times to return; by default the end of every step.
    dense_output : bool
        Return ``sol``, the solution as a function of time.
    events : callable or sequence of callable, optional
        ``event(t, y, *args)`` -> number, with attributes ``terminal`` (whether the run ends there,
        or after how many zeros) and ``direction``.
    args : tuple
        Passed on to all functions.
    rtol : float
        Relative tolerance of the local error.
    atol : float or array_like of shape (n,)
        Absolute tolerance. Zero leaves the relative one, for unknowns that stay away from zero.
    first_step, max_step : float, optional
        The first step, and the longest one.
    jac : callable, matrix or None
        ``jac(t, y, *args)``, or a constant matrix; None, the default, for automatic
        differentiation.
    jac_sparsity : array_like or sparse matrix of shape (n, n), optional
        Where the Jacobian may have entries. The sparsity pattern is found at `y0` in any case; one
        that does not fit what is declared raises an error.
    lband, uband : int, optional
        Numbers of diagonals below and above the main one; the same holds.
    vectorized : bool
        `fun` takes states as columns: it is called with an array of shape (n, 1).
    **options
        ``min_step`` of SciPy is not needed: it raises an error that says so.

    Returns
    -------
    OptimizeResult
        ``t``, ``y`` (n, times), ``sol``, ``t_events``, ``y_events``, ``nfev``, ``njev``, ``nlu``,
        ``status`` (0: reached the end, 1: a terminal event, -1: failed), ``message``, ``success``.
        The message of a run backward speaks of the time s = -t.

    Raises
    ------
    InputError
        An argument is wrong, or the Jacobian has entries where it is declared to have none.

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
    check_no_options(options)
    span, y = checked_t_span(t_span), checked_y0(y0)
    given = [events] if callable(events) else list(events or ())
    parameters = tuple(args) if isinstance(args, tuple | list) else (args,)
    fun, form = of_columns(fun) if vectorized else fun, None
    if y.dtype.kind == "c":
        form = RealParts(len(y))
        y, fun, jac, atol = form.of(y), form.function(fun), form.jacobian(jac), form.tolerance(atol)
        given = [form.event(event) for event in given]
    declared = {"jac_sparsity": jac_sparsity, "lband": lband, "uband": uband}
    check_declared(fun, span[0], y, len(np.atleast_1d(y0)), parameters, declared)
    settings = {
        "steps": method_settings(method),
        "rtol": rtol,
        "atol": checked_atol(atol),
        "first_step": checked_first_step(first_step, *span),
        "max_step": None if max_step == np.inf else max_step,
    }
    t_eval = checked_t_eval(t_eval, *span)
    found = _solved((fun, jac, parameters), y, span, given, t_eval, dense_output, settings)
    if isinstance(method, str) and method in REPLACED:
        found["message"] = f"ESDIRK4 in the place of {method}: {found.message}"
    if events is None:
        found["t_events"] = found["y_events"] = None
    return found if form is None else form.result(found)


def _solved(
    equations: tuple[Function, Any, tuple[Any, ...]],
    y: Vector,
    span: tuple[float, float],
    events: Sequence[Any],
    t_eval: Vector | None,
    dense_output: bool,
    settings: dict[str, Any],
) -> scipy.optimize.OptimizeResult:
    """Return SciPy's result for real unknowns.

    Parameters
    ----------
    equations : (fun, jac, args)
    """
    (fun, _, args), (begin, end) = equations, span
    sign = 1.0 if end > begin else -1.0
    problem, zeros = _problem(*equations, sign), Zeros(events, args, sign)
    if zeros.look_at_start(fun, begin, end, y):
        return _without_length(zeros, begin, y, t_eval, 1, "a terminal event is zero at the start")
    if begin == end:
        found = _without_length(zeros, begin, y, t_eval, 0, "the first time is the last one")
        if dense_output:
            found["sol"] = _dense([begin, end], [lambda t: y], 1.0)
        return found
    settings |= {"events": zeros.events, "stop": zeros.stop}
    settings["times"] = None if t_eval is None else sign * t_eval
    dense = DenseSolution(sign * begin) if dense_output else None
    branch = _branch(problem, y, (sign * begin, sign * end), dense, settings)
    sol = None
    if dense is not None and dense.pieces:  # of the steps that were made
        times = [dense.begin, *(t for t, _ in dense.pieces)]
        sol = _dense([sign * t for t in times], [curve for _, curve in dense.pieces], sign)
    found = _result(branch, sol, sign, t_eval, zeros)
    if not len(found.t):
        found["y"] = np.zeros((len(y), 0))
    return found


def _problem(fun: Function, jac: Any, args: tuple[Any, ...], sign: float) -> ProblemDefinition:
    """Return y' = f as -f + dy/ds = 0 in the time s = t, or s = -t for a run backward."""
    if not callable(fun):
        raise DataTypeError(f"fun must be a function fun(t, y), not {fun!r}")

    def residual(y: Any, t: float) -> Any:
        found = evaluate_vector(fun, sign * t, y, *args)
        if found is None:
            raise DataTypeError("fun returned None; is a return statement missing?")
        return -sign * found

    def jacobian(y: Any, t: float) -> Any:
        return -sign * (jac(sign * t, y, *args) if callable(jac) else jac)

    return ProblemDefinition(
        Signature(residual, None if jac is None else jacobian, None),
        Unknowns(None, None),
        lambda y: 1.0 * y,
        NullSpace(None),
        Pool("auto"),
    )


def _branch(
    problem: ProblemDefinition,
    y: Vector,
    span: tuple[float, float],
    dense: DenseSolution | None,
    settings: Mapping[str, Any],
) -> Branch:
    """Run in time, without a warning where the run ends early; fill the dense solution."""
    options = {**settings, "raise_on_failure": True, "progress": False}
    with problem.workspaces.lend() as workspace:
        run, stepper = transient_run(problem, workspace, y, span, **options)
        stepper.dense = dense
        try:
            return run.go()
        except ConvergenceError as error:
            if not isinstance(error.result, Branch) or not len(error.result):
                raise
            return error.result


def _dense(
    times: Sequence[float], curves: Sequence[Function], sign: float
) -> scipy.integrate.OdeSolution:
    """Return the solution as a function of time, from one curve for each step."""
    from .solution_pieces import solution_of_pieces

    def values(curve: Function) -> Function:
        def within(t: Any) -> NDArray[Any]:
            if np.ndim(t) == 0:
                value: NDArray[Any] = curve(sign * t)
                return value
            return np.stack([curve(sign * time) for time in t], axis=1)

        return within

    return solution_of_pieces(times, [values(curve) for curve in curves])


def _result(
    branch: Branch, sol: scipy.integrate.OdeSolution | None, sign: float, t_eval: Any, zeros: Zeros
) -> scipy.optimize.OptimizeResult:
    """Return SciPy's result."""
    s = branch["t"]
    wanted = np.ones(len(s), dtype=bool) if t_eval is None else np.isin(s, sign * t_eval)
    stopped = branch.status is Status.STOP_CONDITION
    times, states = zeros.lists(branch, sign)
    backward = "with the time s = -t of a run backward: " if sign < 0.0 else ""
    fields: Any = {
        "t": sign * s[wanted],
        "y": branch.states[wanted].T,
        "sol": sol,
        "t_events": times,
        "y_events": states,
        "nfev": branch.stats.nfev,
        "njev": branch.stats.njev,
        "nlu": branch.stats.n_factor,
        "status": -1 if not branch.success else int(stopped),
        "message": backward + branch.message,
        "success": branch.success,
    }
    return scipy.optimize.OptimizeResult(**fields)


def _without_length(
    zeros: Zeros, begin: float, y: Vector, t_eval: Any, status: int, reason: str
) -> scipy.optimize.OptimizeResult:
    """Return SciPy's result for a run that ends before its first step."""
    t = np.array([begin, begin]) if t_eval is None else t_eval[t_eval == begin]
    times, states = zeros.lists(None, 1.0)
    fields: Any = {
        "t": t,
        "y": np.repeat(np.array(y, dtype=float)[:, None], len(t), axis=1),
        "sol": None,
        "t_events": times,
        "y_events": states,
        "nfev": 1,
        "njev": 0,
        "nlu": 0,
        "status": status,
        "message": f"{reason}, t = {begin:.9g}",
        "success": True,
    }
    return scipy.optimize.OptimizeResult(**fields)
