"""Robust: a ladder of solvers.

The cheap method that usually works goes first. Each further one is there for a way in which the
one before fails. It starts from the best point met so far that did not run away, or from the first.
A failure of the whole ladder reports every stage.

The idea of a polyalgorithm is NonlinearSolve.jl's; the order was found on the gallery of
reference problems in the tests.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any, Protocol

import numpy as np

from ..errors import InputError
from ..results.status import Status
from .iterate import Vector
from .monitor import Monitor
from .outcome import Outcome
from .presets import (
    DampedNewton,
    LevenbergMarquardt,
    LineSearchNewton,
    Newton,
    PseudoTransient,
    TrustRegion,
)
from .settings import positive
from .system import System
from .termination import TerminationTest
from .workspace import Workspace

# Endings that no other solver can improve on.
FINAL = (Status.STOPPED, Status.INTERRUPTED, Status.TIME_LIMIT)


class Solver(Protocol):
    """What can be a stage: `NewtonMethod`, or a homotopy."""

    @property
    def name(self) -> str:
        """Name for reports."""
        ...

    def adapted(self, **settings: Any) -> Solver:
        """Return one with other `limits`, `termination` or `max_iterations`."""
        ...

    def run(
        self, system: System, workspace: Workspace, x: Vector, F: Vector, monitor: Monitor
    ) -> Outcome:
        """Solve from x, where the residual is F; never raises for a failure to converge."""
        ...


@dataclass(frozen=True)
class Stage:
    """A solver of the ladder, and where it starts.

    Parameters
    ----------
    solver : NewtonMethod or Homotopy
    from_best : bool
        Start from the best point so far that did not run away (True), or from the first (False).
    """

    solver: Solver
    from_best: bool = True


def default_stages() -> tuple[Stage, ...]:
    """Return the ladder that serves by default.

    The best point of a stage that failed may be a local minimum, so that every solver gets the
    first point as a start as well: what one of them solves alone, the ladder solves.
    """
    return (
        Stage(DampedNewton()),
        Stage(LineSearchNewton()),
        Stage(TrustRegion(max_iterations=60)),
        Stage(LevenbergMarquardt()),
        Stage(Newton(), from_best=False),
        Stage(PseudoTransient(), from_best=False),
        Stage(LevenbergMarquardt(), from_best=False),
        Stage(LineSearchNewton(), from_best=False),
        Stage(TrustRegion(), from_best=False),
    )


@dataclass(frozen=True, kw_only=True)
class Robust:
    """A ladder of solvers: the first that succeeds wins.

    Parameters
    ----------
    stages : tuple of Stage, optional
        The ladder; by default damped Newton; line search, trust region and Levenberg-Marquardt
        from the best point so far; full Newton, pseudo-transient continuation and those three from
        the first point. `Problem.solve` adds two homotopies to it:
        `sgsolve.continuation.default_ladder`. A stage that would repeat an earlier one is left out.
    patience : float
        Seconds that all stages after the first may take together, or ten times what the first one
        took, if that is more. What is left is shared evenly among the stages to come, so that no
        stage of a large problem takes the time of the others. Small problems take a hundredth of
        it, so that no clock decides on them; ``math.inf`` sets no limit.
    limits : tuple, optional
    termination : TerminationTest, optional
    max_iterations : int, optional
        As in `NewtonMethod`, for every stage, in place of what the stage has.
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
            raise InputError("a ladder needs at least one stage")
        positive(self, "patience")
        names = ("limits", "termination", "max_iterations")
        given = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        stages = tuple(
            replace(stage, solver=stage.solver.adapted(**given)) for stage in self.stages
        )
        object.__setattr__(self, "stages", stages)

    @property
    def name(self) -> str:
        """Name for reports."""
        return type(self).__name__

    def run(
        self, system: System, workspace: Workspace, x: Vector, F: Vector, monitor: Monitor
    ) -> Outcome:
        """Try the stages in turn from (x, F); return the first success or the best failure."""
        started = perf_counter()
        total = self.stages[0].solver.run(system, workspace, x, F, monitor)
        total.stages.append(_line(total))
        first, now = total.moved or (x, F), perf_counter()
        end, tried = now + max(self.patience, 10.0 * (now - started)), {_key(self.stages[0], x)}
        for k, stage in enumerate(self.stages[1:], 1):
            if total.status.success or total.status in FINAL:
                break
            away = total.ran_away(first[0], system)
            start = (total.x, total.F) if stage.from_best and not away else first
            if _key(stage, start[0]) in tried:
                continue
            tried.add(_key(stage, start[0]))
            share = (end - perf_counter()) / (len(self.stages) - k)
            outcome = _run(stage.solver, share, system, workspace, *start, monitor)
            total = _joined(total, outcome, away, outcome.ran_away(first[0], system))
        return total


def _key(stage: Stage, x: Vector) -> tuple[str, bytes]:
    """Return what tells a solver and its start from others; all settings are in its repr."""
    return repr(stage.solver), x.tobytes()


def _run(
    solver: Solver,
    share: float,
    system: System,
    workspace: Workspace,
    x: Vector,
    F: Vector,
    monitor: Monitor,
) -> Outcome:
    """Run a stage for its share of the time, in seconds."""
    deadline = perf_counter() + share
    if not deadline < monitor.deadline:
        deadline = monitor.deadline
    outcome = solver.run(system, workspace, x, F, replace(monitor, deadline=deadline))
    line = _line(outcome)
    if outcome.status is Status.TIME_LIMIT and deadline < monitor.deadline:
        outcome.status = Status.MAX_ITERATIONS  # of as many as its share of the time allows
        line = f"{outcome.name}: ended after {outcome.history[-1].iteration} iterations, its share"
        line += f" of the patience ({max(share, 0.0):.0f} s)"
    outcome.stages.append(line)
    return outcome


def _joined(before: Outcome, now: Outcome, before_away: bool, now_away: bool) -> Outcome:
    """Return the better of two outcomes with the history and the costs of both.

    What ran away is the worse one, however small its residual.
    """
    before.history.extend(now.history)
    before.stages += now.stages
    before.stats.add(now.stats)
    first = before.S_start if before.S_start is not None else np.ones_like(before.F)
    with np.errstate(all="ignore"):
        size, size_before = (float(np.abs(F / first).max()) for F in (now.F, before.F))
    # that a local minimum was found says more than that a limit was reached a little below it
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
    return replace(before, status=now.status) if now.status in FINAL else before


def _line(outcome: Outcome) -> str:
    return f"{outcome.name}: {outcome.status.name} after {outcome.history[-1].iteration} iterations"
