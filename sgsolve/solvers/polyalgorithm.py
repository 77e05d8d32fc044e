"""`Robust`: a sequence of solvers, tried in order until one converges.

The first solver is the cheapest. Each later one covers a class of failures of those before it. It
starts from the best point so far, or from the original starting point. If all fail, the result
lists every attempt.

The idea of a polyalgorithm is from NonlinearSolve.jl. The order was chosen by the reference
problems in the tests.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..arrays import Vector
from ..errors import InputError
from ..results.blocks import Blocks
from ..results.status import Status
from .acceptance.termination import TerminationTest
from .method import NewtonMethod
from .monitor import Monitor
from .outcome import Outcome
from .settings import positive
from .solver_protocol import Solver
from .stages import Stage, default_stages, n_registered
from .state.deadline import Share, computing_time, passed
from .state.system import System
from .state.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class Robust:
    """Try several solvers in order; the default of `Problem.solve`.

    Parameters
    ----------
    stages : tuple of Stage, optional
        The sequence. Default: damped Newton; `AcrossKinks`, line search and trust region from the
        best point so far; full Newton, line search, trust region, Levenberg-Marquardt and
        pseudo-transient continuation from x0; `Restarts` around x0; the fixed-point
        homotopy from x0. A stage that would repeat an earlier one is skipped. Where others follow,
        it ends after 20 steps of Newton's method in turn that each decrease the residual by less
        than 0.05 %.
    patience : float
        Seconds of computing time that all stages after the first may take together, or ten times
        that of the first stage, if that is more. The remaining time is divided evenly among the
        remaining stages, so that no stage of a large problem takes it all. Small problems need
        about a hundredth of the default, 40 s. ``math.inf`` sets no limit. Time in which another
        program runs, or a residual waits, does not count; ``time_limit`` of a solve is on the
        clock.
    limits : tuple, optional
        Step limiters, as in `NewtonMethod`, for all stages.
    termination : TerminationTest, optional
        As in `NewtonMethod`, for all stages. Default: that of each stage.
    max_iterations : int, optional
        As in `NewtonMethod`, for all stages. Default: that of each stage.

    Raises
    ------
    InputError
        If there are no stages, or a setting is wrong.

    See Also
    --------
    Stage : One of the sequence.
    NewtonMethod : A single solver.
    register_stages : Append to the default sequence.

    Examples
    --------
    >>> from sgsolve import solvers
    >>> print(solvers.Robust(stages=solvers.Robust().stages[:2]))
    Robust, 2 stages:
      1. DampedNewton, from the best point
      2. AcrossKinks (Newton), from the best point
    """

    stages: tuple[Stage, ...] = field(default_factory=default_stages)
    patience: float = 40.0
    limits: tuple[Any, ...] | None = None
    termination: TerminationTest | None = None
    max_iterations: int | None = None

    def __post_init__(self) -> None:
        if not (
            isinstance(self.stages, Iterable) and all(isinstance(r, Stage) for r in self.stages)
        ):
            raise InputError(f"stages must be several Stage(solver), not {self.stages!r}")
        if not self.stages:
            raise InputError("stages is empty: Robust needs at least one Stage(solver)")
        positive(self, "patience")
        names = ("limits", "termination", "max_iterations")
        given = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        stages = tuple(
            replace(stage, solver=stage.solver.with_settings(**given)) for stage in self.stages
        )
        object.__setattr__(self, "stages", stages)

    @property
    def name(self) -> str:
        """Name for reports."""
        return type(self).__name__

    @property
    def first_method(self) -> NewtonMethod | None:
        """The method that is tried first; None if that is another kind of solver."""
        first = self.stages[0].solver
        if type(self).run is Robust.run and isinstance(first, NewtonMethod):
            return first
        return None  # also where a subclass tries something else first

    @property
    def matrix_free(self) -> bool:
        """Whether all stages need products J v only."""
        return all(stage.solver.matrix_free for stage in self.stages)

    def __str__(self) -> str:
        lines = (f"  {k}. {stage}" for k, stage in enumerate(self.stages, 1))
        return "\n".join([f"{self.name}, {len(self.stages)} stages:", *lines])

    def with_settings(self, **settings: Any) -> Robust:
        """Return a copy with other settings."""
        return replace(self, **settings)

    def check_start(self, x: Vector, blocks: Blocks) -> None:
        """Raise `InputError` if x lies outside the bounds that one of the stages keeps."""
        for stage in self.stages:
            stage.solver.check_start(x, blocks)

    def run(
        self, system: System, workspace: Workspace, x: Vector, F: Vector, monitor: Monitor
    ) -> Outcome:
        """Try the stages in order from (x, F); return the first success or the best failure."""
        started = computing_time()
        total = self.stages[0].solver.run(system, workspace, x, F, monitor)
        total.stages.append(_attempt_line(total))
        if total.status.success or total.status.final:
            return total
        first, now = total.moved or (x, F), computing_time()
        end, tried = (
            now + max(self.patience, 10.0 * (now - started)),
            {_attempt_key(self.stages[0], x)},
        )
        for k, stage in enumerate(self.stages[1:], 1):
            if total.status.success or total.status.final:
                break
            away = total.diverged(first[0], system)
            start = (total.x, total.F) if stage.from_best and not away else first
            if _attempt_key(stage, start[0]) in tried:
                continue
            tried.add(_attempt_key(stage, start[0]))
            left = len(self.stages) - k
            watched = replace(monitor, others_follow=left > 1)
            if start is not first:
                watched = watched.beginning_at(*first)
            share = (end - computing_time()) / left
            outcome = _run_stage(stage.solver, share, system, workspace, *start, watched)
            total = _joined_outcomes(total, outcome, away, outcome.diverged(first[0], system))
        return total


def _attempt_key(stage: Stage, x: Vector) -> tuple[str, bytes]:
    """Return a key of the solver with all its settings, and of its starting point."""
    return repr(stage.solver), x.tobytes()


def _run_stage(
    solver: Solver,
    share: float,
    system: System,
    workspace: Workspace,
    x: Vector,
    F: Vector,
    monitor: Monitor,
) -> Outcome:
    """Run a stage for its share of the computing time, in seconds."""
    shared = replace(monitor, deadline=Share(computing_time() + share, monitor.deadline))
    outcome = solver.run(system, workspace, x, F, shared if share < math.inf else monitor)
    line = _attempt_line(outcome)
    if outcome.status is Status.TIME_LIMIT and not passed(monitor.deadline):
        outcome.status = Status.MAX_ITERATIONS  # reached within its share of the time
        line = f"{outcome.name}: ended after {outcome.history[-1].iteration} iterations, its share"
        line += f" of the patience ({max(share, 0.0):.0f} s)"
    outcome.stages.append(line)
    return outcome


def _joined_outcomes(before: Outcome, now: Outcome, before_away: bool, now_away: bool) -> Outcome:
    """Return the better of two outcomes with the history and the costs of both.

    An outcome that diverged is the worse one, however small its residual.
    """
    before.history.extend(now.history)
    before.stages += now.stages
    before.stats.add(now.stats)
    first = before.S_start if before.S_start is not None else np.ones_like(before.F)
    with np.errstate(all="ignore"):
        size, size_before = (float(np.abs(F / first).max()) for F in (now.F, before.F))
    # a local minimum tells more than a limit that was reached at a slightly smaller residual
    handicap = {now.status: 10.0, before.status: 0.1}.get(Status.LOCAL_MINIMUM, 1.0)
    better = size < handicap * size_before if before_away == now_away else before_away
    if now.status.success or now.status is Status.STOPPED or better:
        return replace(
            now,
            history=before.history,
            stats=before.stats,
            stages=before.stages,
            S_start=first,
            moved=before.moved or now.moved,
        )
    return replace(before, status=now.status) if now.status.final else before


def _attempt_line(outcome: Outcome) -> str:
    return attempt_line(outcome.name, outcome.status, outcome.stats.nit)


def attempt_line(solver: str, status: Status, iterations: int) -> str:
    """Return the line of a report for one stage."""
    return f"{solver}: {status.name} after {iterations} iterations"


@functools.cache
def _default(registered: int) -> Robust:
    """Return the default solver, made once for each number of registered packages."""
    return Robust()


def as_solver(solver: Any) -> Solver:
    """Return the solver, `Robust` for None.

    Raises
    ------
    InputError
        The argument is a class, or is no solver.
    """
    if solver is None:
        return _default(n_registered())
    if isinstance(solver, NewtonMethod | Robust):
        return solver  # at once: to check a protocol takes long
    if isinstance(solver, type):
        raise InputError(f"solver is the class {solver.__name__}; call it: {solver.__name__}()")
    if not isinstance(solver, Solver):
        raise InputError(
            f"solver must be one of sgsolve.solvers, such as Newton(), not {solver!r}; an "
            "object of your own needs the members of solvers.Solver"
        )
    return solver
