"""The equations of a run in time, linearized at the points of the run, for its derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...arrays import Vector
from ...errors import ConvergenceError
from ...pattern import Pattern
from ...solvers.state.workspace import Workspace
from ...transient.evolution import PURPOSE, Derivatives
from ...transient.starts.consistent_start import SMALL
from ...transient.transient_stepper import TransientStepper
from ..equations.time_system import TimeSystem
from ..inputs.signature import TIME

MOST = 8  # parameters whose derivatives all take part in the choice of the steps
MIXED = 2  # random combinations that stand for more


class LinearizedRun:
    """The equations of a run linearized at its points; a `transient.recorded_steps.RunLinearizer`.

    Attributes
    ----------
    first_charge : ndarray, shape (n, m)
        The derivative of the first charge by the parameters.
    params_at_end : dict
    width : int
        Numbers in all parameters, m.
    sizes : ndarray, shape (m,)
        The magnitude of each of these numbers.
    length : float
        Of the run, as it was asked for.
    """

    def __init__(
        self, stepper: TransientStepper, workspace: Workspace, names: Sequence[str], end: float
    ) -> None:
        system: Any = stepper.system
        self.system: TimeSystem = system
        self.names, self.workspace = tuple(names), workspace
        self.stores, self.starts = system.stores, stepper.starts
        self.length = stepper.schedule.length
        self.a0 = 1.0 / (SMALL * self.length)
        self.first_charge = self._by_parameters(stepper.schedule.t0, stepper.start_x)[1]
        self.params_at_end, self.width = self.params(end), self.first_charge.shape[1]
        self.sizes = np.abs(np.concatenate([np.ravel(self._value(name)) for name in self.names]))

    def params(self, t: float) -> dict[str, Any]:
        """Return all parameters at a time."""
        return {**self.system.parameters.at(t), TIME: t}

    def slope(self, t: float, x: Vector) -> Vector:
        """Return dx/dt at a state of the run, shape (n,)."""
        found = self.starts.at(t, x)
        if isinstance(found, str):
            raise ConvergenceError(f"dx/dt at the event: {found}", None)
        return found.slope

    def at(self, t: float, x: Vector) -> PointOfRun:
        """Return the linearization at a point."""
        Fp, Qp = self._by_parameters(t, x)
        at = self.system.derivatives(t, x, 0.0, x)
        return PointOfRun(self.system.pattern, self.workspace, at, Fp, Qp)

    def split(self, found: Vector, shape: tuple[int, ...]) -> dict[str, Any]:
        """Return the columns of each parameter, in its shape."""
        parts, begin = {}, 0
        for name in self.names:
            value = self._value(name)
            columns = found[:, begin : begin + value.size].reshape(shape + value.shape)
            parts[name] = float(columns) if columns.ndim == 0 else columns
            begin += value.size
        return parts

    def _value(self, name: str) -> Vector:
        """Return a parameter, which is no function of time."""
        parameters = self.system.parameters
        return np.asarray(parameters.at(0.0).get(name, parameters.default(name)))

    def _by_parameters(self, t: float, x: Vector) -> tuple[Vector, Vector]:
        """Return dF/dp and dQ/dp at fixed x, each of shape (n, m)."""
        return self.system.by_parameters(t, x, self.names)


@dataclass(frozen=True)
class PointOfRun:
    """The equations linearized at one point; a `transient.recorded_steps.Linearization`."""

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


class MixedRun:
    """A linearized run with combinations of the parameters in place of the parameters.

    Parameters
    ----------
    columns : ndarray, shape (m, k)
        The combinations.
    """

    def __init__(self, run: LinearizedRun, columns: Vector) -> None:
        self.run, self.columns = run, columns
        self.a0, self.stores = run.a0, run.stores
        self.first_charge: Vector = run.first_charge @ columns
        self.sizes = np.full(columns.shape[1], run.sizes.max())

    def at(self, t: float, x: Vector) -> PointOfRun:
        """Return the linearization at a point."""
        here = self.run.at(t, x)
        return replace(here, Fp=here.Fp @ self.columns, Qp=here.Qp @ self.columns)


def few_columns(run: LinearizedRun) -> LinearizedRun | MixedRun:
    """Return a run with few parameters, or with few random combinations of many."""
    if run.width <= MOST:
        return run
    signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(run.width, MIXED))
    return MixedRun(run, signs)
