"""The first orbit of a branch of periodic orbits: given, at a Hopf point, or on a branch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ...arrays import Vector
from ...bifurcation.branch_points.switching import departure, entered
from ...continuation.curve_points.bordered import Bordered
from ...continuation.curve_points.corrector import Corrector
from ...continuation.curve_points.metric import Metric
from ...errors import ConvergenceError, InputError
from ...periodic.orbit_family import OrbitFamily
from ...periodic.orbit_solver import meshed_orbit
from ...periodic.orbit_starts import doubled_mesh
from ...periodic.orbit_stepper import TOLERANCE
from ...periodic.packing import sampled, unknowns_of
from ...results.branch import Branch
from ...results.periodic_orbit import PeriodicOrbit
from ...results.special_points import ApproximateSpecialPoint, SpecialPoint
from ...solvers.state.workspace import Workspace
from ..curves.chosen_point import chosen_point, point_number
from ..equations.definition import ProblemDefinition
from ..equations.residual_system import ResidualSystem
from .orbit_setup import Collocation, family_of, parameter_unit
from .periodic_orbit import first_orbit

INTERVALS = 40
ASIDE = 0.02  # length of the first step to the doubled orbit, in units of the orbit
Start = tuple[ResidualSystem, OrbitFamily, Vector, Vector | None]


def orbit_branch_start(
    problem: ProblemDefinition,
    workspace: Workspace,
    start: Any,
    along: tuple[str, tuple[float, float]],
    special: SpecialPoint | int | None,
    asked: Collocation,
    step: float | None,
) -> Start:
    """Return the first orbit with the parameter behind it, and the direction if it is known."""
    if isinstance(start, PeriodicOrbit):
        return _from_orbit(problem, workspace, start, along[0], asked)
    if start.kind == "orbits":
        return _switched(problem, workspace, start, special, along[1], step)
    asked = replace(asked, intervals=asked.intervals or INTERVALS)
    point = chosen_point(start, 0 if special is None else special, "hopf")
    return first_orbit(problem, workspace, start, point, asked)


def _from_orbit(
    problem: ProblemDefinition,
    workspace: Workspace,
    orbit: PeriodicOrbit,
    name: str,
    asked: Collocation,
) -> Start:
    params = {k: v for k, v in orbit.params.items() if k not in problem.given}
    system, _, _ = problem.started(orbit.states[0], params)
    value = system.value_of(name)
    if value is None:
        raise InputError(f"the orbit has no value of {name!r}; give problem.at({name}=value)")
    p = float(value)
    mesh = orbit.mesh
    if asked.intervals is not None and asked.intervals != len(mesh) - 1:
        even = np.linspace(0.0, 1.0, len(mesh))
        mesh = np.interp(np.linspace(0.0, 1.0, asked.intervals + 1), even, mesh)
    family = family_of(problem, system, name, orbit.states, p, asked.degree, mesh)
    x = sampled(orbit, family.scheme.degree, family.scheme.ends, mesh)
    x = meshed_orbit(family, workspace, x, p)
    family.refer_to(x)
    return system, family, np.append(x, p), None


def _chosen_point(branch: Branch, special: SpecialPoint | int | None) -> SpecialPoint:
    """Return the special point of a branch of orbits at which to switch."""
    points = [s for s in branch.special_points if s.kind in ("period doubling", "branch point")]
    if isinstance(special, SpecialPoint):
        point = special
    else:
        number = 0 if special is None else point_number(special)
        if not -len(points) <= number < len(points):
            raise InputError(
                f"the branch has {len(points)} period doublings and branch points; there is no "
                f"number {number}"
            )
        point = points[number]
    known = point.vector if point.kind == "period doubling" else point.other_tangent
    if isinstance(point, ApproximateSpecialPoint) or known is None:
        raise InputError(f"no other branch of orbits is known at {point}")
    return point


def _switched(
    problem: ProblemDefinition,
    workspace: Workspace,
    branch: Branch,
    special: SpecialPoint | int | None,
    limits: tuple[float, float],
    step: float | None,
) -> Start:
    point = _chosen_point(branch, special)
    orbit, p = branch.orbit(point), point.parameter
    params = {**branch.params, branch.name: p}
    system, _, _ = problem.started(orbit.states[0], params)
    x = unknowns_of(orbit)
    twice = point.kind == "period doubling"
    mesh = doubled_mesh(orbit.mesh) if twice else orbit.mesh
    family = family_of(problem, system, branch.name, orbit.states, p, orbit.degree, mesh)
    side, unit = 1.0 if step is None else float(np.sign(step)), parameter_unit(p, limits)
    if not twice:
        family.refer_to(x)
        weights = family.weights(unit, orbit.period)
        place = replace(point, x=x)
        z, way = departure(family, workspace, place, weights, side * ASIDE * unit)
        return system, family, z, way
    assert point.vector is not None
    still = np.concatenate([x[:-1], x[:-1], [2.0 * x[-1], p]])
    way = np.concatenate([point.vector, -point.vector, [0.0, 0.0]])
    z = _aside(family, workspace, still, side * way, unit)
    return system, family, z, z - still


def _aside(
    family: OrbitFamily, workspace: Workspace, still: Vector, way: Vector, unit: float
) -> Vector:
    """Return an orbit beside another one, in the direction of a null vector.

    `unit` is the change of the parameter that counts like one of the orbit by its size.
    """
    metric = Metric(family.weights(unit, float(still[-2])))
    family.refer_to(still[:-1])
    way = metric.unit(family.in_phase(still, way))
    corrector = Corrector(family, Bordered(workspace), metric, TOLERANCE, 10)
    z, step = entered(corrector, still, way, metric.weights * way, ASIDE * unit)
    if z is not None:
        return z
    raise ConvergenceError(
        f"the doubled orbit could not be entered with steps down to {step:.1e}; is the multiplier "
        "-1 simple?"
    )
