"""One step in time, accepted or rejected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, Protocol

from ...arrays import Vector
from ..evolution import NONE
from ..implicit.implicit_equation import Equation
from ..starts.consistent_start import Start

NEWTON_SHRINK = 0.25  # after an iteration that fails with derivatives of the same place
# Steps are chosen for an error this much below the tolerance, at every order: errors add up, and
# unstable solutions amplify them, so that the error at the end is about the tolerance.
MARGIN = 16.0


def step_factor(error: float, order: int) -> float:
    """Return the factor by which a step may change, from its error in units of the tolerance.

    Parameters
    ----------
    order : int
        The error is of the order of the step to the power order + 1.
    """
    return inf if error == 0.0 else float((MARGIN * error) ** (-1.0 / (order + 1)))


@dataclass(slots=True)
class TimeStep:
    """A step that meets the tolerance.

    Attributes
    ----------
    t, h : float
        Its end and its length.
    order : int
        Of the formula.
    x : ndarray, shape (n,)
        The unknowns at its end.
    charge : ndarray, shape (n + m,)
        The charge from which the formula continues, and those of the currents that are recorded.
    error : float
        Estimate of the local error, in units of the tolerance.
    iterations : int
        Of the Newton iteration.
    jump : bool
        Whether unknowns that follow algebraic equations have jumped: a restart is due.
    currents : ndarray, shape (2 m,)
        What is recorded: g + dh/dt, and h.
    own : object
        What the method itself keeps of the step.
    equation : Equation or None
        That the state at its end solves.
    """

    t: float
    h: float
    order: int
    x: Vector
    charge: Vector
    error: float
    iterations: int
    jump: bool = False
    currents: Vector = field(default_factory=lambda: NONE)
    own: Any = None
    equation: Equation | None = None


@dataclass(frozen=True)
class RejectedStep:
    """A step that does not.

    Attributes
    ----------
    cause : "error" or "newton"
    factor : float
        By which the step is shortened.
    error : float
        The estimate, in units of the tolerance; infinite if there is none.
    """

    cause: str
    reason: str
    factor: float
    error: float = float("inf")

    @classmethod
    def unsolved(cls, reason: str) -> RejectedStep:
        """Return the rejection of a step whose linear or nonlinear equations were not solved."""
        return cls("newton", reason, NEWTON_SHRINK)


class TimeStepper(Protocol):
    """A method that makes the steps of a run.

    For `Problem.transient_sensitivity` it has two more attributes: ``tape``, None or a list to
    which it appends what `recorded_steps` differentiates; and ``control``, see
    `SensitivityControl`.

    Attributes
    ----------
    t, h : float
        The current time, and the next step.
    """

    t: float
    h: float
    order: int

    @property
    def x(self) -> Vector:
        """The unknowns at the current time, shape (n,)."""
        ...

    @property
    def charge(self) -> Vector:
        """The charge that the method continues from, shape (n + m,)."""
        ...

    @property
    def change(self) -> Vector:
        """About the change of the unknowns in a step, shape (n,)."""
        ...

    def start(self, t: float, start: Start, h: float) -> None:
        """Begin at a consistent state, with a first step h."""
        ...

    def resize(self, h: float) -> None:
        """Change the next step."""
        ...

    def attempt(self, t: float) -> TimeStep | RejectedStep:
        """Try one step to t = self.t + self.h; nothing changes but the counts."""
        ...

    def reject(self, rejection: RejectedStep) -> None:
        """Shorten the next step after a rejected one."""
        ...

    def accept(self, step: TimeStep) -> None:
        """Go to the end of a step, and choose the next step."""
        ...

    def curve(self, step: TimeStep) -> Callable[[float], Vector]:
        """Return the unknowns as a function of time within a step that is not accepted yet."""
        ...

    def mark(self) -> Any:
        """Return the state, for `undo`; it holds until the next mark."""
        ...

    def undo(self, mark: Any) -> None:
        """Go back to a state."""
        ...

    def save(self) -> dict[str, Any]:
        """Return the state, for `restore`, as copies."""
        ...

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continue from a saved state."""
        ...
