"""Branch switching: the other solution branch that crosses at a branch point.

Reference: W. Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria (2000), ch. 3.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ...arrays import Vector
from ...bifurcation.branch_points.several_branches import departures
from ...bifurcation.branch_points.switching import departure
from ...continuation.curve_points.metric import UNITS, Metric
from ...continuation.runs.options import checked_bounds
from ...continuation.stepper import RunState
from ...errors import ConvergenceError, InputError, LinearSolveError
from ...results.branch import Branch, PartialBranchWarning
from ...results.special_points import SpecialPoint
from ...solvers.state.workspace import Workspace
from ..equations.definition import ProblemDefinition
from ..equations.residual_system import ResidualSystem
from ..families.gauged_family import curve_family, lifted
from .chosen_point import chosen_point
from .curve_run import asked_of, check_inside, curve_view, run_curve

USUAL_STEP = 0.02  # without bounds: of the range of the known branch, as p may be 0 here
HALVINGS = 12  # of the first step, until the first point is within the bounds


class LeavesBoundsError(InputError):
    """The other branch has no part within the bounds."""


def switch_branch(
    problem: ProblemDefinition,
    branch: Branch,
    special: SpecialPoint | int,
    bounds: tuple[float, float] | None,
    **options: Any,
) -> Branch:
    """Follow the other branch that crosses at a branch point; see `Problem.switch_branch`."""
    special = chosen_point(branch, special, "branch point")
    problem.check_same({k: v for k, v in branch.params.items() if k != branch.name}, "the branch")
    if special.other_tangent is None or branch.weights is None:
        raise InputError(f"no second branch is known at {special}: take one of a continuation")
    params = {**branch.params, branch.name: special.parameter}
    options["stability"] = problem.stability(
        options["stability"], lambda p: {**params, branch.name: p}
    )
    bounds = branch.bounds if bounds is None else bounds
    unbounded = bounds is None or bool(np.isinf(checked_bounds(bounds)).all())
    if unbounded and options["step"] is None and options["steps"] is None:
        options["step"] = float(np.ptp(branch.parameter)) * USUAL_STEP or None
    asked = asked_of(bounds, options, (branch.name,))
    check_inside(branch.name, special.parameter, asked[1])
    system, x, _ = problem.started(special.x, params)
    with problem.lend(system, x) as workspace:
        family = _family_of_branch(branch, system, x, special.parameter, workspace)
        length = asked[0].first_step(special.parameter, asked[1])
        place, weights = _lifted(family, special), _weights_fitted(branch.weights, special, length)

        def origin(state: RunState) -> tuple[Any, Any]:
            return _departure_inside(family, workspace, place, weights, length, asked[1])

        view = curve_view(branch.name, system, family)
        return run_curve(family, workspace, view, origin, *asked, "switch", weights)


def branches_at(
    problem: ProblemDefinition,
    follow: Callable[..., Branch],
    branch: Branch,
    special: SpecialPoint | int,
    bounds: tuple[float, float] | None,
    step: float | None,
    **options: Any,
) -> list[Branch]:
    """Follow all other branches at a branch point with `follow`; see `Problem.branches_at`."""
    special = chosen_point(branch, special, "branch point")
    width = np.ptp(checked_bounds(branch.bounds if bounds is None else bounds))
    usual = USUAL_STEP * float(width if np.isfinite(width) else np.ptp(branch.parameter))
    step = abs(step or usual)
    ways, known, doubt = directions_at(problem, branch, special, step)
    found, failures = list[Branch](), list[str]()
    for point, side in ways or [(special, step), (special, -step)]:
        try:
            found.append(follow(known, point, bounds, step=side, **options))
        except LeavesBoundsError:
            continue
        except (ConvergenceError, LinearSolveError) as error:
            failures.append(str(error))
    if failures and not found:
        raise ConvergenceError("; ".join([failures[0], *filter(None, [doubt])]))
    if failures:
        text = f"{len(failures)} more branches could not be followed: {failures[0]}"
        warnings.warn(text, PartialBranchWarning, stacklevel=3)
    if doubt:
        warnings.warn(doubt, PartialBranchWarning, stacklevel=3)
    return found


def directions_at(
    problem: ProblemDefinition, branch: Branch, special: SpecialPoint, step: float
) -> tuple[list[tuple[SpecialPoint, float]], Branch, str]:
    """Return a branch point with several null vectors, and a step, for each branch that crosses.

    The list is empty at a simple branch point. The known branch is returned too, with weights that
    fit the branches that cross; and why there may be more of them, in words, or nothing.
    """
    if special.other_tangent is None or branch.weights is None:
        return [], branch, ""
    weights = _weights_fitted(branch.weights, special, step)
    params = {**branch.params, branch.name: special.parameter}
    system, x, _ = problem.started(special.x, params)
    with problem.lend(system, x) as workspace:
        family = _family_of_branch(branch, system, x, special.parameter, workspace)
        place, n = _lifted(family, special), len(special.x)
        found = departures(family, workspace, place, weights, step)
        lengths = [Metric(found.weights).norm(way) for way in found.ways]
    ways = [np.append(way[:n], way[-1]) for way in found.ways]
    points = [replace(special, other_tangent=way) for way in ways]
    text = f"more branches may leave the {special} than were found: {found.doubt}"
    return (
        list(zip(points, lengths, strict=True)),
        replace(branch, weights=found.weights),
        text if found.doubt else "",
    )


def _family_of_branch(
    branch: Branch, system: ResidualSystem, x: Vector, p: float, workspace: Workspace
) -> Any:
    """Return the family at a branch point; it is gauged only if the branch was.

    There J is singular in any case, and beside it too where x tells no unit.
    """
    assert branch.weights is not None
    gauged = len(branch.weights) > len(x) + 1
    return curve_family(system, branch.name, x, p, workspace, search=gauged)


def _weights_fitted(weights: Vector, special: SpecialPoint, length: float) -> Vector:
    """Return weights in which x changes along the other branch about as the parameter does.

    A branch of zeros tells no unit of x, but the normal form of the branch point does.
    """
    a, b, c = (abs(special.coefficients.get(name, 0.0)) for name in "abc")
    if special.vector is None or not c or not (a or b):
        return weights
    # Where a branch leaves, the term of the two that is larger there balances c: rounding of a
    # coefficient that is zero makes a distance which is too large to be the smaller one.
    sizes = [c / a * abs(length) if a else np.inf, np.sqrt(c / b * abs(length)) if b else np.inf]
    size = float(min(sizes))
    direction = size * special.vector / np.linalg.norm(special.vector)
    moved = np.sqrt(weights[: len(direction)] @ direction**2)
    ratio = float(np.sqrt(weights[-1]) * abs(length) / moved)
    if not np.isfinite(ratio) or 1.0 / UNITS <= ratio <= UNITS:
        return weights
    return np.append(ratio**2 * weights[:-1], weights[-1])


def _departure_inside(
    family: Any,
    workspace: Workspace,
    special: SpecialPoint,
    weights: Vector,
    length: float,
    bounds: tuple[float, float],
) -> tuple[Any, Any]:
    """Return the first point of the other branch within the bounds, and a direction along it."""
    low, high = bounds
    for _ in range(HALVINGS):
        z, way = departure(family, workspace, special, weights, length)
        if low <= z[-1] <= high:
            return z, way
        length *= 0.5
    raise LeavesBoundsError(
        f"the other branch at the {special} leaves the bounds {low:g} to {high:g} at once on this "
        "side; give wider bounds, or a step of the other sign"
    )


def _lifted(family: Any, special: SpecialPoint) -> SpecialPoint:
    """Return a special point with the multipliers of a gauged family behind its state."""
    assert special.other_tangent is not None
    assert special.tangent is not None
    x, tangent = lifted(family, special.x), lifted(family, special.tangent)
    return replace(
        special, x=x, tangent=tangent, other_tangent=lifted(family, special.other_tangent)
    )
