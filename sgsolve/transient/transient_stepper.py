"""TransientStepper: steps in time for the loop that all runs share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..arrays import Vector
from ..continuation.columns import Column
from ..continuation.stepper import Point, Rejection, RunState, Stepper
from ..results.branch_file import part
from ..results.status import Status
from ..solvers.state.workspace import Workspace
from .counts import Counts
from .currents import Between, CurrentHistory
from .dense_solution import DenseSolution
from .evolution import EvolutionSystem
from .failures import explained
from .hidden_changes import HiddenChanges
from .implicit.implicit_solver import ImplicitSolver
from .methods import time_step
from .methods.step_sequence import SequenceMaker, StepSequence
from .methods.time_step import TimeStep, TimeStepper
from .oscillations import Oscillations
from .schedule import Schedule
from .sliding_mode import sliding_mode
from .starts.consistent_start import Solve, Start
from .starts.event_starts import shortest_return
from .starts.starts import Starts
from .step_plan import StepPlan
from .time_restarts import OWN_CHARGE, TimeRestarts

DOUBTED = 0.1  # by which a step is shortened in which an event returns
RECENT = 100  # special points among which the one before of the same kind is looked for
# Parts of the state, once a step can be made.
PARTS = ("steps", "currents", "implicit", "solved", "oscillations")


def _of_step(name: str) -> Callable[[Point], float]:
    return lambda point: float(getattr(point.at, name, 0))


class TransientStepper(Stepper):
    """Steps of a run in time; the abscissa of its points is t.

    Parameters
    ----------
    steps : TimeStepper
        The method.
    x0 : ndarray, shape (n,)
        The state to start from.
    solve : callable
        For algebraic equations that do not hold at a start.
    fixed : float or None
        The length of fixed steps.
    mode : {"consistent", "steady", "as given"}
        Move a start that does not meet the algebraic equations at constant charge; start from the
        steady state near x0; or reject such a start.
    recorded : sequence of Column
        Of the currents.
    hidden : HiddenChanges or None
        Looks for changes of the equations within long steps.
    """

    columns: Sequence[Column] = (
        Column("step", _of_step("h")),
        Column("order", _of_step("order")),
        Column("error", _of_step("error")),
    )

    def __init__(
        self,
        system: EvolutionSystem,
        workspace: Workspace,
        implicit: ImplicitSolver,
        steps: TimeStepper,
        schedule: Schedule,
        x0: Vector,
        solve: Solve,
        fixed: float | None = None,
        mode: str = "consistent",
        recorded: Sequence[Column] = (),
        hidden: HiddenChanges | None = None,
    ) -> None:
        self.columns = (*self.columns, *recorded)
        self.system, self.workspace, self.implicit = system, workspace, implicit
        self.weights, self.steps, self.schedule = implicit.weights, steps, schedule
        self.starts = Starts(system, workspace, implicit.weights, schedule, solve)
        self.plan = StepPlan(schedule, implicit.weights, fixed, hidden)
        self.restarts = TimeRestarts(system, self.starts, self.plan, steps)
        self.x0, self.mode = x0, mode
        self.start_x = x0  # whose charge the run starts with
        self.counts, self.remarks = Counts(), list[str]()
        self.longest = 0.0  # step
        self.first_sizes: dict[str, float] = {}  # of the blocks at the start
        self.begun = False
        self.currents = CurrentHistory()
        self._before_trials: dict[str, Any] | None = None
        self._before_attempt: dict[str, Any] | None = None  # of the solver, until a step is taken
        self.accumulation = ""  # the message of a run that ends where events accumulate
        self.dense: DenseSolution | None = None  # where the solution is kept, if it is wanted
        self._rejection: time_step.RejectedStep | None = None
        self.sequences: SequenceMaker | None = None
        self.oscillations: Oscillations | None = None  # where they are looked for
        self._sequence: StepSequence | None = None  # that is not accepted yet

    def start(self, state: RunState) -> Point | Rejection:
        """Return the first point."""
        t = self.schedule.t0
        begun = self.starts.first(self.x0, self.mode)
        if isinstance(begun, str):
            return Rejection(t, begun, "start")
        self.start_x, found = begun
        self.first_sizes = self.system.blocks.norms(found.x)
        if found.moved:
            self.remarks.append(
                f"the start did not meet the algebraic equations and was moved, most in "
                f"{found.moved}"
            )
        return Point(found.x, t, at=found, recorded=self.schedule.is_row(t))

    def attempt(self, state: RunState) -> Point | Rejection:
        """Try one step, or start anew where that is due."""
        if self.plan.due:
            return self._restarted(state.point)
        self._before_attempt = self.implicit.save()
        several = None if self.sequences is None else self.sequences.attempt(state.n_rows)
        if isinstance(several, StepSequence):
            self._sequence = several
            return self._end_of(several)
        outcome = self.steps.attempt(self.plan.target) if several is None else several
        if isinstance(outcome, time_step.RejectedStep):
            self._rejection = outcome
            return Rejection(self.plan.target, outcome.reason, outcome.cause)
        return self._point(outcome)

    def between(self, a: Point, b: Point, t: float) -> Point | None:
        """Return the end of a step a fraction t as long as that from a to b."""
        if not isinstance(b.at, TimeStep):
            return None
        if self._before_trials is None:
            self._before_trials = self.implicit.save()
        mark = self.steps.mark()
        try:
            self.steps.resize(t * b.at.h)
            end = self.steps.t + t * b.at.h
            with self.implicit.to_rounding():
                outcome = self.steps.attempt(end)
            if not isinstance(outcome, TimeStep):  # rounding was larger than expected
                outcome = self.steps.attempt(end)
        finally:
            self.steps.undo(mark)
        return self._point(outcome) if isinstance(outcome, TimeStep) else None

    def inside(self, b: Point) -> Callable[[float], Vector] | None:
        """Return the unknowns as a function of time within the step to b, not accepted yet."""
        return self.steps.curve(b.at) if isinstance(b.at, TimeStep) else None

    def accept(self, state: RunState, before: Point | None) -> None:
        """Record the new point, and choose the next step."""
        point = state.point
        assert point is not None
        self._before_attempt = None
        if isinstance(point.at, Start):
            t = point.p if before is None else self.plan.setbacks.right_of(point.p)
            self._begin(point.at, t)
        elif isinstance(point.at, TimeStep):
            if self._before_trials is not None:  # to locate events is not to change the steps
                self.implicit.restore(self._before_trials)
                self._before_trials = None
            self._accept(point.at)
            vanished = explained(self) if self._vanishes(point.at) else ""
            if self.accumulation or (vanished and not state.ending):
                state.status = Status.STEP_TOO_SMALL
                state.ending = self.accumulation or vanished
        counters = self.implicit.counters
        state.stats.nfev, state.stats.njev = counters.nfev, counters.njev
        state.stats.nit = counters.nit
        state.stats.seconds.update(counters.seconds)
        state.step = self._planned()

    def _accept(self, step: TimeStep) -> None:
        """Go to the end of a step, or of the sequence that it ends."""
        sequence, self._sequence = self._sequence, None
        made = [step]
        self.steps.resize(step.h)
        if self.dense is not None:
            self.dense.pieces.append((step.t, self.steps.curve(step)))
        if sequence is not None and sequence.steps[-1] is step:
            made = sequence.steps
            sequence.take()
        else:
            self.steps.accept(step)
        self.restarts.accept(step)
        self.counts.steps += len(made)
        if self.oscillations is not None:
            self.oscillations.follow(made)
        self.currents.append(step.t, step.currents)
        self.longest = max(self.longest, *(one.h for one in made))
        self.plan.accept(step, self.steps.t)

    def _vanishes(self, step: TimeStep) -> bool:
        """Whether the steps become shorter than the rounding of the time, though they succeed."""
        least = min(step.h, self.schedule.min_step(step.t))
        return self.plan.fixed is None and self.steps.h < least

    def reject(self, state: RunState, rejection: Rejection) -> bool:
        """Choose a shorter step; False if none can be made."""
        if rejection.cause == "doubt":
            return self._doubted(state, rejection)
        if rejection.cause == "start" and self.plan.due == "doubt":
            self.plan.due = ""  # the state is as consistent as it was: shorter steps may succeed
            state.step = self._planned()
            return True
        self._before_attempt = None
        failed = self._rejection is not None and rejection.cause == "newton"
        state.ending = sliding_mode(self) if failed else ""
        if not state.ending and (self._rejection is None or self.plan.fixed is not None):
            state.ending = f"the run ended at t = {self.steps.t:.9g}: {rejection.reason}"
        if state.ending:
            state.status = Status.STEP_TOO_SMALL
            return False
        assert self._rejection is not None
        self.counts.reject(rejection.cause)
        self.plan.reject(self.system, self.steps, rejection)
        self.steps.reject(self._rejection)
        if self.plan.due:
            return True
        if self.steps.h < self.schedule.min_step(self.steps.t):
            state.status = Status.STEP_TOO_SMALL
            state.ending = explained(self)
            return False
        state.step = self._planned()
        return True

    def doubtful(self, state: RunState) -> bool:
        """Whether to repeat a step in which an event may have been missed: always."""
        return True

    def _doubted(self, state: RunState, rejection: Rejection) -> bool:
        """Repeat a step much shorter: an event returns within it."""
        if self._before_trials is not None:
            self.implicit.restore(self._before_trials)
            self._before_trials = None
        self._before_attempt = None
        t, h = self.steps.t, self.steps.h
        if self.plan.fixed is None and h > max(shortest_return(t), self.schedule.min_step(t)):
            self.steps.resize(DOUBTED * h)
            state.step = self._planned()
            return True
        fixed = self.plan.fixed is not None
        cause = "the steps are fixed" if fixed else "a shorter step does not help"
        state.status = Status.STEP_TOO_SMALL
        state.ending = (
            f"the run ended at t = {t:.9g}: {rejection.reason}, and {cause}. Events may accumulate "
            "there. Use shorter steps or a method that chooses them, end the run by stop=, or let "
            "on_event change to equations that hold beyond, such as those of a body at rest"
        )
        return False

    def restart(self, state: RunState) -> None:
        """Start anew from the state that an event's action made."""
        recent = state.special_points[-RECENT:]
        times = [one.parameter for one in recent if one.kind == recent[-1].kind]
        self.plan.due = "change"
        self.plan.interval = times[-1] - times[-2] if len(times) > 1 else np.inf

    def resume(self, state: RunState) -> None:
        """Do nothing: the state of the method is complete."""
        return None

    def mark(self) -> dict[str, Any]:
        """Return the state for `undo`: what `save` returns, by parts and without copies."""
        return self._parts(self.steps.mark)

    def undo(self, mark: Mapping[str, Any]) -> None:
        """Go back to a mark."""
        self._take_parts(mark, self.steps.undo)

    def save(self) -> dict[str, Any]:
        """Return all that the next step depends on."""
        kept: dict[str, Any] = {}
        for name, value in self._parts(self.steps.save).items():
            if isinstance(value, dict):
                kept |= {f"{name} {key}": one for key, one in value.items()}
            else:
                kept[name] = value
        remarks = {"remarks": np.array(self.remarks, dtype=str)} if self.remarks else {}
        return kept | {"counts": np.array(kept["counts"])} | remarks

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continue from what `save` returned."""
        parts: dict[str, Any] = dict(saved)
        self.remarks = [str(remark) for remark in saved.get("remarks", ())]
        for name in PARTS if "steps numbers" in saved else ():
            parts[name] = part(saved, f"{name} ")
        self._take_parts(parts, self.steps.restore)

    def _parts(self, of_steps: Callable[[], Any]) -> dict[str, Any]:
        kept = {**self.plan.save(), "longest": self.longest}
        kept |= {"counts": self.counts.numbers, "largest": self.weights.largest}
        kept["inherited"] = self.weights.inherited
        if self.sequences is not None:
            kept["sequences"] = self.sequences.activity
        if self.oscillations is not None:
            kept["oscillations"] = self.oscillations.save()
        if not self.begun:
            return kept
        kept["steps"], kept["solved"] = of_steps(), self.restarts.solved
        if self.system.currents is not None:
            kept["currents"] = self.currents.save()
        kept["implicit"] = self._before_attempt or self.implicit.save()
        return kept

    def _take_parts(self, parts: Mapping[str, Any], to_steps: Callable[[Any], None]) -> None:
        self.plan.restore(parts)
        self.longest, self.weights.largest = float(parts["longest"]), np.array(parts["largest"])
        self.weights.inherited = np.array(parts.get("inherited", self.weights.inherited))
        self.counts = Counts(*(int(n) for n in parts["counts"]))
        if self.sequences is not None:
            self.sequences.activity = int(parts.get("sequences", 0))
        if self.oscillations is not None and parts.get("oscillations"):
            self.oscillations.restore(parts["oscillations"])
        self.begun = "steps" in parts
        if not self.begun:
            return
        to_steps(parts["steps"])
        self.restarts.restore(parts["solved"])
        if self.system.currents is not None:
            self.currents.restore(parts["currents"])
        self.implicit.restore(parts["implicit"])
        self._before_attempt = None

    def _point(self, step: TimeStep) -> Point:
        """Return the end of a step as a point, with the rows that lie within the step."""
        start, rows = self.schedule.t0, self.schedule.rows
        point = Point(step.x, step.t, s=step.t - start, iterations=step.iterations, at=step)
        if step.t == self.schedule.t1:
            point.ending = f"it reached t = {step.t:.9g}"
        if rows is None:
            return point
        times = self.schedule.rows_within(step.t - step.h, step.t)
        times = times[times > self.steps.t]
        point.recorded = bool(len(times) and times[-1] == step.t)
        inner = times[:-1] if point.recorded else times
        if len(inner):
            curve = self.steps.curve(step)
            point.passed = [
                Point(curve(t), float(t), s=float(t) - start, at=self._currents_at(t, step))
                for t in inner
            ]
        return point

    def _end_of(self, sequence: StepSequence) -> Point:
        """Return the end of the last step as a point; those of the others are passed."""
        *before, last = sequence.steps
        point = self._point(last)
        if self.schedule.rows is None:
            t0 = self.schedule.t0
            point.passed = [
                Point(one.x, one.t, s=one.t - t0, iterations=one.iterations, at=one)
                for one in before
            ]
        return point

    def _currents_at(self, t: float, step: TimeStep) -> Between:
        return self.currents.at(float(t), step.t, step.currents, step.order)

    def _restarted(self, point: Point | None) -> Point | Rejection:
        """Return the state after a jump, at its right-hand side."""
        assert point is not None
        self._rejection = None
        found = self.restarts.restarted(point.x)
        self.remarks += [OWN_CHARGE] if self.restarts.own_charge else []
        return found

    def _begin(self, start: Start, t: float) -> None:
        """Start the method at a consistent state."""
        self.counts.restarts += bool(self.plan.due)
        self.restarts.begin(start, t)
        self.currents.start(t, start.currents)
        self.begun = True

    def _planned(self) -> float:
        """Set the next step, and return its length."""
        h = self.plan.next_length(self.steps)
        if h > 0.0:
            self.steps.resize(h)
        return h
