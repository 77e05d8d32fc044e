"""Families of periodic orbits of a problem, and the first orbit of each way to start."""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.interpolate
from numpy.typing import NDArray

from ..bifurcation.spectrum import eigenvalues
from ..continuation.bordered import Bordered
from ..continuation.corrector import Corrector
from ..continuation.metric import Metric
from ..errors import ConvergenceError, DataTypeError, InputError, NotFiniteError, ShapeError
from ..periodic.orbit_family import OrbitFamily, node_times
from ..periodic.orbit_mesh import equal_shares
from ..periodic.orbit_starts import last_return, mode
from ..periodic.orbit_stepper import TOLERANCE
from ..periodic.scheme import collocation_scheme
from ..results.branch import Branch
from ..results.special_points import ApproximateSpecialPoint, SpecialPoint
from ..solvers.workspace import Workspace
from .definition import ProblemDefinition
from .orbit_equations import OrbitEquations
from .residual_system import ResidualSystem
from .signature import TIME
from .storage import Storage

Vector = NDArray[Any]

DEGREES = 2, 12
SMALL = 0.02  # first amplitude at a Hopf point, relative to the size of the unknowns
HALVINGS = 14
STIFF = 200  # unknowns above which Radau points damp the fast modes, as Gauss points do not
SAMPLES = 24  # states of the guess at which the residual is tried
RESONANT = 1e-3  # relative difference of a frequency from that of the Hopf point


@dataclass(frozen=True)
class Collocation:
    """What the user asks of the discretization.

    Attributes
    ----------
    degree : int
    intervals : int or None
    """

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


@dataclass(eq=False)
class OrbitGuess:
    """States over one period, at times from 0 to the period.

    Attributes
    ----------
    t : ndarray, shape (k,)
    x : ndarray, shape (k, n)
    """

    t: Vector
    x: Vector

    def mesh(self, N: int) -> Vector:
        """Return a mesh with as many of the times in each interval."""
        t = (self.t - self.t[0]) / (self.t[-1] - self.t[0])
        even = np.linspace(0.0, 1.0, len(t))
        return equal_shares(t, 0.5 * (even + t), N)

    def at(self, times: Vector) -> Vector:
        """Return the states at parts of the period; the jump at the end is spread over it."""
        t = (self.t - self.t[0]) / (self.t[-1] - self.t[0])
        closed = self.x - t[:, None] * (self.x[-1] - self.x[0])
        closed[-1] = closed[0]
        curve = scipy.interpolate.CubicSpline(t, closed, bc_type="periodic")
        found: Vector = curve(times)
        return found

    @property
    def period(self) -> float:
        """From the first time to the last."""
        return float(self.t[-1] - self.t[0])


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


def guess_of(start: Any, period: Any) -> OrbitGuess:
    """Return the guess that a time course, times with states, or states give."""
    if period is not None:
        if isinstance(period, bool) or not isinstance(period, numbers.Real):
            raise DataTypeError(f"period must be a number, not {period!r}")
        if not (np.isfinite(float(period)) and float(period) > 0.0):
            raise InputError(f"period must be positive and finite, not {period!r}")
    if isinstance(start, Branch):
        return _of_time_course(start, period)
    if isinstance(start, tuple) and len(start) == 2:
        return _of_times(start, period)
    x = _states(start)
    if period is None:
        raise InputError("states without times need period=, the time after which they repeat")
    closed = np.vstack([x, x[:1]])
    return OrbitGuess(np.linspace(0.0, float(period), len(closed)), closed)


def _states(given: Any) -> Vector:
    try:
        x = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise DataTypeError(
            "start must be a Branch of transient or of continuation, a PeriodicOrbit, a pair "
            f"(times, states) or an array of states, not {type(given).__name__}"
        ) from None
    if x.ndim != 2 or len(x) < 8:
        raise ShapeError(
            f"the states of a guess must have shape (times, unknowns) with at least 8 times, not "
            f"{x.shape}"
        )
    if not np.isfinite(x).all():
        raise NotFiniteError("the states of the guess are not finite")
    return x


def _of_times(start: tuple[Any, Any], period: float | None) -> OrbitGuess:
    x = _states(start[1])
    try:
        t = np.asarray(start[0], dtype=float)
    except (TypeError, ValueError):
        raise DataTypeError(f"the times of a guess must be numbers, not {start[0]!r}") from None
    if t.shape != (len(x),):
        raise ShapeError(f"{len(x)} states need as many times, not shape {t.shape}")
    if not (np.isfinite(t).all() and (np.diff(t) > 0.0).all()):
        raise InputError("the times of a guess must be finite and increase")
    if period is None:
        return OrbitGuess(t, x)
    return _last_period(t, x, float(period))


def _of_time_course(branch: Branch, period: float | None) -> OrbitGuess:
    if branch.name != TIME:
        raise InputError(
            f"the branch runs along {branch.name!r} and has no Hopf point to start from; give one "
            "with stability=True, or a time course of transient"
        )
    rows = slice(None) if branch.kept is None else branch.kept
    t, x = branch.parameter[rows], branch.states
    if len(t) < 20:
        raise InputError(
            f"the time course has {len(t)} states; a periodic orbit needs at least 20, with "
            "keep_states='all'"
        )
    t, first = np.unique(t, return_index=True)  # an event's action may leave two rows at a time
    x = x[first]
    sizes = np.ptp(x, axis=0)
    sizes = np.where(sizes > 0.0, sizes, 1.0)
    return _last_period(t, x, last_return(t, x, sizes) if period is None else float(period))


def _last_period(t: Vector, x: Vector, period: float) -> OrbitGuess:
    """Return the last period of a time course."""
    begin = float(t[-1]) - period
    if begin < t[0] - 1e-9 * period:
        raise InputError(f"the times span {t[-1] - t[0]:g}, less than one period of {period:g}")
    inside = t > begin
    curve = scipy.interpolate.CubicSpline(t, x)
    return OrbitGuess(np.append(begin, t[inside]), np.vstack([curve(begin)[None], x[inside]]))


def resampled(guess: OrbitGuess, family: OrbitFamily) -> Vector:
    """Return the unknowns of a guess on the mesh of a family."""
    times = node_times(family.scheme, family.mesh)
    return np.append(guess.at(times).ravel(), guess.period)


def hopf_of(branch: Branch, special: SpecialPoint | int) -> SpecialPoint:
    """Return a Hopf point that was given itself or by its number."""
    if isinstance(special, SpecialPoint):
        point = special
    else:
        points = branch.hopf_points
        if not points:
            raise InputError(
                "the branch has no Hopf point; follow it with stability=True where a pair of "
                "eigenvalues crosses the imaginary axis"
            )
        if not -len(points) <= special < len(points):
            raise InputError(f"the branch has {len(points)} Hopf points; there is no {special}")
        point = points[special]
    if point.kind != "hopf" or isinstance(point, ApproximateSpecialPoint):
        raise InputError(f"{point} is no Hopf point that was located exactly")
    return point


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
    family: OrbitFamily, workspace: Workspace, point: SpecialPoint, omega: float, q: Vector
) -> tuple[Vector, Vector]:
    """Return the smallest orbit of a Hopf point, and the way to it, each of shape (n + 1,).

    Its amplitude is fixed, and the parameter is free: the branch leaves the Hopf point at a right
    angle to the parameter.

    Raises
    ------
    ConvergenceError
    """
    times = node_times(family.scheme, family.mesh)
    T = 2.0 * np.pi / omega
    still = np.concatenate([np.tile(point.x, len(times)), [T, point.parameter]])
    way = np.concatenate([mode(q, times).ravel(), [0.0, 0.0]])
    metric = Metric(family.weights(1.0, T))
    way = metric.unit(way)
    row = metric.weights * way
    step = SMALL
    for _ in range(HALVINGS):
        guess = still + step * way
        family.refer_to(guess[:-1])
        corrector = Corrector(family, Bordered(workspace), metric, TOLERANCE, 10)
        corrected = corrector.correct(guess, row, step)
        if corrected.at is not None and metric.norm(corrected.at.z - guess) <= 0.3 * step:
            return corrected.at.z, corrected.at.z - still
        step *= 0.5
    raise ConvergenceError(
        f"no periodic orbit was found beside {point}, down to amplitudes of {step:.1e}; is the "
        "pair of eigenvalues simple, and does it cross the axis?"
    )
