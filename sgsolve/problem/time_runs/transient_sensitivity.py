"""Sensitivities of a run in time: derivatives of its last state, or of a functional of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike

from ...ad.drivers.function_calls import evaluate
from ...arrays import Vector
from ...continuation.runs.run import Run
from ...continuation.runs.user_functions import call_with_parameters
from ...errors import ConvergenceError, InputError
from ...results.branch import Branch
from ...results.status import Status
from ...solvers.state.workspace import Workspace
from ...transient.methods.recorded_steps import Begin, adjoint, along, forward
from ...transient.methods.sensitivity_control import SensitivityControl
from ...transient.transient_stepper import TransientStepper
from ..equations.definition import ProblemDefinition
from ..inputs.signature import parameter_names
from ..sensitivities.functional import Functional
from .linearized_run import LinearizedRun, few_columns
from .transient import transient_run
from .transient_checks import SMALLEST, checked_rtol

EVENT = "the event"  # the name of the one that ends a run
TIME_STEP = 1e-6  # of the run: of a central difference by the time
MOVED = 1e-6  # of a parameter: a change that moves a jump whose time depends on it
LEFT, NEAR = 8, 0.1  # units in the last place before a jump; of its size
ROUNDS = 5  # in which the tolerance is tightened, ten times each
MODES = ("auto", "forward", "adjoint")


@dataclass(frozen=True)
class TransientSensitivity:
    """Derivative of the end of a run in time by parameters, or of its states at given times.

    Attributes
    ----------
    branch : Branch
        The run.
    value : ndarray or float
        The last state, or the functional of it. With ``times`` one row for each of them.
    derivative : ndarray, float, or dict of them
        Of the shape of `value` followed by that of the parameter; a dict by name for a list.
    time : float
        The end of the run, at the event if there is one.
    time_derivative : ndarray, float, or dict of them
        Of `time`, of the shape of the parameter; zero without an event.
    error : float
        With error control, how much `derivative` changed in the last refinement, relative to its
        largest number. NaN without.

    See Also
    --------
    Problem.transient_sensitivity : Returns it.

    Examples
    --------
    >>> from sgsolve import Problem
    >>> decay = Problem(lambda y, k: k * y, params={"k": 2.0}, storage=lambda y: 1.0 * y)
    >>> run = decay.transient_sensitivity([1.0], (0.0, 1.0), "k", rtol=1e-8)
    >>> run.value.round(4), run.derivative.round(4)  # exp(-k), -exp(-k)
    (array([0.1353]), array([-0.1353]))
    """

    branch: Branch
    value: Any
    derivative: Any
    time: float
    time_derivative: Any
    error: float = float("nan")


def transient_sensitivity(
    problem: ProblemDefinition,
    x0: ArrayLike,
    interval: Any,
    parameter: str | Sequence[str],
    functional: Any,
    mode: str,
    event: Any,
    error_control: bool,
    times: Any,
    **options: Any,
) -> TransientSensitivity:
    """Return the derivatives; see `Problem.transient_sensitivity`."""
    _check_parameters(problem, parameter)
    _check_mode(mode, functional, event, times)
    options |= {"raise_on_failure": True, "progress": False}
    if times is not None:
        options |= {"times": times, "interpolate": False}
    if event is not None:
        options |= {"events": {EVENT: event}, "stop": EVENT}

    def at(rtol: float) -> TransientSensitivity:
        with problem.workspaces.lend() as workspace:
            given = {**options, "rtol": rtol}
            run, stepper = transient_run(problem, workspace, x0, interval, **given)
            return _differentiated(
                run, stepper, workspace, parameter, functional, mode, times is not None
            )

    rtol = checked_rtol(options["rtol"])
    found = at(rtol)
    return _refined(found, at, rtol) if error_control else found


def _check_parameters(problem: ProblemDefinition, parameter: str | Sequence[str]) -> None:
    for name in parameter_names(parameter):
        if name in problem.signature.functions_of_time:
            raise InputError(f"parameter {name!r} is a function of time, not a number")
        problem.signature.differentiable(name)


def _check_mode(mode: str, functional: Any, event: Any, times: Any) -> None:
    if mode not in MODES:
        raise InputError(f"mode must be one of {', '.join(MODES)}, not {mode!r}")
    if mode == "adjoint" and functional is None:
        raise InputError("mode='adjoint' needs a functional")
    if times is not None and (event is not None or mode == "adjoint"):
        raise InputError("times= takes no event, and mode='forward' only")
    if times is not None and np.size(times) == 0:
        raise InputError("times is empty; leave it out to get the derivative of the end")


def _taped(steps: Any, tape: list[Any]) -> Any:
    """Return the stepper of a method, which will append its steps to a tape."""
    if not hasattr(steps, "tape"):
        raise InputError(
            f"{type(steps).__name__} does not record its steps on a tape, so its run cannot be "
            "differentiated; use steps=Bdf() or RungeKutta()"
        )
    steps.tape = tape
    return steps


def _differentiated(
    run: Run,
    stepper: TransientStepper,
    workspace: Workspace,
    parameter: str | Sequence[str],
    functional: Any,
    mode: str,
    at_rows: bool,
) -> TransientSensitivity:
    """Make a run and differentiate it, at its end or at all its rows."""
    names = parameter_names(parameter)
    branch, tape, control = _taped_run(run, stepper, workspace, names)
    end = branch.reached
    model = LinearizedRun(stepper, workspace, names, end)
    for done in tape[1:]:
        if isinstance(done, Begin):
            _refuse_moving_jump(model, done)
    special = run.detectors[0] if run.detectors else None
    x = branch.x
    if special is not None and not branch.special_points:
        raise InputError(
            f"the event does not occur from t = {stepper.schedule.t0:g} to {end:g}: the function "
            "has no zero there in the direction asked for"
        )
    moves = None if special is None else EndAtEvent(run.options.events[EVENT], x, end, model)
    if at_rows:
        value, found, shape = _of_rows(tape, model, branch, functional)
    else:
        S = _derivatives_of_steps(control, tape)
        value, found, shape = _of_last_state(tape, model, x, S, functional, mode, moves)
    rows = int(np.prod(shape))
    parts = [
        model.split(found[:rows], shape),
        model.split(found[rows:] if moves else np.zeros((1, found.shape[1])), ()),
    ]
    derivative, by_time = (
        part[parameter] if isinstance(parameter, str) else part for part in parts
    )
    return TransientSensitivity(branch, value, derivative, end, by_time)


def _taped_run(
    run: Run, stepper: TransientStepper, workspace: Workspace, names: Sequence[str]
) -> tuple[Branch, list[Any], SensitivityControl | None]:
    """Make a run with its tape, and what chose its steps for the derivatives too."""
    tape: list[Any] = []
    steps = _taped(stepper.steps, tape)
    if stepper.plan.fixed is None:
        steps.control = SensitivityControl(
            lambda: few_columns(LinearizedRun(stepper, workspace, names, stepper.schedule.t0)),
            stepper.weights.rtol,
            stepper.system.blocks,
        )
    branch = run.go()
    if branch.status is Status.INTERRUPTED:
        raise KeyboardInterrupt(branch.message)
    return branch, tape, steps.control


def _derivatives_of_steps(control: SensitivityControl | None, tape: Sequence[Any]) -> Vector | None:
    """Return dx/dp at the end where the choice of the steps has computed it, shape (n, m)."""
    if control is None or not isinstance(control.model, LinearizedRun):
        return None
    return None if isinstance(tape[-1], Begin) else control.derivatives


def _refuse_moving_jump(model: LinearizedRun, done: Begin) -> None:
    """Raise if the time of the jump before a restart depends on a parameter.

    Then the equations just after the jump, with the parameter changed a little, are those before.
    """
    system, t, x = model.system, done.t, done.x
    given = system.parameters
    with np.errstate(all="ignore"):
        for name in model.names:
            value = np.asarray(given.at(t).get(name, given.default(name)), dtype=float)[()]
            by = MOVED * np.where(value == 0.0, 1.0, np.abs(value))
            here = system.flow_with(t, x, name, value)
            jump = here - system.flow_with(t - LEFT * np.spacing(abs(t)), x, name, value)
            i = int(np.argmax(np.abs(jump)))
            for other in (value - by, value + by):
                changed = system.flow_with(t, x, name, other)
                if jump[i] and abs(changed[i] - here[i] + jump[i]) < NEAR * abs(jump[i]):
                    raise InputError(
                        f"the equations jump at t = {t:.9g}, and the time of this jump depends on "
                        f"parameter {name!r}: the derivative by it has a part that is not "
                        "computed. Replace the jump by a steep smooth change, or take the "
                        "difference of two runs"
                    )


def _refined(
    found: TransientSensitivity, at: Callable[[float], TransientSensitivity], rtol: float
) -> TransientSensitivity:
    """Tighten the tolerance of the run until the derivative changes by no more than rtol."""
    tolerance = rtol
    for _ in range(ROUNDS):
        tolerance = max(SMALLEST, 0.1 * tolerance)
        finer = at(tolerance)
        before, after = (_flat_numbers(one.derivative) for one in (found, finer))
        size = max(float(np.abs(after).max()), np.finfo(float).tiny)
        found = replace(finer, error=float(np.abs(after - before).max()) / size)
        if found.error <= rtol:
            return found
    raise ConvergenceError(
        f"the derivative still changes by {found.error:.2g} of its size when rtol of the run falls "
        f"to {tolerance:g}; ask for a larger rtol",
        found.branch,
    )


def _flat_numbers(derivative: Any) -> Vector:
    parts = derivative.values() if isinstance(derivative, dict) else [derivative]
    return np.concatenate([np.ravel(part) for part in parts])


class EndAtEvent:
    """How the end of a run moves where an event determines it.

    From g(x(t, p), p, t) = 0 follows dt/dp = -(g_x S + g_p) / (g_x x' + g_t), with S the derivative
    of x at fixed time.

    Reference: S. Galan, W. F. Feehery and P. I. Barton, Appl. Numer. Math. 31 (1999) 17.
    """

    def __init__(self, event: Any, x: Vector, t: float, model: LinearizedRun) -> None:
        self.model, self.x, self.t = model, x, t
        self.function = Functional(event, x, model.params_at_end)
        self.slope = model.slope(t, x)
        self.speed = self.along(event, self.function)[0]
        if self.speed == 0.0:
            raise InputError(
                f"the event at t = {t:.9g} is touched, not crossed: its time has no derivative"
            )

    def along(self, of: Any, function: Functional) -> Vector:
        """Return the change of a functional with time along the solution, shape (r,)."""
        found = np.asarray(function.gradient @ self.slope)
        if not callable(of):
            return found
        step = TIME_STEP * max(self.model.length, abs(self.t))
        ends = [
            np.ravel(
                call_with_parameters(of, self.x.copy(), self.model.params(self.t + h), evaluate)
            )
            for h in (step, -step)
        ]
        return found + (ends[0] - ends[1]) / (2.0 * step)


def _of_last_state(
    tape: Sequence[Any],
    model: LinearizedRun,
    x: Vector,
    S: Vector | None,
    of: Any,
    mode: str,
    moves: EndAtEvent | None,
) -> tuple[Any, Vector, tuple[int, ...]]:
    """Return a functional of the last state, its derivatives by all parameters, and its shape.

    The rows of the derivative are those of the functional, and of the time of the event.
    """
    value, G, gradient, direct, shape = _at_state(of, x, model.params_at_end, model)
    if moves is not None:
        event = np.hstack([moves.function.by_parameter(name) for name in model.names])
        rate = moves.slope if G is None else moves.along(of, G)
        by_time = sp.csr_array(moves.function.gradient) / -moves.speed
        gradient = sp.vstack([gradient + sp.csr_array(rate[:, None]) @ by_time, by_time])
        direct = np.vstack([direct - np.outer(rate, event) / moves.speed, event / -moves.speed])
    first, rows = model.first_charge, gradient.shape[0]
    ahead = S is not None or rows > first.shape[1]
    if of is None or mode == "forward" or (mode == "auto" and ahead):
        found = gradient @ (forward(tape, model, first) if S is None else S)
    else:
        parts, charge = adjoint(tape, model, gradient.T.toarray())
        found = (parts + first.T @ charge).T
    return value, np.asarray(found) + direct, shape


def _of_rows(
    tape: Sequence[Any], model: LinearizedRun, branch: Branch, of: Any
) -> tuple[Any, Vector, tuple[int, ...]]:
    """Return a functional of the states of all rows, its derivatives, and the shape of both."""
    times, derivatives = branch["t"], dict[int, Vector]()
    latest = times + LEFT * np.spacing(np.abs(times))  # a jump is passed by some units
    for t, S in along(tape, model, model.first_charge):
        row = int(np.searchsorted(latest, t))
        if row < len(times) and t >= times[row] - LEFT * np.spacing(abs(times[row])):
            derivatives[row] = S
    values, found = [], []
    for row, x in enumerate(branch.states):
        value, _, gradient, direct, shape = _at_state(of, x, model.params(times[row]), model)
        values.append(value)
        found.append(np.asarray(gradient @ derivatives[row]) + direct)
    return np.array(values), np.vstack(found), (len(times), *shape)


def _at_state(
    of: Any, x: Vector, params: Mapping[str, Any], model: LinearizedRun
) -> tuple[Any, Functional | None, Any, Vector, tuple[int, ...]]:
    """Return a functional, what computes it, its gradient, slopes by parameters, and its shape."""
    if of is None:
        gradient = sp.eye_array(len(x), format="csr")
        return x, None, gradient, np.zeros((len(x), model.width)), x.shape
    G = Functional(of, x, params)
    direct = np.hstack([G.by_parameter(name) for name in model.names])
    if callable(of):
        value = np.asarray(call_with_parameters(of, x.copy(), params, evaluate))
    else:
        value = G.gradient @ x
    return value.reshape(G.shape), G, G.gradient, direct, G.shape
