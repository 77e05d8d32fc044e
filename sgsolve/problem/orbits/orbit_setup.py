"""Families of periodic orbits of a problem, and the first orbit of each way to start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...arrays import Vector
from ...bifurcation.branch_points.switching import entered
from ...bifurcation.spectra.spectrum import eigenvalues
from ...continuation.curve_points.bordered import Bordered
from ...continuation.curve_points.corrector import Corrector
from ...continuation.curve_points.metric import Metric
from ...errors import ConvergenceError, DataTypeError, InputError
from ...periodic.orbit_family import OrbitFamily, node_times
from ...periodic.orbit_starts import mode
from ...periodic.orbit_stepper import TOLERANCE
from ...periodic.scheme import collocation_scheme
from ...results.special_points import SpecialPoint
from ...solvers.state.workspace import Workspace
from ..equations.definition import ProblemDefinition
from ..equations.residual_system import ResidualSystem
from ..equations.storage import Storage
from .orbit_equations import OrbitEquations

DEGREES = 2, 12
SHARE = 0.5  # of the range of the parameter that counts like the size of the orbit
SMALL = 0.02  # first amplitude at a Hopf point, relative to the size of the unknowns
STIFF = 200  # unknowns above which Radau points damp the fast modes, as Gauss points do not
SAMPLES = 24  # states of the guess at which the residual is tried
RESONANT = 1e-3  # relative difference of a frequency from that of the Hopf point


@dataclass(frozen=True)
class Collocation:
    """What the user asks of the discretization."""

    degree: int
    intervals: int | None

    @classmethod
    def of(cls, degree: Any, intervals: Any) -> Collocation:
        """Check and gather the settings."""
        low, high = DEGREES
        if isinstance(degree, bool) or not isinstance(degree, int | np.integer):
            raise DataTypeError(f"degree must be an integer, not {degree!r}")
        if not low <= int(degree) <= high:
            raise InputError(f"degree must be within {low} and {high}, not {degree}")
        if intervals is None:
            return cls(int(degree), None)
        if isinstance(intervals, bool) or not isinstance(intervals, int | np.integer):
            raise DataTypeError(f"intervals must be an integer, not {intervals!r}")
        if intervals < 4:
            raise InputError(f"intervals must be at least 4, not {intervals}")
        return cls(int(degree), int(intervals))


def family_of(
    problem: ProblemDefinition,
    system: ResidualSystem,
    name: str | None,
    states: Vector,
    p: float,
    degree: int,
    mesh: Any,
) -> OrbitFamily:
    """Return the family of orbits of a problem along a parameter; `mesh` may be a number."""
    some = states[np.unique(np.linspace(0, len(states) - 1, SAMPLES).astype(int))]
    equations = OrbitEquations(system, problem.storage, name, some, p)
    scheme = collocation_scheme(degree, equations.algebraic > 0 or system.n > STIFF)
    return OrbitFamily(equations, scheme, mesh, sizes_of(system, states))


def sizes_of(system: ResidualSystem, states: Vector) -> Vector:
    """Return what a change of each unknown is measured by: its scale, or the size of its block."""
    if system.scale is not None:
        return system.scale
    largest = np.abs(states).max(axis=0)
    spread = np.ptp(states, axis=0)
    sizes = {}
    for block in system.blocks:
        part = system.blocks[block]
        sizes[block] = float(spread[part].max()) or float(largest[part].max()) or 1.0
    found: Vector = system.blocks.spread(sizes, 1.0)
    return found


def critical_mode(
    problem: ProblemDefinition, system: ResidualSystem, point: SpecialPoint
) -> tuple[float, Vector]:
    """Return the frequency and q with (J + i omega C) q = 0 at a Hopf point, of largest size 1."""
    J = system.linearize(point.x)[1]
    M = -Storage(problem.storage, system).matrix(point.x)
    values, vectors = eigenvalues(J, M, (1j * point.frequency, 0.0), 6)
    k = int(np.argmin(np.abs(values - 1j * abs(point.frequency))))
    omega = float(values[k].imag)
    if not abs(values[k] - 1j * abs(point.frequency)) <= RESONANT * abs(point.frequency):
        raise InputError(
            f"{point}: with the storage of the problem no pair of eigenvalues is on the imaginary "
            "axis there; follow the branch with stability=True, which uses the storage"
        )
    q = vectors[:, k]
    return omega, q / q[int(np.argmax(np.abs(q)))]


def small_orbit(
    family: OrbitFamily,
    workspace: Workspace,
    point: SpecialPoint,
    omega: float,
    q: Vector,
    unit: float,
) -> tuple[Vector, Vector]:
    """Return the smallest orbit of a Hopf point, and the way to it, each of shape (n + 1,).

    Its amplitude is fixed, and the parameter is free: the branch leaves the Hopf point at a right
    angle to the parameter, of which `unit` counts like a change of the orbit by its size.

    Raises
    ------
    ConvergenceError
    """
    times = node_times(family.scheme, family.mesh)
    T = 2.0 * np.pi / omega
    still = np.concatenate([np.tile(point.x, len(times)), [T, point.parameter]])
    way = np.concatenate([mode(q, times).ravel(), [0.0, 0.0]])
    metric = Metric(family.weights(unit, T))
    way = metric.unit(way)
    step = SMALL * unit
    corrector = Corrector(family, Bordered(workspace), metric, TOLERANCE, 10)

    def refer_to(guess: Vector) -> None:  # the phase of an orbit of this amplitude
        family.refer_to(guess[:-1])

    z, step = entered(corrector, still, way, metric.weights * way, step, refer_to)
    if z is not None:
        return z, z - still
    raise ConvergenceError(
        f"no periodic orbit was found beside {point}, down to amplitudes of {step:.1e}; is the "
        "pair of eigenvalues simple, and does it cross the axis?"
    )


def parameter_unit(p: float, limits: tuple[float, float]) -> float:
    """Return the change of the parameter that counts like a change of the orbit by its size."""
    span = limits[1] - limits[0]
    return SHARE * span if np.isfinite(span) else abs(p) or 1.0
