"""Metric: what a length is in the space of (x, p).

The mean square of x, not the sum, so that settings mean the same on a fine grid and on a coarse
one; and x in units in which it moves as fast as the parameter does where the branch starts, so that
a step is thought of in units of the parameter.

References: BifurcationKit.jl's PALC (the mean); LOCA (the scaling by the first tangent).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..solvers.norms import norm2

Vector = NDArray[Any]

FINE, COARSE = 0.02, 0.2  # parts of x that a step should at least be able to change, and then can
NOISE = 10.0  # times the error of x, up to which x counts as zero
UNITS = 30.0  # how far the user's unit of x may be from that of the tangent where p starts at zero
EXTREME = 1e150  # of the units of x, so that their squares are finite and not zero
STEEP, FLAT = 2.0, 1e3  # how far the unit of x may differ from what the sizes of x and p suggest


@dataclass(frozen=True)
class Metric:
    """An inner product of vectors z = (x, p).

    Parameters
    ----------
    weights : ndarray, shape (n + 1,)
        The product is the sum of ``weights * y * z``.
    """

    weights: Vector

    def dot(self, y: Vector, z: Vector) -> float:
        """Return the inner product."""
        with np.errstate(over="ignore", invalid="ignore"):  # an infinite length is a long one
            return float(np.dot(self.weights * y, z))

    def norm(self, z: Vector) -> float:
        """Return the length."""
        return float(np.sqrt(self.dot(z, z)))

    def unit(self, z: Vector) -> Vector:
        """Return z at length 1."""
        return z / self.norm(z)

    def coarser(self, x: Vector, longest: float) -> Metric | None:
        """Return a metric in which x counts less, if x has outgrown the longest step; else None.

        A branch that starts near zero is measured in a small unit there; where x is fifty times
        what a step may change it, thousands of points would lie ahead.
        """
        with np.errstate(over="ignore"):
            size = float(np.sqrt(np.dot(self.weights[:-1] * x, x)))
        if FINE * size <= longest or not math.isfinite(size):
            return None
        weights = self.weights.copy()
        weights[:-1] *= (longest / (COARSE * size)) ** 2
        return Metric(weights)

    def angle(self, y: Vector, z: Vector) -> float:
        """Return the angle between two unit vectors, in degrees."""
        return float(np.degrees(2.0 * np.arcsin(min(1.0, 0.5 * self.norm(y - z)))))


def start_metric(
    z: Vector,
    tangent: Vector,
    scale: Vector | None,
    span: float = np.inf,
    error: Any = 0.0,
    first: float = 0.0,
) -> Metric:
    """Return the metric in which x and p contribute alike to a tangent, shape (n + 1,).

    Parameters
    ----------
    scale : ndarray, shape (n,), or None
        The sizes of the unknowns.
    span : float
        How far the parameter may go.
    error : ndarray, shape (n,), or float
        How far x may be from the solution: what is no larger is a zero, and says nothing of units.
    first : float
        The first step in the parameter; it gives the unit of a parameter that starts at zero.
    """
    error = np.broadcast_to(error, len(z) - 1)
    sizes = np.ones(len(z) - 1) if scale is None else _meant(scale, error)
    noise = NOISE * _rms(error / sizes)
    size, p = _rms(z[:-1] / sizes), abs(float(z[-1]))
    slope, share = _rms(tangent[:-1] / sizes), abs(float(tangent[-1]))
    size = size if size > noise else 0.0
    usual = min(p, span) / size if size > 0.0 else 0.0
    if slope * p <= max(1e-10 * size, noise) * share:  # as on a branch of trivial solutions
        ratio = usual or 1.0
        if usual == 0.0 and slope * abs(first) > max(1e-10 * size, noise) * share:
            ratio = min(max(1.0, share / slope / UNITS), share / slope * UNITS)
    else:
        ratio = share / slope
        if usual > 0.0:  # near a fold x moves much faster than it usually does
            ratio = min(max(ratio, usual / STEEP), usual * FLAT)
    units = np.clip((ratio or 1.0) / sizes, 1.0 / EXTREME, EXTREME)
    return Metric(0.5 * np.append(units**2 / len(sizes), 1.0))


def _meant(scale: Vector, error: Vector) -> Vector:
    """Return the sizes of the unknowns, 1 for blocks that are zero but for errors."""
    sizes = scale.copy()
    for size in np.unique(scale):
        block = scale == size
        if size <= NOISE * _rms(error[block]):
            sizes[block] = 1.0
    return sizes


def _rms(x: Vector) -> float:
    with np.errstate(over="ignore"):
        return norm2(x) / math.sqrt(len(x))
