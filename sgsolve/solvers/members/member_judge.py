"""Whether members that are solved together have converged, each judged as in a solve of its own.

The criteria of all members at once only choose the candidates. Each of these becomes an `Iterate`,
for `termination_status` to decide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...arrays import Vector
from ...results.status import Status
from ..acceptance.convergence import termination_status
from ..acceptance.rounding import SMALL_STEP
from ..method import NewtonMethod
from ..state.iterate import Iterate
from ..state.member_scaling import MemberScaling
from ..state.perturbation import linearized_beside
from ..state.system import MemberSystem
from ..state.workspace import Workspace
from ..steps.member_damping import Evaluate, Steps
from .member_slots import MemberSlots
from .member_tests import MemberPoints, may_pass


@dataclass
class MemberOutcome:
    """A member that converged: its point and what a result reports of it."""

    x: Vector
    F: Vector
    scaled: Vector
    status: Status
    nit: int
    sizes: Vector


class MemberJudge:
    """Ends members: those that converged with an outcome, those that failed without.

    Parameters
    ----------
    workspace : Workspace
        For what a member needs alone.
    evaluate : callable
        Residuals of the marked slots.
    leave : callable
        Lets marked slots be empty.
    deadline : float
        Time at which everything ends, s.

    Attributes
    ----------
    outcomes : dict of int to MemberOutcome
        The members that converged.
    """

    def __init__(
        self,
        method: NewtonMethod,
        system: MemberSystem,
        workspace: Workspace,
        scaling: MemberScaling,
        slots: MemberSlots,
        evaluate: Evaluate,
        leave: Callable[[Any], None],
        deadline: float,
    ) -> None:
        self._method, self._system, self._workspace = method, system, workspace
        self._scaling, self._slots, self._deadline = scaling, slots, deadline
        self._evaluate, self._leave = evaluate, leave
        self.outcomes: dict[int, MemberOutcome] = {}

    def judge_starts(self) -> None:
        """End the members whose start is a solution."""
        slots = self._slots
        begun = slots.working & (slots.k == 0)
        if not begun.any():
            return
        never = np.full(len(begun), np.inf)
        passing = may_pass(self._method.termination, self._points(slots.F, never))
        for j in np.flatnonzero(begun & (passing | ~slots.F.any(axis=1))).tolist():
            self._end(j, self._iterate_at(j))
        for j in np.flatnonzero(begun & slots.working).tolist():
            slots.memory[j]["start size"] = max(1.0, float(np.abs(slots.x[j]).max(initial=0.0)))

    def _points(self, F: Vector, estimate: Vector) -> MemberPoints:
        return MemberPoints(F, self._scaling.own(), estimate,
                            self._system.blocks)  # fmt: skip

    def judge(self, steps: Steps) -> None:
        """End the members that converged by these steps."""
        slots, scaling, F = self._slots, self._scaling, steps.F_new
        limited = (steps.dx != steps.proposed).any(axis=1)
        full = (steps.damping == 1.0) & ~limited
        step = steps.x_new - slots.x
        size = (np.abs(step) / scaling.weights).max(axis=1)
        fell = scaling.merit(F) / scaling.merit(slots.F)
        estimate = size * np.sqrt(np.where(full & (fell < 1.0), fell, 1.0))
        correction = (np.abs(steps.correction) / scaling.weights).max(axis=1)
        estimate = np.where(full & np.isfinite(correction), correction, estimate)
        passing = may_pass(self._method.termination, self._points(F, estimate))
        stagnant = (size <= SMALL_STEP) & ~(fell <= 0.5)
        judged = slots.working & (passing | stagnant)
        for j in np.flatnonzero(judged).tolist():
            it = self._iterate_at(j)
            it.limited = bool(limited[j])
            it.dx, it.proposed = steps.dx[j], steps.proposed[j]
            it.accept(steps.x_new[j].copy(), F[j].copy(), float(steps.damping[j]))
            if full[j] and np.isfinite(correction[j]):
                it.correction = steps.correction[j]
            self._end(j, it)
            slots.memory[j].update(it.memory)

    def _iterate_at(self, j: int) -> Iterate:
        """Return the iterate of a slot, as a solve of its own would have it."""
        slots, system = self._slots, self._system.member(int(self._slots.member[j]))
        x, F = slots.x[j].copy(), slots.F[j].copy()
        it = Iterate(system, self._workspace, x, F, self._method.limits, self._deadline)
        floor = self._scaling.floor[j]
        it.scaling.start_from(floor.copy() if len(floor) > 1 else float(floor[0]))
        it.take(x, F, self._system.pattern.matrix(slots.data[j].copy()))
        it.k, it.memory, it.newton = int(slots.k[j]), slots.memory[j], True
        it.step, it.step_old = slots.step[j], slots.step_old[j]
        it.step_size, it.step_size_old = float(slots.size[j]), float(slots.size_old[j])
        it.step_size_absolute, it.peak = float(slots.size_absolute[j]), slots.peak[j]
        return it

    def _end(self, j: int, it: Iterate) -> None:
        """End a member if its iterate converged; defer it if it failed."""
        status = termination_status(self._method.termination, it, linearized_beside)
        if status is None:
            return
        if status.success and it.confirm():
            scaled = it.scaling.scaled(it.F)
            self.outcomes[int(self._slots.member[j])] = MemberOutcome(
                it.x, it.F, scaled, status, it.k, it.S
            )
        self._leave(j)
