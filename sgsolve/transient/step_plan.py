"""StepPlan: where the next step in time ends, and whether the method restarts instead.

The end of a step is the end of the run, a row that is met exactly, a breakpoint, or a jump of the
equations that was found. The method restarts behind a jump, after an event changed the state, and
after steps that failed because the state does not meet the algebraic equations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..arrays import EPS
from ..continuation.stepper import Rejection
from ..results.branch_file import part
from .error_weights import ErrorWeights
from .evolution import EvolutionSystem
from .hidden_changes import HiddenChanges
from .methods.time_step import TimeStep, TimeStepper
from .schedule import Schedule, before
from .setbacks import Setbacks
from .starts.consistent_start import Start
from .starts.event_starts import first_step_after
from .starts.starts import FIRST_STEP, Starts

ROUNDED = 1e-9  # of a step: so little may be left of it, or of two equal ones, before a stop
ROUNDINGS = 4.0 * EPS  # of the time, by which a step that keeps its length may miss its end
RESTS = 1.0  # change in a step, in units of the tolerance, below which a system is at rest


class StepPlan:
    """Plans the steps of a run.

    Parameters
    ----------
    fixed : float or None
        The length of fixed steps.
    hidden : HiddenChanges or None
        Looks for changes of the equations within long steps.

    Attributes
    ----------
    target : float
        Where the next step ends.
    due : {"", "jump", "change", "doubt"}
        Why a restart is due.
    interval : float
        Between the last events of the kind that was last acted on.
    setbacks : Setbacks
    """

    def __init__(
        self,
        schedule: Schedule,
        weights: ErrorWeights,
        fixed: float | None,
        hidden: HiddenChanges | None,
    ) -> None:
        self.schedule, self.weights, self.fixed = schedule, weights, fixed
        self.hidden = hidden if fixed is None else None
        self.setbacks = Setbacks(schedule)
        self.target, self.due, self.interval = schedule.t0, "", np.inf

    def first_length(self, starts: Starts, start: Start, t: float) -> float:
        """Return the length of the first step from a state."""
        if self.fixed is not None:
            return self.fixed
        h = starts.first_length(start, t)
        # where events follow each other, the next one may be as near as the last one
        return min(h, first_step_after(self.interval, t)) if self.due == "change" else h

    def longest_first(self, t: float) -> float:
        """Return the longest first step from t; 0 where it is given, or follows an event."""
        schedule = self.schedule
        if self.fixed is not None or schedule.first_step is not None or self.due == "change":
            return 0.0
        return min(FIRST_STEP * schedule.length, schedule.next_stop(t, self.setbacks.jumps) - t)

    def next_length(self, steps: TimeStepper) -> float:
        """Fix where the next step ends, and return its length."""
        t, h = steps.t, min(steps.h, self.schedule.max_step)
        if self.fixed is not None:
            h = self.fixed
        stop = self.schedule.next_stop(t, self.setbacks.jumps)
        if self.hidden is not None and self._found_hidden(self.hidden, steps, min(t + h, stop)):
            stop = self.schedule.next_stop(t, self.setbacks.jumps)
        if t + h * (1.0 + ROUNDED) >= stop:
            h, self.target = stop - t, stop
        elif t + 2.0 * h * (1.0 - ROUNDED) > stop and self.fixed is None:
            h = 0.5 * (stop - t)
            self.target = t + h
        else:
            self.target = t + h
        same = abs(h - steps.h) <= ROUNDINGS * abs(self.target)
        return steps.h if same and self.fixed is None else h

    def _found_hidden(self, hidden: HiddenChanges, steps: TimeStepper, end: float) -> bool:
        """Whether the equations change within a step though not at its end; note the place."""
        t = steps.t
        rests = self.weights.norm(steps.change, self.weights.weights(steps.x)) < RESTS
        place = hidden.within(t, end, steps.x, self.setbacks.jumps, rests)
        if not t < before(place) < end:
            return False
        self.setbacks.found(place, t)
        return True

    def accept(self, step: TimeStep, t: float) -> None:
        """Take note of a step that ended at t."""
        self.setbacks.reach(t)
        if step.jump or self.setbacks.is_at_jump(t):
            self.due = "jump"

    def reject(self, system: EvolutionSystem, steps: TimeStepper, rejection: Rejection) -> None:
        """Take note of a step that failed, and decide whether a restart is due."""
        setbacks = self.setbacks
        suspicious = setbacks.take(steps.h, rejection.reason, self.target)
        place = None if self.hidden is None else self.hidden.jump(steps.t, self.target)
        if place is not None and place not in setbacks.jumps:
            self.due = setbacks.found(place, steps.t)
        else:
            self.due = setbacks.suspected(system, steps.t, steps.x) if suspicious else ""

    def save(self) -> dict[str, Any]:
        """Return the state, for `restore`."""
        kept = {"target": self.target, "due": self.due, "interval": self.interval}
        return kept | {f"setbacks {key}": one for key, one in self.setbacks.save().items()}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continue from what `save` returned."""
        self.target, self.due = float(saved["target"]), str(saved["due"])
        self.interval = float(saved["interval"])
        self.setbacks.restore(part(saved, "setbacks "))
