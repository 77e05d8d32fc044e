"""The loop that all runs share: steps, special points, stop conditions, recording, interruption.

A `Stepper` makes the steps. A step is complete when its point is recorded. If it is interrupted
before, by Ctrl-C or an exception of the user's code, the run is left as it was before the step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from ...arrays import Vector
from ...errors import LinearSolveError
from ...results.status import Status
from ...solvers.state.deadline import OutOfTime, passed
from ..locating.detector import Detector, at_once, certain, doubt, located
from ..stepper import Found, Point, Rejection, RunState, Stepper

Action = Callable[[Vector, float], Vector]

SINGULAR = "singular"  # cause of a rejection that a step of another length avoids
BRANCH_POINT = "the new point is a branch point"
EXTREME = (
    1e100  # beyond this, or below its inverse, products of unknowns leave the range of numbers
)


@dataclass(frozen=True)
class StopRule:
    """Conditions that end a run.

    Parameters
    ----------
    max_points : int or None
        Limit on the number of rows.
    stop : tuple of str
        Kinds of special points at which the run ends.
    after : mapping of str to int
        How many of a kind end it, where it is not the first one.
    until : callable, optional
        ``until(point)`` -> whether to end there; not called at the first point.
    callback : callable, optional
        ``callback(point)`` -> True to end there; called at every point before it is recorded.
    deadline : float
        Time limit, on the clock of `perf_counter`.
    """

    max_points: int | None = None
    stop: tuple[str, ...] = ()
    until: Callable[[Point], bool] | None = None
    callback: Callable[[Point], Any] | None = None
    deadline: float = np.inf
    after: Mapping[str, int] = field(default_factory=dict)

    def ends_at(self, kind: str, number: int) -> bool:
        """Whether the run ends at the special point with this number of a kind, from 1."""
        return kind in self.stop and number >= self.after.get(kind, 1)

    def ends(self, point: Point, first: bool = False) -> bool:
        """Whether a condition ends the run at a point; write so into the point."""
        reason = self._reason(point, first)
        if not reason or point.ending:
            return False
        point.status, point.ending = Status.STOP_CONDITION, reason
        return True

    def _reason(self, point: Point, first: bool) -> str:
        if self.callback is not None and self.callback(point) is True:
            return "the callback returned True"
        if self.until is not None and not first and self.until(point):
            return "the condition until= is met"
        return ""

    def check(self, state: RunState) -> None:
        """End the run where a limit is reached."""
        if self.max_points is not None and state.n_rows >= self.max_points:
            state.status = Status.MAX_POINTS
            state.ending = f"{self.max_points} points, the limit, were computed"
        elif passed(self.deadline):
            state.status, state.ending = Status.TIME_LIMIT, Status.TIME_LIMIT.text


class Observer(Protocol):
    """Receives every accepted step."""

    def accepted(self, stepper: Stepper, state: RunState, rows: Sequence[Point]) -> None:
        """Process ``state.point`` and the rows that the step added to the table."""
        ...


def follow(
    stepper: Stepper,
    state: RunState,
    detectors: Sequence[Detector] = (),
    rule: StopRule = StopRule(),  # frozen
    observers: Sequence[Observer] = (),
) -> None:
    """Make steps until a condition ends the run; a failure or Ctrl-C sets ``state.status``.

    Parameters
    ----------
    state : RunState
        A new one, or that of a run to be continued; changed in place.
    detectors : sequence of Detector
    observers : sequence of Observer
    """
    run = _Run(stepper, state, detectors, rule, observers)
    try:
        # what overflows is found by looking at the numbers, as in a solve, not by warnings
        with np.errstate(all="ignore"):
            if state.point is None:
                run.begin()
            while not state.ending:
                rule.check(state)
                if not state.ending:
                    run.step()
    except OutOfTime:
        state.status, state.ending = Status.TIME_LIMIT, Status.TIME_LIMIT.text
    except KeyboardInterrupt:
        state.status, state.ending = Status.INTERRUPTED, Status.INTERRUPTED.text


@dataclass
class _Run:
    stepper: Stepper
    state: RunState
    detectors: Sequence[Detector]
    rule: StopRule
    observers: Sequence[Observer]

    def begin(self) -> None:
        """Make the first point."""
        first = self.stepper.start(self.state)
        if isinstance(first, Rejection):
            self._ended(Status.STEP_TOO_SMALL, first.reason)
            return
        self._measure(first, None)
        self.rule.ends(first, first=True)
        self._commit(first, [], [first] if first.recorded or first.ending else [])

    def step(self) -> None:
        """Try one step, and accept or reject it."""
        state = self.state
        tried = self.stepper.attempt(state)
        here = state.here  # the stepper may have moved it to another metric or mesh
        found: list[Found] = []
        if isinstance(tried, Point):
            tried, found = self._examined(here, tried)
        if isinstance(tried, Rejection):
            state.rejected.append((tried.p, tried.reason))
            if not self.stepper.reject(state, tried):
                cause = f"{tried.reason}{_extreme_units(here)}"
                self._ended(Status.STEP_TOO_SMALL, f"no step could be made: {cause}")
            return
        self._take(here, tried, found)

    def _ended(self, status: Status, ending: str) -> None:
        """End the run, unless the stepper has ended it already."""
        if not self.state.ending:
            self.state.status, self.state.ending = status, ending

    def _measure(self, point: Point, before: Point | None) -> None:
        for detector in self.detectors:
            detector.measure(self.stepper, point, before)

    def _measure_there(self, point: Point, before: Point) -> None:
        """Measure at a special point, where the bordered Jacobian may be singular."""
        for detector in self.detectors:
            if not detector.needs_factorization:
                detector.measure(self.stepper, point, before)

    def _examined(self, here: Point, new: Point) -> tuple[Point | Rejection, list[Found]]:
        """Return the new point or its rejection, and the special points before it."""
        if new.found is not None:
            return new, new.found
        if not self.detectors:
            return new, []
        try:
            self._measure(new, here)
        except LinearSolveError:
            return Rejection(here.p, BRANCH_POINT, SINGULAR), []
        held, found = doubt(new), list[Found]()
        if held is None or not self.stepper.doubtful(self.state):
            found = located(self.stepper, here, new, self.detectors)
            held = doubt(new)
        if held is not None and self.stepper.doubtful(self.state):
            return Rejection(here.p, held.reason, "doubt"), []
        return new, [*found, *certain(new, here, self.detectors)]

    def _take(self, here: Point, new: Point, found: list[Found]) -> None:
        """Accept a new point, or a point before it where the run ends or an action changes it.

        All functions of the user are called before the state of the run is changed.
        """
        rows = [*new.passed, *([new] if new.recorded else [])]
        actions: list[Action] = []
        for k, one in enumerate(found):
            ends = self._ends_at(one, found[:k])
            if ends or one.action is not None:
                new = one.point
                same = [one, *(other for other in found[k + 1 :] if at_once(one, other))]
                found = [*found[:k], *same]
                actions = [other.action for other in same if other.action is not None]
                rows = [row for row in rows if row is not new and row.s < new.s]
                if ends:
                    actions, new.status = [], Status.STOP_CONDITION
                    new.ending = f"it ends at {one.special}, as asked"
                self._measure_there(new, here)
                rows += [new] if new.recorded or new.ending else []
                break
        for k, row in enumerate([*rows, *([] if new in rows else [new])]):
            if self.rule.ends(row):
                new, rows, actions = row, [*rows[:k], row], []
                found = [one for one in found if one.point.s <= new.s]
                break
        changed = None
        if actions and not new.ending:
            x = new.x
            for action in actions:
                x = np.array(action(x.copy(), new.p), dtype=float)
            changed = Point(x, new.p, s=new.s)
            self._measure(changed, None)
        self._commit(new, found, rows, changed)

    def _ends_at(self, one: Found, before: Sequence[Found]) -> bool:
        kind = one.special.kind
        known = [*self.state.special_points, *(other.special for other in before)]
        return self.rule.ends_at(kind, 1 + sum(special.kind == kind for special in known))

    def _commit(
        self, new: Point, found: list[Found], rows: Sequence[Point], changed: Point | None = None
    ) -> None:
        """Record the rows and make `new` the point of the run; on an exception undo all of it.

        The run continues from `changed`, if an action made it. Observers see that point: a
        checkpoint before the action would continue without it.
        """
        state = self.state
        values = [[column.value(row) for column in state.columns] for row in rows]
        old, mark = {**vars(state), "special_points": [*state.special_points]}, self.stepper.mark()
        try:
            for one in found:
                passed = [row for row in rows if row is not new and row.s < one.point.s]
                one.special.index = state.n_rows + len(passed)
                state.special_points.append(one.special)
            state.before, state.point = state.point, new
            for row in values:
                for column, value in zip(state.columns, row, strict=True):
                    state.table.setdefault(column.name, []).append(value)
            state.n_rows += len(rows)
            if new.ending:
                state.status, state.ending = new.status, new.ending
            self.stepper.accept(state, state.before)
            if changed is not None and not state.ending:
                state.before, state.point = None, changed
                self.stepper.restart(state)
            for observer in self.observers:
                observer.accepted(self.stepper, state, rows)
        except BaseException:
            vars(state).update(old)
            for kept in state.table.values():
                del kept[state.n_rows :]
            self.stepper.undo(mark)
            raise


def _extreme_units(point: Point) -> str:
    """Return a clause that names the units of the unknowns at a point, if they are extreme."""
    largest = float(np.abs(point.x).max(initial=0.0))
    if largest == 0.0 or 1.0 / EXTREME <= largest <= EXTREME:
        return ""
    return (
        f"; the largest unknown is {largest:.1g} there: divide the unknowns by their typical sizes "
        "in the residual"
    )
