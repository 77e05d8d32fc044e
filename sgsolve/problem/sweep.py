"""Sweep: natural continuation through the values that the user names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from ..errors import InputError
from ..results.branch import Branch
from ..results.checkpoint import Checkpoint, as_checkpoint
from ..runs.functions import named
from ..runs.outputs import Outputs
from ..runs.progress import progress_bar
from ..runs.sweep_watch import SweepWatch
from ..runs.sweeping import ParameterFamily, sweep_branch
from ..runs.sweeping import Path as SweepPath
from ..solvers.deadline import deadline_of
from ..solvers.monitor import Monitor
from ..solvers.polyalgorithm import as_solver
from ..solvers.predictor import Predictor, Secant
from ..solvers.presets import DampedNewton
from ..solvers.sweep import Stepping
from .definition import ProblemDefinition
from .starts import prepared_start


def sweep(
    problem: ProblemDefinition,
    x0: ArrayLike,
    name: str | Sequence[str],
    values: Any,
    *,
    solver: Any,
    predictor: Predictor | None,
    outputs: Mapping[str, Callable[..., Any]] | None,
    min_step: float,
    max_solves: int | None,
    events: Mapping[str, Callable[..., Any]] | None,
    stop: str | Sequence[str],
    at_fold: str,
    keep: Any,
    checkpoint: Checkpoint | str | Path | None,
    resume: bool,
    raise_on_failure: bool,
    progress: bool | None,
    callback: Callable[[Any], Any] | None,
    verbose: bool,
    time_limit: float | None,
) -> Branch:
    """Solve for every value of a parameter; see `Problem.sweep`."""
    if at_fold not in ("stop", "arclength"):
        raise InputError(f"at_fold must be 'stop' or 'arclength', not {at_fold!r}")
    stop, watched = (stop,) if isinstance(stop, str) else tuple(stop), named("events", events)
    for kind in stop:
        if kind not in watched:
            raise InputError(f"stop names {kind!r}, which is none of the events")
    first, deadline = as_solver(solver), deadline_of(time_limit)
    following = DampedNewton(max_iterations=30) if solver is None else first
    path = SweepPath.of(name, values)
    columns = Outputs(outputs, (*path.names, "nit"))
    for one in path.names:
        problem.signature.numeric(one)
    stepping = Stepping(predictor or Secant(), min_step, max_solves=max_solves)
    system, start = problem.system(x0, path.params(path.values[0]))
    first.check_start(start, system.blocks)
    start = prepared_start(system, start, first)[0]
    bar = progress_bar(progress, len(path.values), f"sweep {' '.join(path.names)}")
    with problem.lend(system, start) as workspace:
        family = ParameterFamily(
            system, path, workspace, first, following, Monitor(callback, verbose, deadline)
        )
        where = as_checkpoint(checkpoint, resume)
        watch = SweepWatch(family, columns, watched, stop, at_fold, keep, where, resume, bar)
        return sweep_branch(family, start, stepping, watch, raise_on_failure)
