"""Meshes: where the intervals of a piecewise polynomial end, so that each has the same error.

The error of an interval of length h grows like h^(m + 1) times the derivative of order m + 1, which
is estimated from the jumps of that of order m. Its power 1 / (m + 1) is distributed evenly.

Reference: C. de Boor, in: Numerical Solution of Differential Equations, Lecture Notes in
Mathematics 363 (1974) 12.
"""

from __future__ import annotations

import numpy as np

from ..arrays import Vector
from .scheme import Scheme

FLOOR = 0.05  # of the mean density, so that no interval gets much longer than the others


def adapted_mesh(scheme: Scheme, mesh: Vector, Y: Vector, sizes: Vector, count: int) -> Vector:
    """Return a mesh of [0, 1] with `count` intervals that has the same error in each.

    Parameters
    ----------
    mesh : ndarray, shape (N + 1,)
    Y : ndarray, shape (N, degree + 1, n)
        The values of a periodic function at the nodes of the intervals.
    sizes : ndarray, shape (n,)
        What a change of each unknown is measured by.
    """
    h = np.diff(mesh)
    density = _highest(scheme, mesh, Y, sizes) ** (1.0 / (scheme.degree + 1))
    mean = float(density @ h)
    if not mean > 0.0:
        return np.linspace(0.0, 1.0, count + 1)
    density = np.maximum(density, FLOOR * mean)
    total = np.append(0.0, np.cumsum(density * h))
    return equal_shares(mesh, total, count)


def mesh_error(scheme: Scheme, mesh: Vector, Y: Vector, sizes: Vector) -> float:
    """Return an estimate of the largest error of a piecewise polynomial, relative to the sizes."""
    middle = 0.5 * (scheme.nodes[1:] + scheme.nodes[:-1])
    product = float(np.abs(np.prod(middle[:, None] - scheme.nodes, axis=1)).max())
    local = _highest(scheme, mesh, Y, sizes) * np.diff(mesh) ** (scheme.degree + 1)
    return product * float(local.max()) / (scheme.degree + 1)


def _highest(scheme: Scheme, mesh: Vector, Y: Vector, sizes: Vector) -> Vector:
    """Return the derivative of order m + 1 over m! on each interval, from the jumps of order m."""
    h = np.diff(mesh)
    top = np.einsum("j,kjn->kn", scheme.top, Y / sizes) / h[:, None] ** scheme.degree
    gaps = 0.5 * (h + np.roll(h, -1))
    jumps = np.abs(np.roll(top, -1, axis=0) - top) / gaps[:, None]
    found: Vector = 0.5 * (jumps + np.roll(jumps, 1, axis=0)).max(axis=1)
    return found


def equal_shares(mesh: Vector, total: Vector, count: int) -> Vector:
    """Return the points of [0, 1] between which a growing quantity grows by equal amounts."""
    found = np.interp(np.linspace(0.0, total[-1], count + 1), total, mesh)
    found[0], found[-1] = 0.0, 1.0
    return found


def interpolated_at(scheme: Scheme, mesh: Vector, Y: Vector, t: Vector) -> Vector:
    """Return a piecewise polynomial at times t of [0, 1], shape (len(t), n)."""
    k = np.clip(np.searchsorted(mesh, t, side="right") - 1, 0, len(mesh) - 2)
    local = (t - mesh[k]) / np.diff(mesh)[k]
    found: Vector = np.einsum("tj,tjn->tn", scheme.values(local), Y[k])
    return found
