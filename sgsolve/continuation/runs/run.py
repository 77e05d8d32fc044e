"""One run of any kind, from the options of the user to the branch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

from ...arrays import Vector
from ...errors import ConvergenceError
from ...results.branch import Branch, PartialBranchWarning
from ...results.history import Stats, counted
from ...results.status import Status
from ...solvers.state.workspace import Workspace
from ...user_warnings import warn
from ..locating.approximate_points import UnlocatedWarning, unlocated
from ..locating.detector import Detector, registered_detectors
from ..locating.events import Event
from ..stepper import Point, RunState, Stepper
from .follow import StopRule, follow
from .options import RunOptions
from .recorder import Recorder
from .user_functions import UnfitError, called, number, output_columns
from .view import View


def detectors_of(
    options: RunOptions, view: View, n: int, extra: int = 0, detect: Sequence[str] | None = None
) -> list[Detector]:
    """Return the detectors that the options ask for.

    Parameters
    ----------
    n, extra : int
        Unknowns of the problem, and multipliers of constraints behind them.
    detect : sequence of str, optional
        Kinds of special points to look for; those of the options by default.
    """
    wanted = options.detect if detect is None else detect
    found: list[Detector] = [
        make() for kind, make in registered_detectors().items() if kind in wanted
    ]
    for name, function in options.events.items():
        found.append(Event(name, _functional(f"event {name!r}", function, view)))
    if options.stability is not None:
        found.append(options.stability.detector(n, extra))
    return found


def _functional(
    what: str, function: Callable[..., Any], view: View
) -> Callable[[Vector, float], float]:
    def value(x: Vector, p: float) -> float:
        return number(f"{what} at {view.place(p)}", function, *view.seen(Point(x, p)))

    return value


@dataclass
class Run:
    """One run.

    Parameters
    ----------
    detectors : sequence of Detector
    mark : mapping
        Identifies the run in its checkpoint; options are added.
    bar : object, optional
        The progress bar: ``point(abscissas)`` and ``close()``.
    max_points : int, optional
        The limit if the user sets none.
    family : object, optional
        With counts `nfev`, `njev` and `seconds` of what it evaluated.
    summary : callable
        ``summary(state)`` -> the message of the branch.
    remark : str
        A note for the message, such as that the start was changed.
    counted : object, optional
        What counts compiled evaluations, if it is not the family.
    """

    stepper: Stepper
    options: RunOptions
    view: View
    detectors: Sequence[Detector]
    workspace: Workspace
    summary: Callable[[RunState], str]
    mark: Mapping[str, Any] = field(default_factory=dict)
    bar: Any = None
    max_points: int | None = None
    family: Any = None
    remark: str = ""
    counted: Any = None

    def __post_init__(self) -> None:
        self.before, self.started = self.workspace.counts(), perf_counter()
        self.base = Stats()  # of a run before a resume
        self.was_over = False  # before it was resumed, so that nothing is new
        self.compiled_before = self._compiled_counts()
        options = self.options
        columns = [*self.stepper.columns]
        columns += [column for detector in self.detectors for column in detector.columns]
        mark = {
            "parameter": list(self.view.names),
            "parameters": self.view.fixed,
            "columns": sorted(options.outputs),
            "special points": [detector.kind for detector in self.detectors],
            "keep": options.keep_states,
            **self.mark,
        }
        self.recorder = Recorder(
            self.view,
            [*columns, *output_columns(options.outputs, self.view)],
            self.detectors,
            options.keep_states,
            options.checkpoint,
            mark,
            self.stats,
            None if self.bar is None else self.bar.point,
        )

    def go(self) -> Branch:
        """Run, and return the branch; warn or raise if it is partial.

        Raises
        ------
        ConvergenceError
            If there is not even a first point, or with ``raise_on_failure=True``.
        Exception
            Of the user's code; its attribute ``branch`` holds the points so far.
        """
        state = self._followed()
        if self.options.checkpoint is not None and state.n_rows and not self.was_over:
            self.recorder.write(self.stepper, state)
        return self._judged(self._branch(state))

    def _branch(self, state: RunState) -> Branch:
        curve = self.stepper.curve
        weights = None if curve is None else curve.metric.weights
        return self.recorder.branch(state, self._message(state), weights)

    def _followed(self) -> RunState:
        state, options = RunState(self.recorder.columns), self.options
        if options.resume:
            found = self.recorder.resumed(self.stepper)
            if found is not None:
                state, self.base = found
                self.was_over = state.is_over
                if state.status.resumable:
                    state.status, state.ending = Status.CONVERGED, ""
        limit = self.max_points if options.max_points is None else options.max_points
        seen = self._seen if options.verbose or options.callback is not None else None
        rule = StopRule(
            limit, options.stop, self._until(), seen, options.deadline, options.stop_after
        )
        try:
            follow(self.stepper, state, self.detectors, rule, (self.recorder,))
        except UnfitError as error:
            if not state.n_rows:
                raise
            state.status, state.ending = Status.OUTPUT_FAILED, str(error)
        except Exception as error:  # whatever the user's code raises; it is raised again
            if state.n_rows:
                self._keep_branch(error, state)
            raise
        finally:
            if self.bar is not None:
                self.bar.close()
        return state

    def _keep_branch(self, error: Exception, state: RunState) -> None:
        """Give an exception the branch so far: what was computed is not to be lost with it."""
        if self.options.checkpoint is not None:
            self.recorder.write(self.stepper, state)
        state.status, state.ending = Status.EXCEPTION, f"{type(error).__name__}: {error}"
        vars(error)["branch"] = self._branch(state)
        error.add_note(
            f"the attribute branch of this exception holds {counted(state.n_rows, 'point')}"
        )

    def _until(self) -> Callable[[Point], bool] | None:
        condition = self.options.until
        if condition is None:
            return None
        return lambda point: bool(called(condition, *self.view.seen(point)))

    def _seen(self, point: Point) -> bool:
        """Print a line if asked for, and call the user's callback."""
        x, _ = self.view.seen(point)
        if self.options.verbose:
            print(f"{self.view.place(point.p)}: {counted(point.iterations, 'iteration')}")
        if self.options.callback is None:
            return False
        shown = replace(point, x=x.copy(), tests={}, at=None, passed=[], found=None)
        return self.options.callback(shown) is True

    def _message(self, state: RunState) -> str:
        text, vague = self.summary(state), unlocated(state.special_points)
        return "; ".join(part for part in (text, self.remark, vague) if part)

    def _judged(self, branch: Branch) -> Branch:
        """Return the branch, with a warning where it is partial or vague."""
        if unlocated(branch.special_points):
            warn(unlocated(branch.special_points), UnlocatedWarning)
        asked = branch.status is Status.MAX_POINTS and self.options.max_points is not None
        if branch.success or asked:
            return branch
        interrupted = branch.status is Status.INTERRUPTED
        if (self.options.raise_on_failure or not len(branch)) and not interrupted:
            raise ConvergenceError(branch.message, branch)
        warn(branch.message, PartialBranchWarning)
        return branch

    def _compiled_counts(self) -> Stats:
        """Return the counts of compiled evaluations so far, for families that have them."""
        owner = self.family if self.counted is None else self.counted
        counts = getattr(owner, "compiled_counts", None)
        return Stats() if counts is None else counts()

    def stats(self, state: RunState) -> Stats:
        """Return the costs so far, of the first point and of a run before a resume included."""
        total, here = Stats(), self.workspace.counts().since(self.before)
        curve = self.stepper.curve
        parts = [state.stats]
        if self.family is not None:
            parts.append(Stats(nfev=self.family.nfev, njev=self.family.njev))
            parts[-1].seconds = dict(self.family.seconds)
        if curve is not None:
            here.nit += curve.corrector.spent
        for one in parts:
            for name in ("nit", "nfev", "njev"):
                setattr(here, name, getattr(here, name) + getattr(one, name))
            for phase in ("residual", "jacobian"):
                if phase in one.seconds:
                    here.seconds[phase] = here.seconds.get(phase, 0.0) + one.seconds[phase]
        here.add(self._compiled_counts().since(self.compiled_before))
        spent = perf_counter() - self.started
        here.seconds["other"] = max(0.0, spent - sum(here.seconds.values()))
        here.seconds["total"] = spent
        total.add(self.base)
        total.add(here)
        return total
