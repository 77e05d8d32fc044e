"""Bifurcation diagram: all branches from all branch points, each followed once.

Branch points are visited in the order in which they were found. A branch point that several
branches pass is one; a direction out of it that a branch has taken already is not taken again, and
a branch that runs along a known one is dropped.
"""

from __future__ import annotations

import json
import warnings
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..continuation.approximate_points import UnlocatedWarning
from ..errors import CheckpointError, ConvergenceError, InputError, SgsolveError
from ..results.bifurcation_diagram import BifurcationDiagram
from ..results.branch import Branch, PartialBranchWarning
from ..results.special_points import ApproximateSpecialPoint, SpecialPoint
from ..results.status import Status
from ..solvers.deadline import deadline_of
from .continuation import continuation
from .definition import ProblemDefinition
from .orbit_continuation import orbit_continuation
from .switch_branch import switch_branch

Vector = NDArray[Any]

SAME_PLACE = 1e-5  # of the range of the parameter, and of the size of x, within which points agree
PARALLEL = 0.98  # cosine above which two tangents are of the same branch
NEAR = 0.05  # relative distance of an interpolated state that is worth a correction
SAME_STATE = 1e-6  # ... and of the corrected one that is the same
CHECKS = (0.2, 0.35, 0.5, 0.65, 0.8)  # rows of a branch that are compared with the others
ENOUGH = 3  # of them on another branch; one may lie at a fold, between two points of it
MANIFEST = "diagram.json"

RUN: dict[str, Any] = {
    "events": None,
    "stop": (),
    "until": None,
    "keep_states": "all",
    "progress": False,
    "raise_on_failure": False,
    "callback": None,
    "verbose": False,
}


@dataclass(eq=False)
class _Task:
    """A branch that is to be followed."""

    origin: str
    depth: int
    run: Callable[[dict[str, Any]], Branch]
    place: _Place | None = None
    side: int = 0


@dataclass(eq=False)
class _Place:
    """A branch point, and the directions in which branches leave it.

    Attributes
    ----------
    point : SpecialPoint
    taken : list of (tangent, side)
        Side 0 stands for both.
    """

    point: SpecialPoint
    taken: list[tuple[Vector, int]] = field(default_factory=list)

    def is_taken(self, tangent: Vector, side: int) -> bool:
        """Whether a branch has left in a direction."""
        for other, way in self.taken:
            cosine = float(tangent @ other) / float(
                np.linalg.norm(tangent) * np.linalg.norm(other) or 1.0
            )
            if abs(cosine) >= PARALLEL and (way == 0 or way * np.sign(cosine) == side):
                return True
        return False


class _Search:
    """The breadth-first search."""

    def __init__(
        self,
        problem: ProblemDefinition,
        name: str,
        bounds: tuple[float, float],
        options: dict[str, Any],
        limits: tuple[int, int],
        folder: Path | None,
        deadline: float,
    ) -> None:
        self.problem, self.name, self.bounds, self.options = problem, name, bounds, options
        self.depth, self.most = limits
        self.folder, self.deadline = folder, deadline
        self.diagram = BifurcationDiagram()
        self.places: list[_Place] = []
        self.queue: deque[_Task] = deque()
        self.count = 0
        self.stopped = ""

    def follow(self) -> None:
        """Work off the queue."""
        while self.queue and not self.stopped:
            task = self.queue.popleft()
            special = None if task.place is None else task.place.point
            if task.place is not None and special is not None:
                assert special.other_tangent is not None
                if task.place.is_taken(special.other_tangent, task.side):
                    continue
                task.place.taken.append((special.other_tangent, task.side))
            if len(self.diagram) >= self.most:
                self.diagram.unfinished.append(f"{self.most} branches, the limit, were followed")
                return
            branch = self.kept(task.origin, task.run)
            if branch is not None and not self.is_known(branch):
                self.diagram.branches.append(branch)
                self.diagram.origins.append(task.origin)
                self.take(branch, task)

    def kept(self, origin: str, run: Callable[[dict[str, Any]], Branch]) -> Branch | None:
        """Return a branch from its file, or follow it; None if it cannot be entered."""
        number, self.count = self.count, self.count + 1
        given = dict(self.options)
        path = None if self.folder is None else self.folder / f"branch {number:03d}.npz"
        if path is not None and path.exists():
            return Branch.load(path)
        if path is not None:
            given |= {"checkpoint": path.with_suffix(".part.npz"), "resume": True}
        left = self.deadline - perf_counter()
        if left <= 0.0:
            self.stopped = Status.TIME_LIMIT.text
            self.diagram.unfinished.append(f"{origin}: {self.stopped}")
            return None
        given["time_limit"] = left if np.isfinite(left) else None
        try:
            with warnings.catch_warnings():
                for kind in (PartialBranchWarning, UnlocatedWarning):
                    warnings.simplefilter("ignore", kind)
                branch = run(given)
        except ConvergenceError as error:
            self.diagram.unfinished.append(f"{origin}: {error}")
            return None
        if not branch.success and branch.status is not Status.ASYMPTOTE:
            self.diagram.unfinished.append(f"{origin}: {branch.message}")
        if branch.status in (Status.INTERRUPTED, Status.TIME_LIMIT):
            self.stopped = branch.status.text
        elif path is not None:
            branch.save(path)
            path.with_suffix(".part.npz").unlink(missing_ok=True)
        return branch

    def take(self, branch: Branch, task: _Task) -> None:
        """Take note of the special points of a new branch, and plan the branches that cross."""
        for point in branch.special_points:
            place = self.place_of(point)
            if point.kind != "branch point" or isinstance(point, ApproximateSpecialPoint):
                continue
            assert place is not None
            if point.tangent is not None:
                place.taken.append((point.tangent, 0))
            if task.depth >= self.depth or point.other_tangent is None:
                continue
            if place.point is point:  # it is new
                for side in (1, -1):
                    self.queue.append(self.crossing(branch, place, side, task.depth + 1))

    def place_of(self, point: SpecialPoint) -> _Place | None:
        """Return the place of a special point among those known; it is added if it is new."""
        span = self.bounds[1] - self.bounds[0]
        for place in self.places:
            other = place.point
            size = float(np.linalg.norm(other.x)) + float(np.linalg.norm(point.x))
            if (
                other.kind == point.kind
                and abs(other.parameter - point.parameter) <= SAME_PLACE * span
                and np.linalg.norm(other.x - point.x) <= 10.0 * SAME_PLACE * (size + span)
            ):
                return place
        self.places.append(_Place(point))
        self.diagram.special_points.append(point)
        return self.places[-1]

    def crossing(self, branch: Branch, place: _Place, side: int, depth: int) -> _Task:
        """Return the task of a branch that crosses at a branch point."""
        point = place.point

        def run(options: dict[str, Any]) -> Branch:
            step = options["step"]
            length = side * abs(step if step is not None else self.first_step())
            return switch_branch(
                self.problem, branch, point, self.bounds, **{**options, "step": length}
            )

        text = f"from the branch point at {point.parameter:.8g}"
        return _Task(text, depth, run, place, side)

    def first_step(self) -> float:
        """Return the usual first step: a fiftieth of the range."""
        return (self.bounds[1] - self.bounds[0]) / 50.0

    def is_known(self, branch: Branch) -> bool:
        """Whether a branch runs along another one."""
        rows = sorted({int(share * (len(branch) - 1)) for share in CHECKS})
        for other in self.diagram.branches:
            same = [self.passes(other, float(branch.parameter[r]), branch.states[r]) for r in rows]
            if sum(same) >= min(ENOUGH, len(rows)):
                return True
        return False

    def passes(self, other: Branch, p: float, x: Vector) -> bool:
        """Whether a branch passes a solution."""
        q = other.parameter
        size = float(np.linalg.norm(x)) + SAME_PLACE * (self.bounds[1] - self.bounds[0])
        for k in np.flatnonzero((q[:-1] - p) * (q[1:] - p) <= 0.0):
            gap = q[k + 1] - q[k]
            share = 0.5 if gap == 0.0 else (p - q[k]) / gap
            guess = (1.0 - share) * other.states[k] + share * other.states[k + 1]
            away = float(np.linalg.norm(other.states[k + 1] - other.states[k]))
            if np.linalg.norm(guess - x) > NEAR * size + away:
                continue
            found = self.corrected(guess, {**other.params, self.name: p})
            if found is not None and np.linalg.norm(found - x) <= SAME_STATE * size:
                return True
        return False

    def corrected(self, x: Vector, params: dict[str, Any]) -> Vector | None:
        """Return the solution near a guess; None if Newton's method does not find one."""
        system, start = self.problem.system(x, params)
        for _ in range(20):
            F, J = system.linearize(start)
            try:
                step = np.linalg.lstsq(J.toarray(), -F)[0] if system.n <= 50 else None
                if step is None:
                    with self.problem.lend(system, start) as workspace:
                        step = workspace.factorized(system.pattern, J).solve(-F)
            except SgsolveError:
                return None
            start = start + step
            if np.linalg.norm(step) <= 1e-12 * (1.0 + np.linalg.norm(start)):
                found: Vector = start
                return found
        return None


def bifurcation_diagram(
    problem: ProblemDefinition,
    x0: Any,
    name: str,
    bounds: tuple[float, float],
    *,
    depth: int,
    max_branches: int,
    orbits: bool,
    solver: Any,
    folder: Any,
    time_limit: float | None,
    max_points: int | None,
    steps: Any,
    step: float | None,
    max_step: float | None,
    outputs: Any,
    detect: Any,
    stability: Any,
) -> BifurcationDiagram:
    """Follow all branches; see `Problem.bifurcation_diagram`."""
    starts, (low, high) = _starts(x0), _bounds(bounds)
    for what, value in (("depth", depth), ("max_branches", max_branches)):
        if not isinstance(value, int) or isinstance(value, bool) or value < (what != "depth"):
            raise InputError(f"{what} must be a whole number, not {value!r}")
    p = problem.signature.numeric(name)
    if not low <= p <= high:
        raise InputError(f"{name} = {p:g} at the start is outside the bounds {low:g} to {high:g}")
    options = {
        **RUN,
        "steps": steps,
        "step": step,
        "max_step": max_step,
        "outputs": outputs,
        "detect": detect,
        "stability": stability,
        "max_points": max_points,
        "checkpoint": None,
        "resume": False,
        "time_limit": None,
    }
    place = _folder(folder, problem, name, (low, high), starts)
    search = _Search(
        problem,
        name,
        (low, high),
        options,
        (depth, max_branches),
        place,
        deadline_of(time_limit),
    )
    first = abs(step) if step is not None else search.first_step()
    for number, x in enumerate(starts):
        for side in (1, -1):
            if p != (high if side > 0 else low):
                search.queue.append(_first(search, x, side * first, solver, f"from start {number}"))
    search.follow()
    if orbits:
        _orbits(search)
    if search.diagram.unfinished:
        text = "; ".join(search.diagram.unfinished)
        warnings.warn(f"not all branches are complete: {text}", PartialBranchWarning, stacklevel=3)
    return search.diagram


def _first(search: _Search, x: Vector, step: float, solver: Any, origin: str) -> _Task:
    def run(options: dict[str, Any]) -> Branch:
        given = {**options, "step": step, "solver": solver}
        return continuation(search.problem, x, search.name, search.bounds, **given)

    return _Task(f"{origin}, {'up' if step > 0.0 else 'down'}", 0, run)


def _orbits(search: _Search) -> None:
    """Follow the periodic orbits from every Hopf point from which none came back."""
    ends: list[float] = []
    own = {"max_period": None, "degree": 4, "intervals": None}
    without = ("outputs", "detect", "stability", "steps")
    kinds = ("fold", "branch point", "period doubling", "torus")
    span = search.bounds[1] - search.bounds[0]
    for branch in list(search.diagram.branches):
        for point in branch.special_points_of("hopf"):
            new = any(point is place.point for place in search.places)
            if search.stopped or not new or isinstance(point, ApproximateSpecialPoint):
                continue
            if any(abs(point.parameter - end) <= 1e-3 * span for end in ends):
                continue  # the orbits of another Hopf point ended here

            def run(options: dict[str, Any], branch: Branch = branch, point: Any = point) -> Branch:
                given = {key: value for key, value in options.items() if key not in without}
                given |= {"outputs": None, "detect": kinds, "steps": None, **own}
                return orbit_continuation(
                    search.problem, branch, search.name, search.bounds, point, **given
                )

            found = search.kept(f"orbits from the Hopf point at {point.parameter:.8g}", run)
            if found is not None:
                search.diagram.orbits.append(found)
                if "ends at a Hopf point" in found.message:
                    ends.append(float(found.parameter[-1]))


def _starts(x0: Any) -> list[Vector]:
    """Return the starts, one or several."""
    try:
        x = np.asarray(x0, dtype=float)
    except (TypeError, ValueError):
        raise InputError(
            f"x0 must be one start, or an array of starts with one in each row, not {x0!r}"
        ) from None
    return [x] if x.ndim < 2 else list(x)


def _bounds(bounds: Any) -> tuple[float, float]:
    try:
        low, high = (float(value) for value in bounds)
    except (TypeError, ValueError):
        raise InputError(f"bounds must be (lowest, highest), not {bounds!r}") from None
    if not (np.isfinite([low, high]).all() and low < high):
        raise InputError(f"bounds must be finite and increase, not ({low:g}, {high:g})")
    return low, high


def _folder(
    given: Any,
    problem: ProblemDefinition,
    name: str,
    bounds: tuple[float, float],
    starts: list[Vector],
) -> Path | None:
    """Return the folder of the branches, made or checked.

    Raises
    ------
    CheckpointError
        If it has the branches of another diagram.
    """
    if given is None:
        return None
    folder = Path(given)
    folder.mkdir(parents=True, exist_ok=True)
    numbers = {
        key: value
        for key, value in problem.signature.known.items()
        if isinstance(value, int | float)
    }
    mark = json.dumps(
        {
            "parameter": name,
            "bounds": list(bounds),
            "params": numbers,
            "starts": [start.tolist() for start in starts],
        },
        sort_keys=True,
    )
    manifest = folder / MANIFEST
    if manifest.exists() and manifest.read_text(encoding="utf-8") != mark:
        raise CheckpointError(
            f"{folder} has the branches of another diagram; choose another folder"
        )
    manifest.write_text(mark, encoding="utf-8")
    return folder
