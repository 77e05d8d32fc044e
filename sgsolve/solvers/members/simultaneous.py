"""Newton's method for many members at once, each with steps and termination of its own.

Evaluations, factorizations and damping are those of all slots together. A member that ends leaves
its slot to the next one. Whether a member has converged is decided by `termination_status`, as in
a solve of its own. What is not plain convergence (a singular Jacobian, a failing step, many
iterations) is deferred: such a member is to be solved alone.

Without machine code, a family of three terms in a row takes 0.43 of the time of single solves with
20 or 100 unknowns, and 0.62 with 400. Two coupled fields take 0.5, 0.55 and 0.7, a full matrix of
20 unknowns 0.5. Where machine code serves a family, nothing is left to this method.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from time import perf_counter
from typing import Any

import numpy as np

from ...arrays import Mask, Vector
from ...linear.stacked import StackedSolver, stacking_order
from ...linear.structure.ordering import Order
from ...results.history import Stats
from ..method import NewtonMethod
from ..state.deadline import OutOfTime
from ..state.member_scaling import MemberScaling
from ..state.system import MemberSystem
from ..state.workspace import Workspace, counts_of
from ..steps.member_damping import ForMembers, Steps
from .member_judge import MemberJudge, MemberOutcome
from .member_slots import MemberSlots

# Members that need more iterations are solved alone.
MOST_ITERATIONS = 40
# A solve of one member alone takes as long as so many steps of a slot.
ALONE = 30


class WideBandError(Exception):
    """The pattern grew, and its band is no longer narrow; the members are then solved alone."""


class SimultaneousNewton:
    """Solves members in slots.

    Parameters
    ----------
    damping : function of the scaling and the number of slots
        Its `damping_of_members`.
    workspace : Workspace
        For what is solved again alone at the end of a member.
    order : Order
        Of the equations of one member, for the stacked matrices.
    count : int
        The number of slots.
    deadline : float
        Time at which everything ends, s.
    """

    def __init__(
        self,
        method: NewtonMethod,
        damping: ForMembers,
        system: MemberSystem,
        workspace: Workspace,
        order: Order,
        count: int,
        deadline: float,
    ) -> None:
        self._method, self._system = method, system
        self._deadline = deadline
        self._scaling = MemberScaling(system.blocks, system.scale, count)
        self._damping = damping(self._scaling, count)
        self._solver = StackedSolver(system.pattern, order, count)
        self._idle = 0
        self._slots = MemberSlots.empty(count, system.n, self._solver.unit)
        self._rest = min(MOST_ITERATIONS, method.max_iterations)
        self._judge = MemberJudge(
            method, system, workspace, self._scaling, self._slots, self._evaluate, self._leave,
            deadline,
        )  # fmt: skip

    @property
    def outcomes(self) -> dict[int, MemberOutcome]:
        """The members that converged."""
        return self._judge.outcomes

    @property
    def stats(self) -> Stats:
        """Counts of the stacked linear systems, and their seconds."""
        return counts_of(self._solver)

    def run(self, starts: Vector, members: Iterable[int]) -> None:
        """Solve some members from their starts, shape (k, n), as far as they converge here."""
        waiting = iter(members)
        try:
            with np.errstate(all="ignore"):
                while self._fill(waiting, starts) and not self._is_mostly_idle():
                    self._iterate()
        except (OutOfTime, WideBandError):
            pass  # the members that are left are solved alone

    def _is_mostly_idle(self) -> bool:
        """Whether the members left would take less time alone: an empty slot costs as much."""
        working = int(np.count_nonzero(self._slots.working))
        self._idle += len(self._slots.working) - working  # no member waits where a slot is empty
        return self._idle > ALONE * working

    def _fill(self, waiting: Iterator[int], starts: Vector) -> bool:
        """Give empty slots to members; return whether any is at work."""
        slots = self._slots
        empty = np.flatnonzero(~slots.working)
        members = np.array([m for _, m in zip(empty, waiting, strict=False)], dtype=np.int64)
        if len(members):
            empty = empty[: len(members)]
            slots.begin(empty, members, starts[members])
            self._scaling.begin(empty)
            self._damping.begin(empty)
        return bool(slots.working.any())

    def _iterate(self) -> None:
        """Take one step of every member at work, and end those that converged or cannot go on."""
        slots, scaling = self._slots, self._scaling
        self._linearize()
        self._judge.judge_starts()
        steps = self._directions()
        self._damping.advance(steps, self._evaluate, self._solve)
        self._defer(slots.working & ~steps.active)
        self._judge.judge(steps)
        scaling.of_unknowns(steps.x_new)
        slots.move(steps.x_new, np.where(slots.working[:, np.newaxis], steps.F_new, 0.0),
                   scaling.weights)  # fmt: skip
        self._defer(slots.working & (slots.k >= self._rest))

    # ---- the parts of an iteration -----------------------------------------------------------

    def _linearize(self) -> None:
        slots, scaling = self._slots, self._scaling
        working = slots.working
        self._check_time()
        F, data = self._system.linearize(slots.x[working], slots.member[working])
        if data.shape[1] != slots.data.shape[1]:  # the pattern grew
            self._restack()
        slots.F[working], slots.data[working] = F, data
        known = np.isfinite(np.abs(slots.F).max(axis=1) + np.abs(slots.data).max(axis=1))
        self._defer(working & ~known)
        scaling.of_unknowns(slots.x)
        sized = scaling.of_equations(self._solver.pattern, np.abs(slots.data))
        self._defer(slots.working & ~sized)
        slots.peak = np.maximum(slots.peak, scaling.magnitude)

    def _restack(self) -> None:
        """Make another solver for a pattern that grew."""
        slots, order = self._slots, stacking_order(self._system.pattern)
        if order is None:
            raise WideBandError
        self._solver = StackedSolver(self._system.pattern, order, len(slots.k))
        slots.data = np.tile(self._solver.unit, (len(slots.k), 1))

    def _directions(self) -> Steps:
        slots = self._slots
        self._solver.factorize(slots.data)
        dx = self._solve(np.where(slots.working[:, np.newaxis], -slots.F, 0.0))
        self._defer(slots.working & ~np.isfinite(np.abs(dx).max(axis=1)))
        working = slots.working
        proposed = np.where(working[:, np.newaxis], dx, 0.0)
        limited = proposed
        if self._method.limits:
            limited = proposed.copy()
            for j in np.flatnonzero(working).tolist():
                for limit in self._method.limits:
                    limited[j] = limit.apply(slots.x[j], limited[j], self._system.blocks)
        return Steps.of(slots.x, limited, proposed, working)

    def _solve(self, b: Vector) -> Vector:
        x = self._solver.solve(b)
        x[self._solver.failed] = np.nan
        return x

    def _evaluate(self, x: Vector, wanted: Mask) -> Vector:
        self._check_time()
        F = np.full_like(x, np.nan)
        F[wanted] = self._system.residuals(x[wanted], self._slots.member[wanted])
        return F

    def _defer(self, which: Mask) -> None:
        """Leave members to a solve of their own."""
        if which.any():
            self._leave(which)

    def _leave(self, slots: Any) -> None:
        self._slots.leave(slots, self._solver.unit)

    def _check_time(self) -> None:
        if perf_counter() > self._deadline:
            raise OutOfTime
