"""Restarts: a run in time begins anew behind a jump, after an event, or after steps that failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..arrays import Vector
from ..continuation.stepper import Point, Rejection
from ..errors import ConvergenceError, LinearSolveError
from .evolution import EvolutionSystem
from .methods.time_step import TimeStep, TimeStepper
from .schedule import before
from .starts.consistent_start import AlgebraicSystem, Start
from .starts.starts import Starts
from .step_plan import StepPlan

FIRST_ERROR = 0.001  # of the tolerance, in the first step of a method of order 1
DOUBLED = 2.0  # a first step that would grow less than this is made as it is
OWN_CHARGE = (
    "after steps that failed the run went on with the storage of the state itself, whose sum may "
    "differ from what was conserved by the tolerance of Newton's iteration"
)


class TimeRestarts:
    """Makes the state that a run goes on from, and starts the method there.

    Parameters
    ----------
    plan : StepPlan
        Says why a restart is due.

    Attributes
    ----------
    solved : dict
        t, a and q of the equation that the state at the end of the last step solves.
    own_charge : bool
        Whether the last restart went on with the charge of a state not solved to rounding.
    """

    def __init__(
        self, system: EvolutionSystem, starts: Starts, plan: StepPlan, steps: TimeStepper
    ) -> None:
        self.system, self.starts, self.plan, self.steps = system, starts, plan, steps
        self.solved: dict[str, Any] = {}
        self.own_charge = False

    def accept(self, step: TimeStep) -> None:
        """Keep the equation of a step, in case that the run begins anew at its end."""
        if step.equation is not None:
            t, a, q = step.equation.t, step.equation.a, step.equation.q
            self.solved = {"t": t, "a": a, "q": q[: self.system.n]}

    def restore(self, solved: Mapping[str, Any]) -> None:
        """Continue with the equation of a saved state."""
        self.solved = {key: one if key == "q" else float(one) for key, one in solved.items()}

    def restarted(self, x: Vector) -> Point | Rejection:
        """Return the state after a jump, at its right-hand side.

        Parameters
        ----------
        x : ndarray, shape (n,)
            The state that an event changed, if that is why a restart is due.
        """
        changed, self.own_charge = self.plan.due == "change", False
        t = self.plan.setbacks.right_of(self.steps.t)
        found = self.starts.at(t, x) if changed else self._continued(t, self.steps.x.copy())
        if isinstance(found, str):
            return Rejection(t, found, "start")
        schedule = self.plan.schedule
        shown = before(t) if t != self.steps.t else t
        s, recorded = shown - schedule.t0, schedule.is_row(shown)
        return Point(found.x, shown, s=s, at=found, recorded=recorded)

    def _continued(self, t: float, x: Vector) -> Start | str:
        """Return a consistent state with the charge that is conserved, or why there is none.

        The charge that was kept may be none that unknowns can have, as beyond saturation. That of
        the state is then conserved, where the equation of the last step holds to rounding.
        """
        doubted, kept = self.plan.due == "doubt", self.steps.charge.copy()
        if not doubted:
            found = self.starts.at(t, x, kept)
            if isinstance(found, Start):
                return found
        solved = self._solved_to_rounding(x)
        again = solved is None or self.plan.setbacks.doubts > 1 or not doubted
        found = self.starts.at(t, x if solved is None else solved, None, doubted=again)
        if isinstance(found, str):
            return self.starts.at(t, x, kept, doubted=True) if doubted else found
        self.own_charge = solved is None
        return found

    def _solved_to_rounding(self, x: Vector) -> Vector | None:
        """Return the state where the last step's equation holds to rounding; None if not found.

        Its storage is the charge that is conserved, but for rounding.
        """
        if not self.solved:
            return None
        try:
            return self.starts.solve(AlgebraicSystem(self.system, **self.solved), x)
        except (ConvergenceError, LinearSolveError, ArithmeticError):
            return None

    def begin(self, start: Start, t: float) -> None:
        """Start the method at a consistent state."""
        self.solved = {}
        self.steps.start(t, start, self.plan.first_length(self.starts, start, t))
        self._lengthen(self.plan.longest_first(t))
        self.plan.due = ""

    def _lengthen(self, longest: float) -> None:
        """Lengthen the first step by the error of a trial: its change is a cautious bound only.

        A step that grows from step to step instead takes a factorization for each of them.
        """
        steps = self.steps
        if steps.order > 1 or not longest > DOUBLED * steps.h:
            return
        trial = steps.attempt(steps.t + steps.h)
        if isinstance(trial, TimeStep) and 0.0 < trial.error < FIRST_ERROR:
            factor = min((FIRST_ERROR / trial.error) ** 0.5, longest / steps.h)
            if factor > DOUBLED:
                steps.resize(factor * steps.h)
