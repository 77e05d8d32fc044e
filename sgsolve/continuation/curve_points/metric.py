"""The weighted norm of (x, p) that measures the arclength of a branch.

It takes the mean of the squares of x, not their sum, so a setting has the same meaning on a fine
and on a coarse grid. The unit of x is chosen at the start of the branch: x and the parameter change
by about the same amount there, so a step length is a change of the parameter.

References: BifurcationKit.jl's PALC (the mean); LOCA (the scaling by the first tangent).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...arrays import Vector
from ...norms import norm2, scalar_product
from ...private_api import quiet

FINE, COARSE = (
    0.02,
    0.2,
)  # relative change of x by the longest step: least one, and after coarsening
CONSTANT = 1e-10  # relative change of x along the parameter up to which x is constant
NOISE = 10.0  # x counts as zero up to this multiple of its error
UNITS = 30.0  # largest ratio of the user's unit of x to that of the tangent where p starts at zero
EXTREME = 1e150  # limits the units of x, so that their squares neither overflow nor vanish
STEEP, FLAT = 2.0, 1e3  # range of the unit of x relative to the ratio of the sizes of x and p


@dataclass(frozen=True)
class Metric:
    """An inner product of vectors z = (x, p).

    Parameters
    ----------
    weights : ndarray, shape (n + 1,)
        The product is the sum of ``weights * y * z``.
    capped : bool
        Whether the unit of x is larger than it should be, because its square would overflow.
    """

    weights: Vector
    capped: bool = False

    def dot(self, y: Vector, z: Vector) -> float:
        """Return the inner product."""
        with quiet():  # an infinite length is a long one
            return scalar_product(self.weights * y, z)

    def norm(self, z: Vector) -> float:
        """Return the length."""
        return float(np.sqrt(self.dot(z, z)))

    def unit(self, z: Vector) -> Vector:
        """Return z at length 1."""
        return z / self.norm(z)

    def coarser(self, x: Vector, longest: float) -> Metric | None:
        """Return a metric with a larger unit of x if x is far longer than `longest`; else None.

        The unit is small where a branch starts near zero. Far from the start, where x is fifty
        times the longest step, it would make thousands of points.
        """
        with quiet():
            size = float(np.sqrt(scalar_product(self.weights[:-1] * x, x)))
        if FINE * size <= longest or not math.isfinite(size):
            return None
        weights = self.weights.copy()
        weights[:-1] *= (longest / (COARSE * size)) ** 2
        return Metric(weights, self.capped)

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
    """Return the metric in which x and p contribute equally to the tangent at the start.

    Parameters
    ----------
    z, tangent : ndarray, shape (n + 1,)
        The first point and its tangent, (x, p).
    scale : ndarray, shape (n,), or None
        The sizes of the unknowns.
    span : float
        The length of the interval of the parameter.
    error : ndarray, shape (n,), or float
        Error of x. Components of x no larger than this are zero and give no unit.
    first : float
        The first step in the parameter; it gives the unit of a parameter that starts at zero.
    """
    error = np.broadcast_to(error, len(z) - 1)
    sizes = np.ones(len(z) - 1) if scale is None else _meant(scale, error)
    noise = NOISE * rms(error / sizes)
    size, p = rms(z[:-1] / sizes), abs(float(z[-1]))
    slope, share = rms(tangent[:-1] / sizes), abs(float(tangent[-1]))
    size = size if size > noise else 0.0
    usual = min(max(p, abs(first)), span) / size if size > 0.0 else 0.0
    moved = max(CONSTANT * (size if scale is None else max(size, 1.0)), noise) * share
    if slope * p <= moved:  # as on a branch of trivial solutions
        ratio = max(usual, 1.0) if p == 0.0 else usual or 1.0
        if (p == 0.0 or usual == 0.0) and slope * abs(first) > moved:
            ratio = min(max(1.0, share / slope / UNITS), share / slope * UNITS)
    else:
        ratio = share / slope
        if usual > 0.0:  # near a fold x moves much faster than it usually does
            ratio = min(max(ratio, usual / STEEP), usual * FLAT)
    wanted = (ratio or 1.0) / sizes
    units = np.clip(wanted, 1.0 / EXTREME, EXTREME)
    weights = 0.5 * np.append(units**2 / len(sizes), 1.0)
    return Metric(weights, capped=bool((wanted > EXTREME).any()))


def _meant(scale: Vector, error: Vector) -> Vector:
    """Return the sizes of the unknowns; 1 for blocks that are zero within their error."""
    sizes = scale.copy()
    for size in np.unique(scale):
        block = scale == size
        if size <= NOISE * rms(error[block]):
            sizes[block] = 1.0
    return sizes


def rms(x: Vector) -> float:
    """Return the root mean square."""
    with quiet():  # `norm2` sees the overflow
        return norm2(x) / math.sqrt(len(x))
