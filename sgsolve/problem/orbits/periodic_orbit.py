"""Periodic orbit: one solution that repeats in time, by collocation.

Reference: E. Doedel, H. B. Keller, J. P. Kernevez, Int. J. Bifurcation and Chaos 1 (1991) 745.
"""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from ...arrays import Vector
from ...errors import DataTypeError, InputError
from ...periodic.monodromy import monodromy
from ...periodic.orbit_family import OrbitFamily
from ...periodic.orbit_solver import exact_orbit, meshed_orbit
from ...periodic.packing import orbit_of
from ...results.branch import Branch
from ...results.periodic_orbit import PeriodicOrbit
from ...results.special_points import SpecialPoint
from ...solvers.state.workspace import Workspace
from ..curves.chosen_point import chosen_point, refuse_point_alone
from ..equations.definition import ProblemDefinition
from ..equations.residual_system import ResidualSystem
from .orbit_guess import OrbitGuess, guess_of, resampled
from .orbit_setup import Collocation, critical_mode, family_of, parameter_unit, small_orbit

FIRST = 20  # intervals to begin with
FINE = 4  # times the intervals, of a mesh on which the guess is measured
AT_HOPF = 20  # intervals of the small orbit beside a Hopf point


def periodic_orbit(
    problem: ProblemDefinition,
    start: Any,
    special: SpecialPoint | int,
    period: float | None,
    degree: int,
    intervals: int | None,
    tolerance: float,
    multipliers: bool,
) -> PeriodicOrbit:
    """Return the periodic orbit near a start; see `Problem.periodic_orbit`."""
    problem.refuse_null_space("periodic_orbit")
    asked = Collocation.of(degree, intervals)
    if isinstance(tolerance, bool) or not isinstance(tolerance, numbers.Real):
        raise DataTypeError(f"tolerance must be a number, not {tolerance!r}")
    if not 1e-13 <= tolerance < 1.0:
        raise InputError(f"tolerance must be within 1e-13 and 1, not {tolerance!r}")
    refuse_point_alone(start, "periodic_orbit")
    if isinstance(start, Branch) and start.kind == "orbits":
        if not isinstance(special, SpecialPoint):
            raise InputError(
                "the branch consists of orbits; start from branch.orbit(i), or pass one of its "
                "special points"
            )
        start = start.orbit(special)
    if isinstance(start, Branch) and start.name != "t":
        problem.check_same({k: v for k, v in start.params.items() if k != start.name}, "the branch")
        return _beside_hopf(problem, start, special, asked, multipliers)
    moved: dict[str, Any] = {}
    if isinstance(start, PeriodicOrbit):
        t, x = start.t, start.states
        times = start.fine_times(4)
        guess = OrbitGuess(np.append(times[:-1], t[-1]), np.vstack([start(times[:-1]), x[:1]]))
        moved = {k: v for k, v in start.params.items() if k not in problem.given}
    else:
        if isinstance(start, Branch):
            problem.check_same(dict(start.params), "the time course")
            moved = {k: v for k, v in start.params.items() if k not in problem.given}
        guess = guess_of(start, period)
    return _orbit_near(problem, guess, moved, asked, tolerance, multipliers)


def _orbit_near(
    problem: ProblemDefinition,
    guess: OrbitGuess,
    moved: dict[str, Any],
    asked: Collocation,
    tolerance: float,
    multipliers: bool,
) -> PeriodicOrbit:
    system, _, _ = problem.started(guess.x[0], moved)

    def with_intervals(N: int) -> tuple[OrbitFamily, Vector]:
        fine = guess.mesh(FINE * N)
        family = family_of(problem, system, None, guess.x, 0.0, asked.degree, fine)
        mesh = family.remeshed(resampled(guess, family), N)
        family = OrbitFamily(family.equations, family.scheme, mesh, family.sizes)
        return family, resampled(guess, family)

    with problem.workspaces.lend() as workspace:
        if asked.intervals is not None:
            family, x = with_intervals(asked.intervals)
            x = meshed_orbit(family, workspace, x, 0.0)
        else:
            family, x = exact_orbit(with_intervals, workspace, FIRST, tolerance)
        return finished(family, system, x, 0.0, {}, multipliers)


def _beside_hopf(
    problem: ProblemDefinition,
    branch: Branch,
    special: SpecialPoint | int,
    asked: Collocation,
    multipliers: bool,
) -> PeriodicOrbit:
    point = chosen_point(branch, special, "hopf")
    with problem.workspaces.lend() as workspace:
        system, family, z, _ = first_orbit(problem, workspace, branch, point, asked)
        p = float(z[-1])
        return finished(family, system, z[:-1], p, {branch.name: p}, multipliers)


def first_orbit(
    problem: ProblemDefinition,
    workspace: Workspace,
    branch: Branch,
    point: SpecialPoint,
    asked: Collocation,
) -> tuple[ResidualSystem, OrbitFamily, Vector, Vector]:
    """Return the system, the family, the smallest orbit of a Hopf point, and the way to it."""
    params = {**branch.params, branch.name: point.parameter}
    system, x, _ = problem.started(point.x, params)
    mesh = np.linspace(0.0, 1.0, (asked.intervals or AT_HOPF) + 1)
    omega, q = critical_mode(problem, system, point)
    beside = x + 0.01 * np.outer(np.cos(np.arange(8.0)), np.maximum(np.abs(x), 1e-3))
    states = np.vstack([x[None], beside])
    family = family_of(problem, system, branch.name, states, point.parameter, asked.degree, mesh)
    if system.scale is None:
        size = {name: float(np.abs(x[system.blocks[name]]).max()) or 1.0 for name in system.blocks}
        family.sizes = system.blocks.spread(size, 1.0)
    limits = branch.bounds or (float(branch.parameter.min()), float(branch.parameter.max()))
    unit = parameter_unit(point.parameter, limits)
    z, way = small_orbit(family, workspace, point, omega, q, unit)
    return system, family, z, way


def finished(
    family: OrbitFamily,
    system: ResidualSystem,
    x: Vector,
    p: float,
    moved: dict[str, Any],
    multipliers: bool,
) -> PeriodicOrbit:
    """Return the result."""
    values = monodromy(family, x, p).multipliers() if multipliers else None
    return orbit_of(family, x, {**system.params, **moved}, values, system.blocks)
