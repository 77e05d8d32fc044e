"""Bifurcation diagram: all branches from all branch points, each followed once."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...arrays import Vector, real_array
from ...bifurcation import Stability
from ...continuation.runs.options import checked_bounds
from ...errors import ConvergenceError, DataTypeError, InputError
from ...results.bifurcation_diagram import BifurcationDiagram
from ...results.branch import Branch, PartialBranchWarning
from ...solvers.state.deadline import deadline_of
from ..curves.continuation import continuation
from ..curves.curve_run import asked_of, check_inside
from ..equations.definition import ProblemDefinition
from ..equations.storage import check_storage
from ..solves.solutions import SolutionSets
from .diagram_folder import DiagramFolder
from .diagram_search import DiagramSearch, Follow

# of each branch, beside those that the user gives
RUN: dict[str, Any] = {
    "events": None,
    "stop": (),
    "until": None,
    "keep_states": "all",
    "progress": False,
    "raise_on_failure": False,
    "callback": None,
    "verbose": False,
    "checkpoint": None,
    "resume": False,
    "time_limit": None,
}


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
    **own: Any,
) -> BifurcationDiagram:
    """Follow all branches; see `Problem.bifurcation_diagram`."""
    starts, (low, high) = _starts(problem, x0, name), _finite_bounds(bounds)
    limits = _whole("depth", depth, 0), _whole("max_branches", max_branches, 1)
    checked = {**RUN, **own, "stability": Stability.of(own["stability"])}
    asked_of((low, high), checked, (name,))
    _check_orbits(problem, orbits)
    places = [problem if p is None else problem.at({name: p}) for p, _ in starts]
    for place in places:
        check_inside(name, place.signature.numeric(name), (low, high))
    deadline = deadline_of(time_limit)
    mark = _manifest_of(problem, name, (low, high), starts, own)
    files = None if folder is None else DiagramFolder(folder, mark)
    search = DiagramSearch(problem, name, (low, high), {**RUN, **own}, limits, files, deadline)
    for number, (place, (known, x)) in enumerate(zip(places, starts, strict=True)):
        ways = _ways(place, x, name, (low, high), search.first_step, solver)
        named = [(f"from start {number}, {way}", run) for way, run in ways.items()]
        search.begin(named, None if known is None else (known, x))
    search.follow()
    if orbits:
        search.follow_orbits()
    unfinished = "; ".join(search.diagram.unfinished)
    if not search.diagram.branches and not search.stopped:
        raise ConvergenceError(f"no branch could be started: {unfinished}")
    if unfinished:
        text = f"not all branches are complete: {unfinished}"
        warnings.warn(text, PartialBranchWarning, stacklevel=3)
    return search.diagram


def _ways(
    problem: ProblemDefinition,
    x: Vector,
    name: str,
    bounds: tuple[float, float],
    step: float,
    solver: Any,
) -> dict[str, Follow]:
    """Return what follows the branch of a start, up and down as far as the bounds allow."""
    here, (low, high) = problem.signature.numeric(name), bounds
    steps = {"up": step} if here != high else {}
    steps |= {"down": -step} if here != low else {}
    return {way: _first(problem, x, name, bounds, h, solver) for way, h in steps.items()}


def _first(
    problem: ProblemDefinition,
    x: Vector,
    name: str,
    bounds: tuple[float, float],
    step: float,
    solver: Any,
) -> Follow:
    """Return what follows the branch of a start to one side."""

    def run(options: dict[str, Any]) -> Branch:
        return continuation(problem, x, name, bounds, **{**options, "step": step, "solver": solver})

    return run


def _check_orbits(problem: ProblemDefinition, orbits: Any) -> None:
    if not isinstance(orbits, bool):
        raise DataTypeError(f"orbits must be True or False, not {orbits!r}")
    if orbits:
        check_storage(problem.storage, "orbits=True: a periodic orbit needs")


def _starts(problem: ProblemDefinition, x0: Any, name: str) -> list[tuple[float | None, Vector]]:
    """Return the starts: solutions at a value of the parameter, or guesses at that given."""
    if isinstance(x0, SolutionSets):
        if x0.name != name:
            raise InputError(f"the solutions of x0 are along {x0.name!r}, not {name!r}")
        found: list[tuple[float | None, Vector]] = [(v, x) for v, block in x0 for x in block]
        if not found:
            raise InputError("x0 has no start: no solution was found at any value")
        return found
    x = real_array(
        problem.packed(x0), "x0 must be one start, or an array of starts with one in each row"
    )
    if x.ndim == 2 and not len(x):
        raise InputError("x0 has no start: an array of starts needs one in each row")
    return [(None, row) for row in ([x] if x.ndim < 2 else x)]


def _whole(what: str, value: Any, least: int) -> int:
    """Return a whole number that is not too small."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < least:
        raise InputError(f"{what} must be a whole number of at least {least}, not {value!r}")
    return int(value)


def _finite_bounds(bounds: Any) -> tuple[float, float]:
    if bounds is None:
        raise InputError("bounds must be (lowest, highest), not None: a diagram needs both")
    low, high = checked_bounds(bounds)
    if not np.isfinite([low, high]).all():
        raise InputError(f"bounds must be finite, not ({low:g}, {high:g})")
    return low, high


def _manifest_of(
    problem: ProblemDefinition,
    name: str,
    bounds: tuple[float, float],
    starts: list[tuple[float | None, Vector]],
    options: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what tells a diagram from another one; limits may change between two calls."""
    steps, stability = options["steps"], options["stability"]
    return {
        "parameter": name,
        "bounds": list(bounds),
        "parameters": dict(problem.signature.known),
        "x0": [x for _, x in starts],
        "at": [p for p, _ in starts],
        **{key: options[key] for key in ("step", "max_step", "max_points")},
        "steps": None if steps is None else vars(steps),
        "detect": options["detect"],
        "stability": vars(stability) if hasattr(stability, "shifts") else stability,
        "outputs": sorted(options["outputs"] or ()),
    }
