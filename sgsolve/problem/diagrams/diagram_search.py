"""Search for all branches: branch points are visited in the order in which they were found.

A branch point that several branches pass is one. A direction out of it that a branch has taken
already is not taken again, and a branch that runs along a known one is dropped.
"""

from __future__ import annotations

import contextlib
import warnings
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from ...arrays import Vector
from ...continuation.locating.approximate_points import UnlocatedWarning
from ...errors import ConvergenceError, LinearSolveError
from ...results.bifurcation_diagram import BifurcationDiagram
from ...results.branch import Branch, PartialBranchWarning
from ...results.special_points import ApproximateSpecialPoint, SpecialPoint
from ...results.status import Status
from ..curves.switch_branch import LeavesBoundsError, directions_at, switch_branch
from ..equations.definition import ProblemDefinition
from ..orbits.orbit_continuation import orbit_continuation
from .diagram_folder import DiagramFolder
from .diagram_places import DiagramPlace, DiagramPlaces
from .known_branches import KnownBranches

Follow = Callable[[dict[str, Any]], Branch]

SHARE = 50.0  # the usual first step is the range divided by this
SAME_END = 1e-3  # of the range: orbits end at a Hopf point that lies within

ORBIT_KINDS = ("fold", "branch point", "period doubling", "torus")
OF_SOLUTIONS = ("outputs", "detect", "stability", "steps")  # options that orbits do not share


@dataclass(eq=False)
class _Task:
    """A branch that is to be followed."""

    origin: str
    depth: int
    run: Follow
    place: DiagramPlace | None = None
    point: SpecialPoint | None = None
    side: int = 0
    weights: Vector | None = None

    def is_new(self) -> bool:
        """Whether no branch passes the branch point in this direction."""
        if self.place is None or self.point is None or self.weights is None:
            return True
        tangent = self.point.other_tangent
        assert tangent is not None
        return not self.place.is_taken(tangent, self.side, self.weights)


class DiagramSearch:
    """The breadth-first search.

    Parameters
    ----------
    name : str
        The parameter.
    bounds : (float, float)
    options : dict
        Of each branch.
    limits : (int, int)
        The largest depth and number of branches.
    """

    def __init__(
        self,
        problem: ProblemDefinition,
        name: str,
        bounds: tuple[float, float],
        options: dict[str, Any],
        limits: tuple[int, int],
        folder: DiagramFolder | None,
        deadline: float,
    ) -> None:
        self._problem, self._name, self._bounds = problem, name, bounds
        self._options, self._folder, self._deadline = options, folder, deadline
        self._depth, self._most = limits
        self.diagram = BifurcationDiagram()
        self._span = bounds[1] - bounds[0]
        self._places = DiagramPlaces(self._span, self.diagram.special_points)
        self._known = KnownBranches(problem, name, self._places, self.diagram.branches)
        self._queue: deque[_Task] = deque()
        self._starts: list[tuple[Sequence[tuple[str, Follow]], tuple[float, Vector] | None]] = []
        self._count = {"branch": 0, "orbits": 0}
        self.stopped = ""

    @property
    def first_step(self) -> float:
        """The length of the first step of a branch."""
        step = self._options["step"]
        return self._span / SHARE if step is None else abs(step)

    def begin(
        self, ways: Sequence[tuple[str, Follow]], solution: tuple[float, Vector] | None
    ) -> None:
        """Plan the branch from a start, to both sides.

        If the start is a solution (p, x), this is done when all branches before it are followed,
        and only if none of them passes it.
        """
        self._starts.append((ways, solution))

    def follow(self) -> None:
        """Follow what is planned, and all branches that cross."""
        for ways, solution in self._starts:
            if solution is None:
                self._queue += [_Task(origin, 0, run) for origin, run in ways]
        self._follow_queue()
        for ways, solution in self._starts:
            if solution is not None and not self.stopped and not self._known.passes(*solution):
                self._queue += [_Task(origin, 0, run) for origin, run in ways]
                self._follow_queue()

    def _follow_queue(self) -> None:
        while self._queue and not self.stopped:
            task = self._queue.popleft()
            if not task.is_new():
                continue
            if len(self.diagram) >= self._most:
                self.diagram.unfinished.append(f"{self._most} branches, the limit, were followed")
                return
            branch = self._kept("branch", task.origin, task.run)
            if branch is not None:
                self._places.measure(branch)
            if branch is not None and not self._known.include(branch):
                self.diagram.branches.append(branch)
                self.diagram.origins.append(task.origin)
                self.diagram.roots.append(None if task.place is None else task.place.point)
                self._take(branch, task.depth)

    def follow_orbits(self) -> None:
        """Follow the periodic orbits from every Hopf point at which no others ended."""
        ends: list[float] = []
        for branch in self.diagram.branches:
            for point in branch.special_points_of("hopf"):
                known = any(abs(point.parameter - end) <= SAME_END * self._span for end in ends)
                approximate = isinstance(point, ApproximateSpecialPoint)
                if self.stopped or known or approximate or not self._places.has_itself(point):
                    continue
                origin = f"orbits from the Hopf point at {point.parameter:.8g}"
                found = self._kept("orbits", origin, self._orbits_from(branch, point))
                if found is not None:
                    self.diagram.orbits.append(found)
                    self.diagram.orbit_roots.append(point)
                    if "ends at a Hopf point" in found.message:
                        ends.append(float(found.parameter[-1]))

    def _kept(self, kind: str, origin: str, run: Follow) -> Branch | None:
        """Return a branch from its file, or follow it; None if it cannot be entered."""
        name = f"{kind} {self._count[kind]:03d}"
        self._count[kind] += 1
        known = None if self._folder is None else self._folder.complete(name)
        branch = self._followed(name, origin, run) if known is None else known
        if branch is None:
            return None
        if not branch.success and branch.status is not Status.ASYMPTOTE:
            self.diagram.unfinished.append(f"{origin}: {branch.message}")
        if branch.status in (Status.INTERRUPTED, Status.TIME_LIMIT):
            self.stopped = branch.status.text
        elif self._folder is not None and known is None:
            self._folder.keep(name, branch)
        return branch

    def _followed(self, name: str, origin: str, run: Follow) -> Branch | None:
        """Follow a branch; None if it cannot be entered, or the time is over."""
        given = dict(self._options)
        if self._folder is not None:
            given |= {"checkpoint": self._folder.unfinished(name), "resume": True}
        left = self._deadline - perf_counter()
        if left <= 0.0:
            self.stopped = Status.TIME_LIMIT.text
            self.diagram.unfinished.append(f"{origin}: {self.stopped}")
            return None
        given["time_limit"] = left if np.isfinite(left) else None
        try:
            with warnings.catch_warnings():
                for kind in (PartialBranchWarning, UnlocatedWarning):
                    warnings.simplefilter("ignore", kind)
                return run(given)
        except LeavesBoundsError:
            return None  # nothing of it belongs to the diagram
        except (ConvergenceError, LinearSolveError) as error:
            self.diagram.unfinished.append(f"{origin}: {error}")
            return None

    def _take(self, branch: Branch, depth: int) -> None:
        """Take note of the special points of a new branch, and plan the branches that cross."""
        for point in branch.special_points:
            place = self._places.at(point)
            if point.kind != "branch point" or isinstance(point, ApproximateSpecialPoint):
                continue
            if point.tangent is not None:
                place.passing.append(point.tangent)
            if depth >= self._depth or point.other_tangent is None:
                continue
            if place.point is point:  # it is new
                for crossing in self._crossings(branch, point):
                    self._queue.append(self._crossing(place, *crossing, depth + 1))

    def _crossings(
        self, branch: Branch, point: SpecialPoint
    ) -> list[tuple[Branch, SpecialPoint, float]]:
        """Return a branch point with the tangent of each branch that crosses, and a step."""
        ways, step = list[tuple[SpecialPoint, float]](), self.first_step
        with contextlib.suppress(ConvergenceError):
            ways, branch, doubt = directions_at(self._problem, branch, point, step)
            self.diagram.unfinished += [doubt] if doubt else []
        return [(branch, *way) for way in ways or [(point, step), (point, -step)]]

    def _crossing(
        self, place: DiagramPlace, branch: Branch, point: SpecialPoint, step: float, depth: int
    ) -> _Task:
        """Return the task of a branch that crosses at a branch point."""

        def run(options: dict[str, Any]) -> Branch:
            return switch_branch(
                self._problem, branch, point, self._bounds, **{**options, "step": step}
            )

        assert point.other_tangent is not None
        side = 1 if step > 0.0 else -1
        place.planned.append((point.other_tangent, side))
        text = f"from the branch point at {point.parameter:.8g}"
        return _Task(text, depth, run, place, point, side, branch.weights)

    def _orbits_from(self, branch: Branch, point: SpecialPoint) -> Follow:
        own: dict[str, Any] = {"max_period": None, "degree": 4, "intervals": None}
        own |= {"outputs": None, "detect": ORBIT_KINDS, "steps": None}

        def run(options: dict[str, Any]) -> Branch:
            given = {key: value for key, value in options.items() if key not in OF_SOLUTIONS}
            return orbit_continuation(
                self._problem, branch, self._name, self._bounds, point, **given, **own
            )

        return run
