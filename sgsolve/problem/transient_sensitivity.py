"""Sensitivities of a run in time: derivatives of its last state, or of a functional of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..continuation.user_functions import call_with_parameters
from ..errors import InputError
from ..pattern import Pattern
from ..results.branch import Branch
from ..solvers.workspace import Workspace
from ..transient.consistent_start import SMALL
from ..transient.evolution import PURPOSE, Derivatives
from ..transient.settings import Bdf, FixedSteps
from ..transient.stepper import TransientStepper
from ..transient.tape import adjoint, forward
from .definition import ProblemDefinition
from .functional import Functional
from .signature import TIME
from .time_system import TimeSystem
from .transient import RUN_OPTIONS, checked_method, transient_run

Vector = NDArray[Any]
MODES = ("auto", "forward", "adjoint")


@dataclass(frozen=True)
class TransientSensitivity:
    """Derivative of the end of a run in time by parameters.

    Attributes
    ----------
    branch : Branch
        The run.
    value : ndarray or float
        The last state, or the functional of it.
    derivative : ndarray, float, or dict of them
        Of the shape of `value` followed by that of the parameter; a dict by name for several.

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


def transient_sensitivity(
    problem: ProblemDefinition,
    x0: ArrayLike,
    interval: Any,
    parameter: str | Sequence[str],
    functional: Any,
    mode: str,
    steps: Any,
    **options: Any,
) -> TransientSensitivity:
    """Return the derivatives; see `Problem.transient_sensitivity`."""
    names = [parameter] if isinstance(parameter, str) else list(parameter)
    for name in names:
        if name in problem.signature.functions_of_time:
            raise InputError(f"parameter {name!r} is a function of time, not a number")
        problem.signature.differentiable(name)
    if mode not in MODES:
        raise InputError(f"mode must be one of {', '.join(MODES)}, not {mode!r}")
    if mode == "adjoint" and functional is None:
        raise InputError("mode='adjoint' needs a functional")
    options = {**RUN_OPTIONS, **options, "steps": _differentiable(steps), "raise_on_failure": True}
    with problem.workspaces.lend() as workspace:
        run, stepper = transient_run(problem, workspace, x0, interval, **options)
        steps_made: Any = stepper.steps
        steps_made.tape = []
        branch = run.go()
        model = RunModel(stepper, workspace, names)
        if functional is None:
            value, found = branch.x, forward(steps_made.tape, model, model.first_charge)
        else:
            value, found = _of_functional(steps_made.tape, model, branch.x, functional, mode)
    split = model.split(found, np.shape(value))
    return TransientSensitivity(branch, value, split[names[0]] if len(names) == 1 else split)


def _differentiable(steps: Any) -> Bdf | FixedSteps:
    """Return settings of a method that can be differentiated, or say that these cannot."""
    method = checked_method(steps)
    formula = isinstance(method, Bdf) or (
        isinstance(method, FixedSteps)
        and (isinstance(method.method, Bdf) or method.method in ("backward Euler", "BDF2"))
    )
    if not formula:
        raise InputError(
            f"sensitivities in time need backward differentiation formulas, Bdf(), not {method!r}"
        )
    return method  # type: ignore[return-value]  # checked above


def _of_functional(
    tape: Sequence[Any], model: RunModel, x: Vector, functional: Any, mode: str
) -> tuple[Any, Vector]:
    """Return a functional of the last state, and its derivative by all parameters, (r, m)."""
    params = model.params_at_end
    g = Functional(functional, x, params)
    first = model.first_charge
    if mode == "forward" or (mode == "auto" and g.size > first.shape[1]):
        found = g.gradient @ forward(tape, model, first)
    else:
        rows, charge = adjoint(tape, model, g.gradient.T.toarray())
        found = (rows + first.T @ charge).T
    direct = [g.by_parameter(name) for name in model.names]
    if callable(functional):
        value = np.asarray(call_with_parameters(functional, x.copy(), params))
    else:
        value = g.gradient @ x
    return value.reshape(g.shape), found + np.hstack(direct)


class RunModel:
    """The equations of a run linearized at its points; a `transient.tape.RunLinearizer`.

    Attributes
    ----------
    first_charge : ndarray, shape (n, m)
        The derivative of the first charge by the parameters.
    params_at_end : dict
    """

    def __init__(
        self, stepper: TransientStepper, workspace: Workspace, names: Sequence[str]
    ) -> None:
        system: Any = stepper.system
        steps: Any = stepper.steps
        self.system: TimeSystem = system
        self.names, self.workspace = tuple(names), workspace
        self.alpha, self.stores = steps.formulas.alpha, system.stores
        self.a0 = 1.0 / (SMALL * stepper.schedule.length)
        start, end = stepper.schedule.t0, stepper.schedule.t1
        self.first_charge = self._by_parameters(start, stepper.start_x)[1]
        self.params_at_end = {**system.params(end), TIME: end}

    def at(self, t: float, x: Vector) -> PointOfRun:
        """Return the linearization at a point."""
        Fp, Qp = self._by_parameters(t, x)
        at = self.system.derivatives(t, x, 0.0, x)
        return PointOfRun(self.system.pattern, self.workspace, at, Fp, Qp)

    def split(self, found: Vector, shape: tuple[int, ...]) -> dict[str, Any]:
        """Return the columns of each parameter, in its shape."""
        parts, begin = {}, 0
        for name in self.names:
            value = np.asarray(self.system.params(0.0).get(name, self.system.default(name)))
            columns = found[:, begin : begin + value.size].reshape(shape + value.shape)
            parts[name] = float(columns) if columns.ndim == 0 else columns
            begin += value.size
        return parts

    def _by_parameters(self, t: float, x: Vector) -> tuple[Vector, Vector]:
        """Return dF/dp and dQ/dp at fixed x, each of shape (n, m)."""
        columns = [self.system.by_parameter(t, x, name) for name in self.names]
        return np.hstack([c[0] for c in columns]), np.hstack([c[1] for c in columns])


@dataclass(frozen=True)
class PointOfRun:
    """The equations linearized at one point; a `transient.tape.Linearization`."""

    pattern: Pattern
    workspace: Workspace
    derivatives: Derivatives
    Fp: Vector
    Qp: Vector

    @property
    def J(self) -> Any:
        """The derivative of F by x."""
        return self.pattern.matrix(self.derivatives.J)

    @property
    def C(self) -> Any:
        """The derivative of Q by x."""
        return self.pattern.matrix(self.derivatives.C)

    def solve(self, a: float, b: Vector, transpose: bool = False) -> Vector:
        """Return (J + a C)^-1 b, or with the transposed matrix."""
        solver = self.workspace.solver(self.pattern, PURPOSE)
        solver.factorize(self.pattern.matrix(self.derivatives.J + a * self.derivatives.C))
        solution: Vector = solver.solve(b, transpose=transpose)
        return solution
