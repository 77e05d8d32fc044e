"""Sweeps: natural continuation through given values; the base of `Problem` for that.

One idea: most people want solutions at the values that they name, and all of them; everything else
(predictors, shorter steps, folds) serves that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from ..continuation.ladder import as_solver
from ..errors import InputError
from ..results.branch import Branch
from ..results.checkpoint import Checkpoint, as_checkpoint
from ..solvers.deadline import deadline_of
from ..solvers.limits import refuse_outside
from ..solvers.monitor import Monitor
from ..solvers.predictor import Predictor, Secant
from ..solvers.presets import DampedNewton
from ..solvers.sweep import Stepping
from ..systems.starts import prepared_start
from .functions import named
from .keywords import given_options, refuse_both
from .multiplicity import Multiplicity
from .outputs import Outputs
from .progress import progress_bar
from .sweep_watch import SweepWatch
from .sweeping import ParameterFamily, sweep_branch
from .sweeping import Path as SweepPath


class Sweeps(Multiplicity):
    """`sweep`, for `Problem`."""

    def sweep(
        self,
        x0: ArrayLike,
        name: str | Sequence[str],
        values: Any,
        *,
        solver: Any = None,
        predictor: Predictor | None = None,
        outputs: Mapping[str, Callable[..., Any]] | None = None,
        min_step: float = 1e-4,
        max_solves: int | None = None,
        events: Mapping[str, Callable[..., Any]] | None = None,
        stop: str | Sequence[str] = (),
        at_fold: str = "stop",
        keep: Any = "all",
        checkpoint: Checkpoint | str | Path | None = None,
        resume: bool = False,
        raise_on_failure: bool = False,
        progress: bool | None = None,
        callback: Callable[[Any], Any] | None = None,
        verbose: bool = False,
        time_limit: float | None = None,
        **params: Any,
    ) -> Branch:
        """Solve for every value of a parameter, each solution the guess for the next.

        Parameters
        ----------
        x0 : array_like, shape (n,)
            Guess for the first value.
        name : str or sequence of str
            The parameter, or several that move together.
        values : sequence of float, or array_like of shape (points, names)
            In any order; each is hit exactly. Where a step fails it is halved, through values in
            between (along a straight line for several parameters), and grown again.
        solver : NewtonMethod or Robust, optional
            For all points. By default the ladder of `solve` for the first, and `DampedNewton`
            with 30 iterations for the others.
        predictor : Constant, Secant or Tangent, optional
            `Secant` by default. `Tangent` costs dF/dp and one solve per point, and guards against
            jumps to another branch.
        outputs : mapping of str to callable, optional
            ``{"current": lambda x: ...}``: columns of the branch. A function gets x, and those
            parameters that it names.
        min_step : float
            Smallest step, as a fraction of the distance between neighbouring values.
        max_solves : int, optional
            Limit on the number of solves.
        events : mapping of str to callable, optional
            Functions ``f(x, **parameters)`` of which zeros are located between the points.
        stop : str or sequence of str, optional
            Events at which to end; the event is the last point then.
        at_fold : "stop" or "arclength"
            Where the curve turns back: say where, or go round the fold by arclength until the next
            value is reached.
        keep : "all", "none" or int
            States to keep: all, the last, or every k-th.
        checkpoint : path or Checkpoint, optional
            Write the branch so far there, atomically, every 10 points or 30 seconds.
        resume : bool
            Go on from the checkpoint if the file is there.
        raise_on_failure : bool
            Raise `ConvergenceError` when the sweep cannot go on, instead of a warning.
        progress : bool, optional
            A progress bar; by default if tqdm is installed and the program runs in a terminal.
        callback, verbose
            As in `solve`, for each point.
        time_limit : float, optional
            Seconds after which the sweep ends with the points that it has, under TIME_LIMIT.

        Returns
        -------
        Branch
            Partial, with a `PartialBranchWarning`, if the sweep could not go on or Ctrl-C was
            pressed.

        Raises
        ------
        ConvergenceError
            If even the first point fails.
        """
        refuse_both(self._signature, given_options(Sweeps.sweep, locals()))
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
            self._signature.numeric(one)
        stepping = Stepping(predictor or Secant(), min_step, max_solves=max_solves)
        system, start = self._system(x0, {**params, **path.params(path.values[0])})
        refuse_outside(first, start, system.blocks)
        start = prepared_start(system, start, first)[0]
        bar = progress_bar(progress, len(path.values), f"sweep {' '.join(path.names)}")
        with self._lend(system, start) as workspace:
            family = ParameterFamily(
                system, path, workspace, first, following, Monitor(callback, verbose, deadline)
            )
            where = as_checkpoint(checkpoint, resume)
            watch = SweepWatch(family, columns, watched, stop, at_fold, keep, where, resume, bar)
            return sweep_branch(family, start, stepping, watch, raise_on_failure)
