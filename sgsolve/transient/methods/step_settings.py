"""How `Problem.transient` steps: variable steps of several methods, or fixed steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ...errors import DataTypeError, InputError
from ..implicit.implicit_solver import ImplicitSolver
from .backward_differences import MAX_ORDER
from .bdf import BdfStepper
from .runge_kutta import RungeKuttaStepper
from .tableaus import ESDIRK4, TR_BDF2, TRAPEZOID, TWO_HALVES
from .time_step import TimeStepper

FIXED_ITERATIONS = 20  # where a step that does not converge cannot be shortened
TABLEAUS = {tableau.name: tableau for tableau in (ESDIRK4, TR_BDF2)}


@runtime_checkable
class TimeMethod(Protocol):
    """Interface of the settings of a method; an object of your own serves `Problem.transient`.

    ``step`` (float, optional): the length of all steps, for a method without variable steps.

    See Also
    --------
    Bdf, RungeKutta, FixedSteps

    Examples
    --------
    >>> from sgsolve import transient
    >>> isinstance(transient.Bdf(), transient.TimeMethod)
    True
    """

    def make(
        self, implicit: ImplicitSolver, stores: NDArray[np.bool_], fixed: bool = False
    ) -> TimeStepper:
        """Return the stepper for one run.

        Parameters
        ----------
        implicit : ImplicitSolver
            Solves the equations of a step.
        stores : ndarray of bool, shape (n,)
            The equations with charge.
        fixed : bool
            All steps have one length: an error estimate rejects none.
        """
        ...


@dataclass(frozen=True)
class Bdf:
    """Backward differentiation formulas with variable step and order; the default.

    They take the fewest evaluations and factorizations at tolerances of 1e-3 to 1e-7. Orders above
    2 are not stable for lightly damped oscillations, which then shorten the steps: take
    ``max_order=2``, or `RungeKutta`, for circuits that ring and for waves.

    Parameters
    ----------
    max_order : int
        1 to 5.
    ndf : bool
        Use the numerical differentiation formulas, whose errors are smaller. False gives BDF.

    Raises
    ------
    InputError
        If `max_order` is not 1 to 5.

    See Also
    --------
    RungeKutta, FixedSteps
    Problem.transient : Takes it as ``steps=``.

    Examples
    --------
    >>> from sgsolve.transient import Bdf
    >>> Bdf(max_order=2)
    Bdf(max_order=2, ndf=True)
    """

    max_order: int = MAX_ORDER
    ndf: bool = True

    def __post_init__(self) -> None:
        if self.max_order not in range(1, MAX_ORDER + 1):
            raise InputError(f"max_order must be 1 to {MAX_ORDER}, not {self.max_order!r}")

    def make(
        self, implicit: ImplicitSolver, stores: NDArray[np.bool_], fixed: bool = False
    ) -> TimeStepper:
        """Return the stepper for one run."""
        return BdfStepper(implicit, self.max_order, self.ndf, fixed=fixed)


@dataclass(frozen=True)
class RungeKutta:
    """Diagonally implicit Runge-Kutta methods with variable steps, L-stable and stiffly accurate.

    A one-step method has its full order right after a jump or an event. The error estimate of
    unknowns without storage is the error that they inherit from the others. If such an unknown
    follows a source faster than the others change, give ``max_step``.

    Parameters
    ----------
    method : {"ESDIRK4", "TR-BDF2"}
        Order 4 with 6 stages, for tolerances below 1e-6; or order 2 with 3 stages.

    Raises
    ------
    InputError
        If the method is unknown.

    See Also
    --------
    Bdf, FixedSteps
    Problem.transient : Takes it as ``steps=``.

    Examples
    --------
    >>> from sgsolve.transient import RungeKutta
    >>> RungeKutta("TR-BDF2")
    RungeKutta(method='TR-BDF2')
    """

    method: str = "ESDIRK4"

    def __post_init__(self) -> None:
        if self.method not in TABLEAUS:
            raise InputError(
                f"there is no Runge-Kutta method {self.method!r}; there are "
                f"{', '.join(map(repr, TABLEAUS))}"
            )

    def make(
        self, implicit: ImplicitSolver, stores: NDArray[np.bool_], fixed: bool = False
    ) -> TimeStepper:
        """Return the stepper for one run."""
        return RungeKuttaStepper(implicit, TABLEAUS[self.method], stores, fixed=fixed)


@dataclass(frozen=True)
class Trapezoid:
    """The trapezoidal rule, for `FixedSteps`; two backward Euler half-steps after each start."""

    def make(
        self, implicit: ImplicitSolver, stores: NDArray[np.bool_], fixed: bool = True
    ) -> TimeStepper:
        """Return the stepper for one run."""
        return RungeKuttaStepper(implicit, TRAPEZOID, stores, first=TWO_HALVES, fixed=True)


FIXED: dict[str, TimeMethod] = {
    "backward Euler": Bdf(1, ndf=False),
    "BDF2": Bdf(2, ndf=False),
    "trapezoid": Trapezoid(),
    "TR-BDF2": RungeKutta("TR-BDF2"),
    "ESDIRK4": RungeKutta("ESDIRK4"),
}


@dataclass(frozen=True)
class FixedSteps:
    """Steps of one length without control of the error, for comparison with other programs.

    Only the last step, and those that end at breakpoints, may be shorter. ``rtol`` and ``atol``
    of the run are the tolerances of Newton's iteration.

    Parameters
    ----------
    method : {"backward Euler", "BDF2", "trapezoid", "TR-BDF2", "ESDIRK4"}
        Or the settings of a method, as `Bdf`: its order rises to ``max_order`` in the first steps.
    step : float
        Their length.

    Raises
    ------
    InputError
        If the method is unknown, or the step is not positive.
    DataTypeError
        If `method` is neither a name nor the settings of a method.

    See Also
    --------
    Bdf, RungeKutta

    Examples
    --------
    >>> from sgsolve.transient import FixedSteps
    >>> FixedSteps("trapezoid", 1e-6)
    FixedSteps(method='trapezoid', step=1e-06)
    """

    method: str | TimeMethod
    step: float

    def __post_init__(self) -> None:
        if isinstance(self.method, str) and self.method not in FIXED:
            raise InputError(
                f"there is no method {self.method!r} with fixed steps; there are "
                f"{', '.join(map(repr, FIXED))}"
            )
        if not isinstance(self.method, str) and not is_method(self.method):
            raise DataTypeError(f"method must be a name or a Bdf(), not {self.method!r}")
        if not (isinstance(self.step, int | float) and 0.0 < self.step < np.inf):
            raise InputError(f"step must be a positive number, not {self.step!r}")

    def make(
        self, implicit: ImplicitSolver, stores: NDArray[np.bool_], fixed: bool = True
    ) -> TimeStepper:
        """Return the stepper for one run."""
        method = FIXED[self.method] if isinstance(self.method, str) else self.method
        stepper = method.make(implicit, stores, fixed=True)
        implicit.max_iterations = FIXED_ITERATIONS
        return stepper


def is_method(value: Any) -> bool:
    """Whether a value is the settings of a method, and not their class."""
    return isinstance(value, TimeMethod) and not isinstance(value, type)
