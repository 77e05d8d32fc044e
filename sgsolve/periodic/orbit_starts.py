"""Where orbits come from: a Hopf point, a time course, a guess, a period doubling."""

from __future__ import annotations

import numpy as np

from ..arrays import Vector
from ..errors import InputError

RETURN = 0.1  # part of the largest distance from the last state that counts as near to it
AWAY = 0.3  # ... and that the time course has to be away before it returns
STEADY = 1e-6  # part of the size of the unknowns; a time course that moves less is steady


def last_return(t: Vector, x: Vector, sizes: Vector) -> float:
    """Return how long before its end a time course was last near to its end.

    Parameters
    ----------
    t : ndarray, shape (k,)
    x : ndarray, shape (k, n)
    sizes : ndarray, shape (n,)

    Raises
    ------
    InputError
        If it never was, or does not move at its end.
    """
    y = x / sizes
    gap, time = _nearest_on_segments(y[:-1], y[1:], y[-1], t)
    farthest = float(gap.max())
    if farthest <= STEADY:
        raise InputError(
            "the time course ends in a steady state; it has no periodic orbit to start"
        )
    away = np.flatnonzero(gap > AWAY * farthest)
    last = int(away[-1])
    inner = np.arange(1, last)
    minima = inner[(gap[inner] <= gap[inner - 1]) & (gap[inner] <= gap[inner + 1])]
    minima = minima[gap[minima] <= RETURN * farthest]
    if not len(minima):
        raise InputError(
            "the time course does not come back to its last state: run transient longer, until "
            "the oscillation is periodic, with more rows per period; or give period="
        )
    best = float(gap[minima].min())
    latest = int(minima[gap[minima] <= 3.0 * best + 0.01 * farthest][-1])
    first = np.flatnonzero(gap[:latest] > AWAY * farthest)
    visit = slice(int(first[-1]) + 1 if len(first) else 0, last)  # of the neighborhood of the end
    chosen = visit.start + int(np.argmin(gap[visit]))
    return float(t[-1] - time[chosen])


def _nearest_on_segments(a: Vector, b: Vector, to: Vector, t: Vector) -> tuple[Vector, Vector]:
    """Return the distance of each segment from a point, and the time of its nearest place."""
    along = b - a
    length = np.sum(along * along, axis=1)
    share = np.sum((to - a) * along, axis=1) / np.where(length > 0.0, length, 1.0)
    share = np.clip(share, 0.0, 1.0)
    gap = np.linalg.norm(a + share[:, None] * along - to, axis=1)
    return gap, t[:-1] + share * np.diff(t)


def mode(q: Vector, times: Vector) -> Vector:
    """Return Re(q exp(2 pi i t)) at times, shape (len(t), n)."""
    found: Vector = (np.exp(2j * np.pi * times)[:, None] * q).real
    return found


def doubled_mesh(mesh: Vector) -> Vector:
    """Return the mesh of two rounds."""
    return 0.5 * np.append(mesh[:-1], 1.0 + mesh)
