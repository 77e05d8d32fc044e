"""Guesses for periodic orbits: states, times with states, or the last period of a run in time."""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy

from ...arrays import Vector, real_array
from ...errors import DataTypeError, InputError, NotFiniteError, ShapeError
from ...periodic.orbit_family import OrbitFamily, node_times
from ...periodic.orbit_mesh import equal_shares
from ...periodic.orbit_starts import last_return
from ...results.branch import Branch
from ..inputs.signature import TIME


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
    t = real_array(start[0], "the times of a guess must be numbers")
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
