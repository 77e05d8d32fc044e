"""Following: one run along a curve of solutions, from the arguments of a user to the `Branch`.

Whatever curve it is (solutions of a problem, a branch that was switched to, folds in two
parameters), the run is the same: a family, a start on it, a route, a recorder.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

from numpy.typing import NDArray

from ..continuation.bordered import Bordered
from ..continuation.branch_points import BranchPoints
from ..continuation.corrector import Corrector
from ..continuation.curve import Curve, Spot, start
from ..continuation.events import Event
from ..continuation.folds import Folds
from ..continuation.metric import Metric
from ..continuation.rough import UnlocatedWarning, unlocated
from ..continuation.route import Route
from ..continuation.stability import Eigenvalues
from ..continuation.trace import Walk, walk
from ..errors import ConvergenceError, LinearSolveError
from ..problem.gauged_family import multipliers
from ..results.branch import Branch, PartialBranchWarning
from ..results.history import Stats
from ..results.status import Status
from ..solvers.workspace import Workspace
from .functions import UnfitError, called, number
from .outputs import Outputs
from .progress import CurveBar
from .recorder import Recorder
from .request import Request

Vector = NDArray[Any]
Function = Callable[..., Any]

POINTS = 400


class Run:
    """One run along a curve.

    Parameters
    ----------
    family : Family
        With counts `nfev`, `njev` and `seconds`.
    name : str
        The parameter.
    params : mapping
    workspace : Workspace
    request : Request
    mark : mapping
        What identifies the run, for the checkpoint.
    view : callable, optional
        See `Recorder`.
    """

    def __init__(
        self,
        family: Any,
        name: str,
        params: Mapping[str, Any],
        workspace: Workspace,
        request: Request,
        mark: Mapping[str, Any],
        view: Function | None = None,
    ) -> None:
        self.family, self.name, self.params, self.request = family, name, params, request
        self.workspace, self.before, self.started = workspace, workspace.counts(), perf_counter()
        self.first = Stats()
        self.corrector: Corrector | None = None
        k, eigenvalues = multipliers(family), None
        if request.stability:
            eigenvalues = Eigenvalues(request.stability, family.n - k, k)
        self.recorder = Recorder(
            name,
            params,
            Outputs(request.outputs),
            request.keep,
            eigenvalues,
            request.checkpoint,
            {**self._mark(), **mark},
            family,
            view,
        )
        self.recorder.stats = self._stats
        self.detectors = self._detectors(eigenvalues)
        self.saved = self._saved()

    def go(self, z: Vector, tangent: Vector | None = None, weights: Vector | None = None) -> Branch:
        """Follow the curve from z, a solution; along a tangent, if one is given.

        Without a tangent the direction is that of the sign of the step. Where there is a checkpoint
        to resume from, z is not used.
        """
        request, bordered = self.request, Bordered(self.workspace)
        first = request.method.first_step(float(z[-1]), request.bounds)
        saved = self.saved
        if saved is not None:
            z, tangent, weights = saved[1]["z"], saved[1]["tangent"], saved[0].weights
            first = float(saved[1]["first"])
        metric = None if weights is None else Metric(weights)
        try:
            span = request.bounds[1] - request.bounds[0]
            at, along, metric = start(self.family, bordered, z, metric, span, first)
            tangent = along if tangent is None else tangent
            curve = self._curve(bordered, metric)
            if saved is not None:
                state = self.recorder.restore(saved[0], saved[1], curve)
                for detector in self.detectors:
                    if not detector.needs_factorization:
                        detector.measure(curve, state.spot, state.spot)
            else:
                state = self._begin(curve, at, tangent, first)
        except LinearSolveError as error:
            raise ConvergenceError(
                f"no tangent at the start: {error}. It seems to be a branch point; start beside "
                "it, or use Problem.switch_branch"
            ) from error
        home = z.copy() if saved is None else saved[1]["home"]
        self.recorder.constants = {"home": home, "first": first}
        return self._walk(curve, state, self._route(first, home))

    def _curve(self, bordered: Bordered, metric: Metric) -> Curve:
        method = self.request.method
        curve = Curve(self.family, bordered, metric, method.tolerance, method.max_iterations)
        self.corrector = curve.corrector
        return curve

    def _begin(self, curve: Curve, at: Any, tangent: Vector, first: float) -> Walk:
        tangent = curve.metric.unit(tangent)
        curve.corrector.factorize(at, curve.row(tangent))
        tangent = curve.corrector.tangent(curve.row(tangent))
        return Walk.starting(at, tangent, first)

    def _route(self, first: float, home: Vector) -> Route:
        request = self.request
        shortest, longest = request.method.limits(first, request.bounds)
        until = None
        if request.until is not None:
            condition = request.until

            def until(spot: Spot) -> bool:
                return bool(called(condition, *self._seen(spot.x, spot.p)))

        points = POINTS if request.max_points is None else request.max_points
        return Route(
            request.method,
            shortest,
            longest,
            request.bounds,
            points,
            self.detectors,
            tuple(request.stop),
            until,
            home,
            request.deadline,
        )

    def _walk(self, curve: Curve, state: Walk, route: Route) -> Branch:
        recorder, request = self.recorder, self.request
        if state.ending and state.status.resumable:
            state.ending = ""  # a resumed run goes on
        recorder.bar = CurveBar.of(
            request.progress, self.name, request.bounds, route.max_points, len(state.rows)
        )
        try:
            walk(curve, state, route, lambda walk: recorder.after(curve, walk))
        except UnfitError as error:
            if not state.rows:
                raise
            state.status, state.ending = Status.OUTPUT_FAILED, str(error)
        except Exception:  # of the user's code; what was computed is not to be lost with it
            if request.checkpoint is not None and state.rows:
                recorder.write(curve, state)
            raise
        finally:
            recorder.bar.close()
        if request.checkpoint is not None:
            recorder.write(curve, state)
        branch = recorder.branch(curve, state)
        if unlocated(branch.special):
            warnings.warn(unlocated(branch.special), UnlocatedWarning, stacklevel=4)
        asked = state.status is Status.MAX_POINTS and request.max_points is not None
        if not branch.success and not asked:
            if request.raise_on_failure and state.status is not Status.INTERRUPTED:
                raise ConvergenceError(branch.message, branch)
            warnings.warn(branch.message, PartialBranchWarning, stacklevel=4)
        return branch

    def _seen(self, x: Vector, p: float) -> tuple[Vector, dict[str, Any]]:
        x, extra = self.recorder.view(x)
        return x, {**self.params, **extra, self.name: p}

    def _detectors(self, eigenvalues: Eigenvalues | None) -> list[Any]:
        request, detectors = self.request, list[Any]()
        if "branch point" in request.detect:
            detectors.append(BranchPoints())
        if "fold" in request.detect:
            detectors.append(Folds())
        for name, function in request.events.items():
            detectors.append(Event(name, self._functional(f"event {name!r}", function)))
        return detectors if eigenvalues is None else [*detectors, eigenvalues]

    def _functional(self, what: str, function: Function) -> Callable[[Vector, float], float]:
        def value(x: Vector, p: float) -> float:
            return number(f"{what} at {self.name} = {p:.10g}", function, *self._seen(x, p))

        return value

    def _saved(self) -> Any:
        from ..results.branch_file import unpacked

        request = self.request
        if not request.resume or request.checkpoint is None:
            return None
        found = request.checkpoint.read(self.recorder.mark)
        if found is None:
            return None
        branch = unpacked(found[0])
        self.first.add(branch.stats)
        return branch, found[1]

    def _mark(self) -> dict[str, Any]:
        request = self.request
        return {
            "parameter": self.name,
            "unknowns": self.family.n,
            "parameters": {k: v for k, v in self.params.items() if k != self.name},
            "bounds": list(request.bounds),
            "settings": vars(request.method),
            "columns": sorted(request.outputs),
            "special points": [*request.detect, *request.events],
            "keep": request.keep,
        }

    def _stats(self) -> Stats:
        """Return the costs so far, of the first point and of a run before a resume included."""
        total, here = Stats(), self.workspace.counts().since(self.before)
        total.add(self.first)
        here.nit = 0 if self.corrector is None else self.corrector.spent
        here.nfev, here.njev = self.family.nfev, self.family.njev
        here.seconds |= self.family.seconds
        here.seconds["total"] = perf_counter() - self.started
        total.add(here)
        return total
