"""The protocol of steppers, and the state of a run.

A run computes solutions x along an abscissa p: a parameter, or the time. `follow` is the loop that
all runs share: special points, stop conditions, recording, interruption. A `Stepper` makes the
steps of one kind of run. The abscissa is called p here, whatever its name in the problem is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..arrays import Vector
from ..results.history import Stats
from ..results.special_points import SpecialPoint
from ..results.status import Status
from .columns import Column
from .family import with_last


@dataclass(eq=False)
class Point:
    """A solution of a run.

    Attributes
    ----------
    x : ndarray, shape (n,)
    p : float
        The abscissa: the parameter, or the time.
    tangent : ndarray of shape (n + 1,), or None
        Of the curve in (x, p), at length 1 in the stepper's metric; for steppers that have one.
    s : float
        Arclength from the start. It must grow from point to point. A stepper with a monotonic
        abscissa may use ``abs(p - start)``.
    iterations : int
        Number of iterations for this point.
    tests : dict
        Test values of the detectors, each under its own name.
    at : object
        Data of the stepper at this point, such as the linearization.
    recorded : bool
        Whether the point becomes a row of the branch. A step that ends between two requested
        abscissas sets False.
    passed : list of Point
        Points to record before this one, in their order: requested abscissas within the step.
    found : list of Found, or None
        Special points that the stepper located itself on the way here. None (the usual case) lets
        the detectors look for them.
    ending : str
        Why the run ends here, as text; empty if it continues.
    status : Status
        The status of a run that ends here.
    """

    x: Vector
    p: float
    tangent: Any = None
    s: float = 0.0
    iterations: int = 0
    tests: dict[str, Any] = field(default_factory=dict)
    at: Any = None
    recorded: bool = True
    passed: list[Point] = field(default_factory=list)
    found: list[Found] | None = None
    ending: str = ""
    status: Status = Status.CONVERGED

    @property
    def z(self) -> Vector:
        """The state with the abscissa appended, shape (n + 1,)."""
        return with_last(self.x, self.p)


@dataclass(frozen=True)
class Rejection:
    """A step that was not accepted.

    Attributes
    ----------
    p : float
        The abscissa of the step.
    reason : str
        Text for ``branch.rejected``.
    cause : str
        A word for the stepper's own `reject`: "error", "solver", ...
    """

    p: float
    reason: str
    cause: str = ""


@dataclass(eq=False)
class Found:
    """A special point between two points of a run.

    Attributes
    ----------
    point : Point
        The solution there. It is the next point of the run if the run ends there, or if there is
        an action.
    special : SpecialPoint
        The entry of the branch.
    reach : float
        Largest distance of the exact special point, in `Point.s`.
    action : callable, optional
        ``action(x, p) -> x``: the state from which the run restarts at this point.
    """

    point: Point
    special: SpecialPoint
    reach: float = 0.0
    action: Callable[[Vector, float], Vector] | None = None


@dataclass(eq=False)
class RunState:
    """The state of a run.

    Attributes
    ----------
    columns : tuple of Column
        The columns of the table.
    point, before : Point or None
        The last point, and the one before it; None before the first one, or after a restart.
    step : float
        The next step, in the stepper's own unit.
    table : dict of str to list
        The rows so far, by the names of the columns.
    n_rows : int
        How many rows are complete.
    special_points : list of SpecialPoint
    rejected : list of (abscissa, reason)
    status : Status
        Why the run ended; set by the loop, or by a stepper that sets `ending`.
    ending : str
        The same as text; empty while the run continues.
    stats : Stats
        Costs that the stepper counts.
    """

    columns: tuple[Column, ...] = ()
    point: Point | None = None
    before: Point | None = None
    step: float = 0.0
    table: dict[str, list[Any]] = field(default_factory=dict)
    n_rows: int = 0
    special_points: list[SpecialPoint] = field(default_factory=list)
    rejected: list[tuple[float, str]] = field(default_factory=list)
    status: Status = Status.CONVERGED
    ending: str = ""
    stats: Stats = field(default_factory=Stats)

    @property
    def here(self) -> Point:
        """The last point, of a run that has one."""
        assert self.point is not None
        return self.point

    @property
    def is_over(self) -> bool:
        """Whether the run ended, and does not go on when it is resumed."""
        return bool(self.ending) and not self.status.resumable

    def values_of(self, column: Column) -> list[Any]:
        """Return the values of a column so far, whatever its name in the table is."""
        for one in self.columns:
            if one.value is column.value:
                return self.table.get(one.name, [])
        return []


class Stepper(Protocol):
    """Makes the steps of a run. Inherit from it: all but the first two methods have defaults.

    A stepper may raise `KeyboardInterrupt` and `OutOfTime` anywhere. The loop then ends the run
    with the points before this step.
    """

    columns: Sequence[Column] = ()
    """Columns that this kind of run adds to the branch, such as the order of a method."""
    curve: Any = None
    """The `Curve` of a stepper whose points have tangents; the branch keeps its metric."""

    def start(self, state: RunState) -> Point | Rejection:
        """Return the first point, and set ``state.step``; a rejection ends the run."""
        ...

    def attempt(self, state: RunState) -> Point | Rejection:
        """Try one step of ``state.step`` from ``state.point``.

        It changes nothing in the stepper that `save` returns: a step may be tried again.
        """
        ...

    def between(self, a: Point, b: Point, t: float) -> Point | None:
        """Return the solution at the fraction t between a and b; None if there is none.

        For events and detectors. `b` may be a point that is not accepted yet. The default returns
        None: special points are then approximate.
        """
        return None

    def accept(self, state: RunState, before: Point | None) -> None:
        """Process the new ``state.point`` (its row is complete), and choose ``state.step``.

        `before` is the point that the step started from, None for the first one. It may end the run
        by ``state.status`` and ``state.ending``.
        """
        return None

    def reject(self, state: RunState, rejection: Rejection) -> bool:
        """Choose a shorter ``state.step``; return False if the run cannot continue.

        It may set ``state.status`` and ``state.ending`` to say why; the default is STEP_TOO_SMALL.
        """
        return False

    def doubtful(self, state: RunState) -> bool:
        """Whether to repeat a step with a `Doubt` of a detector, and shorter."""
        return False

    def restart(self, state: RunState) -> None:
        """Restart: the action of an event changed ``state.point.x``."""
        return None

    def save(self) -> dict[str, Any]:
        """Return the stepper's data, as arrays, numbers and texts by name, for the checkpoint.

        The arrays must not be changed in place afterwards.
        """
        return {}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Restore what `save` returned, when a run is resumed."""
        return None

    def mark(self) -> Any:
        """Return the stepper's data for `undo`, which is done, if at all, before the next mark.

        Called once for each step. The default returns what `save` returns.
        """
        return self.save()

    def undo(self, mark: Any) -> None:
        """Go back to a mark, since a step was not completed."""
        self.restore(mark)

    def renew(self, state: RunState) -> None:
        """Drop, behind a checkpoint, what a resumed run does not have.

        Then an interrupted run and one that was not give the same numbers.
        """
        return

    def resume(self, state: RunState) -> None:
        """Complete ``state.point`` (`Point.at`) when a run is resumed from a checkpoint.

        Raises
        ------
        CheckpointError
            If the point is no solution of this stepper.
        """
        return None
